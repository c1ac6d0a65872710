//! A user: one person's account.

use crate::domain::{Avatar, Email, Name, PasswordHash, Timestamp, UserId, Username};

/// An account. Has an email address or a username, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: Option<Email>,
    pub(crate) username: Option<Username>,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    pub(crate) avatar: Option<Avatar>,
    /// None: no password opens this account (Django's unusable password).
    pub(crate) password: Option<PasswordHash>,
    pub(crate) is_active: bool,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    pub(crate) email_verified: bool,
    pub(crate) date_joined: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) last_login: Option<Timestamp>,
}

impl User {
    /// First and last name with a space between, or whichever there is.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.first_name.as_str(), self.last_name.as_str()).trim().to_owned()
    }

    /// What logs and the audit trail call this user: the username, else the address, else the number.
    pub(crate) fn label(&self) -> String {
        let username = self.username.as_ref().map(Username::as_str);
        let email = self.email.as_ref().map(Email::as_str);
        username.or(email).map_or_else(|| self.id.to_string(), str::to_owned)
    }

    /// `Root` is a live view: it is in the groups of every superuser and of nobody else.
    pub(crate) fn groups(&self) -> Vec<String> {
        if self.is_superuser { vec!["Root".to_owned()] } else { Vec::new() }
    }
}

/// A user who has no number yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewUser {
    pub(crate) email: Option<Email>,
    pub(crate) username: Option<Username>,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    pub(crate) avatar: Option<Avatar>,
    pub(crate) password: Option<PasswordHash>,
    pub(crate) is_active: bool,
    pub(crate) is_staff: bool,
    pub(crate) is_superuser: bool,
    pub(crate) email_verified: bool,
}

impl NewUser {
    pub(crate) fn joined(&self, id: UserId, now: Timestamp) -> User {
        User {
            id,
            email: self.email.clone(),
            username: self.username.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            avatar: self.avatar.clone(),
            password: self.password.clone(),
            is_active: self.is_active,
            is_staff: self.is_staff,
            is_superuser: self.is_superuser,
            email_verified: self.email_verified,
            date_joined: now,
            updated_at: now,
            last_login: None,
        }
    }
}

/// What users may change about themselves without proving who they are again. None leaves as it is; `Some(None)`
/// takes away.
#[expect(clippy::option_option, reason = "leave, take away and set are three different wishes")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProfileChange {
    pub(crate) username: Option<Option<Username>>,
    pub(crate) first_name: Option<Name>,
    pub(crate) last_name: Option<Name>,
    pub(crate) avatar: Option<Option<Avatar>>,
}

impl ProfileChange {
    /// The names of the members that would differ, for the audit log.
    pub(crate) fn apply(&self, user: &mut User, now: Timestamp) -> Vec<&'static str> {
        let mut changed = Vec::new();
        set("username", &mut user.username, self.username.as_ref(), &mut changed);
        set("first_name", &mut user.first_name, self.first_name.as_ref(), &mut changed);
        set("last_name", &mut user.last_name, self.last_name.as_ref(), &mut changed);
        set("avatar", &mut user.avatar, self.avatar.as_ref(), &mut changed);
        if !changed.is_empty() {
            user.updated_at = now;
        }
        changed
    }
}

fn set<T: Clone + PartialEq>(
    name: &'static str,
    field: &mut T,
    value: Option<&T>,
    changed: &mut Vec<&'static str>,
) {
    if let Some(value) = value.filter(|value| **value != *field) {
        *field = value.clone();
        changed.push(name);
    }
}
