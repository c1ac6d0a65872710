//! Addresses that users want to have next: at most one for each user.

use crate::domain::{EmailChange, Timestamp, UserId};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::EmailChangeRecord;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn email_change(&self, user: UserId) -> Result<Option<EmailChange>, StoreError> {
        Ok(self.row::<EmailChangeRecord>(&user)?.map(EmailChange::from))
    }

    /// Changes whose code is too old, at most `limit`.
    pub(crate) fn expired_email_changes(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError> {
        self.rows::<EmailChangeRecord>(None, Order::Ascending)?
            .filter_map(|row| match row {
                Ok((user, record)) => (!EmailChange::from(record).code.takes_link(now)).then_some(Ok(user)),
                Err(error) => Some(Err(error)),
            })
            .take(limit)
            .collect()
    }
}

impl WriteTx {
    pub(crate) fn save_email_change(&mut self, user: UserId, change: &EmailChange) -> Result<(), StoreError> {
        self.save(&user, &EmailChangeRecord::from(change))
    }

    pub(crate) fn remove_email_change(&mut self, user: UserId) -> Result<(), StoreError> {
        self.remove::<EmailChangeRecord>(&user).map(drop)
    }
}
