//! The link to the first administrator, as an operator finds it in the log of the real binary.

use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Service, configured, keystead};

const ROOT: &str = "root@example.com";
const OFFER: &str = "no account yet: open ";

/// The path of the link in the log, once it is there.
fn link(service: &Service) -> String {
    let log = service.process.stderr.wait_for(" to make the first administrator");
    let (_, rest) = log.split_once(OFFER).expect("a link");
    let link = rest.split(' ').next().expect("an end");
    let path = link.strip_prefix(&format!("http://{}", service.address));
    path.unwrap_or_else(|| panic!("{link} leads elsewhere")).to_owned()
}

fn token_of(path: &str) -> String {
    path.strip_prefix("/account/setup/?token=").expect("the page").to_owned()
}

fn set_up(service: &Service, token: &str, email: &str) -> Answer {
    service.post("/account/setup/", &json!({ "token": token, "email": email, "password": PASSWORD }))
}

/// What a service in this folder says when it starts.
fn advice(folder: &Path, wait_for: &str) -> String {
    let service = Service::start(folder);
    service.process.stderr.wait_for(wait_for);
    service.terminate().stderr
}

#[test]
fn the_first_administrator_comes_from_the_link_in_the_log() {
    let folder = configured("log.level = \"trace\"");
    let service = Service::start(folder.path());
    let path = link(&service);
    let token = token_of(&path);

    assert!(service.get(&path).expect(200).text.contains(&token));
    set_up(&service, &token, ROOT).expect(201);
    set_up(&service, &token, "eve@example.com").expect_problem(400, "invalid_token");
    service.get(&path).expect(400);
    service.logged_in(ROOT);

    let ended = service.terminate();
    assert_eq!(ended.stderr.matches(&token).count(), 1, "{}", ended.stderr);
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    assert!(!ended.stderr.contains(PASSWORD) && !ended.stderr.contains(ROOT), "{}", ended.stderr);
    let service = Service::start(folder.path());
    service.logged_in(ROOT);
    let log = service.terminate().stderr;
    assert!(!log.contains(OFFER) && !log.contains("createsuperuser"), "{log}");
}

#[test]
fn a_restart_ends_the_link_and_offers_another() {
    let folder = configured("");
    let service = Service::start(folder.path());
    let first = link(&service);

    let service = service.killed_and_started();

    let second = link(&service);
    assert_ne!(first, second);
    service.get(&first).expect(400);
    set_up(&service, &token_of(&first), ROOT).expect_problem(400, "invalid_token");
    service.get(&second).expect(200);
}

#[test]
fn of_twenty_at_once_one_is_the_superuser() {
    let folder = configured("");
    let service = Service::start(folder.path());
    let token = token_of(&link(&service));

    let tries: Vec<_> = (0..20)
        .map(|n| {
            let body =
                json!({ "token": token, "email": format!("root-{n}@example.com"), "password": PASSWORD });
            let client = service.client();
            thread::spawn(move || client.post("/account/setup/", &body).expect("an answer").status)
        })
        .collect();
    let outcomes: Vec<u16> = tries.into_iter().map(|one| one.join().expect("an answer")).collect();

    assert_eq!(outcomes.iter().filter(|status| **status == 201).count(), 1, "{outcomes:?}");
    let listed = keystead(folder.path(), &["users", "list", "--json"]).run().expect(0).stdout;
    let users: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(users.as_array().map(Vec::len), Some(1), "{listed}");
}

#[test]
fn the_link_and_the_environment_make_one_superuser_between_them() {
    let folder = configured("");
    let service = Service::start(folder.path());
    let token = token_of(&link(&service));

    let starts: Vec<_> = (0..4)
        .map(|n| {
            let init = keystead(folder.path(), &["initdefaultadmin"]);
            let email = format!("init-{n}@example.com");
            init.env("DEFAULT_ADMIN_EMAIL", &email).env("DEFAULT_ADMIN_PASSWORD", PASSWORD).spawn()
        })
        .collect();
    let by_link: Vec<u16> =
        (0..8).map(|n| set_up(&service, &token, &format!("link-{n}@example.com")).status).collect();
    let by_command: Vec<String> = starts.into_iter().map(|start| start.end().expect(0).stdout).collect();

    let made = by_link.iter().filter(|status| **status == 201).count()
        + by_command.iter().filter(|said| said.ends_with(" created\n")).count();
    assert_eq!(made, 1, "{by_link:?} {by_command:?}");
}

#[test]
fn a_superuser_of_the_command_line_ends_the_link() {
    let folder = configured("");
    let service = Service::start(folder.path());
    let path = link(&service);

    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    keystead(folder.path(), &arguments).stdin(&format!("{PASSWORD}\n")).run().expect(0);

    service.get(&path).expect(400);
    set_up(&service, &token_of(&path), "eve@example.com").expect_problem(400, "invalid_token");
}

#[test]
fn the_link_is_told_whatever_the_log_tells() {
    for level in ["off", "error", "keystead=error,hyper=debug"] {
        let folder = configured(&format!("log.level = \"{level}\""));
        let log = advice(folder.path(), OFFER);
        assert_eq!(log.lines().count(), 1, "{level}: {log}");
    }
    let folder = configured("log.level = \"off\"\nlog.format = \"json\"");
    let line: Value = serde_json::from_str(&advice(folder.path(), OFFER)).expect("JSON");
    assert!(line["message"].as_str().is_some_and(|message| message.starts_with(OFFER)), "{line}");
}

#[test]
fn where_somebody_could_read_along_the_command_line_is_named() {
    let folder = configured("server.listen = \"0.0.0.0:0\"");
    let log = advice(folder.path(), "keystead createsuperuser");
    assert!(!log.contains(OFFER), "{log}");
}

#[test]
fn links_that_lead_elsewhere_are_warned_of() {
    const WARNING: &str = "set server.public_url";
    let folder = configured("");
    assert!(advice(folder.path(), OFFER).contains(WARNING));

    let folder = configured("server.public_url = \"http://127.0.0.1:8000\"");
    assert!(!advice(folder.path(), OFFER).contains(WARNING));
}
