//! The audit log: rows are added, never changed.

use std::ops::ControlFlow;

use crate::domain::{Event, EventId};
use crate::store::StoreError;
use crate::store::engine::Order;
use crate::store::records::EventRecord;
use crate::store::table::Row as _;
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

impl ReadTx {
    /// How many events there are.
    pub(crate) fn count_events(&self) -> Result<u64, StoreError> {
        self.stored_len(EventRecord::TABLE.name)
    }

    /// Shows the events to `look`, the newest first, those before `before` only, until it has seen enough.
    pub(crate) fn walk_events(
        &self,
        before: Option<EventId>,
        mut look: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        for row in self.rows::<EventRecord>(before.as_ref(), Order::Descending)? {
            let (id, record) = row?;
            if before == Some(id) {
                continue;
            }
            let event = record.into_event(id);
            let event =
                event.ok_or_else(|| StoreError::Damaged(format!("event {id} is of an unknown kind")))?;
            if look(event).is_break() {
                break;
            }
        }
        Ok(())
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
