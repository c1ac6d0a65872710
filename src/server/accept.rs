//! The accept loop: takes connections up, and sees them off when the server stops.
//!
//! Must never: end because of one connection, or wait for one without a limit.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::server::places::{Places, Refusal};

/// Before the next try when the process has no file descriptor or memory left for a connection.
const SHORT_OF_FILES_PAUSE: Duration = Duration::from_millis(50);
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Connections that are served, each in a task of its own: a panic in one ends that one.
#[derive(Default)]
pub(super) struct Connections(JoinSet<()>);

impl Connections {
    /// Takes up connections for ever, each served by what `serve` makes of it.
    pub(super) async fn accept<F>(
        &mut self,
        listener: &TcpListener,
        places: &Places,
        serve: impl Fn(TcpStream, SocketAddr) -> F,
    ) -> Infallible
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut refused = Seldom::default();
        let mut failed = Seldom::default();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        failed.log(|times| tracing::warn!(%error, times, "cannot accept a connection"));
                        pause_after(&error).await;
                        continue;
                    }
                },
                Some(_) = self.0.join_next() => continue,
            };
            match places.take(peer) {
                Ok(place) => {
                    // Without it a small reply may wait for the acknowledgement of the one before.
                    stream.set_nodelay(true).ok();
                    let served = serve(stream, peer);
                    self.0.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                // Closed at once: left in the backlog it would only learn of it later.
                Err(refusal) => refused.log(|times| log_refusal(refusal, peer, times)),
            }
        }
    }

    /// Waits for all to end, and drops those that have not after `limit`.
    pub(super) async fn drain(mut self, limit: Duration) {
        let all_ended = async { while self.0.join_next().await.is_some() {} };
        if timeout(limit, all_ended).await.is_err() {
            tracing::warn!(connections = self.0.len(), "requests in flight are dropped, they took too long");
            self.0.shutdown().await;
        }
    }
}

/// A peer that went away before it was taken up is no reason to wait; being out of files is.
async fn pause_after(error: &io::Error) {
    let is_of_the_peer = matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    );
    if !is_of_the_peer {
        sleep(SHORT_OF_FILES_PAUSE).await;
    }
}

fn log_refusal(refusal: Refusal, peer: SocketAddr, times: u64) {
    match refusal {
        Refusal::Full => tracing::warn!(times, "connections refused: all places are taken"),
        Refusal::NetworkFull => {
            tracing::warn!(peer = %peer.ip(), times, "connections refused: one network holds its share");
        }
    }
}

/// Lets a message through once a minute, with how many there would have been.
#[derive(Default)]
struct Seldom {
    next: Option<Instant>,
    times: u64,
}

impl Seldom {
    fn log(&mut self, message: impl FnOnce(u64)) {
        let now = Instant::now();
        self.times += 1;
        if self.next.is_none_or(|next| next <= now) {
            message(self.times);
            self.times = 0;
            self.next = Some(now + LOG_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_comes_once_a_minute_and_counts_the_others() {
        let mut told = Vec::new();
        let mut seldom = Seldom::default();
        for _ in 0..3 {
            seldom.log(|times| told.push(times));
        }
        seldom.next = Some(Instant::now());
        seldom.log(|times| told.push(times));
        assert_eq!(told, [1, 3]);
    }
}
