//! A mail in the outbox.

use std::time::Duration;

use crate::domain::{Email, MailId, Secret, Timestamp};

/// A mail that was promised in the same commit as the change it tells about, and is not delivered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) id: MailId,
    pub(crate) to: Email,
    pub(crate) kind: MailKind,
    pub(crate) subject: String,
    /// May hold a code: gone from the store once the mail is delivered.
    pub(crate) text: Secret<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) status: MailStatus,
    pub(crate) attempts: u32,
    pub(crate) last_error: Option<String>,
    pub(crate) next_attempt_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailKind {
    /// The code of a registration, or of an account that an operator made.
    VerifyEmail,
    /// Somebody registered with an address that has an account: its owner hears of it.
    AlreadyRegistered,
    /// A refresh token was used twice, and the session ended.
    TokenReuse,
}

impl MailKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::TokenReuse => "token_reuse",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::VerifyEmail, Self::AlreadyRegistered, Self::TokenReuse]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailStatus {
    /// Will be tried at its next attempt.
    Waiting,
    /// Given up: stays where an administrator can see and resend it.
    Failed,
}

impl Mail {
    /// Tried this often, with growing pauses (a good day in all), then given up.
    const MAX_ATTEMPTS: u32 = 12;
    const FIRST_PAUSE: Duration = Duration::from_secs(10);
    const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);

    pub(crate) fn new(
        id: MailId,
        to: Email,
        kind: MailKind,
        subject: String,
        text: Secret<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            to,
            kind,
            subject,
            text,
            created_at: now,
            status: MailStatus::Waiting,
            attempts: 0,
            last_error: None,
            next_attempt_at: now,
        }
    }

    /// Notes an attempt that trying again would not mend: the mail is given up.
    pub(crate) fn refused(&mut self, error: String) {
        self.attempts = self.attempts.saturating_add(1);
        self.last_error = Some(error);
        self.give_up();
    }

    /// A code stays in the store no longer than somebody may still read it from a mail.
    fn give_up(&mut self) {
        self.status = MailStatus::Failed;
        if self.kind == MailKind::VerifyEmail {
            self.text = Secret::new(String::new());
        }
    }

    /// Notes a failed attempt: the pause doubles each time, then the mail is given up.
    /// So is one whose code would be dead on arrival, `code_ttl` after it was made.
    pub(crate) fn failed(&mut self, error: String, code_ttl: Duration, now: Timestamp) {
        self.attempts = self.attempts.saturating_add(1);
        self.last_error = Some(error);
        let pause = Self::FIRST_PAUSE.saturating_mul(2_u32.saturating_pow((self.attempts - 1).min(20)));
        self.next_attempt_at = now.after(pause.min(Self::LONGEST_PAUSE));
        let is_too_late =
            self.kind == MailKind::VerifyEmail && self.next_attempt_at >= self.created_at.after(code_ttl);
        if self.attempts >= Self::MAX_ATTEMPTS || is_too_late {
            self.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE_TTL: Duration = Duration::from_secs(600);

    fn mail(kind: MailKind) -> Mail {
        let to = Email::from_stored("ada@example.com".into());
        let text = Secret::new("12345678".into());
        Mail::new(MailId([0; 16]), to, kind, "Hello".into(), text, Timestamp::from_secs(0))
    }

    #[test]
    fn a_code_is_not_kept_longer_than_it_counts() {
        let mut mail = mail(MailKind::VerifyEmail);
        while mail.status == MailStatus::Waiting {
            assert_eq!(mail.text.expose(), "12345678");
            let now = mail.next_attempt_at;
            mail.failed("refused".into(), CODE_TTL, now);
        }

        assert_eq!((mail.attempts, mail.text.expose().as_str()), (6, ""));
    }

    #[test]
    fn pauses_grow_until_the_mail_is_given_up() {
        let mut mail = mail(MailKind::TokenReuse);
        let mut pauses = Vec::new();
        while mail.status == MailStatus::Waiting {
            let now = mail.next_attempt_at;
            mail.failed("refused".into(), CODE_TTL, now);
            pauses.push(mail.next_attempt_at.since(now).as_secs());
        }

        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480]);
    }
}
