//! What this wire has for everybody: registering, logging in, a new password.

use serde_json::json;
use warp::http::{Method, StatusCode};

use super::bodies::{LogIn, NewAccount, PairView, RefreshOnly, ResetPassword};
use super::envelope::{Enveloped, Said, bad_credentials, enveloped, message, says};
use crate::app::App;
use crate::config::LimitKind;
use crate::domain::{Code, Email, KeyUse, Name, SessionStyle};
use crate::flows::{
    self, Browser, Credentials, EmailStanding, FlowError, Register, ResetLink, Tokens, Whose,
};
use crate::http::caller::Public;
use crate::http::compat::bodies::EmailOnly;
use crate::http::compat::drf;
use crate::http::compat::serializer::{self, Takes};
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::reply::Reply;
use crate::http::request::Req;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::POST, "/api/auth/register/", register)
            .does("Registers, and mails a code. The answer is the same for an address that is taken.")
            .limited_by(LimitKind::Register)
            .takes::<NewAccount>()
            .replies::<Said>(StatusCode::CREATED),
        public(Method::POST, "/api/auth/register/resend_email_verify/", resend_email)
            .does("Mails another code. The answer is always the same.")
            .limited_by(LimitKind::Verify)
            .takes::<EmailOnly>()
            .replies::<Said>(StatusCode::OK),
        public(Method::GET, "/api/auth/register/verify", verify_email)
            .does("Confirms an address.")
            .limited_by(LimitKind::Verify)
            .query("code", "The long code of the link in the mail, or its eight digits with `email`.")
            .query("email", "Whose eight digits these are.")
            .replies::<Said>(StatusCode::OK),
        public(Method::POST, "/api/auth/login/", log_in)
            .does("Logs in: a pair of tokens.")
            .limited_by(LimitKind::Login)
            .takes::<LogIn>()
            .replies::<Enveloped<PairView>>(StatusCode::OK),
        public(Method::POST, "/api/auth/token/refresh/", refresh_token)
            .does("Uses up a refresh token for a new pair of tokens.")
            .takes::<RefreshOnly>()
            .replies::<Enveloped<PairView>>(StatusCode::OK),
        public(Method::POST, "/api/auth/password/request_change/", request_reset)
            .does("Mails a link to a new password. The answer is always the same.")
            .limited_by(LimitKind::Reset)
            .takes::<EmailOnly>()
            .replies::<Said>(StatusCode::OK),
        public(Method::GET, "/api/auth/password/verify/{uidb64}/{token}/", check_reset)
            .does("Whether what the link in the mail brought is good now.")
            .limited_by(LimitKind::Reset)
            .replies::<Said>(StatusCode::OK),
        public(Method::PUT, "/api/auth/password/reset/", reset_password)
            .does("Sets a new password with what the link in the mail brought. All log-ins end.")
            .limited_by(LimitKind::Reset)
            .takes::<ResetPassword>()
            .replies::<Said>(StatusCode::OK),
    ]
}

async fn register(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let body: NewAccount = serializer::read(&mut req, &cx.app.config).await?;
    if exact_standing(&cx.app, &body.email)?
        .is_some_and(|standing| matches!(standing, EmailStanding::Verified | EmailStanding::Disabled))
    {
        return Err(email_exists());
    }
    if body.password.as_password().expose() != body.password2.expose() {
        return Err(drf::field("passwords_do_not_match", "Passwords do not match"));
    }
    let NewAccount { email, first_name, last_name, password, password2: _ } = body;
    let (email, username, avatar) = (Some(email), None, None);
    let wish = Register { email, password, username, first_name, last_name, avatar };
    let registered = flows::register(&cx.app, &cx.caller.origin, wish).await;
    registered.map_err(|error| match error {
        FlowError::EmailTaken => email_exists(),
        error => drf::refused(error),
    })?;
    Ok(says(StatusCode::CREATED, "Registration successful"))
}

fn email_exists() -> ApiError {
    drf::field("invalid_email", "The email already exists")
}

async fn resend_email(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let EmailOnly { email } = serializer::read(&mut req, &cx.app.config).await?;
    let wrong = match exact_standing(&cx.app, &email)? {
        None | Some(EmailStanding::Waiting) => None,
        Some(EmailStanding::Unknown) => Some("Email not found"),
        Some(EmailStanding::Verified) => Some("Email already verified"),
        Some(EmailStanding::Disabled) => Some("Verification code not found"),
    };
    if let Some(wrong) = wrong {
        return Err(message(StatusCode::BAD_REQUEST, &json!([wrong])));
    }
    flows::resend_verification(&cx.app, &cx.caller.origin, Whose::Email(email)).await?;
    Ok(says(StatusCode::OK, "Verification email sent successfully"))
}

/// The one thing that a GET changes here, as it did there. What only looks ahead with HEAD changes nothing.
async fn verify_email(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    if req.method == Method::HEAD {
        return Ok(Reply::nothing(StatusCode::NO_CONTENT));
    }
    let code = req.query("code").ok_or_else(|| drf::field("code", "This field may not be null."))?;
    if code.trim().is_empty() {
        return Err(drf::field("code", "This field may not be blank."));
    }
    let wrong = || message(StatusCode::BAD_REQUEST, &json!(["Invalid verification code - Error 2"]));
    let whose = req.query("email").and_then(|email| Email::parse(&email).ok()).map(Whose::Email);
    let code = Code::parse(code.trim()).ok_or_else(wrong)?;
    match flows::confirm_email(&cx.app, &cx.caller.origin, code, whose).await {
        Ok(_user) => Ok(says(StatusCode::OK, "Email Verification Successful")),
        Err(FlowError::InvalidCode) => Err(wrong()),
        Err(error) => Err(error.into()),
    }
}

async fn log_in(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let LogIn { email, password } = serializer::read(&mut req, &cx.app.config).await?;
    let credentials = Credentials::new(email.as_str(), password, Name::default(), Browser::default())
        .styled(SessionStyle::SimpleJwt { rotates: true });
    match flows::log_in(&cx.app, &cx.caller.origin, credentials).await {
        Ok(logged_in) => Ok(pair(logged_in.tokens)),
        Err(FlowError::BadCredentials) => Err(bad_credentials()),
        Err(error) => Err(error.into()),
    }
}

async fn refresh_token(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let RefreshOnly { refresh_token } = serializer::read(&mut req, &cx.app.config).await?;
    let refreshed = flows::refresh(&cx.app, &cx.caller.origin, &refresh_token).await;
    let refused = |error| drf::refused_token(&cx.app, &refresh_token, Some(KeyUse::Refresh), error);
    Ok(pair(refreshed.map_err(refused)?.tokens))
}

fn pair(tokens: Tokens) -> Reply {
    let view = PairView { access_token: tokens.access, refresh_token: tokens.refresh };
    enveloped(StatusCode::OK, &view)
}

async fn request_reset(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let EmailOnly { email } = serializer::read(&mut req, &cx.app.config).await?;
    if exact_standing(&cx.app, &email)? == Some(EmailStanding::Unknown) {
        return Err(bad_credentials());
    }
    flows::request_reset(&cx.app, &cx.caller.origin, &email).await?;
    Ok(says(StatusCode::OK, "We've sent you a link to reset your password"))
}

async fn check_reset(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let (uid, token): (String, String) = (req.param("uidb64")?, req.param("token")?);
    let link = ResetLink::parse(&uid, &token).ok_or(FlowError::InvalidLink);
    match link.and_then(|link| flows::check_reset(&cx.app, &link)) {
        Ok(()) => Ok(says(StatusCode::OK, "Valid codes")),
        Err(FlowError::InvalidLink) => Ok(says(StatusCode::UNAUTHORIZED, "Invalid or expired codes")),
        Err(error) => Err(error.into()),
    }
}

async fn reset_password(cx: Cx<Public>, mut req: Req) -> Result<Reply, ApiError> {
    let body: ResetPassword = serializer::read(&mut req, &cx.app.config).await?;
    if body.password.expose() != body.password2.expose() {
        return Err(drf::non_field("The passwords do not match, please enter again."));
    }
    let wrong = || drf::non_field("Invalid credentials");
    let link = ResetLink::parse(&body.uidb64, &body.token).ok_or_else(wrong)?;
    let reset = flows::reset_password(&cx.app, &cx.caller.origin, link, body.password).await;
    reset.map_err(|error| match error {
        FlowError::InvalidLink => wrong(),
        FlowError::Invalid(_, broken) => drf::field_of("password", broken),
        error => error.into(),
    })?;
    Ok(says(StatusCode::OK, "Password reset successfully"))
}

/// What an address is here, if everybody may know.
fn exact_standing(app: &App, email: &Email) -> Result<Option<EmailStanding>, FlowError> {
    let is_exact = app.config.compat.dj_auth_api.as_ref().is_some_and(|options| options.exact_errors);
    is_exact.then(|| EmailStanding::of(app, email)).transpose()
}
