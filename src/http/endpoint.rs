//! An endpoint is a value: method, path, who may call, body, replies, texts and handler stand in one expression.

use std::pin::Pin;
use std::sync::Arc;

use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use warp::http::{Method, StatusCode};

use crate::app::App;
use crate::config::LimitKind;
use crate::flows::FlowError;
use crate::http::access::{Access, Gate};
use crate::http::body::Body;
use crate::http::caller::{Admit, Public, User};
use crate::http::error::ApiError;
use crate::http::limits::ADMIN_BODY_BYTES;
use crate::http::reader::Reader;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::limiter::Subject;

/// What a handler works with: the service, and who is calling. The type of `caller` is the proof that it was checked.
pub(crate) struct Cx<C> {
    pub(crate) app: Arc<App>,
    pub(crate) caller: C,
}

/// A set of paths with one wire style.
#[derive(Debug)]
pub(crate) struct Surface {
    pub(crate) name: &'static str,
    /// How it says what went wrong.
    pub(crate) tell: fn(&ApiError, &Reader) -> Reply,
}

/// The surface that Keystead has of its own.
pub(crate) static NATIVE: Surface =
    Surface { name: "native", tell: |error, reader| error.to_reply(&reader.id) };

/// One endpoint of the API.
#[cfg_attr(not(test), expect(dead_code, reason = "the committed OpenAPI document is compared with the rest"))]
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// The first is its name; the others are the same endpoint for front ends that know it by them.
    pub(crate) paths: Vec<&'static str>,
    pub(crate) gate: Gate,
    pub(crate) surface: &'static Surface,
    pub(crate) summary: &'static str,
    pub(crate) body: Option<SchemaOf>,
    /// What the body is written in.
    pub(crate) media_type: &'static str,
    pub(crate) query: Vec<(&'static str, &'static str)>,
    pub(crate) replies: Vec<(StatusCode, Option<SchemaOf>)>,
    /// What an address may not call too often.
    pub(crate) limit: Option<LimitKind>,
    handler: Handler,
}

/// A type that the OpenAPI document describes.
#[cfg_attr(not(test), expect(dead_code, reason = "the committed OpenAPI document is compared with it"))]
#[derive(Clone, Copy)]
pub(crate) struct SchemaOf {
    pub(crate) name: fn() -> std::borrow::Cow<'static, str>,
    pub(crate) schema: fn() -> RefOr<Schema>,
    pub(crate) parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl SchemaOf {
    fn of<T: ToSchema>() -> Self {
        Self { name: T::name, schema: T::schema, parts: T::schemas }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Reply, ApiError>> + Send>>;
type Handler = Box<dyn Fn(Arc<App>, Req, Gate) -> Answer + Send + Sync>;

/// An endpoint for everybody.
pub(crate) fn public<F, A>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Fn(Cx<Public>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, Access::Public, handler)
}

/// An endpoint for users who show their access token or an API key.
pub(crate) fn user<F, A>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Fn(Cx<User>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, Access::User, handler)
}

/// An endpoint for all staff.
pub(crate) fn any_staff<F, A>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Fn(Cx<User>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, Access::AnyStaff, handler)
}

/// An endpoint for staff who have a permission: `users.view_user`.
pub(crate) fn staff<F, A>(
    method: Method,
    path: &'static str,
    permission: &'static str,
    handler: F,
) -> Endpoint
where
    F: Fn(Cx<User>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, Access::Staff(permission), handler)
}

/// An endpoint for staff who have one of these permissions; the flow asks for the one that it takes.
pub(crate) fn staff_with_one_of<F, A>(
    method: Method,
    path: &'static str,
    permissions: &'static [&'static str],
    handler: F,
) -> Endpoint
where
    F: Fn(Cx<User>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, Access::StaffWithOneOf(permissions), handler)
}

/// An endpoint for superusers.
pub(crate) fn superuser<F, A>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Fn(Cx<User>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, Access::Superuser, handler)
}

/// An endpoint for whom `C` admits.
pub(crate) fn endpoint<C, F, A>(method: Method, path: &'static str, access: Access, handler: F) -> Endpoint
where
    C: Admit + Send + 'static,
    F: Fn(Cx<C>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    Endpoint {
        method,
        paths: vec![path],
        gate: Gate { access, also_needs: None, needs_session: false, takes_temporary_password: false },
        surface: &NATIVE,
        summary: "",
        body: None,
        media_type: "application/json",
        query: Vec::new(),
        replies: Vec::new(),
        limit: None,
        handler: Box::new(move |app, req, gate| {
            Box::pin(async move {
                let caller = C::recognize(&app, &req)?;
                let (user, id) = (caller.user(), req.id);
                let outcome = match caller.pass(&app, gate) {
                    Ok(()) => handler(Cx { app, caller }, req).await,
                    Err(refused) => Err(refused),
                };
                if let (Err(refused), Some(user)) = (&outcome, user) {
                    refused.log_who(user, path, &id);
                }
                outcome
            })
        }),
    }
}

impl Endpoint {
    pub(crate) fn also_at(mut self, path: &'static str) -> Self {
        self.paths.push(path);
        self
    }

    pub(crate) fn of(mut self, surface: &'static Surface) -> Self {
        self.surface = surface;
        self
    }

    /// One more permission, for what else the answer tells of.
    pub(crate) fn also_needs(mut self, permission: &'static str) -> Self {
        self.gate.also_needs = Some(permission);
        self
    }

    /// No API key is enough.
    pub(crate) fn needs_session(mut self) -> Self {
        self.gate.needs_session = true;
        self
    }

    /// Open to somebody who was given a password and has to choose another first.
    pub(crate) fn takes_temporary_password(mut self) -> Self {
        self.gate.takes_temporary_password = true;
        self
    }

    /// What it does, in one sentence.
    pub(crate) fn does(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    pub(crate) fn body<B: Body>(self) -> Self {
        #[cfg(test)]
        crate::http::body::tests::assert_the_schema_is_what_is_decoded::<B>();
        self.described_by::<B>()
    }

    /// What a body has that the surface reads in its own way.
    pub(crate) fn described_by<T: ToSchema>(mut self) -> Self {
        self.body = Some(SchemaOf::of::<T>());
        self
    }

    /// A body that is a form, as OAuth has it.
    pub(crate) fn form<B: Body>(self) -> Self {
        Self { media_type: "application/x-www-form-urlencoded", ..self.body::<B>() }
    }

    /// A query parameter and what it is.
    pub(crate) fn query(mut self, name: &'static str, what: &'static str) -> Self {
        self.query.push((name, what));
        self
    }

    pub(crate) fn replies<T: ToSchema>(mut self, status: StatusCode) -> Self {
        self.replies.push((status, Some(SchemaOf::of::<T>())));
        self
    }

    /// A reply without a JSON body.
    pub(crate) fn replies_nothing(mut self, status: StatusCode) -> Self {
        self.replies.push((status, None));
        self
    }

    /// Counts each call by the caller's address, before anything of it is read. The answers say how it stands.
    pub(crate) fn limited_by(mut self, kind: LimitKind) -> Self {
        self.limit = Some(kind);
        self
    }

    pub(crate) async fn run(&self, app: Arc<App>, mut req: Req) -> Result<Reply, ApiError> {
        if let Access::Staff(_) | Access::StaffWithOneOf(_) = self.gate.access {
            req.max_body = ADMIN_BODY_BYTES;
        }
        let Some(kind) = self.limit else { return (self.handler)(app, req, self.gate).await };
        let standing =
            app.limiter.take(kind, Subject::Ip(req.ip), app.clock.now()).map_err(FlowError::from)?;
        let Some(standing) = standing else { return (self.handler)(app, req, self.gate).await };
        let reader = Reader::of(&app, &req);
        match (self.handler)(app, req, self.gate).await {
            Ok(reply) => Ok(reply.standing(&standing)),
            // It says how that other limit stands.
            Err(error @ ApiError::RateLimited { .. }) => Err(error),
            Err(error) => Ok((self.surface.tell)(&error, &reader).standing(&standing)),
        }
    }
}
