//! Which layer wins: the example, the file, the environment and its `.env`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::{SECRET, Setup, refused, with_file, with_var};
use crate::config::Config;

#[test]
fn environment_wins_over_dot_env_over_seed_names_over_file_over_default() {
    let file = "[mail]\nsmtp_host = \"file\"\n";
    let host = |setup: Setup| setup.loaded().mail.smtp_host;
    let layer = |env: &[(&str, &str)], dot_env: &str| {
        env.iter().fold(with_file(file), |setup, (name, value)| setup.var(name, value)).write(".env", dot_env)
    };

    assert_eq!(host(Setup::new()), "");
    assert_eq!(host(layer(&[], "")), "file");
    assert_eq!(host(layer(&[], "EMAIL_HOST=seed-dot")), "seed-dot");
    assert_eq!(host(layer(&[("EMAIL_HOST", "seed-env")], "EMAIL_HOST=seed-dot")), "seed-env");
    let dot_env = "KEYSTEAD_MAIL__SMTP_HOST=dot\nEMAIL_HOST=seed-dot";
    assert_eq!(host(layer(&[("EMAIL_HOST", "seed-env")], dot_env)), "dot");
    assert_eq!(
        host(layer(&[("KEYSTEAD_MAIL__SMTP_HOST", "env"), ("EMAIL_HOST", "seed-env")], dot_env)),
        "env"
    );
}

#[test]
fn events_are_kept_for_a_day_at_the_least_or_for_ever() {
    let retention = |text: &str| with_file(&format!("[events]\nretention = \"{text}\"\n"));

    assert_eq!(retention("").loaded().events.retention, None);
    assert_eq!(retention("1d").loaded().events.retention, Some(Duration::from_secs(86_400)));
    for text in ["0s", "23h"] {
        let refused = retention(text).refused();
        assert!(refused.contains("events.retention") && refused.contains("too short"), "{refused}");
    }
}

#[test]
fn old_secrets_come_in_a_list_and_stay_secret() {
    const OLD: &str = "django-insecure-g8l%2$4v&b)0w!x6f#o1j@q9z*y7u(d3k^";
    let accepted = |config: &Config| -> Vec<String> {
        config.tokens.accept.iter().map(|secret| secret.expose().clone()).collect()
    };
    assert!(accepted(&Setup::new().loaded()).is_empty());
    let in_file = with_file(&format!("[tokens]\naccept = [{OLD:?}, {SECRET:?}]\n"));
    let beside = with_var("KEYSTEAD_TOKENS__ACCEPT_FILE", "old").write("old", &format!("{OLD}, {SECRET}\n"));
    for setup in [in_file, beside] {
        let config = setup.loaded();
        assert_eq!(accepted(&config), [OLD, SECRET]);
        let (shown, debugged) = (config.show(), format!("{config:?}"));
        assert!(shown.contains("accept = [\"***\", \"***\"] # "), "{shown}");
        for secret in [OLD, SECRET] {
            assert!(!shown.contains(secret) && !debugged.contains(secret));
        }
    }

    for (list, reason) in [
        (
            format!("[{SECRET:?}, \"hunter2\"]"),
            "has a secret of fewer than 32 bytes: write the whole SECRET_KEY",
        ),
        ("[\"\"]".to_owned(), "has a secret of fewer than 32 bytes: write the whole SECRET_KEY"),
        (
            format!("[\"{SECRET}\\n{OLD}\"]"),
            "has a line end or another control character in it: put commas between secrets",
        ),
    ] {
        let message = refused(&format!("[tokens]\naccept = {list}\n"));
        assert_eq!(message, format!("configuration:2: tokens.accept: {reason}"));
    }
}

#[test]
fn an_empty_variable_unsets_what_the_file_set() {
    let setup = with_file("[tokens]\naudience = \"shop\"\n").var("KEYSTEAD_TOKENS__AUDIENCE", "");

    assert_eq!(setup.loaded().tokens.audience, None);
}

#[test]
fn variables_become_the_kind_of_value_that_the_key_has() {
    let config = with_var("KEYSTEAD_SERVER__ALLOWED_HOSTS", "a.example, b.example,")
        .var("KEYSTEAD_PASSWORDS__QUEUE", "64")
        .var("KEYSTEAD_TOKENS__AUDIENCE", "42")
        .loaded();

    assert_eq!(config.server.allowed_hosts, ["a.example", "b.example"]);
    assert_eq!(config.passwords.queue, 64);
    assert_eq!(config.tokens.audience.as_deref(), Some("42"));
    assert_eq!(
        with_var("KEYSTEAD_PASSWORDS__QUEUE", "many").refused(),
        "environment KEYSTEAD_PASSWORDS__QUEUE: passwords.queue: \"many\" is not an integer"
    );
}

#[test]
fn a_value_may_stand_in_a_file_that_a_variable_names() {
    let secret = |content: &str| {
        let setup = Setup::new().write("secret", content).var("KEYSTEAD_TOKENS__HS256_SECRET_FILE", "secret");
        setup.loaded().tokens.hs256_secret.map(|secret| secret.expose().clone())
    };

    assert_eq!(secret(SECRET).as_deref(), Some(SECRET));
    assert_eq!(secret(&format!("{SECRET}\n")).as_deref(), Some(SECRET));
    assert_eq!(secret(&format!("{SECRET}\r\n")).as_deref(), Some(SECRET));
    assert_eq!(secret(&format!("{SECRET}\n\n")), Some(format!("{SECRET}\n")));
}

#[test]
fn a_variable_and_its_file_are_not_both_taken() {
    let setup = with_var("KEYSTEAD_TOKENS__HS256_SECRET_FILE", "secret").write("secret", SECRET);
    let in_environment = setup.var("KEYSTEAD_TOKENS__HS256_SECRET", "x");
    assert_eq!(
        in_environment.refused(),
        "environment KEYSTEAD_TOKENS__HS256_SECRET: KEYSTEAD_TOKENS__HS256_SECRET_FILE is set too: \
         keep one of the two"
    );

    let in_dot_env = with_var("KEYSTEAD_TOKENS__HS256_SECRET_FILE", "secret")
        .write("secret", SECRET)
        .write(".env", "KEYSTEAD_TOKENS__HS256_SECRET=from-dot-env");
    let secret = in_dot_env.loaded().tokens.hs256_secret.expect("set");
    assert_eq!(secret.expose(), SECRET);
}

#[test]
fn a_missing_file_of_a_variable_is_named() {
    let message = with_var("KEYSTEAD_MAIL__SMTP_PASSWORD_FILE", "gone").refused();

    assert!(message.starts_with("environment KEYSTEAD_MAIL__SMTP_PASSWORD_FILE: gone cannot be read: "));
}

#[test]
fn unknown_variables_are_refused() {
    assert_eq!(
        with_var("KEYSTEAD_REGISTRATION__CODE_TLL", "1m").refused(),
        "environment KEYSTEAD_REGISTRATION__CODE_TLL: unknown variable: \
         did you mean KEYSTEAD_REGISTRATION__CODE_TTL?"
    );
    assert_eq!(
        Setup::new().write(".env", "KEYSTEAD_LOG_LEVEL=info").refused(),
        ".env KEYSTEAD_LOG_LEVEL: unknown variable: did you mean KEYSTEAD_LOG__LEVEL?"
    );
    assert_eq!(
        with_var("KEYSTEAD_CONFIG", "/etc/auth.toml").refused(),
        "environment KEYSTEAD_CONFIG: unknown variable: names are KEYSTEAD_SECTION__KEY, \
         with the keys of auth.toml.example"
    );
    assert!(with_var("UNRELATED", "x").load().is_ok());
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let setup =
        with_file("[store]\npath = \"data/auth.redb\"\n").var("KEYSTEAD_MAIL__DIRECTORY", "/var/mail");
    let config = setup.loaded();
    assert_eq!(config.store.path, setup.folder.path().join("data/auth.redb"));
    assert_eq!(config.mail.directory, Path::new("/var/mail"));
    assert_eq!(config.mail.templates, None);
    let setup = with_file("[mail]\ntemplates = \"letters\"\n");
    assert_eq!(setup.loaded().mail.templates, Some(setup.folder.path().join("letters")));

    let here = Config::layered(Some((Path::new("auth.toml"), "")), BTreeMap::new()).expect("valid");
    assert_eq!(here.store.path, Path::new("keystead.redb"));
}

#[test]
fn a_configuration_that_was_asked_for_must_be_there() {
    let path = Setup::new().folder.path().join("gone.toml");

    let message = Config::load(Some(&path)).expect_err("no such file").to_string();

    assert!(message.starts_with(&format!("{}: cannot be read: ", path.display())), "{message}");
}
