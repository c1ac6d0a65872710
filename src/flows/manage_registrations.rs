//! Registrations that wait for their code, as administrators see them.

use crate::app::App;
use crate::domain::{Changes, EventKind, Party, Registration, RegistrationId, User, Username};
use crate::flows::steps::{Audit, Authority, Listed, Page, admit};
use crate::flows::{Caller, FlowError};

/// The newest first.
pub(crate) fn list_registrations(
    app: &App,
    page: Page<RegistrationId>,
) -> Result<Listed<Registration, RegistrationId>, FlowError> {
    let (found, count) = app.store.read()?.newest_registrations(page.after, page.limit.saturating_add(1))?;
    Ok(page.cut(found.into_iter(), |registration| registration.id, Some(count)))
}

/// Makes a user of a registration as if its code had been confirmed. The others of the address end.
pub(crate) async fn activate_registration(
    app: &App,
    caller: &Caller,
    id: RegistrationId,
) -> Result<User, FlowError> {
    let now = app.clock.now();
    let authority = Authority::of(app, caller, "users.add_user");
    let event =
        Audit { now, origin: &caller.origin }.success(EventKind::UserVerified).in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let registration = tx.registration(id)?.ok_or(FlowError::NotFound)?;
            let user = admit(tx, registration, now)?;
            let changes = Changes::of_user(&actor.directory, None, Some(&user));
            tx.append_event(&event.clone().by(&*actor).about(&user).telling(&changes))?;
            Ok(user)
        })
        .await
}

/// Drops a registration: its code opens nothing.
pub(crate) async fn drop_registration(
    app: &App,
    caller: &Caller,
    id: RegistrationId,
) -> Result<(), FlowError> {
    let authority = Authority::of(app, caller, "users.delete_user");
    let event = Audit { now: app.clock.now(), origin: &caller.origin }
        .success(EventKind::RegistrationDropped)
        .in_session(caller.session());
    app.store
        .write(move |tx| {
            let actor = authority.actor(tx)?;
            let dropped = tx.registration(id)?.ok_or(FlowError::NotFound)?;
            tx.remove_registration(id)?;
            let subject = Party { id: id.to_string(), label: dropped.email.as_str().to_owned() };
            let username = dropped.username.as_ref().map(Username::as_str);
            let changes = Changes::default()
                .member("email", Some(dropped.email.as_str()), None)
                .member("username", username, None);
            Ok(tx.append_event(&event.clone().by(&*actor).about(subject).telling(&changes))?)
        })
        .await
}
