//! Closing one's own account.

use crate::app::App;
use crate::domain::{EventKind, Password};
use crate::flows::steps::{Audit, confirm_own_password, disable, post_to_user};
use crate::flows::{Caller, FlowError};
use crate::mail::Letter;

/// Disables the caller's account for their password: all sessions and API keys end, and no code that is out opens it
/// again. Nothing is lost; an administrator can bring it back.
pub(crate) async fn close_account(app: &App, caller: &Caller, password: &Password) -> Result<(), FlowError> {
    let kind = EventKind::UserDisabled;
    let own = confirm_own_password(app, caller, password, "password", kind).await?;
    let (now, origin) = (app.clock.now(), &caller.origin);
    let (at, ip) = (now, origin.ip);
    let notice = post_to_user(app, &own.user, now, |email| Letter::AccountDisabled { email, at, ip })?;
    let event = Audit { now, origin }.success(kind).by(&own.user).about(&own.user).in_session(own.session);
    app.store
        .write(move |tx| {
            let user = own.accept(tx)?;
            disable(tx, user, now)?;
            if let Some(notice) = &notice {
                tx.enqueue_mail(notice)?;
            }
            Ok(tx.append_event(&event)?)
        })
        .await
}
