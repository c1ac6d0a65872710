//! API keys: making one, listing one's own, revoking one.

use std::sync::Arc;

use crate::app::App;
use crate::config::LimitKind;
use crate::crypto::api_key::new_api_key;
use crate::crypto::random;
use crate::domain::{ApiKey, ApiKeyId, EventKind, Invalid, Name, Party, Secret, Timestamp, UserId};
use crate::flows::steps::{Audit, Presence, api_keys_of, post_to_user};
use crate::flows::{Caller, FlowError};
use crate::limiter::Subject;
use crate::mail::Letter;
use crate::store::WriteTx;

/// A key that was just made.
pub(crate) struct NewApiKey {
    pub(crate) key: ApiKey,
    /// Its text, which is nowhere else.
    pub(crate) text: Secret<String>,
}

/// A user has at most this many keys; those that ran out make room for one more.
const MAX_API_KEYS: usize = 100;

/// Makes a key for somebody who logged in. No key makes another one: whoever found one keeps nothing once it is revoked.
pub(crate) async fn create_api_key(
    app: &App,
    caller: &Caller,
    name: Name,
    expires_at: Option<Timestamp>,
) -> Result<NewApiKey, FlowError> {
    let session = caller.own_session()?;
    let now = app.clock.now();
    if expires_at.is_some_and(|end| end <= now) {
        let over = Invalid::new("past", "This moment is over: choose one that is still to come.");
        return Err(FlowError::Invalid("expires_at", vec![over]));
    }
    let (user, presence) = (caller.user.id, Presence::of(app, caller));
    app.limiter.take(LimitKind::ApiKey, Subject::Account(user), now)?;
    let (text, hash, prefix) = new_api_key();
    let id = ApiKeyId::new(now, random::bytes());
    let key = ApiKey { id, user, name, hash, prefix, created_at: now, expires_at, last_used_at: None };
    let event = Audit { now, origin: &caller.origin }
        .success(EventKind::ApiKeyCreated)
        .by(&*caller.user)
        .in_session(session)
        .about(party(&key));
    let (at, ip) = (now, caller.origin.ip);
    let notice = post_to_user(app, &caller.user, now, |email| Letter::ApiKeyCreated { email, at, ip })?;
    let saved = key.clone();
    app.store
        .write(move |tx| {
            presence.confirm(tx)?;
            make_room(tx, user, now)?;
            tx.save_api_key(&saved)?;
            if let Some(notice) = &notice {
                tx.enqueue_mail(notice)?;
            }
            Ok::<_, FlowError>(tx.append_event(&event)?)
        })
        .await?;
    Ok(NewApiKey { key, text })
}

/// The caller's own keys, the newest first, with the uses that are not written down yet.
pub(crate) fn list_api_keys(app: &App, caller: &Caller) -> Result<Vec<ApiKey>, FlowError> {
    api_keys_of(app, caller.user.id)
}

/// Revokes one of the caller's own keys: when this returns, it opens nothing. Somebody else's is as good as none.
pub(crate) async fn revoke_api_key(app: &App, caller: &Caller, id: ApiKeyId) -> Result<(), FlowError> {
    let (user, presence) = (Arc::clone(&caller.user), Presence::of(app, caller));
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::ApiKeyRevoked)
        .by(&*user)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            presence.confirm(tx)?;
            let key = tx.api_key(id)?.filter(|key| key.user == user.id).ok_or(FlowError::NotFound)?;
            tx.remove_api_key(id)?;
            Ok(tx.append_event(&event.clone().about(party(&key)))?)
        })
        .await
}

/// Takes away a key that ran out if there are as many as there may be; refuses if all of them live.
fn make_room(tx: &mut WriteTx, user: UserId, now: Timestamp) -> Result<(), FlowError> {
    let keys = tx.api_keys_of(user)?;
    if keys.len() < MAX_API_KEYS {
        return Ok(());
    }
    let full = format!("You have {MAX_API_KEYS} API keys, and more are not kept: revoke one first.");
    let expired = keys.iter().find(|key| key.is_expired(now));
    let expired = expired.ok_or(FlowError::Invalid("name", vec![Invalid::new("too_many", full)]))?;
    Ok(tx.remove_api_key(expired.id)?)
}

fn party(key: &ApiKey) -> Party {
    Party { id: key.id.to_string(), label: key.name.as_str().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::{NewSession, NewUser, Origin, Session, SessionId, SessionStyle, User};
    use crate::flows::authenticate::Credential;
    use crate::store::StoreError;

    #[tokio::test]
    async fn what_ends_while_a_key_is_asked_for_makes_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keystead.redb");
        let config = Config::from_toml(&format!("[store]\npath = {path:?}\n")).expect("valid");
        let app = App::open(config, Clock::system()).await.expect("the store opens");
        let (now, policy) = (app.clock.now(), app.config.tokens.sessions);
        let new = NewUser { is_active: true, ..NewUser::default() };
        let made = app.store.write(move |tx| {
            let user = tx.insert_user(&new, now)?;
            let new = NewSession {
                id: SessionId::new(now, [0; 10]),
                user: user.id,
                label: Name::default(),
                method: "password",
                origin: Origin::default(),
                style: SessionStyle::default(),
            };
            let session = Session::open(new, &policy, now);
            tx.save_session(&session)?;
            Ok::<_, StoreError>((user, session))
        });
        let (user, session) = made.await.expect("written");
        let caller = Caller {
            user: Arc::new(user.clone()),
            credential: Credential::Session(session.id),
            origin: Origin::default(),
        };
        let create = async || create_api_key(&app, &caller, Name::default(), None).await.map(|made| made.key);
        assert!(create().await.is_ok());

        let (disabled, enabled) = (User { is_active: false, ..user.clone() }, user);
        app.store.write(move |tx| tx.save_user(&disabled)).await.expect("written");
        assert!(matches!(create().await, Err(FlowError::InvalidToken)));
        app.store.write(move |tx| tx.save_user(&enabled)).await.expect("written");
        app.store.write(move |tx| tx.end_session(&session)).await.expect("written");
        assert!(matches!(create().await, Err(FlowError::InvalidToken)));

        assert_eq!(list_api_keys(&app, &caller).expect("readable").len(), 1);
        app.close().await;
    }
}
