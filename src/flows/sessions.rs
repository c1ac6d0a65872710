//! Sessions: listing one's own, ending one.

use std::sync::Arc;

use crate::app::App;
use crate::domain::{EventKind, Party, Session, SessionId};
use crate::flows::steps::{self, Audit, Presence};
use crate::flows::{Caller, FlowError};

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
    let (user, presence) = (Arc::clone(&caller.user), Presence::of(app, caller));
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::SessionEnded)
        .by(&*user)
        .in_session(caller.session())
        .about(Party { id: id.to_string(), label: "session".to_owned() });
    app.store
        .write(move |tx| {
            presence.confirm(tx)?;
            let session = tx.session(id)?.filter(|session| session.user == user.id);
            let session = session.ok_or(FlowError::NotFound)?;
            steps::end_session(tx, &session)?;
            Ok(tx.append_event(&event)?)
        })
        .await
}
