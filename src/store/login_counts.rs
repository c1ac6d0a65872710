//! How many log-ins there were, hour by hour: counted when they are written, so that nobody has to count the audit log.

use std::time::Duration;

use crate::domain::{Event, EventKind, LoginCount, Timestamp};
use crate::store::StoreError;
use crate::store::codec::Key as _;
use crate::store::engine::Order;
use crate::store::records::LoginCountRecord;
use crate::store::table::{Row as _, damaged};
use crate::store::tx::{ReadTx, WriteTx};

/// A month by days, and some hours of the day before it.
const KEPT_FOR: Duration = Duration::from_secs(32 * 24 * 3600);
/// So many hours that are too old go with the first log-in of a new one.
const SWEPT: usize = 48;

impl ReadTx {
    /// The counts of the hours that began at this moment or later, the oldest first: at most some 800.
    pub(crate) fn login_counts(&self, since: Timestamp) -> Result<Vec<(Timestamp, LoginCount)>, StoreError> {
        let rows = self.rows::<LoginCountRecord>(Some(&since), Order::Ascending)?;
        rows.map(|row| row.map(|(hour, record)| (hour, LoginCount::from(record)))).collect()
    }
}

impl WriteTx {
    /// Counts an event if it is a log-in.
    pub(super) fn count_login(&mut self, event: &Event) -> Result<(), StoreError> {
        let new = match event.kind {
            EventKind::LoginSucceeded => LoginCount { succeeded: 1, failed: 0 },
            EventKind::LoginFailed => LoginCount { succeeded: 0, failed: 1 },
            _ => return Ok(()),
        };
        let hour = event.time.beginning_of(LoginCount::HOUR);
        let counted = self.row::<LoginCountRecord>(&hour)?.map(LoginCount::from);
        if counted.is_none() {
            self.sweep_login_counts(hour.before(KEPT_FOR))?;
        }
        self.save(&hour, &LoginCountRecord::from(counted.unwrap_or_default().and(new)))
    }

    fn sweep_login_counts(&mut self, end: Timestamp) -> Result<(), StoreError> {
        let table = LoginCountRecord::TABLE.name;
        let hours = self.scan(table, None, Order::Ascending)?.take(SWEPT);
        let hours = hours.map(|pair| Timestamp::from_bytes(&pair?.0).map_err(|error| damaged(table, &error)));
        for hour in hours.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|hour| *hour < end) {
            self.remove::<LoginCountRecord>(&hour)?;
        }
        Ok(())
    }
}

impl From<LoginCountRecord> for LoginCount {
    fn from(record: LoginCountRecord) -> Self {
        Self { succeeded: record.succeeded, failed: record.failed }
    }
}

impl From<LoginCount> for LoginCountRecord {
    fn from(count: LoginCount) -> Self {
        Self { succeeded: count.succeeded, failed: count.failed }
    }
}
