//! The groups and permissions that there are now.

use std::sync::Arc;

use crate::app::App;
use crate::domain::Directory;

/// A consistent view of all of them, never older than the last acknowledged change.
pub(crate) fn directory(app: &App) -> Arc<Directory> {
    app.store.directory()
}
