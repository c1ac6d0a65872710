//! The store as its users see it: on a real file, through `Store` alone.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::domain::{
    CodePurpose, Content, Email, KeyId, Language, Mail, MailContent, MailId, MailKind, Name, NewSession,
    NewUser, Origin, SealKey, Secret, Session, SessionId, SessionPolicy, SessionStyle, Timestamp, User,
    UserId, Username,
};
use crate::store::{Store, StoreError, Unique};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn open(folder: &Path) -> Store {
    try_open(folder).expect("the store opens")
}

fn try_open(folder: &Path) -> Result<Store, StoreError> {
    Store::open(&folder.join("k.redb"), [7; 16], NOW)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn new_user(email: &str, username: Option<&str>) -> NewUser {
    NewUser {
        email: Email::parse(email).ok(),
        username: username.and_then(|name| Username::parse(name).ok()),
        first_name: Name::default(),
        last_name: Name::default(),
        avatar: None,
        password: None,
        is_active: true,
        is_staff: false,
        is_superuser: false,
        email_verified: true,
        language: None,
        ..NewUser::default()
    }
}

async fn insert(store: &Store, email: &str, username: Option<&str>) -> Result<User, StoreError> {
    let new = new_user(email, username);
    store.write(move |tx| tx.insert_user(&new, NOW)).await
}

fn session(id: u8, user: UserId) -> Session {
    let second = std::time::Duration::from_secs(1);
    let policy =
        SessionPolicy { access_ttl: second, refresh_ttl: second, session_ttl: second, refresh_grace: second };
    let new = NewSession {
        id: SessionId([id; 16]),
        user,
        label: Name::default(),
        method: "password",
        origin: Origin::default(),
        style: SessionStyle::default(),
    };
    Session::open(new, &policy, NOW)
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let folder = folder();
    let store = open(folder.path());
    let ada = insert(&store, "ada@example.com", Some("ada")).await.expect("inserted");
    store.close().await;
    drop(store);

    let store = open(folder.path());
    let read = store.read().expect("a view");
    let key = Email::parse("ADA@EXAMPLE.COM").expect("valid").key();
    assert_eq!(read.user_by_email(&key).expect("read"), Some(ada.clone()));
    assert_eq!(read.user(UserId(1)).expect("read"), Some(ada));
    assert!(read.check().expect("checked").is_sound());
}

#[tokio::test]
async fn only_a_superuser_who_is_staff_and_active_rules() {
    let folder = folder();
    let store = open(folder.path());
    let mut last = UserId(0);
    for (n, (is_active, is_staff, is_superuser)) in
        [(true, true, false), (true, false, true), (false, true, true), (true, true, true)]
            .into_iter()
            .enumerate()
    {
        assert!(!store.read().expect("a view").has_ruler().expect("read"), "{n}");
        let new = NewUser { is_active, is_staff, is_superuser, ..new_user(&format!("u{n}@x.example"), None) };
        last = store.write(move |tx| tx.insert_user(&new, NOW)).await.expect("inserted").id;
    }

    let read = store.read().expect("a view");
    assert!(read.has_ruler().expect("read") && !read.has_other_ruler(last).expect("read"));
    assert!(read.has_other_ruler(UserId(1)).expect("read"));
}

#[tokio::test]
async fn two_spellings_cannot_make_two_users() {
    let folder = folder();
    let store = open(folder.path());
    insert(&store, "ada@example.com", Some("ada")).await.expect("inserted");

    let email = insert(&store, "Ada@Example.COM", None).await;
    let username = insert(&store, "eve@example.com", Some("ADA")).await;

    assert!(matches!(email, Err(StoreError::Taken(Unique::Email))), "{email:?}");
    assert!(matches!(username, Err(StoreError::Taken(Unique::Username))), "{username:?}");
    let bob = insert(&store, "bob@example.com", None).await.expect("inserted");
    assert_eq!(bob.id, UserId(2), "a refused user used up no number");
}

#[tokio::test]
async fn a_changed_address_frees_the_old_one() {
    let folder = folder();
    let store = open(folder.path());
    let mut ada = insert(&store, "ada@example.com", None).await.expect("inserted");
    ada.email = Email::parse("ada@new.example").ok();
    store.write(move |tx| tx.save_user(&ada)).await.expect("saved");

    insert(&store, "ada@example.com", None).await.expect("the old address is free");
    let again = insert(&store, "ada@new.example", None).await;

    assert!(matches!(again, Err(StoreError::Taken(Unique::Email))));
    assert!(store.read().expect("a view").check().expect("checked").is_sound());
}

#[tokio::test]
async fn a_failed_closure_leaves_nothing_and_its_neighbours_go_on() {
    let folder = folder();
    let store = open(folder.path());
    let refused = store.write(|tx| {
        tx.insert_user(&new_user("half@example.com", None), NOW)?;
        Err::<(), StoreError>(StoreError::TooLarge("test"))
    });
    let (refused, neighbour) = tokio::join!(refused, insert(&store, "ada@example.com", None));

    assert!(matches!(refused, Err(StoreError::TooLarge("test"))));
    assert_eq!(neighbour.expect("inserted").id, UserId(1));
    let half = Email::parse("half@example.com").expect("valid").key();
    assert_eq!(store.read().expect("a view").user_by_email(&half).expect("read"), None);
}

#[tokio::test]
async fn a_closure_that_panics_fails_alone() {
    let folder = folder();
    let store = open(folder.path());
    let panicking = store.write(|tx| -> Result<(), StoreError> {
        tx.insert_user(&new_user("half@example.com", None), NOW)?;
        panic!("a bug")
    });
    let (failed, neighbour) = tokio::join!(panicking, insert(&store, "ada@example.com", None));

    assert!(failed.is_err());
    assert_eq!(neighbour.expect("inserted").id, UserId(1));
}

#[tokio::test]
async fn an_ended_session_is_known_at_once_and_after_opening_again() {
    let folder = folder();
    let store = open(folder.path());
    let user = insert(&store, "ada@example.com", None).await.expect("inserted").id;
    let kept = session(1, user);
    let ended = session(2, user);
    let (a, b) = (kept.clone(), ended.clone());
    store.write(move |tx| tx.save_session(&a).and(tx.save_session(&b))).await.expect("saved");
    let gone = ended.clone();
    store.write(move |tx| tx.end_session(&gone)).await.expect("ended");

    assert!(store.is_revoked(ended.id) && !store.is_revoked(kept.id));
    store.close().await;
    drop(store);
    let store = open(folder.path());
    assert!(store.is_revoked(ended.id) && !store.is_revoked(kept.id));
    assert_eq!(store.read().expect("a view").sessions_of(user).expect("read"), [kept]);
}

#[tokio::test]
async fn a_user_in_memory_is_never_older_than_the_last_write() {
    let folder = folder();
    let store = open(folder.path());
    let mut ada = insert(&store, "ada@example.com", None).await.expect("inserted");
    let id = ada.id;
    assert!(store.user(id).expect("read").is_some_and(|user| user.is_active));

    ada.is_active = false;
    store.write(move |tx| tx.save_user(&ada)).await.expect("saved");
    assert!(store.user(id).expect("read").is_some_and(|user| !user.is_active));
}

#[tokio::test]
async fn mails_come_due_in_their_order() {
    let folder = folder();
    let store = open(folder.path());
    let mail = |id: u8, due: u64| {
        let to = Email::from_stored("ada@example.com".into());
        let at = Timestamp::from_secs(due);
        Mail::new(MailId([id; 16]), to, MailKind::VerifyEmail, "s".into(), MailContent::Gone, at)
    };
    let (late, soon, later) = (mail(1, 200), mail(2, 100), mail(3, 300));
    store
        .write(move |tx| {
            tx.enqueue_mail(&late)?;
            tx.enqueue_mail(&soon)?;
            tx.enqueue_mail(&later)
        })
        .await
        .expect("queued");

    let due = store.read().expect("a view").due_mails(Timestamp::from_secs(250), 10).expect("read");
    assert_eq!(due.iter().map(|mail| mail.id.0[0]).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn a_mail_of_the_longest_forms_is_kept() {
    let folder = folder();
    let store = open(folder.path());
    let form = || Secret::new("x".repeat(24 << 10));
    let plain = Content { text: form(), html: Some(form()) };
    let sealed = MailContent::Sealed(Secret::new([plain.to_bytes().as_slice(), &[0; 28]].concat()));
    for (id, content) in [(1, sealed), (2, MailContent::Plain(plain)), (3, MailContent::Gone)] {
        let to = Email::from_stored(format!("{}@example.com", "a".repeat(240)));
        let subject = "s".repeat(998);
        let mail = Mail::new(MailId([id; 16]), to, MailKind::VerifyEmail, subject, content, NOW);
        let mail = Mail { last_error: Some("e".repeat(1200)), ..mail };
        let kept = mail.clone();

        store.write(move |tx| tx.enqueue_mail(&mail)).await.expect("queued");

        assert_eq!(store.read().expect("a view").mail(kept.id).expect("read"), Some(kept));
    }
}

#[tokio::test]
async fn the_key_that_seals_is_none_of_those_that_sign() {
    let folder = folder();
    let store = open(folder.path());
    assert_eq!(store.read().expect("a view").seal_key().expect("read"), None);
    let id = KeyId([7; 16]);
    let key = SealKey { id, material: Secret::new(vec![1; 32]), created_at: NOW };
    let saved = key.clone();

    store.write(move |tx| tx.save_seal_key(&saved)).await.expect("saved");

    let read = store.read().expect("a view");
    assert_eq!(read.seal_key().expect("read"), Some(key));
    assert_eq!(read.signing_keys().expect("read"), []);
    assert!(read.check().expect("checked").is_sound());
}

/// The forms of a mail that was written before mails were sealed.
fn plain(mail: &Mail) -> (&str, Option<&str>) {
    let MailContent::Plain(Content { text, html }) = &mail.content else { panic!("{:?}", mail.content) };
    (text.expose(), html.as_ref().map(|html| html.expose().as_str()))
}

/// One file for each schema that was ever released: this one was made by the program that had schema 1.
#[tokio::test]
async fn a_store_of_schema_1_opens_and_is_whole() {
    let folder = folder();
    fs::write(folder.path().join("k.redb"), include_bytes!("../../tests/fixtures/store-1.redb"))
        .expect("copied");
    let store = open(folder.path());
    let read = store.read().expect("a view");

    let report = read.check().expect("checked");
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.counts["users"], 3);
    let ada = Email::parse("ada@example.com").expect("valid").key();
    let ada = read.user_by_email(&ada).expect("read").expect("there");
    assert_eq!((ada.full_name(), ada.email_verified), ("Ada Lovelace".to_owned(), true));
    assert_eq!(ada.language, None);
    assert!(ada.password.is_some_and(|hash| hash.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_eq!(read.sessions_of(ada.id).expect("read")[0].label.as_str(), "Laptop");
    assert!(read.has_ruler().expect("read"));
    let grace = Email::parse("grace@example.com").expect("valid").key();
    assert_eq!(read.registrations_of(&grace).expect("read").len(), 1);
    assert!(read.code(UserId(3), CodePurpose::VerifyEmail).expect("read").is_some());
    assert_eq!(read.signing_keys().expect("read").len(), 2);
    let mails = read.due_mails(Timestamp::from_secs(u64::MAX), 9).expect("read");
    let ends = mails.iter().map(|mail| mail.useful_until.map(|end| end.since(mail.created_at).as_secs()));
    assert_eq!(ends.collect::<Vec<_>>(), [Some(86_400), Some(86_400)]);
    assert!(mails.iter().map(plain).all(|(text, html)| html.is_none() && text.contains("http")));
    assert_eq!(read.newest_events(99).expect("read").len(), 8);
    let (ended, _) = read.revocations().expect("read")[0];
    assert!(store.is_revoked(ended));
}

/// Made by the program that had schema 1 and version 2 of users and mails: they have languages.
#[tokio::test]
async fn a_store_whose_users_have_languages_opens_and_is_whole() {
    let folder = folder();
    fs::write(folder.path().join("k.redb"), include_bytes!("../../tests/fixtures/store-2.redb"))
        .expect("copied");
    let store = open(folder.path());
    let read = store.read().expect("a view");

    let report = read.check().expect("checked");
    assert!(report.is_sound(), "{:?}", report.problems);
    let user = |id| read.user(UserId(id)).expect("read").expect("there");
    assert_eq!((user(1).full_name(), user(1).language), ("Ada Lovelace".to_owned(), Language::parse("es")));
    assert_eq!((user(2).is_superuser, user(2).language), (true, None));
    assert_eq!((user(3).email_verified, user(3).language), (false, None));
    let mails = read.due_mails(Timestamp::from_secs(u64::MAX), 9).expect("read");
    let facts = |mail: &Mail| (mail.to.as_str().to_owned(), mail.kind, mail.language.clone());
    let mut found: Vec<_> = mails.iter().map(facts).collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let (en, es) = (Language::parse("en"), Language::parse("es"));
    assert_eq!(
        found,
        [
            ("ada@example.com".to_owned(), MailKind::AlreadyRegistered, es.clone()),
            ("bob@example.com".to_owned(), MailKind::VerifyEmail, en),
            ("grace@example.com".to_owned(), MailKind::VerifyEmail, es),
        ]
    );
    for mail in &mails {
        let end = mail.useful_until.map(|end| end.since(mail.created_at).as_secs());
        assert_eq!(end, (mail.kind == MailKind::VerifyEmail).then_some(600));
        assert!(plain(mail).1.is_some_and(|html| html.starts_with("<!doctype html>")));
    }
}

/// Made by the program that had schema 1 and version 3 of mails: they are sealed.
#[tokio::test]
async fn a_store_whose_mails_are_sealed_opens_and_is_whole() {
    let folder = folder();
    fs::write(folder.path().join("k.redb"), include_bytes!("../../tests/fixtures/store-3.redb"))
        .expect("copied");
    let store = open(folder.path());
    let read = store.read().expect("a view");

    let report = read.check().expect("checked");
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.counts["signing_keys"], 3);
    assert_eq!(read.signing_keys().expect("read").len(), 2);
    assert!(read.seal_key().expect("read").is_some_and(|key| key.material.expose().len() == 32));
    let mails = read.due_mails(Timestamp::from_secs(u64::MAX), 9).expect("read");
    assert_eq!(mails.len(), 3);
    for mail in &mails {
        assert!(matches!(mail.content, MailContent::Sealed(_)), "{mail:?}");
        assert_eq!(mail.useful_until.is_some(), mail.kind == MailKind::VerifyEmail);
        assert_eq!((mail.attempts, &mail.language), (1, &Language::parse("en")));
    }
}

/// Made by the program that had schema 2, version 3 of users, and version 1 of sessions.
#[tokio::test]
async fn a_store_from_before_the_other_surfaces_opens_and_is_whole() {
    let folder = folder();
    fs::write(folder.path().join("k.redb"), include_bytes!("../../tests/fixtures/store-4.redb"))
        .expect("copied");
    let store = open(folder.path());
    let read = store.read().expect("a view");

    let report = read.check().expect("checked");
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!((report.counts["groups"], report.counts["sessions"]), (1, 2));
    let sessions = read.sessions_of(UserId(1)).expect("read");
    assert_eq!(sessions[0].label.as_str(), "phone");
    assert_eq!(sessions[0].style, SessionStyle::Native);
}

#[tokio::test]
async fn a_session_that_lives_long_hides_none_that_is_over() {
    let folder = folder();
    let store = open(folder.path());
    let ada = insert(&store, "ada@example.com", None).await.expect("inserted").id;
    let late = NOW.after(std::time::Duration::from_secs(100));
    let long = Session { expires_at: late, ..session(1, ada) };
    let over = session(2, ada);
    let young = Session { created_at: late, ..session(3, ada) };
    store
        .write(move |tx| [&long, &over, &young].into_iter().try_for_each(|session| tx.save_session(session)))
        .await
        .expect("saved");

    let now = NOW.after(std::time::Duration::from_secs(50));
    let ended = store.read().expect("a view").ended_sessions(now, now, 9).expect("read");

    assert_eq!(ended, [SessionId([2; 16])]);
}

#[tokio::test]
async fn a_user_of_an_older_version_is_kept_whole_when_it_changes() {
    let folder = folder();
    fs::write(folder.path().join("k.redb"), include_bytes!("../../tests/fixtures/store-1.redb"))
        .expect("copied");
    let store = open(folder.path());
    let key = Email::parse("ada@example.com").expect("valid").key();
    let before = store.read().expect("a view").user_by_email(&key).expect("read").expect("there");
    let mut ada = before.clone();
    ada.asked_in(&Language::preferred("es-MX, en"));
    store.write(move |tx| tx.save_user(&ada)).await.expect("saved");
    store.close().await;
    drop(store);

    let store = open(folder.path());

    let read = store.read().expect("a view");
    let after = read.user_by_email(&key).expect("read").expect("there");
    assert_eq!(after, User { language: Language::parse("es"), ..before });
    assert!(read.check().expect("checked").is_sound());
}

#[tokio::test]
async fn a_locked_store_says_so() {
    let folder = folder();
    let _first = open(folder.path());
    assert!(matches!(try_open(folder.path()), Err(StoreError::Locked(_))));
}

#[test]
fn of_many_that_make_the_store_at_once_one_has_it_and_the_others_hear_so() {
    for _ in 0..10 {
        let folder = folder();
        let opened: Vec<Result<Store, StoreError>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| try_open(folder.path()))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });

        let refused = opened.iter().filter_map(|opened| opened.as_ref().err());
        assert!(
            refused.clone().all(|error| matches!(error, StoreError::Locked(_))),
            "{:?}",
            refused.collect::<Vec<_>>()
        );
        assert_eq!(opened.iter().filter(|opened| opened.is_ok()).count(), 1);
    }
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let _store = open(folder.path());
    let mode = fs::metadata(folder.path().join("k.redb")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1, "nothing else is left behind");
}

#[tokio::test]
async fn what_is_no_store_is_refused_and_left_as_it_is() {
    let foreign = |bytes: &[u8]| {
        let folder = folder();
        let path = folder.path().join("k.redb");
        fs::write(&path, bytes).expect("written");
        let refused = try_open(folder.path()).map(drop);
        assert!(matches!(refused, Err(StoreError::NotAStore(..))), "{refused:?}");
        assert_eq!(fs::read(&path).expect("read"), bytes);
    };
    foreign(b"");
    foreign(b"not a database at all");
    foreign(&vec![0; 100_000]);

    let folder = folder();
    let path = folder.path().join("k.redb");
    drop(redb_file(&path));
    assert!(matches!(try_open(folder.path()), Err(StoreError::NotAStore(..))));
    assert!(matches!(Store::open(folder.path(), [0; 16], NOW), Err(StoreError::NotAStore(..))));
    let nowhere = Store::open(&folder.path().join("no/such/k.redb"), [0; 16], NOW);
    assert!(matches!(nowhere, Err(StoreError::Create(..))));
}

/// A healthy file of the engine that is not a Keystead store.
fn redb_file(path: &Path) -> super::engine::Engine {
    super::engine::Engine::open(path, &[], &super::write_set::WriteSet::default()).expect("made")
}

#[tokio::test]
async fn a_damaged_file_never_serves_wrong_data() {
    let folder = folder();
    let path = folder.path().join("k.redb");
    let store = open(folder.path());
    for n in 0..100 {
        insert(&store, &format!("user{n}@example.com"), Some(&format!("user{n}"))).await.expect("inserted");
    }
    store.close().await;
    drop(store);
    let whole = fs::read(&path).expect("read");

    let mut refused = 0;
    for at in (0..whole.len()).step_by(1531) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&path, &damaged).expect("written");
        let Ok(store) = try_open(folder.path()) else {
            refused += 1;
            continue;
        };
        let read = store.read().expect("a view");
        for n in 0..100 {
            let key = Username::parse(&format!("user{n}")).expect("valid").key();
            let found = read.user_by_username(&key).expect("readable").expect("there");
            assert_eq!(found.email, Email::parse(&format!("user{n}@example.com")).ok());
        }
    }
    assert!(refused > 10, "only {refused} damaged files were refused");
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u8, u8),
    Rename(u8, u8),
    OpenSession(u8, u8),
    EndSession(u8),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..12u8, 0..12u8).prop_map(|(email, name)| Step::Insert(email, name)),
        3 => (0..12u8, 0..12u8).prop_map(|(user, email)| Step::Rename(user, email)),
        3 => (0..12u8, any::<u8>()).prop_map(|(user, id)| Step::OpenSession(user, id)),
        2 => any::<u8>().prop_map(Step::EndSession),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done in whatever order: the store holds what a plain list of users would.
    #[test]
    fn behaves_like_a_list_of_users(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(run_against_model(steps));
    }
}

async fn run_against_model(steps: Vec<Step>) {
    let folder = folder();
    let mut store = open(folder.path());
    let mut users: Vec<(u8, u8)> = Vec::new();
    let mut sessions = std::collections::BTreeMap::<u8, usize>::new();
    for step in steps {
        match step {
            Step::Insert(email, name) => {
                let taken = users.iter().any(|user| user.0 == email || user.1 == name);
                let done = insert(&store, &format!("u{email}@example.com"), Some(&format!("n{name}"))).await;
                assert_eq!(done.is_err(), taken);
                if !taken {
                    users.push((email, name));
                }
            }
            Step::Rename(index, email) => {
                let Some((own, _)) = users.get(usize::from(index)).copied() else { continue };
                let taken = users.iter().any(|user| user.0 == email) && own != email;
                let mut user = store.read().unwrap().user(UserId(u64::from(index) + 1)).unwrap().unwrap();
                user.email = Email::parse(&format!("U{email}@example.com")).ok();
                assert_eq!(store.write(move |tx| tx.save_user(&user)).await.is_err(), taken);
                if !taken {
                    users[usize::from(index)].0 = email;
                }
            }
            Step::OpenSession(index, id) if usize::from(index) < users.len() => {
                let opened = session(id, UserId(u64::from(index) + 1));
                store.write(move |tx| tx.save_session(&opened)).await.expect("saved");
                sessions.insert(id, usize::from(index));
            }
            Step::EndSession(id) if sessions.remove(&id).is_some() => {
                let ended = store.read().unwrap().session(SessionId([id; 16])).unwrap().unwrap();
                store.write(move |tx| tx.end_session(&ended)).await.expect("ended");
                assert!(store.is_revoked(SessionId([id; 16])));
            }
            Step::Reopen => {
                store.close().await;
                drop(store);
                store = open(folder.path());
            }
            Step::OpenSession(..) | Step::EndSession(_) => {}
        }
    }
    let read = store.read().unwrap();
    let report = read.check().unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.counts["users"], users.len() as u64);
    for (index, (email, name)) in users.iter().enumerate() {
        let by_email = Email::parse(&format!("u{email}@example.com")).unwrap().key();
        let by_name = Username::parse(&format!("n{name}")).unwrap().key();
        let id = UserId(index as u64 + 1);
        assert_eq!(read.user_by_email(&by_email).unwrap().unwrap().id, id);
        assert_eq!(read.user_by_username(&by_name).unwrap().unwrap().id, id);
        let held = sessions.values().filter(|owner| **owner == index).count();
        assert_eq!(read.sessions_of(id).unwrap().len(), held);
    }
}
