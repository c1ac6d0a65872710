//! An administrator gives an account another password.

use crate::app::App;
use crate::domain::{Changes, EventKind, Password, Target, User, UserId};
use crate::flows::steps::{
    Authority, Term, act, actor_and_subject, end_sessions, forget_codes, judge_new_password, post_to_user,
    revoke_api_keys, spend_a_hash,
};
use crate::flows::{Caller, FlowError};
use crate::mail::{Letter, PasswordChange};

/// Sets the password and ends all sessions and API keys: whoever knew the old one is out. Links and codes that are out
/// die, wrong passwords are forgotten, and the owner hears of it. One's own is changed with the old one
/// (`/auth/password/change/`).
pub(crate) async fn assign_password(
    app: &App,
    caller: &Caller,
    id: UserId,
    password: Password,
    term: Term,
) -> Result<(), FlowError> {
    let authority = Authority::of(app, caller, "users.change_user");
    if id == caller.user.id {
        return Err(FlowError::PermissionDenied);
    }
    let (actor, user) = actor_and_subject(&authority, &app.store.read()?, id)?;
    let password = judge_new_password(app, &user, password, "password")?;
    spend_a_hash(app, &actor)?;
    let hash = app.passwords.hash(password.as_password()).await?;
    let now = app.clock.now();
    let (at, ip, how) = (now, caller.origin.ip, PasswordChange::ByOperator);
    let notice = post_to_user(app, &user, now, |email| Letter::PasswordChanged { email, how, at, ip })?;
    let event = act(caller, EventKind::PasswordChanged, now);
    app.store
        .write(move |tx| {
            let (actor, before) = actor_and_subject(&authority, tx, id)?;
            let user = User {
                password: Some(hash.clone()),
                password_is_temporary: term == Term::Temporary,
                updated_at: now,
                ..before.clone()
            };
            tx.save_user(&user)?;
            let ended = end_sessions(tx, id, None)?;
            let revoked = revoke_api_keys(tx, id)?;
            forget_codes(tx, id)?;
            tx.clear_guesses(Target::User(id))?;
            if let Some(notice) = &notice {
                tx.enqueue_mail(notice)?;
            }
            let changes = Changes::of_user(&actor.directory, Some(&before), Some(&user))
                .count("sessions", ended, 0)
                .count("api_keys", revoked, 0);
            Ok(tx.append_event(&event.clone().about(&user).telling(&changes))?)
        })
        .await
}
