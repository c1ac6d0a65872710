//! The commands, with a server on the same database and without one.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{
    Ended, Keystead, PASSWORD, Service, configured, empty_folder, keystead, lacks, mails, program,
};

const ADA: &str = "ada@example.com";

fn create(folder: &Path, command: &str, more: &[&str]) -> Keystead {
    keystead(folder, &[&[command], more].concat())
}

fn check(folder: &Path) -> Ended {
    let checked = keystead(folder, &["check"]).run().expect(0);
    assert!(checked.stdout.ends_with("sound\n"), "{checked:?}");
    checked
}

#[test]
fn a_superuser_is_made_without_a_server_and_logs_in_later() {
    let folder = configured("");
    let options =
        ["--email", "Ada@Example.com", "--username", "ada", "--first-name", "Ada", "--last-name", "L"];

    let created = create(folder.path(), "createsuperuser", &[&options[..], &["--password-stdin"]].concat())
        .stdin(&format!("{PASSWORD}\nnot this line\n"))
        .run()
        .expect(0);

    assert!(created.stdout.eq_ignore_ascii_case("User ada@example.com created\n"), "{created:?}");
    assert_eq!(created.stderr, "");
    check(folder.path());
    let service = Service::start(folder.path());
    let tokens = service.logged_in("ada");
    let profile = service.get_as(&tokens.access, "/auth/profile/").expect(200).body;
    assert_eq!(profile["full_name"], "Ada L");
    for claim in ["is_active", "is_staff", "is_superuser"] {
        assert_eq!(profile[claim], true, "{claim}");
    }
    service.logged_in(ADA);
}

#[test]
fn a_superuser_is_made_while_a_server_runs_and_logs_in_at_once() {
    let folder = configured("");
    let service = Service::start(folder.path());

    let options = ["--email", ADA, "--password-stdin"];
    let created = create(folder.path(), "createsuperuser", &options).stdin(PASSWORD).run().expect(0);

    assert_eq!(created.stdout, "User ada@example.com created\n");
    let tokens = service.logged_in(ADA);
    assert_eq!(service.get_as(&tokens.access, "/auth/profile/").expect(200).body["is_superuser"], true);
    check(folder.path());
    service.kill();
    check(folder.path());
}

#[test]
fn without_input_the_environment_names_the_superuser_and_options_win() {
    let folder = configured("");
    let preset = |command: Keystead| {
        command
            .env("DJANGO_SUPERUSER_USERNAME", "root")
            .env("DJANGO_SUPERUSER_EMAIL", "root@example.com")
            .env("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    };

    preset(create(folder.path(), "createsuperuser", &["--no-input"])).run().expect(0);
    let options = ["--no-input", "--email", ADA, "--username", "ada"];
    preset(create(folder.path(), "createsuperuser", &options)).run().expect(0);
    // For other users the names mean nothing.
    let refused = preset(create(folder.path(), "createuser", &["--no-input", "--active"])).run();

    refused.expect_complaint(1, &["--email or --username"]);
    let service = Service::start(folder.path());
    for name in ["root", "root@example.com", "ada", ADA] {
        service.logged_in(name);
    }
}

#[test]
fn without_input_and_password_the_account_opens_to_no_password() {
    let folder = configured("");

    let created = create(folder.path(), "createsuperuser", &["--no-input", "--username", "ada"]).run();

    assert_eq!(created.expect(0).stdout, "User ada created\n");
    let service = Service::start(folder.path());
    for password in [PASSWORD, "!", "None"] {
        service.try_log_in("ada", password).expect_problem(401, "invalid_credentials");
    }
}

#[test]
fn what_is_wrong_with_an_account_is_told_in_one_line_and_nothing_is_made() {
    let folder = configured("");
    let refused: [(&[&str], &str, &[&str]); 8] = [
        (&["--no-input"], "", &["--email or --username"]),
        (&["--password-stdin"], PASSWORD, &["--email or --username"]),
        (&["--email", ADA], "", &["not a terminal", "--password-stdin"]),
        (&["--email", "ada", "--password-stdin"], PASSWORD, &["email is refused"]),
        (&["--email", ADA, "--username", "a b", "--password-stdin"], PASSWORD, &["username is refused"]),
        (&["--email", ADA, "--password-stdin"], "short", &["password is refused", "at least 8 characters"]),
        (&["--email", ADA, "--password-stdin"], "\n", &["no password on stdin"]),
        (&["--email", ADA, "--password-stdin"], "", &["no password on stdin"]),
    ];

    for (options, stdin, parts) in refused {
        let ended = create(folder.path(), "createsuperuser", options).stdin(stdin).run();
        let ended = ended.expect_complaint(1, parts);
        assert!(ended.stdout.is_empty() && !ended.stderr.contains(PASSWORD), "{ended:?}");
    }

    assert!(!folder.path().join("keystead.redb").exists());
}

#[test]
fn a_weak_password_is_taken_when_that_is_said() {
    let folder = configured("");
    let options = ["--email", ADA, "--password-stdin", "--allow-weak-password"];

    create(folder.path(), "createsuperuser", &options).stdin("short\n").run().expect(0);

    let service = Service::start(folder.path());
    service.try_log_in(ADA, "short").expect(200);
    // The process that has the store looks again, with the same answer.
    create(folder.path(), "createsuperuser", &["--email", "bob@example.com", "--password-stdin"])
        .stdin("short\n")
        .run()
        .expect_complaint(1, &["at least 8 characters"]);
}

#[test]
fn a_taken_address_or_name_is_refused_with_a_server_and_without() {
    let folder = configured("");
    let options = ["--no-input", "--email", ADA, "--username", "ada"];
    create(folder.path(), "createsuperuser", &options).run().expect(0);
    let refuse = || {
        let taken = ["--no-input", "--email", "ADA@example.com"];
        create(folder.path(), "createsuperuser", &taken).run().expect_complaint(1, &["email is refused"]);
        let taken = ["--no-input", "--username", "ADA"];
        create(folder.path(), "createsuperuser", &taken).run().expect_complaint(1, &["username is refused"]);
    };

    refuse();
    let service = Service::start(folder.path());
    refuse();
    service.terminate();
}

#[test]
fn the_rules_know_the_account_that_is_made() {
    let folder = configured("");
    let options = ["--email", "lovelace@example.com", "--username", "countess", "--password-stdin"];

    for (password, reason) in [
        ("countess-1", "too similar to the username"),
        ("lovelacelovelace", "too similar to the email address"),
        ("passwordpassword", "too common"),
        ("123456789012345", "entirely numeric"),
    ] {
        let refused = create(folder.path(), "createsuperuser", &options).stdin(password).run();
        refused.expect_complaint(1, &["password is refused", reason]);
    }
}

const OTHER_PASSWORD: &str = "another fine horse";

fn change(folder: &Path, user: &str, more: &[&str]) -> Keystead {
    keystead(folder, &[&["changepassword", user, "--password-stdin"], more].concat())
}

#[test]
fn a_changed_password_ends_every_session_with_a_server_and_without() {
    let folder = configured("");
    let options = ["--email", ADA, "--username", "ada", "--password-stdin"];
    create(folder.path(), "createsuperuser", &options).stdin(PASSWORD).run().expect(0);
    let service = Service::start(folder.path());
    let held = [service.logged_in(ADA), service.logged_in("ada")];
    let expect_dead = |service: &Service| {
        for tokens in &held {
            service.get_as(&tokens.access, "/auth/profile/").expect_problem(401, "invalid_token");
            let refreshed = service.post("/auth/token/refresh/", &json!({ "refresh": tokens.refresh }));
            refreshed.expect_problem(401, "invalid_token");
        }
    };

    let changed = change(folder.path(), "ADA@example.com", &[]).stdin(OTHER_PASSWORD).run().expect(0);

    assert_eq!(
        (changed.stdout.as_str(), changed.stderr.as_str()),
        ("Password of ada@example.com changed\n", "")
    );
    expect_dead(&service);
    service.try_log_in(ADA, PASSWORD).expect_problem(401, "invalid_credentials");
    let tokens = service.try_log_in(ADA, OTHER_PASSWORD).expect(200).tokens();
    service.kill();

    change(folder.path(), "ada", &[]).stdin(&format!("{PASSWORD}\n")).run().expect(0);

    check(folder.path());
    let service = Service::start(folder.path());
    expect_dead(&service);
    service.get_as(&tokens.access, "/auth/profile/").expect_problem(401, "invalid_token");
    service.try_log_in("ada", OTHER_PASSWORD).expect_problem(401, "invalid_credentials");
    service.logged_in("ada");
}

#[test]
fn a_password_that_cannot_be_changed_is_told_in_one_line_and_nothing_is_touched() {
    let folder = configured("");
    change(folder.path(), ADA, &[]).stdin(PASSWORD).run().expect_complaint(1, &["no store at"]);
    let options = ["--email", ADA, "--last-name", "Lovelace", "--password-stdin"];
    create(folder.path(), "createsuperuser", &options).stdin(PASSWORD).run().expect(0);
    let refuse_all = || {
        for (user, password, parts) in [
            ("bob@example.com", OTHER_PASSWORD, &["no user has", "\"bob@example.com\""][..]),
            ("not a name\n", OTHER_PASSWORD, &["no user has"]),
            ("", OTHER_PASSWORD, &["no user has"]),
            (ADA, "short", &["password is refused", "at least 8 characters"]),
            (ADA, "lovelace1", &["password is refused", "too similar to the last name"]),
            (ADA, "1234567", &["too short", "too common", "entirely numeric"]),
            (ADA, "\n", &["no password on stdin"]),
        ] {
            let ended = change(folder.path(), user, &[]).stdin(password).run().expect_complaint(1, parts);
            assert!(ended.stdout.is_empty() && !ended.stderr.contains(OTHER_PASSWORD), "{ended:?}");
        }
        let unasked = keystead(folder.path(), &["changepassword", ADA]).run();
        unasked.expect_complaint(1, &["not a terminal", "--password-stdin"]);
    };

    refuse_all();
    let service = Service::start(folder.path());
    let tokens = service.logged_in(ADA);
    refuse_all();

    service.get_as(&tokens.access, "/auth/profile/").expect(200);
    change(folder.path(), ADA, &["--allow-weak-password"]).stdin("short").run().expect(0);
    service.try_log_in(ADA, "short").expect(200);
}

#[test]
fn wrong_usage_ends_with_2_and_a_hint() {
    let folder = empty_folder();

    for arguments in [
        &[][..],
        &["dance"],
        &["keys"],
        &["serve", "--port", "1"],
        &["createuser", "--password", "x"],
        &["createsuperuser", "--active"],
        &["--config"],
    ] {
        let ended = keystead(folder.path(), arguments).run().expect(2);
        assert!(ended.stderr.contains("Usage: keystead") || ended.stderr.contains("--help"), "{ended:?}");
    }
    let help = keystead(folder.path(), &["--help"]).run().expect(0);
    assert!(help.stdout.contains("createsuperuser"), "{help:?}");
    let version = keystead(folder.path(), &["--version"]).run().expect(0);
    assert_eq!(version.stdout, concat!("keystead ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_new_user_logs_in_after_the_mailed_code() {
    let folder = configured("");
    let options = ["--email", ADA, "--username", "ada", "--password-stdin"];

    create(folder.path(), "createuser", &options).stdin(PASSWORD).run().expect(0);
    // Without a server the mail waits for the next one.
    assert!(mails(&folder.path().join("mail")).is_empty());
    let service = Service::start(folder.path());
    service.try_log_in(ADA, PASSWORD).expect_problem(401, "invalid_credentials");
    let code = service.mail_to(ADA).code();
    service.verify(ADA, &code).expect(200);
    service.logged_in("ada");

    let options = ["--email", "bob@example.com", "--password-stdin"];
    create(folder.path(), "createuser", &options).stdin(PASSWORD).run().expect(0);
    service.try_log_in("bob@example.com", PASSWORD).expect(401);
    let link = service.mail_to("bob@example.com").long_code();
    service.post("/auth/register/verify/", &json!({ "code": link })).expect(200);
    let tokens = service.logged_in("bob@example.com");
    let profile = service.get_as(&tokens.access, "/auth/profile/").expect(200).body;
    assert_eq!((&profile["is_staff"], &profile["email_verified"]), (&json!(false), &json!(true)));
}

#[test]
fn an_active_staff_user_logs_in_at_once() {
    let folder = configured("");
    let service = Service::start(folder.path());

    let options = ["--email", ADA, "--active", "--password-stdin"];
    create(folder.path(), "createstaffuser", &options).stdin(PASSWORD).run().expect(0);

    let tokens = service.logged_in(ADA);
    let profile = service.get_as(&tokens.access, "/auth/profile/").expect(200).body;
    assert_eq!((&profile["is_staff"], &profile["is_superuser"]), (&json!(true), &json!(false)));
    let unreachable = ["--username", "bob", "--no-input"];
    create(folder.path(), "createuser", &unreachable).run().expect_complaint(1, &["--active"]);
}

#[test]
fn check_counts_what_is_there_and_creates_nothing() {
    let folder = configured("");
    keystead(folder.path(), &["check"]).run().expect_complaint(1, &["no store at"]);
    assert!(!folder.path().join("keystead.redb").exists());

    for name in ["ada", "bob", "eve"] {
        create(folder.path(), "createsuperuser", &["--no-input", "--username", name]).run().expect(0);
    }

    let checked = check(folder.path());
    let counts = |line: &str| line.split_whitespace().eq(["users", "3"]);
    assert!(checked.stdout.lines().any(counts), "{checked:?}");
}

#[test]
fn check_finds_a_damaged_file_and_leaves_it_as_it_is() {
    let folder = configured("");
    create(folder.path(), "createsuperuser", &["--no-input", "--email", ADA]).run().expect(0);
    let path = folder.path().join("keystead.redb");
    let mut bytes = fs::read(&path).expect("readable");
    let places: Vec<usize> =
        (0..bytes.len() - ADA.len()).filter(|at| bytes[*at..].starts_with(ADA.as_bytes())).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] = b'A' ^ 0x55;
    }
    fs::write(&path, &bytes).expect("writable");

    let checked = keystead(folder.path(), &["check"]).run();

    checked.expect_complaint(1, &["keystead.redb", "backup"]);
    assert!(fs::read(&path).expect("readable") == bytes, "the file was written to");
    keystead(folder.path(), &["serve"]).run().expect_complaint(1, &["keystead.redb", "backup"]);
    assert!(fs::read(&path).expect("readable") == bytes, "the file was written to");
}

#[test]
fn keys_rotate_and_what_was_signed_before_still_counts() {
    let folder = configured("");
    create(folder.path(), "createsuperuser", &["--email", ADA, "--password-stdin"])
        .stdin(PASSWORD)
        .run()
        .expect(0);
    let service = Service::start(folder.path());
    let before = service.logged_in(ADA);

    keystead(folder.path(), &["keys", "rotate"]).run().expect(0);
    let between = service.logged_in(ADA);
    service.terminate();
    keystead(folder.path(), &["keys", "rotate"]).run().expect(0);
    let service = Service::start(folder.path());
    let after = service.logged_in(ADA);

    for tokens in [&before, &between, &after] {
        service.get_as(&tokens.access, "/auth/profile/").expect(200);
        service.post("/auth/token/verify/", &json!({ "token": tokens.access })).expect(200);
        service.post("/auth/token/refresh/", &json!({ "refresh": tokens.refresh })).expect(200);
    }
    let jwks = service.get("/.well-known/jwks.json").expect(200);
    assert_eq!(jwks.body["keys"].as_array().map(Vec::len), Some(3), "{}", jwks.text);
    let head = |token: &str| token.split('.').next().map(str::to_owned);
    assert_ne!(head(&before.access), head(&between.access));
    assert_ne!(head(&between.access), head(&after.access));
    let listed = || keystead(folder.path(), &["keys", "list"]).run().expect(0).stdout;
    let with_server = listed();
    service.terminate();
    assert_eq!(listed(), with_server);
    assert_eq!(with_server.matches("signs").count(), 2, "{with_server}");
    assert_eq!(with_server.matches("verifies until").count(), 4, "{with_server}");
}

#[test]
fn config_prints_toml_with_sources_and_without_secrets() {
    let folder = configured("mail.smtp_password = \"from the file\"\nmail.smtp_username = \"ada\"");

    let printed = keystead(folder.path(), &["config"])
        .env("KEYSTEAD_LOG__LEVEL", "debug")
        .env("SECRET_KEY", "a secret of the environment, long enough")
        .run()
        .expect(0);

    let text = printed.stdout;
    let parsed: toml::Table = text.parse().expect("TOML");
    assert_eq!(parsed["log"]["level"].as_str(), Some("debug"));
    assert_eq!(parsed["server"]["listen"].as_str(), Some("127.0.0.1:0"));
    assert_eq!(parsed["registration"]["code_attempts"].as_integer(), Some(5));
    assert!(!text.contains("from the file") && !text.contains("a secret of"), "{text}");
    let source_of = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{key} = ")));
        line.and_then(|line| line.split_once(" # ")).map(|(_, source)| source).unwrap_or_default()
    };
    assert_eq!(source_of("code_attempts"), "default");
    assert!(source_of("listen").contains("auth.toml"), "{text}");
    assert!(source_of("level").contains("KEYSTEAD_LOG__LEVEL"), "{text}");
    assert!(source_of("hs256_secret").contains("SECRET_KEY"), "{text}");
    // What it prints, without the masks, is a configuration with the same meaning.
    let again = empty_folder();
    let unmasked: String = text
        .lines()
        .filter(|line| !line.contains("\"***\""))
        .fold(String::new(), |text, line| text + line + "\n");
    fs::write(again.path().join("auth.toml"), unmasked).expect("writable");
    let printed = keystead(again.path(), &["config"]).run().expect(0).stdout;
    let mut reparsed: toml::Table = printed.parse().expect("TOML");
    for (section, key) in [("mail", "smtp_password"), ("tokens", "hs256_secret")] {
        reparsed[section][key] = parsed[section][key].clone();
    }
    assert_eq!(reparsed, parsed);
}

#[test]
fn openapi_prints_the_document_that_is_served() {
    let folder = configured("");
    let committed = include_str!("../../assets/openapi.json");

    let printed = keystead(folder.path(), &["openapi"]).run().expect(0);

    assert_eq!(printed.stdout.trim_end(), committed.trim_end());
    assert!(serde_json::from_str::<Value>(&printed.stdout).is_ok());
    let service = Service::start(folder.path());
    assert_eq!(service.get("/openapi.json").expect(200).text.trim_end(), committed.trim_end());
}

#[test]
fn a_socket_left_by_a_kill_is_in_nobodys_way() {
    let folder = configured("");
    let socket = folder.path().join("keystead.redb.control");
    let service = Service::start(folder.path());
    let metadata = fs::metadata(&socket).expect("there");
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);

    service.kill();
    assert!(socket.exists());
    create(folder.path(), "createsuperuser", &["--email", ADA, "--password-stdin"])
        .stdin(PASSWORD)
        .run()
        .expect(0);
    let service = Service::start(folder.path());
    create(folder.path(), "createsuperuser", &["--no-input", "--username", "bob"]).run().expect(0);
    service.logged_in(ADA);
    service.terminate();

    assert!(!socket.exists());
}

#[test]
fn commands_run_beside_each_other() {
    let folder = configured("");
    let run_all = |round: &str| {
        let names: Vec<String> = (0..4).map(|number| format!("{round}{number}")).collect();
        let creating: Vec<_> = names
            .iter()
            .map(|name| create(folder.path(), "createsuperuser", &["--no-input", "--username", name]).spawn())
            .collect();
        let listing = keystead(folder.path(), &["keys", "list"]).spawn();
        for process in creating {
            process.end().expect(0);
        }
        listing.end().expect(0);
    };

    // The first one makes the store, for those after it.
    create(folder.path(), "createsuperuser", &["--no-input", "--username", "first"]).run().expect(0);
    run_all("alone");
    let service = Service::start(folder.path());
    run_all("served");
    service.terminate();

    let checked = check(folder.path());
    let counts = |line: &str| line.split_whitespace().eq(["users", "9"]);
    assert!(checked.stdout.lines().any(counts), "{checked:?}");
}

/// Types the answers, one after each question; prints all that the terminal shows.
const TYPIST: &str = r#"
import os, pty, sys, termios, time
questions = sys.argv[1].split("|")
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
def read():
    global shown
    try:
        part = os.read(terminal, 1024)
    except OSError:
        return False
    shown += part
    return bool(part)
seen = 0
for question in questions:
    prompt, answer = question.split("=")
    while prompt.encode() not in shown[seen:] and read():
        pass
    seen = len(shown)
    while "assword" in prompt and termios.tcgetattr(terminal)[3] & termios.ECHO:
        time.sleep(0.01)
    os.write(terminal, answer.encode() + b"\n")
while read():
    pass
_, status = os.waitpid(pid, 0)
sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(status))
"#;

fn typed(folder: &Path, questions: &str, arguments: &[&str]) -> Ended {
    let program_and_script = ["-c", TYPIST, questions, env!("CARGO_BIN_EXE_keystead")];
    program(folder, "python3", &[&program_and_script[..], arguments].concat()).run()
}

#[test]
#[ignore = "needs python3"]
fn a_terminal_is_asked_and_passwords_are_not_shown() {
    if lacks(&[&["python3", "--version"]]) {
        return;
    }
    let folder = configured("");
    let names =
        "Email: =ada@example.com|Username (optional): =ada|First name (optional): =|Last name (optional): =";
    let wrong = "Password: =one of them|Password (again): =another one";
    let right = format!("Password: ={PASSWORD}|Password (again): ={PASSWORD}");

    let shown =
        typed(folder.path(), &format!("{names}|{wrong}|{right}"), &["createsuperuser"]).expect(0).stdout;

    assert!(shown.ends_with("User ada@example.com created\r\n"), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("one of them"), "{shown}");
    let questions = ["Email: ", "Username", "First name", "Last name", "Password: ", "Password (again): "];
    let places: Vec<usize> = questions.iter().map(|text| shown.find(text).expect("asked")).collect();
    assert!(places.is_sorted(), "{shown}");
    let service = Service::start(folder.path());
    service.logged_in("ada");
    let right = format!("Email: =bob@example.com|Username=|First name=|Last name=|{right}");
    typed(folder.path(), &right, &["createstaffuser", "--active"]).expect(0);
    service.logged_in("bob@example.com");
}

#[test]
#[ignore = "needs python3"]
fn three_different_pairs_of_passwords_are_enough() {
    if lacks(&[&["python3", "--version"]]) {
        return;
    }
    let folder = configured("");
    let wrong = "Password: =one of them|Password (again): =another one";

    let options =
        ["createsuperuser", "--email", ADA, "--username", "ada", "--first-name", "A", "--last-name", "L"];
    let shown = typed(folder.path(), &format!("{wrong}|{wrong}|{wrong}"), &options).expect(1).stdout;

    assert_eq!(shown.matches("Password: ").count(), 3, "{shown}");
    assert!(!folder.path().join("keystead.redb").exists());
}

#[test]
#[ignore = "needs python3"]
fn another_password_is_asked_for_until_two_are_the_same_and_good() {
    if lacks(&[&["python3", "--version"]]) {
        return;
    }
    let folder = configured("");
    create(folder.path(), "createsuperuser", &["--no-input", "--email", ADA]).run().expect(0);
    let pair = |one: &str, other: &str| format!("Password: ={one}|Password (again): ={other}");
    let right = pair(PASSWORD, PASSWORD);
    let questions = [pair("one of them", "another one"), pair("iloveyou", "iloveyou"), right].join("|");

    let shown = typed(folder.path(), &questions, &["changepassword", ADA]).expect(0).stdout;

    assert!(shown.contains("not the same") && shown.contains("This password is too common."), "{shown}");
    assert!(shown.ends_with("Password of ada@example.com changed\r\n"), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("iloveyou"), "{shown}");
    let wrong = [pair("a", "b"), pair("c", "d"), pair("e", "f")].join("|");
    let shown = typed(folder.path(), &wrong, &["changepassword", ADA]).expect(1).stdout;
    assert!(shown.contains("3 attempts: nothing is changed"), "{shown}");
    Service::start(folder.path()).logged_in(ADA);
}
