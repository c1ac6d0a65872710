//! The letters that are written, and the facts that each of them tells.
//!
//! Must never: show a name or any other text that its reader's enemy could have chosen. A stranger registers with
//! somebody else's address, and whatever they typed would arrive in that mailbox under our name.

use std::net::IpAddr;
use std::time::Duration;

use minijinja::{Value, context};

use crate::domain::{Email, MailKind, Secret, Timestamp};
use crate::mail::text;

/// A letter and the facts it tells. `email` is always the address as the account has it.
pub(crate) enum Letter<'a> {
    /// The code and the link that confirm an address. It does not repeat the address: a stranger may have typed it.
    VerifyEmail {
        /// Eight digits.
        code: &'a Secret<String>,
        /// The whole address, with the long code in it.
        link: &'a Secret<String>,
        valid_for: Duration,
        requested_at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// Somebody tried to register with an address that has an account.
    AlreadyRegistered {
        email: &'a Email,
        requested_at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// A session ended because an old refresh token of it came back.
    TokenReuse {
        email: &'a Email,
        ended_at: Timestamp,
        /// Where the old token came from.
        ip: Option<IpAddr>,
        /// Label or user agent of the session; only a few plain words of it are shown.
        device: Option<&'a str>,
    },
    /// The link under which a new password is chosen.
    ResetPassword {
        link: &'a Secret<String>,
        valid_for: Duration,
        requested_at: Timestamp,
        ip: Option<IpAddr>,
    },
    PasswordChanged {
        email: &'a Email,
        how: PasswordChange,
        at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// The code that moves an account to the address it is sent to.
    ConfirmNewEmail {
        /// Eight digits.
        code: &'a Secret<String>,
        valid_for: Duration,
        requested_at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// To the old address: the account is to move to another one, which is not shown.
    EmailChangeRequested {
        email: &'a Email,
        at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// To the old address: an administrator gave the account another one, which is not shown, or none.
    EmailChanged {
        email: &'a Email,
        at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// To the owner of an address that somebody tried to move another account to.
    EmailInUse {
        email: &'a Email,
        requested_at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// Does not show the name.
    UsernameChanged {
        email: &'a Email,
        at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// The account was closed with its password.
    AccountDisabled {
        email: &'a Email,
        at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// Does not show the name of the key.
    ApiKeyCreated {
        email: &'a Email,
        at: Timestamp,
        ip: Option<IpAddr>,
    },
    /// Too many wrong passwords in a row: only browsers that logged in before still can.
    LoginStopped {
        email: &'a Email,
        at: Timestamp,
    },
}

/// How a password came to be another one, and with that, what has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "a call reads `how: PasswordChange::ByOwner`")]
pub(crate) enum PasswordChange {
    /// By somebody who was logged in: all other sessions end.
    ByOwner,
    /// With a mailed link: all sessions and API keys end.
    ByReset,
    /// On the command line: all sessions end.
    ByOperator,
}

impl Letter<'_> {
    pub(crate) const fn kind(&self) -> MailKind {
        match self {
            Self::VerifyEmail { .. } => MailKind::VerifyEmail,
            Self::AlreadyRegistered { .. } => MailKind::AlreadyRegistered,
            Self::TokenReuse { .. } => MailKind::TokenReuse,
            Self::ResetPassword { .. } => MailKind::ResetPassword,
            Self::PasswordChanged { .. } => MailKind::PasswordChanged,
            Self::ConfirmNewEmail { .. } => MailKind::ConfirmNewEmail,
            Self::EmailChangeRequested { .. } => MailKind::EmailChangeRequested,
            Self::EmailChanged { .. } => MailKind::EmailChanged,
            Self::EmailInUse { .. } => MailKind::EmailInUse,
            Self::UsernameChanged { .. } => MailKind::UsernameChanged,
            Self::AccountDisabled { .. } => MailKind::AccountDisabled,
            Self::ApiKeyCreated { .. } => MailKind::ApiKeyCreated,
            Self::LoginStopped { .. } => MailKind::LoginStopped,
        }
    }

    /// How long the code or the link in it counts; None if there is none in it.
    pub(crate) const fn valid_for(&self) -> Option<Duration> {
        match self {
            Self::VerifyEmail { valid_for, .. }
            | Self::ResetPassword { valid_for, .. }
            | Self::ConfirmNewEmail { valid_for, .. } => Some(*valid_for),
            _ => None,
        }
    }

    /// The fact without which the letter would be of no use, and its name.
    pub(super) const fn point(&self) -> Option<(&'static str, &Secret<String>)> {
        match self {
            Self::VerifyEmail { code, .. } | Self::ConfirmNewEmail { code, .. } => Some(("code", code)),
            Self::ResetPassword { link, .. } => Some(("link", link)),
            _ => None,
        }
    }

    /// Every text is made one line here, so that no fact can pass itself off as a line of the letter.
    pub(super) fn facts(&self) -> Value {
        match self {
            Self::VerifyEmail { code, link, valid_for, requested_at, ip } => context! {
                code => secret(code),
                link => secret(link),
                minutes => minutes(*valid_for),
                ..happened(*requested_at, *ip)
            },
            Self::ResetPassword { link, valid_for, requested_at, ip } => context! {
                link => secret(link),
                minutes => minutes(*valid_for),
                ..happened(*requested_at, *ip)
            },
            Self::ConfirmNewEmail { code, valid_for, requested_at, ip } => context! {
                code => secret(code),
                minutes => minutes(*valid_for),
                ..happened(*requested_at, *ip)
            },
            Self::TokenReuse { email, ended_at, ip, device } => context! {
                device => device.and_then(text::device),
                ..happened_to(email, *ended_at, *ip)
            },
            Self::PasswordChanged { email, how, at, ip } => context! {
                how => how.as_str(),
                ..happened_to(email, *at, *ip)
            },
            Self::AlreadyRegistered { email, requested_at: at, ip }
            | Self::EmailChangeRequested { email, at, ip }
            | Self::EmailChanged { email, at, ip }
            | Self::EmailInUse { email, requested_at: at, ip }
            | Self::UsernameChanged { email, at, ip }
            | Self::AccountDisabled { email, at, ip }
            | Self::ApiKeyCreated { email, at, ip } => happened_to(email, *at, *ip),
            Self::LoginStopped { email, at } => happened_to(email, *at, None),
        }
    }
}

impl PasswordChange {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ByOwner => "owner",
            Self::ByReset => "reset",
            Self::ByOperator => "operator",
        }
    }
}

fn happened(at: Timestamp, ip: Option<IpAddr>) -> Value {
    context! { at => to_the_second(at), ip => ip.map(|ip| ip.to_canonical().to_string()) }
}

fn happened_to(email: &Email, at: Timestamp, ip: Option<IpAddr>) -> Value {
    context! { email => text::one_line(email.as_str()), ..happened(at, ip) }
}

fn secret(secret: &Secret<String>) -> String {
    text::one_line(secret.expose())
}

fn minutes(span: Duration) -> u64 {
    (span.as_secs() / 60).max(1)
}

/// RFC 3339 without the fraction, which nobody wants to read.
fn to_the_second(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}
