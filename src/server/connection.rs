//! One connection, from its first byte to its last: the only file that drives hyper.
//!
//! Must never: outlive what the pulse allows, or bring down anything but itself.

use std::convert::Infallible;
use std::error::Error;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::http::Peer;
use crate::server::limits::Limits;
use crate::server::pulse::{End, Exchange, HasBody, Pulse, Wire};
use crate::server::socket::Socket;

/// A request's head, and what is buffered of a body in either direction.
const BUFFER_BYTES: usize = 16 << 10;
const HEADERS: usize = 64;
/// Over HTTP/2, of one connection.
const STREAMS: u32 = 64;
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 256 << 10;
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What every connection is served with.
#[derive(Clone)]
pub(super) struct Protocol {
    builder: Arc<Builder<TokioExecutor>>,
    limits: Limits,
}

impl Protocol {
    pub(super) fn new(limits: Limits) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        // No head timeout and no pipelined flush of hyper's: the pulse has the first, and the second holds back a reply
        // while half of the next request is there.
        builder
            .http1()
            .header_read_timeout(None)
            .half_close(false)
            .max_buf_size(BUFFER_BYTES)
            .max_headers(HEADERS);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(BUFFER_BYTES).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(BUFFER_BYTES);
        Self { builder: Arc::new(builder), limits }
    }

    /// Serves `stream` until it ends, its time is over, or `stop` says so and nothing is in flight.
    pub(super) async fn serve<S, B>(
        self,
        stream: TcpStream,
        peer: Peer,
        service: S,
        mut stop: watch::Receiver<bool>,
    ) where
        S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
        B: Body + Send + Unpin + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let pulse = Pulse::start(self.limits);
        let io = TokioIo::new(Socket::new(stream, pulse.clone()));
        let mut connection = pin!(self.builder.serve_connection(io, watched(service, peer, pulse.clone())));
        let mut alarm = pin!(sleep_until(pulse.due().0));
        let mut is_ending = false;
        loop {
            let end = tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(peer = %peer.0, %error, "a connection broke");
                    }
                    return;
                }
                end = over(&pulse, alarm.as_mut()) => end,
                _ = stop.wait_for(|stop| *stop), if !is_ending => End::Politely,
            };
            if end == End::AtOnce || is_ending {
                tracing::debug!(peer = %peer.0, "a connection took too long");
                return;
            }
            is_ending = true;
            pulse.ends();
            connection.as_mut().graceful_shutdown();
        }
    }
}

/// `service`, which is told the peer and tells the pulse how long each exchange lasts.
fn watched<S, B>(
    service: S,
    peer: Peer,
    pulse: Pulse,
) -> impl Service<Request<Incoming>, Response = Response<Watched<B>>, Error = Infallible, Future: Send + 'static>
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Unpin + 'static,
{
    let service = TowerToHyperService::new(service);
    service_fn(move |mut request: Request<Incoming>| {
        let wire = if request.version() == Version::HTTP_2 { Wire::Http2 } else { Wire::Http1 };
        let has_body = if request.body().is_end_stream() { HasBody::No } else { HasBody::Yes };
        let exchange = pulse.begin(wire, has_body);
        request.extensions_mut().insert(peer);
        let reply = service.call(request);
        async move { Ok(reply.await?.map(|body| Watched { body, _exchange: exchange })) }
    })
}

/// A reply's body, which ends the exchange when hyper is done with it.
struct Watched<B> {
    body: B,
    _exchange: Exchange,
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns once the pulse's time is over. Time that gets longer costs nothing: the alarm is set again when it rings.
async fn over(pulse: &Pulse, mut alarm: Pin<&mut Sleep>) -> End {
    std::future::poll_fn(|cx| {
        loop {
            let (due, end) = pulse.due();
            if due < alarm.deadline() {
                alarm.as_mut().reset(due);
            }
            ready!(alarm.as_mut().poll(cx));
            if due <= Instant::now() {
                return Poll::Ready(end);
            }
            alarm.as_mut().reset(due);
        }
    })
    .await
}
