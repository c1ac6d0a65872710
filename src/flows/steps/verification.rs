//! What the flows around the mailed code share: making one, and telling whose it is.

use std::time::Duration;

use crate::app::App;
use crate::crypto::token::{hash_short_code, matches, new_code, new_token};
use crate::domain::{
    CodeHash, Email, Language, Mail, Origin, PlainToken, Registration, RegistrationId, Secret, Timestamp,
    User, UserId,
};
use crate::flows::FlowError;
use crate::flows::steps::letter::post;
use crate::mail::Letter;
use crate::store::{StoreError, WriteTx};

/// Whose code it is, in the words of the one who asks.
#[derive(Debug, Clone)]
pub(crate) enum Whose {
    Email(Email),
    Registration(RegistrationId),
}

/// What a code is bound to: typed anywhere else, the same digits are wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Binding<'a> {
    Registration(RegistrationId),
    /// The address of a user who exists.
    Address(&'a Email),
    /// An address that this user wants to have.
    NewAddress(UserId, &'a Email),
}

impl Binding<'_> {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Registration(id) => [b"registration".as_slice(), &id.0].concat(),
            Self::Address(email) => [b"address".as_slice(), email.key().as_str().as_bytes()].concat(),
            Self::NewAddress(user, email) => {
                [b"new address".as_slice(), &user.0.to_be_bytes(), email.key().as_str().as_bytes()].concat()
            }
        }
    }
}

/// A new code bound to `binding`, and the letter that brings it.
pub(crate) fn new_verification(
    app: &App,
    origin: &Origin,
    binding: Binding<'_>,
    to: &Email,
    languages: &[Language],
    now: Timestamp,
) -> Result<(CodeHash, Mail), FlowError> {
    let (short, plain, code) = new_code_hash(app, binding, now);
    let base = app.config.server.base_url();
    let link = Secret::new(format!("{base}/auth/register/verify?code={}", plain.expose()));
    let letter = Letter::VerifyEmail {
        code: &short,
        link: &link,
        valid_for: app.config.registration.code_ttl,
        requested_at: now,
        ip: origin.ip,
    };
    Ok((code, post(app, to, languages, &letter, now)?))
}

/// A new code for an address that `user` wants to have, and the letter that brings it there. Digits only: it is typed
/// where the user is logged in.
pub(crate) fn new_code_for(
    app: &App,
    origin: &Origin,
    user: &User,
    to: &Email,
    now: Timestamp,
) -> Result<(CodeHash, Mail), FlowError> {
    let (short, _, code) = new_code_hash(app, Binding::NewAddress(user.id, to), now);
    let valid_for = app.config.registration.code_ttl;
    let letter = Letter::ConfirmNewEmail { code: &short, valid_for, requested_at: now, ip: origin.ip };
    Ok((code, post(app, to, user.languages(), &letter, now)?))
}

fn new_code_hash(app: &App, binding: Binding<'_>, now: Timestamp) -> (Secret<String>, PlainToken, CodeHash) {
    let config = &app.config.registration;
    let short = new_code();
    let (plain, long) = new_token();
    let code = CodeHash {
        short: hash_short_code(&binding.bytes(), &short),
        long,
        expires_at: now.after(config.code_ttl),
        attempts_left: config.code_attempts,
        sent_at: now,
    };
    (short, plain, code)
}

/// Whether these digits open a code that is out.
pub(crate) fn is_right(
    code: &CodeHash,
    binding: Binding<'_>,
    digits: &Secret<String>,
    now: Timestamp,
) -> bool {
    code.takes_digits(now) && matches(&code.short, &hash_short_code(&binding.bytes(), digits))
}

/// Makes the user that a confirmed registration becomes.
pub(crate) fn admit(
    tx: &mut WriteTx,
    registration: Registration,
    now: Timestamp,
) -> Result<User, StoreError> {
    let mut new = registration.into_user();
    // The name was free when it was asked for. Whoever was faster has it; the account does not wait for another.
    if let Some(username) = &new.username
        && tx.user_by_username(&username.key())?.is_some()
    {
        new.username = None;
    }
    tx.insert_user(&new, now)
}

/// Registrations that nobody confirmed are kept for a day.
pub(crate) const PENDING_FOR: Duration = Duration::from_secs(86_400);
