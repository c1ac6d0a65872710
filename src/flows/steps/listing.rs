//! Reading a page of users.

use std::sync::Arc;

use crate::app::App;
use crate::domain::UserQuery;
use crate::flows::FlowError;
use crate::store::UsersPage;

/// One page of users. None: the place to go on after is none of this ordering.
pub(crate) async fn users_page(app: &Arc<App>, query: UserQuery) -> Result<Option<UsersPage>, FlowError> {
    let app = Arc::clone(app);
    let now = app.clock.now();
    // Reads and compares for as long as that takes, which the threads that serve connections cannot wait for.
    let page = tokio::task::spawn_blocking(move || app.store.users_page(&query, now)).await;
    Ok(page.map_err(|error| FlowError::Internal(error.to_string()))??)
}
