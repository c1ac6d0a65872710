//! `keystead serve`: the service, its control socket, and the signals that end them.
//!
//! Must never: print the first line before connections are taken, or write anything else to stdout.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::{App, AppError};
use crate::cli::control::{self, Control};
use crate::cli::outcome::{Failure, Outcome, Refusal, print};
use crate::cli::signals::Signals;
use crate::config::Config;
use crate::server::{Server, StartError};
use crate::{flows, telemetry};

/// How long a start waits for the store: five seconds.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(super) struct Serve {}

impl Serve {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        telemetry::init(&config.log);
        // First of all, so that a signal during the start ends in order too.
        let signals = Signals::listen()?;
        let store = config.store.path.clone();
        let server = bind(config).await.map_err(|error| cannot_start(&error))?;

        let app = Arc::clone(server.app());
        let (stop, stopped) = watch::channel(false);
        let control = listen(&store, &app, &stopped);
        let line = format!("keystead listening on http://{}\n", server.local_addr());
        if let Err(error) = print(&line) {
            tracing::warn!(%error, "stdout takes no line");
        }
        tokio::spawn(advise(app, server.local_addr()));
        tokio::spawn(signals.obey(stop.clone()));

        let mut told = stopped;
        let served = server
            .run(async move {
                told.wait_for(|stop| *stop).await.ok();
            })
            .await;
        stop.send_replace(true);
        if let Some(control) = control {
            control.await.ok();
        }
        served.map_err(|error| Refusal::new(error.to_string()))?;
        Ok(Outcome::saying(""))
    }
}

/// A command that looks after the store has it for a moment; a server would have a control socket, and keeps it.
async fn bind(config: Config) -> Result<Server, StartError> {
    let mut attempts_left = ATTEMPTS;
    loop {
        match Server::bind(config.clone()).await {
            Err(error)
                if attempts_left > 0
                    && error.app().is_some_and(AppError::is_locked)
                    && !control::is_answered(&config.store.path).await =>
            {
                attempts_left -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            bound => return bound,
        }
    }
}

fn cannot_start(error: &StartError) -> Failure {
    match error.app() {
        Some(error) if error.is_locked() => Refusal::new(format!("{error}; stop that one first")).into(),
        _ if error.is_configuration() => Failure::Configuration(error.to_string()),
        _ => Refusal::new(error.to_string()).into(),
    }
}

/// The service is worth running without a control socket: commands wait until it stops.
fn listen(store: &Path, app: &Arc<App>, stopped: &watch::Receiver<bool>) -> Option<JoinHandle<()>> {
    match Control::open(store) {
        Ok(control) => Some(tokio::spawn(control.serve(Arc::clone(app), stopped.clone()))),
        Err(error) => {
            tracing::warn!(%error, "no control socket: commands do not reach this server");
            None
        }
    }
}

/// Says how to make the first administrator, if there is none. The one secret that is logged, and on purpose: whoever
/// reads this log is the operator, and nobody else can know the link.
async fn advise(app: Arc<App>, address: SocketAddr) {
    if app.config.leads_elsewhere(address) {
        let public_url = app.config.server.public_url.as_str();
        tracing::warn!(public_url, "links in mails do not lead to this service: set server.public_url");
    }
    match flows::offer_setup(&app, address) {
        Ok(Some(link)) => tracing::info!(
            target: telemetry::NOTICE,
            "no account yet: open {} within an hour to make the first administrator, or run `keystead createsuperuser`",
            link.expose()
        ),
        Ok(None) => advise_command(&app).await,
        Err(error) => tracing::warn!(%error, "cannot tell whether there is an account"),
    }
}

async fn advise_command(app: &Arc<App>) {
    match flows::has_superuser(app).await {
        Ok(true) => {}
        Ok(false) => tracing::info!("no superuser yet: run `keystead createsuperuser`"),
        Err(error) => tracing::warn!(%error, "cannot tell whether there is a superuser"),
    }
}
