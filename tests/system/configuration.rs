//! What stops a start, what wins over what, and where paths begin.

use std::fs;
use std::path::Path;

use crate::harness::{Keystead, Service, configure, configured, empty_folder, keystead};

/// Nothing but what the test put there.
fn assert_nothing_was_made(folder: &Path, mine: &[&str]) {
    for entry in fs::read_dir(folder).expect("readable") {
        let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
        assert!(mine.contains(&name.as_str()), "{name} was made");
    }
}

#[test]
fn a_mistake_in_the_file_stops_every_start_with_file_line_key_and_reason() {
    let folder = empty_folder();
    let mistakes: [(&str, &[&str]); 9] = [
        ("[server]\nlisen = \"127.0.0.1:0\"", &["auth.toml:2", "unknown key server.lisen", "server.listen"]),
        ("[sever]\nlisten = \"127.0.0.1:0\"", &["auth.toml:1", "sever", "server"]),
        ("listen = \"127.0.0.1:0\"", &["auth.toml:1", "listen"]),
        ("[server]\nlisten = \"here\"", &["auth.toml:2", "server.listen", "\"here\""]),
        ("[server]\n\nlisten = 8000", &["auth.toml:3", "server.listen"]),
        ("[passwords]\nmin_length = 0", &["auth.toml:2", "passwords.min_length"]),
        ("[tokens]\naccess_ttl = \"soon\"", &["auth.toml:2", "tokens.access_ttl", "\"soon\""]),
        ("[tokens]\nalgorithm = \"none\"", &["auth.toml:2", "tokens.algorithm", "none", "ES256"]),
        ("[server]\nlisten", &["auth.toml:2"]),
    ];

    for (text, parts) in mistakes {
        fs::write(folder.path().join("auth.toml"), text).expect("writable");
        for command in [&["serve"][..], &["check"], &["createsuperuser", "--no-input", "--username", "ada"]] {
            keystead(folder.path(), command).run().expect_complaint(2, parts);
        }
    }

    assert_nothing_was_made(folder.path(), &["auth.toml"]);
}

#[test]
fn a_mistake_in_the_environment_stops_the_start_with_name_and_reason() {
    let folder = configured("");
    for (name, value, parts) in [
        ("KEYSTEAD_SERVER__LISEN", "x", &["KEYSTEAD_SERVER__LISEN", "KEYSTEAD_SERVER__LISTEN"][..]),
        ("KEYSTEAD_LISTEN", "x", &["KEYSTEAD_LISTEN", "unknown variable"]),
        ("KEYSTEAD_TYPO", "", &["KEYSTEAD_TYPO", "unknown variable"]),
        ("KEYSTEAD_SERVER__LISTEN", "x", &["KEYSTEAD_SERVER__LISTEN", "server.listen", "\"x\""]),
        ("KEYSTEAD_PASSWORDS__ITERATIONS", "two", &["KEYSTEAD_PASSWORDS__ITERATIONS", "\"two\""]),
        ("KEYSTEAD_MAIL__SMTP_PASSWORD_FILE", "gone", &["KEYSTEAD_MAIL__SMTP_PASSWORD_FILE", "gone"]),
        ("EMAIL_PORT", "smtp", &["EMAIL_PORT", "\"smtp\""]),
    ] {
        let refused = keystead(folder.path(), &["serve"]).env(name, value).run();
        refused.expect_complaint(2, parts);
    }

    assert_nothing_was_made(folder.path(), &["auth.toml"]);
}

#[test]
fn a_configuration_that_is_named_has_to_be_there() {
    let folder = configured("");

    let refused = keystead(folder.path(), &["--config", "other.toml", "serve"]).run();

    refused.expect_complaint(2, &["other.toml", "cannot be read"]);
    keystead(folder.path(), &["--config", ".", "serve"]).run().expect_complaint(2, &["cannot be read"]);
    assert_nothing_was_made(folder.path(), &["auth.toml"]);
}

#[test]
fn a_secret_is_never_in_a_complaint() {
    let folder = configured("tokens.algorithm = \"HS256\"\ntokens.hs256_secret = \"too short\"");

    let refused = keystead(folder.path(), &["serve"]).run();

    let refused = refused.expect_complaint(2, &["tokens.hs256_secret"]);
    assert!(!refused.stderr.contains("too short"), "{refused:?}");
}

fn shown(command: Keystead) -> toml::Table {
    command.run().expect(0).stdout.parse().expect("TOML")
}

#[test]
fn the_environment_wins_over_dot_env_which_wins_over_the_file() {
    let folder = empty_folder();
    configure(
        folder.path(),
        "registration.code_attempts = 1\nlog.level = \"warn\"\nmail.from = \"a@x.example\"",
    );
    let dot_env = "# of another program too\nOTHER=1\nexport KEYSTEAD_REGISTRATION__CODE_ATTEMPTS=2\n\
                   KEYSTEAD_LOG__LEVEL='error'\n";
    fs::write(folder.path().join(".env"), dot_env).expect("writable");

    let table = shown(keystead(folder.path(), &["config"]).env("KEYSTEAD_LOG__LEVEL", "debug"));

    assert_eq!(table["log"]["level"].as_str(), Some("debug"));
    assert_eq!(table["registration"]["code_attempts"].as_integer(), Some(2));
    assert_eq!(table["mail"]["from"].as_str(), Some("a@x.example"));
    assert_eq!(table["registration"]["mode"].as_str(), Some("open"));
}

#[test]
fn a_secret_comes_from_a_file_without_the_newline_at_its_end() {
    let folder = configured("tokens.algorithm = \"HS256\"");
    let secret = "0123456789abcdef0123456789abcdef";
    fs::write(folder.path().join("secret"), format!("{secret}\n")).expect("writable");
    let email = ["--email", "ada@example.com", "--password-stdin"];
    let create = [&["createsuperuser"], &email[..]].concat();
    let by_file = keystead(folder.path(), &create).env("KEYSTEAD_TOKENS__HS256_SECRET_FILE", "secret");
    by_file.stdin(crate::harness::PASSWORD).run().expect(0);

    let serve = || keystead(folder.path(), &["serve"]);
    let by_file = serve().env("KEYSTEAD_TOKENS__HS256_SECRET_FILE", "secret");
    let service = Service::of(folder.path(), by_file);
    let tokens = service.logged_in("ada@example.com");
    service.terminate();

    // The same secret without a newline verifies what was signed.
    let service = Service::of(folder.path(), serve().env("SECRET_KEY", secret));
    service.get_as(&tokens.access, "/auth/profile/").expect(200);
    service.terminate();
    let service = Service::of(folder.path(), serve().env("SECRET_KEY", &format!("{secret}\n")));
    service.get_as(&tokens.access, "/auth/profile/").expect(401);
}

#[test]
fn the_names_of_the_seeds_are_understood() {
    let folder = empty_folder();
    let config = || {
        keystead(folder.path(), &["config"])
            .env("EMAIL_HOST", "smtp.example.com")
            .env("EMAIL_HOST_USER", "ada")
            .env("EMAIL_HOST_PASSWORD", "hunter22")
            .env("ALLOWED_HOSTS", "auth.example.com, .example.org")
            .env("DEFAULT_ADMIN_EMAIL", "root@example.com")
            .env("DEFAULT_ADMIN_PASSWORD", "hunter22")
    };

    let table = shown(config().env("EMAIL_PORT", "465").env("EMAIL_USE_TLS", "True"));
    assert_eq!(table["mail"]["transport"].as_str(), Some("smtp"));
    assert_eq!(table["mail"]["smtp_host"].as_str(), Some("smtp.example.com"));
    assert_eq!(table["mail"]["smtp_port"].as_integer(), Some(465));
    assert_eq!(table["mail"]["smtp_security"].as_str(), Some("tls"));
    assert_eq!(table["mail"]["smtp_username"].as_str(), Some("ada"));
    assert_eq!(table["mail"]["smtp_password"].as_str(), Some("***"));
    let hosts = table["server"]["allowed_hosts"].as_array().expect("a list");
    assert_eq!(hosts.len(), 2);

    let table = shown(config().env("EMAIL_PORT", "25").env("EMAIL_USE_TLS", "False"));
    assert_eq!(table["mail"]["smtp_security"].as_str(), Some("none"));
    let table = shown(config().env("KEYSTEAD_MAIL__TRANSPORT", "directory"));
    assert_eq!(table["mail"]["transport"].as_str(), Some("directory"));
    assert_eq!(table["mail"]["smtp_security"].as_str(), Some("starttls"));
    let table = shown(config().env("DEBUG", "True"));
    assert_eq!(table["mail"]["transport"].as_str(), Some("console"));
    assert_eq!(table["log"]["level"].as_str(), Some("debug"));
}

#[test]
fn relative_paths_start_at_the_folder_of_the_configuration() {
    let home = empty_folder();
    let elsewhere = empty_folder();
    fs::create_dir(home.path().join("data")).expect("made");
    configure(home.path(), "store.path = \"data/users.redb\"\nmail.directory = \"post\"");
    fs::write(home.path().join(".env"), "KEYSTEAD_LOG__LEVEL=debug\n").expect("writable");
    let config = home.path().join("auth.toml");
    let config = config.to_str().expect("UTF-8");

    let service = Service::of(home.path(), keystead(elsewhere.path(), &["--config", config, "serve"]));

    service.register("ada@example.com").expect(202);
    service.process.stderr.wait_for("DEBUG");
    assert!(home.path().join("data/users.redb").exists());
    assert!(home.path().join("data/users.redb.control").exists());
    assert!(home.path().join("post").is_dir());
    keystead(elsewhere.path(), &["keys", "list", "--config", config]).run().expect(0);
    assert_nothing_was_made(elsewhere.path(), &[]);
}

#[test]
fn without_a_file_relative_paths_start_here() {
    let folder = empty_folder();
    fs::write(folder.path().join(".env"), "KEYSTEAD_SERVER__LISTEN=127.0.0.1:0\n").expect("writable");

    let command = keystead(folder.path(), &["serve"]).env("KEYSTEAD_STORE__PATH", "users.redb");
    Service::of(folder.path(), command).terminate();

    assert_nothing_was_made(folder.path(), &[".env", "users.redb"]);
    assert!(folder.path().join("users.redb").exists());
}
