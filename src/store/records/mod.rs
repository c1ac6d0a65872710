//! What is on the disk: one frozen struct for each version of each row, and the way to and from the domain.
//!
//! A stored shape is never a domain type, and never changes: bincode tells fields by their place. A new field is a
//! new version (`UserRecord` becomes version 2, the old struct stays as `UserRecordV1` with a `From` in `older.rs`).

mod groups;
mod older;
mod users;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Algorithm, ApiKey, ApiKeyId, Avatar, CodeHash, Content, Email, EmailChange, Event, EventId, EventKind,
    EventResult, Guesses, KeyId, KeyUse, Language, Mail, MailContent, MailId, MailKind, MailStatus, Name,
    OldTokenId, Origin, Party, PasswordHash, Registration, RegistrationId, SealKey, Secret, Session,
    SessionId, SessionStyle, SigningKey, Timestamp, TokenHash, UserId, Username,
};

pub(super) use groups::{GroupRecord, PermissionRecord};
pub(super) use older::{MailRecordV1, MailRecordV2, SessionRecordV1, UserRecordV1, UserRecordV2};
pub(super) use users::UserRecord;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MetaRecord {
    pub(super) schema: u32,
    pub(super) instance: [u8; 16],
    pub(super) created_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CounterRecord {
    pub(super) last: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LoginCountRecord {
    pub(super) succeeded: u64,
    pub(super) failed: u64,
}

/// Part of [`RegistrationRecord`] and [`CodeRecord`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CodeFields {
    short: [u8; 32],
    pub(super) long: [u8; 32],
    expires_at: u64,
    attempts_left: u32,
    sent_at: u64,
}

impl From<&CodeHash> for CodeFields {
    fn from(code: &CodeHash) -> Self {
        Self {
            short: code.short.0,
            long: code.long.0,
            expires_at: code.expires_at.millis(),
            attempts_left: code.attempts_left,
            sent_at: code.sent_at.millis(),
        }
    }
}

impl From<CodeFields> for CodeHash {
    fn from(fields: CodeFields) -> Self {
        Self {
            short: TokenHash(fields.short),
            long: TokenHash(fields.long),
            expires_at: Timestamp::from_millis(fields.expires_at),
            attempts_left: fields.attempts_left,
            sent_at: Timestamp::from_millis(fields.sent_at),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RegistrationRecord {
    pub(super) email: String,
    username: Option<String>,
    first_name: String,
    last_name: String,
    avatar: Option<String>,
    password: String,
    created_at: u64,
    pub(super) code: CodeFields,
}

impl From<&Registration> for RegistrationRecord {
    fn from(registration: &Registration) -> Self {
        Self {
            email: registration.email.as_str().to_owned(),
            username: registration.username.as_ref().map(|username| username.as_str().to_owned()),
            first_name: registration.first_name.as_str().to_owned(),
            last_name: registration.last_name.as_str().to_owned(),
            avatar: registration.avatar.as_ref().map(|avatar| avatar.as_str().to_owned()),
            password: registration.password.as_phc().to_owned(),
            created_at: registration.created_at.millis(),
            code: (&registration.code).into(),
        }
    }
}

impl RegistrationRecord {
    pub(super) fn into_registration(self, id: RegistrationId) -> Registration {
        Registration {
            id,
            email: Email::from_stored(self.email),
            username: self.username.map(Username::from_stored),
            first_name: Name::from_stored(self.first_name),
            last_name: Name::from_stored(self.last_name),
            avatar: self.avatar.map(Avatar::from_stored),
            password: PasswordHash::from_phc(self.password),
            created_at: Timestamp::from_millis(self.created_at),
            code: self.code.into(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CodeRecord {
    pub(super) code: CodeFields,
}

impl From<&CodeHash> for CodeRecord {
    fn from(code: &CodeHash) -> Self {
        Self { code: code.into() }
    }
}

impl From<CodeRecord> for CodeHash {
    fn from(record: CodeRecord) -> Self {
        record.code.into()
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EmailChangeRecord {
    new_email: String,
    code: CodeFields,
}

impl From<&EmailChange> for EmailChangeRecord {
    fn from(change: &EmailChange) -> Self {
        Self { new_email: change.new_email.as_str().to_owned(), code: (&change.code).into() }
    }
}

impl From<EmailChangeRecord> for EmailChange {
    fn from(record: EmailChangeRecord) -> Self {
        Self { new_email: Email::from_stored(record.new_email), code: record.code.into() }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GuessesRecord {
    failures: u32,
    full_at: u64,
    pub(super) last_failed_at: u64,
    known_at: Option<u64>,
}

impl From<&Guesses> for GuessesRecord {
    fn from(guesses: &Guesses) -> Self {
        Self {
            failures: guesses.failures,
            full_at: guesses.full_at.millis(),
            last_failed_at: guesses.last_failed_at.millis(),
            known_at: guesses.known_at.map(Timestamp::millis),
        }
    }
}

impl From<GuessesRecord> for Guesses {
    fn from(record: GuessesRecord) -> Self {
        Self {
            failures: record.failures,
            full_at: Timestamp::from_millis(record.full_at),
            last_failed_at: Timestamp::from_millis(record.last_failed_at),
            known_at: record.known_at.map(Timestamp::from_millis),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ApiKeyRecord {
    pub(super) user: u64,
    name: String,
    pub(super) hash: [u8; 32],
    prefix: String,
    created_at: u64,
    expires_at: Option<u64>,
    last_used_at: Option<u64>,
}

impl From<&ApiKey> for ApiKeyRecord {
    fn from(key: &ApiKey) -> Self {
        Self {
            user: key.user.0,
            name: key.name.as_str().to_owned(),
            hash: key.hash.0,
            prefix: key.prefix.clone(),
            created_at: key.created_at.millis(),
            expires_at: key.expires_at.map(Timestamp::millis),
            last_used_at: key.last_used_at.map(Timestamp::millis),
        }
    }
}

impl ApiKeyRecord {
    pub(super) fn into_api_key(self, id: ApiKeyId) -> ApiKey {
        ApiKey {
            id,
            user: UserId(self.user),
            name: Name::from_stored(self.name),
            hash: TokenHash(self.hash),
            prefix: self.prefix,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: self.expires_at.map(Timestamp::from_millis),
            last_used_at: self.last_used_at.map(Timestamp::from_millis),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SessionRecord {
    pub(super) user: u64,
    pub(super) created_at: u64,
    pub(super) last_refreshed_at: u64,
    pub(super) refresh_expires_at: u64,
    pub(super) access_expires_at: u64,
    pub(super) expires_at: u64,
    pub(super) counter: u64,
    pub(super) ip: Option<IpAddr>,
    pub(super) user_agent: Option<String>,
    pub(super) label: String,
    pub(super) methods: Vec<String>,
    pub(super) rotates: bool,
    pub(super) names_user: bool,
    pub(super) key: Option<[u8; 32]>,
}

impl From<&Session> for SessionRecord {
    fn from(session: &Session) -> Self {
        let (rotates, names_user, key) = match session.style {
            SessionStyle::Native => (true, false, None),
            SessionStyle::SimpleJwt { rotates } => (rotates, true, None),
            SessionStyle::Key(hash) => (false, false, Some(hash.0)),
            SessionStyle::Exchanged(old) => (true, true, Some(old.0)),
        };
        Self {
            user: session.user.0,
            created_at: session.created_at.millis(),
            last_refreshed_at: session.last_refreshed_at.millis(),
            refresh_expires_at: session.refresh_expires_at.millis(),
            access_expires_at: session.access_expires_at.millis(),
            expires_at: session.expires_at.millis(),
            counter: session.counter,
            ip: session.ip,
            user_agent: session.user_agent.clone(),
            label: session.label.as_str().to_owned(),
            methods: session.methods.clone(),
            rotates,
            names_user,
            key,
        }
    }
}

impl SessionRecord {
    pub(super) fn into_session(self, id: SessionId) -> Session {
        Session {
            id,
            user: UserId(self.user),
            created_at: Timestamp::from_millis(self.created_at),
            last_refreshed_at: Timestamp::from_millis(self.last_refreshed_at),
            refresh_expires_at: Timestamp::from_millis(self.refresh_expires_at),
            access_expires_at: Timestamp::from_millis(self.access_expires_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            counter: self.counter,
            ip: self.ip,
            user_agent: self.user_agent,
            label: Name::from_stored(self.label),
            methods: self.methods,
            style: match self.key {
                Some(old) if self.names_user => SessionStyle::Exchanged(OldTokenId(old)),
                Some(hash) => SessionStyle::Key(TokenHash(hash)),
                None if self.names_user => SessionStyle::SimpleJwt { rotates: self.rotates },
                None => SessionStyle::Native,
            },
        }
    }
}

/// Everything is in the key.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ImportedRecord {}

/// Everything is in the key.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RevocationRecord {}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SigningKeyRecord {
    usage: String,
    algorithm: String,
    material: Vec<u8>,
    created_at: u64,
    retires_at: Option<u64>,
}

/// What the key that seals has in place of a use and an algorithm to sign with (RFC 7518, section 5.3).
const SEAL: &str = "seal";
const A256GCM: &str = "A256GCM";

impl From<&SealKey> for SigningKeyRecord {
    fn from(key: &SealKey) -> Self {
        Self {
            usage: SEAL.to_owned(),
            algorithm: A256GCM.to_owned(),
            material: key.material.expose().clone(),
            created_at: key.created_at.millis(),
            retires_at: None,
        }
    }
}

impl From<&SigningKey> for SigningKeyRecord {
    fn from(key: &SigningKey) -> Self {
        Self {
            usage: key.usage.as_str().to_owned(),
            algorithm: key.algorithm.as_str().to_owned(),
            material: key.material.expose().clone(),
            created_at: key.created_at.millis(),
            retires_at: key.retires_at.map(Timestamp::millis),
        }
    }
}

impl SigningKeyRecord {
    pub(super) fn seals(&self) -> bool {
        self.usage == SEAL
    }

    pub(super) fn into_seal_key(self, id: KeyId) -> Option<SealKey> {
        (self.seals() && self.algorithm == A256GCM).then(|| SealKey {
            id,
            material: Secret::new(self.material),
            created_at: Timestamp::from_millis(self.created_at),
        })
    }

    pub(super) fn into_signing_key(self, id: KeyId) -> Option<SigningKey> {
        Some(SigningKey {
            id,
            usage: [KeyUse::Access, KeyUse::Refresh]
                .into_iter()
                .find(|usage| usage.as_str() == self.usage)?,
            algorithm: self.algorithm.parse::<Algorithm>().ok()?,
            material: Secret::new(self.material),
            created_at: Timestamp::from_millis(self.created_at),
            retires_at: self.retires_at.map(Timestamp::from_millis),
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MailRecord {
    to: String,
    kind: String,
    subject: String,
    content: ContentFields,
    language: Option<String>,
    useful_until: Option<u64>,
    created_at: u64,
    pub(super) is_failed: bool,
    attempts: u32,
    last_error: Option<String>,
    pub(super) next_attempt_at: u64,
}

/// Part of [`MailRecord`]: bincode tells its variants by their place too.
#[derive(Debug, Serialize, Deserialize)]
enum ContentFields {
    Sealed(Vec<u8>),
    Plain { text: String, html: Option<String> },
    Gone,
}

impl From<&Mail> for MailRecord {
    fn from(mail: &Mail) -> Self {
        Self {
            to: mail.to.as_str().to_owned(),
            kind: mail.kind.as_str().to_owned(),
            subject: mail.subject.clone(),
            content: (&mail.content).into(),
            language: mail.language.as_ref().map(|language| language.as_str().to_owned()),
            useful_until: mail.useful_until.map(Timestamp::millis),
            created_at: mail.created_at.millis(),
            is_failed: mail.status == MailStatus::Failed,
            attempts: mail.attempts,
            last_error: mail.last_error.clone(),
            next_attempt_at: mail.next_attempt_at.millis(),
        }
    }
}

impl MailRecord {
    pub(super) fn into_mail(self, id: MailId) -> Option<Mail> {
        Some(Mail {
            id,
            to: Email::from_stored(self.to),
            kind: MailKind::parse(&self.kind)?,
            subject: self.subject,
            content: self.content.into(),
            language: self.language.map(Language::from_stored),
            useful_until: self.useful_until.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(self.created_at),
            status: if self.is_failed { MailStatus::Failed } else { MailStatus::Waiting },
            attempts: self.attempts,
            last_error: self.last_error,
            next_attempt_at: Timestamp::from_millis(self.next_attempt_at),
        })
    }
}

impl From<&MailContent> for ContentFields {
    fn from(content: &MailContent) -> Self {
        match content {
            MailContent::Sealed(sealed) => Self::Sealed(sealed.expose().clone()),
            MailContent::Plain(Content { text, html }) => {
                Self::Plain { text: text.expose().clone(), html: html.as_ref().map(Secret::expose).cloned() }
            }
            MailContent::Gone => Self::Gone,
        }
    }
}

impl From<ContentFields> for MailContent {
    fn from(fields: ContentFields) -> Self {
        match fields {
            ContentFields::Sealed(sealed) => Self::Sealed(Secret::new(sealed)),
            ContentFields::Plain { text, html } => {
                Self::Plain(Content { text: Secret::new(text), html: html.map(Secret::new) })
            }
            ContentFields::Gone => Self::Gone,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct PartyFields {
    id: String,
    label: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EventRecord {
    time: u64,
    kind: String,
    is_failure: bool,
    actor: Option<PartyFields>,
    subject: Option<PartyFields>,
    session: Option<[u8; 16]>,
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    request_id: Option<String>,
    detail: String,
}

impl From<&Event> for EventRecord {
    fn from(event: &Event) -> Self {
        let party = |party: &Party| PartyFields { id: party.id.clone(), label: party.label.clone() };
        Self {
            time: event.time.millis(),
            kind: event.kind.as_str().to_owned(),
            is_failure: event.result == EventResult::Failure,
            actor: event.actor.as_ref().map(party),
            subject: event.subject.as_ref().map(party),
            session: event.session.map(|session| session.0),
            ip: event.origin.ip,
            user_agent: event.origin.user_agent.clone(),
            request_id: event.origin.request_id.clone(),
            detail: event.detail.clone(),
        }
    }
}

impl EventRecord {
    pub(super) fn into_event(self, id: EventId) -> Option<Event> {
        let party = |fields: PartyFields| Party { id: fields.id, label: fields.label };
        Some(Event {
            id,
            time: Timestamp::from_millis(self.time),
            kind: EventKind::parse(&self.kind)?,
            result: if self.is_failure { EventResult::Failure } else { EventResult::Success },
            actor: self.actor.map(party),
            subject: self.subject.map(party),
            session: self.session.map(SessionId),
            origin: Origin {
                ip: self.ip,
                user_agent: self.user_agent,
                request_id: self.request_id,
                languages: Vec::new(),
            },
            detail: self.detail,
        })
    }
}
