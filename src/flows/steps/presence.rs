//! That a caller still is who they proved to be, asked again in the transaction that acts for them: a request may have
//! begun long before its body came, and what was shown may be worth nothing by then.

use crate::app::App;
use crate::domain::{Timestamp, User, UserId};
use crate::flows::{Caller, Credential, FlowError};
use crate::store::ReadTx;

/// Who asks, and what they showed for it.
#[derive(Debug, Clone)]
pub(crate) struct Presence {
    user: UserId,
    credential: Credential,
    now: Timestamp,
}

impl Presence {
    pub(crate) fn of(app: &App, caller: &Caller) -> Self {
        Self { user: caller.user.id, credential: caller.credential, now: app.clock.now() }
    }

    /// The caller as they are now, if what they showed still counts, and for more than choosing a password.
    pub(crate) fn confirm(&self, read: &ReadTx) -> Result<User, FlowError> {
        let user = self.confirm_at_all(read)?;
        if user.password_is_temporary { Err(FlowError::PasswordChangeRequired) } else { Ok(user) }
    }

    /// The same for what is open to somebody who has to choose a password first.
    pub(crate) fn confirm_at_all(&self, read: &ReadTx) -> Result<User, FlowError> {
        let counts = match self.credential {
            Credential::Session(id) => read.session(id)?.is_some_and(|session| session.user == self.user),
            Credential::ApiKey(id) => {
                read.api_key(id)?.is_some_and(|key| key.user == self.user && !key.is_expired(self.now))
            }
            Credential::OldToken => !read.are_all_over(self.user)?,
        };
        let user = read.user(self.user)?.filter(|user| counts && user.is_active);
        user.ok_or(FlowError::InvalidToken)
    }
}
