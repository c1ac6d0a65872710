//! Who is meant by what somebody types to name an account.

use crate::domain::{Email, EmailKey, User, Username, UsernameKey};
use crate::store::{ReadTx, StoreError};

/// An email address or a username. What reads as an address is looked up as one first; text that is neither finds nobody.
#[derive(Debug, Clone)]
pub(crate) struct Identifier {
    email: Option<EmailKey>,
    username: Option<UsernameKey>,
}

impl Identifier {
    pub(crate) fn parse(text: &str) -> Self {
        let username = Username::parse(text).ok().map(|username| username.key());
        // What is an address only once it is in its canonical form is that address too: if it were another name, how its
        // wrong passwords count would tell whether the address has an account.
        let folded = username.as_ref().and_then(|name| Email::parse(name.as_str()).ok());
        let email = Email::parse(text).ok().or(folded).map(|email| email.key());
        Self { email, username }
    }

    pub(crate) fn find(&self, read: &ReadTx) -> Result<Option<User>, StoreError> {
        if let Some(email) = &self.email
            && let Some(user) = read.user_by_email(email)?
        {
            return Ok(Some(user));
        }
        self.username.as_ref().map_or(Ok(None), |username| read.user_by_username(username))
    }

    /// The one spelling of all that are the same, if it can name an account at all.
    pub(crate) fn canonical(&self) -> Option<&str> {
        self.email.as_ref().map(EmailKey::as_str).or(self.username.as_ref().map(UsernameKey::as_str))
    }
}
