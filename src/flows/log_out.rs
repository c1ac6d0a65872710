//! Logging out: here, or everywhere. When the answer leaves, the tokens are dead.

use crate::app::App;
use crate::crypto::api_key::hash_api_key;
use crate::crypto::token::hash_session_key;
use crate::domain::{EventKind, Origin, Party, Session, User};
use crate::flows::authenticate::is_api_key;
use crate::flows::steps::{Audit, Presence};
use crate::flows::{Caller, FlowError};

/// Ends the caller's present session.
pub(crate) async fn log_out(app: &App, caller: &Caller) -> Result<(), FlowError> {
    let present = caller.own_session()?;
    end(app, &caller.origin, &caller.user, "log-out", None, move |session| session.id == present).await
}

/// Ends all sessions of the caller.
pub(crate) async fn log_out_everywhere(app: &App, caller: &Caller) -> Result<(), FlowError> {
    let presence = Presence::of(app, caller);
    end(app, &caller.origin, &caller.user, "log-out everywhere", Some(presence), |_| true).await
}

/// Ends the session that a refresh token belongs to, be it the newest of its session or an older one: whoever holds
/// it wants to be logged out.
pub(crate) async fn log_out_by_refresh_token(
    app: &App,
    origin: &Origin,
    token: &str,
) -> Result<(), FlowError> {
    let claims = app.keyring().verify_refresh(token, app.clock.now()).map_err(|_| FlowError::InvalidToken)?;
    let read = app.store.read()?;
    let user = read.user(claims.user)?.ok_or(FlowError::InvalidToken)?;
    let session = read.session(claims.session)?.ok_or(FlowError::InvalidToken)?;
    drop(read);
    end(app, origin, &user, "log-out", None, move |candidate| candidate.id == session.id).await
}

/// Ends whatever a token is good for: the session of an access or a refresh token, an API key. One that is good for
/// nothing is as good as revoked (RFC 7009, section 2.2).
pub(crate) async fn revoke_token(app: &App, origin: &Origin, token: &str) -> Result<(), FlowError> {
    if is_api_key(token) {
        return revoke_key(app, origin, token).await;
    }
    if let Some(hash) = hash_session_key(token) {
        let session = app.store.read()?.session_by_key(&hash)?;
        return revoke_session(app, origin, session).await;
    }
    let access = app.keyring().verify_access(token, app.clock.now()).ok();
    let Some(claims) = access else {
        return match log_out_by_refresh_token(app, origin, token).await {
            Err(FlowError::InvalidToken) => Ok(()),
            ended => ended,
        };
    };
    let session = app.store.read()?.session(claims.session)?;
    revoke_session(app, origin, session).await
}

async fn revoke_session(app: &App, origin: &Origin, session: Option<Session>) -> Result<(), FlowError> {
    let Some(session) = session else { return Ok(()) };
    let Some(user) = app.store.user(session.user)? else { return Ok(()) };
    end(app, origin, &user, "revocation", None, move |candidate| candidate.id == session.id).await
}

async fn revoke_key(app: &App, origin: &Origin, text: &str) -> Result<(), FlowError> {
    let Some(hash) = hash_api_key(text) else { return Ok(()) };
    let event = Audit { now: app.clock.now(), origin }.success(EventKind::ApiKeyRevoked).saying("revocation");
    app.store
        .write(move |tx| {
            let Some(key) = tx.api_key_by_hash(&hash)? else { return Ok(()) };
            let Some(user) = tx.user(key.user)? else { return Ok(()) };
            tx.remove_api_key(key.id)?;
            let subject = Party { id: key.id.to_string(), label: key.name.as_str().to_owned() };
            Ok(tx.append_event(&event.clone().by(&user).about(subject))?)
        })
        .await
}

/// Ends those of a user's sessions that are meant. What reaches further than the token itself needs somebody who still
/// is there.
async fn end(
    app: &App,
    origin: &Origin,
    user: &User,
    how: &str,
    presence: Option<Presence>,
    which: impl Fn(&Session) -> bool + Send + 'static,
) -> Result<(), FlowError> {
    let event = Audit { now: app.clock.now(), origin }.success(EventKind::SessionEnded).by(user).about(user);
    let how = how.to_owned();
    let user = user.id;
    app.store
        .write(move |tx| {
            presence.as_ref().map(|presence| presence.confirm_at_all(tx)).transpose()?;
            let sessions: Vec<Session> = tx.sessions_of(user)?.into_iter().filter(&which).collect();
            for session in &sessions {
                tx.end_session(session)?;
            }
            let event = event.clone().saying(format!("{how}: {} ended", sessions.len()));
            Ok(tx.append_event(&event)?)
        })
        .await
}
