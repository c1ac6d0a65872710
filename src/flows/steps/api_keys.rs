//! The API keys of an account, as its owner and administrators see them.

use crate::app::App;
use crate::domain::{ApiKey, UserId};
use crate::flows::FlowError;

/// The newest first, with the uses that are not written down yet.
pub(crate) fn api_keys_of(app: &App, user: UserId) -> Result<Vec<ApiKey>, FlowError> {
    let mut keys = app.store.read()?.api_keys_of(user)?;
    for key in &mut keys {
        key.last_used_at = key.last_used_at.max(app.store.noted_api_key_use(key.id));
    }
    keys.reverse();
    Ok(keys)
}
