//! Passwords: how long they may be, and the two forms they take.

use std::fmt;

use crate::domain::{Invalid, Secret};

/// No password is longer than this, whatever the policy says: refused before any work is done on it.
const MAX_BYTES: usize = 1024;

/// A password as somebody typed it, to be compared with a stored hash. Never trimmed, never normalised.
#[derive(Debug, Clone)]
pub(crate) struct Password(Secret<String>);

impl Password {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            Err(Invalid::blank())
        } else if text.len() > MAX_BYTES {
            Err(Invalid::new("password_too_long", format!("A password has at most {MAX_BYTES} bytes.")))
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
    pub(crate) fn parse(text: &str, policy: &PasswordPolicy) -> Result<Self, Vec<Invalid>> {
        let password = Password::parse(text).map_err(|invalid| vec![invalid])?;
        let broken = policy.broken_by(text);
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

/// The rules for new passwords. Lengths count Unicode code points (NIST SP 800-63B).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PasswordPolicy {
    pub(crate) min_length: usize,
    pub(crate) max_length: usize,
}

impl PasswordPolicy {
    fn broken_by(&self, text: &str) -> Vec<Invalid> {
        let length = text.chars().count();
        let mut broken = Vec::new();
        if length < self.min_length {
            broken.push(Invalid::new(
                "password_too_short",
                format!(
                    "This password is too short. It must contain at least {} characters.",
                    self.min_length
                ),
            ));
        }
        if length > self.max_length {
            broken.push(Invalid::new(
                "password_too_long",
                format!("This password is too long. It must contain at most {} characters.", self.max_length),
            ));
        }
        broken
    }
}

/// A hash in PHC string form, parameters and salt included. Only `crypto/password.rs` makes and reads it.
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
mod tests {
    use super::*;

    const POLICY: PasswordPolicy = PasswordPolicy { min_length: 8, max_length: 256 };

    fn codes(text: &str) -> Vec<&'static str> {
        match NewPassword::parse(text, &POLICY) {
            Ok(_) => vec![],
            Err(broken) => broken.into_iter().map(|invalid| invalid.code).collect(),
        }
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert!(codes("éééééééé").is_empty());
        assert!(codes(&"😀".repeat(8)).is_empty());
        assert_eq!(codes("ééééééé"), ["password_too_short"]);
    }

    #[test]
    fn refuses_instead_of_cutting() {
        assert!(codes(&"a".repeat(256)).is_empty());
        assert_eq!(codes(&"a".repeat(257)), ["password_too_long"]);
        assert_eq!(codes(&"😀".repeat(257)), ["password_too_long"]);
        assert_eq!(codes(""), ["blank"]);
    }

    #[test]
    fn spaces_are_part_of_the_password() {
        let password = NewPassword::parse("  padded  ", &POLICY).expect("long enough");
        assert_eq!(password.as_password().expose(), "  padded  ");
    }
}
