//! From errors to status codes: the one table, and the one shape (RFC 9457).

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use warp::http::header::{ALLOW, CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{Method, StatusCode};

use crate::domain::{Invalid, Standing, UserId};
use crate::flows::FlowError;
use crate::http::reply::{Reply, whole_secs};
use crate::http::request_id::RequestId;

/// What a client is told when it does not get what it asked for.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// What is wrong with the members of the body, in their order; empty if the body as a whole is wrong.
    Invalid(Vec<(String, Vec<Invalid>)>, &'static str),
    InvalidCode,
    InvalidLink,
    BadHost,
    NotAuthenticated,
    InvalidToken,
    InvalidCredentials,
    RegistrationClosed,
    CrossSite,
    InsecureConnection,
    NotAProxy,
    UnclearRequest,
    PermissionDenied,
    PasswordChangeRequired,
    SessionRequired,
    NotFound,
    MethodNotAllowed {
        method: Method,
        allow: String,
    },
    Conflict(&'static str, Invalid),
    LastSuperuser,
    MailGone,
    /// Why not, as things stand.
    Unfit(&'static str),
    BodyTooLarge,
    UnsupportedMediaType,
    RateLimited {
        limit: u32,
        retry_after: Duration,
    },
    Overloaded {
        retry_after: Duration,
    },
    Unavailable(String),
    Internal(String),
    /// What a compatibility surface says in its own words.
    Told(StatusCode, Value),
}

impl ApiError {
    /// The body as a whole is wrong: not JSON, not an object, not UTF-8.
    pub(crate) fn malformed(detail: &'static str) -> Self {
        Self::Invalid(Vec::new(), detail)
    }

    /// The table: status, stable code, and what to tell a person.
    pub(crate) fn problem(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Invalid(_, detail) => (S::BAD_REQUEST, "invalid", detail),
            Self::InvalidCode => (S::BAD_REQUEST, "invalid_code", "This code is wrong, used or too old."),
            // Django's word for it; as a token it would be 401.
            Self::InvalidLink => (S::BAD_REQUEST, "invalid_token", "This link is wrong, used or too old."),
            Self::BadHost => {
                (S::BAD_REQUEST, "bad_host", "This host is not served here (server.allowed_hosts).")
            }
            Self::NotAuthenticated => {
                (S::UNAUTHORIZED, "not_authenticated", "Send an access token: Authorization: Bearer TOKEN.")
            }
            Self::InvalidToken => {
                (S::UNAUTHORIZED, "invalid_token", "This token is not valid, or not any more.")
            }
            Self::InvalidCredentials => {
                (S::UNAUTHORIZED, "invalid_credentials", "No active account has these credentials.")
            }
            Self::RegistrationClosed => (S::FORBIDDEN, "registration_closed", "Registration is closed here."),
            Self::CrossSite => (
                S::FORBIDDEN,
                "cross_site",
                "A request with cookies that changes something has to come from our own pages.",
            ),
            Self::InsecureConnection => (
                S::FORBIDDEN,
                "insecure_connection",
                "This is answered over loopback, or over TLS through a trusted proxy (server.trusted_proxies, \
                 X-Forwarded-Proto), and nowhere else.",
            ),
            Self::NotAProxy => {
                (S::FORBIDDEN, "not_a_proxy", "Only a proxy of server.trusted_proxies may ask this.")
            }
            Self::UnclearRequest => (
                S::FORBIDDEN,
                "unclear_request",
                "The proxy does not say clearly what it asks about, or a client says it, too.",
            ),
            Self::PermissionDenied => (S::FORBIDDEN, "permission_denied", "You may not do this."),
            Self::PasswordChangeRequired => (
                S::FORBIDDEN,
                "password_change_required",
                "Your password was set by an administrator: choose your own first (/auth/password/change/).",
            ),
            Self::SessionRequired => {
                (S::FORBIDDEN, "session_required", "An API key cannot do this: log in with your password.")
            }
            Self::NotFound => (S::NOT_FOUND, "not_found", "There is nothing here."),
            Self::MethodNotAllowed { .. } => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "This path takes other methods (see Allow).")
            }
            Self::Conflict(..) => (S::CONFLICT, "conflict", "Another account has this already."),
            Self::LastSuperuser => (S::CONFLICT, "last_superuser", "This is the last active superuser."),
            Self::MailGone => {
                (S::CONFLICT, "conflict", "The code in this mail is dead, and nothing is left to be sent.")
            }
            Self::Unfit(why) => (S::CONFLICT, "conflict", why),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large."),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as application/json, in UTF-8, not compressed.",
            ),
            Self::RateLimited { .. } => {
                (S::TOO_MANY_REQUESTS, "rate_limited", "Too often: wait as long as Retry-After says.")
            }
            Self::Overloaded { .. } => (S::SERVICE_UNAVAILABLE, "overloaded", "Too much to do: try again."),
            Self::Unavailable(_) => {
                (S::SERVICE_UNAVAILABLE, "unavailable", "Nothing can be saved at the moment: try again.")
            }
            Self::Told(status, _) => (*status, "invalid", "The request was refused."),
            Self::Internal(_) => {
                (S::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here; it is in the log.")
            }
        }
    }

    pub(crate) fn to_reply(&self, id: &RequestId) -> Reply {
        let (status, code, detail) = self.problem();
        self.log(id);
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail,
            request_id: id.to_string(),
            errors: self.field_errors(),
        };
        self.dress(Reply::problem(status, &problem))
    }

    /// Adds the headers that belong to it.
    pub(crate) fn dress(&self, mut reply: Reply) -> Reply {
        if let Some((name, value)) = self.header() {
            reply = reply.header(name, value);
        }
        if let Self::RateLimited { limit, retry_after } = self {
            // The reset is the moment that Retry-After names, as the draft wants it.
            let (limit, reset) = (*limit, (*retry_after).max(Duration::from_secs(1)));
            reply = reply.standing(&Standing { limit, remaining: 0, reset, wait: Some(*retry_after) });
        }
        // The rest of a body that was not read would be taken for the next request.
        if matches!(self, Self::BodyTooLarge) {
            reply = reply.header(CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    }

    /// What one of many is told, with its stable code. The reason itself goes to the log.
    pub(crate) fn told(&self, id: &RequestId) -> (&'static str, String) {
        let (_, code, detail) = self.problem();
        self.log(id);
        let first = |fields: &Vec<(String, Vec<Invalid>)>| Some(fields.first()?.1.first()?.message.clone());
        match self {
            Self::Invalid(fields, _) => (code, first(fields).unwrap_or_else(|| detail.to_owned())),
            _ => (code, detail.to_owned()),
        }
    }

    /// The header that belongs to the status, whatever the body looks like.
    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::NotAuthenticated | Self::InvalidCredentials => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            Self::InvalidToken => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\"")))
            }
            Self::MethodNotAllowed { allow, .. } => Some((ALLOW, HeaderValue::from_str(allow).ok()?)),
            Self::Overloaded { retry_after } | Self::RateLimited { retry_after, .. } => {
                Some((RETRY_AFTER, HeaderValue::from(whole_secs(*retry_after).max(1))))
            }
            Self::Unavailable(_) => Some((RETRY_AFTER, HeaderValue::from_static("5"))),
            _ => None,
        }
    }

    fn field_errors(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        let told = |invalid: &Invalid| serde_json::json!({"code": invalid.code, "message": invalid.message});
        match self {
            Self::Invalid(fields, _) => Some(
                fields
                    .iter()
                    .map(|(name, broken)| (name.clone(), broken.iter().map(told).collect()))
                    .collect(),
            ),
            Self::Conflict(name, invalid) => {
                Some([((*name).to_owned(), serde_json::json!([told(invalid)]))].into_iter().collect())
            }
            _ => None,
        }
    }

    /// Who tries what they may not leaves a trace.
    pub(crate) fn log_who(&self, user: UserId, path: &'static str, id: &RequestId) {
        let (status, code, _) = self.problem();
        if status == StatusCode::FORBIDDEN {
            tracing::info!(request.id = %id, user.id = %user, path, code, "a user was refused");
        }
    }

    /// What the client must not see goes to the log, once, here.
    pub(crate) fn log(&self, id: &RequestId) {
        match self {
            Self::Internal(reason) => {
                tracing::error!(request.id = %id, reason, "a request failed for a reason of ours");
            }
            Self::Unavailable(reason) => tracing::warn!(request.id = %id, reason, "a write was turned away"),
            _ => {}
        }
    }
}

impl From<FlowError> for ApiError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Invalid(name, broken) => {
                Self::Invalid(vec![(name.to_owned(), broken)], INVALID_FIELDS)
            }
            FlowError::BadCredentials => Self::InvalidCredentials,
            FlowError::InvalidToken => Self::InvalidToken,
            FlowError::InvalidCode => Self::InvalidCode,
            FlowError::InvalidLink => Self::InvalidLink,
            FlowError::LastSuperuser => Self::LastSuperuser,
            FlowError::NotFound => Self::NotFound,
            FlowError::EmailTaken => Self::Conflict(
                "email",
                Invalid::new("taken", "A user with that email address already exists."),
            ),
            FlowError::MailGone => Self::MailGone,
            FlowError::Unfit(why) => Self::Unfit(why),
            FlowError::RegistrationClosed => Self::RegistrationClosed,
            FlowError::PermissionDenied => Self::PermissionDenied,
            FlowError::PasswordChangeRequired => Self::PasswordChangeRequired,
            FlowError::SessionRequired => Self::SessionRequired,
            FlowError::RateLimited { limit, retry_after } => Self::RateLimited { limit, retry_after },
            FlowError::Overloaded { retry_after } => Self::Overloaded { retry_after },
            FlowError::Unavailable(reason) => Self::Unavailable(reason.to_string()),
            FlowError::Internal(reason) => Self::Internal(reason),
        }
    }
}

/// The detail of an `invalid` whose members tell the rest.
pub(crate) const INVALID_FIELDS: &str = "Some members of the body are not accepted: see errors.";
/// The same for parameters of the query.
pub(crate) const INVALID_PARAMETERS: &str = "Some parameters of the query are not accepted: see errors.";

/// The body of every error: `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    #[schema(value_type = String)]
    r#type: &'static str,
    #[schema(value_type = String)]
    title: &'static str,
    status: u16,
    /// Stable: tell errors apart by it.
    #[schema(value_type = String)]
    code: &'static str,
    #[schema(value_type = String)]
    detail: &'static str,
    /// The same as in the log and in the `X-Request-Id` header.
    request_id: String,
    /// By member: what is wrong with it, as `code` and `message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    errors: Option<serde_json::Map<String, serde_json::Value>>,
}
