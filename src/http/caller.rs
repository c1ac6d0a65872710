//! Who is calling: from a request to a proof in the type of `Cx`.
//!
//! The header decides, even a bad one. A cookie, which browsers send by themselves, counts only without a header, and
//! changes something only if the request comes from our own pages.

use warp::http::header::{AUTHORIZATION, HeaderName, ORIGIN};

use crate::app::App;
use crate::domain::{Origin, UserId};
use crate::flows::{self, FlowError};
use crate::http::access::{Access, Gate};
use crate::http::cookies;
use crate::http::error::ApiError;
use crate::http::request::Req;

/// A caller of some kind, made only from a request that may be one.
pub(crate) trait Admit: Sized {
    /// Finds out who it is.
    fn recognize(app: &App, req: &Req) -> Result<Self, ApiError>;

    /// Holds them to what they have to pass.
    fn pass(&self, app: &App, gate: Gate) -> Result<(), ApiError>;

    /// The user that it is, if it is one.
    fn user(&self) -> Option<UserId>;

    fn admit(app: &App, req: &Req, gate: Gate) -> Result<Self, ApiError> {
        let caller = Self::recognize(app, req)?;
        caller.pass(app, gate)?;
        Ok(caller)
    }
}

/// Anybody.
pub(crate) struct Public {
    pub(crate) origin: Origin,
}

impl Admit for Public {
    fn recognize(_app: &App, req: &Req) -> Result<Self, ApiError> {
        Ok(Self { origin: req.origin() })
    }

    fn pass(&self, _app: &App, _gate: Gate) -> Result<(), ApiError> {
        Ok(())
    }

    fn user(&self) -> Option<UserId> {
        None
    }
}

/// A user who showed a valid access token or API key, or whose browser did.
pub(crate) type User = flows::Caller;

impl Admit for User {
    fn recognize(app: &App, req: &Req) -> Result<Self, ApiError> {
        match shown(req)? {
            Some(shown) => Ok(shown.caller(app, req)?),
            None => by_cookie(app, req),
        }
    }

    fn pass(&self, app: &App, gate: Gate) -> Result<(), ApiError> {
        if gate.needs_session {
            self.own_session()?;
        }
        if self.user.password_is_temporary && !gate.takes_temporary_password {
            return Err(ApiError::PasswordChangeRequired);
        }
        let may = match gate.access {
            Access::Public | Access::User => true,
            Access::Superuser => self.user.is_staff && self.user.is_superuser,
            Access::AnyStaff | Access::Staff(_) | Access::StaffWithOneOf(_) => {
                let has = |permission| flows::is_staff_with(app, &self.user, permission);
                let one_of = gate.one_of();
                let has_one = one_of.is_empty() || one_of.iter().any(|one| has(one));
                self.user.is_staff && has_one && gate.permissions().all(has)
            }
        };
        may.then_some(()).ok_or(ApiError::PermissionDenied)
    }

    fn user(&self) -> Option<UserId> {
        Some(self.user.id)
    }
}

/// Takes the access token of the cookie; API keys are not for browsers.
fn by_cookie(app: &App, req: &Req) -> Result<User, ApiError> {
    let token = cookies::only(req.headers(), &app.config.cookies.access_name);
    let token = token.ok_or(ApiError::NotAuthenticated)?;
    refuse_other_sites(app, req)?;
    Ok(flows::authenticate(app, req.origin(), token)?)
}

/// For whatever acts on a cookie: what changes something has to come from a page of `public_url`, or from nobody's page.
/// A browser says so in `Sec-Fetch-Site`; one that does not know it, or meets no TLS, says it in `Origin`.
pub(crate) fn refuse_other_sites(app: &App, req: &Req) -> Result<(), ApiError> {
    let site = only(req, &HeaderName::from_static("sec-fetch-site"));
    // Ours has a host, so it is never the `null` of a page that hides where it is from.
    let is_our_origin =
        |origin| origin == app.config.server.public_url.origin().ascii_serialization().as_str();
    if req.method.is_safe()
        || matches!(site, Some("same-origin" | "none"))
        || only(req, &ORIGIN).is_some_and(is_our_origin)
    {
        Ok(())
    } else {
        Err(ApiError::CrossSite)
    }
}

/// Whether a browser says that another site's page sent this, one that may not call here.
pub(crate) fn is_from_another_site(app: &App, req: &Req) -> bool {
    let origin = only(req, &ORIGIN);
    let is_welcome =
        origin.is_some_and(|origin| app.config.server.cors_origins.iter().any(|one| one == origin));
    let site = only(req, &HeaderName::from_static("sec-fetch-site"));
    let says_so = match site {
        Some(site) => site == "cross-site",
        None => origin.is_some(),
    };
    says_so && !is_welcome && refuse_other_sites(app, req).is_err()
}

/// For what no page may do but our own: a browser says whose page it is, a program says nothing.
pub(crate) fn refuse_other_pages(app: &App, req: &Req) -> Result<(), ApiError> {
    let site = HeaderName::from_static("sec-fetch-site");
    let is_by_browser = req.headers().contains_key(&site) || req.headers().contains_key(ORIGIN);
    let is_ours = match only(req, &site) {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => only(req, &ORIGIN) == Some(&app.config.server.public_url.origin().ascii_serialization()),
    };
    if is_by_browser && !is_ours { Err(ApiError::CrossSite) } else { Ok(()) }
}

/// A header that is there once.
fn only<'a>(req: &'a Req, name: &HeaderName) -> Option<&'a str> {
    let mut values = req.headers().get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

/// What somebody shows in the `Authorization` header.
pub(crate) enum Shown<'a> {
    AccessToken(&'a str),
    ApiKey(&'a str),
    /// What a log-in of a compatibility surface gave.
    SessionKey(&'a str),
}

impl Shown<'_> {
    pub(crate) fn caller(&self, app: &App, req: &Req) -> Result<User, FlowError> {
        match self {
            Self::AccessToken(token) => flows::authenticate(app, req.origin(), token),
            Self::ApiKey(key) => flows::authenticate_by_api_key(app, req.origin(), key),
            Self::SessionKey(key) => flows::authenticate_by_session_key(app, req.origin(), key),
        }
    }
}

/// Reads the `Authorization` header (RFC 6750, section 2.1), if there is one; `Token` is Django's word, for keys only.
/// Credentials in the query are not looked at: they end up in logs.
pub(crate) fn shown(req: &Req) -> Result<Option<Shown<'_>>, ApiError> {
    let mut values = req.headers().get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| ApiError::InvalidToken)?;
    if values.next().is_some() {
        return Err(ApiError::InvalidToken);
    }
    let (scheme, credential) = text.split_once(' ').ok_or(ApiError::NotAuthenticated)?;
    let credential = credential.trim_matches(' ');
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if is_bearer && flows::is_session_key(credential) {
        return Ok(Some(Shown::SessionKey(credential)));
    }
    if is_bearer && !flows::is_api_key(credential) {
        Ok(Some(Shown::AccessToken(credential)))
    } else if is_bearer {
        Ok(Some(Shown::ApiKey(credential)))
    } else if scheme.eq_ignore_ascii_case("token") {
        let is_api_key = flows::is_api_key(credential);
        Ok(Some(if is_api_key { Shown::ApiKey(credential) } else { Shown::SessionKey(credential) }))
    } else {
        Err(ApiError::NotAuthenticated)
    }
}

/// Whether there is an `Authorization` header, be it good or bad: then nothing else says who is calling.
pub(crate) fn has_authorization(req: &Req) -> bool {
    req.headers().contains_key(AUTHORIZATION)
}
