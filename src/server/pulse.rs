//! What a connection is doing, and until when it may. One clock for everything that a peer can be slow at.
//!
//! hyper's own head timeout runs while a connection waits for its next request, too, so that it cannot tell a slow head
//! from an idle connection; and it does not run before the first byte, over HTTP/2, or while a peer does not read.
//!
//! Must never: let a peer hold a connection for ever by anything it does or leaves undone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::server::limits::Limits;

/// Watches one connection. Clones share it.
#[derive(Clone)]
pub(super) struct Pulse(Arc<Mutex<State>>);

/// How a connection ends whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is told so, and closes when nothing is on the way any more.
    Politely,
    AtOnce,
}

/// What a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Http1,
    /// Frames come at any time there, so that bytes do not mean that a request has begun.
    Http2,
}

/// Whether a request announces a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HasBody {
    Yes,
    No,
}

/// A request in flight: from the end of its head until its reply is handed over or given up.
pub(super) struct Exchange {
    number: u64,
    pulse: Pulse,
}

struct State {
    limits: Limits,
    /// What the last request spoke.
    wire: Option<Wire>,
    /// Since when no request is in flight, if none is.
    quiet_since: Instant,
    /// When the head that is still being read began.
    head_since: Option<Instant>,
    /// The requests in flight, oldest first; the HTTP layer bounds how many.
    exchanges: Vec<(u64, Instant)>,
    next_exchange: u64,
    /// Whether the peer may have sent more of the last request than was read.
    may_be_sending: bool,
    /// Since when the peer has not taken a byte that waits for it.
    stalled_since: Option<Instant>,
    ending_since: Option<Instant>,
}

impl Pulse {
    pub(super) fn start(limits: Limits) -> Self {
        Self(Arc::new(Mutex::new(State {
            limits,
            wire: None,
            quiet_since: Instant::now(),
            head_since: None,
            exchanges: Vec::new(),
            next_exchange: 0,
            may_be_sending: false,
            stalled_since: None,
            ending_since: None,
        })))
    }

    /// Until when the connection may go on like this, and how it ends then.
    pub(super) fn due(&self) -> (Instant, End) {
        self.state().due()
    }

    /// A request's head is complete.
    pub(super) fn begin(&self, wire: Wire, has_body: HasBody) -> Exchange {
        let mut state = self.state();
        let number = state.next_exchange;
        state.next_exchange = number.wrapping_add(1);
        state.exchanges.push((number, Instant::now()));
        state.wire = Some(wire);
        state.head_since = None;
        state.may_be_sending = has_body == HasBody::Yes;
        Exchange { number, pulse: self.clone() }
    }

    /// The peer sent something.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.exchanges.is_empty() && state.wire != Some(Wire::Http2) && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    /// The peer does not take what it is sent.
    pub(super) fn stalled(&self) {
        self.state().stalled_since.get_or_insert_with(Instant::now);
    }

    /// The peer took something.
    pub(super) fn flows(&self) {
        self.state().stalled_since = None;
    }

    /// The connection takes no more requests.
    pub(super) fn ends(&self) {
        self.state().ending_since.get_or_insert_with(Instant::now);
    }

    /// Whether the peer may be in the middle of sending something that nobody will read.
    pub(super) fn may_be_sending(&self) -> bool {
        let state = self.state();
        state.may_be_sending || state.head_since.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn due(&self) -> (Instant, End) {
        let limits = &self.limits;
        let stall = self.stalled_since.map(|since| since + limits.stalled_write);
        let (due, end) = if let Some((_, oldest)) = self.exchanges.first() {
            (*oldest + limits.exchange, End::AtOnce)
        } else if let Some(ending) = self.ending_since {
            // A reply may still be on its way out of hyper's buffer.
            (stall.unwrap_or(ending.max(self.quiet_since) + limits.farewell), End::AtOnce)
        } else if self.wire.is_none() {
            (self.quiet_since + limits.head, End::AtOnce)
        } else if let Some(head) = self.head_since {
            (head + limits.head, End::AtOnce)
        } else {
            (self.quiet_since + limits.idle, End::Politely)
        };
        match stall {
            Some(stall) if stall < due => (stall, End::AtOnce),
            _ => (due, end),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut state = self.pulse.state();
        state.exchanges.retain(|(number, _)| *number != self.number);
        if state.exchanges.is_empty() {
            state.quiet_since = Instant::now();
        }
    }
}
