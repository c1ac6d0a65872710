//! The variable names of the Django services that Keystead replaces, so that their `.env` keeps working.
//!
//! Must never: win over a `KEYSTEAD_` name, or stop the start because of a value that another program may have meant.

use toml::Value;

use crate::config::env::{self, Variables};
use crate::config::error::ConfigError;
use crate::config::parse;
use crate::config::settings::{Settings, Source};
use crate::config::types::DefaultAdmin;
use crate::domain::Secret;

/// The port where TLS begins with the first byte (RFC 8314).
const TLS_PORT: i64 = 465;

/// Lays the seed names over the defaults and the file.
pub(super) fn apply(settings: &mut Settings, variables: &Variables) -> Result<(), ConfigError> {
    let mut seeds = Seeds { settings, variables };
    for (name, key) in [
        ("SECRET_KEY", "tokens.hs256_secret"),
        ("EMAIL_HOST", "mail.smtp_host"),
        ("EMAIL_HOST_USER", "mail.smtp_username"),
        ("EMAIL_HOST_PASSWORD", "mail.smtp_password"),
    ] {
        if let Some(value) = seeds.find(name) {
            seeds.put(key, Value::String(value.text), value.source)?;
        }
    }
    seeds.transport()?;
    seeds.security()?;
    seeds.allowed_hosts()?;
    seeds.cors_origins()?;
    seeds.debug()
}

/// What one command reads, and no setting: an empty value is none here too.
pub(super) fn default_admin(variables: &Variables) -> DefaultAdmin {
    let find = |name: &str| {
        let (text, _) = variables.find(name).filter(|(text, _)| !text.trim().is_empty())?;
        Some(text.to_owned())
    };
    DefaultAdmin {
        email: find("DEFAULT_ADMIN_EMAIL"),
        password: find("DEFAULT_ADMIN_PASSWORD").map(Secret::new),
    }
}

struct Seeds<'a> {
    settings: &'a mut Settings,
    variables: &'a Variables,
}

struct Found {
    text: String,
    source: Source,
}

impl Seeds<'_> {
    /// An empty value is none: compose files pass on variables that nobody set.
    fn find(&self, name: &str) -> Option<Found> {
        let (text, origin) = self.variables.find(name).filter(|(text, _)| !text.trim().is_empty())?;
        let source = Source::Seed { name: name.to_owned(), origin };
        Some(Found { text: text.to_owned(), source })
    }

    fn put(&mut self, key: &str, value: Value, source: Source) -> Result<(), ConfigError> {
        if self.yields(key) { self.settings.put(key, value, source) } else { Ok(()) }
    }

    /// Whether a key is free for a seed name: no `KEYSTEAD_` name set it.
    fn yields(&self, key: &str) -> bool {
        !matches!(self.source(key), Some(Source::Variable { .. } | Source::VariableFile { .. }))
    }

    fn source(&self, key: &str) -> Option<&Source> {
        self.settings.setting(key).map(|setting| &setting.source)
    }

    /// Whoever names a mail server wants mail to be sent, unless they said how mail leaves.
    fn transport(&mut self) -> Result<(), ConfigError> {
        match self.find("EMAIL_HOST") {
            Some(host) if self.source("mail.transport") == Some(&Source::Default) => {
                self.put("mail.transport", Value::String("smtp".to_owned()), host.source)
            }
            _ => Ok(()),
        }
    }

    fn security(&mut self) -> Result<(), ConfigError> {
        if let Some(port) = self.find("EMAIL_PORT").filter(|_| self.yields("mail.smtp_port")) {
            let number = port.text.trim().parse::<u16>().ok().filter(|number| *number > 0);
            let number = number.ok_or_else(|| {
                let reason = format!("{:?} is not a port: write 587, for instance", port.text);
                ConfigError::new(&port.source.place(), &reason)
            })?;
            self.put("mail.smtp_port", Value::Integer(number.into()), port.source)?;
        }
        if !self.yields("mail.smtp_security") {
            return Ok(());
        }
        let port = self.settings.setting("mail.smtp_port");
        let by_port = port.filter(|port| port.value.as_integer() == Some(TLS_PORT));
        let is_unset = self.source("mail.smtp_security") == Some(&Source::Default);
        let (security, source) = match (self.find("EMAIL_USE_TLS"), by_port) {
            (Some(tls), Some(_)) => ("tls", tls.source),
            (Some(tls), None) => (upgrade(&tls)?, tls.source),
            // STARTTLS, the default, never works there.
            (None, Some(port)) if is_unset && matches!(port.source, Source::Seed { .. }) => {
                ("tls", port.source.clone())
            }
            (None, _) => return Ok(()),
        };
        self.put("mail.smtp_security", Value::String(security.to_owned()), source)
    }

    /// What is no host name can match no request: it is left out, as Django would never match it either.
    fn allowed_hosts(&mut self) -> Result<(), ConfigError> {
        self.list("ALLOWED_HOSTS", "server.allowed_hosts", parse::is_host)
    }

    /// What is no origin can match no browser's.
    fn cors_origins(&mut self) -> Result<(), ConfigError> {
        self.list("CORS_ALLOWED_ORIGINS", "server.cors_origins", |text| parse::origin(text).is_ok())
    }

    fn list(&mut self, name: &str, key: &str, fits: fn(&str) -> bool) -> Result<(), ConfigError> {
        let Some(found) = self.find(name) else {
            return Ok(());
        };
        let mut list = env::list(&found.text);
        list.retain(|item| item.as_str().is_some_and(fits));
        if list.is_empty() {
            return Ok(());
        }
        self.put(key, Value::Array(list), found.source)
    }

    /// Only the exact word counts, as there: `DEBUG` means other things to other programs.
    fn debug(&mut self) -> Result<(), ConfigError> {
        let Some(debug) = self.find("DEBUG").filter(|debug| debug.text == "True") else {
            return Ok(());
        };
        self.put("mail.transport", Value::String("console".to_owned()), debug.source.clone())?;
        self.put("log.level", Value::String("debug".to_owned()), debug.source)
    }
}

/// Not guessed: it decides whether a password crosses the network in the clear.
fn upgrade(tls: &Found) -> Result<&'static str, ConfigError> {
    match tls.text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok("starttls"),
        "false" | "0" | "no" | "off" => Ok("none"),
        _ => Err(ConfigError::new(
            &tls.source.place(),
            &format!("{:?} is neither true nor false: write True or False", tls.text),
        )),
    }
}
