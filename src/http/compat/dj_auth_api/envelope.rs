//! What this wire wraps everything in, and whom it lets in.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use warp::http::{Method, StatusCode};

use crate::app::App;
use crate::domain::{KeyUse, UserId};
use crate::flows::{self, Caller, FlowError, TokenFault};
use crate::http::access::{Access, Gate};
use crate::http::caller::Admit;
use crate::http::compat::drf;
use crate::http::endpoint::{Cx, Endpoint, Surface, endpoint};
use crate::http::error::ApiError;
use crate::http::reader::Reader;
use crate::http::reply::Reply;
use crate::http::request::Req;

pub(super) static SURFACE: Surface = Surface { name: "dj-auth-api", tell };

/// An answer with something in it.
#[derive(Serialize)]
pub(super) struct Enveloped<T> {
    message: &'static str,
    data: T,
}

/// Derived, all of them would have one name.
impl<T: ToSchema> ToSchema for Enveloped<T> {
    fn name() -> Cow<'static, str> {
        format!("{}.Enveloped", T::name()).into()
    }

    fn schemas(parts: &mut Vec<(String, RefOr<Schema>)>) {
        parts.push((T::name().into_owned(), T::schema()));
        T::schemas(parts);
    }
}

impl<T: ToSchema> PartialSchema for Enveloped<T> {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().property("message", String::schema()).required("message");
        object.property("data", Ref::from_schema_name(T::name())).required("data").build().into()
    }
}

/// An answer that only says something.
#[derive(Serialize, ToSchema)]
#[schema(as = dj_auth_api::Said)]
pub(super) struct Said {
    message: &'static str,
    /// Empty.
    #[schema(value_type = Object)]
    data: Value,
}

pub(super) fn enveloped<T: Serialize>(status: StatusCode, data: &T) -> Reply {
    Reply::json(status, &Enveloped { message: "Ok", data })
}

pub(super) fn says(status: StatusCode, message: &'static str) -> Reply {
    drf::challenge(status, Reply::json(status, &Said { message, data: json!({}) }))
}

/// What went wrong, where the original said it under `message` and not under `detail`.
pub(super) fn message(status: StatusCode, message: &Value) -> ApiError {
    ApiError::Told(status, json!({ "message": message }))
}

/// Wrong, unknown or not active: nobody learns which.
pub(super) fn bad_credentials() -> ApiError {
    message(StatusCode::UNAUTHORIZED, &json!("Invalid credentials"))
}

fn tell(error: &ApiError, reader: &Reader) -> Reply {
    error.log(&reader.id);
    let (status, body) = drf::said(error);
    let message = body.get("detail").and_then(Value::as_str).unwrap_or("Error");
    let reply = Reply::json(status, &json!({ "message": message, "data": body }));
    drf::challenge(status, error.dress(reply))
}

/// An endpoint for whoever logged in, or for staff with a permission.
pub(super) fn member<F, A>(method: Method, path: &'static str, access: Access, handler: F) -> Endpoint
where
    F: Fn(Cx<Member>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, access, handler)
}

/// Somebody who logged in. Whose log-in is over is told 403, as there, and not that the token is bad.
pub(super) struct Member(pub(super) Caller);

impl Admit for Member {
    fn recognize(app: &App, req: &Req) -> Result<Self, ApiError> {
        let token = drf::bearer(req)?;
        let is_over = || flows::token_fault(app, token, Some(KeyUse::Access)) == TokenFault::Over;
        let caller = drf::identify(app, req, token).map_err(|error| match error {
            FlowError::InvalidToken if is_over() => ApiError::PermissionDenied,
            FlowError::InvalidToken => drf::refused_access(app, token),
            error => error.into(),
        })?;
        Ok(Self(caller))
    }

    fn pass(&self, app: &App, gate: Gate) -> Result<(), ApiError> {
        self.0.pass(app, gate)
    }

    fn user(&self) -> Option<UserId> {
        self.0.user()
    }
}
