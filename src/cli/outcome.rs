//! How a command ends: what it prints, what it complains about, with which exit code.
//!
//! Must never: be printed anywhere but here, carry a secret, or spread a complaint over more than one line.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::app::AppError;
use crate::config::ConfigError;
use crate::domain::{Invalid, escaped};
use crate::flows::FlowError;

/// It is done; this is what it prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) text: String,
}

/// It was refused, or failed: what is wrong and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub(super) reason: String,
    /// What was found out all the same, for stdout.
    pub(super) details: String,
}

/// Every way a command can fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    Configuration(String),
    Refused(Refusal),
}

/// Wrong usage or configuration; clap ends with the same.
const EXIT_USAGE: u8 = 2;

impl Outcome {
    pub(super) fn saying(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), details: String::new() }
    }

    /// A value that was not taken, with every reason why.
    pub(super) fn refused(what: &str, broken: &[Invalid]) -> Self {
        let reasons: Vec<&str> = broken.iter().map(|invalid| invalid.message.as_str()).collect();
        Self::new(format!("{what} is refused: {}", reasons.join(" ")))
    }
}

impl From<FlowError> for Refusal {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Invalid(field, broken) => Self::refused(field, &broken),
            FlowError::EmailTaken => Self::new("email is refused: another account has this address"),
            FlowError::Overloaded { .. } => {
                Self::new("too many passwords are waiting to be hashed: try again in a moment")
            }
            FlowError::Unavailable(error) => Self::new(error.to_string()),
            other => Self::new(other.to_string()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Configuration(error.to_string())
    }
}

impl From<&AppError> for Failure {
    fn from(error: &AppError) -> Self {
        if error.is_configuration() {
            Self::Configuration(error.to_string())
        } else {
            Refusal::new(error.to_string()).into()
        }
    }
}

/// Prints what there is to print and says how the process ends.
pub(super) fn conclude(end: Result<Outcome, Failure>) -> ExitCode {
    let (printed, complaint, code) = match end {
        Ok(outcome) => (outcome.text, None, ExitCode::SUCCESS),
        Err(Failure::Refused(refusal)) => (refusal.details, Some(refusal.reason), ExitCode::FAILURE),
        Err(Failure::Configuration(reason)) => (String::new(), Some(reason), ExitCode::from(EXIT_USAGE)),
    };
    let printed = print(&printed);
    if let Some(complaint) = complaint {
        // Nobody is left to tell if stderr is gone too.
        writeln!(io::stderr(), "{}", complaint_line(&complaint)).ok();
        return code;
    }
    match printed {
        // `keystead config | head` has read what it wanted.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => code,
    }
}

/// Writes to stdout at once.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Paths and addresses in it come from outside: what a terminal would obey is shown escaped.
fn complaint_line(reason: &str) -> String {
    format!("keystead: {}", escaped(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_one_line() {
        assert_eq!(
            complaint_line("no store at /a\nb\u{1b}\u{202e}"),
            "keystead: no store at /a\\nb\\u{1b}\\u{202e}"
        );
    }
}
