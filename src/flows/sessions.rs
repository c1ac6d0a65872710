//! Sessions: opening one, listing them, ending one. What every way to log in ends with.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::random;
use crate::domain::{
    AccessClaims, EventKind, Name, NewSession, Origin, Party, RefreshClaims, Session, SessionId, Timestamp,
    User,
};
use crate::flows::{Audit, Caller, FlowError};
use crate::store::{StoreError, WriteTx};

/// A fresh pair of tokens.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) access_expires_at: Timestamp,
    pub(crate) refresh: String,
    pub(crate) refresh_expires_at: Timestamp,
}

/// Somebody who logged in, and what they hold from now on.
#[derive(Debug, Clone)]
pub(crate) struct LoggedIn {
    pub(crate) user: Arc<User>,
    pub(crate) tokens: Tokens,
}

/// The caller's own sessions that still live, the newest first.
pub(crate) fn list_sessions(app: &App, caller: &Caller) -> Result<Vec<Session>, FlowError> {
    let now = app.clock.now();
    let mut sessions = app.store.read()?.sessions_of(caller.user.id)?;
    sessions.retain(|session| now < session.refresh_expires_at);
    sessions.reverse();
    Ok(sessions)
}

/// Ends one of the caller's own sessions. Somebody else's is as good as none.
pub(crate) async fn end_session(app: &App, caller: &Caller, id: SessionId) -> Result<(), FlowError> {
    let user = Arc::clone(&caller.user);
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::SessionEnded)
        .by(&*user)
        .in_session(caller.session)
        .about(Party { id: id.to_string(), label: "session".to_owned() });
    app.store
        .write(move |tx| {
            let session = tx.session(id)?.filter(|session| session.user == user.id);
            let session = session.ok_or(FlowError::NotFound)?;
            tx.end_session(&session)?;
            Ok(tx.append_event(&event)?)
        })
        .await
}

/// A user has at most this many sessions; the one that was opened first makes room for one more.
const MAX_SESSIONS: usize = 100;

/// Everything that opening a session needs from outside its transaction.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    pub(super) now: Timestamp,
    id: SessionId,
    pub(super) method: &'static str,
    label: Name,
    origin: Origin,
    policy: crate::domain::SessionPolicy,
}

impl Opening {
    pub(super) fn new(app: &App, origin: &Origin, method: &'static str, label: Name) -> Self {
        let now = app.clock.now();
        let id = SessionId::new(now, random::bytes());
        Self { now, id, method, label, origin: origin.clone(), policy: app.config.tokens.sessions }
    }

    pub(super) fn session_id(&self) -> SessionId {
        self.id
    }

    /// Opens the session in `tx` and notes the log-in on the user.
    pub(super) fn run(&self, tx: &mut WriteTx, user: &mut User) -> Result<Session, StoreError> {
        let sessions = tx.sessions_of(user.id)?;
        let (live, over): (Vec<_>, Vec<_>) =
            sessions.into_iter().partition(|session| self.now < session.refresh_expires_at);
        let surplus = (live.len() + 1).saturating_sub(MAX_SESSIONS);
        for session in over.iter().chain(live.iter().take(surplus)) {
            tx.end_session(session)?;
        }
        user.last_login = Some(self.now);
        tx.save_user(user)?;
        let new = NewSession {
            id: self.id,
            user: user.id,
            label: self.label.clone(),
            method: self.method,
            origin: self.origin.clone(),
        };
        let session = Session::open(new, &self.policy, self.now);
        tx.save_session(&session)?;
        Ok(session)
    }
}

/// Signs the newest tokens of a session. The same session gives the same refresh token.
pub(super) fn sign(app: &App, session: &Session) -> Tokens {
    let keyring = app.keyring();
    let access: AccessClaims = session.access_claims();
    let refresh: RefreshClaims = session.refresh_claims();
    Tokens {
        access: keyring.sign_access(&access),
        access_expires_at: access.expires_at,
        refresh: keyring.sign_refresh(&refresh),
        refresh_expires_at: refresh.expires_at,
    }
}
