//! What an administrator changes about an account.

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
    /// Applies the change. A new address is not verified, unless it is said that it is.
    pub(crate) fn apply(&self, user: &mut User, now: Timestamp) {
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
        if *user != before {
            user.updated_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Changes, Directory, NewUser, UserId};

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

    fn told(change: &UserChange) -> String {
        let mut changed = ada();
        change.apply(&mut changed, Timestamp::from_secs(1));
        Changes::of_user(&Directory::default(), Some(&ada()), Some(&changed)).to_string()
    }

    #[test]
    fn a_new_address_is_not_verified_unless_it_is_said() {
        let email = Change::Set(Email::parse("ada@example.org").expect("valid"));
        let change = UserChange { email, ..NOTHING };
        let moved = "email: \"ada@example.com\" -> \"ada@example.org\"";
        assert_eq!(told(&change), format!("{moved}; email_verified: true -> false"));
        assert_eq!(told(&UserChange { email_verified: Some(true), ..change }), moved);

        let email = Change::Set(Email::parse("Ada@Example.com").expect("valid"));
        let respelt = told(&UserChange { email, ..NOTHING });
        assert_eq!(respelt, "email: \"ada@example.com\" -> \"Ada@Example.com\"");
    }

    #[test]
    fn what_stays_is_no_change_and_leaves_no_time() {
        for change in [NOTHING, UserChange { is_active: Some(true), ..NOTHING }] {
            let mut same = ada();
            change.apply(&mut same, Timestamp::from_secs(1));
            assert_eq!(same, ada());
        }
        let mut changed = ada();
        UserChange { is_staff: Some(true), ..NOTHING }.apply(&mut changed, Timestamp::from_secs(1));
        assert_eq!(changed.updated_at, Timestamp::from_secs(1));
    }
}
