//! Pages of users, in any order that there is an index of.
//!
//! A place is a byte that says in which part of the ordering somebody is, and their key in the index of that part.
//! Places sort as the users do, so a page goes on after a place whatever was written in between.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::domain::{
    GroupId, Membership, Timestamp, User, UserFilter, UserId, UserOrder, UserOrdering, UserQuery,
};
use crate::store::StoreError;
use crate::store::codec::{self, Flag, Key};
use crate::store::engine::Order;
use crate::store::records::UserRecord;
use crate::store::schema::{
    EMAIL_TO_USER, FLAG_TO_USERS, GROUP_TO_USERS, JOINED_TO_USERS, LAST_LOGIN_TO_USERS, USERNAME_TO_USER,
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

/// With so many at most, all whom a filter may mean are sorted in memory.
const MAX_CANDIDATES: usize = 10_000;

impl ReadTx {
    /// None: the place to go on after is none of this ordering. May read the whole table, and blocks meanwhile.
    pub(crate) fn users_page(&self, query: &UserQuery) -> Result<Option<UsersPage>, StoreError> {
        let UserQuery { filter, ordering, after, limit } = query;
        if !after.as_ref().is_none_or(|place| is_place(ordering.by, place)) {
            return Ok(None);
        }
        let page = Page { ordering: *ordering, after: after.as_deref(), limit: *limit };
        if let Some(candidates) = self.candidates(filter)? {
            let users = candidates.into_iter().filter_map(|id| self.user(id).transpose());
            return page.of_all(users, filter).map(Some);
        }
        let Some(count) = self.indexed_count(filter)? else {
            let rows = self.rows::<UserRecord>(None, Order::Ascending)?;
            let users = rows.map(|row| row.map(|(id, record)| record.into_user(id)));
            return page.of_all(users, filter).map(Some);
        };
        self.walk(&page, filter, count).map(Some)
    }

    /// All whom the filter may mean, if an index knows them and they are few.
    fn candidates(&self, filter: &UserFilter) -> Result<Option<Vec<UserId>>, StoreError> {
        for narrow in narrows(filter) {
            let found = self.entries_of(&narrow, MAX_CANDIDATES + 1)?;
            if found.len() <= MAX_CANDIDATES {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// How many the filter lets through, if the indexes tell: it asks for one thing at most, and for no text.
    fn indexed_count(&self, filter: &UserFilter) -> Result<Option<u64>, StoreError> {
        let all = self.stored_len(UserRecord::TABLE.name)?;
        let asked = [
            filter.search.is_some(),
            filter.is_active.is_some(),
            filter.is_staff.is_some(),
            filter.is_superuser.is_some(),
            filter.group.is_some(),
        ];
        if filter.search.is_some() || asked.iter().filter(|is_asked| **is_asked).count() > 1 {
            return Ok(None);
        }
        let count = |narrow: &Narrow| {
            self.entries_of(narrow, usize::MAX).map(|found| u64::try_from(found.len()).unwrap_or(u64::MAX))
        };
        if let Some(narrow) = narrows(filter).first() {
            return count(narrow).map(Some);
        }
        let others = [
            (filter.is_active, Flag::Inactive),
            (filter.is_staff, Flag::Staff),
            (filter.is_superuser, Flag::Superuser),
        ];
        match others.into_iter().find(|(wanted, _)| wanted.is_some()) {
            Some((_, flag)) => Ok(Some(all.saturating_sub(count(&Narrow::Flag(flag))?))),
            None => Ok(Some(all)),
        }
    }

    fn entries_of(&self, narrow: &Narrow, limit: usize) -> Result<Vec<UserId>, StoreError> {
        match narrow {
            Narrow::Group(id) => self.find_some(&GROUP_TO_USERS, id, limit),
            Narrow::Flag(flag) => self.find_some(&FLAG_TO_USERS, flag, limit),
        }
    }

    /// Goes through the ordering from the place on until the page is full.
    fn walk(&self, page: &Page<'_>, filter: &UserFilter, count: u64) -> Result<UsersPage, StoreError> {
        let mut found: Vec<(Vec<u8>, User)> = Vec::new();
        self.go_on(page, |place, id| {
            if let Some(user) = self.user(id)?
                && filter.lets(&user)
            {
                found.push((place, user));
            }
            Ok(if found.len() > page.limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(page.cut(found, count))
    }

    /// Tells of every user after the place, in order.
    fn go_on(
        &self,
        page: &Page<'_>,
        mut tell: impl FnMut(Vec<u8>, UserId) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let (mut parts, order) = (parts(page.ordering.by), Order::Ascending);
        let order = if page.ordering.is_descending { Order::Descending } else { order };
        if order == Order::Descending {
            parts.reverse();
        }
        let after = page.after.and_then(<[u8]>::split_first);
        // What comes before the part that the page goes on in was on earlier pages.
        let parts = parts.iter().skip_while(|part| after.is_some_and(|(number, _)| part.number != *number));
        for part in parts {
            let here = after.filter(|(number, _)| **number == part.number).map(|(_, key)| key);
            let edge = here.map_or_else(|| part.edge(order), |key| Some(key.to_vec()));
            for pair in self.scan(part.table, edge.as_deref(), order)? {
                let (key, value) = pair?;
                if !key.starts_with(&part.prefix) {
                    break;
                }
                if here == Some(key.as_slice()) {
                    continue;
                }
                let id = part.user(&key, &value)?;
                let place = [&[part.number], key.as_slice()].concat();
                if tell(place, id)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// What a filter asks for that an index knows few of.
enum Narrow {
    Group(GroupId),
    Flag(Flag),
}

fn narrows(filter: &UserFilter) -> Vec<Narrow> {
    let group = filter.group.map(|group| match group {
        Membership::Root => Narrow::Flag(Flag::Superuser),
        Membership::Group(id) => Narrow::Group(id),
    });
    let flags = [
        (filter.is_superuser == Some(true), Flag::Superuser),
        (filter.is_staff == Some(true), Flag::Staff),
        (filter.is_active == Some(false), Flag::Inactive),
    ];
    let flags = flags.into_iter().filter_map(|(is_asked, flag)| is_asked.then_some(Narrow::Flag(flag)));
    group.into_iter().chain(flags).collect()
}

struct Page<'a> {
    ordering: UserOrdering,
    after: Option<&'a [u8]>,
    limit: usize,
}

impl Page<'_> {
    /// Looks at all these users, and keeps no more than fit.
    fn of_all(
        &self,
        users: impl Iterator<Item = Result<User, StoreError>>,
        filter: &UserFilter,
    ) -> Result<UsersPage, StoreError> {
        let mut count = 0;
        let mut kept = BTreeMap::new();
        for user in users {
            let user = user?;
            if !filter.lets(&user) {
                continue;
            }
            count += 1;
            let place = place_of(self.ordering.by, &user);
            if self.after.is_some_and(|after| !self.is_after(&place, after)) {
                continue;
            }
            kept.insert(place, user);
            if kept.len() > self.limit + 1 {
                drop(if self.ordering.is_descending { kept.pop_first() } else { kept.pop_last() });
            }
        }
        let mut kept: Vec<_> = kept.into_iter().collect();
        if self.ordering.is_descending {
            kept.reverse();
        }
        Ok(self.cut(kept, count))
    }

    fn is_after(&self, place: &[u8], after: &[u8]) -> bool {
        if self.ordering.is_descending { place < after } else { place > after }
    }

    /// The page from what was found for it, which is one more than fits if others follow.
    fn cut(&self, mut found: Vec<(Vec<u8>, User)>, count: u64) -> UsersPage {
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        let next = found.last().filter(|_| has_more).map(|(place, _)| place.clone());
        UsersPage { users: found.into_iter().map(|(_, user)| user).collect(), next, count }
    }
}

/// One part of an ordering: those who have what it is about, or those who do not.
struct Part {
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

/// Where somebody is in an ordering, as the index has it.
fn place_of(by: UserOrder, user: &User) -> Vec<u8> {
    let id = &user.id;
    let (number, key) = match by {
        UserOrder::Id => (0, id.to_bytes()),
        UserOrder::Email => match &user.email {
            Some(email) => (0, EMAIL_TO_USER.entry(&email.key(), id).key),
            None => (1, FLAG_TO_USERS.entry(&Flag::NoEmail, id).key),
        },
        UserOrder::Username => match &user.username {
            Some(name) => (0, USERNAME_TO_USER.entry(&name.key(), id).key),
            None => (1, FLAG_TO_USERS.entry(&Flag::NoUsername, id).key),
        },
        UserOrder::DateJoined => (0, JOINED_TO_USERS.entry(&user.date_joined, id).key),
        UserOrder::LastLogin => {
            let never = Timestamp::from_millis(0);
            (0, LAST_LOGIN_TO_USERS.entry(&user.last_login.unwrap_or(never), id).key)
        }
    };
    [&[number], key.as_slice()].concat()
}

/// Whether somebody could be there.
fn is_place(by: UserOrder, place: &[u8]) -> bool {
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
    use crate::domain::{Email, NewUser, Username};
    use crate::store::Store;

    const BY: [UserOrder; 5] =
        [UserOrder::Id, UserOrder::Email, UserOrder::Username, UserOrder::DateJoined, UserOrder::LastLogin];

    /// Users with ties in everything that can be tied.
    async fn store(folder: &tempfile::TempDir) -> Store {
        let now = Timestamp::from_secs(1_800_000_000);
        let store = Store::open(&folder.path().join("k.redb"), [7; 16], now).expect("the store opens");
        let made = store.write(move |tx| {
            for n in 0..40_u64 {
                let new = NewUser {
                    email: Email::parse(&format!("e{}@example.com", n * 7 % 40)).ok().filter(|_| n % 3 != 0),
                    username: Username::parse(&format!("u{}", n * 11 % 40)).ok().filter(|_| n % 4 != 1),
                    is_active: n % 5 != 0,
                    ..NewUser::default()
                };
                let joined = Timestamp::from_secs(1_800_000_000 + n / 4);
                let user = tx.insert_user(&new, joined)?;
                let last_login = (n % 2 == 0).then_some(Timestamp::from_secs(1_800_000_000 + n % 3));
                tx.save_user(&User { last_login, ..user })?;
            }
            Ok::<_, StoreError>(())
        });
        made.await.expect("written");
        store
    }

    fn ids(page: &UsersPage) -> Vec<u64> {
        page.users.iter().map(|user| user.id.0).collect()
    }

    #[tokio::test]
    async fn the_index_and_the_memory_give_the_same_pages() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder).await;
        let read = store.read().expect("readable");
        let filter = UserFilter { is_active: Some(true), ..UserFilter::default() };

        for by in BY {
            for is_descending in [false, true] {
                let ordering = UserOrdering { by, is_descending };
                let mut after: Option<Vec<u8>> = None;
                let mut all = Vec::new();
                loop {
                    let page = Page { ordering, after: after.as_deref(), limit: 7 };
                    let count = read.indexed_count(&filter).expect("readable").expect("known");
                    let walked = read.walk(&page, &filter, count).expect("readable");
                    let rows = read.rows::<UserRecord>(None, Order::Ascending).expect("readable");
                    let users = rows.map(|row| row.map(|(id, record)| record.into_user(id)));
                    let sorted = page.of_all(users, &filter).expect("readable");
                    assert_eq!(ids(&walked), ids(&sorted), "{ordering:?} after {after:?}");
                    assert_eq!((&walked.next, walked.count), (&sorted.next, sorted.count), "{ordering:?}");
                    assert!(walked.next.iter().all(|place| is_place(by, place)), "{ordering:?}");
                    all.extend(ids(&walked));
                    after = walked.next;
                    if after.is_none() {
                        break;
                    }
                }
                all.sort_unstable();
                all.dedup();
                assert_eq!(all.len(), 32, "{ordering:?}");
            }
        }
        drop(read);
        store.close().await;
    }

    #[tokio::test]
    async fn a_place_of_another_ordering_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder).await;
        let read = store.read().expect("readable");
        let user = read.user(UserId(1)).expect("readable").expect("there");

        for by in BY {
            let place = place_of(by, &user);
            assert!(is_place(by, &place), "{by:?}");
            for damaged in
                [&place[..0], &place[..1], &[&place[..], &[0]].concat(), &[&[9], &place[1..]].concat()]
            {
                assert!(!is_place(by, damaged), "{by:?} {damaged:?}");
            }
        }
        drop(read);
        store.close().await;
    }
}
