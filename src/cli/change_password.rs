//! `keystead changepassword`.
//!
//! Must never: take a password from an argument, or ask where nobody can answer.

use std::io::{self, IsTerminal};

use clap::Args;

use crate::cli::operation::{Operation, PasswordChange};
use crate::cli::outcome::{Failure, Outcome, Refusal};
use crate::cli::perform::perform_on_existing;
use crate::cli::prompt;
use crate::cli::stdin::password_line;
use crate::config::Config;
use crate::domain::{Invalid, NewPassword, Password, PasswordPolicy, PersonalFacts, Secret};

#[derive(Debug, Args)]
#[command(
    after_help = "Ends all sessions and API keys of the user. Asks for the password if stdin is a terminal."
)]
pub(super) struct ChangePassword {
    /// Whose password: an email address or a username
    #[arg(value_name = "USER")]
    user: String,
    /// Read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
    /// Take a password that breaks the rules
    #[arg(long)]
    allow_weak_password: bool,
}

impl ChangePassword {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let Self { user, password_stdin, allow_weak_password } = self;
        let password = if password_stdin {
            password_line()?
        } else if io::stdin().is_terminal() {
            let policy = (!allow_weak_password).then(|| config.passwords.policy.clone());
            let judge = move |password: &Secret<String>| judge(password, policy.as_ref());
            prompt::at_terminal(move |terminal| prompt::ask_password(terminal, judge)).await?
        } else {
            let reason = "stdin is not a terminal to ask on: give --password-stdin";
            return Err(Refusal::new(reason).into());
        };
        let change = PasswordChange { user, password, allow_weak_password };
        perform_on_existing(config, Operation::ChangePassword(change)).await
    }
}

/// What can be said before the account is known; who has the store compares the password with the account too.
fn judge(password: &Secret<String>, policy: Option<&PasswordPolicy>) -> Result<(), Vec<Invalid>> {
    match policy {
        Some(policy) => NewPassword::parse(password.expose(), policy, &PersonalFacts::default()).map(drop),
        None => Password::parse(password.expose()).map(drop).map_err(|invalid| vec![invalid]),
    }
}
