//! Has the roster ready for administrators who list users, and lets go of it when they have gone.

use std::time::Duration;

use crate::app::App;
use crate::flows::FlowError;
use crate::jobs::Progress;

/// Kept so long after the last use.
const KEPT_FOR: Duration = Duration::from_secs(600);

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    let now = app.clock.now();
    let store = app.store.clone();
    let kept = tokio::task::spawn_blocking(move || store.keep_roster(now, now.before(KEPT_FOR)));
    kept.await.map_err(|error| FlowError::Internal(error.to_string()))??;
    Ok(Progress::Idle)
}
