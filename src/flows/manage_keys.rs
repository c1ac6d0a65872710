//! Signing keys: what there is, and a new one.

use crate::app::{App, take_over};
use crate::crypto::keys;
use crate::domain::{Algorithm, Event, EventKind, KeyUse, Origin, SigningKey};
use crate::flows::steps::{Audit, Authority, act};
use crate::flows::{Caller, FlowError};
use crate::store::ReadTx;

/// All keys that still verify something, the oldest first.
pub(crate) fn list_keys(app: &App) -> Result<Vec<SigningKey>, FlowError> {
    let now = app.clock.now();
    let mut keys = app.store.read()?.signing_keys()?;
    keys.retain(|key| !key.is_retired(now));
    Ok(keys)
}

/// An administrator could fill the store with keys that nobody needs: those that still count are looked through for each token.
const MAX_KEYS: usize = 32;

/// Lets new keys sign from now on, for access tokens and for refresh tokens. Tokens of the old ones count until they
/// expire, so nobody notices.
pub(crate) async fn rotate_keys(app: &App, origin: &Origin) -> Result<Vec<SigningKey>, FlowError> {
    let event = Audit { now: app.clock.now(), origin }.success(EventKind::KeysRotated);
    rotate(app, event, |_, event| Ok(event)).await
}

/// The same by an administrator, while there are not too many that still count.
pub(crate) async fn rotate_keys_as(app: &App, caller: &Caller) -> Result<(), FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "keys.add_signingkey");
    let allow = move |read: &ReadTx, event: Event| {
        let actor = authority.actor(read)?;
        if read.signing_keys()?.iter().filter(|key| !key.is_retired(now)).count() >= MAX_KEYS {
            return Err(FlowError::Unfit(
                "Many keys still count that were replaced lately: wait for them to retire.",
            ));
        }
        Ok(event.by(&*actor))
    };
    let event = act(caller, EventKind::KeysRotated, now);
    // Before keys are made in vain.
    let event = allow(&app.store.read()?, event)?;
    rotate(app, event, allow).await.map(drop)
}

async fn rotate(
    app: &App,
    event: Event,
    allow: impl Fn(&ReadTx, Event) -> Result<Event, FlowError> + Send + 'static,
) -> Result<Vec<SigningKey>, FlowError> {
    let now = event.time;
    let algorithm = app.config.tokens.algorithm;
    let mut fresh = vec![(keys::generate(Algorithm::Hs256, KeyUse::Refresh, now), longest_refresh(app))];
    if algorithm != Algorithm::Hs256 {
        // Generating an RSA key takes a good part of a second: not on a thread that serves requests.
        let key = tokio::task::spawn_blocking(move || keys::generate(algorithm, KeyUse::Access, now));
        let key = key.await.map_err(|error| FlowError::Internal(error.to_string()))?;
        fresh.push((key, app.config.tokens.longest_access()));
    }
    let names: Vec<String> = fresh.iter().map(|(key, _)| key.id.to_string()).collect();
    let event = event.saying(names.join(" "));
    let written = fresh.clone();
    app.store
        .write(move |tx| {
            let event = allow(tx, event.clone())?;
            for (key, overlap) in &written {
                take_over(tx, key, now.after(*overlap))?;
            }
            Ok::<_, FlowError>(tx.append_event(&event)?)
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
