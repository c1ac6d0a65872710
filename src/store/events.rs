//! The audit log: rows are added and, when they are old enough, forgotten; never changed.

use std::ops::ControlFlow;

use crate::domain::{Event, EventId, Timestamp};
use crate::store::StoreError;
use crate::store::codec::Key as _;
use crate::store::engine::Order;
use crate::store::records::EventRecord;
use crate::store::table::{Row as _, damaged};
use crate::store::tx::{ReadTx, WriteTx};

impl ReadTx {
    /// The newest events, the newest first, at most `limit`.
    pub(crate) fn newest_events(&self, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.rows::<EventRecord>(None, Order::Descending)?
            .take(limit)
            .map(|row| row.and_then(|(id, record)| whole(id, record)))
            .collect()
    }

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
            if look(whole(id, record)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Shows the events that came after one, the oldest first, until `look` has seen enough.
    pub(crate) fn follow_events(
        &self,
        after: EventId,
        mut look: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        for row in self.rows::<EventRecord>(Some(&after.next()), Order::Ascending)? {
            let (id, record) = row?;
            if look(whole(id, record)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Events that were appended before this moment, the oldest first, at most `limit`: an id is never of an earlier time
    /// than its event.
    pub(crate) fn events_before(&self, time: Timestamp, limit: usize) -> Result<Vec<EventId>, StoreError> {
        let (table, end) = (EventRecord::TABLE.name, EventId::new(time, [0; 10]));
        let ids = self
            .scan(table, None, Order::Ascending)?
            .map(|pair| EventId::from_bytes(&pair?.0).map_err(|error| damaged(table, &error)));
        ids.take_while(|id| id.as_ref().map_or(true, |id| *id < end)).take(limit).collect()
    }
}

impl WriteTx {
    /// Forgets an event that is old enough; the others stay what they are.
    pub(crate) fn forget_event(&mut self, id: EventId) -> Result<(), StoreError> {
        self.remove::<EventRecord>(&id)?;
        Ok(())
    }

    /// The log is in the order of its commits: events of one millisecond, or of a clock that was set back, come after
    /// those that were there.
    pub(crate) fn append_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let newest = self.rows::<EventRecord>(None, Order::Descending)?.next().transpose()?;
        let id = newest.map_or(event.id, |(newest, _)| event.id.max(newest.next()));
        self.count_login(event)?;
        self.save(&id, &EventRecord::from(event))
    }
}

fn whole(id: EventId, record: EventRecord) -> Result<Event, StoreError> {
    record.into_event(id).ok_or_else(|| StoreError::Damaged(format!("event {id} is of an unknown kind")))
}
