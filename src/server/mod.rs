//! The server: HTTP and the jobs over one App, from binding to a clean stop.
//!
//! Must never: answer what is not durable because it stops, go on after the store failed, or wait for a peer for ever.

mod accept;
mod connection;
mod limits;
mod places;
mod pulse;
mod socket;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service;

use crate::app::{App, AppError};
use crate::clock::Clock;
use crate::config::{Config, ServerConfig};
use crate::flows::{self, BootstrapError, FlowError};
use crate::http::{self, Peer};
use crate::jobs;
pub(crate) use crate::jobs::Swept;
use accept::Connections;
use connection::Protocol;
use limits::Limits;
use places::Places;

/// An open store and a bound address, ready to serve.
pub struct Server {
    app: Arc<App>,
    entrance: Entrance,
}

/// A bound address, and what connections to it may cost.
pub(crate) struct Entrance {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
}

/// The OpenAPI document, as it is served.
pub(crate) fn openapi(config: &Config) -> Cow<'static, str> {
    http::openapi_document(&config.compat)
}

/// Sweeps now what the server sweeps by and by.
pub(crate) async fn sweep(app: &App) -> Result<Swept, FlowError> {
    jobs::sweep(app).await
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] WhyNot);

impl StartError {
    /// What the application said, if it was not the address.
    pub(crate) fn app(&self) -> Option<&AppError> {
        match &self.0 {
            WhyNot::App(error) => Some(error),
            WhyNot::AddressInUse(_) | WhyNot::Listen(..) | WhyNot::Bootstrap(_) => None,
        }
    }

    /// The configuration has to change; trying again with the same one is in vain.
    pub(crate) fn is_configuration(&self) -> bool {
        match &self.0 {
            WhyNot::App(error) => error.is_configuration(),
            WhyNot::Bootstrap(error) => error.is_configuration(),
            WhyNot::AddressInUse(_) | WhyNot::Listen(..) => false,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum WhyNot {
    #[error("cannot listen on {0}: address in use (another keystead? choose server.listen)")]
    AddressInUse(String),
    #[error("cannot listen on {0}: {1} (choose server.listen)")]
    Listen(String, #[source] io::Error),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}

/// Why the server ended without being told to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A commit failed, so what the disk holds is known only after the next start.
    #[error("the disk failed, and the store took no more writes: check the disk and start keystead again")]
    Store,
}

/// What a test does to a server that runs.
#[doc(hidden)]
#[derive(Clone)]
pub struct Handle {
    app: Arc<App>,
    address: SocketAddr,
}

impl Handle {
    /// Runs each background job until it has nothing left to do now.
    pub async fn run_jobs(&self) -> Result<(), String> {
        jobs::run_once(&self.app).await.map_err(|error| error.to_string())
    }

    /// The link to the first administrator that `keystead serve` would log.
    pub fn offer_setup(&self) -> Result<Option<String>, String> {
        let link = flows::offer_setup(&self.app, self.address).map_err(|error| error.to_string())?;
        Ok(link.map(|link| link.expose().clone()))
    }

    /// The kinds of all events, the oldest first.
    pub fn events(&self) -> Result<Vec<&'static str>, String> {
        let events = flows::list_events(&self.app, usize::MAX).map_err(|error| error.to_string())?;
        Ok(events.iter().rev().map(|event| event.kind.as_str()).collect())
    }
}

/// What a job's round that has begun may take when the server stops; a mail on its way is sent again after it.
const JOBS_LIMIT: Duration = Duration::from_secs(5);
/// Before jobs that panicked are started again.
const JOBS_PAUSE: Duration = Duration::from_secs(10);

impl Server {
    /// Opens or creates the store, makes what `[bootstrap]` declares, and binds `server.listen`; from then on connections
    /// wait to be served.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        Self::bind_with(config, Clock::system()).await
    }

    /// Like [`Server::bind`], with a clock that a test moves.
    #[doc(hidden)]
    pub async fn bind_with(config: Config, clock: Clock) -> Result<Self, StartError> {
        // First the address: if it is taken, no store is created and none is found locked by whoever has the address.
        let entrance = Entrance::open(&config.server.listen).await?;
        Ok(Self { app: open(config, clock).await?, entrance })
    }

    /// Where it listens, with the port that was taken if port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.entrance.address
    }

    /// What a test may do beside requests.
    #[doc(hidden)]
    pub fn handle(&self) -> Handle {
        Handle { app: Arc::clone(&self.app), address: self.entrance.address }
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Serves until `shutdown` resolves, then finishes the requests in flight, stops the jobs and closes the store.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let stop = watch::Sender::new(false);
        let jobs = tokio::spawn(keep_jobs_running(Arc::clone(&self.app), stop.subscribe()));
        let app = Arc::clone(&self.app);
        let service = http::service(Arc::clone(&app));
        let ended = self.serve(service, shutdown, stop).await;
        let abort = jobs.abort_handle();
        if timeout(JOBS_LIMIT, jobs).await.is_err() {
            tracing::warn!("a background job is dropped, it took too long");
            abort.abort();
        }
        if timeout(JOBS_LIMIT, jobs::finish(&app)).await.is_err() {
            tracing::warn!("the last work of the background jobs is dropped, it took too long");
        }
        app.store.close().await;
        ended
    }

    /// Like [`Server::run`], for a test that runs the jobs when it wants to.
    #[doc(hidden)]
    pub async fn run_without_jobs(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let service = http::service(Arc::clone(&self.app));
        self.run_service(service, shutdown).await
    }

    /// Serves something else in the same way: a benchmark wants to know what the rest costs.
    #[doc(hidden)]
    pub async fn run_service<S, B>(
        self,
        service: S,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>,
        S: Clone + Send + 'static,
        B: Body<Data: Send, Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
    {
        let app = Arc::clone(&self.app);
        let ended = self.serve(service, shutdown, watch::Sender::new(false)).await;
        app.store.close().await;
        ended
    }

    /// Serves until `shutdown` or the store's failure, tells so by `stop`, and drains.
    async fn serve<S, B>(
        self,
        service: S,
        shutdown: impl Future<Output = ()>,
        stop: watch::Sender<bool>,
    ) -> Result<(), ServeError>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>,
        S: Clone + Send + 'static,
        B: Body<Data: Send, Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
    {
        let Self { app, entrance } = self;
        let mut failure = app.store.failure();
        let end = async {
            tokio::select! {
                () = shutdown => Ok(()),
                () = failed(&mut failure) => Err(ServeError::Store),
            }
        };
        entrance.serve(&app.config.server, service, end, stop).await
    }
}

impl Entrance {
    pub(crate) async fn open(address: &str) -> Result<Self, StartError> {
        let (listener, address) = listen(address).await?;
        Ok(Self { listener, address, limits: Limits::of_process() })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `end`, tells so by `stop`, and drains: not for long if it is for a failure.
    pub(crate) async fn serve<S, B>(
        self,
        config: &ServerConfig,
        service: S,
        end: impl Future<Output = Result<(), ServeError>>,
        stop: watch::Sender<bool>,
    ) -> Result<(), ServeError>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send>,
        S: Clone + Send + 'static,
        B: Body<Data: Send, Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
    {
        let Self { listener, limits, .. } = self;
        let protocol = Protocol::new(limits);
        let places = Places::new(limits, config);
        let mut connections = Connections::default();
        let accept = connections.accept(&listener, &places, |stream, peer| {
            protocol.clone().serve(stream, Peer(peer), service.clone(), stop.subscribe())
        });
        let ended = tokio::select! {
            never = accept => match never {},
            ended = end => ended,
        };
        let drain = if ended.is_ok() { limits.drain } else { limits.failed_drain };
        drop(listener);
        stop.send_replace(true);
        connections.drain(drain).await;
        ended
    }
}

/// Opens the store, and makes what `[bootstrap]` declares.
pub(crate) async fn open(config: Config, clock: Clock) -> Result<Arc<App>, StartError> {
    let app = Arc::new(App::open(config, clock).await.map_err(WhyNot::App)?);
    if let Err(error) = flows::bootstrap(&app).await {
        app.close().await;
        return Err(WhyNot::Bootstrap(error).into());
    }
    Ok(app)
}

async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), WhyNot> {
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => WhyNot::AddressInUse(address.to_owned()),
        _ => WhyNot::Listen(address.to_owned(), error),
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Returns once a commit failed, or the writer is gone, which nobody stops before the server has ended.
async fn failed(failure: &mut watch::Receiver<bool>) {
    failure.wait_for(|failed| *failed).await.ok();
}

/// A panic in a job must neither end the mail for good nor keep everybody from logging in.
pub(crate) async fn keep_jobs_running(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    loop {
        running.spawn(jobs::run(Arc::clone(&app), stop.clone()));
        match running.join_next().await {
            Some(Err(error)) => {
                tracing::error!(%error, "the background jobs broke off and are started again");
            }
            Some(Ok(())) | None => return,
        }
        tokio::select! {
            () = sleep(JOBS_PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
