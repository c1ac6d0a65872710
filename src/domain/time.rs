//! A moment in time. Comes from `clock.rs` and is passed in, never read here.

use std::fmt;
use std::time::Duration;

/// Milliseconds since 1970-01-01 UTC. Arithmetic saturates: a clock gone mad cannot make anything panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(u64);

/// 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write.
const LAST: u64 = 253_402_300_799_999;
const DAY: u64 = 86_400_000;
/// No time that anybody means is longer.
const MAX_TEXT: usize = 64;

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

    /// When the span of time began that this moment is in: the hour, the day, counted in UTC.
    pub(crate) fn beginning_of(self, span: Duration) -> Self {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        Self::from_millis(self.millis() - self.millis() % span)
    }

    /// Reads a moment of RFC 3339, whatever its offset. What is finer than a millisecond is cut, a leap second is the
    /// second before it, and what lies before 1970 is the beginning of 1970.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut text = Reader(text.as_bytes());
        let year = text.number(4)?;
        text.one_of(b"-")?;
        let month = text.number(2)?;
        text.one_of(b"-")?;
        let day = text.number(2)?;
        text.one_of(b"Tt")?;
        let hours = text.number(2)?;
        text.one_of(b":")?;
        let minutes = text.number(2)?;
        text.one_of(b":")?;
        let seconds = text.number(2)?;
        let millis = text.fraction()?;
        let offset = text.offset()?;
        let is_moment = text.0.is_empty()
            && (1..=12).contains(&month)
            && (1..=days_of(year, month)).contains(&day)
            && hours <= 23
            && minutes <= 59
            && seconds <= 60;
        let in_day = ((hours * 60 + minutes - offset) * 60 + seconds.min(59)) * 1000 + millis;
        let since_1970 = days_since_1970(year, month, day) * DAY.cast_signed() + in_day;
        is_moment.then(|| Self::from_millis(u64::try_from(since_1970).unwrap_or_default()))
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

/// The way back from [`civil`]; negative before 1970.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Reads text from its beginning; what it was asked for and did not find is None.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |value, digit| Some(value * 10 + value_of(*digit)?))
    }

    fn one_of(&mut self, signs: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first().filter(|(first, _)| signs.contains(first))?;
        self.0 = rest;
        Some(*first)
    }

    /// The milliseconds of a fraction of a second, if there is one.
    fn fraction(&mut self) -> Option<i64> {
        if self.one_of(b".").is_none() {
            return Some(0);
        }
        let mut millis = self.number(1)? * 100;
        for worth in [10, 1] {
            millis += self.digit().unwrap_or_default() * worth;
        }
        while self.digit().is_some() {}
        Some(millis)
    }

    /// How many minutes the local time is ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2)?;
        self.one_of(b":")?;
        let minutes = self.number(2)?;
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
    }

    fn digit(&mut self) -> Option<i64> {
        self.one_of(b"0123456789").and_then(value_of)
    }
}

fn value_of(digit: u8) -> Option<i64> {
    digit.is_ascii_digit().then(|| i64::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_of_rfc_3339() {
        let noon = Some(Timestamp::from_secs(1_795_348_800));
        for text in [
            "2026-11-22T12:00:00Z",
            "2026-11-22t12:00:00z",
            "2026-11-22T12:00:00.000Z",
            "2026-11-22T12:00:00.000999999999999Z",
            "2026-11-22T12:00:00-00:00",
            "2026-11-22T14:30:00+02:30",
            "2026-11-23T11:59:00+23:59",
            "2026-11-21T12:01:00-23:59",
        ] {
            assert_eq!(Timestamp::parse(text), noon, "{text}");
        }
        for (text, shown) in [
            ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500Z"),
            ("2024-02-29T23:59:59.07+00:00", "2024-02-29T23:59:59.070Z"),
            ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
            ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00.000Z"),
            ("0000-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("1969-12-31T23:00:00-02:00", "1970-01-01T01:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
            ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::parse(text).map(|time| time.to_string()).as_deref(), Some(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_of_rfc_3339_is_not_read() {
        let long = format!("2026-11-22T12:00:00.{}Z", "0".repeat(64));
        for text in [
            "",
            "tomorrow",
            "1795348800",
            "2026-11-22",
            "2026-11-22T12:00:00",
            "2026-11-22T12:00Z",
            "2026-11-22 12:00:00Z",
            "2026-11-22T12:00:00 Z",
            " 2026-11-22T12:00:00Z",
            "2026-11-22T12:00:00Zx",
            "2026-11-22T12:00:00.Z",
            "2026-11-22T12:00:00,5Z",
            "2026-11-22T12:00:00+0200",
            "2026-11-22T12:00:00+02",
            "2026-11-22T12:00:00+24:00",
            "2026-11-22T12:00:00+02:60",
            "2026-11-22T24:00:00Z",
            "2026-11-22T12:60:00Z",
            "2026-11-22T12:00:61Z",
            "2026-00-22T12:00:00Z",
            "2026-13-22T12:00:00Z",
            "2026-11-00T12:00:00Z",
            "2026-11-31T12:00:00Z",
            "2026-02-29T12:00:00Z",
            "2100-02-29T12:00:00Z",
            "26-11-22T12:00:00Z",
            "+2026-11-22T12:00:00Z",
            "-026-11-22T12:00:00Z",
            "2026-+1-22T12:00:00Z",
            "２026-11-22T12:00:00Z",
            "2026-11-22T12:00:00Z[UTC]",
            &long,
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

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

        #[test]
        fn reads_back_what_it_shows(millis in 0..=super::LAST) {
            let time = Timestamp::from_millis(millis);
            proptest::prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn reads_what_jiff_reads(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?\
                     ([Zz]|[+-]([01][0-9]|2[0-3]):[0-6][0-9])"
        ) {
            let theirs = text.parse::<jiff::Timestamp>();
            let beyond = ["9999-12-31", "9999-12-30"].iter().any(|end| text.starts_with(end));
            match (Timestamp::parse(&text), theirs) {
                (Some(ours), Ok(theirs)) => {
                    let theirs = u64::try_from(theirs.as_millisecond()).unwrap_or_default();
                    proptest::prop_assert_eq!(ours.millis(), theirs);
                }
                (ours, theirs) => proptest::prop_assert!(beyond || ours.is_some() == theirs.is_ok(), "{text}"),
            }
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
