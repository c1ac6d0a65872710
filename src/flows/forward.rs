//! Whether somebody's request may pass to a program behind a proxy.

use crate::app::App;
use crate::domain::{GroupName, PermissionName, User};
use crate::flows::FlowError;

/// Lets somebody pass who is in one of these groups, if there are any, and has every one of these permissions.
pub(crate) fn pass(
    app: &App,
    user: &User,
    groups: &[GroupName],
    permissions: &[PermissionName],
) -> Result<(), FlowError> {
    if user.password_is_temporary {
        return Err(FlowError::PasswordChangeRequired);
    }
    let directory = app.store.directory();
    let is_in_group = groups.is_empty() || groups.iter().any(|name| directory.has_group(user, name.as_str()));
    let has_all = permissions.iter().all(|name| directory.has_permission(user, name.as_str()));
    if is_in_group && has_all { Ok(()) } else { Err(FlowError::PermissionDenied) }
}
