//! Why a flow was refused. Goes up from the layers below, never down.

use std::time::Duration;

use crate::app::AppError;
use crate::crypto::PasswordError;
use crate::domain::Invalid;
use crate::limiter::Exceeded;
use crate::store::{StoreError, Unique};

/// Why a flow was refused, in terms its caller can act on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlowError {
    /// A value was refused in the light of what is stored: the member's name, and every reason.
    #[error("{0} is refused: {1:?}")]
    Invalid(&'static str, Vec<Invalid>),
    /// Wrong, unknown or inactive: nobody learns which.
    #[error("wrong credentials")]
    BadCredentials,
    #[error("no valid token")]
    InvalidToken,
    #[error("no valid code")]
    InvalidCode,
    /// A link to a new password that is wrong, used or too old.
    #[error("no valid link")]
    InvalidLink,
    /// The last active superuser cannot be disabled.
    #[error("the last superuser")]
    LastSuperuser,
    #[error("not found")]
    NotFound,
    /// Another account has this address. Told only where registering makes a user at once.
    #[error("the address is taken")]
    EmailTaken,
    #[error("registration is closed")]
    RegistrationClosed,
    /// The caller is not the one who may do this.
    #[error("permission denied")]
    PermissionDenied,
    /// Their password was chosen by an administrator: nothing else is open to them before they have their own.
    #[error("a password has to be chosen first")]
    PasswordChangeRequired,
    /// An API key may not do this: only somebody who logged in may.
    #[error("a log-in is needed")]
    SessionRequired,
    /// What was in a mail is kept nowhere, or has died.
    #[error("nothing is left in the mail")]
    MailGone,
    /// What it is about is not fit for it, as it stands: the sentence says why.
    #[error("{0}")]
    Unfit(&'static str),
    /// Too often: for this address, this account or this mailbox.
    #[error("too often")]
    RateLimited { limit: u32, retry_after: Duration },
    /// Too much is waiting for a hashing thread.
    #[error("busy")]
    Overloaded { retry_after: Duration },
    /// Nothing can be written now.
    #[error("unavailable: {0}")]
    Unavailable(StoreError),
    /// A bug or a damaged store: for the log, not for the caller.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<StoreError> for FlowError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(Unique::Email) => Self::EmailTaken,
            StoreError::Taken(Unique::Username) => Self::username_taken(),
            StoreError::Taken(Unique::GroupName) => {
                Self::taken("name", "A group with this name already exists.")
            }
            StoreError::Taken(Unique::PermissionName) => {
                Self::taken("codename", "A permission with this label and codename already exists.")
            }
            StoreError::DiskFull | StoreError::Overloaded | StoreError::Failed(_) => Self::Unavailable(error),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<Exceeded> for FlowError {
    fn from(exceeded: Exceeded) -> Self {
        Self::RateLimited { limit: exceeded.limit, retry_after: exceeded.retry_after }
    }
}

impl From<PasswordError> for FlowError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy { retry_after } => Self::Overloaded { retry_after },
            PasswordError::Failed => Self::Internal("a password could not be hashed".to_owned()),
        }
    }
}

impl From<AppError> for FlowError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Store(error) => error.into(),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl FlowError {
    /// A password of one's own that is not right.
    pub(super) fn wrong_password(field: &'static str) -> Self {
        Self::Invalid(field, vec![Invalid::new("wrong_password", "This is not your password.")])
    }

    fn taken(field: &'static str, message: &str) -> Self {
        Self::Invalid(field, vec![Invalid::new("taken", message)])
    }

    pub(super) fn username_taken() -> Self {
        let taken = Invalid::new("taken", "A user with that username already exists.");
        Self::Invalid("username", vec![taken])
    }
}
