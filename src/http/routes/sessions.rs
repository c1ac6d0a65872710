//! Sessions: logging in, logging out, and the list of one's log-ins.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::config::{Config, LimitKind};
use crate::domain::{Invalid, Name, Password, SessionId};
use crate::flows::{self, Browser, Credentials};
use crate::http::body::{Body, Fields};
use crate::http::caller::{Admit, Public, User, bearer_token};
use crate::http::endpoint::{Cx, Endpoint, public, user};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::{SessionView, SessionsView, TokenView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::POST, "/auth/login/", log_in)
            .does("Logs in with an email address or a username, and a password.")
            .limited_by(LimitKind::Login)
            .body::<LogIn>()
            .replies::<TokenView<'_>>(StatusCode::OK),
        public(Method::POST, "/auth/logout/", log_out)
            .does("Ends this session: the one of the access token, or of the refresh token in the body.")
            .body::<LogOut>()
            .replies_nothing(StatusCode::NO_CONTENT),
        user(Method::DELETE, "/auth/logout/", log_out_everywhere)
            .does("Ends all sessions of the caller.")
            .replies_nothing(StatusCode::NO_CONTENT),
        user(Method::GET, "/auth/sessions/", list_sessions)
            .does("Lists the caller's sessions, the newest first.")
            .replies::<SessionsView>(StatusCode::OK),
        user(Method::DELETE, "/auth/sessions/{id}/", end_session)
            .does("Ends one of the caller's sessions.")
            .replies_nothing(StatusCode::NO_CONTENT),
    ]
}

async fn log_in(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let LogIn { identifier, email, username, password, label } = req.json(&cx.app.config).await?;
    let who = identifier.or(email).or(username).unwrap_or_default();
    let credentials = Credentials::new(&who, password, label, Browser::default());
    let logged_in = flows::log_in(&cx.app, &cx.caller.origin, credentials).await?;
    Ok(Reply::json(StatusCode::OK, &TokenView::from(&logged_in)))
}

/// With a header it is the caller's session that ends; without one, that of the refresh token.
async fn log_out(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let LogOut { refresh } = req.json(&cx.app.config).await?;
    match (bearer_token(&req)?, refresh) {
        (None, Some(refresh)) => {
            flows::log_out_by_refresh_token(&cx.app, &cx.caller.origin, &refresh).await?;
        }
        _ => flows::log_out(&cx.app, &User::admit(&cx.app, &req)?).await?,
    }
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn log_out_everywhere(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    flows::log_out_everywhere(&cx.app, &cx.caller).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

async fn list_sessions(cx: Cx<User>, _req: Req) -> Result<Reply, ApiError> {
    let sessions = flows::list_sessions(&cx.app, &cx.caller)?;
    let view = |session| SessionView::new(session, cx.caller.session());
    let results = sessions.into_iter().map(view).collect();
    Ok(Reply::json(StatusCode::OK, &SessionsView { results }))
}

async fn end_session(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    let id: SessionId = req.param("id")?;
    flows::end_session(&cx.app, &cx.caller, id).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT))
}

/// Give one of `identifier`, `email` and `username`; the first of them that is there counts.
#[derive(ToSchema)]
struct LogIn {
    /// An email address or a username.
    identifier: Option<String>,
    email: Option<String>,
    username: Option<String>,
    #[schema(value_type = String, format = Password)]
    password: Password,
    /// What the user calls this log-in: `My phone`.
    #[schema(value_type = Option<String>)]
    label: Name,
}

impl Body for LogIn {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        let text = |text: &str| if text.is_empty() { Err(Invalid::blank()) } else { Ok(text.to_owned()) };
        // The one that the caller used is the one they hear about.
        let names = ["identifier", "email", "username"];
        let used = names.into_iter().find(|name| fields.has(name)).unwrap_or("identifier");
        let [identifier, email, username] = names
            .map(|name| if name == used { fields.required(name, text) } else { fields.optional(name, text) });
        let password = fields.required("password", Password::parse);
        let label = fields.optional("label", Name::parse).unwrap_or_default();
        Some(Self { identifier, email, username, password: password?, label })
    }
}

/// Nothing, if the access token is in the header.
#[derive(ToSchema)]
struct LogOut {
    refresh: Option<String>,
}

impl Body for LogOut {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { refresh: fields.optional("refresh", |text| Ok(text.to_owned())) })
    }
}
