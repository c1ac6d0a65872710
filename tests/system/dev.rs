//! `keystead dev`: logged in at once, on this machine alone, and nothing is left of it.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Keystead, PASSWORD, Service, Tokens, empty_folder, eventually, keystead};

const ADMIN: &str = "admin@example.com";
const ADA: &str = "ada@example.com";
const DEV_PASSWORD: &str = "keystead-dev";

/// On a free port, with temporary files where the test sees them.
fn dev(folder: &Path, arguments: &[&str]) -> Keystead {
    let arguments: Vec<&str> = ["dev"].into_iter().chain(arguments.iter().copied()).collect();
    keystead(folder, &arguments).env("KEYSTEAD_SERVER__LISTEN", "127.0.0.1:0")
}

fn start(folder: &Path, arguments: &[&str]) -> Service {
    Service::of(folder, dev(folder, arguments))
}

/// The token that stands under whoever it is for.
fn printed_token(service: &Service, email: &str) -> String {
    let printed = service.process.stdout.wait_for("\ncurl -H");
    let mut lines = printed.lines().skip_while(|line| !line.starts_with(email));
    lines.nth(1).expect("a token").to_owned()
}

fn persona(service: &Service, email: &str) -> Value {
    let personas = service.get("/dev/personas/").expect(200).body;
    let mut all = personas["results"].as_array().expect("a list").iter();
    all.find(|one| one["user"]["email"] == email).expect("one of them").clone()
}

fn reset(service: &Service) {
    service.client().send("POST", "/dev/reset", None, None).expect("an answer").expect(204);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect()
}

/// What there is of us in the folders for what does not last.
fn left_behind() -> Vec<String> {
    let folders = [std::env::temp_dir(), "/dev/shm".into()];
    let all = folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| names(folder));
    all.filter(|name| name.starts_with("keystead-dev-")).collect()
}

#[test]
fn what_it_prints_is_all_that_a_logged_in_curl_needs() {
    let folder = empty_folder();
    let service = start(folder.path(), &[]);

    for (id, email, is_superuser) in [(1, ADMIN, true), (2, ADA, false)] {
        let token = printed_token(&service, email);
        let profile = service.get_as(&token, "/auth/profile/").expect(200).body;
        assert_eq!((&profile["id"], &profile["email"]), (&json!(id), &json!(email)));
        assert_eq!(profile["is_superuser"], is_superuser);
        assert_eq!(persona(&service, email)["access"], token);
        service.try_log_in(email, DEV_PASSWORD).expect(200);
    }
    let printed = service.process.stdout.text();
    let curl = printed.lines().find(|line| line.starts_with("curl ")).expect("a line to copy").to_owned();
    let overview = service.get_as(&printed_token(&service, ADMIN), "/auth/admin/overview/").expect(200).body;
    assert!(overview["service"].get("database_bytes").is_none(), "the file has no name: {overview}");
    let (token, address) = (printed_token(&service, ADA), service.address);
    assert_eq!(curl, format!("curl -H 'Authorization: Bearer {token}' http://{address}/auth/profile/"));
    assert!(printed.contains(&format!("\nMailbox  http://{address}/dev/mail/\n")), "{printed}");
    service.get("/dev/mail/").expect(200);
}

#[test]
fn mails_are_printed_and_kept() {
    let folder = empty_folder();
    let service = start(folder.path(), &[]);

    service.register("bob@example.com").expect(202);
    let mail = service.get("/dev/mail?to=bob@example.com&wait=5s").expect(200).body;

    let code = mail["code"].as_str().expect("a code");
    service.process.stdout.wait_for("---- mail to bob@example.com ----\n");
    service.process.stdout.wait_for(&format!("\n{code}\n"));
    service.verify("bob@example.com", code).expect(200);
}

#[test]
fn nothing_is_left_of_it_however_it_ends() {
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let folder = empty_folder();
        let service = start(folder.path(), &[]);
        service.register("bob@example.com").expect(202);
        reset(&service);
        // Another test may be starting one: its folder lasts for a moment.
        eventually("nothing to be seen while it runs", || left_behind().is_empty().then_some(()));

        service.process.signal(signal);

        let ended = service.process.end();
        assert_eq!(ended.code, (signal != Signal::KILL).then_some(0), "{ended:?}");
        assert_eq!(names(folder.path()), [""; 0]);
        eventually("nothing left", || left_behind().is_empty().then_some(()));
    }
}

#[test]
fn whoever_waits_for_a_mail_does_not_hold_up_the_end() {
    let folder = empty_folder();
    let service = start(folder.path(), &[]);
    let client = service.client();
    let begun = Instant::now();
    let waiting = thread::spawn(move || client.get("/dev/mail?to=bob@example.com&wait=60s"));
    thread::sleep(Duration::from_millis(200));

    service.terminate();

    waiting.join().expect("no panic").expect("an answer").expect_problem(404, "not_found");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[test]
fn a_configuration_is_taken_if_it_is_named() {
    let folder = empty_folder();
    fs::write(folder.path().join("auth.toml"), "this is no configuration").expect("written");
    let own = "[registration]\nmode = \"closed\"\n[mail]\ntransport = \"directory\"\n[store]\npath = \"own.redb\"\n\
               [[bootstrap.users]]\nemail = \"bob@example.com\"\n";
    fs::write(folder.path().join("own.toml"), own).expect("written");

    let unnamed = start(folder.path(), &[]);
    unnamed.register("eve@example.com").expect(202);
    let named = Service::of(
        folder.path(),
        dev(folder.path(), &["--config", "own.toml"]).env("KEYSTEAD_SITE__NAME", "Acme"),
    );

    named.register("eve@example.com").expect_problem(403, "registration_closed");
    let bob = named.post("/dev/token/", &json!({ "user": "bob@example.com" })).expect(200).body;
    assert_eq!((&bob["user"]["id"], &persona(&named, ADA)["user"]["id"]), (&json!(3), &json!(2)));
    assert!(named.get("/dev/mail/").expect(200).text.contains("<title>Mailbox · Acme</title>"));
    named.post("/auth/password/request_change/", &json!({ "email": ADA })).expect(202);
    named.get("/dev/mail?to=ada@example.com&wait=5s").expect(200);
    let mut left = names(folder.path());
    left.sort();
    assert_eq!(left, ["auth.toml", "own.toml"], "neither a store nor a mail is written");
}

#[test]
fn it_serves_this_machine_and_no_other() {
    let folder = empty_folder();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("open.toml", "server.listen = \"0.0.0.0:0\"\n");
    write("public.toml", "server.public_url = \"https://auth.example.com\"\n");

    let refused = |command: Keystead, parts: &[&str]| {
        let ended = command.run().expect_complaint(2, parts);
        assert_eq!(ended.stdout, "");
    };
    refused(keystead(folder.path(), &["dev", "--config", "open.toml"]), &["open.toml:1: server.listen: "]);
    refused(dev(folder.path(), &["--config", "public.toml"]), &["public.toml:1: server.public_url: "]);
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8000", "example.com:8000", "localhost.example.com:1"] {
        let command = keystead(folder.path(), &["dev"]).env("KEYSTEAD_SERVER__LISTEN", address);
        refused(command, &["environment KEYSTEAD_SERVER__LISTEN: server.listen: ", "127.0.0.1"]);
    }
    for address in ["localhost:0", "127.0.0.9:0"] {
        let command = keystead(folder.path(), &["dev"]).env("KEYSTEAD_SERVER__LISTEN", address);
        Service::of(folder.path(), command).get("/healthz").expect(200);
    }
}

const SEED: &str = "\
[[bootstrap.permissions]]
label = \"shop\"
codename = \"sell\"

[[bootstrap.groups]]
name = \"Sellers\"
permissions = [\"shop.sell\"]

[[bootstrap.users]]
email = \"bob@example.com\"
username = \"bob\"
password = \"bob\"
groups = [\"Sellers\"]

[[bootstrap.users]]
email = \"ada@example.com\"
is_staff = true
password = \"another one\"
";

#[test]
fn a_seed_is_there_at_the_start_and_after_each_reset() {
    let folder = empty_folder();
    fs::write(folder.path().join("seed.toml"), SEED).expect("written");
    let service = start(folder.path(), &["--seed", "seed.toml"]);

    for _ in 0..2 {
        let Tokens { access, .. } = service.try_log_in("bob", "bob").expect(200).tokens();
        let rights = service.get_as(&access, "/auth/profile/permissions/").expect(200).body;
        assert_eq!(rights, json!({ "permissions": ["shop.sell"], "groups": ["Sellers"] }));
        let ada = persona(&service, ADA);
        assert_eq!(
            (&ada["password"], &ada["user"]["is_staff"], &ada["user"]["id"]),
            (&json!("another one"), &json!(true), &json!(2))
        );
        service.try_log_in(ADA, "another one").expect(200);
        assert_eq!(persona(&service, ADMIN)["user"]["id"], 1);
        // Whatever became of it.
        service.register("eve@example.com").expect(202);
        let change = json!({ "old_password": "bob", "new_password": PASSWORD });
        let changed = service.client().send("POST", "/auth/password/change/", Some(&access), Some(&change));
        changed.expect("an answer").expect(204);
        reset(&service);
        service.get_as(&access, "/auth/profile/").expect_problem(401, "invalid_token");
    }
}

#[test]
fn a_bad_seed_stops_the_start_with_file_key_and_reason() {
    let folder = empty_folder();
    for (seed, parts) in [
        ("[[bootstrap.users]]\nemail = \"nobody\"\n", ["seed.toml:1: bootstrap.users[0].email", "refused"]),
        ("[[bootstrap.users]]\nusername = \"x\"\npassword = 7\n", ["users[0].password", "must be a string"]),
        (
            "[[bootstrap.users]]\nemail = \"x@x.example\"\npasword = \"x\"\n",
            ["pasword", "did you mean password?"],
        ),
        (
            "[[bootstrap.users]]\nemail = \"x@x.example\"\npassword = \"x\"\npassword_file = \"x\"\n",
            ["users[0].password", "keep one"],
        ),
        (
            "\n[[bootstrap.users]]\nemail = \"x@x.example\"\ngroups = [\"None\"]\n",
            ["seed.toml:2", "\"None\""],
        ),
        ("[server]\nlisten = \"127.0.0.1:1\"\n", ["seed.toml:2: server.listen", "nothing but [bootstrap]"]),
        ("[[users]]\nemail = \"x@x.example\"\n", ["seed.toml:1", "[bootstrap]"]),
        ("[[bootstrap.users\n", ["seed.toml:1", ""]),
    ] {
        fs::write(folder.path().join("seed.toml"), seed).expect("written");
        dev(folder.path(), &["--seed", "seed.toml"]).run().expect_complaint(2, &parts);
    }
    dev(folder.path(), &["--seed", "gone.toml"]).run().expect_complaint(2, &["gone.toml"]);
    // In a configuration a password is as much refused as ever.
    fs::write(folder.path().join("own.toml"), SEED).expect("written");
    let serve = keystead(folder.path(), &["--config", "own.toml", "serve"]);
    serve.run().expect_complaint(2, &["no password is written here"]);
}

#[test]
fn starting_again_many_times_holds_on_to_nothing() {
    let folder = empty_folder();
    let service = start(folder.path(), &[]);
    let held = |what: &str| {
        let path = format!("/proc/{}/{what}", service.process.id());
        names(Path::new(&path)).len()
    };
    for _ in 0..3 {
        reset(&service);
    }
    let (files, threads) = (held("fd"), held("task"));

    for _ in 0..40 {
        service.register("bob@example.com").expect(202);
        reset(&service);
    }

    eventually("as few files and threads as before", || {
        (held("fd") <= files + 4 && held("task") <= threads + 8).then_some(())
    });
}
