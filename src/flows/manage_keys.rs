//! Signing keys: what there is, and a new one.

use crate::app::{App, take_over};
use crate::crypto::keys;
use crate::domain::{Algorithm, EventKind, KeyUse, Origin, SigningKey};
use crate::flows::FlowError;
use crate::flows::steps::Audit;

/// All keys that still verify something, the oldest first.
pub(crate) fn list_keys(app: &App) -> Result<Vec<SigningKey>, FlowError> {
    let now = app.clock.now();
    let mut keys = app.store.read()?.signing_keys()?;
    keys.retain(|key| !key.is_retired(now));
    Ok(keys)
}

/// Lets new keys sign from now on, for access tokens and for refresh tokens. Tokens of the old ones count until they
/// expire, so nobody notices.
pub(crate) async fn rotate_keys(app: &App, origin: &Origin) -> Result<Vec<SigningKey>, FlowError> {
    let now = app.clock.now();
    let algorithm = app.config.tokens.algorithm;
    let mut fresh = vec![(keys::generate(Algorithm::Hs256, KeyUse::Refresh, now), longest_refresh(app))];
    if algorithm != Algorithm::Hs256 {
        // Generating an RSA key takes a good part of a second: not on a thread that serves requests.
        let key = tokio::task::spawn_blocking(move || keys::generate(algorithm, KeyUse::Access, now));
        let key = key.await.map_err(|error| FlowError::Internal(error.to_string()))?;
        fresh.push((key, app.config.tokens.longest_access()));
    }
    let names: Vec<String> = fresh.iter().map(|(key, _)| key.id.to_string()).collect();
    let event = Audit { now, origin }.success(EventKind::KeysRotated).saying(names.join(" "));
    let written = fresh.clone();
    app.store
        .write(move |tx| {
            for (key, overlap) in &written {
                take_over(tx, key, now.after(*overlap))?;
            }
            tx.append_event(&event)
        })
        .await?;
    app.reload_keyring()?;
    Ok(fresh.into_iter().map(|(key, _)| key).collect())
}

/// The keys that anybody may verify access tokens with (RFC 7517).
pub(crate) fn public_keys(app: &App) -> serde_json::Value {
    app.keyring().jwks(app.clock.now())
}

/// A refresh token may lie unused for this long and still count.
fn longest_refresh(app: &App) -> std::time::Duration {
    app.config.tokens.sessions.refresh_ttl.min(app.config.tokens.sessions.session_ttl)
}
