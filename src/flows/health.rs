//! Whether the service is well.

use crate::app::App;

/// Whether the store has not failed. After a failure only a new start helps.
pub(crate) fn is_alive(app: &App) -> bool {
    !*app.store.failure().borrow()
}

/// Whether requests can be served now, writes included.
pub(crate) fn is_ready(app: &App) -> bool {
    is_alive(app) && app.store.has_space() && app.store.read().is_ok()
}
