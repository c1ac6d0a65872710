//! The audit log: rows are added, never changed.

use crate::domain::Event;
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::EventRecord;
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    /// The newest events, the newest first, at most `limit`.
    pub(crate) fn newest_events(&self, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.rows::<EventRecord>(None, Order::Descending)?
            .take(limit)
            .map(|row| {
                let (id, record) = row?;
                let unknown = || StoreError::Damaged(format!("event {id} is of an unknown kind"));
                record.into_event(id).ok_or_else(unknown)
            })
            .collect()
    }
}

impl WriteTx {
    /// The log is in the order of its commits: events of one millisecond, or of a clock that was set back, come after
    /// those that were there.
    pub(crate) fn append_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let newest = self.rows::<EventRecord>(None, Order::Descending)?.next().transpose()?;
        let id = newest.map_or(event.id, |(newest, _)| event.id.max(newest.next()));
        self.save(&id, &EventRecord::from(event))
    }
}
