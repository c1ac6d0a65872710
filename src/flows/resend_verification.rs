//! Another code, because the first mail did not come.

use std::time::Duration;

use crate::app::App;
use crate::domain::{
    CodeHash, CodePurpose, Email, EventKind, Language, Mail, MailKind, Origin, RegistrationId, Timestamp,
    User, UserId,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Binding, PENDING_FOR, Whose, evenly, new_verification, takes_mail};
use crate::store::{ReadTx, WriteTx};

/// Sends a new code to somebody who is not verified yet; their earlier code dies. Whoever asks learns nothing from the
/// answer. Once in `registration.resend_interval` for each code, and nothing in between, nor when the mailbox had its
/// share of mails.
pub(crate) async fn resend_verification(app: &App, origin: &Origin, whose: Whose) -> Result<(), FlowError> {
    evenly(resend(app, origin, whose)).await
}

async fn resend(app: &App, origin: &Origin, whose: Whose) -> Result<(), FlowError> {
    let now = app.clock.now();
    let read = app.store.read()?;
    let interval = app.config.registration.resend_interval;
    let found = find(&read, &whose, now)?;
    // Counted only if it is sent: nobody uses up the mails of somebody who is still to come.
    let has_room = match &found {
        Some(Waiting { owner, email, .. }) => {
            may_resend(&read, *owner, interval, now)? && takes_mail(app, email, MailKind::VerifyEmail, now)
        }
        None => false,
    };
    drop(read);
    let event = Audit { now, origin }.success(EventKind::VerificationRequested);
    let Some(Waiting { owner, email, languages }) = found else {
        // Written all the same: an answer that comes sooner would tell that there is nobody.
        return Ok(app.store.write(move |tx| tx.append_event(&event)).await?);
    };
    let (binding, languages) = match owner {
        Owner::Registration(id) => (Binding::Registration(id), &origin.languages),
        Owner::User(_) => (Binding::Address(&email), &languages),
    };
    let (code, mail) = new_verification(app, origin, binding, &email, languages, now)?;
    app.store
        .write(move |tx| {
            if has_room && may_resend(tx, owner, interval, now)? {
                replace(tx, owner, &code, &mail)?;
            }
            Ok(tx.append_event(&event)?)
        })
        .await
}

/// Somebody who waits for a code.
struct Waiting {
    owner: Owner,
    email: Email,
    /// Of a user; a registration has none of its own.
    languages: Vec<Language>,
}

#[derive(Debug, Clone, Copy)]
enum Owner {
    Registration(RegistrationId),
    User(UserId),
}

/// The one registration that is meant, or the account that waits for its code. An address with several
/// registrations names none of them: a code for the newest could be a stranger's, put into the owner's mailbox.
fn find(read: &ReadTx, whose: &Whose, now: Timestamp) -> Result<Option<Waiting>, FlowError> {
    let registration = match whose {
        Whose::Registration(id) => read.registration(*id)?,
        Whose::Email(email) => {
            let mut pending = read.registrations_of(&email.key())?;
            if pending.len() > 1 {
                return Ok(None);
            }
            pending.pop()
        }
    };
    if let Some(registration) = registration {
        let is_pending = now < registration.created_at.after(PENDING_FOR);
        let owner = Owner::Registration(registration.id);
        return Ok(is_pending.then_some(Waiting { owner, email: registration.email, languages: Vec::new() }));
    }
    let Whose::Email(email) = whose else { return Ok(None) };
    let Some(user) = read.user_by_email(&email.key())? else { return Ok(None) };
    let code = read.code(user.id, CodePurpose::VerifyEmail)?;
    if !waits(&user, code.as_ref()) {
        return Ok(None);
    }
    let (owner, languages) = (Owner::User(user.id), user.languages().to_vec());
    Ok(user.email.map(|email| Waiting { owner, email, languages }))
}

/// Whether a user waits for a code. One who is active may ask for their first. One who is not was either made to be
/// activated by a code, and has one, if only a dead one; or was disabled, and gets none: it would enable them.
fn waits(user: &User, code: Option<&CodeHash>) -> bool {
    !user.email_verified && (user.is_active || (user.last_login.is_none() && code.is_some()))
}

fn may_resend(read: &ReadTx, owner: Owner, interval: Duration, now: Timestamp) -> Result<bool, FlowError> {
    Ok(match owner {
        Owner::Registration(id) => {
            read.registration(id)?.is_some_and(|registration| registration.code.may_resend(now, interval))
        }
        Owner::User(id) => {
            let code = read.code(id, CodePurpose::VerifyEmail)?;
            read.user(id)?.is_some_and(|user| waits(&user, code.as_ref()))
                && code.is_none_or(|code| code.may_resend(now, interval))
        }
    })
}

fn replace(tx: &mut WriteTx, owner: Owner, code: &CodeHash, mail: &Mail) -> Result<(), FlowError> {
    match owner {
        Owner::Registration(id) => {
            if let Some(mut registration) = tx.registration(id)? {
                registration.code = code.clone();
                tx.save_registration(&registration)?;
            }
        }
        Owner::User(id) => tx.save_code(id, CodePurpose::VerifyEmail, code)?,
    }
    Ok(tx.enqueue_mail(mail)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NewUser, TokenHash};

    #[test]
    fn whoever_was_disabled_waits_for_no_code() {
        let now = Timestamp::from_secs(1_000_000);
        let new = NewUser { email: Email::parse("ada@example.com").ok(), ..NewUser::default() };
        let made = new.joined(UserId(1), now);
        let hash = TokenHash([0; 32]);
        let mut dead = CodeHash { short: hash, long: hash, expires_at: now, attempts_left: 5, sent_at: now };
        dead.kill();

        assert!(waits(&made, Some(&dead)), "an operator made it, and its code is too old");
        assert!(!waits(&made, None), "an operator disabled it before its first log-in");
        let disabled = User { last_login: Some(now), ..made.clone() };
        assert!(!waits(&disabled, None) && !waits(&disabled, Some(&dead)));
        let active = User { is_active: true, ..disabled };
        assert!(waits(&active, None) && waits(&active, Some(&dead)));
        assert!(!waits(&User { email_verified: true, ..active }, None));
    }
}
