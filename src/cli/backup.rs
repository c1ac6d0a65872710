//! `keystead backup` and `keystead restore`.
//!
//! Must never: hand a relative path to a server, which is in another folder.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::operation::{BackUp, Operation};
use crate::cli::outcome::{Failure, Outcome, Refusal};
use crate::cli::perform::perform_on_existing;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Algorithm;
use crate::flows::{self, ApiKeys, Existing};

#[derive(Debug, Args)]
#[command(
    after_help = "All that is committed at one moment, read back and verified before it gets its name, for its owner alone. \
    With a server, its process writes the file."
)]
pub(super) struct Backup {
    /// Where to; a name that is free
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "For a service that is stopped. Every session is over, every access and refresh token and every link to a \
    new password from before is dead, every API key is revoked unless they are kept, and the next start makes new signing \
    keys. Users and passwords are those of the backup: disable again who was disabled since. Mails that waited are not sent; \
    an administrator can resend them. Numbers of users that were given out since are not given out again. A backup that is \
    damaged or no backup is refused, and nothing is written."
)]
pub(super) struct Restore {
    /// A file that `keystead backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the store that is there
    #[arg(long)]
    force: bool,
    /// Let the API keys of the backup count, also those that were revoked since
    #[arg(long)]
    keep_api_keys: bool,
}

impl Backup {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let unnamed = |why: &dyn std::fmt::Display| {
            Refusal::new(format!("cannot write {}: {why}", self.file.display()))
        };
        let file = std::path::absolute(&self.file).map_err(|error| unnamed(&error))?;
        let file = file.into_os_string().into_string();
        let file = file.map_err(|_| unnamed(&"its name is not UTF-8 text"))?;
        perform_on_existing(config, Operation::BackUp(BackUp { file, force: self.force })).await
    }
}

impl Restore {
    pub(super) fn run(self, config: &Config) -> Result<Outcome, Failure> {
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        let api_keys = if self.keep_api_keys { ApiKeys::Keep } else { ApiKeys::Revoke };
        let rows = flows::restore(config, &Clock::system(), &self.file, existing, api_keys)
            .map_err(|error| Refusal::new(error.to_string()))?;
        Ok(Outcome::saying(tell_restore(config, &self.file, rows, api_keys)))
    }
}

fn tell_restore(config: &Config, file: &Path, rows: u64, api_keys: ApiKeys) -> String {
    let (store, file) = (config.store.path.display(), file.display());
    let keys = match api_keys {
        ApiKeys::Revoke => "all API keys are revoked",
        ApiKeys::Keep => "API keys count, also those that were revoked since",
    };
    let mut text = format!(
        "{store} restored from {file} ({rows} rows): all sessions are over, everybody logs in again; {keys}; mails that \
         waited are not sent unless an administrator resends them\n"
    );
    if config.tokens.algorithm == Algorithm::Hs256 {
        text.push_str(
            "access tokens are signed with tokens.hs256_secret (HS256): those of sessions that the backup does not \
             know count until they expire, unless you change it\n",
        );
    }
    text
}
