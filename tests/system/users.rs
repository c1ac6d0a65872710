//! `keystead users`, with a server on the same database and without one.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Ended, PASSWORD, Service, configured, keystead};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// Ada rules; Bob is a user.
fn made() -> TempDir {
    let folder = configured("");
    let ada = ["createsuperuser", "--email", ADA, "--username", "ada", "--first-name", "Ada"];
    keystead(folder.path(), &[&ada[..], &["--password-stdin"]].concat()).stdin(PASSWORD).run().expect(0);
    let bob = ["createuser", "--email", BOB, "--active", "--password-stdin"];
    keystead(folder.path(), &bob).stdin(PASSWORD).run().expect(0);
    folder
}

fn users(folder: &Path, arguments: &[&str]) -> Ended {
    keystead(folder, &[&["users"], arguments].concat()).run()
}

fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    let printed = users(folder, &[arguments, &["--json"]].concat()).expect(0).stdout;
    serde_json::from_str(&printed).expect("JSON")
}

fn emails(listed: &Value) -> Vec<&str> {
    listed.as_array().expect("a list").iter().filter_map(|user| user["email"].as_str()).collect()
}

#[test]
fn users_are_listed_searched_and_shown_with_a_server_and_without() {
    let folder = made();
    let look = || {
        let listed = users(folder.path(), &["list"]).expect(0).stdout;
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!(lines.len(), 3, "{listed}");
        assert!(lines[0].starts_with("ID  EMAIL") && lines[0].ends_with("LAST LOGIN"), "{listed}");
        assert!(lines[1].contains(ADA) && lines[1].contains("superuser  active"), "{listed}");
        assert!(lines[2].contains(BOB) && lines[2].contains("user       active"), "{listed}");
        assert_eq!(lines[0].find("STATE"), lines[2].find("active"), "{listed}");
        let first = users(folder.path(), &["list", "--limit", "1"]).expect(0).stdout;
        assert!(
            first.contains(ADA) && first.ends_with("There are more: give --search or a larger --limit\n")
        );

        assert_eq!(emails(&json_of(folder.path(), &["list"])), [ADA, BOB]);
        assert_eq!(emails(&json_of(folder.path(), &["list", "--limit", "1"])), [ADA]);
        for (text, found) in [
            ("BOB", vec![BOB]),
            ("ada", vec![ADA]),
            ("Ada", vec![ADA]),
            ("zoe", vec![]),
            ("^bo", vec![BOB]),
            ("^ob", vec![]),
        ] {
            assert_eq!(emails(&json_of(folder.path(), &["list", "--search", text])), found, "{text}");
        }
        users(folder.path(), &["list", "--search", &"a".repeat(151)]).expect_complaint(1, &["150"]);

        let ada = json_of(folder.path(), &["show", "ada"]);
        assert_eq!((&ada["email"], &ada["groups"]), (&json!(ADA), &json!(["Root"])));
        assert!(ada.get("password").is_none());
        let sheet = users(folder.path(), &["show", ADA]).expect(0).stdout;
        assert!(sheet.contains("role        superuser\n") && sheet.contains("API keys    0\n"), "{sheet}");
        for command in ["show", "disable", "enable", "sessions", "revoke"] {
            users(folder.path(), &[command, "zoe"]).expect_complaint(1, &["no user", "zoe"]);
        }
    };

    look();
    let service = Service::start(folder.path());
    look();
    // The same object as over HTTP.
    let tokens = service.logged_in(ADA);
    let profile = service.get_as(&tokens.access, "/auth/profile/").expect(200).body;
    assert_eq!(json_of(folder.path(), &["show", "ADA"]), profile);
    service.terminate();
}

#[test]
fn whoever_is_disabled_is_out_until_enabled_with_a_server_and_without() {
    let folder = made();
    let service = Service::start(folder.path());
    let tokens = service.logged_in(BOB);
    let key = service.api_key(&tokens.access, "script");

    let disabled = users(folder.path(), &["disable", BOB]).expect(0);

    assert!(disabled.stdout.starts_with("User bob@example.com is disabled"), "{disabled:?}");
    for credential in [&tokens.access, &key] {
        service.get_as(credential, "/auth/profile/").expect(401);
    }
    service.try_log_in(BOB, PASSWORD).expect(401);
    users(folder.path(), &["disable", BOB]).expect(0);
    users(folder.path(), &["enable", BOB]).expect(0);
    service.get_as(&tokens.access, "/auth/profile/").expect(401);
    service.logged_in(BOB);
    service.terminate();

    users(folder.path(), &["disable", BOB]).expect(0);
    let listed = users(folder.path(), &["list"]).expect(0).stdout;
    assert!(listed.lines().any(|line| line.contains(BOB) && line.contains("disabled")), "{listed}");
    Service::start(folder.path()).try_log_in(BOB, PASSWORD).expect(401);
}

#[test]
fn the_last_superuser_stays() {
    let folder = made();
    let refuse = || {
        users(folder.path(), &["disable", "ada"]).expect_complaint(1, &["ada is the last active superuser"]);
    };

    refuse();
    let service = Service::start(folder.path());
    refuse();
    service.logged_in(ADA);
}

#[test]
fn sessions_are_listed_and_all_of_them_ended_with_the_api_keys() {
    let folder = made();
    let service = Service::start(folder.path());
    let held = [service.logged_in(BOB), service.logged_in(BOB)];
    let key = service.api_key(&held[0].access, "script");
    let sessions = || users(folder.path(), &["sessions", BOB]).expect(0).stdout.lines().count() - 1;
    assert_eq!(sessions(), 2);

    let revoked = users(folder.path(), &["revoke", BOB]).expect(0);

    let said = "User bob@example.com is logged out (sessions ended: 2, API keys: 1)\n";
    assert_eq!(revoked.stdout, said);
    assert_eq!(sessions(), 0);
    for tokens in &held {
        service.get_as(&tokens.access, "/auth/profile/").expect(401);
        let refreshed = service.post("/auth/token/refresh/", &json!({ "refresh": tokens.refresh }));
        refreshed.expect_problem(401, "invalid_token");
    }
    service.get_as(&key, "/auth/profile/").expect(401);
    let again = service.logged_in(BOB);
    service.terminate();
    assert_eq!(sessions(), 1);
    users(folder.path(), &["revoke", BOB]).expect(0);
    Service::start(folder.path()).get_as(&again.access, "/auth/profile/").expect(401);
}
