//! The roster: who there is, in memory, made when somebody filters or searches a list and forgotten when nobody does.
//!
//! Must never: differ from the view of the store that a list is read from, or let the writer wait for a list.

mod columns;
mod slots;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::domain::{Timestamp, UserId};
use crate::store::StoreError;
use crate::store::tx::ReadTx;

pub(super) use columns::Roster;

/// A roster that is behind by more than this is not worth correcting.
const MAX_CHANGED: usize = 100_000;

/// The roster while there is one, and what has happened since it was right.
#[derive(Default)]
pub(super) struct KeptRoster {
    kept: Mutex<Option<Kept>>,
    /// Held for moments: the writer needs it. Whoever has both took `kept` first.
    changes: Mutex<Changes>,
    is_wanted: AtomicBool,
    pub(super) wanted: Notify,
}

struct Kept {
    roster: Roster,
    used_at: Timestamp,
}

/// Who may differ from the roster.
#[derive(Default)]
struct Changes {
    /// A commit changes these now: a view may have them before or after.
    committing: Vec<UserId>,
    /// A commit changed these: every view from now on has them after it. None: nobody has kept count.
    committed: Option<HashSet<UserId>>,
}

impl KeptRoster {
    /// Before a commit of changes to these users.
    pub(super) fn begin_commit(&self, users: &[UserId]) {
        if !users.is_empty() {
            self.changes().committing = users.to_vec();
        }
    }

    /// After it, whatever came of it.
    pub(super) fn end_commit(&self) {
        let mut changes = self.changes();
        let ids = std::mem::take(&mut changes.committing);
        if let Some(committed) = &mut changes.committed {
            committed.extend(ids);
            if committed.len() > MAX_CHANGED {
                changes.committed = None;
            }
        }
    }

    /// Asks a roster that is exactly what the view has. Makes it if there is none, and blocks for as long as that takes;
    /// others who ask wait for it, and writers do not.
    pub(super) fn ask<T>(
        &self,
        now: Timestamp,
        read: impl Fn() -> Result<ReadTx, StoreError>,
        question: impl FnOnce(&ReadTx, &Roster) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.ask_kept(self.kept.lock().unwrap_or_else(PoisonError::into_inner), now, read, question)
    }

    /// Has it made, or kept, by [`KeptRoster::keep`].
    pub(super) fn want(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
        self.wanted.notify_one();
    }

    /// Makes it if somebody wants it, forgets it if nobody has asked since `idle_since`, and otherwise corrects it, so that
    /// whoever asks next does not have to wait for that.
    pub(super) fn keep(
        &self,
        now: Timestamp,
        idle_since: Timestamp,
        read: impl Fn() -> Result<ReadTx, StoreError>,
    ) -> Result<(), StoreError> {
        let is_wanted = self.is_wanted.swap(false, Ordering::Relaxed);
        // Somebody asks it at this moment, and does all of this.
        let Ok(mut kept) = self.kept.try_lock() else { return Ok(()) };
        let used_at = match &*kept {
            _ if is_wanted => now,
            Some(Kept { used_at, .. }) if *used_at > idle_since => *used_at,
            _ => {
                *kept = None;
                self.changes().committed = None;
                return Ok(());
            }
        };
        self.ask_kept(kept, used_at, read, |_, _| Ok(()))
    }

    fn ask_kept<T>(
        &self,
        mut kept: MutexGuard<'_, Option<Kept>>,
        now: Timestamp,
        read: impl Fn() -> Result<ReadTx, StoreError>,
        question: impl FnOnce(&ReadTx, &Roster) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (read, changed) = self.view(read)?;
        // Taken out meanwhile: where a correction breaks off, the next one who asks makes it anew.
        let roster = match (kept.take(), changed) {
            (Some(Kept { mut roster, .. }), Some(changed)) => {
                correct(&mut roster, &read, changed)?;
                roster
            }
            (old, _) => {
                drop(old); // Two of them would be much.
                make(&read)?
            }
        };
        let answer = question(&read, &roster);
        *kept = Some(Kept { roster, used_at: now });
        answer
    }

    /// A view, and all whom it may have otherwise than the roster. The view is taken while no commit can begin or end, so
    /// whoever is not named has not changed.
    fn view(
        &self,
        read: impl Fn() -> Result<ReadTx, StoreError>,
    ) -> Result<(ReadTx, Option<HashSet<UserId>>), StoreError> {
        let mut changes = self.changes();
        let read = read()?;
        let mut changed = changes.committed.replace(HashSet::new());
        if let Some(changed) = &mut changed {
            changed.extend(&changes.committing);
        }
        Ok((read, changed))
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(read: &ReadTx) -> Result<Roster, StoreError> {
    let mut roster = Roster::default();
    for user in read.users()? {
        roster.enter(&user?);
    }
    roster.shrink();
    tracing::debug!(bytes = roster.bytes(), "the roster is made");
    Ok(roster)
}

fn correct(roster: &mut Roster, read: &ReadTx, changed: HashSet<UserId>) -> Result<(), StoreError> {
    for id in changed {
        match read.user(id)? {
            Some(user) => roster.enter(&user),
            None => roster.strike(id),
        }
    }
    Ok(())
}
