//! The log-ins of somebody else's account: listing them, ending them.

use crate::app::App;
use crate::domain::{Session, UserId};
use crate::flows::steps::{Measure, take};
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
