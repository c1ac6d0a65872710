//! Signing keys, and the key that seals.

use crate::domain::{KeyId, SealKey, SigningKey};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::SigningKeyRecord;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    /// All keys that sign or did, the oldest first.
    pub(crate) fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.rows::<SigningKeyRecord>(None, Order::Ascending)?
            .filter(|row| !row.as_ref().is_ok_and(|(_, record)| record.seals()))
            .map(|row| {
                let (id, record) = row?;
                record.into_signing_key(id).ok_or_else(|| unknown(id))
            })
            .collect()
    }

    /// The key that seals; None before the first start of a Keystead that does.
    pub(crate) fn seal_key(&self) -> Result<Option<SealKey>, StoreError> {
        self.rows::<SigningKeyRecord>(None, Order::Ascending)?
            .find(|row| row.as_ref().ok().is_none_or(|(_, record)| record.seals()))
            .map(|row| {
                let (id, record) = row?;
                record.into_seal_key(id).ok_or_else(|| unknown(id))
            })
            .transpose()
    }
}

impl WriteTx {
    pub(crate) fn save_signing_key(&mut self, key: &SigningKey) -> Result<(), StoreError> {
        self.save(&key.id, &SigningKeyRecord::from(key))
    }

    pub(crate) fn remove_signing_key(&mut self, id: KeyId) -> Result<(), StoreError> {
        self.remove::<SigningKeyRecord>(&id).map(drop)
    }

    pub(crate) fn save_seal_key(&mut self, key: &SealKey) -> Result<(), StoreError> {
        self.save(&key.id, &SigningKeyRecord::from(key))
    }
}

fn unknown(id: KeyId) -> StoreError {
    StoreError::Damaged(format!("signing key {id} is of an unknown kind"))
}
