//! What an operator does without a browser: the first superuser, looking after users, sweeping.

use std::fs;
use std::path::Path;

use crate::harness::{Keystead, PASSWORD, Service, configured, eventually, keystead};

const ADA: &str = "ada@example.com";
const ROOT: &str = "root@example.com";

fn init(folder: &Path) -> Keystead {
    keystead(folder, &["initdefaultadmin"])
}

fn init_with_variables(folder: &Path) -> Keystead {
    init(folder).env("DEFAULT_ADMIN_EMAIL", ROOT).env("DEFAULT_ADMIN_PASSWORD", PASSWORD)
}

#[test]
fn the_first_superuser_comes_from_the_environment_once() {
    let folder = configured("");

    let made = init_with_variables(folder.path()).run().expect(0);
    let again = init_with_variables(folder.path()).env("DEFAULT_ADMIN_EMAIL", ADA).run().expect(0);

    assert_eq!((made.stdout.as_str(), made.stderr.as_str()), ("User root@example.com created\n", ""));
    assert_eq!(again.stdout, "There is a superuser: nothing to do\n");
    // The variables may be gone by then.
    assert_eq!(init(folder.path()).run().expect(0).stdout, again.stdout);
    let service = Service::start(folder.path());
    let tokens = service.logged_in(ROOT);
    assert_eq!(service.get_as(&tokens.access, "/auth/profile/").expect(200).body["is_superuser"], true);
    assert_eq!(init_with_variables(folder.path()).run().expect(0).stdout, again.stdout);
}

#[test]
fn the_first_superuser_comes_from_dot_env_while_a_server_runs() {
    let folder = configured("");
    let text = format!("DEFAULT_ADMIN_EMAIL={ROOT}\nDEFAULT_ADMIN_PASSWORD='{PASSWORD}'\n");
    fs::write(folder.path().join(".env"), text).expect("writable");
    let service = Service::start(folder.path());

    init(folder.path()).run().expect(0);

    service.logged_in(ROOT);
    let ended = service.terminate();
    assert!(!ended.stderr.contains(PASSWORD), "{ended:?}");
}

#[test]
fn no_superuser_without_both_variables_and_a_good_password() {
    let folder = configured("");
    let refuse = || {
        init(folder.path()).run().expect_complaint(1, &["DEFAULT_ADMIN_EMAIL and DEFAULT_ADMIN_PASSWORD"]);
        init_with_variables(folder.path())
            .env("DEFAULT_ADMIN_EMAIL", " ")
            .run()
            .expect_complaint(1, &["DEFAULT_ADMIN_EMAIL is not set"]);
        init_with_variables(folder.path())
            .env("DEFAULT_ADMIN_PASSWORD", "")
            .run()
            .expect_complaint(1, &["DEFAULT_ADMIN_PASSWORD is not set"]);
        let weak = init_with_variables(folder.path()).env("DEFAULT_ADMIN_PASSWORD", "hunter2").run();
        let weak = weak.expect_complaint(1, &["password is refused", "at least 8 characters"]);
        assert!(!weak.stderr.contains("hunter2"), "{weak:?}");
    };

    refuse();
    assert!(!folder.path().join("keystead.redb").exists());
    let service = Service::start(folder.path());
    refuse();
    service.terminate();
}

#[test]
fn of_many_starts_at_once_one_makes_the_superuser() {
    let race = |folder: &Path| {
        let starts: Vec<_> = (0..6)
            .map(|number| {
                let email = format!("root-{number}@example.com");
                init_with_variables(folder).env("DEFAULT_ADMIN_EMAIL", &email).spawn()
            })
            .collect();
        let ends: Vec<_> = starts.into_iter().map(|start| start.end().expect(0).stdout).collect();
        ends.iter().filter(|said| said.ends_with(" created\n")).count()
    };
    let folder = configured("");
    assert_eq!(race(folder.path()), 1);

    let folder = configured("");
    let service = Service::start(folder.path());
    assert_eq!(race(folder.path()), 1);
    service.terminate();
}

#[test]
fn completions_and_manual_pages_come_without_configuration_and_store() {
    let folder = configured("");
    fs::write(folder.path().join("auth.toml"), "nonsense").expect("writable");
    let print = |arguments: &[&str]| {
        let ended = keystead(folder.path(), arguments).run().expect(0);
        assert_eq!(ended.stderr, "");
        ended.stdout
    };

    for shell in ["bash", "zsh", "fish"] {
        let script = print(&["completions", shell]);
        for word in ["initdefaultadmin", "flushexpiredtokens", "password-stdin", "force"] {
            assert!(script.contains(word), "no {word} for {shell}");
        }
    }
    let page = print(&["man"]);
    assert!(page.contains(".TH keystead 1") && page.contains("backup"), "{page}");
    let page = print(&["man", "backup"]);
    assert!(page.contains("FILE") && page.contains("force"), "{page}");
    keystead(folder.path(), &["man", "dance"]).run().expect_complaint(1, &["no command dance"]);
    keystead(folder.path(), &["completions", "tcsh"]).run().expect(2);
    assert!(!folder.path().join("keystead.redb").exists());
}

#[test]
fn what_has_expired_is_swept_now_with_a_server_and_without() {
    let folder = configured(
        "registration.verification = \"none\"\n\
         tokens.access_ttl = \"1s\"\n\
         tokens.refresh_ttl = \"1s\"\n\
         tokens.session_ttl = \"1s\"",
    );
    let flush = || keystead(folder.path(), &["flushexpiredtokens"]).run();
    flush().expect_complaint(1, &["no store at"]);
    let count = |what: &str| {
        let swept = flush().expect(0).stdout;
        let line = swept.lines().find(|line| line.ends_with(what)).expect("a line").trim_start();
        line.split(' ').next().expect("a number").parse::<u32>().expect("a number")
    };
    let service = Service::start(folder.path());
    service.register(ADA).expect(201);
    service.logged_in(ADA);
    eventually("the session ran out", || (count("sessions that ran out") == 1).then_some(()));
    assert_eq!(count("sessions that ran out"), 0);

    service.logged_in(ADA);
    service.terminate();
    eventually("the session ran out", || (count("sessions that ran out") == 1).then_some(()));
}
