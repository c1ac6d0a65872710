//! Confirming an address with the mailed code: the registration becomes a user, and the user is logged in.

use std::sync::Arc;

use crate::app::App;
use crate::crypto::token::hash_token;
use crate::domain::{
    Code, CodeHash, Event, EventKind, Name, Origin, Registration, Secret, Session, TokenHash, User,
};
use crate::flows::sessions::{Opening, sign};
use crate::flows::verification::{Binding, Whose, is_right};
use crate::flows::{Audit, FlowError, LoggedIn};
use crate::store::{CodePurpose, StoreError, Unique, WriteTx};

/// Takes a code for what it was sent for. The long code of the link stands alone; the short one is looked for where
/// `whose` says. Check, consumption, user and session are one transaction: of fifty at once, one is let in.
pub(crate) async fn verify_email(
    app: &App,
    origin: &Origin,
    code: Code,
    whose: Option<Whose>,
) -> Result<LoggedIn, FlowError> {
    let opening = Opening::new(app, origin, "code", Name::default());
    let audit = Audit { now: opening.now, origin };
    let verified = audit.success(EventKind::UserVerified);
    let logged_in = audit.success(EventKind::LoginSucceeded).in_session(opening.session_id()).saying("code");
    let outcome = app.store.write(move |tx| {
        let confirmed = match &code {
            Code::Long(plain) => find_by_link(tx, &hash_token(plain), &opening)?,
            Code::Short(digits) => match &whose {
                Some(whose) => find_by_digits(tx, digits, whose, &opening)?,
                None => None,
            },
        };
        // A wrong guess is an answer, not an error: what it cost must be committed.
        let Some(confirmed) = confirmed else { return Ok(None) };
        let mut user = confirm(tx, confirmed, &opening)?;
        let session = opening.run(tx, &mut user)?;
        append(tx, &verified, &user)?;
        append(tx, &logged_in, &user)?;
        Ok::<Option<(User, Session)>, FlowError>(Some((user, session)))
    });
    let (user, session) = outcome.await?.ok_or(FlowError::InvalidCode)?;
    Ok(LoggedIn { user: Arc::new(user), tokens: sign(app, &session) })
}

/// Who was confirmed by the right code.
enum Confirmed {
    Registration(Registration),
    User(User),
}

fn find_by_link(tx: &WriteTx, hash: &TokenHash, opening: &Opening) -> Result<Option<Confirmed>, FlowError> {
    if let Some(registration) = tx.registration_by_code(hash)? {
        return Ok(registration.code.is_live(opening.now).then_some(Confirmed::Registration(registration)));
    }
    let Some((user, purpose)) = tx.code_owner(hash)? else { return Ok(None) };
    let is_live = tx.code(user, purpose)?.is_some_and(|code| code.is_live(opening.now));
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
    opening: &Opening,
) -> Result<Option<Confirmed>, FlowError> {
    let registrations = match whose {
        Whose::Registration(id) => tx.registration(*id)?.into_iter().collect(),
        Whose::Email(email) => tx.registrations_of(&email.key())?,
    };
    for registration in &registrations {
        if is_right(&registration.code, Binding::Registration(registration.id), digits, opening.now) {
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
    if is_right(&code, Binding::Address(email), digits, opening.now) {
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

fn confirm(tx: &mut WriteTx, confirmed: Confirmed, opening: &Opening) -> Result<User, FlowError> {
    match confirmed {
        Confirmed::Registration(registration) => {
            // All registrations of this address end here: nobody else's password comes under it.
            for other in tx.registrations_of(&registration.email.key())? {
                tx.remove_registration(other.id)?;
            }
            insert(tx, registration, opening)
        }
        Confirmed::User(mut user) => {
            tx.remove_code(user.id, CodePurpose::VerifyEmail)?;
            user.is_active = true;
            user.email_verified = true;
            user.updated_at = opening.now;
            Ok(user)
        }
    }
}

fn insert(tx: &mut WriteTx, registration: Registration, opening: &Opening) -> Result<User, FlowError> {
    let mut new = registration.into_user();
    // The name was free when it was asked for. Whoever was faster has it; the account does not wait for another.
    if let Some(username) = &new.username
        && tx.user_by_username(&username.key())?.is_some()
    {
        new.username = None;
    }
    tx.insert_user(&new, opening.now).map_err(|error| match error {
        StoreError::Taken(Unique::Email) => FlowError::InvalidCode,
        error => error.into(),
    })
}

fn append(tx: &mut WriteTx, event: &Event, user: &User) -> Result<(), StoreError> {
    tx.append_event(&event.clone().by(user).about(user))
}
