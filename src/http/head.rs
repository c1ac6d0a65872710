//! The head of a request, handed past warp: its filters would copy each part of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_service::Service;
use warp::http::header::{ACCEPT, ACCEPT_LANGUAGE, HOST};
use warp::http::uri::Authority;
use warp::http::{HeaderMap, Request, Uri, Version};

use crate::domain::Language;

/// The peer of a connection, which the server puts into each request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Everything of a request but its method and its body.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) version: Version,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: Option<SocketAddr>,
}

/// What a request says about the host that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Named(Authority),
    /// By nobody, as HTTP/1.0 allows.
    Unnamed,
    /// It is not there or not a host at all, or there are two.
    Unclear,
}

impl Head {
    /// Whether they name HTML among what they read: a browser that opens a page.
    pub(crate) fn accepts_html(&self) -> bool {
        let mut types =
            self.headers.get_all(ACCEPT).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
        types.any(|one| {
            one.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii() == b"text/html"
        })
    }

    /// What the reader speaks, what they like best first.
    pub(crate) fn languages(&self) -> Vec<Language> {
        let header = self.headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
        header.map(Language::preferred).unwrap_or_default()
    }

    /// The host that is named, be it in `Host`, in the first line or in HTTP/2's `:authority`.
    pub(crate) fn host(&self) -> Host {
        let mut values = self.headers.get_all(HOST).iter();
        let in_header = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => match value.to_str().ok().and_then(|host| host.parse().ok()) {
                Some(host) => Some(host),
                None => return Host::Unclear,
            },
            (Some(_), Some(_)) => return Host::Unclear,
        };
        match (self.uri.authority(), in_header) {
            (Some(one), Some(other)) if *one != other => Host::Unclear,
            (Some(host), _) => Host::Named(host.clone()),
            (None, Some(host)) => Host::Named(host),
            (None, None) if self.version < Version::HTTP_11 => Host::Unnamed,
            (None, None) => Host::Unclear,
        }
    }
}

/// A service whose requests carry their head as an extension, and nothing where it was.
#[derive(Clone)]
pub(crate) struct Headed<S>(pub(crate) S);

impl<B, S: Service<Request<B>>> Service<Request<B>> for Headed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let head = Head {
            version: request.version(),
            uri: std::mem::take(request.uri_mut()),
            headers: std::mem::take(request.headers_mut()),
            peer: request.extensions().get().map(|peer: &Peer| peer.0),
        };
        request.extensions_mut().insert(Arc::new(head));
        self.0.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(uri: &str, hosts: &[&'static str]) -> Host {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, warp::http::HeaderValue::from_static(host));
        }
        Head { uri: uri.parse().expect("a URI"), headers, ..Head::default() }.host()
    }

    #[test]
    fn a_host_is_named_once_or_twice_alike() {
        let named = Host::Named(Authority::from_static("a.example:8000"));
        for (uri, hosts) in [
            ("/", &["a.example:8000"][..]),
            ("http://a.example:8000/", &[]),
            ("http://a.example:8000/", &["A.example:8000"]),
        ] {
            assert_eq!(host(uri, hosts), named, "{uri} {hosts:?}");
        }
        assert_eq!(Head { version: Version::HTTP_10, ..Head::default() }.host(), Host::Unnamed);
        for (uri, hosts) in [
            ("/", &["a.example", "a.example"][..]),
            ("/", &[]),
            ("/", &[""]),
            ("/", &["a b"]),
            ("/", &["a/b"]),
            ("http://a.example/", &["b.example"]),
            ("http://a.example/", &["a.example", "a.example"]),
        ] {
            assert_eq!(host(uri, hosts), Host::Unclear, "{uri} {hosts:?}");
        }
    }
}
