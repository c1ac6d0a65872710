//! Headers that every answer has, whatever it answers.

use url::Url;
use warp::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

use crate::http::request_id::RequestId;

/// Made once from the configuration.
pub(crate) struct SecurityHeaders {
    fixed: HeaderMap,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing may load anything or frame it. Pages bring their own, wider policy.
const NO_CONTENT: &str = "default-src 'none'; frame-ancestors 'none'";

impl SecurityHeaders {
    pub(crate) fn new(public_url: &Url) -> Self {
        let text = HeaderValue::from_static;
        // Room for what an answer adds: a copy that has to grow costs as much as all of it.
        let mut fixed = HeaderMap::with_capacity(16);
        fixed.extend([
            (X_CONTENT_TYPE_OPTIONS, text("nosniff")),
            (REFERRER_POLICY, text("no-referrer")),
            (HeaderName::from_static("cross-origin-opener-policy"), text("same-origin")),
            (HeaderName::from_static("cross-origin-resource-policy"), text("same-origin")),
            (HeaderName::from_static("permissions-policy"), text("camera=(), geolocation=(), microphone=()")),
            (CACHE_CONTROL, text("no-store")),
            (CONTENT_SECURITY_POLICY, text(NO_CONTENT)),
        ]);
        if public_url.scheme() == "https" {
            fixed.insert(STRICT_TRANSPORT_SECURITY, text("max-age=31536000"));
        }
        Self { fixed }
    }

    /// What the answer starts with; what it says itself takes the place of these.
    pub(crate) fn of_answer(&self, id: &RequestId) -> HeaderMap {
        let mut headers = self.fixed.clone();
        if let Ok(id) = HeaderValue::try_from(id.to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        headers
    }
}
