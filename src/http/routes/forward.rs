//! Forward auth: a proxy asks whether a request may pass to the program behind it, and whose it is.
//!
//! Must never: answer anybody but a trusted proxy, or leave one of the headers out that name the user: a proxy that copies
//! them would pass on what the client wrote there.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use warp::http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use warp::http::{Method, StatusCode};

use crate::app::App;
use crate::config::Verification;
use crate::domain::{Email, ForwardPolicy, Origin, Password, PlainToken, User, Username};
use crate::flows::{self, Caller, Claim};
use crate::http::asked::Asked;
use crate::http::caller::{Public, has_authorization, shown};
use crate::http::cookies;
use crate::http::endpoint::{Cx, Endpoint, public};
use crate::http::error::ApiError;
use crate::http::next::Next;
use crate::http::reply::Reply;
use crate::http::request::Req;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        public(Method::GET, "/auth/forward/", forward)
            .does(
                "Tells a trusted proxy whether a request may pass to the program behind it, and whose it is.",
            )
            .replies_nothing(StatusCode::OK)
            .replies_nothing(StatusCode::FOUND)
            .replies_nothing(StatusCode::UNAUTHORIZED)
            .replies_nothing(StatusCode::FORBIDDEN),
    ]
}

const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
const REMOTE_NAME: HeaderName = HeaderName::from_static("remote-name");
const REMOTE_EMAIL: HeaderName = HeaderName::from_static("remote-email");
const REMOTE_GROUPS: HeaderName = HeaderName::from_static("remote-groups");

/// For programs that ask for a password themselves. Browsers are not told of it: they would ask, too.
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"Keystead\", charset=\"UTF-8\", Bearer");

async fn forward(cx: Cx<Public>, req: Req) -> Result<Reply, ApiError> {
    let app = &cx.app;
    if !is_from_proxy(app, &req) {
        return Err(ApiError::NotAProxy);
    }
    let asked = Asked::read(req.headers()).ok_or(ApiError::UnclearRequest)?;
    match app.config.forward.rules.policy(&asked.request) {
        ForwardPolicy::Deny => Err(ApiError::PermissionDenied),
        ForwardPolicy::Public => {
            let user = by_token(app, &req).ok().map(|caller| caller.user);
            Ok(passing(app, &req, user.as_deref().filter(|user| !user.password_is_temporary)))
        }
        ForwardPolicy::SignedIn { groups, permissions } => {
            let who = match claim(app, &req) {
                Ok(Some(claim)) => recognized(Arc::clone(app), req.whole_origin(), claim).await,
                Ok(None) => by_token(app, &req).map(|caller| caller.user),
                Err(error) => Err(error),
            };
            match who {
                Ok(user) => {
                    flows::pass(app, &user, groups, permissions)?;
                    Ok(passing(app, &req, Some(&user)))
                }
                Err(error) if error.problem().0 == StatusCode::UNAUTHORIZED => {
                    Ok(asking_to_log_in(app, &req, &asked, &error))
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// It is the peer that counts: whom the request came from says whoever sent it.
fn is_from_proxy(app: &App, req: &Req) -> bool {
    let peer = req.head.peer.map(|peer| peer.ip().to_canonical());
    peer.is_some_and(|peer| app.config.server.is_trusted_proxy(peer))
}

/// Carried through even if the client goes away: a wrong password counts, whoever hears of it.
async fn recognized(app: Arc<App>, origin: Origin, claim: Claim) -> Result<Arc<User>, ApiError> {
    let recognized = tokio::spawn(async move { flows::recognize(&app, &origin, &claim).await }).await;
    Ok(recognized.map_err(|error| ApiError::Internal(error.to_string()))??)
}

/// By whatever needs no slow hash. The header decides, even a bad one; without one, the cookies.
fn by_token(app: &App, req: &Req) -> Result<Caller, ApiError> {
    match shown(req)? {
        Some(shown) => Ok(shown.caller(app, req)?),
        None => by_cookie(app, req),
    }
}

/// The access token comes first: no other host of the domain can have set it.
fn by_cookie(app: &App, req: &Req) -> Result<Caller, ApiError> {
    let cookie = |name: &str| cookies::only(req.headers(), name);
    let access = cookie(&app.config.cookies.access_name);
    let by_access = access.map(|token| flows::authenticate(app, req.origin(), token));
    let forward = cookie(&app.config.forward.cookie_name);
    match (by_access, forward) {
        (Some(Ok(caller)), _) => Ok(caller),
        (_, Some(token)) => Ok(flows::authenticate_by_forward_token(app, req.origin(), token)?),
        (Some(Err(error)), None) => Err(error.into()),
        (None, None) => Err(ApiError::NotAuthenticated),
    }
}

/// A name and a password (RFC 7617), in UTF-8.
fn claim(app: &App, req: &Req) -> Result<Option<Claim>, ApiError> {
    let mut values = req.headers().get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Ok(None) };
    let Some((scheme, text)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let bytes = STANDARD.decode(text.trim_matches(' ')).map_err(|_| ApiError::InvalidCredentials)?;
    let pair = String::from_utf8(bytes).map_err(|_| ApiError::InvalidCredentials)?;
    let (name, password) = pair.split_once(':').ok_or(ApiError::InvalidCredentials)?;
    let password = Password::parse(password).map_err(|_| ApiError::InvalidCredentials)?;
    let device = cookies::only(req.headers(), &app.config.cookies.device_name).and_then(PlainToken::parse);
    Ok(Some(Claim::new(name, password, device)))
}

/// Lets it pass, and says whose it is. All four are there always, so that they take the place of what a client sent.
fn passing(app: &App, req: &Req, user: Option<&User>) -> Reply {
    let email = user.and_then(|user| told_email(app, user)).unwrap_or_default();
    let groups = user.map(|user| flows::directory(app).group_names(user)).unwrap_or_default();
    let groups: Vec<String> =
        groups.iter().map(|group| group.replace('%', "%25").replace(',', "%2C")).collect();
    let reply = Reply::nothing(StatusCode::OK)
        .header(REMOTE_USER, text(&user.map(|user| told_name(user, email)).unwrap_or_default()))
        .header(REMOTE_NAME, text(&user.map(User::full_name).unwrap_or_default()))
        .header(REMOTE_EMAIL, text(email))
        .header(REMOTE_GROUPS, text(&groups.join(",")));
    match cookies::without_ours(&app.config, req.headers()) {
        Some(others) => reply.header(COOKIE, others),
        None => reply,
    }
}

/// One name for each user, and nobody else's: no username begins with `#`, and one that is an address is its owner's. Such a
/// one is told as the address is.
fn told_name(user: &User, email: &str) -> String {
    let is_told = |name: &&Username| !email.is_empty() || Email::parse(name.key().as_str()).is_err();
    match user.username.as_ref().filter(is_told) {
        Some(name) => name.as_str().to_owned(),
        None if email.is_empty() => format!("#{}", user.id),
        None => email.to_owned(),
    }
}

/// An address is told only if it is known to be theirs, or if this service asks nobody to prove that.
fn told_email<'a>(app: &App, user: &'a User) -> Option<&'a str> {
    let is_told = user.email_verified || app.config.registration.verification == Verification::None;
    user.email.as_ref().filter(|_| is_told).map(Email::as_str)
}

/// UTF-8, on one line.
fn text(text: &str) -> HeaderValue {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // Only control characters are no part of a header.
    HeaderValue::from_bytes(line.trim().as_bytes()).unwrap_or(HeaderValue::from_static(""))
}

/// A browser that goes to a page is sent to the log-in, and back; others are told that they have to log in.
fn asking_to_log_in(app: &App, req: &Req, asked: &Asked, error: &ApiError) -> Reply {
    let accepts_html = req.head.accepts_html();
    let is_browser = accepts_html || req.headers().contains_key("sec-fetch-mode");
    let goes_to_page = accepts_html && asked.request.method.is_get() && !has_authorization(req);
    let refusal = error.to_reply(&req.id);
    match login_url(app, asked) {
        Some(url) if goes_to_page && asked.takes_redirect => {
            Reply::nothing(StatusCode::FOUND).header(LOCATION, url)
        }
        Some(url) if goes_to_page => refusal.header(LOCATION, url),
        _ if is_browser => refusal,
        _ => refusal.header(WWW_AUTHENTICATE, BASIC),
    }
}

fn login_url(app: &App, asked: &Asked) -> Option<HeaderValue> {
    let mut url = app.config.server.public_url.join("/account/login/").ok()?;
    if let Some(next) = Next::parse(&app.config, asked.url.as_str()) {
        url.query_pairs_mut().append_pair("next", next.as_str());
    }
    HeaderValue::try_from(url.as_str()).ok()
}
