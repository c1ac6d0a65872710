//! Sessions. Ending one is remembered for as long as a token of it may be about.

use crate::config::TokensConfig;
use crate::domain::{OldTokenId, Session, SessionId, SessionStyle, Timestamp, TokenHash, UserId};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::SessionRecord;
use crate::store::schema::{KEY_TO_SESSION, USER_TO_SESSIONS};
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.row::<SessionRecord>(&id)?.map(|record| record.into_session(id)))
    }

    pub(crate) fn session_by_key(&self, hash: &TokenHash) -> Result<Option<Session>, StoreError> {
        self.find(&KEY_TO_SESSION, hash)?.map_or(Ok(None), |id| self.session(id))
    }

    pub(crate) fn session_by_old_token(&self, old: OldTokenId) -> Result<Option<Session>, StoreError> {
        self.session_by_key(&old.as_hash())
    }

    /// All sessions of a user, the oldest first.
    pub(crate) fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let ids: Vec<SessionId> = self.find_all(&USER_TO_SESSIONS, &user)?;
        ids.into_iter().filter_map(|id| self.session(id).transpose()).collect()
    }

    /// The oldest sessions whose time is up however busy they were, of those that were opened before a moment, at most
    /// `limit`. Some live longer than others, and are passed over. Those that ran out for idleness go with the next log-in
    /// of their user, or when they come here.
    pub(crate) fn ended_sessions(
        &self,
        now: Timestamp,
        opened_before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut ended = Vec::new();
        for row in self.rows::<SessionRecord>(None, Order::Ascending)? {
            let (id, record) = row?;
            let session = record.into_session(id);
            if session.created_at > opened_before || ended.len() == limit {
                break;
            }
            if session.expires_at <= now {
                ended.push(id);
            }
        }
        Ok(ended)
    }
}

impl WriteTx {
    pub(crate) fn save_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.save(&session.id, &SessionRecord::from(session))
    }

    /// Ends a session: from the acknowledgement of this write on, no token of it is accepted.
    pub(crate) fn end_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.remove::<SessionRecord>(&session.id)?;
        if let SessionStyle::Exchanged(old) = session.style {
            self.end_old_token(old)?;
        }
        self.revoke(session.id, session.access_expires_at.after(TokensConfig::MAX_LEEWAY))
    }
}
