//! Lists as the store gives them, against the plain reading of all rows; and the roster, against the view it answers for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as Atomic};

use super::*;
use crate::domain::{
    Email, GroupId, Membership, Name, NewUser, Search, User, UserFilter, UserOrder, UserOrdering, UserQuery,
    Username,
};
use crate::store::places::place_of;
use crate::store::tx::WriteTx;
use crate::store::{Store, UsersPage};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
/// More than an index is asked for, in more blocks than one.
const USERS: u64 = 1300;
const BY: [UserOrder; 5] =
    [UserOrder::Id, UserOrder::Email, UserOrder::Username, UserOrder::DateJoined, UserOrder::LastLogin];

/// Random numbers that are the same in every run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % end
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(items.len() as u64)).expect("an index")]
    }
}

/// A user with ties in everything that can be tied, and no number yet.
fn some_user(dice: &mut Dice, n: u64) -> User {
    let domain = dice.pick(&["example.com", "bücher.example", "XN--bcher-kva.example", "Exämple.org"]);
    let local = dice.pick(&["ada", "Bob", "\"c d\"", "\"eve\"", "zoë"]);
    let name = |dice: &mut Dice| {
        Name::from_stored(
            dice.pick(&["", "", "Ada", "Ada Maria", "STRASSE", "Æøå", "o'Neil", "Bob"]).to_owned(),
        )
    };
    let email = Email::parse(&format!("{local}{n}@{domain}")).ok();
    let new = NewUser {
        username: Username::parse(&format!("{}{n}", dice.pick(&["ada", "User.", "ß", "Ærø"])))
            .ok()
            .filter(|_| email.is_none() || n.is_multiple_of(3)),
        email,
        first_name: name(dice),
        last_name: name(dice),
        is_active: dice.below(8) != 0,
        is_staff: dice.below(300) == 0,
        is_superuser: dice.below(300) == 0,
        groups: (1..4).filter(|group| dice.below(group * group * group) == 0).map(GroupId).collect(),
        ..NewUser::default()
    };
    let joined = Timestamp::from_secs(1_800_000_000 + dice.below(100));
    let last_login = (dice.below(2) == 0).then(|| Timestamp::from_secs(1_800_000_000 + dice.below(50)));
    User { last_login, ..new.joined(UserId(0), joined) }
}

fn some_filter(dice: &mut Dice) -> UserFilter {
    let searches = [
        "a",
        "ada",
        "bob1",
        "@",
        "@exa",
        "bücher",
        "xn--b",
        "strasse",
        "ada m",
        "a b",
        "12",
        "ø",
        "\"",
        "d\"",
        "nobody",
        "^a",
        "^ada",
        "^ada1",
        "^bob12",
        "^\"c d\"",
        "^\"eve\"7",
        "^eve7",
        "^user.1",
        "^ß",
        "^ss1",
        "^ada maria",
        "^ada@",
        "^bob7@b",
        "^bob7@xn",
        "^o'",
        "^str",
        "^maria",
        "^example",
        "^nobody",
        "^^",
    ];
    let maybe = |dice: &mut Dice| dice.pick(&[None, None, None, Some(true), Some(false)]);
    let groups = [
        Membership::Root,
        Membership::Group(GroupId(1)),
        Membership::Group(GroupId(3)),
        Membership::Group(GroupId(9)),
    ];
    UserFilter {
        search: (dice.below(4) != 0).then(|| Search::parse(dice.pick(&searches)).expect("a search")),
        is_active: maybe(dice),
        is_staff: maybe(dice),
        is_superuser: maybe(dice),
        group: (dice.below(4) == 0).then(|| dice.pick(&groups)),
    }
}

async fn store(folder: &tempfile::TempDir, dice: &mut Dice) -> Store {
    let store = Store::open(&folder.path().join("k.redb"), [7; 16], NOW).expect("the store opens");
    let users: Vec<User> = (1..=USERS).map(|n| some_user(dice, n)).collect();
    for users in users.chunks(50) {
        let users = users.to_vec();
        let made = store.write(move |tx| users.iter().try_for_each(|user| insert(tx, user)));
        made.await.expect("written");
    }
    store
}

fn insert(tx: &mut WriteTx, user: &User) -> Result<(), StoreError> {
    let inserted = tx.insert_user(&NewUser::default(), user.date_joined)?;
    tx.save_user(&User { id: inserted.id, ..user.clone() })
}

fn everybody(read: &ReadTx) -> Vec<User> {
    read.users().expect("readable").map(|user| user.expect("readable")).collect()
}

/// The page by reading every row.
fn plain_page(all: &[User], query: &UserQuery) -> UsersPage {
    let UserQuery { filter, ordering, after, limit } = query;
    let mut found: Vec<(Vec<u8>, &User)> =
        all.iter().filter(|user| filter.lets(user)).map(|user| (place_of(ordering.by, user), user)).collect();
    let count = found.len() as u64;
    found.sort_by(|(a, _), (b, _)| ordering.compare(a, b));
    found.retain(|(place, _)| after.as_ref().is_none_or(|after| ordering.is_before(after, place)));
    let next = (found.len() > *limit).then(|| found[limit - 1].0.clone());
    UsersPage { users: found.into_iter().take(*limit).map(|(_, user)| user.clone()).collect(), next, count }
}

#[track_caller]
fn same(found: &UsersPage, expected: &UsersPage, query: &UserQuery, how: &str) {
    assert_eq!(found.count, expected.count, "{how}: the count of {query:?}");
    let ids = |page: &UsersPage| page.users.iter().map(|user| user.id.0).collect::<Vec<_>>();
    assert_eq!(ids(found), ids(expected), "{how}: {query:?}");
    assert_eq!(found.next, expected.next, "{how}: the next of {query:?}");
}

#[tokio::test]
async fn a_page_is_what_reading_every_row_would_give() {
    let (folder, mut dice) = (tempfile::tempdir().expect("a folder"), Dice(7));
    let store = store(&folder, &mut dice).await;
    let read = store.read().expect("readable");
    let (all, roster) = (everybody(&read), make(&read).expect("readable"));
    let mut by_index = 0;

    for _ in 0..400 {
        let ordering = UserOrdering { by: dice.pick(&BY), is_descending: dice.below(2) == 0 };
        let limit = dice.pick(&[1, 7, 50, 500]);
        let mut query = UserQuery { filter: some_filter(&mut dice), ordering, after: None, limit };
        for _ in 0..3 {
            let expected = plain_page(&all, &query);
            same(
                &store.users_page(&query, NOW).expect("readable").expect("a page"),
                &expected,
                &query,
                "store",
            );
            let roster = read.users_page_by_roster(&query, &roster).expect("readable");
            same(&roster, &expected, &query, "roster");
            if let Some(page) = read.users_page_by_index(&query).expect("readable") {
                same(&page, &expected, &query, "index");
                by_index += 1;
            }
            let Some(next) = expected.next else { break };
            query.after = Some(next);
        }
    }
    assert!(by_index > 100, "{by_index}");
    drop(read);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_roster_is_always_exactly_what_the_list_is_read_from() {
    let (folder, mut dice) = (tempfile::tempdir().expect("a folder"), Dice(8));
    let store = store(&folder, &mut dice).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|seed| {
            let (store, is_over, mut dice) = (store.clone(), Arc::clone(&is_over), Dice(100 + seed));
            tokio::spawn(async move {
                let mut written = 0;
                while !is_over.load(Atomic::Relaxed) {
                    let (id, user) =
                        (UserId(1 + dice.below(USERS)), some_user(&mut dice, USERS + written * 3 + seed));
                    let kind = dice.below(4);
                    // Somebody may have the address by now: nothing is written then.
                    let _refused = store
                        .write(move |tx| match kind {
                            0 => tx.remove_user(id),
                            1 => insert(tx, &user),
                            _ => match tx.user(id)? {
                                Some(_) => tx.save_user(&User { id, ..user.clone() }),
                                None => Ok(()),
                            },
                        })
                        .await;
                    written += 1;
                }
                written
            })
        })
        .collect();

    let asking = store.clone();
    let asked = tokio::task::spawn_blocking(move || {
        for round in 0..150 {
            let (filter, ordering) =
                (some_filter(&mut dice), UserOrdering { by: dice.pick(&BY), is_descending: false });
            let query = UserQuery { filter, ordering, after: None, limit: 20 };
            if round % 50 == 49 {
                // Forgotten, and made anew while others write.
                asking.keep_roster(NOW, NOW).expect("kept");
            }
            asking
                .memory
                .roster
                .ask(
                    NOW,
                    || asking.read(),
                    |read, roster| {
                        let page = read.users_page_by_roster(&query, roster)?;
                        same(&page, &plain_page(&everybody(read), &query), &query, "roster");
                        Ok(())
                    },
                )
                .expect("readable");
        }
    });
    asked.await.expect("the same");
    is_over.store(true, Atomic::Relaxed);
    for writer in writers {
        assert!(writer.await.expect("written") > 10);
    }
    store.close().await;
}

/// How many are called so, as a list says it.
fn called(store: &Store, name: &str) -> u64 {
    let filter = UserFilter { search: Search::parse(name).ok(), ..UserFilter::default() };
    store
        .memory
        .roster
        .ask(NOW, || store.read(), |_, roster| Ok(roster.matches(&filter).count()))
        .expect("readable")
}

#[tokio::test]
async fn a_commit_that_is_under_way_is_seen_by_the_lists_whose_view_has_it_and_by_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("k.redb"), [7; 16], NOW).expect("the store opens");
    let new = NewUser { username: Username::parse("before").ok(), ..NewUser::default() };
    let user = store.write(move |tx| tx.insert_user(&new, NOW)).await.expect("written");
    let renamed = User { username: Username::parse("after").ok(), ..user.clone() };
    assert_eq!((called(&store, "before"), called(&store, "after")), (1, 0));

    let mut tx = WriteTx::new(store.engine.snapshot().expect("a view"));
    tx.save_user(&renamed).expect("saved");
    let roster = &store.memory.roster;
    roster.begin_commit(&[user.id]);
    assert_eq!((called(&store, "before"), called(&store, "after")), (1, 0));
    store.engine.commit(tx.writes()).expect("committed");
    assert_eq!((called(&store, "before"), called(&store, "after")), (0, 1));
    roster.end_commit();
    assert_eq!((called(&store, "before"), called(&store, "after")), (0, 1));

    store.write(move |tx| tx.remove_user(user.id)).await.expect("removed");
    assert_eq!((called(&store, "before"), called(&store, "after")), (0, 0));
    store.close().await;
}

#[tokio::test]
async fn it_is_made_when_it_is_wanted_and_forgotten_when_nobody_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("k.redb"), [7; 16], NOW).expect("the store opens");
    let is_there = || store.memory.roster.kept.lock().expect("sound").is_some();
    let (later, since) = (Timestamp::from_secs(1_800_000_600), Timestamp::from_secs(1_800_000_300));

    store.keep_roster(NOW, NOW).expect("kept");
    assert!(!is_there());
    store.want_roster();
    store.keep_roster(NOW, NOW).expect("kept");
    assert!(is_there());
    store.keep_roster(later, Timestamp::from_secs(1_799_999_999)).expect("kept");
    assert!(is_there());
    store.keep_roster(later, since).expect("kept");
    assert!(!is_there() && store.memory.roster.changes().committed.is_none());

    let query = |search| UserQuery {
        filter: UserFilter { search: Search::parse(search).ok(), ..UserFilter::default() },
        ordering: UserOrdering::DEFAULT,
        after: None,
        limit: 50,
    };
    store.users_page(&query("^ada"), NOW).expect("readable");
    assert!(!is_there(), "the indexes are enough");
    store.users_page(&query("ada"), later).expect("readable");
    store.keep_roster(later, since).expect("kept");
    assert!(is_there());
    store.close().await;
}
