//! `keystead serve`: how it starts, what it prints, how it ends.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{
    Answer, PASSWORD, Service, code_in, configured, empty_folder, eventually, keystead, program,
};

#[test]
fn the_first_line_says_where_it_listens_and_connections_are_taken_then() {
    let folder = configured("");

    let service = Service::start(folder.path());

    service.get("/healthz").expect(200);
    service.get("/readyz").expect(200);
    let address = service.address;
    let ended = service.terminate();
    assert_eq!(ended.stdout, format!("keystead listening on http://{address}\n"));
    assert!(ended.stderr.contains("stopping"), "{ended:?}");
}

#[test]
fn an_empty_folder_will_do_and_what_is_made_in_it_is_private() {
    let folder = empty_folder();
    let serve = ["-c", "umask 000; exec \"$0\" serve", env!("CARGO_BIN_EXE_keystead")];

    let command = program(folder.path(), "sh", &serve).env("KEYSTEAD_SERVER__LISTEN", "127.0.0.1:0");
    let service = Service::of(folder.path(), command);

    assert_eq!(names(folder.path()), ["keystead.redb", "keystead.redb.control"]);
    assert_eq!(mode(&folder.path().join("keystead.redb")), 0o600);
    assert_eq!(mode(&folder.path().join("keystead.redb.control")), 0o600);
    service.register("ada@example.com").expect(202);
    let printed = service.process.stdout.wait_for("---- mail to ada@example.com ----\n");
    assert!(printed.starts_with("keystead listening on http://127.0.0.1:"), "{printed}");
    let code = eventually("the code", || code_in(&service.process.stdout.text()));
    service.verify("ada@example.com", &code).expect(200);
    service.terminate();
    assert_eq!(names(folder.path()), ["keystead.redb"]);
    assert_eq!(mode(&folder.path().join("keystead.redb")), 0o600);
}

#[test]
fn a_signal_ends_it_in_order_whatever_connections_are_open() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = configured("");
        let service = Service::start(folder.path());
        let silent = service.client().connect().expect("connected");
        let mut half_sent = service.client().connect().expect("connected");
        half_sent.write_all(b"GET /healthz HTTP/1.1\r\nHos").expect("sent");
        let mut idle = service.client().connect().expect("connected");
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
        assert!(read_some(&mut idle).starts_with("HTTP/1.1 200"));

        service.process.signal(signal);

        let ended = service.process.end().expect(0);
        assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
        drop((silent, half_sent, idle));
        let next = Service::start(folder.path());
        next.get("/readyz").expect(200);
    }
}

#[test]
fn a_request_in_flight_is_finished() {
    let folder = configured("");
    let service = Service::start(folder.path());
    let (mut stream, body) = request_in_flight(&service);

    service.process.signal(Signal::TERM);
    service.process.stderr.wait_for("stopping");
    stream.write_all(body.as_bytes()).expect("sent");

    Answer::read(&mut stream).expect("an answer").expect(202);
    service.process.end().expect(0);
    let next = Service::start(folder.path());
    let code = next.mail_to("ada@example.com").code();
    next.verify("ada@example.com", &code).expect(200);
}

#[test]
fn a_second_signal_does_not_wait() {
    let folder = configured("");
    let service = Service::start(folder.path());
    let (mut stream, _) = request_in_flight(&service);

    service.process.signal(Signal::TERM);
    service.process.stderr.wait_for("stopping");
    service.process.signal(Signal::INT);

    service.process.end().expect(1);
    assert!(Answer::read(&mut stream).is_err());
}

#[test]
fn a_second_server_on_the_same_database_is_refused() {
    let folder = configured("");
    let service = Service::start(folder.path());

    let second = keystead(folder.path(), &["serve"]).run();

    second.expect_complaint(1, &["keystead.redb", "already open by another process"]);
    service.get("/readyz").expect(200);
    keystead(folder.path(), &["keys", "list"]).run().expect(0);
}

#[test]
fn a_server_waits_for_a_command_that_has_the_store() {
    let folder = configured("");
    Service::start(folder.path()).terminate();
    let store = fs::File::options().read(true).write(true).open(folder.path().join("keystead.redb"));
    let store = store.expect("a store");
    store.lock().expect("ours");
    let command = thread::spawn(move || {
        thread::sleep(Duration::from_millis(700));
        drop(store);
    });

    let service = Service::start(folder.path());

    service.get("/readyz").expect(200);
    command.join().expect("no panic");
}

#[test]
fn an_address_in_use_is_told_and_nothing_is_created() {
    let folder = configured("");
    let service = Service::start(folder.path());
    let other = empty_folder();
    let address = service.address.to_string();

    let second = keystead(other.path(), &["serve"]).env("KEYSTEAD_SERVER__LISTEN", &address).run();

    second.expect_complaint(1, &["address in use", &address]);
    assert!(names(other.path()).is_empty());
}

#[test]
fn the_log_says_how_to_make_the_first_superuser_while_there_is_none() {
    let folder = configured("");
    let advice = "run `keystead createsuperuser`";
    let service = Service::start(folder.path());
    service.process.stderr.wait_for(advice);

    let create = ["createsuperuser", "--email", "root@example.com", "--password-stdin"];
    keystead(folder.path(), &create).stdin(PASSWORD).run().expect(0);
    service.terminate();

    let service = Service::start(folder.path());
    service.logged_in("root@example.com");
    assert!(!service.terminate().stderr.contains(advice));
}

/// A registration whose head the service has read, and asked for the body of; and that body.
fn request_in_flight(service: &Service) -> (TcpStream, String) {
    let body = format!("{{\"email\":\"ada@example.com\",\"password\":\"{PASSWORD}\"}}");
    let mut stream = service.client().connect().expect("connected");
    let head = format!(
        "POST /auth/register/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    assert!(read_some(&mut stream).starts_with("HTTP/1.1 100"));
    (stream, body)
}

fn read_some(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).expect("an answer");
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
    names.retain(|name| name != "auth.toml");
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o7777
}

#[test]
fn when_a_key_was_used_is_written_down_before_it_ends() {
    let folder = configured("registration.verification = \"none\"");
    let service = Service::start(folder.path());
    service.register("ada@example.com").expect(201);
    let access = service.logged_in("ada@example.com").access;
    let key = service.api_key(&access, "Nightly backup");
    service.get_as(&key, "/auth/profile/").expect(200);
    let last_used = |service: &Service| {
        let keys = service.get_as(&access, "/auth/api-keys/").expect(200).body;
        keys["results"][0]["last_used_at"].as_str().map(str::to_owned)
    };
    let noted = last_used(&service).expect("used");

    service.terminate();

    let service = Service::start(folder.path());
    assert_eq!(last_used(&service), Some(noted));
    service.terminate();
}
