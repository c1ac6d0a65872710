//! Sessions that were ended, for as long as a token of them may be about.

use crate::domain::{SessionId, Timestamp};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::RevocationRecord;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn revocations(&self) -> Result<Vec<(SessionId, Timestamp)>, StoreError> {
        self.rows::<RevocationRecord>(None, Order::Ascending)?
            .map(|row| row.map(|((until, session), _)| (session, until)))
            .collect()
    }

    /// Revocations that no token needs any more, at most `limit`.
    pub(crate) fn spent_revocations(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, SessionId)>, StoreError> {
        let mut spent = Vec::new();
        for row in self.rows::<RevocationRecord>(None, Order::Ascending)?.take(limit) {
            let (key, _) = row?;
            if key.0 >= now {
                break;
            }
            spent.push(key);
        }
        Ok(spent)
    }
}

impl WriteTx {
    pub(super) fn revoke(&mut self, session: SessionId, until: Timestamp) -> Result<(), StoreError> {
        self.save(&(until, session), &RevocationRecord {})?;
        self.effects().revoked.push((session, until));
        Ok(())
    }

    pub(crate) fn forget_revocation(&mut self, key: (Timestamp, SessionId)) -> Result<(), StoreError> {
        self.remove::<RevocationRecord>(&key)?;
        self.effects().forgotten.push(key.1);
        Ok(())
    }
}
