//! Lists of users: which of them are asked for, and in which order.

use std::cmp::Ordering;

use crate::domain::email::canonical;
use crate::domain::{Email, EmailKey, GroupId, Invalid, Name, User, Username, UsernameKey};

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
    /// Whether it lets everybody through.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn lets(&self, user: &User) -> bool {
        self.lets_traits(&Traits::from(user))
            && self.search.as_ref().is_none_or(|search| search.finds(&SearchTexts::from(user)))
    }

    /// All that it asks for but the search.
    pub(crate) fn lets_traits(&self, traits: &Traits) -> bool {
        let is_wanted = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        is_wanted(self.is_active, traits.is_active)
            && is_wanted(self.is_staff, traits.is_staff)
            && is_wanted(self.is_superuser, traits.is_superuser)
            && self.group.is_none_or(|group| match group {
                Membership::Root => traits.is_superuser,
                Membership::Group(id) => traits.groups.contains(&id),
            })
    }
}

/// What a filter asks of a user beside their texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Traits {
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    groups: Vec<GroupId>,
}

impl From<&User> for Traits {
    fn from(user: &User) -> Self {
        Self {
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            groups: user.groups.clone(),
        }
    }
}

/// Text in an address, a user name or a name, whatever the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    text: String,
    place: SearchPlace,
}

/// Where in them the text has to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchPlace {
    Anywhere,
    Beginning,
}

impl Search {
    /// With `^` before it, the text has to be the beginning of one of them.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let (text, place) = match text.trim_start().strip_prefix('^') {
            Some(rest) => (rest, SearchPlace::Beginning),
            None => (text, SearchPlace::Anywhere),
        };
        Name::parse(text).map(|name| Self { text: name.folded(), place })
    }

    /// Whether it finds everybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// In the form that compares.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn place(&self) -> SearchPlace {
        self.place
    }

    fn finds(&self, texts: &SearchTexts) -> bool {
        texts.all().into_iter().any(|text| match self.place {
            SearchPlace::Anywhere => text.contains(&self.text),
            SearchPlace::Beginning => text.starts_with(&self.text),
        })
    }
}

/// The texts of a user that a search reads, in the form that compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SearchTexts {
    email: Option<EmailKey>,
    username: Option<UsernameKey>,
    /// Begins with the first name.
    full_name: String,
    last_name: String,
    /// If it is not its key: the domain may be in Unicode in one and not in the other.
    written_email: String,
}

impl SearchTexts {
    /// The key of the address and that of the user name first; a text that there is not is empty.
    pub(crate) fn all(&self) -> [&str; 5] {
        [
            self.email.as_ref().map_or("", EmailKey::as_str),
            self.username.as_ref().map_or("", UsernameKey::as_str),
            &self.full_name,
            &self.last_name,
            &self.written_email,
        ]
    }
}

impl From<&User> for SearchTexts {
    fn from(user: &User) -> Self {
        let email = user.email.as_ref().map(Email::key);
        let written = user.email.as_ref().map(|email| canonical(email.as_str()));
        Self {
            username: user.username.as_ref().map(Username::key),
            full_name: canonical(&user.full_name()),
            last_name: user.last_name.folded(),
            written_email: written
                .filter(|written| email.as_ref().is_some_and(|email| email.as_str() != written))
                .unwrap_or_default(),
            email,
        }
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

    /// Compares two places, as the store tells them.
    pub(crate) fn compare(self, one: &[u8], other: &[u8]) -> Ordering {
        if self.is_descending { other.cmp(one) } else { one.cmp(other) }
    }

    pub(crate) fn is_before(self, one: &[u8], other: &[u8]) -> bool {
        self.compare(one, other).is_lt()
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
    use crate::domain::{NewUser, Timestamp, UserId};

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

    fn finds(text: &str) -> bool {
        Search::parse(text).expect(text).finds(&SearchTexts::from(&ada()))
    }

    #[test]
    fn a_search_finds_text_in_any_case_and_spelling() {
        for text in ["ADA@", "bücher", "xn--bcher", "untess", "da str", "straße", "ﬀ"] {
            assert_eq!(finds(text), text != "ﬀ", "{text}");
        }
    }

    #[test]
    fn a_search_for_the_beginning_finds_nothing_further_on() {
        for text in ["^ADA@b", " ^ count", "^ada@xn--b", "^ada s", "^Straße"] {
            assert!(finds(text), "{text}");
        }
        for text in ["^da@", "^bücher", "^example", "^ountess", "^trasse", "^^ada", "ada^"] {
            assert!(!finds(text), "{text}");
        }
        assert!(Search::parse(" ^ ").is_ok_and(|search| search.is_empty()));
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
