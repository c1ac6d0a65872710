//! Opening a session: what every way to log in ends with.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::crypto::random;
use crate::domain::{
    AccessClaims, CodePurpose, Name, NewSession, Origin, RefreshClaims, Session, SessionId, SessionPolicy,
    SessionStyle, Timestamp, User, UserId,
};
use crate::store::{StoreError, WriteTx};

/// A fresh pair of tokens.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) access_expires_at: Timestamp,
    pub(crate) refresh: String,
    pub(crate) refresh_expires_at: Timestamp,
    /// For browsers that go to the programs behind a proxy; it expires with the refresh token. None: nothing is there.
    pub(crate) forward: Option<String>,
}

/// Somebody who logged in, and what they hold from now on.
#[derive(Clone)]
pub(crate) struct LoggedIn {
    pub(crate) user: Arc<User>,
    pub(crate) tokens: Tokens,
}

/// A user has at most this many sessions; the one that was opened first makes room for one more.
const MAX_SESSIONS: usize = 100;

/// Everything that opening a session needs from outside its transaction.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) now: Timestamp,
    id: SessionId,
    pub(crate) method: &'static str,
    label: Name,
    origin: Origin,
    style: SessionStyle,
    policy: SessionPolicy,
}

impl Opening {
    pub(crate) fn new(
        app: &App,
        origin: &Origin,
        method: &'static str,
        label: Name,
        style: SessionStyle,
    ) -> Self {
        let now = app.clock.now();
        let id = SessionId::new(now, random::bytes());
        Self { now, id, method, label, origin: origin.clone(), style, policy: app.config.tokens.sessions }
    }

    /// Gives an access token for another time than the configuration says.
    #[must_use]
    pub(crate) fn with_access_for(mut self, span: Duration) -> Self {
        self.policy.access_ttl = span;
        self
    }

    pub(crate) fn session_id(&self) -> SessionId {
        self.id
    }

    /// Opens the session in `tx` and notes the log-in on the user.
    pub(crate) fn run(&self, tx: &mut WriteTx, user: &mut User) -> Result<Session, StoreError> {
        // Whoever can log in needs no link to a new password; one that is out may be in wrong hands.
        tx.remove_code(user.id, CodePurpose::ResetPassword)?;
        user.last_login = Some(self.now);
        user.asked_in(&self.origin.languages);
        tx.save_user(user)?;
        self.go_on(tx, user.id)
    }

    /// Opens the session for somebody who logged in elsewhere.
    pub(crate) fn go_on(&self, tx: &mut WriteTx, user: UserId) -> Result<Session, StoreError> {
        let sessions = tx.sessions_of(user)?;
        let (live, over): (Vec<_>, Vec<_>) =
            sessions.into_iter().partition(|session| self.now < session.refresh_expires_at);
        let surplus = (live.len() + 1).saturating_sub(MAX_SESSIONS);
        for session in over.iter().chain(live.iter().take(surplus)) {
            tx.end_session(session)?;
        }
        let new = NewSession {
            id: self.id,
            user,
            label: self.label.clone(),
            method: self.method,
            origin: self.origin.clone(),
            style: self.style,
        };
        let session = Session::open(new, &self.policy, self.now);
        tx.save_session(&session)?;
        Ok(session)
    }
}

/// Signs the newest tokens of a session. The same session gives the same refresh token.
pub(crate) fn sign(app: &App, session: &Session) -> Tokens {
    let (keyring, is_forwarded) = (app.keyring(), !app.config.forward.rules.is_empty());
    let access: AccessClaims = session.access_claims();
    let refresh: RefreshClaims = session.refresh_claims();
    Tokens {
        access: keyring.sign_access(&access),
        access_expires_at: access.expires_at,
        refresh: keyring.sign_refresh(&refresh),
        refresh_expires_at: refresh.expires_at,
        forward: is_forwarded.then(|| keyring.sign_forward(&session.forward_claims())),
    }
}
