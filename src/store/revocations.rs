//! Sessions that were ended, for as long as a token of them may be about; and old tokens, which count as sessions.

use crate::config::TokensConfig;
use crate::domain::{OldTokenId, SessionId, Timestamp, UserId};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::RevocationRecord;
use crate::store::tx::{ReadTx, WriteTx};

/// In place of a time: nobody knows how long the old tokens of a user live.
const FOREVER: Timestamp = Timestamp::from_millis(u64::MAX);

/// No user has this number.
pub(super) const EVERYBODY: UserId = UserId(0);

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

    /// Whether an old refresh token is over, by itself or with all of its user's.
    pub(crate) fn is_over(&self, old: OldTokenId, user: UserId) -> Result<bool, StoreError> {
        Ok(self.row::<RevocationRecord>(&remembered(old))?.is_some() || self.are_all_over(user)?)
    }

    /// Whether all old tokens of a user are over.
    pub(crate) fn are_all_over(&self, user: UserId) -> Result<bool, StoreError> {
        for key in [all_of(user), all_of(EVERYBODY)] {
            if self.row::<RevocationRecord>(&key)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn all_of(user: UserId) -> (Timestamp, SessionId) {
    (FOREVER, SessionId::of_old_tokens(user))
}

/// Until no clock takes it any more.
fn remembered(old: OldTokenId) -> (Timestamp, SessionId) {
    (old.expires_at().after(TokensConfig::MAX_LEEWAY), old.as_session())
}

impl WriteTx {
    pub(super) fn end_old_token(&mut self, old: OldTokenId) -> Result<(), StoreError> {
        let (until, session) = remembered(old);
        self.revoke(session, until)
    }

    /// Lets all old tokens of a user die for good, but refresh tokens whose session lives: be they taken now, or later, or
    /// never. Who cannot have any costs nothing.
    pub(crate) fn end_old_tokens(&mut self, user: UserId) -> Result<(), StoreError> {
        if user != EVERYBODY && !self.came_with_number(user)? {
            return Ok(());
        }
        let (until, session) = all_of(user);
        self.revoke(session, until)
    }

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
