//! What an operator meets: the example and what `config` prints here, the rest in files of their own.

mod bootstrap;
mod forward;
mod layers;
mod refusals;
mod seeds;

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
    assert_eq!(config.events.retention, Some(Duration::from_secs(365 * 86_400)));
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

#[test]
fn the_pages_look_plain_unless_told_otherwise() {
    let plain = with_file("").load().expect("valid").site;
    assert!(plain.name.is_none() && plain.logo.is_none() && plain.next_origins.is_empty());

    let told = with_file("[site]\nname = \"Acme\"\nnext_origins = [\"https://App.example.com:443/\"]\n");
    let told = told.load().expect("valid").site;
    assert_eq!(told.name.as_deref(), Some("Acme"));
    assert_eq!(told.next_origins, ["https://app.example.com"]);
}
