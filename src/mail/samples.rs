//! One letter of each kind with made-up facts, to try templates on.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::domain::{Email, Secret, Timestamp};
use crate::mail::{Letter, PasswordChange};

/// The facts that letters borrow.
pub(super) struct Samples {
    email: Email,
    code: Secret<String>,
    link: Secret<String>,
}

const AT: Timestamp = Timestamp::from_secs(1_795_362_180);
const VALID_FOR: Duration = Duration::from_secs(600);
const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

impl Samples {
    pub(super) fn new(public_url: &str) -> Self {
        Self {
            email: Email::from_stored("ada@example.com".to_owned()),
            code: Secret::new("01234567".to_owned()),
            link: Secret::new(format!("{public_url}/?code={}", "aB3_".repeat(11))),
        }
    }

    /// Each letter with all its facts, and with as few as it may have.
    pub(super) fn letters(&self) -> Vec<Letter<'_>> {
        let mut letters = self.letters_from(Some(IP), Some("Firefox on Linux"));
        letters.extend(self.letters_from(None, None));
        letters
    }

    fn letters_from<'a>(&'a self, ip: Option<IpAddr>, device: Option<&'a str>) -> Vec<Letter<'a>> {
        let Self { email, code, link } = self;
        let (at, requested_at, valid_for) = (AT, AT, VALID_FOR);
        vec![
            Letter::VerifyEmail { code, link, valid_for, requested_at, ip },
            Letter::AlreadyRegistered { email, requested_at, ip },
            Letter::TokenReuse { email, ended_at: at, ip, device },
            Letter::ResetPassword { link, valid_for, requested_at, ip },
            Letter::PasswordChanged { email, how: PasswordChange::ByOwner, at, ip },
            Letter::PasswordChanged { email, how: PasswordChange::ByReset, at, ip },
            Letter::PasswordChanged { email, how: PasswordChange::ByOperator, at, ip },
            Letter::ConfirmNewEmail { code, valid_for, requested_at, ip },
            Letter::EmailChangeRequested { email, at, ip },
            Letter::EmailChanged { email, at, ip },
            Letter::EmailInUse { email, requested_at, ip },
            Letter::UsernameChanged { email, at, ip },
            Letter::AccountDisabled { email, at, ip },
            Letter::ApiKeyCreated { email, at, ip },
            Letter::LoginStopped { email, at },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MailKind;

    #[test]
    fn there_is_one_of_each_kind() {
        let samples = Samples::new("https://id.example.com");
        let kinds: Vec<MailKind> = samples.letters().iter().map(Letter::kind).collect();

        assert!(MailKind::ALL.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    }
}
