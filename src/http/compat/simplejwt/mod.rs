//! The wire of simplejwt, and of the accounts that its tutorials put beside it, at `/users/`.
//!
//! Safer than it was: passwords are held to the rules; the list of everybody is for staff; a picture is a web address;
//! an access token dies with its log-in; what ended there in an error of the server is told as a mistake of the body.

mod bodies;

use bodies::{
    LogIn, Message, NewAccount, NewAvatar, Nothing, PairView, RefreshOnly, RefreshView, UserView, UsersView,
};
use warp::http::{Method, StatusCode};

use crate::app::App;
use crate::config::{LimitKind, SimpleJwtConfig, UsersList};
use crate::domain::{Change, KeyUse, Name, ProfileChange, SessionStyle, UserId};
use crate::flows::{self, Browser, Caller, Credentials, FlowError, Register, Registered};
use crate::http::access::{Access, Gate};
use crate::http::caller::{Admit, Public};
use crate::http::compat::all_users::{all_users, in_parts, linked};
use crate::http::compat::bodies::TokenOnly;
use crate::http::compat::drf;
use crate::http::compat::serializer::{self, Takes};
use crate::http::endpoint::{Cx, Endpoint, Surface, endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;

static SURFACE: Surface = Surface { name: "simplejwt", tell: drf::tell };

pub(super) fn endpoints(config: &SimpleJwtConfig) -> Vec<Endpoint> {
    let list_access = match config.list_users {
        UsersList::Staff => Access::Staff("users.view_user"),
        UsersList::Any => Access::User,
    };
    let endpoints = vec![
        in_parts(member(Method::GET, "/users/", list_access, list_users))
            .does("All users by number, at most 5000; a `Link` header leads to the rest.")
            .replies::<UsersView>(StatusCode::OK),
        member(Method::GET, "/users/user/", Access::User, view_user)
            .does("The caller.")
            .takes_temporary_password()
            .replies::<UserView>(StatusCode::OK),
        member(Method::PUT, "/users/user/", Access::User, update_user)
            .does("Changes the caller's picture.")
            .takes::<NewAvatar>()
            .replies::<Message>(StatusCode::OK),
        public(Method::POST, "/users/register/", register)
            .does("Registers. Where addresses are confirmed first, `id` is null, whoever has the address.")
            .limited_by(LimitKind::Register)
            .takes::<NewAccount>()
            .replies::<UserView>(StatusCode::CREATED),
        public(Method::POST, "/users/token/", log_in)
            .does("Logs in: a pair of tokens.")
            .limited_by(LimitKind::Login)
            .takes::<LogIn>()
            .replies::<PairView>(StatusCode::OK),
        public(Method::POST, "/users/token/refresh/", refresh_token)
            .does("Another access token for a refresh token.")
            .takes::<RefreshOnly>()
            .replies::<RefreshView>(StatusCode::OK),
        public(Method::POST, "/users/token/verify/", verify_token)
            .does("Whether a token of either kind is good now.")
            .takes::<TokenOnly>()
            .replies::<Nothing>(StatusCode::OK),
        public(Method::POST, "/users/token/blacklist/", blacklist_token)
            .does("Ends the log-in that a refresh token belongs to.")
            .takes::<RefreshOnly>()
            .replies::<Nothing>(StatusCode::OK),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.of(&SURFACE)).collect()
}

fn member<F, A>(method: Method, path: &'static str, access: Access, handler: F) -> Endpoint
where
    F: Fn(Cx<Member>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, access, handler)
}

fn options(app: &App) -> Result<&SimpleJwtConfig, ApiError> {
    app.config.compat.simplejwt.as_ref().ok_or(ApiError::NotFound)
}

/// Somebody who logged in.
struct Member(Caller);

impl Admit for Member {
    fn recognize(app: &App, req: &Req) -> Result<Self, ApiError> {
        let token = drf::bearer(req)?;
        let caller = drf::identify(app, req, token).map_err(|error| match error {
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

async fn list_users(cx: Cx<Member>, req: Req) -> Result<Reply, ApiError> {
    let (users, link) = all_users(&cx.app, req, "/users/").await?;
    Ok(linked(Reply::json(StatusCode::OK, &UsersView(users)), link))
}

async fn view_user(cx: Cx<Member>, _req: Req) -> Result<Reply, ApiError> {
    Ok(Reply::json(StatusCode::OK, &UserView::from(&*cx.caller.0.user)))
}

async fn update_user(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let NewAvatar { avatar } = serializer::read(&mut req, &cx.app.config).await?;
    let change =
        ProfileChange { username: Change::Keep, first_name: Change::Keep, last_name: Change::Keep, avatar };
    flows::update_profile(&cx.app, &cx.caller.0, change).await?;
    Ok(Reply::json(StatusCode::OK, &Message { message: "Image updated" }))
}

async fn register(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let NewAccount { email, username, password, avatar } = serializer::read(&mut req, &cx.app.config).await?;
    // Nobody knows the user's number before there is a user, and the same is told of an address that is taken.
    let pending = UserView::of(None, Some(&email), Some(&username), avatar.as_ref());
    let (first_name, last_name) = (Name::default(), Name::default());
    let (email, username) = (Some(email), Some(username));
    let wish = Register { email, password, username, first_name, last_name, avatar };
    let registered =
        flows::register(&cx.app, &cx.caller.origin, wish).await.map_err(|error| match error {
            FlowError::EmailTaken => drf::error("Email already registered"),
            FlowError::Invalid("username", _) => {
                drf::field("username", "user profile with this username already exists.")
            }
            error => drf::refused(error),
        })?;
    let view = match &registered {
        Registered::VerificationRequired { .. } => pending,
        Registered::User(user) => UserView::from(&**user),
    };
    Ok(Reply::json(StatusCode::CREATED, &view))
}

async fn log_in(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let rotates = options(&cx.app)?.rotates;
    let LogIn { username, password } = serializer::read(&mut req, &cx.app.config).await?;
    let credentials = Credentials::new(&username, password, Name::default(), Browser::default())
        .styled(SessionStyle::SimpleJwt { rotates });
    let logged_in = flows::log_in(&cx.app, &cx.caller.origin, credentials).await;
    let tokens = logged_in
        .map_err(|error| match error {
            FlowError::BadCredentials => {
                drf::detail(StatusCode::UNAUTHORIZED, "No active account found with the given credentials")
            }
            error => error.into(),
        })?
        .tokens;
    Ok(Reply::json(StatusCode::OK, &PairView { refresh: tokens.refresh, access: tokens.access }))
}

async fn refresh_token(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let RefreshOnly { refresh } = serializer::read(&mut req, &cx.app.config).await?;
    let refreshed = flows::refresh(&cx.app, &cx.caller.origin, &refresh).await;
    let tokens = refreshed.map_err(|error| refused_refresh(&cx.app, &refresh, error))?.tokens;
    let rotates = options(&cx.app)?.rotates;
    let another = drf::another_refresh(&cx.app, &refresh, &tokens, rotates);
    Ok(Reply::json(StatusCode::OK, &RefreshView { access: tokens.access, refresh: another }))
}

async fn verify_token(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let TokenOnly { token } = serializer::read(&mut req, &cx.app.config).await?;
    let good = flows::inspect_token(&cx.app, &token);
    good.map_err(|error| drf::refused_token(&cx.app, &token, None, error))?;
    Ok(Reply::json(StatusCode::OK, &Nothing {}))
}

async fn blacklist_token(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let RefreshOnly { refresh } = serializer::read(&mut req, &cx.app.config).await?;
    let ended = flows::log_out_by_refresh_token(&cx.app, &cx.caller.origin, &refresh).await;
    ended.map_err(|error| refused_refresh(&cx.app, &refresh, error))?;
    Ok(Reply::json(StatusCode::OK, &Nothing {}))
}

fn refused_refresh(app: &App, refresh: &str, error: FlowError) -> ApiError {
    drf::refused_token(app, refresh, Some(KeyUse::Refresh), error)
}
