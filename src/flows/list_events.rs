//! The audit log.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::app::App;
use crate::domain::{Event, EventId, EventKind, Timestamp, UserId};
use crate::flows::FlowError;
use crate::flows::steps::{Listed, Page};
use crate::store::ReadTx;

/// Which events are asked for. Both ends of the time belong to it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EventFilter {
    pub(crate) kind: Option<EventKind>,
    /// Who did it, or had it done to them.
    pub(crate) user: Option<UserId>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

/// Rows that one walk looks at. A page that needs more ends early, and the next one goes on.
const MAX_LOOKS: usize = 10_000;

/// The newest events, the newest first, at most `limit`.
pub(crate) fn list_events(app: &App, limit: usize) -> Result<Vec<Event>, FlowError> {
    Ok(app.store.read()?.newest_events(limit)?)
}

/// The events that a filter takes, the newest first. How many there are is said if there is no filter, or if counting
/// them looks at no more rows than a page may.
pub(crate) async fn search_events(
    app: &Arc<App>,
    filter: EventFilter,
    page: Page<EventId>,
) -> Result<Listed<Event, EventId>, FlowError> {
    let app = Arc::clone(app);
    let found = tokio::task::spawn_blocking(move || {
        let read = app.store.read()?;
        let count = filter.count(&read)?;
        let mut rows = Vec::new();
        let mut looks = 0;
        let mut last = None;
        let mut next = None;
        read.walk_events(page.after, |event| {
            if rows.len() == page.limit || looks == MAX_LOOKS {
                next = last;
                return ControlFlow::Break(());
            }
            looks += 1;
            last = Some(event.id);
            if filter.is_over_at(&event) {
                return ControlFlow::Break(());
            }
            if filter.takes(&event) {
                rows.push(event);
            }
            ControlFlow::Continue(())
        })?;
        Ok::<_, FlowError>(Listed { rows, next, count })
    });
    found.await.map_err(|error| FlowError::Internal(error.to_string()))?
}

/// The events that a filter takes and that came after one, the oldest first, for whoever follows the log. `next` is what to
/// go on after, be there anything yet or not.
pub(crate) async fn follow_events(
    app: &Arc<App>,
    filter: EventFilter,
    page: Page<EventId>,
    after: EventId,
) -> Result<Listed<Event, EventId>, FlowError> {
    let app = Arc::clone(app);
    let found = tokio::task::spawn_blocking(move || {
        let mut rows = Vec::new();
        let (mut looks, mut last) = (0, after);
        app.store.read()?.follow_events(after, |event| {
            looks += 1;
            last = event.id;
            if filter.takes(&event) {
                rows.push(event);
            }
            let is_enough = rows.len() == page.limit || looks == MAX_LOOKS;
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok::<_, FlowError>(Listed { rows, next: Some(last), count: None })
    });
    found.await.map_err(|error| FlowError::Internal(error.to_string()))?
}

impl EventFilter {
    fn takes(&self, event: &Event) -> bool {
        self.kind.is_none_or(|kind| event.kind == kind)
            && self.user.is_none_or(|user| event.concerns(user))
            && self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time <= until)
    }

    /// Whether no older row can be taken: an id is never of an earlier time than its event.
    fn is_over_at(&self, event: &Event) -> bool {
        self.since.is_some_and(|since| event.id < EventId::new(since, [0; 10]))
    }

    fn takes_all(&self) -> bool {
        self.kind.is_none() && self.user.is_none() && self.since.is_none() && self.until.is_none()
    }

    fn count(&self, read: &ReadTx) -> Result<Option<u64>, FlowError> {
        if self.takes_all() {
            return Ok(Some(read.count_events()?));
        }
        let (mut count, mut looks) = (0, 0);
        let mut is_whole = true;
        read.walk_events(None, |event| {
            if looks == MAX_LOOKS {
                is_whole = false;
                return ControlFlow::Break(());
            }
            looks += 1;
            if self.is_over_at(&event) {
                return ControlFlow::Break(());
            }
            count += u64::from(self.takes(&event));
            ControlFlow::Continue(())
        })?;
        Ok(is_whole.then_some(count))
    }
}
