//! Places: where somebody is in an ordering of users.
//!
//! A place is a byte that says in which part of the ordering somebody is, and their key in the index of that part.
//! Places sort as the users do, so a list goes on after a place whatever was written in between.

use crate::domain::{Email, Timestamp, User, UserId, UserOrder, Username};
use crate::store::codec::{Flag, Key};

/// What somebody is sorted by.
#[derive(Debug, Clone, Copy)]
pub(super) enum SortKey<'a> {
    Id,
    /// The canonical form of an address or a name.
    Text(&'a [u8]),
    /// Those who have none come last.
    Without(Flag),
    /// Those who never logged in did so at 0.
    Time(Timestamp),
}

/// Where somebody is in an ordering, as the index has it.
pub(super) fn place_of(by: UserOrder, user: &User) -> Vec<u8> {
    let mut place = Vec::with_capacity(32);
    let mut write = |key| write_place(user.id, key, &mut place);
    match by {
        UserOrder::Id => write(SortKey::Id),
        UserOrder::Email => match user.email.as_ref().map(Email::key) {
            Some(email) => write(SortKey::Text(email.as_str().as_bytes())),
            None => write(SortKey::Without(Flag::NoEmail)),
        },
        UserOrder::Username => match user.username.as_ref().map(Username::key) {
            Some(name) => write(SortKey::Text(name.as_str().as_bytes())),
            None => write(SortKey::Without(Flag::NoUsername)),
        },
        UserOrder::DateJoined => write(SortKey::Time(user.date_joined)),
        UserOrder::LastLogin => {
            write(SortKey::Time(user.last_login.unwrap_or(Timestamp::from_millis(0))));
        }
    }
    place
}

/// The same into a buffer, which it takes the place of.
pub(super) fn write_place(id: UserId, key: SortKey<'_>, place: &mut Vec<u8>) {
    place.clear();
    place.push(u8::from(matches!(key, SortKey::Without(_))));
    match key {
        SortKey::Id => id.write(place),
        SortKey::Text(text) => {
            place.extend_from_slice(text);
            place.push(0);
        }
        SortKey::Without(flag) => (flag, id).write(place),
        SortKey::Time(time) => (time, id).write(place),
    }
}

/// Whether somebody could be there.
pub(super) fn is_place(by: UserOrder, place: &[u8]) -> bool {
    let Some((number, key)) = place.split_first() else { return false };
    let is_without = |flag| <(Flag, UserId)>::from_bytes(key).is_ok_and(|(found, _)| found == flag);
    match (by, number) {
        (UserOrder::Id, 0) => UserId::from_bytes(key).is_ok(),
        (UserOrder::Email | UserOrder::Username, 0) => String::from_bytes(key).is_ok(),
        (UserOrder::Email, 1) => is_without(Flag::NoEmail),
        (UserOrder::Username, 1) => is_without(Flag::NoUsername),
        (UserOrder::DateJoined | UserOrder::LastLogin, 0) => <(Timestamp, UserId)>::from_bytes(key).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::NewUser;

    #[test]
    fn a_place_of_another_ordering_is_none() {
        let orders = [
            UserOrder::Id,
            UserOrder::Email,
            UserOrder::Username,
            UserOrder::DateJoined,
            UserOrder::LastLogin,
        ];
        let email = Email::parse("ada@example.com").ok();
        let nameless = NewUser { email, ..NewUser::default() };
        let named = NewUser { username: Username::parse("ada").ok(), ..NewUser::default() };

        for new in [nameless, named] {
            let user = new.joined(UserId(1), Timestamp::from_secs(1_800_000_000));
            for by in orders {
                let place = place_of(by, &user);
                assert!(is_place(by, &place), "{by:?}");
                for damaged in
                    [&place[..0], &place[..1], &[&place[..], &[0]].concat(), &[&[9], &place[1..]].concat()]
                {
                    assert!(!is_place(by, damaged), "{by:?} {damaged:?}");
                }
            }
        }
    }
}
