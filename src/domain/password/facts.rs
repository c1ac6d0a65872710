//! What an account says about its person, for a password to be compared with.

use crate::domain::{Email, Name, Username};

/// What a password must not resemble. An empty text is a fact that is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PersonalFacts<'a> {
    pub(crate) username: &'a str,
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
    pub(crate) email: &'a str,
}

impl<'a> PersonalFacts<'a> {
    pub(crate) fn new(
        username: Option<&'a Username>,
        first_name: &'a Name,
        last_name: &'a Name,
        email: Option<&'a Email>,
    ) -> Self {
        Self {
            username: username.map(Username::as_str).unwrap_or_default(),
            first_name: first_name.as_str(),
            last_name: last_name.as_str(),
            email: email.map(Email::as_str).unwrap_or_default(),
        }
    }

    /// Each with the name that people are told, in the order that Django looks at them.
    pub(super) fn named(&self) -> [(&'static str, &'a str); 4] {
        [
            ("username", self.username),
            ("first name", self.first_name),
            ("last name", self.last_name),
            ("email address", self.email),
        ]
    }
}
