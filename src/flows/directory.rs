//! The groups and permissions that there are now.

use std::sync::Arc;

use crate::app::App;
use crate::domain::{Directory, User};

/// A consistent view of all of them, never older than the last acknowledged change.
pub(crate) fn directory(app: &App) -> Arc<Directory> {
    app.store.directory()
}

/// Whether somebody may administer what a permission is about: Django's `is_staff` and `has_perm`.
pub(crate) fn is_staff_with(app: &App, user: &User, permission: &str) -> bool {
    user.is_staff && directory(app).has_permission(user, permission)
}
