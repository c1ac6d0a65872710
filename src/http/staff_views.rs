//! What only staff see, in JSON. No hash, no secret, no content of a mail.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    Avatar, Directory, Event, EventResult, Group, Mail, MailContent, MailStatus, Party, Permission,
    PermissionName, Registration, Timestamp, User, UserId, Username,
};
use crate::flows::{Introspection, Listed};
use crate::http::views::{Time, UserView};

macro_rules! lists {
    ($($(#[$doc:meta])* $list:ident of $row:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        pub(crate) struct $list<'a> {
            results: Vec<$row>,
            /// Send it as `cursor` for the next page; null at the end.
            next: Option<String>,
            /// How many there are in all; null if nobody counted so far.
            count: Option<u64>,
        }

        impl<'a> $list<'a> {
            pub(crate) fn new<T, C: ToString>(
                listed: &'a Listed<T, C>,
                view: impl Fn(&'a T) -> $row,
            ) -> Self {
                Self {
                    results: listed.rows.iter().map(view).collect(),
                    next: listed.next.as_ref().map(C::to_string),
                    count: listed.count,
                }
            }
        }
    )*};
}

lists! {
    GroupListView of GroupView<'a>;
    PermissionListView of PermissionView<'a>;
    /// Those who have a permission.
    HolderListView of UserView<'a>;
    EventListView of EventView<'a>;
    MailListView of MailView<'a>;
    RegistrationListView of RegistrationView<'a>;
}

/// A group; the one with the id 0 is `Root`.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupView<'a> {
    id: u64,
    name: &'a str,
    description: &'a str,
    permissions: Vec<String>,
}

impl<'a> GroupView<'a> {
    pub(crate) fn new(group: &'a Group, directory: &Directory) -> Self {
        let names = group.permissions.iter().filter_map(|id| directory.permission(*id));
        let mut names: Vec<&PermissionName> = names.map(|permission| &permission.name).collect();
        names.sort_unstable();
        Self {
            id: group.id.0,
            name: group.name.as_str(),
            description: group.description.as_str(),
            permissions: names.into_iter().map(ToString::to_string).collect(),
        }
    }
}

/// Where the permissions of a user come from.
#[derive(Serialize, ToSchema)]
pub(crate) struct RightsView<'a> {
    /// Of their own: what PUT replaces.
    permissions: Vec<&'a str>,
    /// Through groups; a superuser has every permission through `Root`.
    inherited: Vec<&'a str>,
    groups: Vec<String>,
    /// All of them, each with why.
    effective: Vec<ReasonView<'a>>,
}

/// A permission that somebody has, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReasonView<'a> {
    permission: &'a str,
    /// Whether it is their own.
    own: bool,
    /// The groups that give it to them; `Root` is that they are a superuser.
    through: Vec<&'a str>,
}

impl<'a> RightsView<'a> {
    pub(crate) fn new(user: &User, directory: &'a Directory) -> Self {
        let texts = |names: BTreeSet<&'a PermissionName>| names.into_iter().map(PermissionName::as_str);
        Self {
            permissions: texts(directory.own_permissions_of(user)).collect(),
            inherited: texts(directory.inherited_permissions_of(user)).collect(),
            groups: directory.group_names(user),
            effective: directory
                .reasons_of(user)
                .into_iter()
                .map(|(name, why)| ReasonView {
                    permission: name.as_str(),
                    own: why.is_own,
                    through: why.groups,
                })
                .collect(),
        }
    }
}

/// What came of an action, user by user, in the order that was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkView {
    pub(crate) results: Vec<BulkResultView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct BulkResultView {
    id: u64,
    /// `done` or `refused`.
    #[schema(value_type = String)]
    result: &'static str,
    /// With `done`: whether it was otherwise before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<bool>)]
    changed: Option<bool>,
    /// Why, as the same act upon this user alone would say it: `not_found`, `permission_denied`, `last_superuser`,
    /// `unavailable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl BulkResultView {
    pub(crate) fn done(id: UserId, is_change: bool) -> Self {
        Self { id: id.0, result: "done", changed: Some(is_change), code: None, detail: None }
    }

    pub(crate) fn refused(id: UserId, (code, detail): (&'static str, String)) -> Self {
        Self { id: id.0, result: "refused", changed: None, code: Some(code), detail: Some(detail) }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PermissionView<'a> {
    id: u64,
    label: &'a str,
    codename: &'a str,
    /// For people.
    name: &'a str,
}

impl<'a> From<&'a Permission> for PermissionView<'a> {
    fn from(permission: &'a Permission) -> Self {
        Self {
            id: permission.id.0,
            label: permission.name.label(),
            codename: permission.name.codename(),
            name: permission.title.as_str(),
        }
    }
}

/// A row of the audit log.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView<'a> {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    #[schema(value_type = String)]
    kind: &'static str,
    /// Who did it; null for a stranger or the service itself.
    actor: Option<PartyView<'a>>,
    /// To whom or what.
    subject: Option<PartyView<'a>>,
    ip: Option<String>,
    user_agent: Option<&'a str>,
    session: Option<String>,
    request_id: Option<&'a str>,
    /// `success` or `failure`.
    #[schema(value_type = String)]
    result: &'static str,
    detail: &'a str,
}

/// Somebody or something, readable after it is gone.
#[derive(Serialize, ToSchema)]
pub(crate) struct PartyView<'a> {
    id: &'a str,
    label: &'a str,
}

impl<'a> From<&'a Party> for PartyView<'a> {
    fn from(party: &'a Party) -> Self {
        Self { id: &party.id, label: &party.label }
    }
}

impl<'a> From<&'a Event> for EventView<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            id: event.id.to_string(),
            time: Time(event.time),
            kind: event.kind.as_str(),
            actor: event.actor.as_ref().map(PartyView::from),
            subject: event.subject.as_ref().map(PartyView::from),
            ip: event.origin.ip.map(|ip| ip.to_string()),
            user_agent: event.origin.user_agent.as_deref(),
            session: event.session.map(|session| session.to_string()),
            request_id: event.origin.request_id.as_deref(),
            result: match event.result {
                EventResult::Success => "success",
                EventResult::Failure => "failure",
            },
            detail: &event.detail,
        }
    }
}

/// A mail that is not delivered. What is in it is nobody's business but its reader's.
#[derive(Serialize, ToSchema)]
pub(crate) struct MailView<'a> {
    id: String,
    to: &'a str,
    subject: &'a str,
    #[schema(value_type = String)]
    kind: &'static str,
    /// `waiting` or `failed`.
    #[schema(value_type = String)]
    status: &'static str,
    attempts: u32,
    last_error: Option<&'a str>,
    /// Null if it was given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Time>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When the code or the link in it dies; null if there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    useful_until: Option<Time>,
    /// Whether what was in it is kept nowhere any more: it can only be dropped.
    is_gone: bool,
}

impl<'a> From<&'a Mail> for MailView<'a> {
    fn from(mail: &'a Mail) -> Self {
        let is_waiting = mail.status == MailStatus::Waiting;
        Self {
            id: mail.id.to_string(),
            to: mail.to.as_str(),
            subject: &mail.subject,
            kind: mail.kind.as_str(),
            status: mail.status.as_str(),
            attempts: mail.attempts,
            last_error: mail.last_error.as_deref(),
            next_attempt_at: is_waiting.then_some(Time(mail.next_attempt_at)),
            created_at: Time(mail.created_at),
            useful_until: mail.useful_until.map(Time),
            is_gone: mail.content == MailContent::Gone,
        }
    }
}

/// Whoever has it has the account that it is for.
#[derive(Serialize, ToSchema)]
pub(crate) struct MailLinkView<'a> {
    pub(crate) link: &'a str,
}

/// A registration that waits for its code.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegistrationView<'a> {
    id: String,
    email: &'a str,
    username: Option<&'a str>,
    first_name: &'a str,
    last_name: &'a str,
    avatar: Option<&'a str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl<'a> From<&'a Registration> for RegistrationView<'a> {
    fn from(registration: &'a Registration) -> Self {
        Self {
            id: registration.id.to_string(),
            email: registration.email.as_str(),
            username: registration.username.as_ref().map(Username::as_str),
            first_name: registration.first_name.as_str(),
            last_name: registration.last_name.as_str(),
            avatar: registration.avatar.as_ref().map(Avatar::as_str),
            created_at: Time(registration.created_at),
        }
    }
}

/// What a token is worth (RFC 7662): of one that is worth nothing, `active` alone.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct IntrospectionView<'a> {
    active: bool,
    /// The id of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    /// Missing for an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    /// Seconds since 1970; missing for a key that does not run out.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    /// `access`, `refresh` or `api_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
}

impl<'a> From<Option<&'a Introspection>> for IntrospectionView<'a> {
    fn from(found: Option<&'a Introspection>) -> Self {
        let Some(found) = found else { return Self::default() };
        Self {
            active: true,
            sub: Some(found.user.id.to_string()),
            sid: found.session.map(|session| session.to_string()),
            exp: found.expires_at.map(Timestamp::secs),
            iat: found.issued_at.map(Timestamp::secs),
            token_type: Some(found.token_type),
            username: found.user.username.as_ref().map(Username::as_str),
        }
    }
}
