//! `keystead users`: looking after users without a browser.

use clap::{Args, Subcommand, value_parser};

use crate::cli::accounts::{Form, UsersWish};
use crate::cli::operation::{Activate, Operation};
use crate::cli::outcome::{Failure, Outcome};
use crate::cli::perform::perform_on_existing;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// List users, the oldest account first
    List(List),
    /// Show one user
    Show(Show),
    /// Keep a user out: sessions, API keys and codes end
    Disable(Who),
    /// Let a user log in again
    Enable(Who),
    /// List where a user is logged in
    Sessions(Who),
    /// End all sessions and API keys of a user, who may log in again
    Revoke(Who),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those with this in the address, username or name, in any case; ^TEXT: one of them begins with it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    search: String,
    /// How many at most
    #[arg(long, value_name = "N", default_value = "50", value_parser = value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    who: Who,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Who {
    /// An email address or a username
    #[arg(value_name = "USER")]
    user: String,
}

impl Users {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let form = |json: bool| if json { Form::Json } else { Form::Text };
        let wish = match self {
            Self::Enable(Who { user }) => {
                let activate = Activate { user: Some(user), code: None };
                return perform_on_existing(config, Operation::ActivateUser(activate)).await;
            }
            Self::List(List { search, limit, json }) => {
                UsersWish::List { search, limit: limit.into(), form: form(json) }
            }
            Self::Show(Show { who, json }) => UsersWish::Show { user: who.user, form: form(json) },
            Self::Disable(Who { user }) => UsersWish::Disable { user },
            Self::Sessions(Who { user }) => UsersWish::Sessions { user },
            Self::Revoke(Who { user }) => UsersWish::Revoke { user },
        };
        perform_on_existing(config, Operation::Users(wish)).await
    }
}
