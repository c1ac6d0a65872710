//! Events: the audit log. Who did what to whom, from where, with what result.

use crate::domain::{Changes, EventId, Origin, SessionId, Timestamp, User, UserId};

/// One row of the audit log. Never holds a secret, a code or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) time: Timestamp,
    pub(crate) kind: EventKind,
    pub(crate) result: EventResult,
    /// Who did it; none for a stranger or the service itself.
    pub(crate) actor: Option<Party>,
    /// To whom or what.
    pub(crate) subject: Option<Party>,
    pub(crate) session: Option<SessionId>,
    pub(crate) origin: Origin,
    pub(crate) detail: String,
}

impl Event {
    /// Whether a user did it, or had it done to them.
    pub(crate) fn concerns(&self, user: UserId) -> bool {
        let user = user.to_string();
        let is_user = |party: &Option<Party>| party.as_ref().is_some_and(|party| party.id == user);
        is_user(&self.actor) || (!self.kind.is_about_rights() && is_user(&self.subject))
    }

    /// Says who did it.
    #[must_use]
    pub(crate) fn by(mut self, actor: impl Into<Party>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Says to whom or what.
    #[must_use]
    pub(crate) fn about(mut self, subject: impl Into<Party>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    #[must_use]
    pub(crate) fn in_session(mut self, session: impl Into<Option<SessionId>>) -> Self {
        self.session = session.into();
        self
    }

    /// Tells what was and what is.
    #[must_use]
    pub(crate) fn telling(self, changes: &Changes) -> Self {
        self.saying(changes.to_string())
    }

    #[must_use]
    pub(crate) fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

/// Somebody or something in the audit log, readable after it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) id: String,
    pub(crate) label: String,
}

impl From<&User> for Party {
    fn from(user: &User) -> Self {
        Self { id: user.id.to_string(), label: user.label() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventResult {
    Success,
    Failure,
}

/// What happened. The texts are part of the HTTP API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    UserRegistered,
    UserVerified,
    VerificationRequested,
    VerificationFailed,
    UserCreated,
    UserUpdated,
    LoginSucceeded,
    LoginFailed,
    SessionEnded,
    ReuseDetected,
    PasswordChanged,
    ResetRequested,
    PasswordReset,
    EmailChangeRequested,
    EmailChanged,
    UserDisabled,
    UserEnabled,
    ApiKeyCreated,
    ApiKeyRevoked,
    UserDeleted,
    GroupCreated,
    GroupChanged,
    GroupDeleted,
    PermissionCreated,
    PermissionChanged,
    PermissionDeleted,
    MailResent,
    MailDropped,
    MailLinkCopied,
    RegistrationDropped,
    KeysRotated,
    UsersExported,
    StoreBackedUp,
}

impl EventKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::UserRegistered => "user.registered",
            Self::UserVerified => "user.verified",
            Self::VerificationRequested => "verification.requested",
            Self::VerificationFailed => "verification.failed",
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::LoginSucceeded => "login.succeeded",
            Self::LoginFailed => "login.failed",
            Self::SessionEnded => "session.ended",
            Self::ReuseDetected => "session.reuse_detected",
            Self::PasswordChanged => "password.changed",
            Self::ResetRequested => "password.reset_requested",
            Self::PasswordReset => "password.reset",
            Self::EmailChangeRequested => "email.change_requested",
            Self::EmailChanged => "email.changed",
            Self::UserDisabled => "user.disabled",
            Self::UserEnabled => "user.enabled",
            Self::ApiKeyCreated => "api_key.created",
            Self::ApiKeyRevoked => "api_key.revoked",
            Self::UserDeleted => "user.deleted",
            Self::GroupCreated => "group.created",
            Self::GroupChanged => "group.changed",
            Self::GroupDeleted => "group.deleted",
            Self::PermissionCreated => "permission.created",
            Self::PermissionChanged => "permission.changed",
            Self::PermissionDeleted => "permission.deleted",
            Self::MailResent => "mail.resent",
            Self::MailDropped => "mail.dropped",
            Self::MailLinkCopied => "mail.link_copied",
            Self::RegistrationDropped => "registration.dropped",
            Self::KeysRotated => "keys.rotated",
            Self::UsersExported => "users.exported",
            Self::StoreBackedUp => "store.backed_up",
        }
    }

    /// Whether the number of its subject is not a user's.
    pub(crate) const fn is_about_rights(self) -> bool {
        matches!(
            self,
            Self::GroupCreated
                | Self::GroupChanged
                | Self::GroupDeleted
                | Self::PermissionCreated
                | Self::PermissionChanged
                | Self::PermissionDeleted
        )
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        const ALL: [EventKind; 33] = [
            EventKind::UserRegistered,
            EventKind::UserVerified,
            EventKind::VerificationRequested,
            EventKind::VerificationFailed,
            EventKind::UserCreated,
            EventKind::UserUpdated,
            EventKind::LoginSucceeded,
            EventKind::LoginFailed,
            EventKind::SessionEnded,
            EventKind::ReuseDetected,
            EventKind::PasswordChanged,
            EventKind::ResetRequested,
            EventKind::PasswordReset,
            EventKind::EmailChangeRequested,
            EventKind::EmailChanged,
            EventKind::UserDisabled,
            EventKind::UserEnabled,
            EventKind::ApiKeyCreated,
            EventKind::ApiKeyRevoked,
            EventKind::UserDeleted,
            EventKind::GroupCreated,
            EventKind::GroupChanged,
            EventKind::GroupDeleted,
            EventKind::PermissionCreated,
            EventKind::PermissionChanged,
            EventKind::PermissionDeleted,
            EventKind::MailResent,
            EventKind::MailDropped,
            EventKind::MailLinkCopied,
            EventKind::RegistrationDropped,
            EventKind::KeysRotated,
            EventKind::UsersExported,
            EventKind::StoreBackedUp,
        ];
        ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
