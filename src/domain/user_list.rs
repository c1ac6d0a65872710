//! Lists of users: which of them are asked for, and in which order.

use crate::domain::email::canonical;
use crate::domain::{GroupId, Invalid, Name, User, Username};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserQuery {
    pub(crate) filter: UserFilter,
    pub(crate) ordering: UserOrdering,
    /// The place of the last user of the page before, as the store told it.
    pub(crate) after: Option<Vec<u8>>,
    pub(crate) limit: usize,
}

/// Everything that is said has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UserFilter {
    pub(crate) search: Option<Search>,
    pub(crate) is_active: Option<bool>,
    pub(crate) is_staff: Option<bool>,
    pub(crate) is_superuser: Option<bool>,
    pub(crate) group: Option<Membership>,
}

/// Whose members are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    /// All superusers.
    Root,
    Group(GroupId),
}

impl UserFilter {
    pub(crate) fn lets(&self, user: &User) -> bool {
        let is_wanted = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        is_wanted(self.is_active, user.is_active)
            && is_wanted(self.is_staff, user.is_staff)
            && is_wanted(self.is_superuser, user.is_superuser)
            && self.group.is_none_or(|group| match group {
                Membership::Root => user.is_superuser,
                Membership::Group(id) => user.groups.contains(&id),
            })
            && self.search.as_ref().is_none_or(|search| search.finds(user))
    }
}

/// Text that stands somewhere in an address, a user name or a name, whatever the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search(String);

impl Search {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        Name::parse(text).map(|name| Self(name.folded()))
    }

    /// Whether it finds everybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn finds(&self, user: &User) -> bool {
        let has = |text: &str| text.contains(&self.0);
        let email = user.email.as_ref();
        // As it is written, and in the form that compares: the domain may be in Unicode in one and not in the other.
        email.is_some_and(|email| has(&canonical(email.as_str())) || has(email.key().as_str()))
            || user.username.as_ref().map(Username::key).is_some_and(|name| has(name.as_str()))
            || has(&canonical(&user.full_name()))
    }
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserOrder {
    Id,
    /// Those without an address come last.
    Email,
    /// Those without a name come last.
    Username,
    DateJoined,
    /// Those who never logged in come first.
    LastLogin,
}

/// What a list is sorted by, and which way. Those who are equal in it are sorted by their numbers, that way too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserOrdering {
    pub(crate) by: UserOrder,
    pub(crate) is_descending: bool,
}

impl UserOrdering {
    /// By number: the order in which users came.
    pub(crate) const DEFAULT: Self = Self { by: UserOrder::Id, is_descending: false };

    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let (name, is_descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let by = match name {
            "id" => UserOrder::Id,
            "email" => UserOrder::Email,
            "username" => UserOrder::Username,
            "date_joined" => UserOrder::DateJoined,
            "last_login" => UserOrder::LastLogin,
            _ => {
                let known = "One of id, email, username, date_joined and last_login; - before it reverses.";
                return Err(Invalid::new("invalid", known));
            }
        };
        Ok(Self { by, is_descending })
    }

    /// Tells one ordering from another in a cursor.
    pub(crate) const fn tag(self) -> u8 {
        let by = match self.by {
            UserOrder::Id => 1,
            UserOrder::Email => 2,
            UserOrder::Username => 3,
            UserOrder::DateJoined => 4,
            UserOrder::LastLogin => 5,
        };
        if self.is_descending { by | 0x80 } else { by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Email, NewUser, Timestamp, UserId};

    fn ada() -> User {
        let new = NewUser {
            email: Email::parse("Ada@Bücher.example").ok(),
            username: Username::parse("Countess").ok(),
            first_name: Name::from_stored("Ada".to_owned()),
            last_name: Name::from_stored("STRASSE".to_owned()),
            ..NewUser::default()
        };
        new.joined(UserId(1), Timestamp::from_secs(0))
    }

    #[test]
    fn a_search_finds_text_in_any_case_and_spelling() {
        for text in ["ADA@", "bücher", "xn--bcher", "untess", "da str", "straße", "ﬀ"] {
            let finds = Search::parse(text).map(|search| search.finds(&ada()));
            assert_eq!(finds, Ok(text != "ﬀ"), "{text}");
        }
    }

    #[test]
    fn orderings_are_named_and_reversed() {
        let parsed = UserOrdering::parse("-last_login").expect("known");
        assert_eq!(parsed, UserOrdering { by: UserOrder::LastLogin, is_descending: true });
        for text in ["", "-", "--id", "password", "Id", "id,email"] {
            assert_eq!(UserOrdering::parse(text).map_err(|refused| refused.code), Err("invalid"), "{text}");
        }
    }
}
