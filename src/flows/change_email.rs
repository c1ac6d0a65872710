//! Moving an account to another address: the owner gives their password, the new mailbox shows a code, and the old one
//! hears of it.

use std::sync::Arc;

use crate::app::App;
use crate::config::LimitKind;
use crate::domain::{
    Code, CodePurpose, Email, EmailChange, Event, EventKind, MailKind, Password, Secret, Timestamp, User,
    Username,
};
use crate::flows::steps::{
    Audit, Binding, confirm_own_password, forget_codes, is_right, new_code_for, post_to_user, takes_mail,
};
use crate::flows::{Caller, FlowError};
use crate::limiter::Subject;
use crate::mail::Letter;
use crate::store::WriteTx;

/// Mails a code to the new address and a notice to the present one. An address that somebody else has is answered like
/// any other; its owner gets a notice instead.
pub(crate) async fn request_email_change(
    app: &App,
    caller: &Caller,
    new_email: Email,
    password: &Password,
) -> Result<(), FlowError> {
    caller.own_session()?;
    app.limiter.take(LimitKind::Email, Subject::Account(caller.user.id), app.clock.now())?;
    let kind = EventKind::EmailChangeRequested;
    let own = confirm_own_password(app, caller, password, "password", kind).await?;
    let (now, origin) = (app.clock.now(), &caller.origin);
    let owner = app.store.read()?.user_by_email(&new_email.key())?.filter(|owner| owner.id != own.user.id);
    let (code, mail) = new_code_for(app, origin, &own.user, &new_email, now)?;
    let (at, requested_at, ip) = (now, now, origin.ip);
    let in_use = |email| Letter::EmailInUse { email, requested_at, ip };
    let to_owner = owner.as_ref().map(|owner| post_to_user(app, owner, now, in_use)).transpose()?.flatten();
    let requested = |email| Letter::EmailChangeRequested { email, at, ip };
    let to_old = post_to_user(app, &own.user, now, requested)?;
    let is_free = owner.is_none();
    // A code that nobody is sent would only be there to be guessed.
    let takes_mail = takes_mail(app, &new_email, MailKind::ConfirmNewEmail, now);
    let to_new = if is_free { Some(mail) } else { to_owner }.filter(|_| takes_mail);
    let change = EmailChange { new_email, code };
    let event = Audit { now, origin }.success(kind).by(&own.user).about(&own.user).in_session(own.session);
    app.store
        .write(move |tx| {
            let user = own.accept(tx)?;
            // One at a time: whatever was asked for before is over.
            tx.remove_email_change(user.id)?;
            if is_free && takes_mail {
                tx.save_email_change(user.id, &change)?;
            }
            for mail in to_new.iter().chain(&to_old) {
                tx.enqueue_mail(mail)?;
            }
            Ok(tx.append_event(&event)?)
        })
        .await
}

/// Takes the code from the new mailbox, once: the account has that address from then on. Links to a new password that
/// went to the old one are dead.
pub(crate) async fn confirm_email_change(
    app: &App,
    caller: &Caller,
    code: Code,
) -> Result<Arc<User>, FlowError> {
    let session = caller.own_session()?;
    let Code::Short(digits) = code else { return Err(FlowError::InvalidCode) };
    let (now, id) = (app.clock.now(), caller.user.id);
    let audit = Audit { now, origin: &caller.origin };
    let event = |event: Event| event.by(&*caller.user).about(&*caller.user).in_session(session);
    let changed = event(audit.success(EventKind::EmailChanged));
    let failed = event(audit.failure(EventKind::EmailChanged));
    let user = app.store.write(move |tx| {
        let user = tx.user(id)?.filter(|user| user.is_active).ok_or(FlowError::InvalidToken)?;
        tx.session(session)?.ok_or(FlowError::InvalidToken)?;
        // Nothing to guess at: nothing to write.
        if tx.email_change(id)?.is_none() {
            return Ok(None);
        }
        // A wrong code is an answer, not an error: what it cost is committed.
        let Some(new_email) = consume(tx, &user, &digits, now)? else {
            tx.append_event(&failed)?;
            return Ok(None);
        };
        let user = move_to(tx, user, new_email, now)?;
        tx.append_event(&changed)?;
        Ok::<_, FlowError>(Some(user))
    });
    user.await?.map(Arc::new).ok_or(FlowError::InvalidCode)
}

/// The address that the code confirms. None: it is wrong, spent, too old, or somebody else was faster.
fn consume(
    tx: &mut WriteTx,
    user: &User,
    digits: &Secret<String>,
    now: Timestamp,
) -> Result<Option<Email>, FlowError> {
    let Some(mut change) = tx.email_change(user.id)? else { return Ok(None) };
    if !is_right(&change.code, Binding::NewAddress(user.id, &change.new_email), digits, now) {
        change.code.attempts_left = change.code.attempts_left.saturating_sub(1);
        tx.save_email_change(user.id, &change)?;
        return Ok(None);
    }
    let owner = tx.user_by_email(&change.new_email.key())?;
    Ok(owner.is_none_or(|owner| owner.id == user.id).then_some(change.new_email))
}

fn move_to(tx: &mut WriteTx, mut user: User, new_email: Email, now: Timestamp) -> Result<User, FlowError> {
    // A name that is the account's address moves along: nobody keeps a name that is not their address any more.
    let is_old_address = |name: &Username| name.clone().for_account(Some(&new_email)).is_err();
    if user.username.as_ref().is_some_and(is_old_address) {
        let moved = Username::parse(new_email.as_str()).ok();
        let is_free = |name: &Username| {
            let owner = tx.user_by_username(&name.key())?;
            Ok::<_, FlowError>(owner.is_none_or(|owner| owner.id == user.id))
        };
        user.username = match moved {
            Some(name) if is_free(&name)? => Some(name),
            _ => None,
        };
    }
    user.email = Some(new_email);
    user.email_verified = true;
    user.updated_at = now;
    tx.save_user(&user)?;
    forget_codes(tx, user.id)?;
    tx.remove_code(user.id, CodePurpose::VerifyEmail)?;
    tx.remove_registrations_of(user.email.as_ref())?;
    Ok(user)
}
