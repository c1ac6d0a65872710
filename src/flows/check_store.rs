//! Proves that the store is whole.

use std::sync::Arc;

use crate::app::App;
use crate::flows::FlowError;
use crate::store::CheckReport;

/// Reads every row and rebuilds every index; writes go on meanwhile.
pub(crate) async fn check_store(app: &Arc<App>) -> Result<CheckReport, FlowError> {
    let app = Arc::clone(app);
    let report = tokio::task::spawn_blocking(move || app.store.read()?.check());
    Ok(report.await.map_err(|error| FlowError::Internal(error.to_string()))??)
}
