//! A new password for somebody who has lost theirs, by a link that goes to their address.

use crate::app::App;
use crate::domain::{CodePurpose, Email, EventKind, MailKind, Origin, Password, Target, User, UserId};
use crate::flows::FlowError;
use crate::flows::steps::{
    Audit, ResetLink, end_sessions, evenly, forget_codes, judge_new_password, new_reset_link, post_to_user,
    remember_client, revoke_api_keys, takes_mail,
};
use crate::mail::{Letter, PasswordChange};

/// Mails a link to the owner of an address; the one before dies. Whoever asks learns nothing from the answer: the work
/// is the same for an address that nobody has, and for an account that is disabled or has no password (Django's
/// unusable one), which get no mail.
pub(crate) async fn request_reset(app: &App, origin: &Origin, email: &Email) -> Result<(), FlowError> {
    evenly(request(app, origin, email)).await
}

async fn request(app: &App, origin: &Origin, email: &Email) -> Result<(), FlowError> {
    let now = app.clock.now();
    let user = app.store.read()?.user_by_email(&email.key())?;
    let user = user.filter(|user| user.is_active && user.password.is_some());
    let event = Audit { now, origin }.success(EventKind::ResetRequested);
    let (code, mail) = new_reset_link(app, origin, user.as_ref(), email, now)?;
    let id = user.as_ref().map_or(UserId(0), |user| user.id);
    let event = match &user {
        Some(user) => event.about(user),
        None => event,
    };
    // Counted only if it is sent: else nobody would be mailed who was asked for often enough under names beside theirs.
    let is_sent = user.is_some() && takes_mail(app, email, MailKind::ResetPassword, now);
    let email = user.and_then(|user| user.email);
    app.store
        .write(move |tx| {
            // Looked at again: meanwhile the account may have moved to another address, and then this link is nobody's.
            let may_reset = |now: User| now.is_active && now.password.is_some() && now.email == email;
            if is_sent && tx.user(id)?.is_some_and(may_reset) {
                tx.save_code(id, CodePurpose::ResetPassword, &code)?;
                tx.enqueue_mail(&mail)?;
            }
            Ok(tx.append_event(&event)?)
        })
        .await
}

/// Whether a link would do now. Changes nothing.
pub(crate) fn check_reset(app: &App, link: &ResetLink) -> Result<(), FlowError> {
    let owner = link.owner(&app.store.read()?, app.clock.now())?;
    owner.map(drop).ok_or(FlowError::InvalidLink)
}

/// Gives the owner of the link a new password, once. Everything that the old one opened ends: all sessions, all API
/// keys, all codes. Wrong passwords are forgotten, and so is who logged in before, but for the one who has the mailbox.
pub(crate) async fn reset_password(
    app: &App,
    origin: &Origin,
    link: ResetLink,
    new: Password,
) -> Result<(), FlowError> {
    let owner = link.owner(&app.store.read()?, app.clock.now())?.ok_or(FlowError::InvalidLink)?;
    let new = judge_new_password(app, &owner, new, "new_password")?;
    let hash = app.passwords.hash(new.as_password()).await?;
    let now = app.clock.now();
    let (at, ip, how) = (now, origin.ip, PasswordChange::ByReset);
    let notice = post_to_user(app, &owner, now, |email| Letter::PasswordChanged { email, how, at, ip })?;
    let event = Audit { now, origin }.success(EventKind::PasswordReset).by(&owner).about(&owner);
    app.store
        .write(move |tx| {
            let mut user = link.owner(tx, now)?.ok_or(FlowError::InvalidLink)?;
            user.password = Some(hash.clone());
            user.password_is_temporary = false;
            // Whoever has the link reads the mail of this address.
            user.email_verified = true;
            user.updated_at = now;
            tx.save_user(&user)?;
            forget_codes(tx, user.id)?;
            tx.remove_code(user.id, CodePurpose::VerifyEmail)?;
            tx.clear_guesses(Target::User(user.id))?;
            remember_client(tx, user.id, ip, None, None, now)?;
            let sessions = end_sessions(tx, user.id, None)?;
            let keys = revoke_api_keys(tx, user.id)?;
            if let Some(notice) = &notice {
                tx.enqueue_mail(notice)?;
            }
            let ended = format!("{sessions} sessions and {keys} API keys ended");
            Ok(tx.append_event(&event.clone().saying(ended))?)
        })
        .await
}
