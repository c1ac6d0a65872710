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

/// A user who showed a valid access token.
pub(crate) type User = flows::Caller;

impl Admit for User {
    fn admit(app: &App, req: &Req) -> Result<Self, ApiError> {
        let token = bearer_token(req)?.ok_or(ApiError::NotAuthenticated)?;
        Ok(flows::authenticate(app, req.origin(), token)?)
    }
}

/// The token of the `Authorization` header (RFC 6750, section 2.1), if there is one. Tokens in the query are not
/// looked at: they end up in logs.
pub(crate) fn bearer_token(req: &Req) -> Result<Option<&str>, ApiError> {
    let mut values = req.headers().get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| ApiError::InvalidToken)?;
    match text.split_once(' ') {
        _ if values.next().is_some() => Err(ApiError::InvalidToken),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim_matches(' '))),
        _ => Err(ApiError::NotAuthenticated),
    }
}
