//! A user: one person's account.

use crate::domain::{
    Avatar, Email, GroupId, Language, Name, PasswordHash, PermissionId, PersonalFacts, Timestamp, UserId,
    Username,
};

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
    /// The language they last asked in, for our letters.
    pub(crate) language: Option<Language>,
    /// By number; one that was taken away meanwhile counts for nothing.
    pub(crate) groups: Vec<GroupId>,
    /// Those that they have beside what their groups have.
    pub(crate) permissions: Vec<PermissionId>,
    /// Set by an administrator: the owner has to choose another.
    pub(crate) password_is_temporary: bool,
}

impl User {
    /// Nobody is given more groups of their own, or more permissions: with all that is theirs, an account goes in one write.
    pub(crate) const MAX_RIGHTS: usize = 128;

    /// First and last name with a space between, or whichever there is.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.first_name.as_str(), self.last_name.as_str()).trim().to_owned()
    }

    /// Whether they can administer everything: a superuser who is no staff, or not active, rules over nobody.
    pub(crate) fn is_ruler(&self) -> bool {
        self.is_active && self.is_staff && self.is_superuser
    }

    /// What logs and the audit trail call this user: the username, else the address, else the number.
    pub(crate) fn label(&self) -> String {
        let username = self.username.as_ref().map(Username::as_str);
        let email = self.email.as_ref().map(Email::as_str);
        username.or(email).map_or_else(|| self.id.to_string(), str::to_owned)
    }

    /// What our letters to them are written in; in English if we do not know.
    pub(crate) fn languages(&self) -> &[Language] {
        self.language.as_slice()
    }

    /// Takes note of the language that they ask in, if they say so.
    pub(crate) fn asked_in(&mut self, languages: &[Language]) {
        if let Some(language) = languages.first() {
            self.language = Some(language.clone());
        }
    }
}

impl<'a> From<&'a User> for PersonalFacts<'a> {
    fn from(user: &'a User) -> Self {
        Self::new(user.username.as_ref(), &user.first_name, &user.last_name, user.email.as_ref())
    }
}

/// A user who has no number yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    pub(crate) language: Option<Language>,
    pub(crate) groups: Vec<GroupId>,
    pub(crate) permissions: Vec<PermissionId>,
    pub(crate) password_is_temporary: bool,
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
            language: self.language.clone(),
            groups: self.groups.clone(),
            permissions: self.permissions.clone(),
            password_is_temporary: self.password_is_temporary,
        }
    }
}

/// What becomes of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change<T> {
    Keep,
    /// Takes the value away.
    Clear,
    Set(T),
}

/// What users may change about themselves without proving who they are again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileChange {
    pub(crate) username: Change<Username>,
    pub(crate) first_name: Change<Name>,
    pub(crate) last_name: Change<Name>,
    pub(crate) avatar: Change<Avatar>,
}

impl ProfileChange {
    pub(crate) fn apply(&self, user: &mut User, now: Timestamp) {
        let before = user.clone();
        set_or_clear(&mut user.username, &self.username);
        set_or_blank(&mut user.first_name, &self.first_name);
        set_or_blank(&mut user.last_name, &self.last_name);
        set_or_clear(&mut user.avatar, &self.avatar);
        if *user != before {
            user.updated_at = now;
        }
    }
}

pub(super) fn set_or_clear<T: Clone>(field: &mut Option<T>, change: &Change<T>) {
    match change {
        Change::Keep => {}
        Change::Clear => *field = None,
        Change::Set(value) => *field = Some(value.clone()),
    }
}

pub(super) fn set_or_blank<T: Clone + Default>(field: &mut T, change: &Change<T>) {
    match change {
        Change::Keep => {}
        Change::Clear => *field = T::default(),
        Change::Set(value) => *field = value.clone(),
    }
}
