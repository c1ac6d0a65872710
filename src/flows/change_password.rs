//! Changing one's own password.

use crate::app::App;
use crate::domain::{EventKind, Password, Target};
use crate::flows::steps::{
    Audit, Guess, confirm_own_password, end_sessions, forget_codes, judge_new_password, post_to_user,
    remember_client,
};
use crate::flows::{Caller, FlowError};
use crate::mail::{Letter, PasswordChange};

/// Gives the caller a new password for the old one. The session that asks goes on, all others end; API keys stay. Links
/// and codes that are out die, and the owner hears of it.
pub(crate) async fn change_password(
    app: &App,
    caller: &Caller,
    old: &Password,
    new: Password,
) -> Result<(), FlowError> {
    caller.own_session()?;
    let new = judge_new_password(app, &caller.user, new, "new_password")?;
    // A guess too many costs no hash.
    Guess::from_session(app, caller.user.id)?;
    // Hashed whether or not the old one is right: the time does not tell.
    let hash = app.passwords.hash(new.as_password()).await?;
    let kind = EventKind::PasswordChanged;
    let own = confirm_own_password(app, caller, old, "old_password", kind).await?;
    let (now, origin) = (app.clock.now(), &caller.origin);
    let (at, ip, how) = (now, origin.ip, PasswordChange::ByOwner);
    let notice = post_to_user(app, &own.user, now, |email| Letter::PasswordChanged { email, how, at, ip })?;
    let event = Audit { now, origin }.success(kind).by(&own.user).about(&own.user).in_session(own.session);
    app.store
        .write(move |tx| {
            let mut user = own.accept(tx)?;
            user.password = Some(hash.clone());
            user.password_is_temporary = false;
            user.updated_at = now;
            tx.save_user(&user)?;
            // Whoever else logged in before did so with the old password.
            tx.clear_guesses(Target::User(user.id))?;
            remember_client(tx, user.id, ip, None, None, now)?;
            forget_codes(tx, user.id)?;
            let ended = end_sessions(tx, user.id, Some(own.session))?;
            if let Some(notice) = &notice {
                tx.enqueue_mail(notice)?;
            }
            Ok(tx.append_event(&event.clone().saying(format!("{ended} other sessions ended")))?)
        })
        .await
}
