//! What things look like in JSON. Only what is listed here leaves the house: no hash, no secret.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Avatar, Email, KeyUse, Session, SessionId, Timestamp, User, Username};
use crate::flows::{LoggedIn, TokenFacts};

/// A user, as the user and administrators see them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    id: u64,
    email: Option<String>,
    username: Option<String>,
    first_name: String,
    last_name: String,
    full_name: String,
    /// An http or https URL.
    avatar: Option<String>,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    email_verified: bool,
    groups: Vec<String>,
    #[schema(format = DateTime)]
    date_joined: String,
    #[schema(format = DateTime)]
    updated_at: String,
    #[schema(format = DateTime)]
    last_login: Option<String>,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.0,
            email: user.email.as_ref().map(Email::as_str).map(str::to_owned),
            username: user.username.as_ref().map(Username::as_str).map(str::to_owned),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            full_name: user.full_name(),
            avatar: user.avatar.as_ref().map(Avatar::as_str).map(str::to_owned),
            is_active: user.is_active,
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            email_verified: user.email_verified,
            groups: user.groups(),
            date_joined: user.date_joined.to_string(),
            updated_at: user.updated_at.to_string(),
            last_login: user.last_login.as_ref().map(Timestamp::to_string),
        }
    }
}

/// A user on their own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisteredView {
    pub(crate) user: UserView,
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
pub(crate) struct TokenView {
    #[schema(value_type = String, example = "Bearer")]
    token_type: &'static str,
    access: String,
    #[schema(format = DateTime)]
    access_expires_at: String,
    refresh: String,
    #[schema(format = DateTime)]
    refresh_expires_at: String,
    user: UserView,
}

impl From<LoggedIn> for TokenView {
    fn from(logged_in: LoggedIn) -> Self {
        let LoggedIn { user, tokens } = logged_in;
        Self {
            token_type: "Bearer",
            access: tokens.access,
            access_expires_at: tokens.access_expires_at.to_string(),
            refresh: tokens.refresh,
            refresh_expires_at: tokens.refresh_expires_at.to_string(),
            user: (&*user).into(),
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

/// One log-in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    id: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    last_refreshed_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
    ip: Option<String>,
    user_agent: Option<String>,
    label: String,
    methods: Vec<String>,
    /// Whether the token of this request belongs to it.
    current: bool,
}

impl SessionView {
    pub(crate) fn new(session: Session, current: SessionId) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: session.created_at.to_string(),
            last_refreshed_at: session.last_refreshed_at.to_string(),
            expires_at: session.refresh_expires_at.to_string(),
            ip: session.ip.map(|ip| ip.to_string()),
            user_agent: session.user_agent,
            label: session.label.as_str().to_owned(),
            methods: session.methods,
            current: session.id == current,
        }
    }
}

/// A list that is not paged.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionsView {
    pub(crate) results: Vec<SessionView>,
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
