//! What a transaction will change: puts and deletes, by table and key.

use std::collections::BTreeMap;
use std::ops::Bound;

/// What becomes of one key.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Put(Vec<u8>),
    Delete,
}

/// Puts and deletes that are not committed yet.
#[derive(Debug, Default)]
pub(super) struct WriteSet(BTreeMap<&'static str, BTreeMap<Vec<u8>, Change>>);

impl WriteSet {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    pub(super) fn tables(
        &self,
    ) -> impl Iterator<Item = (&'static str, impl Iterator<Item = (&Vec<u8>, &Change)>)> {
        self.0.iter().map(|(table, changes)| (*table, changes.iter()))
    }

    pub(super) fn get(&self, table: &'static str, key: &[u8]) -> Option<&Change> {
        self.0.get(table)?.get(key)
    }

    /// The changes of a table within bounds, in the order of their keys.
    pub(super) fn range(
        &self,
        table: &'static str,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> Vec<(&Vec<u8>, &Change)> {
        self.0.get(table).map_or_else(Vec::new, |changes| changes.range::<[u8], _>(bounds).collect())
    }

    /// Sets what `key` will be, and says what this set had for it before.
    pub(super) fn set(&mut self, table: &'static str, key: Vec<u8>, change: Change) -> Option<Change> {
        self.0.entry(table).or_default().insert(key, change)
    }

    pub(super) fn unset(&mut self, table: &'static str, key: &[u8]) {
        if let Some(changes) = self.0.get_mut(table) {
            changes.remove(key);
            if changes.is_empty() {
                self.0.remove(table);
            }
        }
    }
}
