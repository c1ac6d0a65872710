//! User names: what is accepted, and when two spellings are one name.

use unicode_normalization::UnicodeNormalization;

use crate::domain::email::canonical;
use crate::domain::{Email, Invalid, is_invisible};

/// A user name in NFKC, as its owner wrote it otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Username(String);

/// The canonical form: NFKC, case-folded. Only [`Username::key`] makes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct UsernameKey(String);

const MAX_CHARS: usize = 150;

impl Username {
    /// Django's rule: letters, digits and `@ . + - _`, at most 150 characters, normalised to NFKC.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid::blank());
        }
        // Counted first: normalising a long text is slow (CVE-2023-46695).
        if text.len() > 4 * MAX_CHARS || text.chars().count() > MAX_CHARS {
            return Err(Invalid::too_long(MAX_CHARS));
        }
        let name: String = text.nfkc().collect();
        if name.chars().count() > MAX_CHARS {
            return Err(Invalid::too_long(MAX_CHARS));
        }
        let is_name_char =
            |c: char| !is_invisible(c) && (c.is_alphanumeric() || "@.+-_".contains(c) || is_mark(c));
        if name.chars().all(is_name_char) && !name.chars().all(is_mark) {
            Ok(Self(name))
        } else {
            Err(Invalid::new(
                "invalid_username",
                "Enter a valid username. It may contain only letters, numbers, and @/./+/-/_ characters.",
            ))
        }
    }

    /// Reads back what [`Username::parse`] once accepted.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Refuses a name that reads as an email address which is not the account's own: log-in takes either, and
    /// nobody may stand where another person's address is looked up.
    pub(crate) fn for_account(self, email: Option<&Email>) -> Result<Self, Invalid> {
        let own = email.map(Email::key);
        match Email::parse(self.key().as_str()) {
            Ok(address) if Some(address.key()) != own => Err(Invalid::new(
                "invalid_username",
                "A username that is an email address must be the account's own address.",
            )),
            _ => Ok(self),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn key(&self) -> UsernameKey {
        UsernameKey(canonical(&self.0))
    }
}

impl UsernameKey {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Combining marks belong to letters in many scripts. Django refuses them; most of the world writes with them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Username::parse(text).expect_err(text).code
    }

    #[test]
    fn accepts_what_django_accepts() {
        for text in ["ada", "Ada_Lovelace-1815", "a@b.c", "żółw", "山田", "नमस्ते"] {
            assert!(Username::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_blank_long_and_strange_names() {
        assert_eq!(code(""), "blank");
        assert_eq!(code(&"a".repeat(151)), "max_length");
        assert_eq!(code(&"ﷺ".repeat(150)), "max_length");
        for text in [
            "a b",
            " ada",
            "ada\n",
            "a/b",
            "<b>",
            "a\u{0}b",
            "a\u{202e}b",
            "\u{301}",
            "\u{3164}",
            "ada\u{fe0f}",
            "ada\u{115f}",
        ] {
            assert_eq!(code(text), "invalid_username", "{text:?}");
        }
    }

    #[test]
    fn spellings_of_one_name_have_one_key() {
        let key = |text: &str| Username::parse(text).expect(text).key();
        assert_eq!(key("ADA"), key("ada"));
        assert_eq!(key("ａｄａ"), key("ada"));
        assert_eq!(key("straße"), key("STRASSE"));
        assert_eq!(key("e\u{301}"), key("É"));
    }

    #[test]
    fn another_persons_address_is_no_name() {
        let own = Email::parse("ada@example.com").expect("valid");
        let named = |text: &str| Username::parse(text).expect(text).for_account(Some(&own));

        assert!(named("ADA@example.com").is_ok());
        assert!(named("ada@").is_ok());
        assert!(named("ß@example.com").is_err(), "its canonical form is ss@example.com");
        assert_eq!(named("eve@example.com").map_err(|refused| refused.code), Err("invalid_username"));
    }
}
