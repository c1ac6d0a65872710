//! A moment in time. Comes from `clock.rs` and is passed in, never read here.

use std::fmt;
use std::time::Duration;

/// Milliseconds since 1970-01-01 UTC. Arithmetic saturates: a clock gone mad cannot make anything panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(u64);

/// 9999-12-30T22:00:00Z: the last moment that jiff can show in every time zone.
const LAST: u64 = 253_402_207_200_000;

impl Timestamp {
    pub(crate) const fn from_millis(millis: u64) -> Self {
        Self(if millis > LAST { LAST } else { millis })
    }

    pub(crate) const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    pub(crate) const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds, cut: the `exp` and `iat` of a token (RFC 7519 `NumericDate`).
    pub(crate) const fn secs(self) -> u64 {
        self.0 / 1000
    }

    /// The same moment without its milliseconds.
    pub(crate) const fn whole_secs(self) -> Self {
        Self::from_secs(self.secs())
    }

    pub(crate) fn after(self, span: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    pub(crate) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; nothing if it lies ahead.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds: `2026-11-22T15:43:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = i64::try_from(self.0)
            .ok()
            .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{time:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_as_rfc_3339_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(1_795_362_180_000).to_string(), "2026-11-22T15:43:00.000Z");
        assert_eq!(Timestamp::from_millis(5).to_string(), "1970-01-01T00:00:00.005Z");
    }

    #[test]
    fn arithmetic_stays_inside_the_calendar() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        assert!(end.to_string().starts_with("9999-12-30T22:00:00"));
        assert_eq!(Timestamp::from_secs(1).since(end), Duration::ZERO);
    }
}
