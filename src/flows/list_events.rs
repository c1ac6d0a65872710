//! The audit log.

use crate::app::App;
use crate::domain::Event;
use crate::flows::FlowError;

/// The newest events, the newest first, at most `limit`.
pub(crate) fn list_events(app: &App, limit: usize) -> Result<Vec<Event>, FlowError> {
    Ok(app.store.read()?.newest_events(limit)?)
}
