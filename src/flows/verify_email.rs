//! Confirming an address with the mailed code: the registration becomes a user, and the user is logged in.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::token::hash_token;
use crate::domain::{
    Code, CodeHash, CodePurpose, Event, EventKind, Name, Origin, Registration, Secret, Session, SessionStyle,
    Timestamp, TokenHash, User,
};
use crate::flows::FlowError;
use crate::flows::steps::{
    Audit, Binding, LoggedIn, Opening, Whose, admit, evenly, is_right, remember_client, sign,
};
use crate::store::{StoreError, Unique, WriteTx};

/// Confirms the address and logs its owner in. The long code of the link stands alone; the short one is looked for
/// where `whose` says. Check, consumption, user and session are one transaction: of fifty at once, one is let in.
pub(crate) async fn verify_email(
    app: &App,
    origin: &Origin,
    code: Code,
    whose: Option<Whose>,
) -> Result<LoggedIn, FlowError> {
    let opening = Opening::new(app, origin, "code", Name::default(), SessionStyle::Native);
    let audit = Audit { now: opening.now, origin };
    let verified = audit.success(EventKind::UserVerified);
    let failed = audit.failure(EventKind::VerificationFailed);
    let logged_in = audit.success(EventKind::LoginSucceeded).in_session(opening.session_id()).saying("code");
    let ip = origin.ip;
    let outcome = app.store.write(move |tx| {
        // A wrong guess is an answer, not an error: what it cost is committed. And it costs a commit whether or not
        // there was something to guess.
        let Some(mut user) = consume(tx, &code, whose.as_ref(), opening.now)? else {
            tx.append_event(&failed)?;
            return Ok(None);
        };
        let session = opening.run(tx, &mut user)?;
        remember_client(tx, user.id, ip, None, None, opening.now)?;
        append(tx, &verified, &user)?;
        append(tx, &logged_in, &user)?;
        Ok::<Option<(User, Session)>, FlowError>(Some((user, session)))
    });
    let (user, session) = evenly(outcome).await?.ok_or(FlowError::InvalidCode)?;
    Ok(LoggedIn { user: Arc::new(user), tokens: sign(app, &session) })
}

/// Confirms the address without logging in, for a page that could not hold the tokens, and for an operator.
pub(crate) async fn confirm_email(
    app: &App,
    origin: &Origin,
    code: Code,
    whose: Option<Whose>,
) -> Result<User, FlowError> {
    let now = app.clock.now();
    let audit = Audit { now, origin };
    let verified = audit.success(EventKind::UserVerified);
    let failed = audit.failure(EventKind::VerificationFailed);
    let languages = origin.languages.clone();
    let outcome = app.store.write(move |tx| {
        let Some(mut user) = consume(tx, &code, whose.as_ref(), now)? else {
            tx.append_event(&failed)?;
            return Ok(None);
        };
        user.asked_in(&languages);
        tx.save_user(&user)?;
        append(tx, &verified, &user)?;
        Ok::<Option<User>, FlowError>(Some(user))
    });
    evenly(outcome).await?.ok_or(FlowError::InvalidCode)
}

/// Takes a code for what it was sent for, once. None: it is wrong, spent, or too old, or its user was disabled.
fn consume(
    tx: &mut WriteTx,
    code: &Code,
    whose: Option<&Whose>,
    now: Timestamp,
) -> Result<Option<User>, FlowError> {
    let confirmed = match (code, whose) {
        (Code::Long(plain), _) => find_by_link(tx, &hash_token(plain), now)?,
        (Code::Short(digits), Some(whose)) => find_by_digits(tx, digits, whose, now)?,
        (Code::Short(_), None) => None,
    };
    let confirmed = confirmed.filter(|confirmed| match confirmed {
        Confirmed::Registration(_) => true,
        // Whoever logged in before and is inactive now was disabled: no mail that is still about enables them again.
        Confirmed::User(user) => user.is_active || user.last_login.is_none(),
    });
    confirmed.map(|confirmed| confirm(tx, confirmed, now)).transpose()
}

/// Who was confirmed by the right code.
enum Confirmed {
    Registration(Registration),
    User(User),
}

fn find_by_link(tx: &WriteTx, hash: &TokenHash, now: Timestamp) -> Result<Option<Confirmed>, FlowError> {
    if let Some(registration) = tx.registration_by_code(hash)? {
        return Ok(registration.code.takes_link(now).then_some(Confirmed::Registration(registration)));
    }
    let Some((user, purpose)) = tx.code_owner(hash)? else { return Ok(None) };
    let is_live = tx.code(user, purpose)?.is_some_and(|code| code.takes_link(now));
    if purpose != CodePurpose::VerifyEmail || !is_live {
        return Ok(None);
    }
    Ok(tx.user(user)?.map(Confirmed::User))
}

/// Tries the digits on everything they may be meant for; each code that they do not open has one guess less.
fn find_by_digits(
    tx: &mut WriteTx,
    digits: &Secret<String>,
    whose: &Whose,
    now: Timestamp,
) -> Result<Option<Confirmed>, FlowError> {
    let registrations = match whose {
        Whose::Registration(id) => tx.registration(*id)?.into_iter().collect(),
        Whose::Email(email) => tx.registrations_of(&email.key())?,
    };
    for registration in &registrations {
        if is_right(&registration.code, Binding::Registration(registration.id), digits, now) {
            return Ok(Some(Confirmed::Registration(registration.clone())));
        }
    }
    for mut registration in registrations {
        if spend_guess(&mut registration.code) {
            tx.save_registration(&registration)?;
        }
    }
    let Whose::Email(email) = whose else { return Ok(None) };
    let Some(user) = tx.user_by_email(&email.key())? else { return Ok(None) };
    let Some(mut code) = tx.code(user.id, CodePurpose::VerifyEmail)? else { return Ok(None) };
    if is_right(&code, Binding::Address(email), digits, now) {
        return Ok(Some(Confirmed::User(user)));
    }
    if spend_guess(&mut code) {
        tx.save_code(user.id, CodePurpose::VerifyEmail, &code)?;
    }
    Ok(None)
}

/// Takes one guess away; false if none was left.
fn spend_guess(code: &mut CodeHash) -> bool {
    let had_one = code.attempts_left > 0;
    code.attempts_left = code.attempts_left.saturating_sub(1);
    had_one
}

fn confirm(tx: &mut WriteTx, confirmed: Confirmed, now: Timestamp) -> Result<User, FlowError> {
    match confirmed {
        Confirmed::Registration(registration) => admit(tx, registration, now).map_err(|error| match error {
            StoreError::Taken(Unique::Email) => FlowError::InvalidCode,
            error => error.into(),
        }),
        Confirmed::User(mut user) => {
            tx.remove_code(user.id, CodePurpose::VerifyEmail)?;
            user.is_active = true;
            user.email_verified = true;
            user.updated_at = now;
            tx.save_user(&user)?;
            Ok(user)
        }
    }
}

fn append(tx: &mut WriteTx, event: &Event, user: &User) -> Result<(), StoreError> {
    tx.append_event(&event.clone().by(user).about(user))
}
