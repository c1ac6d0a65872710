//! What goes back: a status, headers, and bytes.

use std::time::Duration;

use serde::Serialize;
use warp::http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use warp::http::{HeaderMap, Response, StatusCode};

use crate::domain::Standing;
use crate::http::parts::Parts;

/// An answer. `headers.rs` adds what every answer has.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Body,
}

/// What comes after the headers.
#[derive(Debug)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    Parts(Parts),
}

/// Most views fit, so that their text is written without moving it.
const JSON_BYTES: usize = 512;

const RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

impl Reply {
    pub(crate) fn json<T: Serialize>(status: StatusCode, view: &T) -> Self {
        Self::serialized(status, JSON, view)
    }

    pub(crate) fn problem<T: Serialize>(status: StatusCode, problem: &T) -> Self {
        Self::serialized(status, PROBLEM, problem)
    }

    pub(crate) fn nothing(status: StatusCode) -> Self {
        Self { status, content_type: None, headers: Vec::new(), body: Body::Bytes(Vec::new()) }
    }

    /// Answers OPTIONS.
    pub(crate) fn allow(methods: &str) -> Self {
        let allow = HeaderValue::from_str(methods).unwrap_or(HeaderValue::from_static(""));
        Self::nothing(StatusCode::NO_CONTENT).header(ALLOW, allow)
    }

    pub(crate) fn bytes(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        let content_type = Some(HeaderValue::from_static(content_type));
        Self { status, content_type, headers: Vec::new(), body: Body::Bytes(body) }
    }

    /// A body that is made while it is sent.
    pub(crate) fn parts(status: StatusCode, content_type: &'static str, parts: Parts) -> Self {
        Self { body: Body::Parts(parts), ..Self::bytes(status, content_type, Vec::new()) }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Whether it gives the browser cookies, or takes some away.
    pub(crate) fn sets_cookies(&self) -> bool {
        self.headers.iter().any(|(name, _)| *name == SET_COOKIE)
    }

    /// Says how a limit stands (draft-ietf-httpapi-ratelimit-headers-03).
    pub(crate) fn standing(self, standing: &Standing) -> Self {
        self.header(RATELIMIT_LIMIT, standing.limit.into())
            .header(RATELIMIT_REMAINING, standing.remaining.into())
            .header(RATELIMIT_RESET, whole_secs(standing.reset).into())
    }

    /// The same answer without its body, for HEAD.
    pub(crate) fn without_body(mut self) -> Self {
        self.body = Body::Bytes(Vec::new());
        self
    }

    /// With `headers`, unless the answer has its own of the same name.
    pub(crate) fn into_response(self, mut headers: HeaderMap) -> Response<Body> {
        if let Some(content_type) = self.content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        for (name, value) in self.headers {
            if name == SET_COOKIE {
                headers.append(name, value); // One line for each cookie.
            } else {
                headers.insert(name, value);
            }
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        response
    }

    fn serialized<T: Serialize>(status: StatusCode, content_type: HeaderValue, view: &T) -> Self {
        // The views are plain structs of text, numbers and lists: they always serialize.
        let mut body = Vec::with_capacity(JSON_BYTES);
        serde_json::to_writer(&mut body, view).unwrap_or_default();
        Self { status, content_type: Some(content_type), headers: Vec::new(), body: Body::Bytes(body) }
    }
}

/// Rounded up: whoever waits so long has waited long enough.
pub(crate) fn whole_secs(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}
