//! An operator keeps a copy of everything, and puts one back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::{App, AppError};
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::random;
use crate::domain::{EventKind, Origin, Timestamp};
use crate::flows::steps::Audit;
use crate::store::{self, Store};
pub(crate) use crate::store::{ApiKeys, CopyError, Draft, Existing};

/// Writes a verified copy of this moment, and says how many rows it has. Writes go on meanwhile. That there is a copy is
/// noted in the store, not in the copy.
pub(crate) async fn back_up(app: &Arc<App>, file: PathBuf, existing: Existing) -> Result<u64, CopyError> {
    let (app, target) = (Arc::clone(app), file.clone());
    let (store, now) = (app.store.clone(), app.clock.now());
    let copied = tokio::task::spawn_blocking(move || app.store.back_up(&target, existing));
    let rows = copied.await.unwrap_or_else(|error| Err(CopyError::Write(file, error.to_string())))?;
    note_backup(&store, now, rows).await;
    Ok(rows)
}

/// The same of a store that nobody has open. Nothing else is opened or made for it.
pub(crate) async fn back_up_closed_store(
    config: &Config,
    clock: &Clock,
    file: &Path,
    existing: Existing,
) -> Result<Result<u64, CopyError>, AppError> {
    let now = clock.now();
    let store = Store::open(&config.store.path, random::bytes(), now)?;
    let copied = store.back_up(file, existing);
    if let Ok(rows) = copied {
        note_backup(&store, now, rows).await;
    }
    store.close().await;
    Ok(copied)
}

/// Whoever has a copy has everything but the passwords: that one was made is to be found. The copy is there in any case.
async fn note_backup(store: &Store, now: Timestamp, rows: u64) {
    let origin = Origin::default();
    let told = format!("command line: {rows} rows");
    let event = Audit { now, origin: &origin }.success(EventKind::StoreBackedUp).saying(told);
    if let Err(error) =
        store.write(move |tx| tx.note_backup(now).and_then(|()| tx.append_event(&event))).await
    {
        tracing::warn!(%error, "no event tells of a backup");
    }
}

/// Puts a backup in the place of the store, which nobody may have open: every token from before is dead, every session
/// over, and so is every API key unless they are kept. Says how many rows it has.
pub(crate) fn restore(
    config: &Config,
    clock: &Clock,
    file: &Path,
    existing: Existing,
    api_keys: ApiKeys,
) -> Result<u64, CopyError> {
    let origin = Origin::default();
    let audit = Audit { now: clock.now(), origin: &origin };
    let told = match api_keys {
        ApiKeys::Revoke => "restored from a backup: all sessions ended, all API keys revoked",
        ApiKeys::Keep => "restored from a backup: all sessions ended, API keys kept",
    };
    let event = audit.success(EventKind::KeysRotated).saying(told);
    store::restore(file, &config.store.path, existing, api_keys, &event)
}
