//! Proves that the store is whole.

use std::sync::Arc;

use crate::app::{App, AppError};
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::random;
use crate::flows::FlowError;
pub(crate) use crate::store::CheckReport;
use crate::store::Store;

/// Reads every row and rebuilds every index; writes go on meanwhile.
pub(crate) async fn check_store(app: &Arc<App>) -> Result<CheckReport, FlowError> {
    let app = Arc::clone(app);
    let report = tokio::task::spawn_blocking(move || app.store.read()?.check());
    Ok(report.await.map_err(|error| FlowError::Internal(error.to_string()))??)
}

/// The same for a store that nobody has open. Nothing else is opened or made for it: no keys, no mail folder.
pub(crate) async fn check_closed_store(config: &Config, clock: &Clock) -> Result<CheckReport, AppError> {
    let store = Store::open(&config.store.path, random::bytes(), clock.now())?;
    let report = store.read()?.check();
    store.close().await;
    Ok(report?)
}
