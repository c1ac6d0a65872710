//! Registering.

use crate::app::App;
use crate::config::{RegistrationMode, Verification};
use crate::crypto::random;
use crate::domain::{
    Avatar, CodePurpose, Email, EventKind, Invalid, MailKind, Name, NewPassword, NewUser, Origin, Party,
    PasswordHash, Registration, RegistrationId, Timestamp, User, Username,
};
use crate::flows::FlowError;
use crate::flows::steps::{Audit, Binding, evenly, new_verification, post_to_user, takes_mail};
use crate::mail::Letter;
use crate::store::WriteTx;

/// What somebody gives to have an account.
#[derive(Debug, Clone)]
pub(crate) struct Register {
    /// Who has none can only be let in where no address is verified.
    pub(crate) email: Option<Email>,
    pub(crate) password: NewPassword,
    pub(crate) username: Option<Username>,
    pub(crate) first_name: Name,
    pub(crate) last_name: Name,
    pub(crate) avatar: Option<Avatar>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum Registered {
    /// A code is on its way, or the owner of the address hears that they have an account: nobody can tell which.
    VerificationRequired {
        email: Email,
        registration: RegistrationId,
    },
    User(Box<User>),
}

/// Registers an address. With verification required there is no user before the mailed code is confirmed, and the
/// answer and the work for it are the same whether or not the address is taken.
pub(crate) async fn register(app: &App, origin: &Origin, new: Register) -> Result<Registered, FlowError> {
    if app.config.registration.mode == RegistrationMode::Closed {
        return Err(FlowError::RegistrationClosed);
    }
    let is_required = app.config.registration.verification == Verification::Required;
    let email = match &new.email {
        None if is_required => return Err(FlowError::Invalid("email", vec![Invalid::required()])),
        email => email.clone().filter(|_| is_required),
    };
    let hash = app.passwords.hash(new.password.as_password()).await?;
    match email {
        Some(email) => evenly(wait_for_code(app, origin, email, new, hash)).await,
        None => make_user(app, origin, new, hash).await,
    }
}

async fn wait_for_code(
    app: &App,
    origin: &Origin,
    email: Email,
    new: Register,
    password: PasswordHash,
) -> Result<Registered, FlowError> {
    let now = app.clock.now();
    let id = RegistrationId::new(now, random::bytes());
    let binding = Binding::Registration(id);
    let (code, mail) = new_verification(app, origin, binding, &email, &origin.languages, now)?;
    let mut registration = Registration {
        id,
        email: email.clone(),
        username: new.username,
        first_name: new.first_name,
        last_name: new.last_name,
        avatar: new.avatar,
        password,
        created_at: now,
        code,
    };
    // If somebody takes the address between this look and the write, the code can still never be confirmed.
    let owner = app.store.read()?.user_by_email(&email.key())?;
    let (requested_at, ip) = (now, origin.ip);
    let letter = |email| Letter::AlreadyRegistered { email, requested_at, ip };
    let notice = owner.as_ref().map(|owner| post_to_user(app, owner, now, letter)).transpose()?.flatten();
    let event = Audit { now, origin }.success(EventKind::UserRegistered);
    let event = match &owner {
        Some(owner) => event.about(owner).saying("the address has an account"),
        None => event.about(Party { id: id.to_string(), label: email.as_str().to_owned() }),
    };
    let is_taken = owner.is_some();
    let takes_mail = takes_mail(app, &email, MailKind::VerifyEmail, now);
    if !takes_mail {
        // A code that nobody is sent would only be there to be guessed. Another can be asked for.
        registration.code.kill();
    }
    app.store
        .write(move |tx| {
            refuse_taken_username(tx, registration.username.as_ref())?;
            if is_taken {
                if let Some(notice) = notice.as_ref().filter(|_| takes_mail) {
                    tx.enqueue_mail(notice)?;
                }
            } else if has_room(tx, &registration.email, now)? {
                tx.save_registration(&registration)?;
                if takes_mail {
                    tx.enqueue_mail(&mail)?;
                }
            }
            Ok::<_, FlowError>(tx.append_event(&event)?)
        })
        .await?;
    Ok(Registered::VerificationRequired { email, registration: id })
}

/// An address has at most this many registrations that wait: it bounds what confirming one of them costs.
const MAX_PENDING: usize = 64;

/// Makes room by dropping what cannot be confirmed any more. If all can, the newcomer has to wait: a crowd of strangers
/// does not drive out the owner, who was there before them.
fn has_room(tx: &mut WriteTx, email: &Email, now: Timestamp) -> Result<bool, FlowError> {
    let (live, spent): (Vec<_>, Vec<_>) = tx
        .registrations_of(&email.key())?
        .into_iter()
        .partition(|registration| registration.code.takes_link(now));
    if live.len() >= MAX_PENDING {
        return Ok(false);
    }
    if live.len() + spent.len() >= MAX_PENDING {
        for registration in &spent {
            tx.remove_registration(registration.id)?;
        }
    }
    Ok(true)
}

/// A name that is the account's own address is not looked for: the answer would tell whether the address has an account.
fn refuse_taken_username(tx: &WriteTx, username: Option<&Username>) -> Result<(), FlowError> {
    match username {
        Some(username) if Email::parse(username.key().as_str()).is_ok() => Ok(()),
        Some(username) if tx.user_by_username(&username.key())?.is_some() => Err(FlowError::username_taken()),
        _ => Ok(()),
    }
}

async fn make_user(
    app: &App,
    origin: &Origin,
    new: Register,
    password: PasswordHash,
) -> Result<Registered, FlowError> {
    let now = app.clock.now();
    let verified = match app.config.registration.verification {
        Verification::Optional => new.email.clone(),
        Verification::Required | Verification::None => None,
    };
    let verification = match &verified {
        Some(email) => {
            Some(new_verification(app, origin, Binding::Address(email), email, &origin.languages, now)?)
        }
        None => None,
    };
    let takes_mail = verified.is_some_and(|email| takes_mail(app, &email, MailKind::VerifyEmail, now));
    let new = NewUser {
        email: new.email,
        username: new.username,
        first_name: new.first_name,
        last_name: new.last_name,
        avatar: new.avatar,
        password: Some(password),
        is_active: true,
        is_staff: false,
        is_superuser: false,
        email_verified: false,
        language: origin.languages.first().cloned(),
        ..NewUser::default()
    };
    let event = Audit { now, origin }.success(EventKind::UserRegistered);
    let user = app
        .store
        .write(move |tx| {
            let user = tx.insert_user(&new, now)?;
            if let Some((code, mail)) = verification.as_ref().filter(|_| takes_mail) {
                tx.save_code(user.id, CodePurpose::VerifyEmail, code)?;
                tx.enqueue_mail(mail)?;
            }
            tx.append_event(&event.clone().by(&user).about(&user))?;
            Ok::<_, FlowError>(user)
        })
        .await?;
    Ok(Registered::User(Box::new(user)))
}
