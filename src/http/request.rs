//! A request, taken apart by warp and bounded here.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use percent_encoding::percent_decode_str;
use warp::Buf;
use warp::http::header::{CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use warp::http::{HeaderMap, Method};

use crate::config::Config;
use crate::domain::Origin;
use crate::http::body::{Body, Fields};
use crate::http::error::{ApiError, INVALID_PARAMETERS};
use crate::http::head::Head;
use crate::http::limits::BODY_TIME;
use crate::http::request_id::RequestId;

/// The bytes of a body as they come.
pub(crate) type BodyStream = Pin<Box<dyn Stream<Item = Option<Vec<u8>>> + Send>>;

/// Turns warp's stream into ours: None is a body that broke off.
pub(crate) fn body_stream<B: Buf, E>(
    stream: impl Stream<Item = Result<B, E>> + Send + 'static,
) -> BodyStream {
    Box::pin(stream.map(|chunk| {
        let mut chunk = chunk.ok()?;
        let mut bytes = vec![0; chunk.remaining()];
        chunk.copy_to_slice(&mut bytes);
        Some(bytes)
    }))
}

/// One request.
pub(crate) struct Req {
    pub(crate) id: RequestId,
    pub(crate) method: Method,
    pub(crate) head: Arc<Head>,
    /// Whose it is, proxies aside.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) body: BodyStream,
    /// A body of more bytes is refused.
    pub(crate) max_body: usize,
    /// Filled in by the router.
    pub(crate) params: Vec<(String, String)>,
}

/// The two kinds of body that a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MediaType {
    Json,
    Form,
}

impl Req {
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A part of the path, decoded. What does not parse names nothing that exists.
    pub(crate) fn param<T: std::str::FromStr>(&self, name: &str) -> Result<T, ApiError> {
        let value = self.params.iter().find(|(param, _)| param == name).map(|(_, value)| value);
        let value = value.and_then(|value| percent_decode_str(value).decode_utf8().ok());
        value.and_then(|value| value.parse().ok()).ok_or(ApiError::NotFound)
    }

    /// A query parameter; none if it is not given, or given twice.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let query = self.head.uri.query().unwrap_or_default();
        let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(param, _)| param == name);
        let value = values.next().map(|(_, value)| value.into_owned());
        value.filter(|_| values.next().is_none())
    }

    /// The query as what the endpoint takes; what it does not know, and what is given twice, is refused.
    pub(crate) fn parameters<B: Body>(&self, config: &Config) -> Result<B, ApiError> {
        let query = self.head.uri.query().unwrap_or_default();
        Fields::of_form(query.as_bytes()).decode(config).map_err(|error| match error {
            ApiError::Invalid(errors, _) => ApiError::Invalid(errors, INVALID_PARAMETERS),
            error => error,
        })
    }

    /// Where it came from. A safe request leaves no trace, so nobody asks more than the address of it.
    pub(crate) fn origin(&self) -> Origin {
        if self.method.is_safe() {
            return Origin { ip: self.ip, ..Origin::default() };
        }
        self.whole_origin()
    }

    /// All that is known of where it came from.
    pub(crate) fn whole_origin(&self) -> Origin {
        let user_agent = self.headers().get(USER_AGENT);
        Origin {
            ip: self.ip,
            user_agent: user_agent
                .and_then(|header| Origin::clean_user_agent(&String::from_utf8_lossy(header.as_bytes()))),
            request_id: Some(self.id.to_string()),
            languages: self.head.languages(),
        }
    }

    /// Reads a JSON body as what the endpoint takes.
    pub(crate) async fn json<B: Body>(&mut self, config: &Config) -> Result<B, ApiError> {
        match media_type(self.headers())? {
            Some(MediaType::Form) => Err(ApiError::UnsupportedMediaType),
            media_type => match (self.bytes().await?, media_type) {
                // Nothing at all is no members: those that are missed say more than "not JSON" would.
                (bytes, _) if bytes.is_empty() => Fields::default().decode(config),
                (bytes, Some(_)) => Fields::of_json(&bytes)?.decode(config),
                (_, None) => Err(ApiError::UnsupportedMediaType),
            },
        }
    }

    /// Whether the body comes from a form of one of our pages.
    pub(crate) fn is_form(&self) -> bool {
        is_form(self.headers())
    }

    /// Reads the body that a form of one of our pages sends.
    pub(crate) async fn form<B: Body>(&mut self, config: &Config) -> Result<B, ApiError> {
        Fields::of_form(&self.bytes().await?).decode(config)
    }

    /// Counts the bytes that really come, not those that a header promises.
    pub(crate) async fn bytes(&mut self) -> Result<Vec<u8>, ApiError> {
        let read = async {
            let mut bytes = Vec::new();
            while let Some(chunk) = self.body.next().await {
                let chunk = chunk.ok_or(ApiError::malformed("The body broke off."))?;
                if bytes.len() + chunk.len() > self.max_body {
                    return Err(ApiError::BodyTooLarge);
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        };
        let too_slow = |_| ApiError::malformed("The body did not come in time.");
        tokio::time::timeout(BODY_TIME, read).await.map_err(too_slow)?
    }
}

/// Whether the body of a request comes from a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    matches!(media_type(headers), Ok(Some(MediaType::Form)))
}

fn media_type(headers: &HeaderMap) -> Result<Option<MediaType>, ApiError> {
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(ApiError::UnsupportedMediaType);
    }
    let Some(header) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let text = header.to_str().map_err(|_| ApiError::UnsupportedMediaType)?;
    let (essence, params) = text.split_once(';').unwrap_or((text, ""));
    let charset_is_utf8 = params.split(';').all(|param| match param.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    match essence.trim().to_ascii_lowercase().as_str() {
        "application/json" if charset_is_utf8 => Ok(Some(MediaType::Json)),
        "application/x-www-form-urlencoded" if charset_is_utf8 => Ok(Some(MediaType::Form)),
        _ => Err(ApiError::UnsupportedMediaType),
    }
}
