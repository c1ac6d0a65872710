//! How Django REST framework says that something is wrong, and simplejwt after it.

use serde_json::{Map, Value, json};
use warp::http::StatusCode;
use warp::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};

use crate::app::App;
use crate::domain::{Invalid, KeyUse};
use crate::flows::{self, Caller, FlowError, TokenFault, Tokens};
use crate::http::caller::Shown;
use crate::http::error::ApiError;
use crate::http::reader::Reader;
use crate::http::reply::{Reply, whole_secs};
use crate::http::request::Req;

pub(super) const NO_CREDENTIALS: &str = "Authentication credentials were not provided.";
pub(super) const FORBIDDEN: &str = "You do not have permission to perform this action.";

/// `{"detail": ...}`
pub(super) fn detail(status: StatusCode, text: &str) -> ApiError {
    ApiError::Told(status, json!({ "detail": text }))
}

/// `{"error": ...}`, for what a view answers by itself.
pub(super) fn error(text: &str) -> ApiError {
    ApiError::Told(StatusCode::BAD_REQUEST, json!({ "error": text }))
}

/// What is wrong with the fields together: `{"non_field_errors": [...]}`.
pub(super) fn non_field(text: &str) -> ApiError {
    field("non_field_errors", text)
}

/// What is wrong with one field.
pub(super) fn field(name: &str, text: &str) -> ApiError {
    ApiError::Told(StatusCode::BAD_REQUEST, json!({ name: [text] }))
}

/// What is wrong with a value that a flow refused, under the name that the field has on this wire.
pub(super) fn field_of(name: &str, broken: Vec<Invalid>) -> ApiError {
    let texts: Vec<String> = broken.into_iter().map(|invalid| invalid.message).collect();
    ApiError::Told(StatusCode::BAD_REQUEST, json!({ name: texts }))
}

/// A value that a flow refused, under the name that it has there.
pub(super) fn refused(error: FlowError) -> ApiError {
    match error {
        FlowError::Invalid(name, broken) => field_of(name, broken),
        error => error.into(),
    }
}

/// simplejwt's `InvalidToken`, which front ends know by its code.
pub(super) fn token_not_valid(text: &str) -> ApiError {
    ApiError::Told(StatusCode::UNAUTHORIZED, json!({ "detail": text, "code": "token_not_valid" }))
}

/// A token of the body that was refused where this kind was asked for; none: where any does.
pub(super) fn refused_token(app: &App, token: &str, asked: Option<KeyUse>, error: FlowError) -> ApiError {
    match error {
        FlowError::InvalidToken => token_not_valid(fault(app, token, asked)),
        error => error.into(),
    }
}

/// The refresh token that counts from now on, if it is another than the one that was shown: a log-in of another surface
/// may rotate. An old token stays the same where that is what its client knows.
pub(super) fn another_refresh(app: &App, shown: &str, tokens: &Tokens, rotates: bool) -> Option<String> {
    let is_other = tokens.refresh != shown && (rotates || !flows::is_old_token(app, shown));
    is_other.then(|| tokens.refresh.clone())
}

/// An access token that was refused as a credential.
pub(super) fn refused_access(app: &App, token: &str) -> ApiError {
    let message = json!({
        "token_class": "AccessToken",
        "token_type": "access",
        "message": fault(app, token, Some(KeyUse::Access)),
    });
    let body = json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [message],
    });
    ApiError::Told(StatusCode::UNAUTHORIZED, body)
}

fn fault(app: &App, token: &str, asked: Option<KeyUse>) -> &'static str {
    match flows::token_fault(app, token, asked) {
        TokenFault::Expired => "Token is expired",
        TokenFault::Over => "Token is blacklisted",
        TokenFault::OtherKind => "Token has wrong type",
        TokenFault::Unknown => "Token is invalid",
    }
}

/// What stands after `Bearer` in the header, as simplejwt reads it: a scheme that is not spelled so is none at all.
pub(super) fn bearer(req: &Req) -> Result<&str, ApiError> {
    let mut values = req.headers().get_all(AUTHORIZATION).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).ok_or(ApiError::NotAuthenticated)?;
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["Bearer", token] if values.next().is_none() => Ok(token),
        ["Bearer", ..] => {
            let detail = "Authorization header must contain two space-delimited values";
            let body = json!({ "detail": detail, "code": "bad_authorization_header" });
            Err(ApiError::Told(StatusCode::UNAUTHORIZED, body))
        }
        _ => Err(ApiError::NotAuthenticated),
    }
}

/// Whose access token or API key this is.
pub(super) fn identify(app: &App, req: &Req, token: &str) -> Result<Caller, FlowError> {
    let is_api_key = flows::is_api_key(token);
    let shown = if is_api_key { Shown::ApiKey(token) } else { Shown::AccessToken(token) };
    shown.caller(app, req)
}

pub(super) fn tell(error: &ApiError, reader: &Reader) -> Reply {
    error.log(&reader.id);
    let (status, body) = said(error);
    challenge(status, error.dress(Reply::json(status, &body)))
}

/// RFC 6750, section 3.
pub(super) fn challenge(status: StatusCode, reply: Reply) -> Reply {
    match status {
        StatusCode::UNAUTHORIZED => {
            reply.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"api\""))
        }
        _ => reply,
    }
}

/// The status and the body.
pub(super) fn said(error: &ApiError) -> (StatusCode, Value) {
    let (status, _, ours) = error.problem();
    let text = match error {
        ApiError::Told(_, body) => return (status, body.clone()),
        ApiError::Invalid(fields, _) if !fields.is_empty() => return (status, by_field(fields)),
        ApiError::Conflict(field, invalid) => {
            return (StatusCode::BAD_REQUEST, json!({ *field: [invalid.message] }));
        }
        ApiError::Invalid(_, reason) => format!("JSON parse error - {reason}"),
        ApiError::NotAuthenticated => NO_CREDENTIALS.to_owned(),
        ApiError::InvalidToken => {
            return (status, json!({ "detail": "Token is invalid", "code": "token_not_valid" }));
        }
        ApiError::PermissionDenied | ApiError::SessionRequired => FORBIDDEN.to_owned(),
        ApiError::CrossSite => format!("CSRF Failed: {ours}"),
        ApiError::NotFound => "Not found.".to_owned(),
        ApiError::MethodNotAllowed { method, .. } => format!("Method \"{method}\" not allowed."),
        ApiError::RateLimited { retry_after, .. } => {
            let secs = whole_secs(*retry_after).max(1);
            let plural = if secs == 1 { "" } else { "s" };
            format!("Request was throttled. Expected available in {secs} second{plural}.")
        }
        _ => ours.to_owned(),
    };
    (status, json!({ "detail": text }))
}

fn by_field(fields: &[(String, Vec<Invalid>)]) -> Value {
    let texts = |broken: &[Invalid]| -> Vec<Value> {
        broken.iter().map(|invalid| Value::String(invalid.message.clone())).collect()
    };
    let members = fields.iter().map(|(name, broken)| (name.clone(), Value::Array(texts(broken))));
    Value::Object(members.collect::<Map<_, _>>())
}
