//! What the configuration declares, as the real binary applies it: what it logs, and what stops it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::{Ended, PASSWORD, Service, empty_folder, keystead};

const BASE: &str = "server.listen = \"127.0.0.1:0\"\npasswords.memory_kib = 64\npasswords.iterations = 1\n\
                    limits.enabled = false\n";
const DECLARED: &str = "\
[[bootstrap.permissions]]
label = \"blog\"
codename = \"add_post\"
[[bootstrap.groups]]
name = \"Editors\"
permissions = [\"blog.add_post\"]
[[bootstrap.users]]
email = \"ada@example.com\"
is_superuser = true
groups = [\"Editors\"]
password_file = \"ada.password\"
";

fn declare(folder: &Path, declared: &str) {
    fs::write(folder.join("auth.toml"), format!("{BASE}{declared}")).expect("writable");
}

fn declared(text: &str) -> TempDir {
    let folder = empty_folder();
    declare(folder.path(), text);
    fs::write(folder.path().join("ada.password"), format!("{PASSWORD}\r\n")).expect("writable");
    folder
}

fn serve(folder: &Path) -> Ended {
    keystead(folder, &["serve"]).run()
}

/// The lines of the log that tell of what was declared.
fn told(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("bootstrap")).collect()
}

#[test]
fn the_first_start_tells_what_it_made_and_the_second_made_nothing() {
    let folder = declared(DECLARED);

    let service = Service::start(folder.path());
    service.logged_in("ada@example.com");
    let first = service.terminate().stderr;
    fs::remove_file(folder.path().join("ada.password")).expect("there");
    let service = Service::start(folder.path());
    service.logged_in("ada@example.com");
    let second = service.terminate().stderr;

    assert_eq!(told(&first).len(), 3, "{first}");
    for part in [
        "permission blog.add_post is made",
        "group Editors is made: name: none -> \"Editors\"; permissions: +blog.add_post",
        "user 1 is made",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    for log in [&first, &second] {
        assert!(!log.contains(PASSWORD) && !log.contains("ada@example.com"), "{log}");
        assert!(!log.contains("no account yet"), "{log}");
    }
    assert_eq!(told(&second), [""; 0], "{second}");
}

#[test]
fn only_the_service_makes_what_is_declared() {
    let folder = declared(DECLARED);
    keystead(folder.path(), &["createuser", "--username", "bob", "--no-input", "--active"]).run().expect(0);

    for command in ["config", "check", "openapi"] {
        keystead(folder.path(), &[command]).run().expect(0);
    }
    let users = keystead(folder.path(), &["users", "list", "--json"]).run().expect(0).stdout;
    assert!(!users.contains("ada@example.com"), "{users}");

    Service::start(folder.path()).terminate();
    let users = keystead(folder.path(), &["users", "list", "--json"]).run().expect(0).stdout;
    assert!(users.contains("ada@example.com"), "{users}");
    keystead(folder.path(), &["check"]).run().expect(0);
}

#[test]
fn a_slip_in_the_file_stops_the_start_and_makes_nothing() {
    let user = "[[bootstrap.users]]\nusername = \"bob\"\n";
    for (text, parts) in [
        (format!("{DECLARED}{user}emial = \"b\"\n"), &["auth.toml:16: ", "bootstrap.users[1].emial"][..]),
        (
            format!("{DECLARED}{user}password_hash = \"$argon2id$v=19$m=64,t=1,p=1$cut\"\n"),
            &["auth.toml:16: bootstrap.users[1].password_hash: is no whole argon2id hash"],
        ),
        (
            format!("{DECLARED}{user}password_file = \"gone\"\n"),
            &["bootstrap.users[1].password_file: ", "gone cannot be read"],
        ),
        (
            format!("{DECLARED}{user}password_file = \"weak\"\n"),
            &["bootstrap.users[1].password_file: the password in ", "too short"],
        ),
        (
            format!("{DECLARED}{user}password_file = \"endless\"\n"),
            &["bootstrap.users[1].password_file: the password in ", "at most 1024 bytes"],
        ),
    ] {
        let folder = declared(&text);
        fs::write(folder.path().join("weak"), "hunter2\n").expect("writable");
        fs::write(folder.path().join("endless"), "endless".repeat(100_000)).expect("writable");

        let ended = serve(folder.path()).expect_complaint(2, parts);

        assert!(!ended.stderr.contains("hunter2") && !ended.stderr.contains("endlessend"), "{ended:?}");
        assert_eq!(ended.stdout, "");
        declare(folder.path(), "");
        let service = Service::start(folder.path());
        service.process.stderr.wait_for("no account yet");
    }
}

#[test]
fn one_declared_user_is_not_two_people() {
    let folder = declared("");
    let make = |arguments: &[&str]| {
        let arguments = [&["createuser", "--no-input", "--active"], arguments].concat();
        keystead(folder.path(), &arguments).run().expect(0);
    };
    make(&["--email", "ada@example.com"]);
    make(&["--username", "ada"]);

    let both = "[[bootstrap.users]]\nemail = \"ada@example.com\"\nusername = \"ada\"\n";
    declare(folder.path(), both);
    let said = "bootstrap.users[0].username: the address is that of user 1, the username that of user 2";
    serve(folder.path()).expect_complaint(2, &["auth.toml:5: ", said]);

    // One of them could be a stranger: they are told of, and left alone.
    declare(folder.path(), &both.replace("ada@example.com", "countess@example.com"));
    let log = Service::start(folder.path()).terminate().stderr;
    assert!(log.contains("user 2 has the username and another address"), "{log}");
}

#[test]
fn a_declared_hash_opens_the_account_and_is_shown_to_nobody() {
    // From phc-winner-argon2, src/test.c.
    let hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let folder = declared(&format!("[[bootstrap.users]]\nusername = \"bob\"\npassword_hash = \"{hash}\"\n"));

    let service = Service::start(folder.path());

    service.try_log_in("bob", "password").expect(200);
    service.try_log_in("bob", PASSWORD).expect(401);
    let shown = keystead(folder.path(), &["config"]).run().expect(0).stdout;
    assert!(shown.contains("password_hash = \"***\"") && !shown.contains("argon2id$"), "{shown}");
    assert!(!service.terminate().stderr.contains("argon2id$"));
}
