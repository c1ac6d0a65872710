//! A mail in the outbox.

use std::time::Duration;

use crate::domain::{Email, Language, MailContent, MailId, Timestamp};

/// A mail that was promised in the same commit as the change it tells about, and is not delivered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) id: MailId,
    pub(crate) to: Email,
    pub(crate) kind: MailKind,
    pub(crate) subject: String,
    pub(crate) content: MailContent,
    pub(crate) language: Option<Language>,
    /// When the code or the link in it dies; None if nothing in it does.
    pub(crate) useful_until: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) status: MailStatus,
    pub(crate) attempts: u32,
    pub(crate) last_error: Option<String>,
    pub(crate) next_attempt_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MailKind {
    /// The code of a registration, or of an account that an operator made.
    VerifyEmail,
    /// Somebody registered with an address that has an account: its owner hears of it.
    AlreadyRegistered,
    /// A refresh token was used twice, and the session ended.
    TokenReuse,
    /// The link to choose a new password.
    ResetPassword,
    PasswordChanged,
    /// The code that moves an account to the address it is sent to.
    ConfirmNewEmail,
    /// An account is to move away from this address.
    EmailChangeRequested,
    /// Somebody tried to move another account to an address that has one.
    EmailInUse,
    UsernameChanged,
    /// An account was closed by its owner.
    AccountDisabled,
    ApiKeyCreated,
    /// Too many wrong passwords: an account takes no log-ins from new browsers.
    LoginStopped,
    /// An administrator moved an account away from this address.
    EmailChanged,
}

impl MailKind {
    pub(crate) const ALL: [Self; 13] = [
        Self::VerifyEmail,
        Self::AlreadyRegistered,
        Self::TokenReuse,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::ConfirmNewEmail,
        Self::EmailChangeRequested,
        Self::EmailInUse,
        Self::UsernameChanged,
        Self::AccountDisabled,
        Self::ApiKeyCreated,
        Self::LoginStopped,
        Self::EmailChanged,
    ];

    /// Names the kind in the store, and its templates.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::TokenReuse => "token_reuse",
            Self::ResetPassword => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::ConfirmNewEmail => "confirm_new_email",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailInUse => "email_in_use",
            Self::UsernameChanged => "username_changed",
            Self::AccountDisabled => "account_disabled",
            Self::ApiKeyCreated => "api_key_created",
            Self::LoginStopped => "login_stopped",
            Self::EmailChanged => "email_changed",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailStatus {
    /// Will be tried at its next attempt.
    Waiting,
    /// Given up: stays where an administrator can see and resend it.
    Failed,
}

impl MailStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }
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
        content: MailContent,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            to,
            kind,
            subject,
            content,
            language: None,
            useful_until: None,
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

    /// What is in it would be dead on arrival.
    pub(crate) fn is_useless(&self, now: Timestamp) -> bool {
        self.useful_until.is_some_and(|end| now >= end)
    }

    /// Whether there is something left in it that its reader could use.
    pub(crate) fn is_worth_sending(&self, now: Timestamp) -> bool {
        self.content != MailContent::Gone && !self.is_useless(now)
    }

    /// Lets the mail be tried at once, as often as a new one.
    pub(crate) fn try_again(&mut self, now: Timestamp) {
        self.status = MailStatus::Waiting;
        self.attempts = 0;
        self.next_attempt_at = now;
    }

    /// Gives the mail up without another attempt: what is in it is dead.
    pub(crate) fn expired(&mut self) {
        self.last_error.get_or_insert_with(|| "not sent before what is in it was dead".to_owned());
        self.give_up();
    }

    /// Gives the mail up without another attempt: nobody can tell what is in it.
    pub(crate) fn unreadable(&mut self, error: String) {
        self.last_error = Some(error);
        self.give_up();
    }

    /// Keeps the mail from being sent until an administrator lets it be tried again.
    pub(crate) fn held_back(&mut self, why: String) {
        self.last_error = Some(why);
        self.status = MailStatus::Failed;
    }

    /// A code stays in the store no longer than somebody may still read it from a mail.
    fn give_up(&mut self) {
        self.status = MailStatus::Failed;
        if self.useful_until.is_some() {
            self.content = MailContent::Gone;
        }
    }

    /// Notes a failed attempt: the pause doubles each time, then the mail is given up.
    /// So is one that would be useless at its next attempt.
    pub(crate) fn failed(&mut self, error: String, now: Timestamp) {
        self.attempts = self.attempts.saturating_add(1);
        self.last_error = Some(error);
        let pause = Self::FIRST_PAUSE.saturating_mul(2_u32.saturating_pow((self.attempts - 1).min(20)));
        self.next_attempt_at = now.after(pause.min(Self::LONGEST_PAUSE));
        if self.attempts >= Self::MAX_ATTEMPTS || self.is_useless(self.next_attempt_at) {
            self.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;

    fn sealed() -> MailContent {
        MailContent::Sealed(Secret::new(b"a sealed code".to_vec()))
    }

    fn mail(useful_until: Option<Timestamp>) -> Mail {
        let to = Email::from_stored("ada@example.com".into());
        let now = Timestamp::from_secs(0);
        let mail = Mail::new(MailId([0; 16]), to, MailKind::VerifyEmail, "Hello".into(), sealed(), now);
        Mail { useful_until, ..mail }
    }

    #[test]
    fn the_list_of_kinds_is_complete() {
        // A new kind does not compile before it has its place here, and fails below until it is in the list.
        let place = |kind: MailKind| match kind {
            MailKind::VerifyEmail => 0,
            MailKind::AlreadyRegistered => 1,
            MailKind::TokenReuse => 2,
            MailKind::ResetPassword => 3,
            MailKind::PasswordChanged => 4,
            MailKind::ConfirmNewEmail => 5,
            MailKind::EmailChangeRequested => 6,
            MailKind::EmailInUse => 7,
            MailKind::UsernameChanged => 8,
            MailKind::AccountDisabled => 9,
            MailKind::ApiKeyCreated => 10,
            MailKind::LoginStopped => 11,
            MailKind::EmailChanged => 12,
        };

        assert_eq!(MailKind::ALL.map(place), std::array::from_fn::<usize, 13, _>(|n| n));
        assert!(MailKind::ALL.into_iter().all(|kind| MailKind::parse(kind.as_str()) == Some(kind)));
        assert_eq!(MailKind::parse("Verify_email"), None);
    }

    #[test]
    fn a_code_is_not_kept_longer_than_it_counts() {
        let mut mail = mail(Some(Timestamp::from_secs(600)));
        while mail.status == MailStatus::Waiting {
            assert_eq!(mail.content, sealed());
            let now = mail.next_attempt_at;
            mail.failed("refused".into(), now);
        }

        assert_eq!((mail.attempts, mail.content), (6, MailContent::Gone));
    }

    #[test]
    fn a_mail_that_is_given_up_keeps_its_words_unless_there_is_a_code_in_them() {
        let (mut code, mut notice) = (mail(Some(Timestamp::from_secs(600))), mail(None));

        code.expired();
        notice.refused("no such user".into());

        assert_eq!((code.status, code.content), (MailStatus::Failed, MailContent::Gone));
        assert_eq!((code.attempts, code.last_error.is_some()), (0, true));
        assert_eq!((notice.status, &notice.content), (MailStatus::Failed, &sealed()));
        assert_eq!(notice.attempts, 1);

        notice.unreadable("damaged".into());
        assert_eq!((notice.attempts, notice.last_error.as_deref()), (1, Some("damaged")));
    }

    #[test]
    fn pauses_grow_until_the_mail_is_given_up() {
        let mut mail = mail(None);
        let mut pauses = Vec::new();
        while mail.status == MailStatus::Waiting {
            let now = mail.next_attempt_at;
            mail.failed("refused".into(), now);
            pauses.push(mail.next_attempt_at.since(now).as_secs());
        }

        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480]);
    }
}
