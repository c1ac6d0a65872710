//! What can go wrong with mail, and whether trying again helps.
//!
//! Must never: carry the text of a mail.

use std::io;
use std::path::PathBuf;

use crate::mail::message::Unrepresentable;
use crate::mail::text;

/// Why the mail layer cannot start with this configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("cannot use mail.from: {0}")]
    From(Unrepresentable),
    #[error("cannot create mail.directory {path}: {source}")]
    Directory { path: PathBuf, source: io::Error },
    #[error("cannot use mail.smtp_host {host}: {reason}")]
    Host { host: String, reason: String },
}

/// A template that no letter can be written with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    /// In the folder that the configuration names, or that folder itself.
    #[error("{path}: {reason}")]
    Override { path: PathBuf, reason: String },
    /// A mistake in the program.
    #[error("built-in {name}: {reason}")]
    BuiltIn { name: String, reason: String },
}

/// Why a mail did not get away. The reason is one bounded line, good for an administrator's eyes; it may quote the
/// server and so name the address: it belongs into the outbox, not into the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// No later attempt will end differently.
    #[error("{0}")]
    Permanent(String),
    #[error("{0}")]
    Transient(String),
}

impl DeliveryError {
    pub(super) fn permanent(reason: &str) -> Self {
        Self::Permanent(text::excerpt(reason))
    }

    pub(super) fn transient(reason: &str) -> Self {
        Self::Transient(text::excerpt(reason))
    }

    pub(crate) const fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent(_))
    }
}

impl From<Unrepresentable> for DeliveryError {
    fn from(error: Unrepresentable) -> Self {
        Self::permanent(&error.to_string())
    }
}
