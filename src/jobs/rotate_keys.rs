//! Lets a new key take over when the present one has signed long enough, and takes away keys that verify nothing.

use crate::app::App;
use crate::domain::{KeyUse, Origin, SigningKey};
use crate::flows::{self, FlowError};
use crate::jobs::Progress;

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    let now = app.clock.now();
    let keys = app.store.read()?.signing_keys()?;
    // A key of an algorithm that is not configured any more signs nothing, and is not replaced by a rotation.
    let is_used =
        |key: &SigningKey| key.usage == KeyUse::Refresh || key.algorithm == app.config.tokens.algorithm;
    let is_old =
        |key: &SigningKey| key.signs() && is_used(key) && now.since(key.created_at) >= SigningKey::LIFETIME;
    if keys.iter().any(is_old) {
        flows::rotate_keys(app, &Origin::default()).await?;
        tracing::info!("a new signing key took over");
    }
    let retired: Vec<_> = keys.iter().filter(|key| key.is_retired(now)).map(|key| key.id).collect();
    if !retired.is_empty() {
        app.store
            .write(move |tx| retired.iter().try_for_each(|id| tx.remove_signing_key(*id)))
            .await
            .map_err(|error: crate::store::StoreError| FlowError::from(error))?;
        app.reload_keyring()?;
    }
    Ok(Progress::Idle)
}
