//! `keystead keys list` and `keystead keys rotate`.
//!
//! Must never: print anything of a key but its id and its dates.

use clap::Subcommand;

use crate::cli::operation::Operation;
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::perform::perform_on_existing;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// List the keys that sign or still verify
    List,
    /// Let new keys sign from now on; what the old ones signed counts until it expires
    Rotate,
}

impl Keys {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let operation = match self {
            Self::List => Operation::ListKeys,
            Self::Rotate => Operation::RotateKeys,
        };
        perform_on_existing(config, operation).await
    }
}
