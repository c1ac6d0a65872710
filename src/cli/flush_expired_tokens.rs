//! `keystead flushexpiredtokens`: Django's name for sweeping.

use clap::Args;

use crate::cli::operation::Operation;
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::perform::perform_on_existing;
use crate::config::Config;

#[derive(Debug, Args)]
#[command(after_help = "The server does this by itself, every half minute.")]
pub(super) struct FlushExpiredTokens {}

impl FlushExpiredTokens {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        perform_on_existing(config, Operation::Sweep).await
    }
}
