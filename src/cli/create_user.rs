//! `keystead createuser`, `createstaffuser` and `createsuperuser`.
//!
//! Must never: take a password from an argument, or ask where nobody can answer.

use std::io::{self, IsTerminal};

use clap::Args;

use crate::cli::operation::{Account, Operation};
use crate::cli::outcome::{Failure, Outcome, Refusal};
use crate::cli::perform::perform;
use crate::cli::prompt;
use crate::cli::stdin::password_line;
use crate::config::Config;
use crate::domain::{PasswordPolicy, Secret};
use crate::flows::{Activation, Rank};

#[derive(Debug, Args)]
#[command(
    after_help = "Needs an email address or a username; asks for what is missing if stdin is a terminal."
)]
pub(super) struct CreateUser {
    #[command(flatten)]
    person: Person,
    /// Let the user log in at once instead of mailing a code
    #[arg(long)]
    active: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Needs an email address or a username; asks for what is missing if stdin is a terminal.\n\
    With --no-input, DJANGO_SUPERUSER_EMAIL, DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD say what no \
    option says."
)]
pub(super) struct CreateSuperuser {
    #[command(flatten)]
    person: Person,
}

#[derive(Debug, Args)]
struct Person {
    /// Email address, to log in with and to write to
    #[arg(long)]
    email: Option<String>,
    /// Name to log in with: letters, digits and @ . + - _
    #[arg(long)]
    username: Option<String>,
    #[arg(long, value_name = "NAME", help = "First name")]
    first_name: Option<String>,
    #[arg(long, value_name = "NAME", help = "Last name")]
    last_name: Option<String>,
    /// Read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
    /// Ask nothing; without a password the account is one that no password opens
    #[arg(long)]
    no_input: bool,
    /// Take a password that breaks the rules
    #[arg(long)]
    allow_weak_password: bool,
}

/// What the environment says about the superuser.
#[derive(Debug, Default)]
struct Preset {
    email: Option<String>,
    username: Option<String>,
    password: Option<Secret<String>>,
}

impl CreateUser {
    pub(super) async fn run(self, config: Config, rank: Rank) -> Result<Outcome, Failure> {
        let activation = if self.active { Activation::Now } else { Activation::ByCode };
        create(config, self.person, Preset::default(), (rank, activation)).await
    }
}

impl CreateSuperuser {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let preset = if self.person.no_input { Preset::of_process()? } else { Preset::default() };
        create(config, self.person, preset, (Rank::Superuser, Activation::Now)).await
    }
}

async fn create(
    config: Config,
    person: Person,
    preset: Preset,
    kind: (Rank, Activation),
) -> Result<Outcome, Failure> {
    let policy = config.passwords.policy.clone();
    let account = if person.may_ask() && io::stdin().is_terminal() {
        ask(person.account(preset, kind), policy.clone()).await?
    } else {
        let password_stdin = person.password_stdin;
        person.refuse_gaps()?;
        let mut account = person.account(preset, kind);
        if password_stdin {
            account.password = Some(password_line()?);
        }
        account
    };
    // Said here before a server is asked, which looks again with its own rules.
    account.parse(&policy)?;
    perform(config, Operation::CreateUser(account)).await
}

async fn ask(account: Account, policy: PasswordPolicy) -> Result<Account, Refusal> {
    // What options say is judged before anything is asked.
    let gaps = Account { password: None, ..account.clone() };
    let is_named = gaps.email.is_some() || (gaps.username.is_some() && gaps.activation == Activation::Now);
    if is_named {
        gaps.parse(&policy)?;
    }
    prompt::at_terminal(move |terminal| prompt::complete(terminal, account, &policy)).await
}

impl Person {
    fn may_ask(&self) -> bool {
        !self.no_input && !self.password_stdin
    }

    /// Where nobody is asked, an option has to say it.
    fn refuse_gaps(&self) -> Result<(), Refusal> {
        if self.no_input {
            return Ok(());
        }
        if self.email.is_none() && self.username.is_none() {
            return Err(Refusal::new("stdin is not a terminal to ask on: give --email or --username"));
        }
        if !self.password_stdin {
            return Err(Refusal::new(
                "stdin is not a terminal to ask on: give --password-stdin, or --no-input for an account without a password",
            ));
        }
        Ok(())
    }

    fn account(self, preset: Preset, (rank, activation): (Rank, Activation)) -> Account {
        Account {
            email: self.email.or(preset.email),
            username: self.username.or(preset.username),
            first_name: self.first_name,
            last_name: self.last_name,
            password: preset.password,
            allow_weak_password: self.allow_weak_password,
            rank,
            activation,
        }
    }
}

impl Preset {
    fn of_process() -> Result<Self, Refusal> {
        Ok(Self {
            email: variable("DJANGO_SUPERUSER_EMAIL")?,
            username: variable("DJANGO_SUPERUSER_USERNAME")?,
            password: variable("DJANGO_SUPERUSER_PASSWORD")?.map(Secret::new),
        })
    }
}

/// An empty variable is as good as none.
#[expect(
    clippy::disallowed_methods,
    reason = "the names of Django's createsuperuser, which are no configuration"
)]
fn variable(name: &str) -> Result<Option<String>, Refusal> {
    match std::env::var_os(name).map(std::ffi::OsString::into_string) {
        Some(Ok(value)) => Ok(Some(value).filter(|value| !value.is_empty())),
        Some(Err(_)) => Err(Refusal::new(format!("{name} is not UTF-8 text"))),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: (Rank, Activation) = (Rank::Superuser, Activation::Now);

    fn person() -> Person {
        Person {
            email: None,
            username: None,
            first_name: None,
            last_name: None,
            password_stdin: false,
            no_input: false,
            allow_weak_password: false,
        }
    }

    #[test]
    fn options_win_over_the_environment() {
        let preset = || Preset {
            email: Some("env@x.example".to_owned()),
            username: Some("env".to_owned()),
            password: Some(Secret::new("from the environment".to_owned())),
        };
        let said = Person { email: Some("ada@x.example".to_owned()), no_input: true, ..person() };

        let account = said.account(preset(), KIND);

        assert_eq!(account.email.as_deref(), Some("ada@x.example"));
        assert_eq!(account.username.as_deref(), Some("env"));
        assert!(account.password.is_some());
        assert!(!format!("{:?}", preset()).contains("from the environment"));
    }

    #[test]
    fn without_a_terminal_the_missing_option_is_named() {
        let reason = |person: Person| person.refuse_gaps().map_err(|refusal| refusal.reason);

        assert!(reason(person()).is_err_and(|reason| reason.contains("--email or --username")));
        let named = || Person { username: Some("ada".to_owned()), ..person() };
        assert!(reason(named()).is_err_and(|reason| reason.contains("--password-stdin")));
        assert_eq!(reason(Person { password_stdin: true, ..named() }), Ok(()));
        assert_eq!(reason(Person { no_input: true, ..person() }), Ok(()));
    }
}
