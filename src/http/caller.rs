//! Who is calling: from a request to a proof in the type of `Cx`.

use warp::http::header::AUTHORIZATION;

use crate::app::App;
use crate::domain::Origin;
use crate::flows;
use crate::http::error::ApiError;
use crate::http::request::Req;

/// A caller of some kind, made only from a request that may be one.
pub(crate) trait Admit: Sized {
    fn admit(app: &App, req: &Req) -> Result<Self, ApiError>;
}

/// Anybody.
pub(crate) struct Public {
    pub(crate) origin: Origin,
}

impl Admit for Public {
    fn admit(_app: &App, req: &Req) -> Result<Self, ApiError> {
        Ok(Self { origin: req.origin() })
    }
}

/// A user who showed a valid access token or API key.
pub(crate) type User = flows::Caller;

impl Admit for User {
    fn admit(app: &App, req: &Req) -> Result<Self, ApiError> {
        Ok(match shown(req)?.ok_or(ApiError::NotAuthenticated)? {
            Shown::AccessToken(token) => flows::authenticate(app, req.origin(), token)?,
            Shown::ApiKey(key) => flows::authenticate_by_api_key(app, req.origin(), key)?,
        })
    }
}

/// What somebody shows in the `Authorization` header.
enum Shown<'a> {
    AccessToken(&'a str),
    ApiKey(&'a str),
}

/// Reads the `Authorization` header (RFC 6750, section 2.1), if there is one; `Token` is Django's word, for keys only.
/// Credentials in the query are not looked at: they end up in logs.
fn shown(req: &Req) -> Result<Option<Shown<'_>>, ApiError> {
    let mut values = req.headers().get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| ApiError::InvalidToken)?;
    if values.next().is_some() {
        return Err(ApiError::InvalidToken);
    }
    let (scheme, credential) = text.split_once(' ').ok_or(ApiError::NotAuthenticated)?;
    let credential = credential.trim_matches(' ');
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if is_bearer && !flows::is_api_key(credential) {
        Ok(Some(Shown::AccessToken(credential)))
    } else if is_bearer || scheme.eq_ignore_ascii_case("token") {
        Ok(Some(Shown::ApiKey(credential)))
    } else {
        Err(ApiError::NotAuthenticated)
    }
}

/// Whether there is an `Authorization` header, be it good or bad: then nothing else says who is calling.
pub(crate) fn has_authorization(req: &Req) -> bool {
    req.headers().contains_key(AUTHORIZATION)
}
