//! Whether anybody rules here yet.

use std::sync::Arc;

use crate::app::App;
use crate::flows::FlowError;

/// Whether there is a superuser who can administer.
pub(crate) async fn has_superuser(app: &Arc<App>) -> Result<bool, FlowError> {
    let app = Arc::clone(app);
    let found = tokio::task::spawn_blocking(move || app.store.read()?.has_ruler());
    Ok(found.await.map_err(|error| FlowError::Internal(error.to_string()))??)
}
