//! The configuration, parsed into types once and passed around after that.
//!
//! Must never: be read again after the start, or hold a value that nothing uses.

mod bootstrap;
mod compat;
mod dev;
mod dotenv;
mod entries;
mod env;
mod error;
mod forward;
mod limits;
mod parse;
mod sections;
mod seeds;
mod settings;
mod show;
mod site;
#[cfg(test)]
mod tests;
mod toml_file;
mod types;
mod values;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;

use env::Variables;
pub use error::ConfigError;
use sections::Raw;
use settings::{Settings, Source};
pub(crate) use show::ShownSetting;
pub(crate) use types::{
    AdminConfig, BootstrapConfig, CompatConfig, CompatNames, CompatTokens, CookiesConfig, DeclaredGroup,
    DeclaredPassword, DeclaredPermission, DeclaredPersona, DeclaredUser, DefaultAdmin, DevConfig,
    DjAuthApiConfig, DjRestAuthConfig, EventsConfig, ForwardConfig, Limit, LimitKind, LimitsConfig,
    LogConfig, LogFormat, Logo, MailConfig, MailTransport, Mailbox, PasswordsConfig, RegistrationConfig,
    RegistrationMode, SameSite, Scope, ServerConfig, SimpleJwtConfig, SiteConfig, SmtpSecurity, StoreConfig,
    TokensConfig, UserIdClaim, UsersList, Verification,
};

/// Everything that can be configured, as `auth.toml.example` lists it.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) server: ServerConfig,
    pub(crate) store: StoreConfig,
    pub(crate) mail: MailConfig,
    pub(crate) registration: RegistrationConfig,
    pub(crate) passwords: PasswordsConfig,
    pub(crate) tokens: TokensConfig,
    pub(crate) cookies: CookiesConfig,
    pub(crate) forward: ForwardConfig,
    pub(crate) limits: LimitsConfig,
    pub(crate) compat: CompatConfig,
    pub(crate) events: EventsConfig,
    pub(crate) bootstrap: BootstrapConfig,
    pub(crate) site: SiteConfig,
    pub(crate) admin: AdminConfig,
    pub(crate) log: LogConfig,
    pub(crate) default_admin: DefaultAdmin,
    /// What a service is to have that is thrown away at its end. No file says so: `keystead dev` does, and a test.
    pub(crate) dev: Option<DevConfig>,
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

    /// Whether links lead past a service that is bound to this address, and nobody said that they are to.
    pub(crate) fn leads_elsewhere(&self, address: SocketAddr) -> bool {
        let port = self.server.public_url.port_or_known_default();
        self.is_default("server.public_url") && port != Some(address.port())
    }

    fn is_default(&self, name: &str) -> bool {
        self.shown.setting(name).is_none_or(|it| it.source == Source::Default)
    }

    /// The same as `show`, setting by setting.
    pub(crate) fn shown_settings(&self) -> Vec<ShownSetting> {
        show::list(&self.shown)
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
        Ok(Self { default_admin: seeds::default_admin(&variables), ..Self::from_settings(settings)? })
    }

    fn from_settings(settings: Settings) -> Result<Self, ConfigError> {
        let raw = Raw::read(&settings)?;
        let server = raw.server.parse(&settings)?;
        let cookies = raw.cookies.parse(&settings, &server)?;
        Ok(Self {
            forward: raw.forward.parse(&settings, &server, &cookies)?,
            cookies,
            server,
            store: raw.store.parse(&settings)?,
            mail: raw.mail.parse(&settings)?,
            registration: raw.registration.parse(&settings)?,
            passwords: raw.passwords.parse(&settings)?,
            tokens: raw.tokens.parse(&settings)?,
            limits: raw.limits.parse(&settings)?,
            compat: raw.compat.parse(&settings)?,
            events: raw.events.parse(&settings)?,
            bootstrap: raw.bootstrap.parse(&settings)?,
            site: raw.site.parse(&settings)?,
            admin: raw.admin.into(),
            log: raw.log.parse(&settings)?,
            default_admin: DefaultAdmin::default(),
            dev: None,
            shown: settings.masked(),
        })
    }
}
