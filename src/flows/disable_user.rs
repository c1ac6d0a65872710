//! An administrator takes an account out of use, and brings it back.

use crate::app::App;
use crate::domain::{EventKind, User, UserId};
use crate::flows::steps::{Authority, act, actor_and_subject, disable, enable};
use crate::flows::{Caller, FlowError};

/// Disables an account: its sessions, API keys and codes are over. Nothing is lost. One that is disabled already stays so.
pub(crate) async fn disable_user(app: &App, caller: &Caller, id: UserId) -> Result<(), FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "users.delete_user");
    let event = act(caller, EventKind::UserDisabled, now);
    app.store
        .write(move |tx| {
            let (_, user) = actor_and_subject(&authority, tx, id)?;
            if !user.is_active {
                return Ok(());
            }
            let user = disable(tx, user, now)?;
            Ok(tx.append_event(&event.clone().about(&user))?)
        })
        .await
}

/// Lets the owner log in again, and vouches for their address. What ended when they were disabled stays over.
pub(crate) async fn enable_user(app: &App, caller: &Caller, id: UserId) -> Result<User, FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "users.change_user");
    let event = act(caller, EventKind::UserEnabled, now);
    app.store
        .write(move |tx| {
            let (_, user) = actor_and_subject(&authority, tx, id)?;
            if user.is_active {
                return Ok(user);
            }
            let user = enable(tx, user, now)?;
            tx.append_event(&event.clone().about(&user))?;
            Ok::<_, FlowError>(user)
        })
        .await
}
