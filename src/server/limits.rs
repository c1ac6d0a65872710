//! How long a connection may take over each thing, and how many there may be.
//!
//! Must never: hold a limit that nothing enforces.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// Files that are not connections: the store, the log, mails on their way, the runtime.
const RESERVED_FILES: u64 = 128;
const MOST_CONNECTIONS: usize = 12_000;
const FEWEST_CONNECTIONS: usize = 16;

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// From the first byte of a request's head to its last; for a new connection, from its first moment.
    pub(super) head: Duration,
    /// Between two requests.
    pub(super) idle: Duration,
    /// Without the peer taking a byte of what it is sent.
    pub(super) stalled_write: Duration,
    /// From the end of a request's head to the end of its reply: nothing that is served takes longer.
    pub(super) exchange: Duration,
    /// Between saying that a connection ends and ending it, for what is still on the way.
    pub(super) farewell: Duration,
    /// For the requests in flight when the server is told to stop.
    pub(super) drain: Duration,
    /// The same after the store failed: every write is answered by 503 at once then.
    pub(super) failed_drain: Duration,
    pub(super) connections: usize,
    pub(super) connections_per_network: usize,
}

impl Limits {
    /// What holds in service.
    pub(super) fn of_process() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            stalled_write: Duration::from_secs(15),
            exchange: Duration::from_secs(120),
            farewell: Duration::from_secs(1),
            drain: Duration::from_secs(10),
            failed_drain: Duration::from_secs(2),
            connections: connections(getrlimit(Resource::Nofile).current),
            connections_per_network: 256,
        }
    }
}

/// One file a connection, and never the last ones: without a file descriptor the store cannot work either.
fn connections(open_files: Option<u64>) -> usize {
    let available = open_files.unwrap_or(u64::MAX).saturating_sub(RESERVED_FILES);
    usize::try_from(available).unwrap_or(usize::MAX).clamp(FEWEST_CONNECTIONS, MOST_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!(connections(None), MOST_CONNECTIONS);
        assert_eq!(connections(Some(20_000)), MOST_CONNECTIONS);
        assert_eq!(connections(Some(1024)), 896);
        assert_eq!(connections(Some(64)), FEWEST_CONNECTIONS);
    }
}
