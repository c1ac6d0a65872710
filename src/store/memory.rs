//! What the store keeps in memory, so that a request with a token reads no page of the file: the sessions that were
//! ended, and the users that were asked for lately. And for those who list users, the roster.
//!
//! Must never: learn of a write after its caller did, or keep a user that is older than the last commit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use quick_cache::sync::Cache;
use tokio::sync::Notify;

use crate::domain::{ApiKeyId, Directory, SessionId, Timestamp, User, UserId};
use crate::store::StoreError;
use crate::store::roster::KeptRoster;
use crate::store::tx::Effects;

/// Users kept in memory; at about 500 bytes each this is 5 MB.
const USERS: usize = 10_000;
const SHARDS: usize = 64;

pub(super) struct Memory {
    revoked: papaya::HashMap<SessionId, Timestamp>,
    users: Cache<UserId, Arc<User>>,
    directory: ArcSwap<Directory>,
    /// How often a user of each shard changed: see [`Memory::user`].
    changes: [Mutex<u64>; SHARDS],
    /// When API keys were used last that were used since this was written down.
    key_uses: Mutex<HashMap<ApiKeyId, Timestamp>>,
    pub(super) roster: KeptRoster,
    pub(super) mail_waiting: Notify,
    pub(super) rights_lost: Notify,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            revoked: papaya::HashMap::new(),
            users: Cache::new(USERS),
            directory: ArcSwap::default(),
            changes: std::array::from_fn(|_| Mutex::default()),
            key_uses: Mutex::default(),
            roster: KeptRoster::default(),
            mail_waiting: Notify::new(),
            rights_lost: Notify::new(),
        }
    }
}

impl Memory {
    pub(super) fn is_revoked(&self, session: SessionId) -> bool {
        self.revoked.pin().contains_key(&session)
    }

    pub(super) fn revoke(&self, sessions: Vec<(SessionId, Timestamp)>) {
        let revoked = self.revoked.pin();
        for (session, until) in sessions {
            revoked.insert(session, until);
        }
    }

    /// Takes a user from memory or from `load`. What was loaded is kept only if no commit changed a user of the same
    /// shard since: a slow reader cannot bring back what a writer has just replaced.
    pub(super) fn user(
        &self,
        id: UserId,
        load: impl FnOnce() -> Result<Option<User>, StoreError>,
    ) -> Result<Option<Arc<User>>, StoreError> {
        if let Some(user) = self.users.get(&id) {
            return Ok(Some(user));
        }
        let before = *self.changes_of(id).lock().unwrap_or_else(PoisonError::into_inner);
        let Some(user) = load()?.map(Arc::new) else { return Ok(None) };
        let now = self.changes_of(id).lock().unwrap_or_else(PoisonError::into_inner);
        if *now == before {
            self.users.insert(id, Arc::clone(&user));
        }
        drop(now);
        Ok(Some(user))
    }

    pub(super) fn note_api_key_use(&self, id: ApiKeyId, at: Timestamp) {
        self.key_uses.lock().unwrap_or_else(PoisonError::into_inner).insert(id, at);
    }

    pub(super) fn api_key_use(&self, id: ApiKeyId) -> Option<Timestamp> {
        self.key_uses.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    pub(super) fn take_api_key_uses(&self) -> Vec<(ApiKeyId, Timestamp)> {
        self.key_uses.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }

    pub(super) fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    pub(super) fn set_directory(&self, directory: Arc<Directory>) {
        self.directory.store(directory);
    }

    /// Takes in what a commit did, before anybody is told of it.
    pub(super) fn learn(&self, effects: Effects, directory: Option<Arc<Directory>>) {
        if let Some(directory) = directory {
            self.set_directory(directory);
        }
        self.revoke(effects.revoked);
        if !effects.forgotten.is_empty() {
            let revoked = self.revoked.pin();
            for session in &effects.forgotten {
                revoked.remove(session);
            }
        }
        for id in effects.users {
            let mut changes = self.changes_of(id).lock().unwrap_or_else(PoisonError::into_inner);
            *changes = changes.wrapping_add(1);
            self.users.remove(&id);
        }
        if effects.has_mail {
            self.mail_waiting.notify_one();
        }
        if effects.has_lost_rights {
            self.rights_lost.notify_one();
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of shards")]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits choose the shard")]
    fn changes_of(&self, id: UserId) -> &Mutex<u64> {
        &self.changes[id.0 as usize % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, NewUser};

    fn user(id: UserId, is_active: bool) -> User {
        let new = NewUser {
            email: None,
            username: None,
            first_name: Name::default(),
            last_name: Name::default(),
            avatar: None,
            password: None,
            is_active,
            is_staff: false,
            is_superuser: false,
            email_verified: false,
            language: None,
            ..NewUser::default()
        };
        new.joined(id, Timestamp::from_secs(0))
    }

    #[test]
    fn a_slow_reader_does_not_bring_an_old_user_back() {
        let memory = Memory::default();
        let id = UserId(1);

        let stale = memory.user(id, || {
            // A writer disables the user after this reader's snapshot was taken.
            memory.learn(Effects { users: vec![id], ..Effects::default() }, None);
            Ok(Some(user(id, true)))
        });
        let fresh = memory.user(id, || Ok(Some(user(id, false))));

        assert!(stale.is_ok_and(|found| found.is_some_and(|user| user.is_active)));
        assert!(fresh.is_ok_and(|found| found.is_some_and(|user| !user.is_active)));
    }
}
