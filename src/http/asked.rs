//! The request that a proxy asks about, as it tells it: in `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri` (Caddy,
//! Traefik), or in `X-Original-Method` and `X-Original-URL` (nginx).
//!
//! Proxies pass on what clients send in headers that they do not set themselves. Must never: choose one of two values, or
//! one of two stories.

use url::Url;
use warp::http::{HeaderMap, HeaderName};

use crate::domain::{ForwardRequest, RequestHost, RequestMethod, RequestPath};

const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");

/// A request that waits at a proxy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) request: ForwardRequest,
    /// What the client asked for, to come back to.
    pub(crate) url: Url,
    /// Whether the proxy hands a redirect on to the client. nginx hands on only that it was refused.
    pub(crate) takes_redirect: bool,
}

/// It is told in two ways, or in none that can be read.
#[derive(Debug)]
struct Unclear;

/// What was told, word for word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told<'a> {
    method: Option<&'a str>,
    proto: Option<&'a str>,
    host: Option<&'a str>,
    uri: Option<&'a str>,
}

impl Asked {
    /// None: it is not told, not told clearly, or told in two ways.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let forwarded = Told::forwarded(headers).ok()?;
        let Some(original) = Told::original(headers).ok()? else { return Self::of(forwarded, true) };
        if forwarded.contradicts(original) { None } else { Self::of(original, false) }
    }

    fn of(told: Told<'_>, takes_redirect: bool) -> Option<Self> {
        let Told { method: Some(method), proto: Some(proto), host: Some(host), uri: Some(uri) } = told else {
            return None;
        };
        if !matches!(proto, "http" | "https") {
            return None;
        }
        let path = uri.split_once('?').map_or(uri, |(path, _)| path);
        let request = ForwardRequest {
            method: RequestMethod::parse(method)?,
            host: RequestHost::parse(host)?,
            path: RequestPath::parse(path)?,
        };
        let url = Url::parse(&format!("{proto}://{host}{uri}")).ok()?;
        Some(Self { request, url, takes_redirect })
    }
}

impl<'a> Told<'a> {
    fn forwarded(headers: &'a HeaderMap) -> Result<Self, Unclear> {
        Ok(Self {
            method: once(headers, &FORWARDED_METHOD)?,
            proto: once(headers, &FORWARDED_PROTO)?,
            host: once(headers, &FORWARDED_HOST)?,
            uri: once(headers, &FORWARDED_URI)?,
        })
    }

    /// None: not told in this way.
    fn original(headers: &'a HeaderMap) -> Result<Option<Self>, Unclear> {
        match (once(headers, &ORIGINAL_METHOD)?, once(headers, &ORIGINAL_URL)?) {
            (None, None) => Ok(None),
            (Some(method), Some(url)) => {
                let (proto, rest) = url.split_once("://").ok_or(Unclear)?;
                let (host, uri) = rest.split_at(rest.find('/').ok_or(Unclear)?);
                Ok(Some(Self { method: Some(method), proto: Some(proto), host: Some(host), uri: Some(uri) }))
            }
            _ => Err(Unclear),
        }
    }

    /// Whether anything of it is another story.
    fn contradicts(self, other: Self) -> bool {
        let pairs = [
            (self.method, other.method),
            (self.proto, other.proto),
            (self.host, other.host),
            (self.uri, other.uri),
        ];
        pairs.iter().any(|(own, other)| own.is_some() && own != other)
    }
}

/// The text of a header that is there once at most.
fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Unclear> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => std::str::from_utf8(value.as_bytes()).map(Some).map_err(|_| Unclear),
        (Some(_), Some(_)) => Err(Unclear),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    const CADDY: [(&str, &str); 4] = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.example.com:8443"),
        ("x-forwarded-uri", "/a%20b/?x=/..;&y=%zz"),
    ];
    const NGINX: [(&str, &str); 2] = [
        ("x-original-method", "GET"),
        ("x-original-url", "https://app.example.com:8443/a%20b/?x=/..;&y=%zz"),
    ];

    fn read(lines: &[(&str, &str)]) -> Option<Asked> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::try_from(*name).expect("a name");
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        Asked::read(&headers)
    }

    fn and(lines: &[(&'static str, &'static str)], more: (&'static str, &'static str)) -> Option<Asked> {
        read(&[lines, &[more]].concat())
    }

    #[test]
    fn both_ways_of_telling_tell_the_same() {
        let (caddy, nginx) = (read(&CADDY).expect("told"), read(&NGINX).expect("told"));

        assert_eq!((&caddy.request, &caddy.url), (&nginx.request, &nginx.url));
        assert!(caddy.takes_redirect && !nginx.takes_redirect);
        assert_eq!(caddy.url.as_str(), "https://app.example.com:8443/a%20b/?x=/..;&y=%zz");
        let both = read(&[&NGINX[..], &CADDY].concat());
        assert_eq!(both, Some(nginx));
    }

    #[test]
    fn another_story_beside_the_first_is_none() {
        for lie in [
            ("x-forwarded-method", "HEAD"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "app.example.com"),
            ("x-forwarded-uri", "/health"),
            ("x-forwarded-uri", ""),
            ("x-original-url", "https://app.example.com:8443/health"),
            ("x-original-method", "GET"),
        ] {
            assert_eq!(and(&NGINX, lie), None, "{lie:?}");
            assert_eq!(and(&CADDY, lie), None, "{lie:?}");
        }
    }

    #[test]
    fn what_is_missing_or_strange_is_none() {
        for left_out in 0..CADDY.len() {
            let mut lines = CADDY.to_vec();
            lines.remove(left_out);
            assert_eq!(read(&lines), None, "{lines:?}");
        }
        assert_eq!(read(&NGINX[..1]), None);
        assert_eq!(read(&NGINX[1..]), None);
        let with = |place: usize, value: &'static str| {
            let mut lines = CADDY.to_vec();
            lines[place].1 = value;
            read(&lines)
        };
        for (place, value) in [
            (0, "get"),
            (0, "GET, POST"),
            (1, "HTTPS"),
            (1, "ftp"),
            (1, "https,http"),
            (2, "app.example.com, evil.example"),
            (2, ""),
            (2, "app.example.com/x"),
            (2, "user@app.example.com"),
            (3, ""),
            (3, "a"),
            (3, "//"),
            (3, "/a/../b"),
            (3, "/a, /b"),
            (3, "/a#b"),
            (3, "http://evil.example/"),
        ] {
            assert_eq!(with(place, value), None, "{value:?}");
        }
        for url in ["app.example.com/", "https://app.example.com", "https:///a", "://a/", "https:app/a"] {
            assert_eq!(read(&[NGINX[0], ("x-original-url", url)]), None, "{url}");
        }
    }
}
