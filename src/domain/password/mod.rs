//! Passwords: the forms they take, and how a new one is judged.
//!
//! A password is verified exactly as it was sent: it is never trimmed, cut or normalised, so the NFC and the NFD
//! spelling of one text are two passwords. Lengths count Unicode code points (NIST SP 800-63B). Must never: let a new
//! password into an account that was not judged, unless an operator waived the rules by name.

mod common;
mod digits;
mod facts;
mod policy;
mod repetition;
mod similarity;

use std::fmt;

use crate::domain::{Invalid, Secret};
pub(crate) use facts::PersonalFacts;
pub(crate) use policy::{PasswordPolicy, Validator};

/// A password as somebody typed it, to be compared with a stored hash.
#[derive(Debug, Clone)]
pub(crate) struct Password(Secret<String>);

impl Password {
    /// No password is longer than this, whatever the policy says: refused before any work is done on it.
    pub(crate) const MAX_BYTES: usize = 1024;

    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            Err(Invalid::blank())
        } else if text.len() > Self::MAX_BYTES {
            let reason = format!("A password has at most {} bytes.", Self::MAX_BYTES);
            Err(Invalid::new("password_too_long", reason))
        } else {
            Ok(Self(Secret::new(text.to_owned())))
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A password that an account may be given: it has passed the [`PasswordPolicy`].
#[derive(Debug, Clone)]
pub(crate) struct NewPassword(Password);

impl NewPassword {
    /// Says every rule that the password breaks, not just the first.
    pub(crate) fn parse(
        text: &str,
        policy: &PasswordPolicy,
        about: &PersonalFacts<'_>,
    ) -> Result<Self, Vec<Invalid>> {
        let password = Password::parse(text).map_err(|invalid| vec![invalid])?;
        Self::judge(password, policy, about)
    }

    /// The same where the account is known only after the password was read.
    pub(crate) fn judge(
        password: Password,
        policy: &PasswordPolicy,
        about: &PersonalFacts<'_>,
    ) -> Result<Self, Vec<Invalid>> {
        let broken = policy.broken_by(password.expose(), about);
        if broken.is_empty() { Ok(Self(password)) } else { Err(broken) }
    }

    /// For an operator who asked for it by name (`--allow-weak-password`).
    pub(crate) fn weak(password: Password) -> Self {
        Self(password)
    }

    pub(crate) fn as_password(&self) -> &Password {
        &self.0
    }
}

/// A hash in PHC string form, parameters and salt included, or one of Django's that its owner has not logged in with
/// yet. Only `crypto/password.rs` makes and reads it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

impl PasswordHash {
    pub(crate) fn from_phc(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password hash]")
    }
}

#[cfg(test)]
mod tests;
