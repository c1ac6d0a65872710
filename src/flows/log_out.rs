//! Logging out: here, or everywhere. When the answer leaves, the tokens are dead.

use crate::app::App;
use crate::domain::{EventKind, Origin, Session, User};
use crate::flows::steps::Audit;
use crate::flows::{Caller, FlowError};

/// Ends the caller's present session.
pub(crate) async fn log_out(app: &App, caller: &Caller) -> Result<(), FlowError> {
    let present = caller.own_session()?;
    let ended = end(app, &caller.origin, &caller.user, "log-out", move |session| session.id == present);
    ended.await
}

/// Ends all sessions of the caller.
pub(crate) async fn log_out_everywhere(app: &App, caller: &Caller) -> Result<(), FlowError> {
    end(app, &caller.origin, &caller.user, "log-out everywhere", |_| true).await
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
    end(app, origin, &user, "log-out", move |candidate| candidate.id == session.id).await
}

async fn end(
    app: &App,
    origin: &Origin,
    user: &User,
    how: &str,
    which: impl Fn(&Session) -> bool + Send + 'static,
) -> Result<(), FlowError> {
    let event = Audit { now: app.clock.now(), origin }.success(EventKind::SessionEnded).by(user).about(user);
    let how = how.to_owned();
    let user = user.id;
    app.store
        .write(move |tx| {
            let sessions: Vec<Session> = tx.sessions_of(user)?.into_iter().filter(&which).collect();
            for session in &sessions {
                tx.end_session(session)?;
            }
            let event = event.clone().saying(format!("{how}: {} ended", sessions.len()));
            Ok(tx.append_event(&event)?)
        })
        .await
}
