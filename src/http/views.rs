//! What things look like in JSON. Only what is listed here leaves the house: no hash, no secret.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::{
    ApiKey, Avatar, Directory, Email, KeyUse, Password, PasswordPolicy, Session, SessionId, Timestamp, User,
    Username, Validator,
};
use crate::flows::{LoggedIn, NewApiKey, TokenFacts};

/// A moment in RFC 3339, written where it goes.
#[derive(Debug)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A user, as the user and administrators see them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView<'a> {
    id: u64,
    email: Option<&'a str>,
    username: Option<&'a str>,
    first_name: &'a str,
    last_name: &'a str,
    full_name: String,
    /// An http or https URL.
    avatar: Option<&'a str>,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    email_verified: bool,
    groups: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    date_joined: Time,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_login: Option<Time>,
}

impl<'a> UserView<'a> {
    pub(crate) fn new(user: &'a User, directory: &Directory) -> Self {
        Self {
            id: user.id.0,
            email: user.email.as_ref().map(Email::as_str),
            username: user.username.as_ref().map(Username::as_str),
            first_name: user.first_name.as_str(),
            last_name: user.last_name.as_str(),
            full_name: user.full_name(),
            avatar: user.avatar.as_ref().map(Avatar::as_str),
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            email_verified: user.email_verified,
            groups: directory.group_names(user),
            date_joined: Time(user.date_joined),
            updated_at: Time(user.updated_at),
            last_login: user.last_login.map(Time),
        }
    }
}

impl UserView<'_> {
    /// The names of its members.
    pub(crate) const COLUMNS: [&'static str; 15] = [
        "id",
        "email",
        "username",
        "first_name",
        "last_name",
        "full_name",
        "avatar",
        "is_active",
        "is_staff",
        "is_superuser",
        "email_verified",
        "groups",
        "date_joined",
        "updated_at",
        "last_login",
    ];

    /// Its members as cells of a table, in the order of their names; null is an empty one.
    pub(crate) fn cells(&self) -> [Cow<'_, str>; 15] {
        let flag = |is: bool| Cow::from(if is { "true" } else { "false" });
        let time = |time: &Time| Cow::from(time.0.to_string());
        [
            self.id.to_string().into(),
            self.email.unwrap_or_default().into(),
            self.username.unwrap_or_default().into(),
            self.first_name.into(),
            self.last_name.into(),
            self.full_name.as_str().into(),
            self.avatar.unwrap_or_default().into(),
            flag(self.is_active),
            flag(self.is_staff),
            flag(self.is_superuser),
            flag(self.email_verified),
            self.groups.join(";").into(),
            time(&self.date_joined),
            time(&self.updated_at),
            self.last_login.as_ref().map(time).unwrap_or_default(),
        ]
    }
}

/// Whether the caller is in a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HasGroupView {
    pub(crate) has_group: bool,
}

/// Whether the caller has a permission.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HasPermissionView {
    pub(crate) has_permission: bool,
}

/// What the caller has of the permissions that were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HasPermissionsView {
    #[schema(value_type = Object)]
    pub(crate) permissions: std::collections::BTreeMap<String, bool>,
}

/// Everything that the caller may do, through groups included.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PermissionsView<'a> {
    pub(crate) permissions: Vec<&'a str>,
    pub(crate) groups: Vec<String>,
}

/// A user on their own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisteredView<'a> {
    pub(crate) user: UserView<'a>,
}

/// A registration that waits for its code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PendingView {
    #[schema(value_type = String, example = "verification_required")]
    pub(crate) status: &'static str,
    pub(crate) email: String,
    /// An opaque handle: with it, `verify` and `resend_email_verify` need no email.
    pub(crate) registration: String,
}

/// What somebody holds who logged in.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView<'a> {
    #[schema(example = "Bearer")]
    token_type: &'static str,
    access: &'a str,
    #[schema(value_type = String, format = DateTime)]
    access_expires_at: Time,
    refresh: &'a str,
    #[schema(value_type = String, format = DateTime)]
    refresh_expires_at: Time,
    user: UserView<'a>,
}

impl<'a> TokenView<'a> {
    pub(crate) fn new(logged_in: &'a LoggedIn, directory: &Directory) -> Self {
        let LoggedIn { user, tokens } = logged_in;
        Self {
            token_type: "Bearer",
            access: &tokens.access,
            access_expires_at: Time(tokens.access_expires_at),
            refresh: &tokens.refresh,
            refresh_expires_at: Time(tokens.refresh_expires_at),
            user: UserView::new(user, directory),
        }
    }
}

/// What a valid token says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenFactsView {
    active: bool,
    /// `access` or `refresh`.
    #[schema(value_type = String)]
    token_type: &'static str,
    user_id: u64,
    /// Seconds since 1970 (RFC 7519).
    exp: u64,
    sid: String,
}

impl From<TokenFacts> for TokenFactsView {
    fn from(facts: TokenFacts) -> Self {
        Self {
            active: true,
            token_type: match facts.usage {
                KeyUse::Access => "access",
                KeyUse::Refresh => "refresh",
            },
            user_id: facts.user.0,
            exp: facts.expires_at.secs(),
            sid: facts.session.to_string(),
        }
    }
}

/// A link to a new password that would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValidView {
    pub(crate) valid: bool,
}

/// One log-in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = String, format = DateTime)]
    last_refreshed_at: Time,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
    ip: Option<String>,
    user_agent: Option<String>,
    label: String,
    methods: Vec<String>,
    /// Whether the token of this request belongs to it.
    current: bool,
}

impl SessionView {
    pub(crate) fn new(session: Session, current: Option<SessionId>) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: Time(session.created_at),
            last_refreshed_at: Time(session.last_refreshed_at),
            expires_at: Time(session.refresh_expires_at),
            ip: session.ip.map(|ip| ip.to_string()),
            user_agent: session.user_agent,
            label: session.label.as_str().to_owned(),
            methods: session.methods,
            current: Some(session.id) == current,
        }
    }
}

/// A list that is not paged.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionsView {
    pub(crate) results: Vec<SessionView>,
}

/// What a new password must be like.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasswordPolicyView {
    /// Characters; null if `length` is not among the validators.
    min_length: Option<usize>,
    /// Characters.
    max_length: usize,
    /// Bytes in UTF-8.
    max_bytes: usize,
    /// Of `length`, `similarity`, `common`, `numeric` and `digit`.
    #[schema(value_type = Vec<String>)]
    validators: Vec<&'static str>,
    /// All rules, as sentences for people.
    rules: Vec<String>,
    /// What counts as a character, and which passwords are the same.
    #[schema(value_type = String)]
    unicode: &'static str,
}

impl From<&PasswordPolicy> for PasswordPolicyView {
    fn from(policy: &PasswordPolicy) -> Self {
        Self {
            min_length: policy.least(),
            max_length: policy.max_length,
            max_bytes: Password::MAX_BYTES,
            validators: policy.validators.iter().copied().map(Validator::as_str).collect(),
            rules: policy.rules(),
            unicode: "Characters are Unicode code points. A password is taken exactly as it is sent: nothing is \
                      trimmed or normalised, and the NFC and NFD spellings of one text are two passwords.",
        }
    }
}

/// An API key.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyView<'a> {
    id: String,
    name: &'a str,
    /// The key itself: in the answer that makes it, and in no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    key: Option<&'a str>,
    /// The first characters of the key, to know it again by.
    prefix: &'a str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Time>,
}

impl<'a> From<&'a ApiKey> for ApiKeyView<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.as_str(),
            key: None,
            prefix: &key.prefix,
            created_at: Time(key.created_at),
            expires_at: key.expires_at.map(Time),
            last_used_at: key.last_used_at.map(Time),
        }
    }
}

impl<'a> From<&'a NewApiKey> for ApiKeyView<'a> {
    fn from(made: &'a NewApiKey) -> Self {
        Self { key: Some(made.text.expose()), ..Self::from(&made.key) }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeysView<'a> {
    pub(crate) results: Vec<ApiKeyView<'a>>,
}

/// Public keys (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JwksView {
    #[schema(value_type = Vec<Object>)]
    keys: serde_json::Value,
}

impl JwksView {
    pub(crate) fn new(mut jwks: serde_json::Value) -> Self {
        Self { keys: jwks.get_mut("keys").map(serde_json::Value::take).unwrap_or_default() }
    }
}

/// One page of users.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsersView<'a> {
    pub(crate) results: Vec<UserView<'a>>,
    /// The `cursor` of the next page; null on the last.
    pub(crate) next: Option<String>,
    /// On all pages.
    pub(crate) count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NewUser, UserId};

    #[test]
    fn the_columns_of_a_user_are_its_members_in_their_order() {
        let user = NewUser::default().joined(UserId(7), Timestamp::from_secs(0));
        let view = UserView::new(&user, &Directory::default());

        let json = serde_json::to_string(&view).expect("serializes");
        let places: Vec<usize> = UserView::COLUMNS
            .iter()
            .map(|name| json.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name}")))
            .collect();
        assert!(places.is_sorted(), "{json}");
        let members: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(members.as_object().map(serde_json::Map::len), Some(UserView::COLUMNS.len()));
        for (name, cell) in UserView::COLUMNS.iter().zip(view.cells()) {
            let told = match &members[name] {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => String::new(),
                serde_json::Value::Array(names) => format!("{}", names.len()).replace('0', ""),
                other => other.to_string(),
            };
            assert_eq!(cell, told, "{name}");
        }
    }
}
