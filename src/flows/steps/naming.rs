//! What an account may be called.

use crate::domain::{Email, Invalid, User, Username};
use crate::flows::FlowError;

/// Refuses a user name that is another person's address, and an account without any name; the latter for `field`.
pub(crate) fn allow_names(user: &User, field: &'static str) -> Result<(), FlowError> {
    allow(user.username.as_ref(), user.email.as_ref(), Invalid::new("null", NAMELESS), field)
}

/// The same for an account that is still to be made: its address is missed.
pub(crate) fn allow_new_names(username: Option<&Username>, email: Option<&Email>) -> Result<(), FlowError> {
    allow(username, email, Invalid::new("required", NAMELESS), "email")
}

const NAMELESS: &str = "An account needs an email address or a username.";

fn allow(
    username: Option<&Username>,
    email: Option<&Email>,
    missed: Invalid,
    field: &'static str,
) -> Result<(), FlowError> {
    match username {
        Some(username) => {
            let refuse = |invalid: Invalid| FlowError::Invalid("username", vec![invalid]);
            username.clone().for_account(email).map(drop).map_err(refuse)
        }
        None if email.is_none() => Err(FlowError::Invalid(field, vec![missed])),
        None => Ok(()),
    }
}
