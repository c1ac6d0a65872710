//! How many there are of what, and how many log-ins there were.

use std::time::Duration;

use crate::domain::Timestamp;

/// The log-ins of some span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LoginCount {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
}

/// How many users there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) all: u64,
    pub(crate) active: u64,
    pub(crate) staff: u64,
    pub(crate) superusers: u64,
    pub(crate) joined_last_day: u64,
    pub(crate) joined_last_week: u64,
}

/// How many mails are not delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MailCount {
    pub(crate) waiting: u64,
    /// Given up.
    pub(crate) failed: u64,
}

/// A column of the chart of log-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoginBucket {
    pub(crate) start: Timestamp,
    pub(crate) count: LoginCount,
}

impl LoginCount {
    /// Log-ins are counted by hours of UTC.
    pub(crate) const HOUR: Duration = Duration::from_secs(3600);
    pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

    /// Both together.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            succeeded: self.succeeded.saturating_add(other.succeeded),
            failed: self.failed.saturating_add(other.failed),
        }
    }

    /// Lays the counts of hours, the oldest first, into `number` columns of the same span, the last of which holds `now`.
    pub(crate) fn in_buckets(
        hours: &[(Timestamp, Self)],
        span: Duration,
        number: u32,
        now: Timestamp,
    ) -> Vec<LoginBucket> {
        let last = now.beginning_of(span);
        let starts = (0..number).rev().map(|back| last.before(span.saturating_mul(back)));
        starts
            .map(|start| {
                let end = start.after(span);
                let within = hours.iter().filter(|(hour, _)| (start..end).contains(hour));
                let count = within.fold(Self::default(), |sum, (_, count)| sum.and(*count));
                LoginBucket { start, count }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000); // 2027-01-15T08:00:00Z

    fn hour(back: u32) -> Timestamp {
        NOW.beginning_of(LoginCount::HOUR).before(LoginCount::HOUR * back)
    }

    #[test]
    fn log_ins_stand_in_the_hour_and_the_day_that_they_were_in() {
        let count = |succeeded, failed| LoginCount { succeeded, failed };
        let hours = [
            (hour(24), count(7, 7)),
            (hour(23), count(1, 2)),
            (hour(9), count(3, 0)),
            (hour(0), count(0, 4)),
        ];

        let by_hour =
            LoginCount::in_buckets(&hours, LoginCount::HOUR, 24, NOW.after(Duration::from_secs(90)));
        let by_day = LoginCount::in_buckets(&hours, LoginCount::DAY, 30, NOW);

        assert_eq!((by_hour.len(), by_hour[0].start, by_hour[23].start), (24, hour(23), NOW));
        assert_eq!(
            [by_hour[0].count, by_hour[14].count, by_hour[23].count],
            [count(1, 2), count(3, 0), count(0, 4)]
        );
        assert_eq!(by_hour.iter().filter(|one| one.count == LoginCount::default()).count(), 21);
        assert_eq!(by_day.len(), 30);
        assert_eq!(by_day[29].start.to_string(), "2027-01-15T00:00:00.000Z");
        assert_eq!([by_day[28].count, by_day[29].count], [count(11, 9), count(0, 4)]);
    }
}
