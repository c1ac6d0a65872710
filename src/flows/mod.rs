//! What a person does, one file each. HTTP, the command line and every other surface run the same flows.
//!
//! A flow reads like the sentence in its doc: the clock and the randomness first, slow work before the write, one
//! write, done. Must never: know how it was asked (no HTTP, no JSON), or do network work; mail goes to the outbox.

mod authenticate;
mod check_store;
mod create_user;
mod health;
mod letters;
mod log_in;
mod log_out;
mod manage_keys;
mod profile;
mod refresh;
mod register;
mod resend_verification;
mod sessions;
mod verification;
mod verify_email;

use std::time::Duration;

use crate::app::AppError;
use crate::crypto::{PasswordError, random};
use crate::domain::{Event, EventId, EventKind, EventResult, Invalid, Origin, Timestamp};
use crate::store::{StoreError, Unique};

pub(crate) use authenticate::{Caller, TokenFacts, authenticate, inspect_token};
pub(crate) use check_store::check_store;
pub(crate) use create_user::{Activation, CreateUser, Rank, create_user};
pub(crate) use health::{is_alive, is_ready};
pub(crate) use log_in::{Credentials, log_in};
pub(crate) use log_out::{log_out, log_out_by_refresh_token, log_out_everywhere};
pub(crate) use manage_keys::{list_keys, public_keys, rotate_keys};
pub(crate) use profile::update_profile;
pub(crate) use refresh::refresh;
pub(crate) use register::{Register, Registered, register};
pub(crate) use resend_verification::resend_verification;
pub(crate) use sessions::{LoggedIn, Tokens, end_session, list_sessions};
pub(crate) use verification::{PENDING_FOR, Whose};
pub(crate) use verify_email::{confirm_email, verify_email};

/// Why a flow was refused, in terms its caller can act on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlowError {
    /// A value was refused in the light of what is stored: the member's name and why.
    #[error("{0} is refused: {1:?}")]
    Invalid(&'static str, Invalid),
    /// Wrong, unknown or inactive: nobody learns which.
    #[error("wrong credentials")]
    BadCredentials,
    #[error("no valid token")]
    InvalidToken,
    #[error("no valid code")]
    InvalidCode,
    #[error("not found")]
    NotFound,
    /// Another account has this address. Told only where registering makes a user at once.
    #[error("the address is taken")]
    EmailTaken,
    #[error("registration is closed")]
    RegistrationClosed,
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
            StoreError::DiskFull | StoreError::Overloaded | StoreError::Failed(_) => Self::Unavailable(error),
            other => Self::Internal(other.to_string()),
        }
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
    fn username_taken() -> Self {
        Self::Invalid("username", Invalid::new("taken", "A user with that username already exists."))
    }
}

/// Makes the events of one act: the same time, the same origin.
struct Audit<'a> {
    now: Timestamp,
    origin: &'a Origin,
}

impl Audit<'_> {
    fn success(&self, kind: EventKind) -> Event {
        self.event(kind, EventResult::Success)
    }

    fn failure(&self, kind: EventKind) -> Event {
        self.event(kind, EventResult::Failure)
    }

    fn event(&self, kind: EventKind, result: EventResult) -> Event {
        Event {
            id: EventId::new(self.now, random::bytes()),
            time: self.now,
            kind,
            result,
            actor: None,
            subject: None,
            session: None,
            origin: self.origin.clone(),
            detail: String::new(),
        }
    }
}
