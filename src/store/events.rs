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
    pub(crate) fn append_event(&mut self, event: &Event) -> Result<(), StoreError> {
        self.save(&event.id, &EventRecord::from(event))
    }
}
