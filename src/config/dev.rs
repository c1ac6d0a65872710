//! The configuration of a throw-away service: somebody's own, and what such a service is held to.
//!
//! Must never: let it be reached from elsewhere, write a mail to anybody, or touch a file that is not its own. Its
//! passwords are known to everybody.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use url::Url;

use crate::config::error::ConfigError;
use crate::config::sections::Raw;
use crate::config::settings::{Settings, Source};
use crate::config::{
    BootstrapConfig, Config, DeclaredPassword, DeclaredPersona, DeclaredUser, DevConfig, MailTransport,
};
use crate::domain::Email;

/// Who is there from the start, as a seed file says it.
const PERSONAS: &str = include_str!("../../assets/dev/personas.toml");

/// The cheapest that argon2 can do.
const LEAST_MEMORY_KIB: u32 = 8;

impl Config {
    /// What `keystead dev` runs with: the defaults, this file and the environment, but never `./auth.toml`; then the
    /// ready-made users, and what a seed file declares.
    pub(crate) fn for_dev(file: Option<&Path>, seed: Option<&Path>) -> Result<Self, ConfigError> {
        let own = match file {
            Some(file) => Self::load(Some(file))?,
            None => Self::from_environment()?,
        };
        let mut config = own.thrown_away(MailTransport::MailboxAndConsole)?;
        let declared = std::mem::take(&mut config.bootstrap);
        config.plant(Path::new("keystead dev"), PERSONAS)?;
        let personas: Vec<Email> = config.bootstrap.users.iter().filter_map(|it| it.email.clone()).collect();
        config.declare(declared);
        if let Some(seed) = seed {
            let text =
                std::fs::read_to_string(seed).map_err(|error| ConfigError::unreadable(seed, &error))?;
            config.plant(seed, &text)?;
        }
        let personas = personas.iter().filter_map(|email| config.persona(email)).collect();
        Ok(Self { dev: Some(DevConfig { personas }), ..config })
    }

    /// What a test runs with: the defaults and this text, on a free port, with nobody there and no limits unless the text
    /// says so.
    pub(crate) fn for_test(text: &str) -> Result<Self, ConfigError> {
        const OWN: &str = "server.listen = \"127.0.0.1:0\"\nlimits.enabled = false\n";
        let mut settings = Settings::defaults()?;
        settings.merge_file(Path::new("keystead::testing"), OWN)?;
        settings.merge_file(Path::new("configuration"), text)?;
        Self::from_settings(settings)?.thrown_away(MailTransport::Mailbox)
    }

    /// The same for a service that is bound to this address and has its store here. Links and tokens name the address, if
    /// nobody said what else they are to name.
    pub(crate) fn placed(&self, address: SocketAddr, store: PathBuf) -> Self {
        let mut config = self.clone();
        config.store.path = store;
        if self.is_default("server.public_url")
            && let Ok(url) = Url::parse(&format!("http://{address}"))
        {
            config.server.public_url = url;
        }
        config
    }

    fn thrown_away(mut self, transport: MailTransport) -> Result<Self, ConfigError> {
        let host = self.server.listen.rsplit_once(':').map_or("", |(host, _)| host);
        if !is_loopback(host) {
            let reason =
                "everybody knows the passwords of a throw-away service: it listens on 127.0.0.1 alone";
            return Err(self.shown.refuse("server.listen", reason));
        }
        if !self.server.public_url.host_str().is_some_and(is_loopback) {
            let reason =
                "a throw-away service has no address that others can reach: write http://127.0.0.1:8000";
            return Err(self.shown.refuse("server.public_url", reason));
        }
        self.dev = Some(DevConfig::default());
        self.mail.transport = transport;
        let passwords = &mut self.passwords;
        (passwords.memory_kib, passwords.iterations, passwords.parallelism) = (LEAST_MEMORY_KIB, 1, 1);
        Ok(self)
    }

    /// Adds what a seed declares.
    fn plant(&mut self, seed: &Path, text: &str) -> Result<(), ConfigError> {
        let mut settings = Settings::defaults()?;
        settings.merge_file(seed, text)?;
        let stray = settings.iter().find(|it| it.source != Source::Default && it.section() != "bootstrap");
        if let Some(stray) = stray {
            let reason = "a seed has nothing but [bootstrap]: put this into the file of --config";
            return Err(settings.refuse(&stray.name, reason));
        }
        settings.anchor(seed.parent().unwrap_or(Path::new("")))?;
        let planted = Raw::read(&settings)?.bootstrap.parse_seed(&settings, &self.bootstrap)?;
        self.declare(planted);
        Ok(())
    }

    fn persona(&self, email: &Email) -> Option<DeclaredPersona> {
        let users = &self.bootstrap.users;
        let user = users.iter().find(|user| user.email.as_ref().map(Email::key) == Some(email.key()))?;
        let password = match &user.password {
            Some(DeclaredPassword::Plain(password)) => Some(password.clone()),
            _ => None,
        };
        Some(DeclaredPersona { email: email.clone(), password })
    }

    /// Who is declared already, by their address, is now who this says they are.
    fn declare(&mut self, more: BootstrapConfig) {
        self.bootstrap.permissions.extend(more.permissions);
        self.bootstrap.groups.extend(more.groups);
        for user in more.users {
            let key = user.email.as_ref().map(Email::key);
            let is_same = |other: &&mut DeclaredUser| other.email.as_ref().map(Email::key) == key;
            match self.bootstrap.users.iter_mut().filter(|_| key.is_some()).find(is_same) {
                Some(declared) => *declared = user,
                None => self.bootstrap.users.push(user),
            }
        }
    }
}

/// Names under `localhost` never leave the machine (RFC 6761, section 6.3).
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(
        |_| host == "localhost" || host.ends_with(".localhost"),
        |address| address.to_canonical().is_loopback(),
    )
}
