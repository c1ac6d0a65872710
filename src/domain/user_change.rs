//! What an administrator changes about an account, and how that is told in the audit log.

use std::fmt;

use crate::domain::user::{set_or_blank, set_or_clear};
use crate::domain::{Avatar, Change, Email, Name, Timestamp, User, Username};

/// Everything but the password, the groups and the permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserChange {
    pub(crate) email: Change<Email>,
    pub(crate) username: Change<Username>,
    pub(crate) first_name: Change<Name>,
    pub(crate) last_name: Change<Name>,
    pub(crate) avatar: Change<Avatar>,
    pub(crate) is_active: Option<bool>,
    pub(crate) is_staff: Option<bool>,
    pub(crate) is_superuser: Option<bool>,
    pub(crate) email_verified: Option<bool>,
}

impl UserChange {
    /// Applies the change, and says what differs now. A new address is not verified, unless it is said that it is.
    pub(crate) fn apply(&self, user: &mut User, now: Timestamp) -> Vec<Difference> {
        let before = user.clone();
        set_or_clear(&mut user.email, &self.email);
        set_or_clear(&mut user.username, &self.username);
        set_or_blank(&mut user.first_name, &self.first_name);
        set_or_blank(&mut user.last_name, &self.last_name);
        set_or_clear(&mut user.avatar, &self.avatar);
        user.is_active = self.is_active.unwrap_or(user.is_active);
        user.is_staff = self.is_staff.unwrap_or(user.is_staff);
        user.is_superuser = self.is_superuser.unwrap_or(user.is_superuser);
        let is_same_address = before.email.as_ref().map(Email::key) == user.email.as_ref().map(Email::key);
        let is_verified = self.email_verified.unwrap_or(before.email_verified && is_same_address);
        user.email_verified = is_verified && user.email.is_some();
        let differences = differences(&before, user);
        if !differences.is_empty() {
            user.updated_at = now;
        }
        differences
    }
}

/// A member that differs now. None of them is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) member: &'static str,
    before: String,
    after: String,
}

/// No more of a value is told.
const MAX_CHARS: usize = 80;

impl fmt::Display for Difference {
    /// `is_staff: false -> true`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| match text.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        };
        write!(f, "{}: {} -> {}", self.member, short(&self.before), short(&self.after))
    }
}

fn differences(before: &User, after: &User) -> Vec<Difference> {
    let (was, is) = (members(before), members(after));
    was.into_iter()
        .zip(is)
        .filter(|((_, was), (_, is))| was != is)
        .map(|((member, before), (_, after))| Difference { member, before, after })
        .collect()
}

fn members(user: &User) -> [(&'static str, String); 9] {
    let or_none = |text: Option<&str>| text.unwrap_or("none").to_owned();
    [
        ("email", or_none(user.email.as_ref().map(Email::as_str))),
        ("username", or_none(user.username.as_ref().map(Username::as_str))),
        ("first_name", user.first_name.as_str().to_owned()),
        ("last_name", user.last_name.as_str().to_owned()),
        ("avatar", or_none(user.avatar.as_ref().map(Avatar::as_str))),
        ("is_active", user.is_active.to_string()),
        ("is_staff", user.is_staff.to_string()),
        ("is_superuser", user.is_superuser.to_string()),
        ("email_verified", user.email_verified.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NewUser, UserId};

    const NOTHING: UserChange = UserChange {
        email: Change::Keep,
        username: Change::Keep,
        first_name: Change::Keep,
        last_name: Change::Keep,
        avatar: Change::Keep,
        is_active: None,
        is_staff: None,
        is_superuser: None,
        email_verified: None,
    };

    fn ada() -> User {
        let email = Email::parse("ada@example.com").ok();
        let new = NewUser { email, email_verified: true, is_active: true, ..NewUser::default() };
        new.joined(UserId(1), Timestamp::from_secs(0))
    }

    fn told(change: &UserChange) -> Vec<String> {
        let now = Timestamp::from_secs(1);
        change.apply(&mut ada(), now).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_new_address_is_not_verified_unless_it_is_said() {
        let email = Change::Set(Email::parse("ada@example.org").expect("valid"));
        let change = UserChange { email, ..NOTHING };
        let moved = "email: ada@example.com -> ada@example.org";
        assert_eq!(told(&change), [moved, "email_verified: true -> false"]);
        assert_eq!(told(&UserChange { email_verified: Some(true), ..change }), [moved]);

        let email = Change::Set(Email::parse("Ada@Example.com").expect("valid"));
        let respelt = told(&UserChange { email, ..NOTHING });
        assert_eq!(respelt, ["email: ada@example.com -> Ada@Example.com"]);
    }

    #[test]
    fn what_stays_is_no_difference_and_long_values_are_cut() {
        assert!(told(&NOTHING).is_empty());
        assert!(told(&UserChange { is_active: Some(true), ..NOTHING }).is_empty());
        let first_name = Change::Set(Name::from_stored("é".repeat(150)));
        let told = told(&UserChange { first_name, ..NOTHING });
        assert_eq!(told, [format!("first_name:  -> {}…", "é".repeat(80))]);
    }
}
