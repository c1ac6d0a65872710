//! The log-ins of somebody else's account: listing them, ending one or all.

use crate::app::App;
use crate::domain::{Changes, EventKind, Session, SessionId, UserId};
use crate::flows::steps::{Authority, Measure, act, actor_and_subject, end_session, take};
use crate::flows::{Caller, FlowError};

/// The sessions of an account that still live, the newest first.
pub(crate) fn list_sessions_of(app: &App, id: UserId) -> Result<Vec<Session>, FlowError> {
    let now = app.clock.now();
    let read = app.store.read()?;
    read.user(id)?.ok_or(FlowError::NotFound)?;
    let mut sessions = read.sessions_of(id)?;
    sessions.retain(|session| now < session.refresh_expires_at);
    sessions.reverse();
    Ok(sessions)
}

/// Ends all sessions of an account. Its API keys stay.
pub(crate) async fn end_sessions_of(app: &App, caller: &Caller, id: UserId) -> Result<(), FlowError> {
    take(app, caller, id, Measure::EndSessions).await.map(drop)
}

/// Ends one session of an account. One of another account is as good as none.
pub(crate) async fn end_session_of(
    app: &App,
    caller: &Caller,
    id: UserId,
    session: SessionId,
) -> Result<(), FlowError> {
    let authority = Authority::of(app, caller, "users.change_user");
    let event = act(caller, EventKind::SessionEnded, app.clock.now());
    app.store
        .write(move |tx| {
            let (_, user) = actor_and_subject(&authority, tx, id)?;
            let found = tx.session(session)?.filter(|session| session.user == id);
            let found = found.ok_or(FlowError::NotFound)?;
            end_session(tx, &found)?;
            let id = session.to_string();
            let told = Changes::default().fact("session", id.as_str());
            Ok(tx.append_event(&event.clone().about(&user).telling(&told))?)
        })
        .await
}
