//! Pages of users, filtered, in any order that there is an index of.
//!
//! What a page costs does not grow with the number of users: it is walked along an index, or made of the few whom an index
//! knows. Whatever else is asked for is asked of the roster, which is in memory.

use std::ops::ControlFlow;

use crate::domain::{
    GroupId, Membership, Search, SearchPlace, User, UserFilter, UserId, UserOrder, UserQuery,
};
use crate::store::StoreError;
use crate::store::codec::{self, Flag, Key};
use crate::store::engine::Order;
use crate::store::places::{is_place, place_of};
use crate::store::records::UserRecord;
use crate::store::roster::Roster;
use crate::store::schema::{
    EMAIL_TO_USER, FLAG_TO_USERS, GROUP_TO_USERS, JOINED_TO_USERS, LAST_LOGIN_TO_USERS, NAME_TO_USERS,
    USERNAME_TO_USER,
};
use crate::store::table::{Row, damaged};
use crate::store::tx::ReadTx;

/// One page.
#[derive(Debug)]
pub(crate) struct UsersPage {
    pub(crate) users: Vec<User>,
    /// The place of the last of them, if others come after it.
    pub(crate) next: Option<Vec<u8>>,
    /// All that the filter lets through, on whatever page.
    pub(crate) count: u64,
}

/// With so many at most, all whom a filter may mean are read and sorted.
const MAX_CANDIDATES: usize = 500;
/// An ordering is walked for so many times the entries that should have a page among them; by then it is found, or those who
/// match stand together elsewhere.
const PATIENCE: u64 = 4;

/// Whether the place to go on after is one of the ordering.
pub(super) fn is_sound(query: &UserQuery) -> bool {
    query.after.as_ref().is_none_or(|place| is_place(query.ordering.by, place))
}

impl ReadTx {
    /// The page, if the indexes are enough to tell it.
    pub(super) fn users_page_by_index(&self, query: &UserQuery) -> Result<Option<UsersPage>, StoreError> {
        if query.filter.is_empty() {
            let count = self.stored_len(UserRecord::TABLE.name)?;
            let ids = self.walk(query, u64::MAX, |_| true)?.unwrap_or_default();
            return self.page_of(query, ids, count).map(Some);
        }
        let candidates = self.candidates(&query.filter)?;
        candidates.map(|ids| self.page_of_candidates(query, ids)).transpose()
    }

    /// The page, as the roster of this view tells it.
    pub(super) fn users_page_by_roster(
        &self,
        query: &UserQuery,
        roster: &Roster,
    ) -> Result<UsersPage, StoreError> {
        let matches = roster.matches(&query.filter);
        let all = self.stored_len(UserRecord::TABLE.name)?;
        let wanted = query.limit as u64 + 1;
        let steps = wanted.saturating_mul(all) / matches.count().max(1);
        // To look at an entry of the index costs about what it costs to look at a match.
        let walked = if steps <= matches.count() {
            self.walk(query, steps.saturating_mul(PATIENCE), |id| matches.has(id))?
        } else {
            None
        };
        let ids = walked.unwrap_or_else(|| {
            roster.first_of(&matches, query.ordering, query.after.as_deref(), query.limit + 1)
        });
        self.page_of(query, ids, matches.count())
    }

    /// All whom the filter may mean, if an index knows them and they are few.
    fn candidates(&self, filter: &UserFilter) -> Result<Option<Vec<UserId>>, StoreError> {
        for parts in narrows(filter) {
            let mut found = Vec::new();
            for part in parts {
                self.scan_part(&part, None, Order::Ascending, |id| {
                    found.push(id);
                    if found.len() > MAX_CANDIDATES {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })?;
            }
            if found.len() <= MAX_CANDIDATES {
                found.sort_unstable();
                found.dedup();
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Goes through the ordering after the place until it has one more than a page of those who are wanted, or no more steps
    /// to go: then there is no answer.
    fn walk(
        &self,
        query: &UserQuery,
        mut steps: u64,
        is_wanted: impl Fn(UserId) -> bool,
    ) -> Result<Option<Vec<UserId>>, StoreError> {
        let mut parts = parts(query.ordering.by);
        let order = if query.ordering.is_descending { Order::Descending } else { Order::Ascending };
        if order == Order::Descending {
            parts.reverse();
        }
        let after = query.after.as_deref().and_then(<[u8]>::split_first);
        // What comes before the part that the page goes on in was on earlier pages.
        let parts = parts.iter().skip_while(|part| after.is_some_and(|(number, _)| part.number != *number));
        let mut found = Vec::new();
        for part in parts {
            let here = after.filter(|(number, _)| **number == part.number).map(|(_, key)| key);
            self.scan_part(part, here, order, |id| {
                steps = steps.saturating_sub(1);
                if is_wanted(id) {
                    found.push(id);
                }
                let is_over = found.len() > query.limit || steps == 0;
                if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            if found.len() > query.limit {
                break;
            }
            if steps == 0 {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// Tells of every user in a part of an index, or of those after a key of it.
    fn scan_part(
        &self,
        part: &Part,
        after: Option<&[u8]>,
        order: Order,
        mut tell: impl FnMut(UserId) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let edge = after.map_or_else(|| part.edge(order), |key| Some(key.to_vec()));
        for pair in self.scan(part.table, edge.as_deref(), order)? {
            let (key, value) = pair?;
            if !key.starts_with(&part.prefix) {
                break;
            }
            if after != Some(key.as_slice()) && tell(part.user(&key, &value)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Reads them all, and keeps those who are on the page.
    fn page_of_candidates(&self, query: &UserQuery, ids: Vec<UserId>) -> Result<UsersPage, StoreError> {
        let UserQuery { filter, ordering, after, limit } = query;
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.user(id)?.filter(|user| filter.lets(user)));
        }
        let count = found.len() as u64;
        let mut found: Vec<(Vec<u8>, User)> =
            found.into_iter().map(|user| (place_of(ordering.by, &user), user)).collect();
        found.retain(|(place, _)| after.as_ref().is_none_or(|after| ordering.is_before(after, place)));
        found.sort_unstable_by(|(a, _), (b, _)| ordering.compare(a, b));
        let users = found.into_iter().map(|(_, user)| user).take(limit + 1).collect();
        Ok(cut(query, users, count))
    }

    fn page_of(&self, query: &UserQuery, ids: Vec<UserId>, count: u64) -> Result<UsersPage, StoreError> {
        let users = ids.into_iter().filter_map(|id| self.user(id).transpose());
        Ok(cut(query, users.collect::<Result<_, _>>()?, count))
    }
}

/// The page from what was found for it, which is one more than fits if others follow.
fn cut(query: &UserQuery, mut users: Vec<User>, count: u64) -> UsersPage {
    let has_more = users.len() > query.limit;
    users.truncate(query.limit);
    let last = users.last().filter(|_| has_more);
    let next = last.map(|user| place_of(query.ordering.by, user));
    UsersPage { users, next, count }
}

/// Where to look for those whom a filter may mean: all of them are in each of these.
fn narrows(filter: &UserFilter) -> Vec<Vec<Part>> {
    let group = filter.group.map(|group| match group {
        Membership::Root => with_flag(Flag::Superuser),
        Membership::Group(id) => in_group(id),
    });
    let flags = [
        (filter.is_superuser == Some(true), Flag::Superuser),
        (filter.is_staff == Some(true), Flag::Staff),
        (filter.is_active == Some(false), Flag::Inactive),
    ];
    let flags = flags.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, flag)| with_flag(flag));
    let one = group.into_iter().chain(flags).map(|part| vec![part]);
    one.chain(filter.search.as_ref().and_then(beginning_with)).collect()
}

fn with_flag(flag: Flag) -> Part {
    Part { number: 0, table: FLAG_TO_USERS.name, prefix: flag.to_bytes(), is_unique: false }
}

fn in_group(id: GroupId) -> Part {
    Part { number: 0, table: GROUP_TO_USERS.name, prefix: id.to_bytes(), is_unique: false }
}

/// The entries of all whose address or one of whose names begins like this, if the indexes tell. They have names one by
/// one, so not a text with a space; and addresses in the form that compares, which differs from what is written
/// where quotes are not needed and in domains that are not ASCII.
fn beginning_with(search: &Search) -> Option<Vec<Part>> {
    let text = search.text();
    if search.place() != SearchPlace::Beginning || text.starts_with('"') || text.contains([' ', '@']) {
        return None;
    }
    let part = |table, is_unique| Part { number: 0, table, prefix: text.into(), is_unique };
    Some(vec![
        part(EMAIL_TO_USER.name, true),
        part(USERNAME_TO_USER.name, true),
        part(NAME_TO_USERS.name, false),
    ])
}

/// Entries of an index whose keys begin alike. An ordering is one such part, or two: those who have what it is about,
/// and those who do not.
struct Part {
    /// The first byte of its places.
    number: u8,
    table: &'static str,
    prefix: Vec<u8>,
    is_unique: bool,
}

impl Part {
    /// Where a scan of the whole part begins.
    fn edge(&self, order: Order) -> Option<Vec<u8>> {
        let beyond = match order {
            Order::Ascending => Vec::new(),
            // Past every number.
            Order::Descending => vec![u8::MAX; 9],
        };
        (!self.prefix.is_empty()).then(|| [self.prefix.as_slice(), &beyond].concat())
    }

    /// A unique index says in its value whose entry it is, everything else at the end of its key.
    fn user(&self, key: &[u8], value: &[u8]) -> Result<UserId, StoreError> {
        let id = if self.is_unique {
            codec::unseal(self.table, key, value).and_then(|(_, target)| UserId::from_bytes(target))
        } else {
            UserId::from_bytes(key.last_chunk::<8>().map_or(key, |id| id))
        };
        id.map_err(|error| damaged(self.table, &error))
    }
}

/// The parts of an ordering, one after the other.
fn parts(by: UserOrder) -> Vec<Part> {
    let all = |table| vec![Part { number: 0, table, prefix: Vec::new(), is_unique: false }];
    let some = |table, without: Flag| {
        let prefix = without.to_bytes();
        vec![
            Part { number: 0, table, prefix: Vec::new(), is_unique: true },
            Part { number: 1, table: FLAG_TO_USERS.name, prefix, is_unique: false },
        ]
    };
    match by {
        UserOrder::Id => all(UserRecord::TABLE.name),
        UserOrder::Email => some(EMAIL_TO_USER.name, Flag::NoEmail),
        UserOrder::Username => some(USERNAME_TO_USER.name, Flag::NoUsername),
        UserOrder::DateJoined => all(JOINED_TO_USERS.name),
        UserOrder::LastLogin => all(LAST_LOGIN_TO_USERS.name),
    }
}
