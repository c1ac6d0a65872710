//! The wire of dj-rest-auth over allauth (2.1.7 and later), at `/api/authentication/` and `/api/registration/`.
//!
//! Safer than it was: a key belongs to one log-in; the old password is asked for; logging out always takes the cookies;
//! a PUT with one's own name is no conflict; nobody is logged in by a session cookie that they did not ask for.

mod bodies;

use bodies::{
    ChangePassword, Detail, GrantView, KeyOnly, LogIn, LogOut, NewAccount, Nothing, RefreshOnly, RefreshView,
    ResetPassword, UpdateUser, UserDetails,
};
use warp::http::{Method, StatusCode};

use crate::app::App;
use crate::config::{CompatNames, CompatTokens, DjRestAuthConfig, LimitKind};
use crate::domain::{
    Change, Code, KeyUse, Name, Origin, Password, PlainToken, ProfileChange, SessionStyle, UserId,
};
use crate::flows::{
    self, Browser, Caller, Credentials, FlowError, LoggedIn, Register, Registered, ResetLink, Whose,
};
use crate::http::access::{Access, Gate};
use crate::http::caller::{self, Admit, Public, Shown};
use crate::http::compat::bodies::{EmailOnly, TokenOnly};
use crate::http::compat::drf;
use crate::http::compat::serializer::{self, Takes};
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint, Surface, endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;
use crate::http::views::Time;

static SURFACE: Surface = Surface { name: "dj-rest-auth", tell: drf::tell };

pub(super) fn endpoints() -> Vec<Endpoint> {
    let update = |method| {
        member(method, "/api/authentication/user/", update_user)
            .does("Changes the caller's names.")
            .takes::<UpdateUser>()
            .replies::<UserDetails>(StatusCode::OK)
    };
    let endpoints = vec![
        public(Method::POST, "/api/authentication/login/", log_in)
            .does("Logs in with a username or an email address: a pair of tokens, or one key.")
            .limited_by(LimitKind::Login)
            .takes::<LogIn>()
            .replies::<GrantView>(StatusCode::OK),
        public(Method::POST, "/api/authentication/logout/", log_out)
            .does("Ends the session of the credential, of `refresh`, or of the cookies.")
            .takes::<LogOut>()
            .replies::<Detail>(StatusCode::OK),
        member(Method::GET, "/api/authentication/user/", view_user)
            .does("The caller.")
            .takes_temporary_password()
            .replies::<UserDetails>(StatusCode::OK),
        update(Method::PUT),
        update(Method::PATCH),
        member(Method::POST, "/api/authentication/password/change/", change_password)
            .does("Changes the caller's password, for the old one. All other sessions end.")
            .needs_session()
            .takes_temporary_password()
            .limited_by(LimitKind::Password)
            .takes::<ChangePassword>()
            .replies::<Detail>(StatusCode::OK),
        public(Method::POST, "/api/authentication/password/reset/", request_reset)
            .does("Mails a link to a new password. The answer is always the same.")
            .limited_by(LimitKind::Reset)
            .takes::<EmailOnly>()
            .replies::<Detail>(StatusCode::OK),
        public(Method::POST, "/api/authentication/password/reset/confirm/", reset_password)
            .does("Sets a new password with what the link in the mail brought; `uid` in base 64 or base 36.")
            .limited_by(LimitKind::Reset)
            .takes::<ResetPassword>()
            .replies::<Detail>(StatusCode::OK),
        public(Method::POST, "/api/authentication/token/verify/", verify_token)
            .does("Whether a token is good now.")
            .takes::<TokenOnly>()
            .replies::<Nothing>(StatusCode::OK),
        public(Method::POST, "/api/authentication/token/refresh/", refresh_token)
            .does("Another access token for a refresh token, of the body or of the cookie.")
            .takes::<RefreshOnly>()
            .replies::<RefreshView>(StatusCode::OK),
        public(Method::POST, "/api/registration/", register)
            .does("Registers.")
            .limited_by(LimitKind::Register)
            .takes::<NewAccount>()
            .replies::<GrantView>(StatusCode::CREATED),
        public(Method::POST, "/api/registration/verify-email/", verify_email)
            .does("Confirms an address with the long code of the link in the mail.")
            .limited_by(LimitKind::Verify)
            .takes::<KeyOnly>()
            .replies::<Detail>(StatusCode::OK),
        public(Method::POST, "/api/registration/resend-email/", resend_email)
            .does("Mails another code. The answer is always the same.")
            .limited_by(LimitKind::Verify)
            .takes::<EmailOnly>()
            .replies::<Detail>(StatusCode::OK),
    ];
    endpoints.into_iter().map(|endpoint| endpoint.of(&SURFACE)).collect()
}

/// An endpoint for whoever logged in, by header or by the cookie of this surface.
fn member<F, A>(method: Method, path: &'static str, handler: F) -> Endpoint
where
    F: Fn(Cx<Member>, Req) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    endpoint(method, path, Access::User, handler)
}

fn options(app: &App) -> Result<&DjRestAuthConfig, ApiError> {
    app.config.compat.dj_rest_auth.as_ref().ok_or(ApiError::NotFound)
}

/// Somebody who logged in.
struct Member(Caller);

impl Admit for Member {
    fn recognize(app: &App, req: &Req) -> Result<Self, ApiError> {
        identify(app, req).map(Self).map_err(|error| forbidden(app, error))
    }

    fn pass(&self, app: &App, gate: Gate) -> Result<(), ApiError> {
        self.0.pass(app, gate)
    }

    fn user(&self) -> Option<UserId> {
        self.0.user()
    }
}

fn identify(app: &App, req: &Req) -> Result<Caller, ApiError> {
    if let Some(shown) = caller::shown(req)? {
        return shown.caller(app, req).map_err(|error| match (error, shown) {
            (FlowError::InvalidToken, Shown::AccessToken(token)) => drf::refused_access(app, token),
            (FlowError::InvalidToken, _) => drf::detail(StatusCode::UNAUTHORIZED, "Invalid token."),
            (error, _) => error.into(),
        });
    }
    let name = options(app)?.access_cookie.as_ref();
    let token = name.and_then(|name| cookies::only(req.headers(), name)).ok_or(ApiError::NotAuthenticated)?;
    caller::refuse_other_sites(app, req)?;
    flows::authenticate(app, req.origin(), token).map_err(|error| match error {
        FlowError::InvalidToken => drf::refused_access(app, token),
        error => error.into(),
    })
}

/// Where Django's session authentication came first, nobody was ever told 401.
fn forbidden(app: &App, error: ApiError) -> ApiError {
    let is_forbidden = options(app).is_ok_and(|options| options.is_forbidden);
    match drf::said(&error) {
        (StatusCode::UNAUTHORIZED, body) if is_forbidden => ApiError::Told(StatusCode::FORBIDDEN, body),
        _ => error,
    }
}

async fn log_in(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let (app, options) = (&cx.app, options(&cx.app)?);
    // A form needs nobody's leave to be sent from anywhere: nobody is to be logged in by it as somebody else.
    if caller::is_from_another_site(app, &req) {
        return Err(ApiError::CrossSite);
    }
    let LogIn { username, email, password } = serializer::read(&mut req, &app.config).await?;
    let who = email
        .or(username)
        .ok_or_else(|| drf::non_field("Must include either \"username\" or \"email\" and \"password\"."))?;
    let old = cookies::only(req.headers(), &app.config.cookies.device_name).and_then(PlainToken::parse);
    let browser = Browser::renamed(old);
    let name = browser.new.clone();
    let credentials = Credentials::new(&who, password, Name::default(), browser);
    let reply = grant(app, options, &cx.caller.origin, credentials, StatusCode::OK).await?;
    Ok(match (reply, name) {
        (Granted { reply, logged_in: Some(logged_in) }, Some(name)) => {
            let reply = give_cookies(app, options, reply, &logged_in);
            if options.access_cookie.is_some() { cookies::name_browser(app, reply, &name) } else { reply }
        }
        (Granted { reply, .. }, _) => reply,
    })
}

struct Granted {
    reply: Reply,
    /// None where a key was given.
    logged_in: Option<LoggedIn>,
}

/// Logs in and gives what this surface is configured to give.
async fn grant(
    app: &App,
    options: &DjRestAuthConfig,
    origin: &Origin,
    credentials: Credentials,
    status: StatusCode,
) -> Result<Granted, ApiError> {
    let refused = |error| match error {
        FlowError::BadCredentials => drf::non_field("Unable to log in with provided credentials."),
        error => error.into(),
    };
    if options.tokens == CompatTokens::Key {
        let (_user, key) = flows::log_in_for_key(app, origin, credentials).await.map_err(refused)?;
        let view = GrantView { key: Some(key.expose().clone()), ..GrantView::default() };
        return Ok(Granted { reply: Reply::json(status, &view), logged_in: None });
    }
    let style = SessionStyle::SimpleJwt { rotates: options.rotates };
    let logged_in = flows::log_in(app, origin, credentials.styled(style)).await.map_err(refused)?;
    let (access, refresh) = (Some(logged_in.tokens.access.clone()), Some(logged_in.tokens.refresh.clone()));
    let user = Some(UserDetails::from(&*logged_in.user));
    let view = match options.names {
        CompatNames::Current => GrantView { access, refresh, user, ..GrantView::default() },
        CompatNames::V2 => {
            let (access_token, refresh_token) = (access, refresh);
            GrantView { access_token, refresh_token, user, ..GrantView::default() }
        }
    };
    Ok(Granted { reply: Reply::json(status, &view), logged_in: Some(logged_in) })
}

fn give_cookies(app: &App, options: &DjRestAuthConfig, reply: Reply, logged_in: &LoggedIn) -> Reply {
    let tokens = &logged_in.tokens;
    let reply = match &options.access_cookie {
        Some(name) => cookies::give_access(app, reply, name, tokens),
        None => reply,
    };
    match &options.refresh_cookie {
        Some(name) => cookies::give_refresh(app, reply, name, tokens),
        None => reply,
    }
}

async fn log_out(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let (app, options, origin) = (&cx.app, options(&cx.app)?, &cx.caller.origin);
    if caller::is_from_another_site(app, &req) {
        return Err(ApiError::CrossSite);
    }
    let LogOut { refresh } = serializer::read(&mut req, &app.config).await?;
    if let Ok(Member(caller)) = Member::admit(app, &req, Gate::USER) {
        end(app, &caller).await?;
    }
    let cookie = options.refresh_cookie.as_ref().and_then(|name| cookies::only(req.headers(), name));
    let cookie = cookie.filter(|_| caller::refuse_other_sites(app, &req).is_ok());
    for token in refresh.as_deref().into_iter().chain(cookie) {
        match flows::log_out_by_refresh_token(app, origin, token).await {
            // Good for nothing any more: as good as logged out.
            Ok(()) | Err(FlowError::InvalidToken) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let reply = Reply::json(StatusCode::OK, &Detail { detail: "Successfully logged out." });
    let names = [&options.access_cookie, &options.refresh_cookie].into_iter().flatten();
    Ok(names.fold(reply, |reply, name| cookies::take(app, reply, name)))
}

/// An API key, which is nobody's log-in, stays.
async fn end(app: &App, caller: &Caller) -> Result<(), ApiError> {
    match flows::log_out(app, caller).await {
        Ok(()) | Err(FlowError::SessionRequired) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn view_user(cx: Cx<Member>, _req: Req) -> Result<Reply, ApiError> {
    Ok(Reply::json(StatusCode::OK, &UserDetails::from(&*cx.caller.0.user)))
}

async fn update_user(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let is_whole = req.method == Method::PUT;
    let UpdateUser { username, first_name, last_name } = serializer::read(&mut req, &cx.app.config).await?;
    if is_whole && username.is_none() {
        return Err(drf::field("username", "This field is required."));
    }
    let set = |name: Option<Name>| name.map_or(Change::Keep, Change::Set);
    let change = ProfileChange {
        username: username.map_or(Change::Keep, Change::Set),
        first_name: set(first_name),
        last_name: set(last_name),
        avatar: Change::Keep,
    };
    let user = flows::update_profile(&cx.app, &cx.caller.0, change).await.map_err(drf::refused)?;
    Ok(Reply::json(StatusCode::OK, &UserDetails::from(&*user)))
}

async fn change_password(cx: Cx<Member>, mut req: Req) -> Result<Reply, ApiError> {
    let body: ChangePassword = serializer::read(&mut req, &cx.app.config).await?;
    let new = matching(body.new_password1, &body.new_password2)?;
    let changed = flows::change_password(&cx.app, &cx.caller.0, &body.old_password, new).await;
    changed.map_err(|error| match error {
        FlowError::Invalid("old_password", _) => {
            drf::field("old_password", "Your old password was entered incorrectly. Please enter it again.")
        }
        FlowError::Invalid(_, broken) => drf::field_of("new_password2", broken),
        error => error.into(),
    })?;
    Ok(Reply::json(StatusCode::OK, &Detail { detail: "New password has been saved." }))
}

async fn request_reset(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let EmailOnly { email } = serializer::read(&mut req, &cx.app.config).await?;
    flows::request_reset(&cx.app, &cx.caller.origin, &email).await?;
    Ok(Reply::json(StatusCode::OK, &Detail { detail: "Password reset e-mail has been sent." }))
}

async fn reset_password(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let body: ResetPassword = serializer::read(&mut req, &cx.app.config).await?;
    let new = matching(body.new_password1, &body.new_password2)?;
    let links = ResetLink::parse_either(&body.uid, &body.token);
    let link = links.into_iter().find(|link| flows::check_reset(&cx.app, link).is_ok());
    let wrong = || drf::field("token", "Invalid value");
    let link = link.ok_or_else(wrong)?;
    let reset = flows::reset_password(&cx.app, &cx.caller.origin, link, new).await;
    reset.map_err(|error| match error {
        FlowError::InvalidLink => wrong(),
        FlowError::Invalid(_, broken) => drf::field_of("new_password2", broken),
        error => error.into(),
    })?;
    let detail = "Password has been reset with the new password.";
    Ok(Reply::json(StatusCode::OK, &Detail { detail }))
}

async fn verify_token(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let TokenOnly { token } = serializer::read(&mut req, &cx.app.config).await?;
    flows::inspect_token(&cx.app, &token)
        .map_err(|error| drf::refused_token(&cx.app, &token, None, error))?;
    Ok(Reply::json(StatusCode::OK, &Nothing {}))
}

async fn refresh_token(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let (app, options) = (&cx.app, options(&cx.app)?);
    let RefreshOnly { refresh } = serializer::read(&mut req, &app.config).await?;
    let is_by_cookie = refresh.is_none();
    let cookie = options.refresh_cookie.as_ref().and_then(|name| cookies::only(req.headers(), name));
    let none = || drf::token_not_valid("No valid refresh token found.");
    let token = refresh.or(cookie.map(str::to_owned)).ok_or_else(none)?;
    if is_by_cookie {
        caller::refuse_other_sites(app, &req)?;
    }
    let refreshed = flows::refresh(app, &cx.caller.origin, &token).await;
    let refreshed =
        refreshed.map_err(|error| drf::refused_token(app, &token, Some(KeyUse::Refresh), error))?;
    let tokens = &refreshed.tokens;
    let expiration = Some(Time(tokens.access_expires_at));
    let (access_expiration, access_token_expiration) = match options.names {
        CompatNames::Current => (expiration, None),
        CompatNames::V2 => (None, expiration),
    };
    let refresh = drf::another_refresh(app, &token, tokens, options.rotates);
    let access = tokens.access.clone();
    let view = RefreshView { access, access_expiration, access_token_expiration, refresh };
    let reply = Reply::json(StatusCode::OK, &view);
    Ok(if is_by_cookie { give_cookies(app, options, reply, &refreshed) } else { reply })
}

async fn register(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let (app, options, origin) = (&cx.app, options(&cx.app)?, &cx.caller.origin);
    let NewAccount { username, email, password1, password2 } =
        serializer::read(&mut req, &app.config).await?;
    if password1.as_password().expose() != password2.expose() {
        return Err(drf::non_field("The two password fields didn't match."));
    }
    let (password, first_name, last_name) = (password1, Name::default(), Name::default());
    let wish = Register { email, password, username, first_name, last_name, avatar: None };
    let registered = flows::register(app, origin, wish).await.map_err(|error| match error {
        FlowError::EmailTaken => {
            drf::field("email", "A user is already registered with this e-mail address.")
        }
        error => drf::refused(error),
    })?;
    match registered {
        Registered::VerificationRequired { .. } => {
            Ok(Reply::json(StatusCode::CREATED, &Detail { detail: "Verification e-mail sent." }))
        }
        Registered::User(user) => {
            let credentials = Credentials::new(&user.label(), password2, Name::default(), Browser::default());
            Ok(grant(app, options, origin, credentials, StatusCode::CREATED).await?.reply)
        }
    }
}

async fn verify_email(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let KeyOnly { key } = serializer::read(&mut req, &cx.app.config).await?;
    let key = PlainToken::parse(&key).ok_or(ApiError::NotFound)?;
    match flows::confirm_email(&cx.app, &cx.caller.origin, Code::Long(key), None).await {
        Ok(_user) => Ok(Reply::json(StatusCode::OK, &Detail { detail: "ok" })),
        Err(FlowError::InvalidCode) => Err(ApiError::NotFound),
        Err(error) => Err(error.into()),
    }
}

async fn resend_email(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let EmailOnly { email } = serializer::read(&mut req, &cx.app.config).await?;
    flows::resend_verification(&cx.app, &cx.caller.origin, Whose::Email(email)).await?;
    Ok(Reply::json(StatusCode::OK, &Detail { detail: "ok" }))
}

/// Both are the same.
fn matching(first: Password, second: &Password) -> Result<Password, ApiError> {
    if first.expose() == second.expose() {
        Ok(first)
    } else {
        Err(drf::field("new_password2", "The two password fields didn’t match."))
    }
}
