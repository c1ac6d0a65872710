//! Who is asking: the one place where a token becomes a user.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::TokenError;
use crate::crypto::api_key::{PREFIX, hash_api_key};
use crate::crypto::token::hash_session_key;
use crate::domain::{ApiKeyId, KeyUse, Origin, SessionId, Timestamp, User, UserId};
use crate::flows::FlowError;

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Arc<User>,
    pub(crate) credential: Credential,
    pub(crate) origin: Origin,
}

/// What they proved it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A token that came from this log-in.
    Session(SessionId),
    ApiKey(ApiKeyId),
}

impl Caller {
    /// The log-in that the request belongs to; none with an API key.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self.credential {
            Credential::Session(session) => Some(session),
            Credential::ApiKey(_) => None,
        }
    }

    /// The same for what no API key may do.
    pub(crate) fn own_session(&self) -> Result<SessionId, FlowError> {
        self.session().ok_or(FlowError::SessionRequired)
    }
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenFacts {
    pub(crate) usage: KeyUse,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Takes an access token for a user: signed by us, not expired, its session not ended, its user there and active.
/// Reads no page of the store if the user was asked for lately.
pub(crate) fn authenticate(app: &App, origin: Origin, token: &str) -> Result<Caller, FlowError> {
    let claims = app.keyring().verify_access(token, app.clock.now()).map_err(|_| FlowError::InvalidToken)?;
    let user = live_user(app, claims.user, claims.session)?;
    Ok(Caller { user, credential: Credential::Session(claims.session), origin })
}

/// Whether this is meant to be an API key, be it one or not.
pub(crate) fn is_api_key(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Takes an API key for its user: known, not expired, its user there and active. When it was used is noted later.
pub(crate) fn authenticate_by_api_key(app: &App, origin: Origin, text: &str) -> Result<Caller, FlowError> {
    let now = app.clock.now();
    let hash = hash_api_key(text).ok_or(FlowError::InvalidToken)?;
    let key = app.store.read()?.api_key_by_hash(&hash)?.filter(|key| !key.is_expired(now));
    let key = key.ok_or(FlowError::InvalidToken)?;
    let user = active_user(app, key.user)?;
    app.store.note_api_key_use(key.id, now);
    Ok(Caller { user, credential: Credential::ApiKey(key.id), origin })
}

/// Takes the key of a log-in for its user: its session not over, its user there and active.
pub(crate) fn authenticate_by_session_key(
    app: &App,
    origin: Origin,
    text: &str,
) -> Result<Caller, FlowError> {
    let hash = hash_session_key(text).ok_or(FlowError::InvalidToken)?;
    let session = app.store.read()?.session_by_key(&hash)?.ok_or(FlowError::InvalidToken)?;
    if app.clock.now() >= session.expires_at {
        return Err(FlowError::InvalidToken);
    }
    let user = active_user(app, session.user)?;
    Ok(Caller { user, credential: Credential::Session(session.id), origin })
}

/// Says what a token of either kind is good for now.
pub(crate) fn inspect_token(app: &App, token: &str) -> Result<TokenFacts, FlowError> {
    let now = app.clock.now();
    let keyring = app.keyring();
    if let Ok(claims) = keyring.verify_access(token, now) {
        live_user(app, claims.user, claims.session)?;
        let facts = TokenFacts {
            usage: KeyUse::Access,
            user: claims.user,
            session: claims.session,
            issued_at: claims.issued_at,
            expires_at: claims.expires_at,
        };
        return Ok(facts);
    }
    let claims = keyring.verify_refresh(token, now).map_err(|_| FlowError::InvalidToken)?;
    live_user(app, claims.user, claims.session)?;
    let session = app.store.read()?.session(claims.session)?.ok_or(FlowError::InvalidToken)?;
    if session.counter != claims.counter {
        return Err(FlowError::InvalidToken);
    }
    Ok(TokenFacts {
        usage: KeyUse::Refresh,
        user: claims.user,
        session: claims.session,
        issued_at: claims.issued_at,
        expires_at: claims.expires_at,
    })
}

/// Why a token is not taken, for whoever shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFault {
    /// Ours, and too old.
    Expired,
    /// Ours and not too old: its log-in is over, or it was used up.
    Over,
    /// Ours, of the kind that was not asked for.
    OtherKind,
    Unknown,
}

/// Says what is wrong with a token that was refused where this kind was asked for; none: where any does.
pub(crate) fn token_fault(app: &App, token: &str, asked: Option<KeyUse>) -> TokenFault {
    let (now, keyring) = (app.clock.now(), app.keyring());
    let access = keyring.verify_access(token, now).map(|_| KeyUse::Access);
    let refresh = keyring.verify_refresh(token, now).map(|_| KeyUse::Refresh);
    match (access, refresh) {
        (Ok(kind), _) | (_, Ok(kind)) if asked.is_none_or(|asked| asked == kind) => TokenFault::Over,
        (Ok(_), _) | (_, Ok(_)) => TokenFault::OtherKind,
        (Err(TokenError::Expired), _) | (_, Err(TokenError::Expired)) => TokenFault::Expired,
        _ => TokenFault::Unknown,
    }
}

/// What somebody else is told of a token that is worth something now.
#[derive(Debug)]
pub(crate) struct Introspection {
    pub(crate) user: Arc<User>,
    pub(crate) token_type: &'static str,
    /// None for an API key.
    pub(crate) session: Option<SessionId>,
    pub(crate) issued_at: Option<Timestamp>,
    /// None for a key that does not run out.
    pub(crate) expires_at: Option<Timestamp>,
}

/// Says for whom a token of any kind, or an API key, is good now. It is not used by that.
pub(crate) fn introspect(app: &App, text: &str) -> Result<Introspection, FlowError> {
    let now = app.clock.now();
    if is_api_key(text) {
        let hash = hash_api_key(text).ok_or(FlowError::InvalidToken)?;
        let key = app.store.read()?.api_key_by_hash(&hash)?.filter(|key| !key.is_expired(now));
        let key = key.ok_or(FlowError::InvalidToken)?;
        return Ok(Introspection {
            user: active_user(app, key.user)?,
            token_type: "api_key",
            session: None,
            issued_at: Some(key.created_at),
            expires_at: key.expires_at,
        });
    }
    let facts = inspect_token(app, text)?;
    Ok(Introspection {
        user: active_user(app, facts.user)?,
        token_type: match facts.usage {
            KeyUse::Access => "access",
            KeyUse::Refresh => "refresh",
        },
        session: Some(facts.session),
        issued_at: Some(facts.issued_at),
        expires_at: Some(facts.expires_at),
    })
}

fn live_user(app: &App, user: UserId, session: SessionId) -> Result<Arc<User>, FlowError> {
    if app.store.is_revoked(session) {
        return Err(FlowError::InvalidToken);
    }
    active_user(app, user)
}

fn active_user(app: &App, user: UserId) -> Result<Arc<User>, FlowError> {
    app.store.user(user)?.filter(|user| user.is_active).ok_or(FlowError::InvalidToken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::crypto::api_key::new_api_key;
    use crate::domain::{ApiKey, Name, NewUser};
    use crate::store::StoreError;

    #[tokio::test]
    async fn the_key_of_a_disabled_user_opens_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keystead.redb");
        let config = Config::from_toml(&format!("[store]\npath = {path:?}\n")).expect("valid");
        let app = App::open(config, Clock::system()).await.expect("the store opens");
        let now = app.clock.now();
        let (text, hash, prefix) = new_api_key();
        let new = NewUser { is_active: true, ..NewUser::default() };
        let made = app.store.write(move |tx| {
            let user = tx.insert_user(&new, now)?;
            let name = Name::default();
            let (id, prefix) = (ApiKeyId::new(now, [0; 10]), prefix.clone());
            let (created_at, expires_at, last_used_at) = (now, None, None);
            tx.save_api_key(&ApiKey {
                id,
                user: user.id,
                name,
                hash,
                prefix,
                created_at,
                expires_at,
                last_used_at,
            })?;
            Ok::<_, StoreError>(user)
        });
        let user = made.await.expect("written");
        let ask = || authenticate_by_api_key(&app, Origin::default(), text.expose());
        assert_eq!(ask().map(|caller| caller.user.id).ok(), Some(user.id));

        let disabled = User { is_active: false, ..user };
        app.store.write(move |tx| tx.save_user(&disabled)).await.expect("written");

        assert!(matches!(ask(), Err(FlowError::InvalidToken)));
        app.close().await;
    }
}
