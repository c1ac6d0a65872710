//! Everybody and their rights, for another system.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::give_back;
use crate::domain::{Directory, Secret, User, UserId};
use crate::flows::FlowError;

/// A user with what goes with them.
#[derive(Debug, Clone)]
pub(crate) struct ExportedUser {
    pub(crate) user: User,
    /// What Django's column has for it.
    pub(crate) password: Secret<String>,
}

/// All groups and permissions, and how many users there are.
pub(crate) fn export_rights(app: &App) -> Result<(Arc<Directory>, u64), FlowError> {
    Ok((app.store.directory(), app.store.read()?.count_users()?))
}

/// Users by number, those after `after`, at most `limit`.
pub(crate) async fn export_users(
    app: &Arc<App>,
    after: UserId,
    limit: usize,
) -> Result<Vec<ExportedUser>, FlowError> {
    let app = Arc::clone(app);
    let read = tokio::task::spawn_blocking(move || app.store.read()?.users_after(after, limit));
    let users = read.await.map_err(|error| FlowError::Internal(error.to_string()))??;
    let exported = users.into_iter().map(|user| {
        let password = Secret::new(give_back(user.password.as_ref()));
        ExportedUser { user, password }
    });
    Ok(exported.collect())
}
