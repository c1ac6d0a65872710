//! Pages of other origins that may call from a browser: `server.cors_origins` (the Fetch standard's CORS protocol).
//!
//! Must never: let in an origin that is not in the list letter by letter, or any with cookies.

use warp::http::Method;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};

use crate::http::request::Req;

/// Made once from the configuration.
pub(crate) struct Cors {
    origins: Vec<HeaderValue>,
}

/// What one answer says about whose pages may read it.
pub(crate) struct Permission {
    origin: Option<HeaderValue>,
    is_preflight: bool,
}

const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
/// What a page may read beyond what every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, x-request-id",
);
/// For so many seconds a browser does not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

impl Cors {
    pub(crate) fn new(origins: &[String]) -> Self {
        Self { origins: origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect() }
    }

    /// None if no page of another origin may ever call: then answers say nothing of it.
    pub(crate) fn permission(&self, req: &Req) -> Option<Permission> {
        if self.origins.is_empty() {
            return None;
        }
        let mut asking = req.headers().get_all(ORIGIN).iter();
        let origin = asking.next().filter(|_| asking.next().is_none());
        Some(Permission {
            origin: origin.filter(|origin| self.origins.contains(origin)).cloned(),
            is_preflight: req.method == Method::OPTIONS
                && req.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD),
        })
    }
}

impl Permission {
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        // Whoever keeps the answer must not give it to another origin.
        headers.append(VARY, HeaderValue::from_static("origin"));
        let Some(origin) = self.origin else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        match headers.get(ALLOW).cloned() {
            Some(methods) if self.is_preflight => {
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
                headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            }
            _ => {
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            }
        }
    }
}
