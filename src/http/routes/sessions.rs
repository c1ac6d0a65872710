//! Sessions: logging in, logging out, and the list of one's log-ins.

use utoipa::ToSchema;
use warp::http::{Method, StatusCode};

use crate::app::App;
use crate::config::{Config, LimitKind};
use crate::domain::{Invalid, Name, Password, PlainToken, SessionId};
use crate::flows::{self, Browser, Credentials};
use crate::http::access::Gate;
use crate::http::body::{Body, Fields};
use crate::http::caller::{Admit, Public, User, has_authorization, refuse_other_sites};
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint, public, user};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::{SessionView, SessionsView, TokenView};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::POST, "/auth/login/", log_in)
            .does("Logs in with an email address or a username, and a password; with cookies if that is asked for.")
            .limited_by(LimitKind::Login)
            .body::<LogIn>()
            .replies::<TokenView<'_>>(StatusCode::OK),
        public(Method::POST, "/auth/logout/", log_out)
            .does("Ends this session: of the access token, else of the refresh token in the body, else of the cookies.")
            .body::<LogOut>()
            .replies_nothing(StatusCode::NO_CONTENT),
        user(Method::DELETE, "/auth/logout/", log_out_everywhere)
            .takes_temporary_password()
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
    let app = &cx.app;
    let LogIn { identifier, email, username, password, label, cookies } = req.json(&app.config).await?;
    let who = identifier.or(email).or(username).unwrap_or_default();
    let old = cookies::only(req.headers(), &app.config.cookies.device_name).and_then(PlainToken::parse);
    let browser = if cookies::are_wanted(&app.config.cookies, cookies) {
        Browser::renamed(old)
    } else {
        Browser { old, new: None }
    };
    let new = browser.new.clone();
    let credentials = Credentials::new(&who, password, label, browser);
    let logged_in = flows::log_in(app, &cx.caller.origin, credentials).await?;
    let reply = Reply::json(StatusCode::OK, &TokenView::new(&logged_in, &flows::directory(&cx.app)));
    Ok(match new {
        Some(name) => cookies::name_browser(app, cookies::give_tokens(app, reply, &logged_in), &name),
        None => reply,
    })
}

/// Whatever comes of it, a browser that asks from our own pages keeps no token.
async fn log_out(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let LogOut { refresh } = req.json(&cx.app.config).await?;
    let ended = match present_session(&cx.app, &req, refresh) {
        Ok(present) => present.end(&cx).await,
        Err(error) => Err(error),
    };
    let reply = match ended {
        Ok(()) => Reply::nothing(StatusCode::NO_CONTENT),
        Err(error @ (ApiError::InvalidToken | ApiError::NotAuthenticated)) => error.to_reply(&req.id),
        Err(error) => return Err(error),
    };
    Ok(cookies::take_sent_tokens(&cx.app, req.headers(), reply))
}

/// Whose session ends.
pub(crate) enum Present {
    Caller(User),
    Refresh(String),
    /// The tokens that a browser still had. Two cookies of one name may be there, if another host of the domain set one;
    /// whoever logs out wants neither.
    Browser(Vec<String>),
}

/// The header says it; without one, the refresh token in the body; without both, the cookies.
fn present_session(app: &App, req: &Req, refresh: Option<String>) -> Result<Present, ApiError> {
    if has_authorization(req) {
        return User::admit(app, req, Gate::USER).map(Present::Caller);
    }
    if let Some(refresh) = refresh {
        return Ok(Present::Refresh(refresh));
    }
    if !cookies::has_tokens(req.headers(), &app.config) {
        return Err(ApiError::NotAuthenticated);
    }
    refuse_other_sites(app, req)?;
    Ok(Present::of_browser(app, req))
}

impl Present {
    /// For a request that comes from our own pages.
    pub(crate) fn of_browser(app: &App, req: &Req) -> Self {
        let cookies = &app.config.cookies;
        let names = [&cookies.access_name, &cookies.refresh_name, &app.config.forward.cookie_name];
        let tokens = names.into_iter().flat_map(|name| cookies::all(req.headers(), name));
        Self::Browser(tokens.map(str::to_owned).collect())
    }

    pub(crate) async fn end(self, cx: &Cx<Public>) -> Result<(), ApiError> {
        let (app, origin) = (&cx.app, &cx.caller.origin);
        match self {
            Self::Caller(caller) => flows::log_out(app, &caller).await?,
            Self::Refresh(token) => flows::log_out_by_refresh_token(app, origin, &token).await?,
            Self::Browser(tokens) => {
                for token in tokens {
                    flows::log_out_by_any_token(app, origin, &token).await?;
                }
            }
        }
        Ok(())
    }
}

async fn log_out_everywhere(cx: Cx<User>, req: Req) -> Result<Reply, ApiError> {
    flows::log_out_everywhere(&cx.app, &cx.caller).await?;
    Ok(cookies::take_sent_tokens(&cx.app, req.headers(), Reply::nothing(StatusCode::NO_CONTENT)))
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
    /// Whether the tokens are set as cookies too. Missing: as it is configured.
    #[schema(value_type = bool, required = false)]
    cookies: Option<bool>,
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
        let cookies = fields.boolean("cookies");
        Some(Self { identifier, email, username, password: password?, label, cookies })
    }
}

/// Nothing, if the access token is in the header or the tokens are in cookies.
#[derive(ToSchema)]
struct LogOut {
    refresh: Option<String>,
}

impl Body for LogOut {
    fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
        Some(Self { refresh: fields.optional("refresh", |text| Ok(text.to_owned())) })
    }
}
