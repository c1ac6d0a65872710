//! Logging out: here, or everywhere. When the answer leaves, the tokens are dead.

use crate::app::App;
use crate::crypto::api_key::hash_api_key;
use crate::crypto::token::hash_session_key;
use crate::domain::{EventKind, OldTokenId, Origin, Party, Session, SessionId, SessionStyle, User, UserId};
use crate::flows::authenticate::{
    Credential, authenticate, authenticate_by_forward_token, authenticate_by_session_key, is_api_key,
};
use crate::flows::steps::{Audit, OldRefresh, Presence, Worth, end_session};
use crate::flows::{Caller, FlowError};

/// Ends the caller's present session.
pub(crate) async fn log_out(app: &App, caller: &Caller) -> Result<(), FlowError> {
    let present = Ended::present(caller)?;
    end(app, &caller.origin, &caller.user, "log-out", None, present).await
}

/// Ends all sessions of the caller.
pub(crate) async fn log_out_everywhere(app: &App, caller: &Caller) -> Result<(), FlowError> {
    let presence = Presence::of(app, caller);
    end(app, &caller.origin, &caller.user, "log-out everywhere", Some(presence), Ended::All).await
}

/// Ends the session that a refresh token belongs to, be it the newest of its session or an older one: whoever holds
/// it wants to be logged out.
pub(crate) async fn log_out_by_refresh_token(
    app: &App,
    origin: &Origin,
    token: &str,
) -> Result<(), FlowError> {
    let (user, ended) = Ended::of_refresh_token(app, token)?;
    let user = app.store.read()?.user(user)?.ok_or(FlowError::InvalidToken)?;
    end(app, origin, &user, "log-out", None, ended).await
}

/// Ends the log-in that a token of a browser belongs to, whatever it opens. One that opens nothing is as good as logged out.
pub(crate) async fn log_out_by_any_token(app: &App, origin: &Origin, token: &str) -> Result<(), FlowError> {
    end_by_token(app, origin, token, "log-out").await
}

/// Whose refresh token this is, be it the newest of its session or an older one.
pub(crate) fn owner_of_refresh_token(app: &App, token: &str) -> Result<UserId, FlowError> {
    Ended::of_refresh_token(app, token).map(|(user, _)| user)
}

/// Ends whatever a token is good for: the session of an access or a refresh token, an API key. One that is good for
/// nothing is as good as revoked (RFC 7009, section 2.2).
pub(crate) async fn revoke_token(app: &App, origin: &Origin, token: &str) -> Result<(), FlowError> {
    if is_api_key(token) {
        return revoke_key(app, origin, token).await;
    }
    end_by_token(app, origin, token, "revocation").await
}

async fn end_by_token(app: &App, origin: &Origin, token: &str, how: &str) -> Result<(), FlowError> {
    let caller = match hash_session_key(token) {
        Some(_) => authenticate_by_session_key(app, origin.clone(), token),
        None => match authenticate(app, origin.clone(), token) {
            Err(FlowError::InvalidToken) => authenticate_by_forward_token(app, origin.clone(), token),
            caller => caller,
        },
    };
    let ended = match caller {
        Ok(caller) => end(app, origin, &caller.user, how, None, Ended::present(&caller)?).await,
        Err(FlowError::InvalidToken) => log_out_by_refresh_token(app, origin, token).await,
        Err(error) => Err(error),
    };
    match ended {
        Err(FlowError::InvalidToken) => Ok(()),
        ended => ended,
    }
}

/// What ends.
#[derive(Debug, Clone, Copy)]
enum Ended {
    Session(SessionId),
    /// An old refresh token, with the session that was opened for it.
    OldRefresh(OldTokenId),
    /// What an old access token belongs to: it does not say which, so it is all that came from the service before.
    OldTokens,
    All,
}

impl Ended {
    fn present(caller: &Caller) -> Result<Self, FlowError> {
        match caller.credential {
            Credential::OldToken => Ok(Self::OldTokens),
            _ => caller.own_session().map(Self::Session),
        }
    }

    /// With whose it is.
    fn of_refresh_token(app: &App, token: &str) -> Result<(UserId, Self), FlowError> {
        let now = app.clock.now();
        if let Ok(claims) = app.keyring().verify_refresh(token, now) {
            app.store.read()?.session(claims.session)?.ok_or(FlowError::InvalidToken)?;
            return Ok((claims.user, Self::Session(claims.session)));
        }
        let old = OldRefresh::read(app, token, now)?;
        match old.worth(&app.store.read()?)? {
            Worth::Nothing => Err(FlowError::InvalidToken),
            Worth::Session | Worth::Exchanged(_) => Ok((old.user, Self::OldRefresh(old.id))),
        }
    }

    fn takes(self, session: &Session) -> bool {
        match self {
            Self::Session(id) => session.id == id,
            Self::OldRefresh(id) => session.style == SessionStyle::Exchanged(id),
            Self::OldTokens => session.is_exchanged(),
            Self::All => true,
        }
    }
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

/// Ends what is meant of a user's. What reaches further than the token itself needs somebody who still is there.
async fn end(
    app: &App,
    origin: &Origin,
    user: &User,
    how: &str,
    presence: Option<Presence>,
    ended: Ended,
) -> Result<(), FlowError> {
    let event = Audit { now: app.clock.now(), origin }.success(EventKind::SessionEnded).by(user).about(user);
    let how = how.to_owned();
    let user = user.id;
    app.store
        .write(move |tx| {
            presence.as_ref().map(|presence| presence.confirm_at_all(tx)).transpose()?;
            let mut sessions = tx.sessions_of(user)?;
            sessions.retain(|session| ended.takes(session));
            for session in &sessions {
                end_session(tx, session)?;
            }
            if !matches!(ended, Ended::Session(_)) {
                tx.end_old_tokens(user)?;
            }
            let event = event.clone().saying(format!("{how}: {} ended", sessions.len()));
            Ok(tx.append_event(&event)?)
        })
        .await
}
