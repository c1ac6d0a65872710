//! An operator keeps a copy of everything, and puts one back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::{App, AppError};
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::random;
use crate::domain::{EventKind, Origin};
use crate::flows::steps::Audit;
use crate::store::{self, Store};
pub(crate) use crate::store::{CopyError, Draft, Existing};

/// Writes a verified copy of this moment, and says how many rows it has. Writes go on meanwhile.
pub(crate) async fn back_up(app: &Arc<App>, file: PathBuf, existing: Existing) -> Result<u64, CopyError> {
    let (app, target) = (Arc::clone(app), file.clone());
    let copied = tokio::task::spawn_blocking(move || app.store.back_up(&target, existing));
    copied.await.unwrap_or_else(|error| Err(CopyError::Write(file, error.to_string())))
}

/// The same of a store that nobody has open. Nothing else is opened or made for it.
pub(crate) async fn back_up_closed_store(
    config: &Config,
    clock: &Clock,
    file: &Path,
    existing: Existing,
) -> Result<Result<u64, CopyError>, AppError> {
    let store = Store::open(&config.store.path, random::bytes(), clock.now())?;
    let copied = store.back_up(file, existing);
    store.close().await;
    Ok(copied)
}

/// Puts a backup in the place of the store, which nobody may have open: every token from before is dead, every session
/// over. Says how many rows it has.
pub(crate) fn restore(
    config: &Config,
    clock: &Clock,
    file: &Path,
    existing: Existing,
) -> Result<u64, CopyError> {
    let origin = Origin::default();
    let audit = Audit { now: clock.now(), origin: &origin };
    let event = audit.success(EventKind::KeysRotated).saying("restored from a backup: all sessions ended");
    store::restore(file, &config.store.path, existing, &event)
}
