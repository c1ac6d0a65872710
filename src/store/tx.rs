//! Transactions: a consistent view to read, and a write set that grows over it.
//!
//! Must never: read a clock, draw a random number, log, wait, or let half of a failed closure through.

use std::ops::{Bound, Deref};
use std::sync::{Arc, OnceLock};

use crate::domain::{Directory, SessionId, Timestamp, UserId};
use crate::store::StoreError;
use crate::store::codec::MAX_VALUE_BYTES;
use crate::store::engine::{Order, Pair, Snapshot};
use crate::store::write_set::{Change, WriteSet};

/// One transaction stays small, so that every engine can run it; bulk work is many transactions.
const MAX_OPERATIONS: usize = 1024;
const MAX_KEY_BYTES: usize = 1024;

/// A consistent view of the store. A write transaction reads through one too, and sees its own writes.
pub(crate) struct ReadTx {
    snapshot: Snapshot,
    writes: WriteSet,
    /// The groups and permissions as this transaction sees them, once somebody asked.
    directory: OnceLock<Arc<Directory>>,
}

impl ReadTx {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self { snapshot, writes: WriteSet::default(), directory: OnceLock::new() }
    }

    /// All groups and permissions. A write sees its own changes of them, and those of the writes before it.
    pub(crate) fn directory(&self) -> Result<Arc<Directory>, StoreError> {
        if let Some(directory) = self.directory.get() {
            return Ok(Arc::clone(directory));
        }
        let directory = Arc::new(Directory::new(self.groups()?, self.permissions()?));
        Ok(Arc::clone(self.directory.get_or_init(|| directory)))
    }

    pub(super) fn get(&self, table: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(table, key) {
            Some(Change::Put(value)) => Ok(Some(value.clone())),
            Some(Change::Delete) => Ok(None),
            None => self.snapshot.get(table, key),
        }
    }

    /// Pairs from `from` on, that one included; up in ascending order, down in descending order.
    pub(super) fn scan<'a>(
        &'a self,
        table: &'static str,
        from: Option<&[u8]>,
        order: Order,
    ) -> Result<impl Iterator<Item = Result<Pair, StoreError>> + use<'a>, StoreError> {
        let edge = from.map_or(Bound::Unbounded, Bound::Included);
        let bounds = match order {
            Order::Ascending => (edge, Bound::Unbounded),
            Order::Descending => (Bound::Unbounded, edge),
        };
        let stored = self.snapshot.range(table, bounds, order)?;
        let mut changes = self.writes.range(table, bounds);
        if order == Order::Ascending {
            changes.reverse(); // The next one is taken from the end.
        }
        Ok(Merged { stored: stored.peekable(), changes, order })
    }

    pub(super) fn stored_len(&self, table: &'static str) -> Result<u64, StoreError> {
        self.snapshot.len(table)
    }
}

/// What is stored, with the changes laid over it.
struct Merged<'a, I: Iterator<Item = Result<Pair, StoreError>>> {
    stored: std::iter::Peekable<I>,
    changes: Vec<(&'a Vec<u8>, &'a Change)>,
    order: Order,
}

impl<I: Iterator<Item = Result<Pair, StoreError>>> Iterator for Merged<'_, I> {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((key, change)) = self.changes.last().copied() else { return self.stored.next() };
            match self.stored.peek() {
                Some(Err(_)) => return self.stored.next(),
                Some(Ok((stored, _))) => {
                    let stored_is_first = match self.order {
                        Order::Ascending => stored < key,
                        Order::Descending => stored > key,
                    };
                    if stored_is_first {
                        return self.stored.next();
                    }
                    if stored == key {
                        self.stored.next();
                    }
                }
                None => {}
            }
            self.changes.pop();
            if let Change::Put(value) = change {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    }
}

/// A transaction that writes. What it changed is visible to it at once and to nobody else before the commit.
pub(crate) struct WriteTx {
    read: ReadTx,
    /// How to take back what the present closure did.
    undo: Vec<Undo>,
    effects: Effects,
}

/// What the write set had for a key before the present closure changed it.
struct Undo {
    table: &'static str,
    key: Vec<u8>,
    before: Option<Change>,
}

/// What memory must learn of a commit before anybody is told of it.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) revoked: Vec<(SessionId, Timestamp)>,
    pub(super) forgotten: Vec<SessionId>,
    pub(super) users: Vec<UserId>,
    pub(super) has_mail: bool,
    /// A group or a permission is another one now.
    pub(super) has_directory: bool,
    /// A group or a permission is gone.
    pub(super) has_lost_rights: bool,
}

impl Effects {
    pub(super) fn extend(&mut self, more: Self) {
        self.revoked.extend(more.revoked);
        self.forgotten.extend(more.forgotten);
        self.users.extend(more.users);
        self.has_mail |= more.has_mail;
        self.has_directory |= more.has_directory;
        self.has_lost_rights |= more.has_lost_rights;
    }
}

impl Deref for WriteTx {
    type Target = ReadTx;

    fn deref(&self) -> &ReadTx {
        &self.read
    }
}

impl WriteTx {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self { read: ReadTx::new(snapshot), undo: Vec::new(), effects: Effects::default() }
    }

    /// The same for whoever knows what groups and permissions the snapshot has.
    pub(super) fn knowing(snapshot: Snapshot, directory: Arc<Directory>) -> Self {
        let tx = Self::new(snapshot);
        tx.read.directory.get_or_init(|| directory);
        tx
    }

    /// Runs one closure on top of those before it. If it fails, nothing of it stays.
    pub(super) fn attempt<T, E>(
        &mut self,
        closure: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<(T, Effects), E> {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| closure(self)));
        let effects = std::mem::take(&mut self.effects);
        let undo = std::mem::take(&mut self.undo);
        if !matches!(result, Ok(Ok(_))) {
            if effects.has_directory {
                self.read.directory = OnceLock::new();
            }
            for Undo { table, key, before } in undo.into_iter().rev() {
                match before {
                    Some(change) => drop(self.read.writes.set(table, key, change)),
                    None => self.read.writes.unset(table, &key),
                }
            }
        }
        match result {
            Ok(outcome) => outcome.map(|value| (value, effects)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    pub(super) fn effects(&mut self) -> &mut Effects {
        &mut self.effects
    }

    /// For whoever changed a group or a permission: what was known of all of them is old.
    pub(super) fn forget_directory(&mut self) {
        self.read.directory = OnceLock::new();
        self.effects.has_directory = true;
    }

    pub(super) fn writes(&self) -> &WriteSet {
        &self.read.writes
    }

    pub(super) fn put(
        &mut self,
        table: &'static str,
        key: Vec<u8>,
        value: Vec<u8>,
    ) -> Result<(), StoreError> {
        if key.len() > MAX_KEY_BYTES || value.len() > MAX_VALUE_BYTES {
            return Err(StoreError::TooLarge(table));
        }
        self.change(table, key, Change::Put(value))
    }

    pub(super) fn delete(&mut self, table: &'static str, key: Vec<u8>) -> Result<(), StoreError> {
        self.change(table, key, Change::Delete)
    }

    fn change(&mut self, table: &'static str, key: Vec<u8>, change: Change) -> Result<(), StoreError> {
        if self.undo.len() >= MAX_OPERATIONS {
            return Err(StoreError::TooLarge(table));
        }
        let before = self.read.writes.set(table, key.clone(), change);
        self.undo.push(Undo { table, key, before });
        Ok(())
    }
}
