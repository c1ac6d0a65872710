//! What time it is: the system's clock, or one that a test moves. The only reader of the system's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;

/// Tells the time. Clones share one clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// How far this clock is ahead of the system's, in milliseconds.
    ahead: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { ahead: None }
    }

    /// A clock that runs with the system's and can be moved forward.
    #[must_use]
    pub fn movable() -> Self {
        Self { ahead: Some(Arc::default()) }
    }

    /// Moves a movable clock forward; the system's clock stays as it is.
    pub fn advance(&self, span: Duration) {
        if let Some(ahead) = &self.ahead {
            ahead.fetch_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
        }
    }

    /// Moves a movable clock forward, if it is then not further ahead than `most` and so still tells a time that can be
    /// written down. None: it stays.
    pub(crate) fn advance_within(&self, span: Duration, most: Duration) -> Option<()> {
        let (span, most) = (u64::try_from(span.as_millis()).ok()?, u64::try_from(most.as_millis()).ok()?);
        let moved = |ahead: u64| ahead.checked_add(span).filter(|ahead| *ahead <= most);
        self.ahead.as_ref()?.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved).ok().map(drop)
    }

    /// Sets a movable clock back, at most to the system's time.
    #[doc(hidden)]
    pub fn set_back(&self, span: Duration) {
        if let Some(ahead) = &self.ahead {
            let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
            ahead
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| Some(ahead.saturating_sub(span)))
                .ok();
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    pub(crate) fn now(&self) -> Timestamp {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = self.ahead.as_ref().map_or(0, |ahead| ahead.load(Ordering::SeqCst));
        Timestamp::from_millis(u64::try_from(system.as_millis()).unwrap_or(u64::MAX))
            .after(Duration::from_millis(ahead))
    }
}
