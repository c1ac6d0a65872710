//! The log-ins of somebody else's account: listing them, ending them.

use crate::app::App;
use crate::domain::{EventKind, Session, UserId};
use crate::flows::steps::{Authority, act, actor_and_subject, end_sessions};
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
    let authority = Authority::of(app, caller, "users.change_user");
    let event = act(caller, EventKind::SessionEnded, app.clock.now());
    app.store
        .write(move |tx| {
            let (_, user) = actor_and_subject(&authority, tx, id)?;
            let ended = end_sessions(tx, id, None)?;
            let told = format!("all {ended}, by an administrator");
            Ok(tx.append_event(&event.clone().about(&user).saying(told))?)
        })
        .await
}
