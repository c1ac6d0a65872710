//! A superuser removes an account for good.

use crate::app::App;
use crate::domain::{CodePurpose, EventKind, Target, UserId};
use crate::flows::steps::{Authority, act, actor_and_subject, end_sessions, forget_codes, revoke_api_keys};
use crate::flows::{Caller, FlowError};

/// Removes an account with everything that is theirs but the audit log, in one write: from its acknowledgement on, no
/// token or key of theirs is accepted. The last superuser stays, and nobody removes themself.
pub(crate) async fn purge_user(app: &App, caller: &Caller, id: UserId) -> Result<(), FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "users.delete_user");
    let event = act(caller, EventKind::UserDeleted, now);
    app.store
        .write(move |tx| {
            let (actor, user) = actor_and_subject(&authority, tx, id)?;
            if user.is_superuser && user.is_active && !tx.has_other_active_superuser(id)? {
                return Err(FlowError::LastSuperuser);
            }
            if !actor.is_superuser || actor.id == id {
                return Err(FlowError::PermissionDenied);
            }
            end_sessions(tx, id, None)?;
            revoke_api_keys(tx, id)?;
            forget_codes(tx, id)?;
            tx.remove_code(id, CodePurpose::VerifyEmail)?;
            tx.clear_guesses(Target::User(id))?;
            tx.remove_registrations_of(user.email.as_ref())?;
            tx.remove_user(id)?;
            Ok(tx.append_event(&event.clone().about(&user))?)
        })
        .await
}
