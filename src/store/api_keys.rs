//! API keys, found by number, by owner or by the hash of their text.

use crate::domain::{ApiKey, ApiKeyId, Timestamp, TokenHash, UserId};
use crate::store::StoreError;
use crate::store::records::ApiKeyRecord;
use crate::store::schema::{HASH_TO_API_KEY, USER_TO_API_KEYS};
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    pub(crate) fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.row::<ApiKeyRecord>(&id)?.map(|record| record.into_api_key(id)))
    }

    pub(crate) fn api_key_by_hash(&self, hash: &TokenHash) -> Result<Option<ApiKey>, StoreError> {
        self.find(&HASH_TO_API_KEY, hash)?.map_or(Ok(None), |id| self.api_key(id))
    }

    /// All keys of a user, the oldest first.
    pub(crate) fn api_keys_of(&self, user: UserId) -> Result<Vec<ApiKey>, StoreError> {
        let ids: Vec<ApiKeyId> = self.find_all(&USER_TO_API_KEYS, &user)?;
        ids.into_iter().filter_map(|id| self.api_key(id).transpose()).collect()
    }
}

impl WriteTx {
    pub(crate) fn save_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        self.save(&key.id, &ApiKeyRecord::from(key))
    }

    pub(crate) fn remove_api_key(&mut self, id: ApiKeyId) -> Result<(), StoreError> {
        self.remove::<ApiKeyRecord>(&id).map(drop)
    }

    /// Notes when a key was used last, if it is still there.
    pub(crate) fn note_api_key_use(&mut self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        match self.api_key(id)? {
            Some(key) if key.last_used_at.is_none_or(|noted| noted < at) => {
                self.save_api_key(&ApiKey { last_used_at: Some(at), ..key })
            }
            _ => Ok(()),
        }
    }
}
