//! Who is asking: the one place where a token becomes a user.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::TokenError;
use crate::crypto::api_key::{PREFIX, hash_api_key};
use crate::crypto::token::hash_session_key;
use crate::domain::{ApiKeyId, KeyUse, OldClaims, Origin, Session, SessionId, Timestamp, User, UserId};
use crate::flows::FlowError;
use crate::flows::steps::{OldRefresh, Worth, had_old_tokens};

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
    /// An access token of the service before.
    OldToken,
}

impl Caller {
    /// The log-in that the request belongs to; none with an API key, and none that is known with an old token.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self.credential {
            Credential::Session(session) => Some(session),
            Credential::ApiKey(_) | Credential::OldToken => None,
        }
    }

    /// The same for what no API key may do. Whoever shows an old token is to refresh it, as front ends do when they are
    /// told that it is invalid: with a token of ours they may.
    pub(crate) fn own_session(&self) -> Result<SessionId, FlowError> {
        match self.credential {
            Credential::Session(session) => Ok(session),
            Credential::ApiKey(_) => Err(FlowError::SessionRequired),
            Credential::OldToken => Err(FlowError::InvalidToken),
        }
    }
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenFacts {
    pub(crate) usage: KeyUse,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    /// None for an old token that does not say.
    pub(crate) issued_at: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
}

/// Takes an access token for a user: signed by us, not expired, its session not ended, its user there and active. Reads
/// no page of the store if the user was asked for lately. Or takes one of the service before, if such are taken.
pub(crate) fn authenticate(app: &App, origin: Origin, token: &str) -> Result<Caller, FlowError> {
    let (now, keyring) = (app.clock.now(), app.keyring());
    if let Ok(claims) = keyring.verify_access(token, now) {
        let user = live_user(app, claims.user, claims.session)?;
        return Ok(Caller { user, credential: Credential::Session(claims.session), origin });
    }
    let claims = keyring.verify_old(token, now).map_err(|_| FlowError::InvalidToken)?;
    let user = user_of_old_access(app, &claims)?;
    Ok(Caller { user, credential: Credential::OldToken, origin })
}

/// Takes the token that a browser shows to the programs behind a proxy, and to nobody else: signed by us for that, its
/// session there and not over, its user there and active.
pub(crate) fn authenticate_by_forward_token(
    app: &App,
    origin: Origin,
    token: &str,
) -> Result<Caller, FlowError> {
    let now = app.clock.now();
    let claims = app.keyring().verify_forward(token, now).map_err(|_| FlowError::InvalidToken)?;
    // What says that access tokens are over forgets it when none of them lives: this one lives longer.
    let session = app.store.read()?.session(claims.session)?;
    let session = session.filter(|session| session.user == claims.user && session.is_live(now));
    let session = session.ok_or(FlowError::InvalidToken)?;
    let user = active_user(app, session.user)?;
    Ok(Caller { user, credential: Credential::Session(session.id), origin })
}

/// Whether this is meant to be an API key, be it one or not.
pub(crate) fn is_api_key(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Whether this looks like the key of a log-in.
pub(crate) fn is_session_key(text: &str) -> bool {
    hash_session_key(text).is_some()
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
    let session = session_of_key(app, text)?;
    let user = active_user(app, session.user)?;
    Ok(Caller { user, credential: Credential::Session(session.id), origin })
}

/// Says what a token of either kind is good for now; for nothing, as long as its user has to choose a password first.
pub(crate) fn inspect_token(app: &App, token: &str) -> Result<TokenFacts, FlowError> {
    let now = app.clock.now();
    let keyring = app.keyring();
    if let Ok(claims) = keyring.verify_access(token, now) {
        free_user(live_user(app, claims.user, claims.session)?)?;
        let facts = TokenFacts {
            usage: KeyUse::Access,
            user: claims.user,
            session: claims.session,
            issued_at: Some(claims.issued_at),
            expires_at: claims.expires_at,
        };
        return Ok(facts);
    }
    let Ok(claims) = keyring.verify_refresh(token, now) else {
        return inspect_old_token(app, token, now);
    };
    free_user(live_user(app, claims.user, claims.session)?)?;
    let session = app.store.read()?.session(claims.session)?.ok_or(FlowError::InvalidToken)?;
    if session.counter != claims.counter {
        return Err(FlowError::InvalidToken);
    }
    Ok(TokenFacts {
        usage: KeyUse::Refresh,
        user: claims.user,
        session: claims.session,
        issued_at: Some(claims.issued_at),
        expires_at: claims.expires_at,
    })
}

fn session_of_key(app: &App, text: &str) -> Result<Session, FlowError> {
    let hash = hash_session_key(text).ok_or(FlowError::InvalidToken)?;
    let session = app.store.read()?.session_by_key(&hash)?.ok_or(FlowError::InvalidToken)?;
    if app.clock.now() < session.expires_at { Ok(session) } else { Err(FlowError::InvalidToken) }
}

fn inspect_old_token(app: &App, token: &str, now: Timestamp) -> Result<TokenFacts, FlowError> {
    let claims = app.keyring().verify_old(token, now).map_err(|_| FlowError::InvalidToken)?;
    let mut session = SessionId::of_old_tokens(claims.user);
    if let Some(old) = OldRefresh::of(token, &claims) {
        free_user(active_user(app, claims.user)?)?;
        match old.worth(&app.store.read()?)? {
            Worth::Session => {}
            Worth::Exchanged(opened) if opened.takes_old_token(now) => session = opened.id,
            Worth::Exchanged(_) | Worth::Nothing => return Err(FlowError::InvalidToken),
        }
    } else {
        free_user(user_of_old_access(app, &claims)?)?;
    }
    let OldClaims { usage, user, issued_at, expires_at } = claims;
    Ok(TokenFacts { usage, user, session, issued_at, expires_at })
}

/// Whether the service before signed this token, and it is not too old.
pub(crate) fn is_old_token(app: &App, token: &str) -> bool {
    app.keyring().verify_old(token, app.clock.now()).is_ok()
}

/// Why a token is not taken, for whoever shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFault {
    /// Good once, and too old.
    Expired,
    /// Not too old: its log-in is over, or it was used up.
    Over,
    /// Of the kind that was not asked for.
    OtherKind,
    Unknown,
}

/// Says what is wrong with a token that was refused where this kind was asked for; none: where any does.
pub(crate) fn token_fault(app: &App, token: &str, asked: Option<KeyUse>) -> TokenFault {
    let (now, keyring) = (app.clock.now(), app.keyring());
    let kinds = [
        keyring.verify_access(token, now).map(|_| KeyUse::Access),
        keyring.verify_refresh(token, now).map(|_| KeyUse::Refresh),
        keyring.verify_old(token, now).map(|claims| claims.usage),
    ];
    match kinds.iter().flatten().next() {
        Some(kind) if asked.is_none_or(|asked| asked == *kind) => TokenFault::Over,
        Some(_) => TokenFault::OtherKind,
        None if kinds.contains(&Err(TokenError::Expired)) => TokenFault::Expired,
        None => TokenFault::Unknown,
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
            user: free_user(active_user(app, key.user)?)?,
            token_type: "api_key",
            session: None,
            issued_at: Some(key.created_at),
            expires_at: key.expires_at,
        });
    }
    if is_session_key(text) {
        let session = session_of_key(app, text)?;
        return Ok(Introspection {
            user: free_user(active_user(app, session.user)?)?,
            token_type: "session_key",
            session: Some(session.id),
            issued_at: Some(session.created_at),
            expires_at: Some(session.expires_at),
        });
    }
    let facts = inspect_token(app, text)?;
    Ok(Introspection {
        user: free_user(active_user(app, facts.user)?)?,
        token_type: match facts.usage {
            KeyUse::Access => "access",
            KeyUse::Refresh => "refresh",
        },
        session: Some(facts.session),
        issued_at: facts.issued_at,
        expires_at: Some(facts.expires_at),
    })
}

fn live_user(app: &App, user: UserId, session: SessionId) -> Result<Arc<User>, FlowError> {
    if app.store.is_revoked(session) {
        return Err(FlowError::InvalidToken);
    }
    active_user(app, user)
}

/// Others are told nothing of somebody to whom nothing else is open.
fn free_user(user: Arc<User>) -> Result<Arc<User>, FlowError> {
    if user.password_is_temporary { Err(FlowError::InvalidToken) } else { Ok(user) }
}

fn user_of_old_access(app: &App, claims: &OldClaims) -> Result<Arc<User>, FlowError> {
    if claims.usage != KeyUse::Access || app.store.has_no_old_tokens(claims.user) {
        return Err(FlowError::InvalidToken);
    }
    let user = active_user(app, claims.user)?;
    if had_old_tokens(&app.store.read()?, &user)? { Ok(user) } else { Err(FlowError::InvalidToken) }
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
    use crate::domain::{ApiKey, Name, NewSession, NewUser, Session, SessionStyle};
    use crate::store::StoreError;

    impl Caller {
        /// For the tests of flows: somebody who just logged in.
        pub(crate) async fn logged_in(app: &App, user: User) -> Self {
            let (now, policy) = (app.clock.now(), app.config.tokens.sessions);
            let new = NewSession {
                id: SessionId::new(now, crate::crypto::random::bytes()),
                user: user.id,
                label: Name::default(),
                method: "password",
                origin: Origin::default(),
                style: SessionStyle::default(),
            };
            let session = Session::open(new, &policy, now);
            let credential = Credential::Session(session.id);
            app.store.write(move |tx| tx.save_session(&session)).await.expect("written");
            Self { user: Arc::new(user), credential, origin: Origin::default() }
        }
    }

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
