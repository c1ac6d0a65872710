//! The configuration, parsed into types once and passed around after that.
//!
//! Must never: be read again after the start, or hold a value that nothing uses.

mod dotenv;
mod env;
mod error;
mod parse;
mod sections;
mod seeds;
mod settings;
mod show;
#[cfg(test)]
mod tests;
mod toml_file;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::domain::{Algorithm, Email, PasswordPolicy, Secret, SessionPolicy};
use env::Variables;
pub use error::ConfigError;
use sections::Raw;
use settings::Settings;

/// Everything that can be configured, as `auth.toml.example` lists it.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) server: ServerConfig,
    pub(crate) store: StoreConfig,
    pub(crate) mail: MailConfig,
    pub(crate) registration: RegistrationConfig,
    pub(crate) passwords: PasswordsConfig,
    pub(crate) tokens: TokensConfig,
    pub(crate) log: LogConfig,
    /// What [`Config::show`] prints; the secrets in it are masked.
    shown: Settings,
}

/// The file that is read without being asked for.
const FILE: &str = "auth.toml";

impl Config {
    /// Reads the defaults, then the file, then the environment and the `.env` beside the file. Without a path the
    /// file is `./auth.toml`, if there is one.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = env::of_process()?;
        let file = path.unwrap_or(Path::new(FILE));
        match std::fs::read_to_string(file) {
            Ok(text) => Self::layered(Some((file, &text)), environment),
            Err(error) if path.is_none() && error.kind() == ErrorKind::NotFound => {
                Self::layered(None, environment)
            }
            Err(error) => Err(ConfigError::unreadable(file, &error)),
        }
    }

    /// Reads the defaults and the environment, as `keystead dev` does: no file, even if there is one.
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::layered(None, env::of_process()?)
    }

    /// Reads the defaults and this text. The environment does not count, so that tests are exact.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let mut settings = Settings::defaults()?;
        settings.merge_file(Path::new("configuration"), text)?;
        Self::from_settings(settings)
    }

    /// The effective configuration as TOML, secrets masked, with the source of each value in a comment.
    pub(crate) fn show(&self) -> String {
        show::show(&self.shown)
    }

    fn layered(
        file: Option<(&Path, &str)>,
        environment: BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let folder = file.and_then(|(path, _)| path.parent()).unwrap_or(Path::new(""));
        let variables = Variables::new(environment, dotenv::read(&folder.join(".env"))?);

        let mut settings = Settings::defaults()?;
        if let Some((path, text)) = file {
            settings.merge_file(path, text)?;
        }
        env::apply(&mut settings, &variables, folder)?;
        // After the KEYSTEAD_ names, because what a seed name means depends on the port they chose. It yields to them.
        seeds::apply(&mut settings, &variables)?;
        settings.anchor(folder)?;
        Self::from_settings(settings)
    }

    fn from_settings(settings: Settings) -> Result<Self, ConfigError> {
        let raw = Raw::read(&settings)?;
        Ok(Self {
            server: raw.server.parse(&settings)?,
            store: raw.store.parse(&settings)?,
            mail: raw.mail.parse(&settings)?,
            registration: raw.registration.parse(&settings)?,
            passwords: raw.passwords.parse(&settings)?,
            tokens: raw.tokens.parse(&settings)?,
            log: raw.log.parse(&settings)?,
            shown: settings.masked(),
        })
    }
}

/// `[server]`
#[derive(Debug, Clone)]
pub(crate) struct ServerConfig {
    /// Host and port to listen on; port 0 takes a free one.
    pub(crate) listen: String,
    /// Scheme, host and port, no path. For text use [`ServerConfig::base_url`]: `Url` always prints a slash at the end.
    pub(crate) public_url: Url,
    /// Hosts that requests may name besides the one of `public_url` and loopback.
    pub(crate) allowed_hosts: Vec<String>,
}

impl ServerConfig {
    /// Base of every link and issuer of tokens; never ends in a slash.
    pub(crate) fn base_url(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }
}

/// `[store]`
#[derive(Debug, Clone)]
pub(crate) struct StoreConfig {
    pub(crate) path: PathBuf,
}

/// `[mail]`
#[derive(Debug, Clone)]
pub(crate) struct MailConfig {
    pub(crate) transport: MailTransport,
    pub(crate) directory: PathBuf,
    /// `Keystead <keystead@localhost>` or a bare address.
    pub(crate) from: Mailbox,
    pub(crate) smtp_host: String,
    pub(crate) smtp_port: u16,
    pub(crate) smtp_username: Option<String>,
    pub(crate) smtp_password: Option<Secret<String>>,
    pub(crate) smtp_security: SmtpSecurity,
}

/// A sender: an address, with or without a name.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    pub(crate) name: Option<String>,
    pub(crate) address: Email,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailTransport {
    Console,
    Directory,
    Smtp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SmtpSecurity {
    /// Upgrade or fail: never in the clear.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// In the clear.
    None,
}

/// `[registration]`
#[derive(Debug, Clone)]
pub(crate) struct RegistrationConfig {
    pub(crate) mode: RegistrationMode,
    pub(crate) verification: Verification,
    pub(crate) code_ttl: Duration,
    pub(crate) code_attempts: u32,
    pub(crate) resend_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RegistrationMode {
    Open,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    /// No user until the mailed code is confirmed.
    Required,
    /// A user at once; a code is mailed all the same.
    Optional,
    /// A user at once, no mail.
    None,
}

/// `[passwords]`
#[derive(Debug, Clone)]
pub(crate) struct PasswordsConfig {
    pub(crate) policy: PasswordPolicy,
    pub(crate) memory_kib: u32,
    pub(crate) iterations: u32,
    pub(crate) parallelism: u32,
    /// Hashing threads; 0 takes one for each core.
    pub(crate) threads: usize,
    /// How many may wait for a thread before the next is turned away.
    pub(crate) queue: usize,
    /// How long one may wait before it is turned away.
    pub(crate) max_wait: Duration,
}

/// `[tokens]`
#[derive(Debug, Clone)]
pub(crate) struct TokensConfig {
    pub(crate) algorithm: Algorithm,
    pub(crate) sessions: SessionPolicy,
    /// The `aud` of access tokens, demanded of every one that comes in.
    pub(crate) audience: Option<String>,
    /// How far the clocks of verifiers may be apart.
    pub(crate) leeway: Duration,
    /// Signs with `algorithm = "HS256"`; at least 32 bytes.
    pub(crate) hs256_secret: Option<Secret<String>>,
}

impl TokensConfig {
    /// More than this between two clocks is a broken clock. An ended session is remembered this much longer than its
    /// tokens live.
    pub(crate) const MAX_LEEWAY: Duration = Duration::from_secs(300);

    /// How long after its making an access token may be accepted somewhere.
    pub(crate) fn longest_access(&self) -> Duration {
        self.sessions.access_ttl.saturating_add(self.leeway)
    }
}

/// `[log]`
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    /// A `tracing` filter: `info`, or `info,keystead=debug`.
    pub(crate) level: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}
