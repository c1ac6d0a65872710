//! The signals that end a service: the first in order, the second at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::cli::outcome::Refusal;

/// SIGTERM and SIGINT.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Refusal> {
        let failed = |error| Refusal::new(format!("cannot listen for signals: {error}"));
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    /// The first one drains, the second one does not wait.
    pub(super) async fn obey(mut self, stop: watch::Sender<bool>) {
        self.next().await;
        tracing::info!("stopping: what has begun is finished; a second signal does not wait for it");
        stop.send_replace(true);
        self.next().await;
        std::process::exit(1);
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
