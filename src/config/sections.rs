//! Each section from its plain values into its type, and the rules between values.
//!
//! Must never: give a default. A key that the example lacks fails here, and so does one that no field takes.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Value;

use crate::config::bootstrap::RawBootstrap;
use crate::config::compat::RawCompat;
use crate::config::error::ConfigError;
use crate::config::forward::RawForward;
use crate::config::limits::RawLimits;
use crate::config::settings::Settings;
use crate::config::site::{RawAdmin, RawSite};
use crate::config::values::{DEVICE_COOKIE, choice, cookie_name, lifetime, number, path, set, span};
use crate::config::{
    CookiesConfig, EventsConfig, LogConfig, LogFormat, MailConfig, MailTransport, PasswordsConfig,
    RegistrationConfig, RegistrationMode, SameSite, ServerConfig, SmtpSecurity, StoreConfig, TokensConfig,
    UserIdClaim, Verification, parse,
};
use crate::domain::{Algorithm, PasswordPolicy, Secret, SessionPolicy, Validator};

/// All sections as the files write them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) server: RawServer,
    pub(super) store: RawStore,
    pub(super) mail: RawMail,
    pub(super) registration: RawRegistration,
    pub(super) passwords: RawPasswords,
    pub(super) tokens: RawTokens,
    pub(super) cookies: RawCookies,
    pub(super) forward: RawForward,
    pub(super) limits: RawLimits,
    pub(super) compat: RawCompat,
    pub(super) events: RawEvents,
    pub(super) bootstrap: RawBootstrap,
    pub(super) site: RawSite,
    pub(super) admin: RawAdmin,
    pub(super) log: RawLog,
}

impl Raw {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Self::deserialize(Value::Table(settings.to_table()))
            .map_err(|error| ConfigError::new("auth.toml.example", error.message()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    listen: String,
    public_url: String,
    allowed_hosts: Vec<String>,
    trusted_proxies: Vec<String>,
    cors_origins: Vec<String>,
}

impl RawServer {
    pub(super) fn parse(self, settings: &Settings) -> Result<ServerConfig, ConfigError> {
        if let Some(host) = self.allowed_hosts.iter().find(|host| !parse::is_host(host)) {
            let reason = format!("{host:?} is not a host: write auth.example.com");
            return Err(settings.refuse("server.allowed_hosts", &reason));
        }
        let refuse = |name: &'static str| move |reason: String| settings.refuse(name, &reason);
        let proxies = self.trusted_proxies.iter().map(|text| parse::network(text));
        let origins = self.cors_origins.iter().map(|text| parse::origin(text));
        Ok(ServerConfig {
            trusted_proxies: proxies.collect::<Result<_, _>>().map_err(refuse("server.trusted_proxies"))?,
            cors_origins: origins
                .map(|origin| Ok(origin?.origin().ascii_serialization()))
                .collect::<Result<_, _>>()
                .map_err(refuse("server.cors_origins"))?,
            listen: parse::listen(&self.listen).map_err(refuse("server.listen"))?,
            public_url: parse::origin(&self.public_url).map_err(refuse("server.public_url"))?,
            allowed_hosts: self.allowed_hosts,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    path: String,
}

impl RawStore {
    pub(super) fn parse(self, settings: &Settings) -> Result<StoreConfig, ConfigError> {
        Ok(StoreConfig { path: path(settings, "store.path", &self.path)? })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMail {
    transport: String,
    directory: String,
    from: String,
    smtp_host: String,
    smtp_port: i64,
    smtp_username: String,
    smtp_password: String,
    smtp_security: String,
    templates: String,
}

impl RawMail {
    pub(super) fn parse(self, settings: &Settings) -> Result<MailConfig, ConfigError> {
        let transports = [
            ("console", MailTransport::Console),
            ("directory", MailTransport::Directory),
            ("smtp", MailTransport::Smtp),
        ];
        let securities =
            [("starttls", SmtpSecurity::StartTls), ("tls", SmtpSecurity::Tls), ("none", SmtpSecurity::None)];
        let mail = MailConfig {
            transport: choice(settings, "mail.transport", &self.transport, &transports)?,
            directory: path(settings, "mail.directory", &self.directory)?,
            from: parse::mailbox(&self.from).map_err(|reason| settings.refuse("mail.from", &reason))?,
            smtp_host: self.smtp_host,
            smtp_port: number(settings, "mail.smtp_port", self.smtp_port, 1, 65_535)?,
            smtp_username: set(self.smtp_username),
            smtp_password: set(self.smtp_password).map(Secret::new),
            smtp_security: choice(settings, "mail.smtp_security", &self.smtp_security, &securities)?,
            templates: set(self.templates).map(PathBuf::from),
        };
        if !mail.smtp_host.is_empty() && !parse::is_host(&mail.smtp_host) {
            let reason = format!("{:?} is not a host: write smtp.example.com", mail.smtp_host);
            return Err(settings.refuse("mail.smtp_host", &reason));
        }
        if mail.transport == MailTransport::Smtp && mail.smtp_host.is_empty() {
            let reason = "\"smtp\" needs a mail server: set mail.smtp_host to its name";
            return Err(settings.refuse("mail.transport", reason));
        }
        Ok(mail)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRegistration {
    mode: String,
    verification: String,
    code_ttl: String,
    code_attempts: i64,
    resend_interval: String,
}

impl RawRegistration {
    pub(super) fn parse(self, settings: &Settings) -> Result<RegistrationConfig, ConfigError> {
        let modes = [("open", RegistrationMode::Open), ("closed", RegistrationMode::Closed)];
        let verifications = [
            ("required", Verification::Required),
            ("optional", Verification::Optional),
            ("none", Verification::None),
        ];
        Ok(RegistrationConfig {
            mode: choice(settings, "registration.mode", &self.mode, &modes)?,
            verification: choice(settings, "registration.verification", &self.verification, &verifications)?,
            code_ttl: lifetime(settings, "registration.code_ttl", &self.code_ttl)?,
            code_attempts: number(settings, "registration.code_attempts", self.code_attempts, 1, 1_000_000)?,
            resend_interval: span(settings, "registration.resend_interval", &self.resend_interval)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPasswords {
    min_length: i64,
    max_length: i64,
    validators: Vec<String>,
    reset_ttl: String,
    memory_kib: i64,
    iterations: i64,
    parallelism: i64,
    threads: i64,
    queue: i64,
    max_wait: String,
}

/// The bounds of argon2 (RFC 9106) are wider; these keep a slip from taking the machine. No stored hash is verified above
/// them either.
const MAX_MEMORY_KIB: i64 = 1024 * 1024;

impl RawPasswords {
    pub(super) fn parse(self, settings: &Settings) -> Result<PasswordsConfig, ConfigError> {
        let passwords = PasswordsConfig {
            policy: PasswordPolicy {
                min_length: number(settings, "passwords.min_length", self.min_length, 1, 1024)?,
                max_length: number(settings, "passwords.max_length", self.max_length, 1, 1024)?,
                validators: validators(settings, &self.validators)?,
            },
            memory_kib: number(settings, "passwords.memory_kib", self.memory_kib, 8, MAX_MEMORY_KIB)?,
            iterations: number(settings, "passwords.iterations", self.iterations, 1, 100)?,
            parallelism: number(settings, "passwords.parallelism", self.parallelism, 1, 64)?,
            threads: number(settings, "passwords.threads", self.threads, 0, 1024)?,
            queue: number(settings, "passwords.queue", self.queue, 1, 1_000_000)?,
            max_wait: span(settings, "passwords.max_wait", &self.max_wait)?,
            reset_ttl: lifetime(settings, "passwords.reset_ttl", &self.reset_ttl)?,
        };
        if passwords.policy.least().is_some_and(|least| least > passwords.policy.max_length) {
            let reason = format!(
                "min_length {} is more than max_length {}: no password would do",
                self.min_length, self.max_length
            );
            return Err(settings.refuse_pair(["passwords.max_length", "passwords.min_length"], &reason));
        }
        let least = passwords.parallelism.saturating_mul(8);
        if passwords.memory_kib < least {
            let reason = format!(
                "{} lanes need at least {least} KiB of memory: raise memory_kib or lower parallelism",
                self.parallelism
            );
            return Err(settings.refuse_pair(["passwords.memory_kib", "passwords.parallelism"], &reason));
        }
        Ok(passwords)
    }
}

fn validators(settings: &Settings, words: &[String]) -> Result<Vec<Validator>, ConfigError> {
    let choices = Validator::ALL.map(|validator| (validator.as_str(), validator));
    let mut validators = Vec::new();
    for word in words {
        let validator = choice(settings, "passwords.validators", word, &choices)?;
        if validators.contains(&validator) {
            return Err(settings.refuse("passwords.validators", &format!("{word:?} is there twice")));
        }
        validators.push(validator);
    }
    Ok(validators)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTokens {
    algorithm: String,
    access_ttl: String,
    refresh_ttl: String,
    session_ttl: String,
    refresh_grace: String,
    audience: String,
    leeway: String,
    hs256_secret: String,
    user_id: String,
    accept: Vec<String>,
}

/// RFC 7518 section 3.2: no shorter than the hash.
const MIN_SECRET_BYTES: usize = 32;

impl RawTokens {
    pub(super) fn parse(self, settings: &Settings) -> Result<TokensConfig, ConfigError> {
        let leeway = span(settings, "tokens.leeway", &self.leeway)?;
        if leeway > TokensConfig::MAX_LEEWAY {
            return Err(settings.refuse("tokens.leeway", "is at most 5m: mend the clocks instead"));
        }
        let algorithms = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Hs256]
            .map(|algorithm| (algorithm.as_str(), algorithm));
        let algorithm = choice(settings, "tokens.algorithm", &self.algorithm, &algorithms)?;
        if algorithm == Algorithm::Hs256 && self.hs256_secret.len() < MIN_SECRET_BYTES {
            let reason = format!(
                "\"HS256\" needs a secret of at least {MIN_SECRET_BYTES} bytes: set KEYSTEAD_TOKENS__HS256_SECRET"
            );
            return Err(settings.refuse_pair(["tokens.hs256_secret", "tokens.algorithm"], &reason));
        }
        if self.accept.iter().any(|secret| secret.len() < MIN_SECRET_BYTES) {
            let reason =
                format!("has a secret of fewer than {MIN_SECRET_BYTES} bytes: write the whole SECRET_KEY");
            return Err(settings.refuse("tokens.accept", &reason));
        }
        if self.accept.iter().any(|secret| secret.contains(char::is_control)) {
            let reason = "has a line end or another control character in it: put commas between secrets";
            return Err(settings.refuse("tokens.accept", reason));
        }
        let user_ids = [("string", UserIdClaim::String), ("int", UserIdClaim::Int)];
        let sessions = SessionPolicy {
            access_ttl: lifetime(settings, "tokens.access_ttl", &self.access_ttl)?,
            refresh_ttl: lifetime(settings, "tokens.refresh_ttl", &self.refresh_ttl)?,
            session_ttl: lifetime(settings, "tokens.session_ttl", &self.session_ttl)?,
            refresh_grace: span(settings, "tokens.refresh_grace", &self.refresh_grace)?,
        };
        if sessions.access_ttl > sessions.session_ttl {
            let reason = format!(
                "access_ttl {} is longer than session_ttl {}: no token outlives its session",
                self.access_ttl, self.session_ttl
            );
            return Err(settings.refuse_pair(["tokens.access_ttl", "tokens.session_ttl"], &reason));
        }
        Ok(TokensConfig {
            algorithm,
            sessions,
            audience: set(self.audience),
            leeway,
            hs256_secret: set(self.hs256_secret).map(Secret::new),
            user_id: choice(settings, "tokens.user_id", &self.user_id, &user_ids)?,
            accept: self.accept.into_iter().map(Secret::new).collect(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCookies {
    enabled: bool,
    access_name: String,
    refresh_name: String,
    secure: String,
    same_site: String,
}

impl RawCookies {
    pub(super) fn parse(
        self,
        settings: &Settings,
        server: &ServerConfig,
    ) -> Result<CookiesConfig, ConfigError> {
        let is_https = server.public_url.scheme() == "https";
        let secure = choice(
            settings,
            "cookies.secure",
            &self.secure,
            &[("auto", is_https), ("always", true), ("never", false)],
        )?;
        // Only over TLS from this very host, for the whole of it: no other host of the domain can set such a cookie.
        let has_prefix = is_https && self.secure == "auto";
        let prefix = if has_prefix { "__Host-" } else { "" };
        let same_sites = [("lax", SameSite::Lax), ("strict", SameSite::Strict), ("none", SameSite::None)];
        let same_site = choice(settings, "cookies.same_site", &self.same_site, &same_sites)?;
        if same_site == SameSite::None && !secure {
            let reason = "browsers take \"none\" only with TLS: set cookies.secure, or an https public_url";
            return Err(settings.refuse_pair(["cookies.same_site", "cookies.secure"], reason));
        }
        if self.access_name == self.refresh_name {
            let reason = "is the name of the other cookie too: write another";
            return Err(settings.refuse_pair(["cookies.refresh_name", "cookies.access_name"], reason));
        }
        let name = |key: &str, name: &str| Ok(format!("{prefix}{}", cookie_name(settings, key, name)?));
        Ok(CookiesConfig {
            enabled: self.enabled,
            access_name: name("cookies.access_name", &self.access_name)?,
            refresh_name: name("cookies.refresh_name", &self.refresh_name)?,
            device_name: format!("{prefix}{DEVICE_COOKIE}"),
            has_prefix,
            secure,
            same_site,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEvents {
    retention: String,
}

/// Nobody wipes their traces with a span of a second.
const LEAST_RETENTION: Duration = Duration::from_secs(86_400);

impl RawEvents {
    pub(super) fn parse(self, settings: &Settings) -> Result<EventsConfig, ConfigError> {
        const NAME: &str = "events.retention";
        let retention = set(self.retention).map(|text| match span(settings, NAME, &text)? {
            span if span < LEAST_RETENTION => {
                let reason = format!("{text:?} is too short: write 1d or more, or \"\" to keep all events");
                Err(settings.refuse(NAME, &reason))
            }
            span => Ok(span),
        });
        Ok(EventsConfig { retention: retention.transpose()? })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    format: String,
    level: String,
}

impl RawLog {
    pub(super) fn parse(self, settings: &Settings) -> Result<LogConfig, ConfigError> {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        Ok(LogConfig {
            format: choice(settings, "log.format", &self.format, &formats)?,
            level: parse::log_level(&self.level).map_err(|reason| settings.refuse("log.level", &reason))?,
        })
    }
}
