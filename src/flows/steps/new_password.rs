//! A new password for a user who exists, held to the rules in the light of what is known of them.

use crate::app::App;
use crate::domain::{NewPassword, Password, User};
use crate::flows::FlowError;

/// How long a password is meant to serve that somebody else chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    /// Until its owner has chosen their own: nothing else is open to them before.
    Temporary,
    Lasting,
}

/// Says every rule that the password breaks, as reasons for `field`.
pub(crate) fn judge_new_password(
    app: &App,
    user: &User,
    password: Password,
    field: &'static str,
) -> Result<NewPassword, FlowError> {
    NewPassword::judge(password, &app.config.passwords.policy, &user.into())
        .map_err(|broken| FlowError::Invalid(field, broken))
}
