//! `keystead check`.
//!
//! Must never: create a store only to find it sound.

use clap::Args;

use crate::cli::operation::Operation;
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::perform::perform_on_existing;
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct Check {}

impl Check {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        perform_on_existing(config, Operation::Check).await
    }
}
