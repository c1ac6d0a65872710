//! The rules for new passwords: Django's four validators with their codes and texts, and those that Django has not.
//!
//! `tests.rs` beside this file compares them with what Django itself said. Two differences are deliberate: a password
//! that only repeats a shorter one is judged by that one too, and the name of this service is a common password.

use crate::domain::Invalid;
use crate::domain::password::common::is_common;
use crate::domain::password::digits::is_digit;
use crate::domain::password::facts::PersonalFacts;
use crate::domain::password::repetition::forms;
use crate::domain::password::similarity::similar_fact;

/// The rules for new passwords. The most characters hold always, the rest by its [`Validator`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PasswordPolicy {
    /// Counts with [`Validator::Length`].
    pub(crate) min_length: usize,
    pub(crate) max_length: usize,
    pub(crate) validators: Vec<Validator>,
}

/// A rule that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validator {
    Length,
    Similarity,
    Common,
    Numeric,
    /// Not Django's, and off unless asked for: what one makes of such a rule is `password1`.
    Digit,
}

impl Validator {
    pub(crate) const ALL: [Self; 5] =
        [Self::Length, Self::Similarity, Self::Common, Self::Numeric, Self::Digit];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Similarity => "similarity",
            Self::Common => "common",
            Self::Numeric => "numeric",
            Self::Digit => "digit",
        }
    }
}

impl PasswordPolicy {
    /// The fewest characters, if that is a rule.
    pub(crate) fn least(&self) -> Option<usize> {
        self.validators.contains(&Validator::Length).then_some(self.min_length)
    }

    /// The rules in the words for somebody who chooses a password.
    pub(crate) fn rules(&self) -> Vec<String> {
        let most = format!("Your password must contain at most {}.", characters(self.max_length));
        self.validators.iter().map(|validator| self.rule(*validator)).chain([most]).collect()
    }

    fn rule(&self, validator: Validator) -> String {
        match validator {
            Validator::Length => {
                format!("Your password must contain at least {}.", characters(self.min_length))
            }
            Validator::Similarity => {
                "Your password can’t be too similar to your other personal information.".to_owned()
            }
            Validator::Common => "Your password can’t be a commonly used password.".to_owned(),
            Validator::Numeric => "Your password can’t be entirely numeric.".to_owned(),
            Validator::Digit => "Your password must contain at least one digit.".to_owned(),
        }
    }

    /// Every rule that the text breaks. Its work is bounded by the 1024 bytes of a password and the lengths of names
    /// and addresses: less than a millisecond for the worst.
    pub(super) fn broken_by(&self, text: &str, about: &PersonalFacts<'_>) -> Vec<Invalid> {
        let length = text.chars().count();
        let forms = forms(text);
        let too_long = (length > self.max_length).then(|| {
            let most = characters(self.max_length);
            let reason = format!("This password is too long. It must contain at most {most}.");
            Invalid::new("password_too_long", reason)
        });
        let broken = self.validators.iter().filter_map(|validator| match validator {
            Validator::Length => (length < self.min_length).then(|| {
                let least = characters(self.min_length);
                let reason = format!("This password is too short. It must contain at least {least}.");
                Invalid::new("password_too_short", reason)
            }),
            Validator::Similarity => similar_fact(&forms, about).map(|fact| {
                Invalid::new("password_too_similar", format!("The password is too similar to the {fact}."))
            }),
            Validator::Common => forms
                .iter()
                .any(|form| is_common(form))
                .then(|| Invalid::new("password_too_common", "This password is too common.")),
            Validator::Numeric => text
                .chars()
                .all(is_digit)
                .then(|| Invalid::new("password_entirely_numeric", "This password is entirely numeric.")),
            Validator::Digit => (!text.chars().any(is_digit))
                .then(|| Invalid::new("password_no_digit", "This password must contain at least one digit.")),
        });
        too_long.into_iter().chain(broken).collect()
    }
}

fn characters(count: usize) -> String {
    if count == 1 { "1 character".to_owned() } else { format!("{count} characters") }
}
