//! Backups: taken while everything goes on, put back somewhere else, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use crate::harness::{
    Ended, Keystead, PASSWORD, Service, Tokens, configured, empty_folder, eventually, keystead,
};

const ADA: &str = "ada@example.com";
const UNVERIFIED: &str = "registration.verification = \"none\"";
const CLIENTS: usize = 4;

fn create_superuser(folder: &Path, email: &str) {
    let create = ["createsuperuser", "--email", email, "--password-stdin"];
    keystead(folder, &create).stdin(PASSWORD).run().expect(0);
}

fn back_up(folder: &Path, file: &str, more: &[&str]) -> Keystead {
    keystead(folder, &[&["backup", file], more].concat())
}

fn restore(folder: &Path, file: &Path, more: &[&str]) -> Keystead {
    keystead(folder, &[&["restore", file.to_str().expect("UTF-8")], more].concat())
}

fn check(folder: &Path) -> Ended {
    let checked = keystead(folder, &["check"]).run().expect(0);
    assert!(checked.stdout.ends_with("sound\n"), "{checked:?}");
    checked
}

/// Everything in a folder, to see that nothing became different.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("readable");
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.expect("readable"))
        .map(|entry| {
            let name = entry.file_name().into_string().expect("UTF-8");
            (name, fs::read(entry.path()).unwrap_or_default())
        })
        .collect();
    files.sort();
    files
}

fn names(folder: &Path) -> Vec<String> {
    contents(folder).into_iter().map(|(name, _)| name).collect()
}

fn assert_dead(service: &Service, tokens: &Tokens) {
    service.get_as(&tokens.access, "/auth/profile/").expect_problem(401, "invalid_token");
    let refreshed = service.post("/auth/token/refresh/", &json!({ "refresh": tokens.refresh }));
    refreshed.expect_problem(401, "invalid_token");
}

#[test]
fn a_backup_without_a_server_is_put_back_elsewhere() {
    let home = configured("");
    create_superuser(home.path(), ADA);

    let backup = back_up(home.path(), "ada.backup", &[]).run().expect(0);

    let file = home.path().join("ada.backup");
    let said = format!(" written to {} (", file.display());
    assert!(backup.stdout.starts_with("Backup of ") && backup.stdout.contains(&said), "{backup:?}");
    assert!(backup.stdout.ends_with(" rows)\n") && backup.stderr.is_empty(), "{backup:?}");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o600);
    assert_eq!(names(home.path()), ["ada.backup", "auth.toml", "keystead.redb", "mail"]);
    let elsewhere = configured("");
    let restored = restore(elsewhere.path(), &file, &[]).run().expect(0);
    assert!(restored.stdout.contains("all sessions are over"), "{restored:?}");
    assert_eq!(names(elsewhere.path()), ["auth.toml", "keystead.redb"]);
    let store = elsewhere.path().join("keystead.redb");
    assert_eq!(fs::metadata(store).expect("there").permissions().mode() & 0o7777, 0o600);
    check(elsewhere.path());
    Service::start(elsewhere.path()).logged_in(ADA);
}

/// Kills a backup while it writes, and says what it left; none if it was done before.
fn left_by_a_killed_backup(folder: &Path) -> Option<String> {
    let draft = || {
        let entries = fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable"));
        let mut names = entries.map(|entry| entry.file_name().into_string().expect("UTF-8"));
        names.find(|name| name.starts_with("ada.backup.new-"))
    };
    let backup = back_up(folder, "ada.backup", &["--force"]).spawn();
    (0..100_000).find_map(|_| draft());
    drop(backup);
    draft()
}

#[test]
fn what_a_killed_backup_left_goes_with_the_next_one() {
    let home = configured("");
    create_superuser(home.path(), ADA);
    let left = eventually("a backup is killed half-way", || left_by_a_killed_backup(home.path()));
    fs::write(home.path().join("ada.backup.new-year"), "not ours").expect("written");

    back_up(home.path(), "ada.backup", &["--force"]).run().expect(0);

    let names = names(home.path());
    assert!(!names.contains(&left), "{left} in {names:?}");
    assert_eq!(names, ["ada.backup", "ada.backup.new-year", "auth.toml", "keystead.redb", "mail"]);
    let elsewhere = configured("");
    restore(elsewhere.path(), &home.path().join("ada.backup"), &[]).run().expect(0);
}

#[test]
fn a_backup_under_load_has_what_was_acknowledged_before_and_nothing_by_halves() {
    let home = configured(UNVERIFIED);
    let service = Service::start(home.path());
    service.register(ADA).expect(201);
    let before = service.logged_in(ADA);
    let (client, stop, acknowledged) = (service.client(), AtomicBool::new(false), Mutex::new(Vec::new()));

    let before_second = thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (stop, acknowledged) = (&stop, &acknowledged);
            scope.spawn(move || {
                for count in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let email = format!("user-{number}-{count}@example.com");
                    let body = json!({ "email": email, "password": PASSWORD });
                    client.post("/auth/register/", &body).expect("an answer").expect(201);
                    acknowledged.lock().expect("nobody panicked").push(email);
                }
            });
        }
        back_up(home.path(), "first.backup", &[]).run().expect(0);
        let before_second = acknowledged.lock().expect("nobody panicked").clone();
        back_up(home.path(), "second.backup", &[]).run().expect(0);
        stop.store(true, Ordering::Relaxed);
        before_second
    });

    assert!(!before_second.is_empty());
    let after = service.logged_in(ADA);
    for file in ["first.backup", "second.backup"] {
        let elsewhere = configured(UNVERIFIED);
        restore(elsewhere.path(), &home.path().join(file), &[]).run().expect(0);
        check(elsewhere.path());
        let restored = Service::start(elsewhere.path());
        restored.logged_in(ADA);
        if file == "second.backup" {
            for email in &before_second {
                restored.logged_in(email);
            }
        }
        assert_dead(&restored, &before);
        assert_dead(&restored, &after);
        restored.register("newcomer@example.com").expect(201);
        restored.terminate();
        check(elsewhere.path());
    }
    // Nothing changed for the store that was copied.
    service.get_as(&before.access, "/auth/profile/").expect(200);
    service.terminate();
}

#[test]
fn the_seal_of_mails_that_wait_stays_and_the_keys_that_sign_do_not() {
    let home = configured("mail.transport = \"smtp\"\nmail.smtp_host = \"127.0.0.1\"\nmail.smtp_port = 9");
    create_superuser(home.path(), ADA);
    keystead(home.path(), &["createuser", "--email", "bob@example.com", "--no-input"]).run().expect(0);
    let keys = || keystead(home.path(), &["keys", "list"]).run().expect(0).stdout;
    let old = keys();
    back_up(home.path(), "b", &[]).run().expect(0);

    let elsewhere = configured("");
    restore(elsewhere.path(), &home.path().join("b"), &[]).run().expect(0);

    let service = Service::start(elsewhere.path());
    // It may have been sent since the backup: only an administrator lets it go.
    let root = service.logged_in(ADA);
    let waiting = service.get_as(&root.access, "/auth/admin/outbox/").expect(200).body["results"][0].clone();
    assert_eq!((&waiting["to"], &waiting["status"]), (&json!("bob@example.com"), &json!("failed")));
    let resend = format!("/auth/admin/outbox/{}/resend/", waiting["id"].as_str().expect("an id"));
    service.client().send("POST", &resend, Some(&root.access), None).expect("an answer").expect(202);
    assert!(service.mail_to("bob@example.com").to.starts_with("bob"));
    let listed = keystead(elsewhere.path(), &["keys", "list"]).run().expect(0).stdout;
    for line in listed.lines().skip(1) {
        let key = line.split(' ').next().expect("a key");
        assert!(!old.contains(key), "{key} is in\n{old}");
    }
    assert_eq!(listed.lines().count(), 3, "{listed}");
}

#[test]
fn what_is_there_is_replaced_only_by_force_and_the_store_never_by_its_copy() {
    let home = configured("");
    create_superuser(home.path(), ADA);
    fs::write(home.path().join("taken"), "mine").expect("writable");
    fs::create_dir(home.path().join("folder")).expect("made");
    let try_all = || {
        let before = contents(home.path());
        back_up(home.path(), "taken", &[]).run().expect_complaint(1, &["taken exists", "--force"]);
        for store in ["keystead.redb", "./keystead.redb"] {
            back_up(home.path(), store, &["--force"]).run().expect_complaint(1, &["the store itself"]);
        }
        back_up(home.path(), "folder", &["--force"]).run().expect_complaint(1, &["folder is no file"]);
        back_up(home.path(), "/dev/null", &["--force"]).run().expect_complaint(1, &["is no file"]);
        back_up(home.path(), "gone/b", &[]).run().expect_complaint(1, &["cannot write", "gone/b"]);
        assert_eq!(before.len(), contents(home.path()).len());
        assert_eq!(fs::read(home.path().join("taken")).expect("readable"), b"mine");
    };

    try_all();
    let service = Service::start(home.path());
    try_all();
    back_up(home.path(), "taken", &["--force"]).run().expect(0);
    service.terminate();

    let elsewhere = configured("");
    restore(elsewhere.path(), &home.path().join("taken"), &[]).run().expect(0);
    let again = restore(elsewhere.path(), &home.path().join("taken"), &[]).run();
    again.expect_complaint(1, &["keystead.redb exists", "--force"]);
    let itself = elsewhere.path().join("keystead.redb");
    restore(elsewhere.path(), &itself, &["--force"]).run().expect_complaint(1, &["the store itself"]);
    Service::start(elsewhere.path()).logged_in(ADA);
}

#[test]
fn without_a_store_there_is_no_backup_and_none_is_made() {
    let home = configured("");

    back_up(home.path(), "b", &[]).run().expect_complaint(1, &["no store at"]);

    assert_eq!(names(home.path()), ["auth.toml"]);
}

#[test]
fn nothing_is_put_back_while_the_store_is_in_use() {
    let home = configured("");
    create_superuser(home.path(), ADA);
    back_up(home.path(), "b", &[]).run().expect(0);
    create_superuser(home.path(), "bob@example.com");
    let service = Service::start(home.path());
    let file = home.path().join("b");

    for more in [&[][..], &["--force"]] {
        restore(home.path(), &file, more).run().expect_complaint(1, &["keystead.redb is in use", "stop"]);
    }
    // Nor is a store that somebody writes to a backup.
    let elsewhere = configured("");
    let live = home.path().join("keystead.redb");
    restore(elsewhere.path(), &live, &[]).run().expect_complaint(1, &["keystead.redb is in use"]);
    assert_eq!(names(elsewhere.path()), ["auth.toml"]);

    let tokens = service.logged_in("bob@example.com");
    service.terminate();
    restore(home.path(), &file, &["--force"]).run().expect(0);
    let service = Service::start(home.path());
    service.logged_in(ADA);
    service.try_log_in("bob@example.com", PASSWORD).expect(401);
    assert_dead(&service, &tokens);
}

/// The number of a user whom an administrator makes now.
fn next_number(service: &Service, name: &str) -> u64 {
    let root = service.logged_in(ADA).access;
    let body = json!({ "username": name });
    let made = service.client().send("POST", "/auth/admin/users/", Some(&root), Some(&body));
    made.expect("an answer").expect(201).body["id"].as_u64().expect("a number")
}

#[test]
fn no_number_comes_back_with_a_backup_and_no_key_unless_it_is_asked_for() {
    let home = configured("");
    create_superuser(home.path(), ADA);
    let service = Service::start(home.path());
    let key = service.api_key(&service.logged_in(ADA).access, "Gateway");
    back_up(home.path(), "b", &[]).run().expect(0);
    let last = next_number(&service, "bob");
    service.get_as(&key, "/auth/profile/").expect(200);
    service.terminate();
    let file = home.path().join("b");

    let restored = restore(home.path(), &file, &["--force"]).run().expect(0);

    assert!(restored.stdout.contains("all API keys are revoked"), "{restored:?}");
    let service = Service::start(home.path());
    service.get_as(&key, "/auth/profile/").expect_problem(401, "invalid_token");
    assert_eq!(next_number(&service, "carol"), last + 1);
    service.terminate();
    check(home.path());

    // Where nobody knows how many there were since.
    let elsewhere = configured("");
    restore(elsewhere.path(), &file, &["--keep-api-keys"]).run().expect(0);
    let service = Service::start(elsewhere.path());
    service.get_as(&key, "/auth/profile/").expect(200);
    assert!(next_number(&service, "dave") > 1_000_000);
}

#[test]
fn a_link_that_leads_nowhere_is_named() {
    let home = configured("");
    create_superuser(home.path(), ADA);
    back_up(home.path(), "b", &[]).run().expect(0);
    let elsewhere = configured("");
    let link = elsewhere.path().join("keystead.redb");
    std::os::unix::fs::symlink("gone.redb", &link).expect("a link");

    let restored = restore(elsewhere.path(), &home.path().join("b"), &["--force"]).run();

    restored.expect_complaint(1, &["keystead.redb is a link to a file that is not there"]);
    assert!(fs::symlink_metadata(&link).expect("still there").is_symlink());
}

#[test]
fn that_a_backup_was_made_is_in_the_audit_log() {
    let home = configured("");
    create_superuser(home.path(), ADA);

    back_up(home.path(), "first", &[]).run().expect(0);
    let service = Service::start(home.path());
    back_up(home.path(), "second", &[]).run().expect(0);

    let root = service.logged_in(ADA).access;
    let path = "/auth/admin/events/?kind=store.backed_up";
    let events = service.get_as(&root, path).expect(200).body["results"].clone();
    assert_eq!(events.as_array().map(Vec::len), Some(2));
    assert!(
        events[0]["actor"].is_null()
            && events[0]["detail"].as_str().is_some_and(|told| told.ends_with(" rows"))
    );
}

#[test]
fn what_is_no_whole_backup_is_refused_and_nothing_is_written() {
    let home = configured("");
    create_superuser(home.path(), ADA);
    back_up(home.path(), "b", &[]).run().expect(0);
    let whole = fs::read(home.path().join("b")).expect("readable");
    let mut damaged: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"x".to_vec(),
        vec![0x55; whole.len()],
        whole[..whole.len() / 2].to_vec(),
        whole[..whole.len() - 1].to_vec(),
    ];
    // A flipped byte of a row that is there.
    let at = whole.windows(ADA.len()).position(|window| window == ADA.as_bytes()).expect("her address");
    let mut flipped = whole.clone();
    flipped[at] ^= 0x20;
    damaged.push(flipped);
    let (with_store, without) = (configured(""), configured(""));
    create_superuser(with_store.path(), "bob@example.com");
    let source = empty_folder();
    let file = source.path().join("b");
    let refuse = |part: &str| {
        let read = fs::read(&file).ok();
        for folder in [with_store.path(), without.path()] {
            let before = contents(folder);
            restore(folder, &file, &["--force"]).run().expect_complaint(1, &[part]);
            assert!(contents(folder) == before, "something was written");
        }
        assert!(fs::read(&file).ok() == read);
    };

    for bytes in damaged {
        fs::write(&file, bytes).expect("writable");
        refuse("nothing was written");
    }
    fs::remove_file(&file).expect("removed");
    refuse("cannot read");
    // A database of something else.
    drop(redb::Database::create(&file).expect("a database"));
    refuse("not a keystead store");
    fs::remove_file(&file).expect("removed");
    fs::create_dir(&file).expect("a folder");
    refuse("it is no file");
}

#[test]
fn a_damaged_store_is_not_copied_and_gives_way_to_a_backup() {
    let home = configured("");
    create_superuser(home.path(), ADA);
    back_up(home.path(), "b", &[]).run().expect(0);
    let store = home.path().join("keystead.redb");
    fs::write(&store, "no database").expect("writable");

    back_up(home.path(), "c", &[]).run().expect(1);
    restore(home.path(), &home.path().join("b"), &["--force"]).run().expect(0);

    assert!(!home.path().join("c").exists());
    check(home.path());
    Service::start(home.path()).logged_in(ADA);
}

#[test]
fn a_backup_that_is_killed_leaves_no_half_of_it() {
    let home = configured("");
    create_superuser(home.path(), ADA);

    for pause in [0, 5, 15, 30, 60] {
        let backup = back_up(home.path(), "b", &["--force"]).spawn();
        thread::sleep(std::time::Duration::from_millis(pause));
        drop(backup);
        if home.path().join("b").exists() {
            let elsewhere = configured("");
            restore(elsewhere.path(), &home.path().join("b"), &[]).run().expect(0);
        }
    }

    check(home.path());
}
