//! The events of one act: the same time, the same origin.

use crate::crypto::random;
use crate::domain::{Event, EventId, EventKind, EventResult, Origin, Timestamp};

/// Makes the events of one act: the same time, the same origin.
pub(crate) struct Audit<'a> {
    pub(crate) now: Timestamp,
    pub(crate) origin: &'a Origin,
}

impl Audit<'_> {
    pub(crate) fn success(&self, kind: EventKind) -> Event {
        self.event(kind, EventResult::Success)
    }

    pub(crate) fn failure(&self, kind: EventKind) -> Event {
        self.event(kind, EventResult::Failure)
    }

    fn event(&self, kind: EventKind, result: EventResult) -> Event {
        Event {
            id: EventId::new(self.now, random::bytes()),
            time: self.now,
            kind,
            result,
            actor: None,
            subject: None,
            session: None,
            origin: self.origin.clone(),
            detail: String::new(),
        }
    }
}
