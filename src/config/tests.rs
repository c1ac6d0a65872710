//! What an operator meets: the layers, what each may set, and what a refusal says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use toml::{Table, Value};

use super::sections::Raw;
use super::settings::Settings;
use super::*;
use crate::domain::{Algorithm, PasswordPolicy, Validator};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A folder with an `auth.toml`, and an environment.
struct Setup {
    folder: TempDir,
    has_file: bool,
    environment: BTreeMap<String, String>,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        Self { folder, has_file: false, environment: BTreeMap::new() }
    }

    fn file(mut self, text: &str) -> Self {
        self.has_file = true;
        self.write("auth.toml", text)
    }

    fn write(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).expect("written");
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("auth.toml")
    }

    fn load(&self) -> Result<Config, ConfigError> {
        let text =
            if self.has_file { fs::read_to_string(self.path()).expect("readable") } else { String::new() };
        Config::layered(Some((&self.path(), &text)), self.environment.clone())
    }

    fn loaded(&self) -> Config {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The refusal, with the temporary folder cut out of it.
    fn refused(&self) -> String {
        let message = self.load().expect_err("refused").to_string();
        message.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn with_file(text: &str) -> Setup {
    Setup::new().file(text)
}

fn with_var(name: &str, value: &str) -> Setup {
    Setup::new().var(name, value)
}

fn refused(text: &str) -> String {
    Config::from_toml(text).expect_err(text).to_string()
}

#[test]
fn the_rules_for_passwords_are_any_of_those_there_are() {
    let policy = |text: &str| Config::from_toml(text).expect(text).passwords.policy;

    assert_eq!(policy("passwords.validators = []").validators, []);
    let some = policy("passwords.validators = [\"digit\", \"length\"]").validators;
    assert_eq!(some, [Validator::Digit, Validator::Length]);
    // Without the rule its number means nothing.
    assert_eq!(policy("passwords.validators = [\"common\"]\npasswords.max_length = 7").least(), None);
    let listed = with_var("KEYSTEAD_PASSWORDS__VALIDATORS", "common,numeric").loaded();
    assert_eq!(listed.passwords.policy.validators, [Validator::Common, Validator::Numeric]);
}

#[test]
fn the_example_alone_is_the_default_configuration() {
    let config = Config::from_toml("").expect("the example parses");

    assert_eq!(config.server.listen, "127.0.0.1:8000");
    assert_eq!(config.server.base_url(), "http://127.0.0.1:8000");
    assert_eq!(config.store.path, Path::new("keystead.redb"));
    assert_eq!(config.mail.transport, MailTransport::Console);
    assert_eq!(config.mail.from.address.as_str(), "keystead@localhost");
    assert_eq!((config.mail.smtp_port, config.mail.smtp_security), (587, SmtpSecurity::StartTls));
    assert_eq!(config.registration.verification, Verification::Required);
    assert_eq!(config.registration.code_ttl, Duration::from_secs(600));
    assert_eq!(config.registration.resend_interval, Duration::from_secs(60));
    let validators = vec![Validator::Length, Validator::Similarity, Validator::Common, Validator::Numeric];
    assert_eq!(config.passwords.policy, PasswordPolicy { min_length: 8, max_length: 256, validators });
    assert_eq!(config.passwords.reset_ttl, Duration::from_secs(3600));
    assert_eq!(
        (config.passwords.memory_kib, config.passwords.iterations, config.passwords.parallelism),
        (19_456, 2, 1)
    );
    assert_eq!((config.passwords.threads, config.passwords.queue), (0, 32));
    assert_eq!(config.tokens.algorithm, Algorithm::Es256);
    assert_eq!(config.tokens.sessions.refresh_ttl, Duration::from_secs(30 * 86_400));
    assert_eq!(config.tokens.leeway, Duration::ZERO);
    assert_eq!(config.tokens.audience, None);
    assert!(config.tokens.hs256_secret.is_none() && config.mail.smtp_password.is_none());
    let cookies = &config.cookies;
    assert_eq!((cookies.enabled, cookies.secure, cookies.same_site), (false, false, SameSite::Lax));
    assert_eq!((config.log.format, config.log.level.as_str()), (LogFormat::Text, "info"));
}

#[test]
fn the_example_has_every_field_and_no_other_key() {
    use serde::Deserialize;
    let settings = Settings::defaults().expect("the example parses");
    let complete = settings.to_table();
    assert!(Raw::deserialize(Value::Table(complete.clone())).is_ok());

    for setting in settings.iter() {
        let mut without = complete.clone();
        section(&mut without, setting.section()).remove(setting.key());
        assert!(Raw::deserialize(Value::Table(without)).is_err(), "{} has a second default", setting.name);

        let mut with_more = complete.clone();
        section(&mut with_more, setting.section()).insert("x".to_owned(), Value::Integer(1));
        assert!(Raw::deserialize(Value::Table(with_more)).is_err(), "{} takes anything", setting.section());
    }
}

fn section<'a>(table: &'a mut Table, name: &str) -> &'a mut Table {
    name.split('.').fold(table, |table, part| table[part].as_table_mut().expect("a section"))
}

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
fn unknown_keys_are_refused_with_file_line_and_suggestion() {
    for (text, message) in [
        (
            "[registration]\n# soon\ncode_tll = \"1m\"\n",
            "auth.toml:3: unknown key registration.code_tll: did you mean registration.code_ttl?",
        ),
        ("[registraton]\n", "auth.toml:1: unknown section [registraton]: did you mean [registration]?"),
        (
            "[metrics]\nx = 1\n",
            "auth.toml:1: unknown section [metrics]: \
             there are server, store, mail, registration, passwords, tokens, cookies, limits, \
             compat, compat.dj-rest-auth, compat.simplejwt, compat.dj-auth-api, log",
        ),
        (
            "[tokens]\ncode_ttl = 1\n",
            "auth.toml:2: unknown key tokens.code_ttl: did you mean registration.code_ttl?",
        ),
        ("[log]\ncolour = 1\n", "auth.toml:2: unknown key log.colour: [log] has format, level"),
        ("listen = \"a:1\"\n", "auth.toml:1: listen stands outside of its section: put it under [server]"),
        ("colour = 1\n", "auth.toml:1: unknown key colour outside of a section: see auth.toml.example"),
    ] {
        assert_eq!(with_file(text).refused(), message);
    }
}

#[test]
fn bad_values_are_refused_with_file_key_and_reason() {
    for (text, message) in [
        (
            "[registration]\ncode_ttl = \"10 minuts\"\n",
            "auth.toml:2: registration.code_ttl: \"10 minuts\" is not a duration: write 10m, 2h or 30d",
        ),
        (
            "[registration]\ncode_attempts = \"5\"\n",
            "auth.toml:2: registration.code_attempts: must be an integer, not a string: \
             write it like code_attempts = 5",
        ),
        (
            "[server]\nallowed_hosts = \"a\"\n",
            "auth.toml:2: server.allowed_hosts: must be a list of strings, not a string: \
             write it like allowed_hosts = []",
        ),
        (
            "[mail]\ntransport = \"smpt\"\n",
            "auth.toml:2: mail.transport: \"smpt\" is not one of console, directory, smtp",
        ),
        (
            "[mail]\ntransport = \"smtp\"\n",
            "auth.toml:2: mail.transport: \"smtp\" needs a mail server: set mail.smtp_host to its name",
        ),
        (
            "[mail]\nfrom = \"a@example.com\\nBcc: b@example.com\"\n",
            "auth.toml:2: mail.from: has a line end or another control character in it: leave that out",
        ),
        ("[mail]\nsmtp_port = 0\n", "auth.toml:2: mail.smtp_port: 0 is not between 1 and 65535"),
        (
            "[server]\npublic_url = \"https://a/auth\"\n",
            "auth.toml:2: server.public_url: \"https://a/auth\" has more than scheme, host and port in it: \
             write https://auth.example.com",
        ),
        (
            "[passwords]\nvalidators = [\"length\", \"numerical\"]\n",
            "auth.toml:2: passwords.validators: \"numerical\" is not one of length, similarity, common, numeric, digit",
        ),
        (
            "[passwords]\nvalidators = [\"common\", \"common\"]\n",
            "auth.toml:2: passwords.validators: \"common\" is there twice",
        ),
        (
            "[passwords]\nreset_ttl = \"0s\"\n",
            "auth.toml:2: passwords.reset_ttl: \"0s\" is too short: write 1s or more",
        ),
        (
            "[passwords]\nmax_length = 7\n",
            "auth.toml:2: passwords.max_length: min_length 8 is more than max_length 7: no password would do",
        ),
        (
            "[passwords]\nparallelism = 4\nmemory_kib = 31\n",
            "auth.toml:3: passwords.memory_kib: 4 lanes need at least 32 KiB of memory: \
             raise memory_kib or lower parallelism",
        ),
        (
            "[tokens]\nsession_ttl = \"5m\"\n",
            "auth.toml:2: tokens.session_ttl: access_ttl 15m is longer than session_ttl 5m: \
             no token outlives its session",
        ),
        (
            "[tokens]\naccess_ttl = \"0s\"\n",
            "auth.toml:2: tokens.access_ttl: \"0s\" is too short: write 1s or more",
        ),
        (
            "[tokens]\nalgorithm = \"HS256\"\n",
            "auth.toml:2: tokens.algorithm: \"HS256\" needs a secret of at least 32 bytes: \
             set KEYSTEAD_TOKENS__HS256_SECRET",
        ),
        ("[store]\npath = \"\"\n", "auth.toml:2: store.path: is empty: write a path"),
    ] {
        assert_eq!(with_file(text).refused(), message);
    }
}

#[test]
fn cookies_are_secure_and_of_this_host_alone_where_people_come_by_tls() {
    for (url, secure, is_secure, prefix) in [
        ("http://127.0.0.1:8000", "auto", false, ""),
        ("http://127.0.0.1:8000", "always", true, ""),
        ("http://127.0.0.1:8000", "never", false, ""),
        ("https://auth.example.com", "auto", true, "__Host-"),
        ("https://auth.example.com", "always", true, ""),
        ("https://auth.example.com", "never", false, ""),
    ] {
        let text = format!("[server]\npublic_url = \"{url}\"\n[cookies]\nsecure = \"{secure}\"\n");
        let cookies = with_file(&text).loaded().cookies;
        let names = [cookies.access_name, cookies.refresh_name, cookies.device_name];
        let expected = ["access", "refresh", "device"].map(|name| format!("{prefix}keystead-{name}"));
        assert_eq!((cookies.secure, names), (is_secure, expected), "{text}");
    }
    let chosen = with_file("[cookies]\naccess_name = \"jwt-auth-token\"\nsame_site = \"strict\"\n")
        .var("KEYSTEAD_SERVER__PUBLIC_URL", "https://auth.example.com")
        .var("KEYSTEAD_COOKIES__ENABLED", "true")
        .loaded()
        .cookies;
    assert_eq!((chosen.enabled, chosen.same_site), (true, SameSite::Strict));
    assert_eq!(chosen.access_name, "__Host-jwt-auth-token");
}

#[test]
fn cookies_that_no_browser_would_keep_are_refused() {
    let no_name = |line: &str, key: &str, name: &str| {
        let reason = "is no name for a cookie here: write letters, digits, - and _";
        (line.to_owned(), format!("auth.toml:2: cookies.{key}: {name:?} {reason}"))
    };
    let needs_tls = "browsers take \"none\" only with TLS: set cookies.secure, or an https public_url";
    let same_name = "is the name of the other cookie too: write another";
    let mut cases = vec![
        ("same_site = \"none\"".to_owned(), format!("auth.toml:2: cookies.same_site: {needs_tls}")),
        (
            "secure = \"never\"\nsame_site = \"none\"".to_owned(),
            format!("auth.toml:3: cookies.same_site: {needs_tls}"),
        ),
        (
            "access_name = \"keystead-refresh\"".to_owned(),
            format!("auth.toml:2: cookies.access_name: {same_name}"),
        ),
        (
            "access_name = \"a\"\nrefresh_name = \"a\"".to_owned(),
            format!("auth.toml:3: cookies.refresh_name: {same_name}"),
        ),
        (
            "same_site = \"Lax\"".to_owned(),
            "auth.toml:2: cookies.same_site: \"Lax\" is not one of lax, strict, none".to_owned(),
        ),
        (
            "secure = \"yes\"".to_owned(),
            "auth.toml:2: cookies.secure: \"yes\" is not one of auto, always, never".to_owned(),
        ),
    ];
    for name in ["", "a b", "a;b", "a=b", "a,b", "\u{e9}", "a\"b", "keystead-device"] {
        cases.push(no_name(&format!("access_name = {name:?}"), "access_name", name));
        cases.push(no_name(&format!("refresh_name = {name:?}"), "refresh_name", name));
    }
    for (lines, message) in cases {
        assert_eq!(with_file(&format!("[cookies]\n{lines}\n")).refused(), message);
    }

    let over_tls = with_file("[cookies]\nsame_site = \"none\"\n");
    assert!(over_tls.var("KEYSTEAD_SERVER__PUBLIC_URL", "https://auth.example.com").load().is_ok());
    assert!(with_file("[cookies]\nsame_site = \"none\"\nsecure = \"always\"\n").load().is_ok());
}

#[test]
fn the_source_of_a_bad_value_is_named_wherever_it_came_from() {
    assert_eq!(
        with_var("KEYSTEAD_LOG__FORMAT", "xml").refused(),
        "environment KEYSTEAD_LOG__FORMAT: log.format: \"xml\" is not one of text, json"
    );
    assert_eq!(
        with_var("KEYSTEAD_LOG__FORMAT_FILE", "format").write("format", "xml\n").refused(),
        "file format (KEYSTEAD_LOG__FORMAT_FILE): log.format: \"xml\" is not one of text, json"
    );
}

#[test]
fn broken_toml_is_refused_with_its_line() {
    let message = refused("[server]\nlisten = \n");

    assert!(message.starts_with("configuration:2: "), "{message}");
    assert!(!message.contains('\n'));
    assert!(refused("[log]\nlevel = \"info\"\nlevel = \"warn\"\n").starts_with("configuration:3: "));
}

#[test]
fn no_message_shows_a_secret() {
    let text = "[tokens]\nalgorithm = \"HS256\"\nhs256_secret = \"hunter2\"\n";
    assert_eq!(
        refused(text),
        "configuration:3: tokens.hs256_secret: \"HS256\" needs a secret of at least 32 bytes: \
         set KEYSTEAD_TOKENS__HS256_SECRET"
    );

    let setup = with_var("KEYSTEAD_MAIL__SMTP_PASSWORD", "hunter2");
    assert!(!format!("{:?}", setup.loaded()).contains("hunter2"));
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

#[test]
fn the_env_file_of_a_django_service_is_enough() {
    let config = Setup::new()
        .write(
            ".env",
            "SECRET_KEY='django-insecure-short'\nDEFAULT_ADMIN_EMAIL=admin@example.com\n\
             DEFAULT_ADMIN_PASSWORD=secret\nEMAIL_HOST=smtp.example.com\nEMAIL_PORT=2525\nEMAIL_USE_TLS=True\n\
             EMAIL_HOST_USER=ada\nEMAIL_HOST_PASSWORD=\"pass word\"\n\
             ALLOWED_HOSTS=auth.example.com, .example.org,not a host\n\
             CORS_ALLOWED_ORIGINS=https://a.example,https://B.example:443,*,null,c.example\nDEBUG=False\n",
        )
        .loaded();

    assert_eq!(config.mail.transport, MailTransport::Smtp);
    assert_eq!((config.mail.smtp_host.as_str(), config.mail.smtp_port), ("smtp.example.com", 2525));
    assert_eq!(config.mail.smtp_security, SmtpSecurity::StartTls);
    assert_eq!(config.mail.smtp_username.as_deref(), Some("ada"));
    assert_eq!(config.mail.smtp_password.map(|secret| secret.expose().clone()).as_deref(), Some("pass word"));
    assert_eq!(config.server.allowed_hosts, ["auth.example.com", ".example.org"]);
    assert_eq!(config.server.cors_origins, ["https://a.example", "https://b.example"]);
    assert!(config.tokens.hs256_secret.is_some());
    assert_eq!(config.log.level, "info");

    let kept = with_file("[server]\nallowed_hosts = [\"a\"]\n").var("ALLOWED_HOSTS", "/");
    assert_eq!(kept.loaded().server.allowed_hosts, ["a"]);
}

#[test]
fn a_named_mail_server_sends_unless_the_transport_was_chosen() {
    let transport = |setup: Setup| setup.var("EMAIL_HOST", "smtp.example.com").loaded().mail.transport;

    assert_eq!(transport(Setup::new()), MailTransport::Smtp);
    assert_eq!(transport(with_file("[mail]\ntransport = \"console\"\n")), MailTransport::Console);
    assert_eq!(transport(with_var("KEYSTEAD_MAIL__TRANSPORT", "directory")), MailTransport::Directory);
    assert_eq!(transport(with_var("DEBUG", "True")), MailTransport::Console);
}

#[test]
fn use_tls_follows_the_port() {
    let security = |variables: &[(&str, &str)]| {
        let setup = variables.iter().fold(Setup::new(), |setup, (name, value)| setup.var(name, value));
        setup.loaded().mail.smtp_security
    };

    assert_eq!(security(&[("EMAIL_USE_TLS", "True")]), SmtpSecurity::StartTls);
    assert_eq!(security(&[("EMAIL_USE_TLS", "False")]), SmtpSecurity::None);
    assert_eq!(security(&[("EMAIL_USE_TLS", "True"), ("EMAIL_PORT", "465")]), SmtpSecurity::Tls);
    assert_eq!(
        security(&[("EMAIL_USE_TLS", "True"), ("KEYSTEAD_MAIL__SMTP_PORT", "465")]),
        SmtpSecurity::Tls
    );
    assert_eq!(security(&[("EMAIL_PORT", "465")]), SmtpSecurity::Tls);
    let both = [("EMAIL_USE_TLS", "False"), ("KEYSTEAD_MAIL__SMTP_SECURITY", "tls")];
    assert_eq!(security(&both), SmtpSecurity::Tls);
}

#[test]
fn debug_means_console_mail_and_debug_logs() {
    let setup = with_file("[mail]\ntransport = \"smtp\"\nsmtp_host = \"a\"\n[log]\nlevel = \"warn\"\n");
    let config = setup.var("DEBUG", "True").loaded();
    assert_eq!((config.mail.transport, config.log.level.as_str()), (MailTransport::Console, "debug"));

    let setup = with_var("DEBUG", "True").var("KEYSTEAD_LOG__LEVEL", "warn");
    assert_eq!(setup.loaded().log.level, "warn");
}

#[test]
fn odd_seed_values_are_passed_over_and_unusable_ones_named() {
    for (name, value) in [
        ("DEBUG", "app:*"),
        ("SECRET_KEY", "short"),
        ("EMAIL_PORT", ""),
        ("EMAIL_HOST", ""),
        ("ALLOWED_HOSTS", "/"),
    ] {
        assert!(with_var(name, value).load().is_ok(), "{name}");
    }

    assert_eq!(
        with_var("EMAIL_PORT", "abc").refused(),
        "environment EMAIL_PORT: \"abc\" is not a port: write 587, for instance"
    );
    assert_eq!(
        with_var("EMAIL_USE_TLS", "maybe").refused(),
        "environment EMAIL_USE_TLS: \"maybe\" is neither true nor false: write True or False"
    );
    assert!(with_var("EMAIL_PORT", "abc").var("KEYSTEAD_MAIL__SMTP_PORT", "25").load().is_ok());
    assert_eq!(
        with_var("SECRET_KEY", "short").var("KEYSTEAD_TOKENS__ALGORITHM", "HS256").refused(),
        "environment SECRET_KEY: tokens.hs256_secret: \"HS256\" needs a secret of at least 32 bytes: \
         set KEYSTEAD_TOKENS__HS256_SECRET"
    );
}

#[test]
fn show_is_toml_with_sources_and_without_secrets() {
    let setup = with_file(
        "[mail]\nfrom = 'Ada \"#1\" <a@example.com>'\n[server]\nallowed_hosts = [\n 'a',\n 'b' ]\n",
    )
    .write(".env", "KEYSTEAD_LOG__LEVEL=warn\nDEBUG=True\n")
    .write("secret", SECRET)
    .var("KEYSTEAD_TOKENS__HS256_SECRET_FILE", "secret")
    .var("EMAIL_HOST", "smtp.example.com");

    let shown = setup.loaded().show();

    let folder = setup.folder.path().display();
    for line in [
        "[server]\nlisten = \"127.0.0.1:8000\" # default\n".to_owned(),
        format!("allowed_hosts = [\"a\", \"b\"] # {folder}/auth.toml\n"),
        format!("path = \"{folder}/keystead.redb\" # default\n"),
        "smtp_host = \"smtp.example.com\" # environment EMAIL_HOST\n".to_owned(),
        "transport = \"console\" # .env DEBUG\n".to_owned(),
        "smtp_password = \"\" # default\n".to_owned(),
        format!("hs256_secret = \"***\" # file {folder}/secret (KEYSTEAD_TOKENS__HS256_SECRET_FILE)\n"),
        "level = \"warn\" # .env KEYSTEAD_LOG__LEVEL\n".to_owned(),
    ] {
        assert!(shown.contains(&line), "{line} is not in\n{shown}");
    }
    assert!(!shown.contains(SECRET));
    let table: Table = shown.parse().expect("TOML");
    assert_eq!(table["mail"]["from"].as_str(), Some("Ada \"#1\" <a@example.com>"));
    assert_eq!(keys(&table), shown.lines().filter(|line| line.contains(" = ")).count());
}

fn keys(table: &Table) -> usize {
    table.values().map(|value| value.as_table().map_or(1, keys)).sum()
}

#[test]
fn what_show_prints_can_be_loaded_again() {
    let shown = with_var("KEYSTEAD_PASSWORDS__QUEUE", "7").loaded().show();

    assert_eq!(Config::from_toml(&shown).expect("valid").passwords.queue, 7);
}
