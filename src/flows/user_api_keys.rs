//! The API keys of somebody else's account: listing them, revoking one.

use crate::app::App;
use crate::domain::{ApiKey, ApiKeyId, Changes, EventKind, UserId};
use crate::flows::steps::{Authority, act, actor_and_subject, api_keys_of};
use crate::flows::{Caller, FlowError};

/// The keys of an account, the newest first, those that ran out included.
pub(crate) fn list_api_keys_of(app: &App, id: UserId) -> Result<Vec<ApiKey>, FlowError> {
    app.store.user(id)?.ok_or(FlowError::NotFound)?;
    api_keys_of(app, id)
}

/// Revokes one key of an account: when this returns, it opens nothing. One of another account is as good as none.
pub(crate) async fn revoke_api_key_of(
    app: &App,
    caller: &Caller,
    id: UserId,
    key: ApiKeyId,
) -> Result<(), FlowError> {
    let authority = Authority::of(app, caller, "users.change_user");
    let event = act(caller, EventKind::ApiKeyRevoked, app.clock.now());
    app.store
        .write(move |tx| {
            let (_, user) = actor_and_subject(&authority, tx, id)?;
            let found = tx.api_key(key)?.filter(|key| key.user == id).ok_or(FlowError::NotFound)?;
            tx.remove_api_key(key)?;
            let told =
                Changes::default().fact("name", found.name.as_str()).fact("prefix", found.prefix.as_str());
            Ok(tx.append_event(&event.clone().about(&user).telling(&told))?)
        })
        .await
}
