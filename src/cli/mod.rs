//! The command line: arguments in, one outcome out.
//!
//! A command is a struct of its arguments with a `run`, and a line in [`Command`]. Must never: touch the store but
//! through a flow, take a password from an argument, or print anywhere but in `outcome.rs`, `progress.rs` and `prompt.rs`.

mod accounts;
mod activate_user;
mod backup;
mod change_password;
mod check;
mod control;
mod create_user;
mod dev;
mod export;
mod export_file;
mod export_rows;
mod flush_expired_tokens;
mod import;
mod import_report;
mod import_rows;
mod init_default_admin;
mod keys;
mod manual;
mod operation;
mod outcome;
mod perform;
mod progress;
mod prompt;
mod serve;
mod signals;
mod stdin;
mod users;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Config;
use crate::flows::Rank;
use crate::{server, telemetry};
use activate_user::ActivateUser;
use backup::{Backup, Restore};
use change_password::ChangePassword;
use check::Check;
use create_user::{CreateSuperuser, CreateUser};
use dev::Dev;
use export::Export;
use flush_expired_tokens::FlushExpiredTokens;
use import::Import;
use init_default_admin::InitDefaultAdmin;
use keys::Keys;
use manual::{Completions, Manual};
use outcome::{Failure, Outcome, Refusal};
use serve::Serve;
use users::Users;

/// Accounts in one binary: registration, log-in, tokens, revocation and mail, with the database inside.
#[derive(Debug, Parser)]
#[command(
    name = "keystead",
    bin_name = "keystead",
    version,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration."
)]
struct Arguments {
    /// Configuration file; without it ./auth.toml if it is there (`dev` ignores that one), else the defaults
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(Serve),
    /// Run a throw-away service to develop against, with users, a mailbox and a clock
    Dev(Dev),
    /// Create a user, who is mailed a code unless --active
    #[command(name = "createuser")]
    CreateUser(CreateUser),
    /// Create a staff user, who is mailed a code unless --active
    #[command(name = "createstaffuser")]
    CreateStaffUser(CreateUser),
    /// Create a superuser, active at once
    #[command(name = "createsuperuser")]
    CreateSuperuser(CreateSuperuser),
    /// Create the first superuser, as the environment says; does nothing if there is one
    #[command(name = "initdefaultadmin")]
    InitDefaultAdmin(InitDefaultAdmin),
    /// Change a user's password and end the user's sessions and API keys
    #[command(name = "changepassword")]
    ChangePassword(ChangePassword),
    /// Let a user log in who is disabled or never confirmed their address
    #[command(name = "activateuser")]
    ActivateUser(ActivateUser),
    /// Look after users: list, show, disable, enable, sessions, revoke
    #[command(subcommand)]
    Users(Users),
    /// Verify the database: every checksum, every row, every index
    Check(Check),
    /// Write a verified copy of the database, also while the server runs
    Backup(Backup),
    /// Put a backup in the place of the database, with new signing keys
    Restore(Restore),
    /// Bring in accounts from another system
    #[command(subcommand)]
    Import(Import),
    /// Write all users, with groups and permissions, for Django or for people
    Export(Export),
    /// Take away now what has expired
    #[command(name = "flushexpiredtokens")]
    FlushExpiredTokens(FlushExpiredTokens),
    /// List or rotate the signing keys
    #[command(subcommand)]
    Keys(Keys),
    /// Print the effective configuration, secrets masked, each value with its source
    Config,
    /// Print the OpenAPI document that the server serves
    #[command(name = "openapi")]
    OpenApi,
    /// Print what lets a shell complete commands and options
    Completions(Completions),
    /// Print a manual page
    #[command(name = "man")]
    Manual(Manual),
}

/// Threads for what blocks: prompts, checks, new keys. Passwords have threads of their own.
const BLOCKING_THREADS: usize = 16;

/// Runs the program with these arguments, the first of which is its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // --help and --version come this way too, with exit code 0.
            error.print().ok();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    telemetry::log_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    let end = match runtime {
        Ok(runtime) => {
            let run = AssertUnwindSafe(|| runtime.block_on(arguments.run()));
            let end =
                catch_unwind(run).unwrap_or_else(|_| Err(Refusal::new("a bug ended this command").into()));
            // A prompt that nobody answers must not hold up the end.
            runtime.shutdown_background();
            end
        }
        Err(error) => Err(Refusal::new(format!("cannot start: {error}")).into()),
    };
    outcome::conclude(end)
}

impl Arguments {
    async fn run(self) -> Result<Outcome, Failure> {
        match &self.command {
            Command::Completions(completions) => return Ok(completions.run(Self::command())),
            Command::Manual(manual) => return Ok(manual.run(Self::command())?),
            // It has its own view of what configures it.
            Command::Dev(dev) => return Box::pin(dev.run(self.config.as_deref())).await,
            _ => {}
        }
        let config = Config::load(self.config.as_deref())?;
        match self.command {
            Command::Serve(serve) => Box::pin(serve.run(config)).await,
            Command::CreateUser(create) => Box::pin(create.run(config, Rank::User)).await,
            Command::CreateStaffUser(create) => Box::pin(create.run(config, Rank::Staff)).await,
            Command::CreateSuperuser(create) => Box::pin(create.run(config)).await,
            Command::InitDefaultAdmin(init) => Box::pin(init.run(config)).await,
            Command::ChangePassword(change) => change.run(config).await,
            Command::ActivateUser(activate) => activate.run(config).await,
            Command::Users(users) => users.run(config).await,
            Command::Check(check) => check.run(config).await,
            Command::Backup(backup) => backup.run(config).await,
            Command::Restore(restore) => restore.run(&config),
            Command::Import(import) => Box::pin(import.run(config)).await,
            Command::Export(export) => Box::pin(export.run(config)).await,
            Command::FlushExpiredTokens(flush) => flush.run(config).await,
            Command::Keys(keys) => keys.run(config).await,
            Command::Config => Ok(Outcome::saying(config.show())),
            Command::OpenApi => Ok(Outcome::saying(server::openapi(&config))),
            // These three ended above, without this configuration.
            Command::Dev(dev) => Box::pin(dev.run(None)).await,
            Command::Completions(completions) => Ok(completions.run(Self::command())),
            Command::Manual(manual) => Ok(manual.run(Self::command())?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_declaration_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_configuration_is_named_before_or_after_the_command() {
        for line in ["keystead --config a.toml check", "keystead check --config a.toml"] {
            assert_eq!(parse(line).expect(line).config, Some(PathBuf::from("a.toml")));
        }
    }

    #[test]
    fn wrong_usage_is_told_from_help() {
        for line in [
            "keystead",
            "keystead dance",
            "keystead keys",
            "keystead createuser --password x",
            "keystead serve x",
            "keystead dev x",
            "keystead users list --limit 0",
        ] {
            assert_eq!(parse(line).expect_err(line).exit_code(), 2, "{line}");
        }
        for line in ["keystead --version", "keystead --help", "keystead createuser --help"] {
            assert_eq!(parse(line).expect_err(line).exit_code(), 0, "{line}");
        }
        assert_eq!(
            parse("keystead --version").expect_err("a version").to_string(),
            concat!("keystead ", env!("CARGO_PKG_VERSION"), "\n")
        );
    }

    #[test]
    fn every_command_parses() {
        for line in [
            "keystead serve",
            "keystead dev",
            "keystead dev --seed people.toml --config auth.toml",
            "keystead createuser --email a@x.example --username a --first-name A --last-name B --active",
            "keystead createstaffuser --password-stdin --no-input --allow-weak-password",
            "keystead createsuperuser --no-input",
            "keystead initdefaultadmin",
            "keystead users list --search ada --limit 5 --json",
            "keystead users show ada --json",
            "keystead users revoke ada",
            "keystead check",
            "keystead backup a.redb --force",
            "keystead restore a.redb --force --keep-api-keys",
            "keystead import django dump.json --dry-run --drop-duplicate-emails --user-model accounts.user",
            "keystead import django db.sqlite3 --accept-weak-hashes --drop-bad-hashes",
            "keystead export users.json --force --allauth --user-model accounts.user",
            "keystead export users.txt --format csv --with-hashes",
            "keystead flushexpiredtokens",
            "keystead keys list",
            "keystead keys rotate",
            "keystead config",
            "keystead openapi",
            "keystead completions zsh",
            "keystead man",
            "keystead man backup",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        assert!(parse("keystead createsuperuser --active").is_err());
    }
}
