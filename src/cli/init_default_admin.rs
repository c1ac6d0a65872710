//! `keystead initdefaultadmin`: what a container runs at each of its starts.
//!
//! Must never: print the password, or make a second superuser.

use clap::Args;

use crate::cli::operation::{Account, Operation};
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::perform::perform;
use crate::config::{Config, DefaultAdmin};
use crate::flows::{Activation, Rank};

#[derive(Debug, Args)]
#[command(
    after_help = "Reads DEFAULT_ADMIN_EMAIL and DEFAULT_ADMIN_PASSWORD from the environment or .env. Does nothing, with exit \
    code 0, if there is a superuser: run it at every start."
)]
pub(super) struct InitDefaultAdmin {}

impl InitDefaultAdmin {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let DefaultAdmin { email, password } = config.default_admin.clone();
        let account = Account {
            email,
            username: None,
            first_name: None,
            last_name: None,
            password,
            allow_weak_password: false,
            rank: Rank::Superuser,
            activation: Activation::Now,
        };
        if !config.store.path.exists() {
            // No store is made for nothing.
            account.parse_default_admin(&config.passwords.policy)?;
        }
        perform(config, Operation::InitDefaultAdmin(account)).await
    }
}
