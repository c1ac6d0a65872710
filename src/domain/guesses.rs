//! What wrong passwords cost: a bucket, pauses that grow, and an end after a hundred in a row.
//!
//! The wrong passwords of an account are counted in lanes. Strangers share one. A browser or an address that logged in
//! before has a lane of its own, so whatever strangers do, they cannot lock the owner out.

use std::time::Duration;

use crate::domain::{Rate, Timestamp, UserId};

/// Whose password is guessed at. Nobody's costs the same as somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    User(UserId),
    /// A name that no account has, by its hash.
    Nobody([u8; 16]),
}

/// Who shares a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Everybody who never logged in to this account before.
    Strangers,
    /// Whoever holds a session of the account and is asked for the password again.
    Session,
    /// A browser or an address that logged in before, by its hash.
    Client([u8; 16]),
}

/// The count of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guesses {
    /// Wrong passwords in a row.
    pub(crate) failures: u32,
    /// When the lane's bucket is full again.
    pub(crate) full_at: Timestamp,
    pub(crate) last_failed_at: Timestamp,
    /// When this client logged in last.
    pub(crate) known_at: Option<Timestamp>,
}

/// Whether a lane takes another guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneState {
    Open,
    Wait(Duration),
    /// Too many wrong ones in a row: only a new password opens this lane again.
    Stopped,
}

impl Guesses {
    /// NIST SP 800-63B, section 3.2.2: at most a hundred consecutive failures.
    pub(crate) const MAX_FAILURES: u32 = 100;

    /// Guesses that come at once are counted in another order than they began in, so the last one may be as far ahead.
    const AT_ONCE: Duration = Duration::from_secs(30);

    pub(crate) const NONE: Self = Self {
        failures: 0,
        full_at: Timestamp::from_secs(0),
        last_failed_at: Timestamp::from_secs(0),
        known_at: None,
    };

    pub(crate) fn state(&self, rate: &Rate, now: Timestamp) -> LaneState {
        // What a clock wrote that was ahead keeps nobody waiting: its pauses would end when that time comes again.
        let is_of_now = self.last_failed_at.since(now) <= Self::AT_ONCE;
        if is_of_now {
            let bucket = rate.standing(self.full_at, now).wait.unwrap_or_default();
            let wait = bucket.max(self.pause(rate).saturating_sub(now.since(self.last_failed_at)));
            if !wait.is_zero() {
                return LaneState::Wait(wait);
            }
        }
        if self.failures >= Self::MAX_FAILURES { LaneState::Stopped } else { LaneState::Open }
    }

    /// After a bucket's worth of failures in a row: 1 s, 2 s, 4 s and so on, up to the bucket's period.
    fn pause(&self, rate: &Rate) -> Duration {
        match self.failures.checked_sub(rate.count.max(1)) {
            Some(more) => Duration::from_secs(1 << more.min(30)).min(rate.period),
            None => Duration::ZERO,
        }
    }

    #[must_use]
    pub(crate) fn failed(self, rate: &Rate, now: Timestamp) -> Self {
        Self {
            failures: self.failures.saturating_add(1).min(Self::MAX_FAILURES),
            full_at: rate.take(self.full_at, now),
            last_failed_at: now,
            known_at: self.known_at,
        }
    }

    /// A right password ends the row; what the wrong ones took from the bucket comes back with time.
    #[must_use]
    pub(crate) fn succeeded(self) -> Self {
        Self { failures: 0, ..self }
    }

    /// Whether there is nothing to remember.
    pub(crate) fn is_blank(&self, now: Timestamp) -> bool {
        self.failures == 0 && self.known_at.is_none() && self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { count: 5, period: Duration::from_secs(300) };

    #[test]
    fn pauses_grow_up_to_the_period_and_a_hundred_is_the_end() {
        let mut now = Timestamp::from_secs(1_000_000);
        let mut guesses = Guesses::NONE;
        let mut waits = Vec::new();
        while guesses.failures < Guesses::MAX_FAILURES {
            match guesses.state(&RATE, now) {
                LaneState::Wait(wait) => {
                    waits.push(wait.as_secs());
                    now = now.after(wait);
                    assert_eq!(guesses.state(&RATE, now), LaneState::Open);
                }
                LaneState::Open => {}
                LaneState::Stopped => panic!("after {}", guesses.failures),
            }
            guesses = guesses.failed(&RATE, now);
        }

        assert_eq!(waits[..9], [60, 60, 60, 60, 60, 60, 64, 128, 256]);
        assert!(waits[9..].iter().all(|wait| *wait == 300), "{waits:?}");
        assert_eq!(waits.len(), 95);
        assert_eq!(guesses.state(&RATE, now.after(RATE.period)), LaneState::Stopped);
    }

    #[test]
    fn a_right_password_ends_the_row_and_fills_no_bucket() {
        let now = Timestamp::from_secs(1_000_000);
        let tried = (0..5).fold(Guesses::NONE, |guesses, _| guesses.failed(&RATE, now));

        let right = tried.succeeded();

        assert_eq!((right.failures, right.full_at), (0, tried.full_at));
        assert!(!right.is_blank(now) && right.is_blank(now.after(RATE.period)));
    }

    #[test]
    fn a_clock_set_back_keeps_nobody_out_for_longer_than_the_period() {
        let now = Timestamp::from_secs(1_000_000_000);
        for failures in [5, 8, 20] {
            let tried = (0..failures).fold(Guesses::NONE, |guesses, _| guesses.failed(&RATE, now));
            for back in [0, 1, 29, 31, 60, 299, 300, 601, 3600, 86_400 * 3650] {
                let begun = now.before(Duration::from_secs(back));
                let mut moments = (0..1000).map(|secs| begun.after(Duration::from_secs(secs)));
                let open = moments.find(|now| tried.state(&RATE, *now) == LaneState::Open);
                let took = open.expect("some day").since(begun);
                assert!(took <= RATE.period + Guesses::AT_ONCE, "{took:?}: {failures}, {back} s back");
            }
        }
    }

    #[test]
    fn a_guess_that_began_before_the_last_one_waits_like_one_after_it() {
        let rate = Rate { count: 100, ..RATE };
        let now = Timestamp::from_secs(1_000_000);
        let tried = Guesses { failures: 110, ..Guesses::NONE.failed(&rate, now) };

        for moment in [now.before(Duration::from_millis(5)), now, now.after(Duration::from_millis(5))] {
            assert!(matches!(tried.state(&rate, moment), LaneState::Wait(_)), "{moment}");
        }
    }
}
