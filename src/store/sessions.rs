//! Sessions. Ending one is remembered for as long as a token of it may be about.

use crate::domain::{Session, SessionId, UserId};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::SessionRecord;
use crate::store::schema::USER_TO_SESSIONS;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.row::<SessionRecord>(&id)?.map(|record| record.into_session(id)))
    }

    /// All sessions of a user, the oldest first.
    pub(crate) fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let ids: Vec<SessionId> = self.find_all(&USER_TO_SESSIONS, &user)?;
        ids.into_iter().filter_map(|id| self.session(id).transpose()).collect()
    }

    /// At most `limit` sessions in the order of their ids, from `from` on.
    pub(crate) fn sessions_from(
        &self,
        from: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<Session>, StoreError> {
        self.rows::<SessionRecord>(from.as_ref(), Order::Ascending)?
            .take(limit)
            .map(|row| row.map(|(id, record)| record.into_session(id)))
            .collect()
    }
}

impl WriteTx {
    pub(crate) fn save_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.save(&session.id, &SessionRecord::from(session))
    }

    /// Ends a session: from the acknowledgement of this write on, no token of it is accepted.
    pub(crate) fn end_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.remove::<SessionRecord>(&session.id)?;
        self.revoke(session.id, session.access_expires_at)
    }

    /// Takes away a session that is over anyway.
    pub(crate) fn drop_expired_session(&mut self, id: SessionId) -> Result<(), StoreError> {
        self.remove::<SessionRecord>(&id).map(drop)
    }
}
