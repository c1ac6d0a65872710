//! Signing keys.

use crate::domain::{KeyId, SigningKey};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::SigningKeyRecord;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    /// All keys, the oldest first.
    pub(crate) fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.rows::<SigningKeyRecord>(None, Order::Ascending)?
            .map(|row| {
                let (id, record) = row?;
                record
                    .into_signing_key(id)
                    .ok_or_else(|| StoreError::Damaged(format!("signing key {id} is of an unknown kind")))
            })
            .collect()
    }
}

impl WriteTx {
    pub(crate) fn save_signing_key(&mut self, key: &SigningKey) -> Result<(), StoreError> {
        self.save(&key.id, &SigningKeyRecord::from(key))
    }

    pub(crate) fn remove_signing_key(&mut self, id: KeyId) -> Result<(), StoreError> {
        self.remove::<SigningKeyRecord>(&id).map(drop)
    }
}
