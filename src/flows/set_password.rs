//! An operator gives an account another password.

use crate::app::App;
use crate::domain::{EventKind, NewPassword, Origin, Password, Target, User};
use crate::flows::FlowError;
use crate::flows::steps::{
    Audit, Identifier, end_sessions, forget_codes, judge_new_password, post_to_user, revoke_api_keys,
};
use crate::mail::{Letter, PasswordChange};

/// What becomes of the rules for new passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    Hold,
    Waived,
}

/// Sets the password of the account that `who` names by its email address or username, and ends all its sessions and API
/// keys: whoever knew the old one is out. Wrong passwords are forgotten, and the owner hears of it.
pub(crate) async fn set_password(
    app: &App,
    origin: &Origin,
    who: &str,
    password: Password,
    rules: Rules,
) -> Result<User, FlowError> {
    let user = Identifier::parse(who).find(&app.store.read()?)?.ok_or(FlowError::NotFound)?;
    let password = match rules {
        Rules::Hold => judge_new_password(app, &user, password, "password")?,
        Rules::Waived => NewPassword::weak(password),
    };
    let hash = app.passwords.hash(password.as_password()).await?;
    let now = app.clock.now();
    let (at, ip, how) = (now, origin.ip, PasswordChange::ByOperator);
    let notice = post_to_user(app, &user, now, |email| Letter::PasswordChanged { email, how, at, ip })?;
    let event = Audit { now, origin }.success(EventKind::PasswordChanged).about(&user);
    let id = user.id;
    app.store
        .write(move |tx| {
            let mut user = tx.user(id)?.ok_or(FlowError::NotFound)?;
            user.password = Some(hash.clone());
            user.password_is_temporary = false;
            user.updated_at = now;
            tx.save_user(&user)?;
            let ended = end_sessions(tx, id, None)?;
            let revoked = revoke_api_keys(tx, id)?;
            forget_codes(tx, id)?;
            tx.clear_guesses(Target::User(id))?;
            if let Some(notice) = &notice {
                tx.enqueue_mail(notice)?;
            }
            let told = format!("by an operator; {ended} sessions ended, {revoked} API keys revoked");
            tx.append_event(&event.clone().saying(told))?;
            Ok(user)
        })
        .await
}
