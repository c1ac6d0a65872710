//! A registration that waits for its code: not a user yet.

use crate::domain::{
    Avatar, CodeHash, Email, Name, NewUser, PasswordHash, RegistrationId, Timestamp, Username,
};

/// Each registration of an address stands by itself, with its own data, password and code. The one that is
/// confirmed becomes the user, so nobody can put a password under somebody else's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) id: RegistrationId,
    pub(crate) email: Email,
    pub(crate) username: Option<Username>,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    pub(crate) avatar: Option<Avatar>,
    pub(crate) password: PasswordHash,
    pub(crate) created_at: Timestamp,
    pub(crate) code: CodeHash,
}

impl Registration {
    /// The user that a confirmed registration becomes.
    pub(crate) fn into_user(self) -> NewUser {
        NewUser {
            email: Some(self.email),
            username: self.username,
            first_name: self.first_name,
            last_name: self.last_name,
            avatar: self.avatar,
            password: Some(self.password),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            email_verified: true,
            // The language is noted at the log-in that the code brings.
            ..NewUser::default()
        }
    }
}
