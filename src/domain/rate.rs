//! Rates: so many in a span of time, counted by a bucket that fills again evenly (the generic cell rate algorithm).

use std::time::Duration;

use crate::domain::Timestamp;

/// At most `count` in `period`; one more each `period / count` after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) count: u32,
    pub(crate) period: Duration,
}

/// What a bucket still allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// How long until the bucket is full again.
    pub(crate) reset: Duration,
    /// How long until it allows one more, if it allows none now.
    pub(crate) wait: Option<Duration>,
}

impl Rate {
    /// What a bucket allows that is full again at `full_at`, the only thing there is to remember of it.
    pub(crate) fn standing(&self, full_at: Timestamp, now: Timestamp) -> Standing {
        let reset = self.bounded(full_at, now).since(now);
        let room = self.period.saturating_sub(reset);
        let remaining = u32::try_from(room.as_millis() / self.interval().as_millis()).unwrap_or(u32::MAX);
        let wait = (remaining == 0).then(|| self.interval().saturating_sub(room));
        Standing { limit: self.count, remaining: remaining.min(self.count), reset, wait }
    }

    /// Takes one; says when the bucket is full again. One that allows none stays as it is.
    pub(crate) fn take(&self, full_at: Timestamp, now: Timestamp) -> Timestamp {
        let full_at = self.bounded(full_at, now);
        if self.standing(full_at, now).wait.is_some() { full_at } else { full_at.after(self.interval()) }
    }

    /// No bucket is further from full than its period. One that seems to be was filled by a clock that was ahead: if
    /// it would stay closed for more than a period, it counts for nothing.
    fn bounded(&self, full_at: Timestamp, now: Timestamp) -> Timestamp {
        let latest = now.after(self.period);
        if full_at > latest.after(self.period.saturating_sub(self.interval())) {
            return now;
        }
        full_at.clamp(now, latest)
    }

    fn interval(&self) -> Duration {
        (self.period / self.count.max(1)).max(Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { count: 5, period: Duration::from_secs(300) };
    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    #[test]
    fn a_burst_then_one_at_a_time() {
        let mut full_at = Timestamp::from_secs(0);
        for left in (0..5).rev() {
            full_at = RATE.take(full_at, NOW);
            assert_eq!(RATE.standing(full_at, NOW).remaining, left);
        }

        let closed = RATE.standing(full_at, NOW);
        assert_eq!((closed.wait, closed.reset), (Some(Duration::from_secs(60)), RATE.period));
        assert_eq!(RATE.take(full_at, NOW), full_at);

        let later = NOW.after(Duration::from_secs(60));
        assert_eq!(RATE.standing(full_at, later).remaining, 1);
        assert_eq!(RATE.standing(RATE.take(full_at, later), later).remaining, 0);
        let much_later = NOW.after(RATE.period);
        assert_eq!(RATE.standing(full_at, much_later).remaining, 5);
    }

    #[test]
    fn a_clock_set_back_closes_a_bucket_for_one_period_at_most() {
        let closed = (0..5).fold(Timestamp::from_secs(0), |full_at, _| RATE.take(full_at, NOW));

        for back in [1, 60, 239, 240, 241, 299, 300, 301, 3600, 86_400 * 365] {
            let begun = NOW.before(Duration::from_secs(back));
            let mut moments = (0..1000).map(|secs| begun.after(Duration::from_secs(secs)));
            let opened = moments.find(|now| RATE.standing(closed, *now).wait.is_none());
            let took = opened.expect("some day").since(begun);
            assert!(took <= RATE.period, "{took:?} after {back} s back");
        }
    }
}
