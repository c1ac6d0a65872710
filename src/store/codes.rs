//! One-time codes of users who exist: one live code for each purpose, a new one kills the old.

use crate::domain::{CodeHash, CodePurpose, Timestamp, TokenHash, UserId};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::CodeRecord;
use crate::store::schema::HASH_TO_CODE;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn code(&self, user: UserId, purpose: CodePurpose) -> Result<Option<CodeHash>, StoreError> {
        Ok(self.row::<CodeRecord>(&(user, purpose))?.map(CodeHash::from))
    }

    /// Whose code this is, and what for.
    pub(crate) fn code_owner(&self, long: &TokenHash) -> Result<Option<(UserId, CodePurpose)>, StoreError> {
        self.find(&HASH_TO_CODE, long)
    }

    /// Codes that are too old and not dead yet, at most `limit`.
    pub(crate) fn expired_codes(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(UserId, CodePurpose)>, StoreError> {
        self.rows::<CodeRecord>(None, Order::Ascending)?
            .filter_map(|row| match row {
                Ok((key, record)) => {
                    let code = CodeHash::from(record);
                    (!code.is_dead() && !code.takes_link(now)).then_some(Ok(key))
                }
                Err(error) => Some(Err(error)),
            })
            .take(limit)
            .collect()
    }
}

impl WriteTx {
    pub(crate) fn save_code(
        &mut self,
        user: UserId,
        purpose: CodePurpose,
        code: &CodeHash,
    ) -> Result<(), StoreError> {
        self.save(&(user, purpose), &CodeRecord::from(code))
    }

    pub(crate) fn remove_code(&mut self, user: UserId, purpose: CodePurpose) -> Result<(), StoreError> {
        self.remove::<CodeRecord>(&(user, purpose)).map(drop)
    }
}
