//! What an address is here, for surfaces that were configured to tell everybody.

use crate::app::App;
use crate::domain::{CodePurpose, Email};
use crate::flows::FlowError;

/// What is known of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmailStanding {
    Unknown,
    /// A code can be asked for.
    Waiting,
    Verified,
    /// It has an account that no code opens.
    Disabled,
}

impl EmailStanding {
    pub(crate) fn of(app: &App, email: &Email) -> Result<Self, FlowError> {
        let (read, key) = (app.store.read()?, email.key());
        let Some(user) = read.user_by_email(&key)? else {
            let is_free = read.registrations_of(&key)?.is_empty();
            return Ok(if is_free { Self::Unknown } else { Self::Waiting });
        };
        let has_code = read.code(user.id, CodePurpose::VerifyEmail)?.is_some();
        Ok(match (user.is_active, user.email_verified) {
            (true, true) => Self::Verified,
            (true, false) => Self::Waiting,
            (false, _) if has_code && user.last_login.is_none() => Self::Waiting,
            (false, _) => Self::Disabled,
        })
    }
}
