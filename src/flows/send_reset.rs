//! An administrator has a link to a new password sent to somebody. The link goes to the mailbox and to nobody else.

use crate::app::App;
use crate::config::LimitKind;
use crate::domain::{CodePurpose, Email, EventKind, MailKind, User, UserId};
use crate::flows::steps::{Authority, act, actor_and_subject, new_reset_link};
use crate::flows::{Caller, FlowError};
use crate::limiter::Subject;

/// Mails a link to the owner of an account; the one before dies. An account without a password gets its first one so.
/// A mailbox takes no more of them than if its owner had asked.
pub(crate) async fn send_reset(app: &App, caller: &Caller, id: UserId) -> Result<(), FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "users.change_user");
    let (_, user) = actor_and_subject(&authority, &app.store.read()?, id)?;
    let email = address(&user)?.clone();
    app.limiter.take(LimitKind::Mail, Subject::Mailbox(&email.key(), MailKind::ResetPassword), now)?;
    let (code, mail) = new_reset_link(app, &caller.origin, Some(&user), &email, now)?;
    let event = act(caller, EventKind::ResetRequested, now);
    app.store
        .write(move |tx| {
            let (_, user) = actor_and_subject(&authority, tx, id)?;
            if *address(&user)? != email {
                return Err(FlowError::Unfit("This user has another address since a moment: try again."));
            }
            tx.save_code(id, CodePurpose::ResetPassword, &code)?;
            tx.enqueue_mail(&mail)?;
            Ok(tx.append_event(&event.clone().about(&user))?)
        })
        .await
}

/// Where a link for this account goes, if it would open anything.
fn address(user: &User) -> Result<&Email, FlowError> {
    if !user.is_active {
        return Err(FlowError::Unfit("This user is disabled: a new password would not let them in."));
    }
    user.email.as_ref().ok_or(FlowError::Unfit("This user has no email address."))
}
