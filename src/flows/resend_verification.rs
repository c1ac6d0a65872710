//! Another code, because the first mail did not come.

use crate::app::App;
use crate::domain::{
    CodeHash, CodePurpose, Email, EventKind, Language, Mail, Origin, RegistrationId, Timestamp, User, UserId,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Binding, PENDING_FOR, Whose, new_verification};
use crate::store::{ReadTx, WriteTx};

/// Sends a new code to somebody who is not verified yet; their earlier code dies. Whoever asks learns nothing from the
/// answer. Once in `registration.resend_interval` for each code, and nothing in between.
pub(crate) async fn resend_verification(app: &App, origin: &Origin, whose: Whose) -> Result<(), FlowError> {
    let now = app.clock.now();
    let found = find(&app.store.read()?, &whose, now)?;
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
    let interval = app.config.registration.resend_interval;
    app.store
        .write(move |tx| {
            let may_send = match code_of(tx, owner)? {
                Some(current) => current.may_resend(now, interval),
                None => never_had_one(tx, owner)?,
            };
            if may_send {
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

/// The one registration that is meant, or the account that waits for its first code. An address with several
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
    // Somebody who was disabled gets no code: it would enable them.
    let waits = |user: &User| !user.email_verified && (user.is_active || user.last_login.is_none());
    let user = read.user_by_email(&email.key())?.filter(waits);
    Ok(user.and_then(|user| {
        let languages = user.languages().to_vec();
        Some(Waiting { owner: Owner::User(user.id), email: user.email?, languages })
    }))
}

fn code_of(tx: &WriteTx, owner: Owner) -> Result<Option<CodeHash>, FlowError> {
    Ok(match owner {
        Owner::Registration(id) => tx.registration(id)?.map(|registration| registration.code),
        Owner::User(id) => tx.code(id, CodePurpose::VerifyEmail)?,
    })
}

/// A user who could always log in may ask for a first code.
fn never_had_one(tx: &WriteTx, owner: Owner) -> Result<bool, FlowError> {
    match owner {
        Owner::Registration(_) => Ok(false),
        Owner::User(id) => Ok(tx.user(id)?.is_some_and(|user| user.is_active && !user.email_verified)),
    }
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
