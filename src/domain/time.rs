//! A moment in time. Comes from `clock.rs` and is passed in, never read here.

use std::fmt;
use std::time::Duration;

/// Milliseconds since 1970-01-01 UTC. Arithmetic saturates: a clock gone mad cannot make anything panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(u64);

/// 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write.
const LAST: u64 = 253_402_300_799_999;
const DAY: u64 = 86_400_000;

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
    /// RFC 3339 in UTC with milliseconds: `2026-11-22T15:43:00.000Z`. Written by hand, because each profile shows three.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / DAY);
        let millis = self.0 % DAY;
        let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (end, mut number) in
            [(4, year), (7, month), (10, day), (13, hours), (16, minutes), (19, seconds), (23, millis % 1000)]
        {
            // Each number goes over the zeros before its end.
            for digit in text.iter_mut().take(end).rev().take_while(|digit| **digit == b'0') {
                *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
                if number == 0 {
                    break;
                }
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Year, month and day of the proleptic Gregorian calendar, so many days after 1970-01-01. Counts from March, so that
/// the leap day is a year's last, in eras of 400 years (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_OF_ERA: u64 = 146_097;
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_as_rfc_3339_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(1_795_362_180_000).to_string(), "2026-11-22T15:43:00.000Z");
        for (secs, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (68_169_599, "1972-02-28T23:59:59.000Z"),
            (68_169_600, "1972-02-29T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000Z"),
            (1_709_251_200, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (4_102_444_799, "2099-12-31T23:59:59.000Z"),
            (10_951_631_999, "2317-01-16T23:59:59.000Z"),
        ] {
            assert_eq!(Timestamp::from_secs(secs).to_string(), text);
        }
        assert_eq!(Timestamp::from_millis(5).to_string(), "1970-01-01T00:00:00.005Z");
        assert_eq!(Timestamp::from_millis(50).to_string(), "1970-01-01T00:00:00.050Z");
    }

    proptest::proptest! {
        #[test]
        fn shows_what_jiff_shows(millis in 0..=super::LAST - DAY) {
            let theirs = jiff::Timestamp::from_millisecond(i64::try_from(millis).expect("in range"));
            let ours = Timestamp::from_millis(millis).to_string();
            proptest::prop_assert_eq!(ours, format!("{:.3}", theirs.expect("in range")));
        }
    }

    #[test]
    fn arithmetic_stays_inside_the_calendar() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        assert_eq!(end.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_secs(1).since(end), Duration::ZERO);
    }
}
