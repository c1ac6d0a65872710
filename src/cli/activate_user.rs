//! `keystead activateuser`.

use clap::Args;

use crate::cli::operation::{Activate, Operation};
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::perform::perform_on_existing;
use crate::config::Config;

#[derive(Debug, Args)]
#[command(
    after_help = "With --user alone the operator vouches for the user. A long code, from a link, stands alone; the eight digits need --user."
)]
pub(super) struct ActivateUser {
    /// Whom: an email address or a username
    #[arg(long, value_name = "USER", required_unless_present = "code")]
    user: Option<String>,
    /// The code that was mailed
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
}

impl ActivateUser {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let Self { user, code } = self;
        perform_on_existing(config, Operation::ActivateUser(Activate { user, code })).await
    }
}
