//! Runs an operation: on the store itself, or through the server that has it open.
//!
//! Must never: run an operation twice because the first answer was lost.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::app::{App, AppError};
use crate::cli::control::{self, Silence};
use crate::cli::operation::{self, Operation};
use crate::cli::outcome::{Failure, Outcome, Refusal};
use crate::clock::Clock;
use crate::config::Config;
use crate::flows;

/// A server that starts or stops holds the store for a moment without answering, and so does another command.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

/// Runs `operation`, and creates the store if there is none yet.
pub(super) async fn perform(config: Config, operation: Operation) -> Result<Outcome, Failure> {
    let mut attempts_left = ATTEMPTS;
    loop {
        match alone(&config, &operation).await {
            Ok(reply) => return Ok(reply?),
            Err(error) if error.is_locked() => {}
            Err(error) => return Err((&error).into()),
        }
        match control::ask(&config.store.path, &operation).await {
            Ok(reply) => return Ok(reply?),
            Err(Silence::Nobody) if attempts_left > 0 => {
                attempts_left -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(silence) => return Err(unreachable_store(&config.store.path, &silence).into()),
        }
    }
}

/// The same on a store that has to be there.
pub(super) async fn perform_on_existing(config: Config, operation: Operation) -> Result<Outcome, Failure> {
    expect_store(&config)?;
    perform(config, operation).await
}

fn expect_store(config: &Config) -> Result<(), Refusal> {
    let path = &config.store.path;
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let path = path.display();
            let reason = format!("no store at {path}: run keystead serve first or name it with --config");
            Err(Refusal::new(reason))
        }
        _ => Ok(()),
    }
}

/// The store, for a command of many operations.
pub(super) enum Attached {
    /// Open here; nobody else has it meanwhile.
    Alone(Arc<App>),
    /// In the hands of a server: the store's path.
    Served(PathBuf),
}

impl Attached {
    /// Opens the store, and creates one if there is none yet, unless a server has it.
    pub(super) async fn open(config: Config) -> Result<Self, Failure> {
        let mut attempts_left = ATTEMPTS;
        loop {
            match App::open(config.clone(), Clock::system()).await {
                Ok(app) => return Ok(Self::Alone(Arc::new(app))),
                Err(error) if error.is_locked() => {}
                Err(error) => return Err((&error).into()),
            }
            if control::is_answered(&config.store.path).await {
                return Ok(Self::Served(config.store.path));
            }
            if attempts_left == 0 {
                return Err(unreachable_store(&config.store.path, &Silence::Nobody).into());
            }
            attempts_left -= 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same for a store that has to be there.
    pub(super) async fn open_existing(config: Config) -> Result<Self, Failure> {
        expect_store(&config)?;
        Self::open(config).await
    }

    pub(super) async fn run(&self, operation: Operation) -> Result<Outcome, Failure> {
        match self {
            Self::Alone(app) => Ok(Box::pin(operation::run(app, operation)).await?),
            Self::Served(store) => match control::ask(store, &operation).await {
                Ok(reply) => Ok(reply?),
                Err(silence) => Err(unreachable_store(store, &silence).into()),
            },
        }
    }

    pub(super) async fn close(self) {
        if let Self::Alone(app) = self {
            app.close().await;
        }
    }
}

/// Mails that it causes wait in the outbox for the next `serve`. A check and a backup open the store
/// and nothing else.
async fn alone(config: &Config, operation: &Operation) -> Result<Result<Outcome, Refusal>, AppError> {
    if let Operation::Check = operation {
        let report = flows::check_closed_store(config, &Clock::system()).await?;
        return Ok(operation::tell_check(&report, &config.store.path));
    }
    if let Operation::BackUp(wish) = operation {
        let (file, existing) = (wish.path(), wish.existing());
        let copied = flows::back_up_closed_store(config, &Clock::system(), &file, existing).await?;
        return Ok(operation::tell_backup(wish, copied, &config.store.path));
    }
    let app = Arc::new(App::open(config.clone(), Clock::system()).await?);
    let reply = Box::pin(operation::run(&app, operation.clone())).await;
    app.close().await;
    Ok(reply)
}

fn unreachable_store(store: &Path, silence: &Silence) -> Refusal {
    let path = store.display();
    Refusal::new(match silence {
        Silence::Nobody => format!(
            "the store {path} is in use by another process that does not answer on its control socket: stop it, or try again"
        ),
        Silence::Stranger => {
            format!("the store {path} is in use, and {silence}: run this as that user, or as root")
        }
        Silence::Broken(_) => format!(
            "the store {path} is in use, and {silence}: what was asked may be done or not, look before repeating it"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &tempfile::TempDir) -> Config {
        let path = folder.path().join("k.redb");
        Config::from_toml(&format!("[store]\npath = {path:?}\n")).expect("a configuration")
    }

    #[tokio::test]
    async fn a_store_that_is_not_there_is_not_created_to_be_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");

        let end = perform_on_existing(config(&folder), Operation::Check).await;

        let Err(Failure::Refused(refusal)) = end else { panic!("{end:?}") };
        assert!(refusal.reason.starts_with("no store at /"), "{}", refusal.reason);
        assert!(!folder.path().join("k.redb").exists());
    }

    #[tokio::test]
    async fn without_a_server_the_store_is_free_again_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");

        for operation in [Operation::RotateKeys, Operation::ListKeys] {
            perform(config(&folder), operation).await.expect("done");
        }

        let end = perform_on_existing(config(&folder), Operation::Check).await.expect("sound");
        assert!(end.text.ends_with("sound\n"), "{}", end.text);
    }

    #[tokio::test]
    async fn a_store_in_silent_hands_is_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let _holder = App::open(config(&folder), Clock::system()).await.expect("the store opens");

        let end = perform(config(&folder), Operation::Check).await;

        let Err(Failure::Refused(refusal)) = end else { panic!("{end:?}") };
        assert!(refusal.reason.contains("does not answer on its control socket"), "{}", refusal.reason);
    }
}
