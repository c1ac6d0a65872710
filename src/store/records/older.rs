//! The shapes that rows had before, and what each is in the present one.
//!
//! Must never: be written, or change. A file of any age has rows of them, until they are saved again.

use std::net::IpAddr;

use serde::Deserialize;

use crate::domain::MailKind;
use crate::store::records::{ContentFields, MailRecord, SessionRecord, UserRecord};

/// Before users had a language.
#[derive(Debug, Deserialize)]
pub(crate) struct UserRecordV1 {
    email: Option<String>,
    username: Option<String>,
    first_name: String,
    last_name: String,
    avatar: Option<String>,
    password: Option<String>,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    email_verified: bool,
    date_joined: u64,
    updated_at: u64,
    last_login: Option<u64>,
}

impl From<UserRecordV1> for UserRecordV2 {
    fn from(old: UserRecordV1) -> Self {
        Self {
            email: old.email,
            username: old.username,
            first_name: old.first_name,
            last_name: old.last_name,
            avatar: old.avatar,
            password: old.password,
            is_active: old.is_active,
            is_staff: old.is_staff,
            is_superuser: old.is_superuser,
            email_verified: old.email_verified,
            date_joined: old.date_joined,
            updated_at: old.updated_at,
            last_login: old.last_login,
            language: None,
        }
    }
}

impl From<UserRecordV1> for UserRecord {
    fn from(old: UserRecordV1) -> Self {
        UserRecordV2::from(old).into()
    }
}

/// Before users had groups.
#[derive(Debug, Deserialize)]
pub(crate) struct UserRecordV2 {
    email: Option<String>,
    username: Option<String>,
    first_name: String,
    last_name: String,
    avatar: Option<String>,
    password: Option<String>,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    email_verified: bool,
    date_joined: u64,
    updated_at: u64,
    last_login: Option<u64>,
    language: Option<String>,
}

impl From<UserRecordV2> for UserRecord {
    fn from(old: UserRecordV2) -> Self {
        Self {
            email: old.email,
            username: old.username,
            first_name: old.first_name,
            last_name: old.last_name,
            avatar: old.avatar,
            password: old.password,
            is_active: old.is_active,
            is_staff: old.is_staff,
            is_superuser: old.is_superuser,
            email_verified: old.email_verified,
            date_joined: old.date_joined,
            updated_at: old.updated_at,
            last_login: old.last_login,
            language: old.language,
            groups: Vec::new(),
            permissions: Vec::new(),
            password_is_temporary: false,
        }
    }
}

/// Before mails had a second form, a language and an end.
#[derive(Debug, Deserialize)]
pub(crate) struct MailRecordV1 {
    to: String,
    kind: String,
    subject: String,
    text: String,
    created_at: u64,
    is_failed: bool,
    attempts: u32,
    last_error: Option<String>,
    next_attempt_at: u64,
}

impl From<MailRecordV1> for MailRecordV2 {
    fn from(old: MailRecordV1) -> Self {
        // How long its code counts was not written down; no registration waits for more than a day.
        const DAY_MILLIS: u64 = 86_400_000;
        let has_code = MailKind::parse(&old.kind) == Some(MailKind::VerifyEmail);
        Self {
            to: old.to,
            kind: old.kind,
            subject: old.subject,
            text: old.text,
            created_at: old.created_at,
            is_failed: old.is_failed,
            attempts: old.attempts,
            last_error: old.last_error,
            next_attempt_at: old.next_attempt_at,
            html: None,
            language: None,
            useful_until: has_code.then(|| old.created_at.saturating_add(DAY_MILLIS)),
        }
    }
}

/// Before mails were sealed.
#[derive(Debug, Deserialize)]
pub(crate) struct MailRecordV2 {
    to: String,
    kind: String,
    subject: String,
    text: String,
    created_at: u64,
    is_failed: bool,
    attempts: u32,
    last_error: Option<String>,
    next_attempt_at: u64,
    html: Option<String>,
    language: Option<String>,
    useful_until: Option<u64>,
}

impl From<MailRecordV2> for MailRecord {
    fn from(old: MailRecordV2) -> Self {
        let content = match old.text.as_str() {
            // What was left of a code that had died.
            "" => ContentFields::Gone,
            _ => ContentFields::Plain { text: old.text, html: old.html },
        };
        Self {
            to: old.to,
            kind: old.kind,
            subject: old.subject,
            content,
            language: old.language,
            useful_until: old.useful_until,
            created_at: old.created_at,
            is_failed: old.is_failed,
            attempts: old.attempts,
            last_error: old.last_error,
            next_attempt_at: old.next_attempt_at,
        }
    }
}

impl From<MailRecordV1> for MailRecord {
    fn from(old: MailRecordV1) -> Self {
        MailRecordV2::from(old).into()
    }
}

/// Before sessions of other surfaces.
#[derive(Debug, Deserialize)]
pub(crate) struct SessionRecordV1 {
    user: u64,
    created_at: u64,
    last_refreshed_at: u64,
    refresh_expires_at: u64,
    access_expires_at: u64,
    expires_at: u64,
    counter: u64,
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    label: String,
    methods: Vec<String>,
}

impl From<SessionRecordV1> for SessionRecord {
    fn from(old: SessionRecordV1) -> Self {
        Self {
            user: old.user,
            created_at: old.created_at,
            last_refreshed_at: old.last_refreshed_at,
            refresh_expires_at: old.refresh_expires_at,
            access_expires_at: old.access_expires_at,
            expires_at: old.expires_at,
            counter: old.counter,
            ip: old.ip,
            user_agent: old.user_agent,
            label: old.label,
            methods: old.methods,
            rotates: true,
            names_user: false,
            key: None,
        }
    }
}
