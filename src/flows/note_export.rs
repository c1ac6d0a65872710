//! Users leave the house as a file: the audit log knows who took them, and which.

use crate::app::App;
use crate::domain::{Changes, EventKind};
use crate::flows::steps::{Authority, act};
use crate::flows::{Caller, FlowError};

/// Notes an export before its first row leaves: one that nobody could tell of later is none.
pub(crate) async fn note_export(app: &App, caller: &Caller, what: &Changes) -> Result<(), FlowError> {
    let authority = Authority::of(app, caller, "users.view_user");
    let event = act(caller, EventKind::UsersExported, app.clock.now()).telling(what);
    app.store
        .write(move |tx| {
            authority.actor(tx)?;
            Ok(tx.append_event(&event)?)
        })
        .await
}
