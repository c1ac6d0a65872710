//! The rows of users, and what they were like before.

use serde::{Deserialize, Serialize};

use crate::domain::{
    Avatar, Email, GroupId, Language, Name, PasswordHash, PermissionId, Timestamp, User, UserId, Username,
};

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct UserRecord {
    pub(in crate::store) email: Option<String>,
    pub(in crate::store) username: Option<String>,
    pub(in crate::store) first_name: String,
    pub(in crate::store) last_name: String,
    pub(super) avatar: Option<String>,
    pub(super) password: Option<String>,
    pub(in crate::store) is_active: bool,
    pub(in crate::store) is_staff: bool,
    pub(in crate::store) is_superuser: bool,
    pub(super) email_verified: bool,
    pub(in crate::store) date_joined: u64,
    pub(super) updated_at: u64,
    pub(in crate::store) last_login: Option<u64>,
    pub(super) language: Option<String>,
    pub(in crate::store) groups: Vec<u64>,
    pub(in crate::store) permissions: Vec<u64>,
    pub(super) password_is_temporary: bool,
}

impl From<&User> for UserRecord {
    fn from(user: &User) -> Self {
        Self {
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            username: user.username.as_ref().map(|username| username.as_str().to_owned()),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            avatar: user.avatar.as_ref().map(|avatar| avatar.as_str().to_owned()),
            password: user.password.as_ref().map(|hash| hash.as_phc().to_owned()),
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            email_verified: user.email_verified,
            date_joined: user.date_joined.millis(),
            updated_at: user.updated_at.millis(),
            last_login: user.last_login.map(Timestamp::millis),
            language: user.language.as_ref().map(|language| language.as_str().to_owned()),
            groups: user.groups.iter().map(|id| id.0).collect(),
            permissions: user.permissions.iter().map(|id| id.0).collect(),
            password_is_temporary: user.password_is_temporary,
        }
    }
}

impl UserRecord {
    pub(in crate::store) fn into_user(self, id: UserId) -> User {
        User {
            id,
            email: self.email.map(Email::from_stored),
            username: self.username.map(Username::from_stored),
            first_name: Name::from_stored(self.first_name),
            last_name: Name::from_stored(self.last_name),
            avatar: self.avatar.map(Avatar::from_stored),
            password: self.password.map(PasswordHash::from_phc),
            is_active: self.is_active,
            is_staff: self.is_staff,
            is_superuser: self.is_superuser,
            email_verified: self.email_verified,
            date_joined: Timestamp::from_millis(self.date_joined),
            updated_at: Timestamp::from_millis(self.updated_at),
            last_login: self.last_login.map(Timestamp::from_millis),
            language: self.language.map(Language::from_stored),
            groups: self.groups.into_iter().map(GroupId).collect(),
            permissions: self.permissions.into_iter().map(PermissionId).collect(),
            password_is_temporary: self.password_is_temporary,
        }
    }
}
