//! From a request to its endpoint: warp hands it over in parts, one look-up in one table decides.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tower_service::Service;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{Method, Request, Response};
use warp::hyper::body::{Body, Bytes, Incoming};
use warp::reply::Reply as _;

use crate::app::App;
use crate::config::ServerConfig;
use crate::http::cors::Cors;
use crate::http::endpoint::{Endpoint, NATIVE, Surface};
use crate::http::error::ApiError;
use crate::http::forwarded::client_address;
use crate::http::head::{Head, Headed, Host};
use crate::http::headers::SecurityHeaders;
use crate::http::limits::BODY_BYTES;
use crate::http::pages::PAGES;
use crate::http::reader::Reader;
use crate::http::reply::{self, Reply};
use crate::http::request::{Req, body_stream};
use crate::http::request_id::RequestId;
use crate::http::{account, compat, dev, routes};

/// The whole HTTP surface as one service; each connection gets a clone.
pub(crate) fn service(
    app: Arc<App>,
) -> impl Service<
    Request<Incoming>,
    Response = Response<
        impl Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + Send + Unpin + 'static,
    >,
    Error = Infallible,
    Future: Send + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    Headed(warp::service(filter(app)))
}

fn filter(app: Arc<App>) -> BoxedFilter<(warp::reply::Response,)> {
    let endpoints = routes::endpoints()
        .into_iter()
        .chain(account::endpoints())
        .chain(compat::endpoints(&app.config.compat))
        .chain(dev::endpoints(&app.config));
    let endpoints = endpoints.collect();
    let router = Arc::new(Router::new(&app, endpoints));
    let process = router.process;
    let own = Arc::clone(&app);
    warp::any()
        .and(warp::method())
        .and(warp::ext::optional::<Arc<Head>>())
        .and(warp::body::stream())
        .map(move |method, head: Option<Arc<Head>>, body| {
            let head = head.unwrap_or_default();
            Req {
                id: RequestId::next(process),
                method,
                ip: client_address(&own.config.server, head.peer, &head.headers),
                head,
                body: body_stream(body),
                max_body: BODY_BYTES,
                params: Vec::new(),
            }
        })
        .then(move |req: Req| {
            let (app, router) = (Arc::clone(&app), Arc::clone(&router));
            async move { sent(router.answer(app, req).await) }
        })
        .boxed()
}

/// An answer as warp sends it.
fn sent(answer: Response<reply::Body>) -> warp::reply::Response {
    let (head, body) = answer.into_parts();
    let body = match body {
        reply::Body::Bytes(bytes) => Bytes::from(bytes).into(),
        reply::Body::Parts(parts) => warp::reply::stream(parts).into_response().into_body(),
    };
    Response::from_parts(head, body)
}

struct Router {
    endpoints: Vec<Endpoint>,
    /// Path -> method -> place in `endpoints`. Paths are without the slash at their end.
    table: matchit::Router<BTreeMap<&'static str, usize>>,
    headers: SecurityHeaders,
    cors: Cors,
    hosts: Vec<String>,
    process: u64,
}

impl Router {
    fn new(app: &App, endpoints: Vec<Endpoint>) -> Self {
        let mut methods: BTreeMap<&'static str, BTreeMap<&'static str, usize>> = BTreeMap::new();
        for (place, endpoint) in endpoints.iter().enumerate() {
            for path in &endpoint.paths {
                let at = methods.entry(without_slash(path)).or_default();
                at.insert(method_name(&endpoint.method), place);
            }
        }
        let mut table = matchit::Router::new();
        for (path, methods) in methods {
            // Two paths that exclude each other are a mistake in the list; every test that starts a server finds it.
            if let Err(error) = table.insert(path, methods) {
                tracing::error!(path, %error, "an endpoint cannot be routed");
            }
        }
        Self {
            endpoints,
            table,
            headers: SecurityHeaders::new(&app.config.server.public_url),
            cors: Cors::new(&app.config.server.cors_origins),
            hosts: hosts(&app.config.server),
            process: app.clock.now().millis(),
        }
    }

    /// Every answer of the service leaves through here.
    async fn answer(self: Arc<Self>, app: Arc<App>, mut req: Req) -> Response<reply::Body> {
        let (id, method) = (req.id, req.method.clone());
        let is_private = dev::is_private(&app.config, &req);
        let permission = if is_private { None } else { self.cors.permission(&req) };
        let (path, reply) = match self.find(&app, &mut req) {
            Ok((path, place)) => (path, Arc::clone(&self).run(place, app, req).await),
            Err(reply) => ("unknown", reply),
        };
        let reply = if method == Method::HEAD { reply.without_body() } else { reply };
        let mut response = reply.into_response(self.headers.of_answer(&id));
        if let Some(permission) = permission {
            permission.tell(response.headers_mut());
        }
        let status = response.status().as_u16();
        // The path as it is written in the list: what stands in its places may be a secret.
        if method.is_safe() {
            tracing::debug!(request.id = %id, %method, path, status, "answered");
        } else {
            tracing::info!(request.id = %id, %method, path, status, "answered");
        }
        response
    }

    /// The endpoint that a request is for, by its first path and its place in the list; else the answer.
    fn find(&self, app: &Arc<App>, req: &mut Req) -> Result<(&'static str, usize), Reply> {
        if !self.serves_host(&req.head) {
            return Err(ApiError::BadHost.to_reply(&req.id));
        }
        let head = Arc::clone(&req.head);
        let path = without_slash(head.uri.path());
        let found = self.table.at(path).map_err(|_| {
            let surface = if head.accepts_html() { &PAGES } else { &NATIVE };
            (surface.tell)(&ApiError::NotFound, &Reader::of(app, req))
        })?;
        let method = if req.method == Method::HEAD { &Method::GET } else { &req.method };
        let Some(place) = found.value.get(method_name(method)) else {
            let allow = allow(found.value);
            let is_options = req.method == Method::OPTIONS;
            let surface = found.value.values().next().map_or(&NATIVE, |place| self.surface_of(*place));
            return Err(if is_options {
                Reply::allow(&allow)
            } else {
                let error = ApiError::MethodNotAllowed { method: req.method.clone(), allow };
                (surface.tell)(&error, &Reader::of(app, req))
            });
        };
        req.params = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let name = self.endpoints.get(*place).and_then(|endpoint| endpoint.paths.first());
        name.map(|name| (*name, *place)).ok_or_else(|| ApiError::NotFound.to_reply(&req.id))
    }

    fn surface_of(&self, place: usize) -> &'static Surface {
        self.endpoints.get(place).map_or(&NATIVE, |endpoint| endpoint.surface)
    }

    /// What changes something is carried through, even if its client goes away meanwhile: it has a task of its own. And
    /// a bug in a handler costs this request, not the others.
    async fn run(self: Arc<Self>, place: usize, app: Arc<App>, req: Req) -> Reply {
        let (is_safe, reader) = (req.method.is_safe(), Reader::of(&app, &req));
        let surface = self.surface_of(place);
        let run = async move {
            let endpoint = self.endpoints.get(place).ok_or(ApiError::NotFound)?;
            endpoint.run(app, req).await
        };
        let outcome = if is_safe {
            AssertUnwindSafe(run).catch_unwind().await.ok()
        } else {
            tokio::spawn(run).await.ok()
        };
        let outcome = outcome.unwrap_or_else(|| Err(ApiError::Internal("a handler panicked".to_owned())));
        outcome.unwrap_or_else(|error| (surface.tell)(&error, &reader))
    }

    /// A request for a host that is not ours may come from a page that rebound its name to our address.
    fn serves_host(&self, head: &Head) -> bool {
        match head.host() {
            Host::Named(host) => is_allowed(&self.hosts, host.as_str()),
            Host::Unnamed => true,
            Host::Unclear => false,
        }
    }
}

/// Hosts that may be named: loopback, the one of `public_url`, and those that are configured.
fn hosts(config: &ServerConfig) -> Vec<String> {
    let own = config.public_url.host_str().unwrap_or_default();
    let configured = config.allowed_hosts.iter().map(String::as_str);
    configured.chain([own, "localhost"]).map(str::to_ascii_lowercase).collect()
}

fn is_allowed(hosts: &[String], header: &str) -> bool {
    let host = host_of(header);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    address.is_ok_and(|address| address.is_loopback())
        || hosts.iter().any(|allowed| match allowed.strip_prefix('.') {
            Some(domain) => host.eq_ignore_ascii_case(domain) || ends_with(host, allowed),
            None => allowed == "*" || host.eq_ignore_ascii_case(allowed),
        })
}

fn ends_with(host: &str, domain: &str) -> bool {
    let end = host.len().checked_sub(domain.len()).and_then(|at| host.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(domain))
}

/// A `Host` header without its port.
fn host_of(header: &str) -> &str {
    let port = header.rfind(':').filter(|at| !header.get(*at..).unwrap_or_default().contains(']'));
    port.and_then(|at| header.get(..at)).unwrap_or(header)
}

fn without_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    }
}

/// The methods that endpoints have; others are nobody's.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "",
    }
}

fn allow(methods: &BTreeMap<&'static str, usize>) -> String {
    let mut names: Vec<&str> = methods.keys().copied().collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Collected};

    use super::*;
    use crate::http::parts::Parts;

    #[tokio::test]
    async fn a_body_that_broke_off_reaches_nobody_as_a_whole_one() {
        for is_whole in [true, false] {
            let (hand, parts) = Parts::new();
            let answer = sent(Response::new(reply::Body::Parts(parts)));
            let maker = async move {
                hand.over(b"[1,".to_vec()).await.expect("read");
                if is_whole {
                    hand.over(b"2]".to_vec()).await.expect("read");
                    hand.end().await.expect("read");
                }
            };
            let (read, ()) = tokio::join!(answer.into_body().collect(), maker);

            let read = read.map(Collected::to_bytes).ok();
            assert_eq!(read.as_deref(), is_whole.then_some(b"[1,2]".as_slice()));
        }
    }

    #[test]
    fn only_our_own_hosts_are_served() {
        let hosts = ["auth.example.com".to_owned(), ".example.org".to_owned(), "localhost".to_owned()];
        for host in [
            "auth.example.com",
            "AUTH.example.com:8443",
            "a.example.org",
            "example.org",
            "localhost:1",
            "127.0.0.1:8000",
            "127.8.9.1",
            "[::1]:8000",
        ] {
            assert!(is_allowed(&hosts, host), "{host}");
        }
        for host in ["evil.com", "auth.example.com.evil.com", "badexample.org", "", "10.0.0.1", "[::2]"] {
            assert!(!is_allowed(&hosts, host), "{host}");
        }
    }
}
