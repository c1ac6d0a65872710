//! Rows and the indexes that follow them.
//!
//! A row says which index entries it has; saving or removing it moves them along. Nothing else writes an index, so
//! an index cannot drift from its table, and `check` can rebuild it.

use std::marker::PhantomData;

use serde::Serialize;

use crate::domain::Timestamp;
use crate::store::codec::{self, CodecError, Key, Lookup};
use crate::store::engine::Order;
use crate::store::error::{StoreError, Unique};
use crate::store::tx::{ReadTx, WriteTx};

/// A table of rows by their key.
pub(super) struct Table<R: Row> {
    pub(super) name: &'static str,
    row: PhantomData<fn() -> R>,
}

impl<R: Row> Table<R> {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, row: PhantomData }
    }
}

/// A second way to find rows, named by what it maps.
pub(super) struct Index<L> {
    pub(super) name: &'static str,
    unique: Option<Unique>,
    lookup: PhantomData<fn() -> L>,
}

impl<L: Lookup> Index<L> {
    /// At most one row has an entry; a second is refused with [`StoreError::Taken`].
    pub(super) const fn unique(name: &'static str, what: Unique) -> Self {
        Self { name, unique: Some(what), lookup: PhantomData }
    }

    /// Any number of rows may share an entry.
    pub(super) const fn many(name: &'static str) -> Self {
        Self { name, unique: None, lookup: PhantomData }
    }

    /// The entry that leads from `lookup` to the row with this key.
    pub(super) fn entry(&self, lookup: &L, row: &impl Key) -> Entry {
        let mut key = Vec::with_capacity(64);
        lookup.write_lookup(&mut key);
        let mut target = Vec::new();
        if self.unique.is_some() {
            row.write(&mut target);
        } else {
            row.write(&mut key);
        }
        Entry { index: self.name, unique: self.unique, key, target }
    }
}

/// One entry of one index. A unique index holds the row's key as its value, the others as the end of their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) index: &'static str,
    unique: Option<Unique>,
    pub(super) key: Vec<u8>,
    pub(super) target: Vec<u8>,
}

const ENTRY_VERSION: u8 = 1;

impl Entry {
    pub(super) fn value(&self) -> Vec<u8> {
        codec::seal(self.index, &self.key, ENTRY_VERSION, &self.target)
    }
}

/// The stored shape of something, with its place and its index entries.
pub(super) trait Row: Serialize + Sized + 'static {
    type Key: Key + Clone;
    const TABLE: Table<Self>;
    /// Goes up by one with every change of shape; `decode` still reads the older ones.
    const VERSION: u8;

    fn decode(version: u8, payload: &[u8]) -> Result<Self, CodecError>;

    fn entries(&self, _key: &Self::Key) -> Vec<Entry> {
        Vec::new()
    }
}

impl ReadTx {
    pub(super) fn row<R: Row>(&self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let bytes = key.to_bytes();
        self.get(R::TABLE.name, &bytes)?.map(|value| decode_row::<R>(&bytes, &value)).transpose()
    }

    /// Rows in the order of their keys, from `from` on (that one included), or against it.
    pub(super) fn rows<'a, R: Row>(
        &'a self,
        from: Option<&R::Key>,
        order: Order,
    ) -> Result<impl Iterator<Item = Result<(R::Key, R), StoreError>> + use<'a, R>, StoreError> {
        let from = from.map(Key::to_bytes);
        let pairs = self.scan(R::TABLE.name, from.as_deref(), order)?;
        Ok(pairs.map(|pair| {
            let (key, value) = pair?;
            let row = decode_row::<R>(&key, &value)?;
            Ok((R::Key::from_bytes(&key).map_err(|error| damaged(R::TABLE.name, &error))?, row))
        }))
    }

    /// The key of the one row that a unique index leads to.
    pub(super) fn find<L: Lookup, K: Key>(
        &self,
        index: &Index<L>,
        lookup: &L,
    ) -> Result<Option<K>, StoreError> {
        let mut key = Vec::with_capacity(64);
        lookup.write_lookup(&mut key);
        let Some(value) = self.get(index.name, &key)? else { return Ok(None) };
        let target = codec::unseal(index.name, &key, &value).and_then(|(_, target)| K::from_bytes(target));
        target.map(Some).map_err(|error| damaged(index.name, &error))
    }

    /// The keys of all rows that an index leads to, in their order.
    pub(super) fn find_all<L: Lookup, K: Key>(
        &self,
        index: &Index<L>,
        lookup: &L,
    ) -> Result<Vec<K>, StoreError> {
        self.find_some(index, lookup, usize::MAX)
    }

    /// The first of them, at most `limit`.
    pub(super) fn find_some<L: Lookup, K: Key>(
        &self,
        index: &Index<L>,
        lookup: &L,
        limit: usize,
    ) -> Result<Vec<K>, StoreError> {
        let mut prefix = Vec::with_capacity(64);
        lookup.write_lookup(&mut prefix);
        let mut found = Vec::new();
        for pair in self.scan(index.name, Some(&prefix), Order::Ascending)?.take(limit) {
            let (key, _) = pair?;
            let Some(row) = key.strip_prefix(prefix.as_slice()) else { break };
            found.push(K::from_bytes(row).map_err(|error| damaged(index.name, &error))?);
        }
        Ok(found)
    }

    /// What an index has entries of next after `last`: one step, however many rows share it.
    pub(super) fn next_lookup<L: Lookup + Key, K: Key>(
        &self,
        index: &Index<L>,
        last: Option<&L>,
    ) -> Result<Option<L>, StoreError> {
        let mut prefix = Vec::with_capacity(64);
        if let Some(last) = last {
            last.write_lookup(&mut prefix);
            match past(prefix) {
                Some(next) => prefix = next,
                None => return Ok(None),
            }
        }
        let Some(pair) = self.scan(index.name, Some(&prefix), Order::Ascending)?.next() else {
            return Ok(None);
        };
        let (lookup, _) = <(L, K)>::from_bytes(&pair?.0).map_err(|error| damaged(index.name, &error))?;
        Ok(Some(lookup))
    }

    /// The first keys of an index by time whose time is `until` or earlier, at most `limit`.
    pub(super) fn find_due<K: Key>(
        &self,
        index: &Index<Timestamp>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<K>, StoreError> {
        let mut due = Vec::new();
        for pair in self.scan(index.name, None, Order::Ascending)?.take(limit) {
            let (key, _) = pair?;
            let (time, row) =
                <(Timestamp, K)>::from_bytes(&key).map_err(|error| damaged(index.name, &error))?;
            if time > until {
                break;
            }
            due.push(row);
        }
        Ok(due)
    }
}

impl WriteTx {
    /// Puts a row in its place, and its index entries where they belong now.
    pub(super) fn save<R: Row>(&mut self, key: &R::Key, row: &R) -> Result<(), StoreError> {
        let before = self.row::<R>(key)?.map_or_else(Vec::new, |old| old.entries(key));
        let after = row.entries(key);
        for entry in before.iter().filter(|entry| !after.contains(entry)) {
            self.delete(entry.index, entry.key.clone())?;
        }
        for entry in after.iter().filter(|entry| !before.contains(entry)) {
            if let Some(what) = entry.unique
                && self.get(entry.index, &entry.key)?.is_some()
            {
                return Err(StoreError::Taken(what));
            }
            self.put(entry.index, entry.key.clone(), entry.value())?;
        }
        let bytes = key.to_bytes();
        let payload = codec::encode(row).map_err(|error| damaged(R::TABLE.name, &error))?;
        let value = codec::seal(R::TABLE.name, &bytes, R::VERSION, &payload);
        self.put(R::TABLE.name, bytes, value)
    }

    /// Writes all entries of a row that is there: some of its indexes may be new.
    pub(super) fn reindex<R: Row>(&mut self, key: &R::Key, row: &R) -> Result<(), StoreError> {
        for entry in row.entries(key) {
            self.put(entry.index, entry.key.clone(), entry.value())?;
        }
        Ok(())
    }

    /// Takes a row away with its index entries; says what it was.
    pub(super) fn remove<R: Row>(&mut self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let Some(row) = self.row::<R>(key)? else { return Ok(None) };
        for entry in row.entries(key) {
            self.delete(entry.index, entry.key)?;
        }
        self.delete(R::TABLE.name, key.to_bytes())?;
        Ok(Some(row))
    }
}

/// The first key after all that begin with these bytes, if there can be one.
fn past(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.pop() {
        if let Some(next) = last.checked_add(1) {
            prefix.push(next);
            return Some(prefix);
        }
    }
    None
}

pub(super) fn damaged(table: &'static str, error: &CodecError) -> StoreError {
    StoreError::Damaged(format!("table {table}: {error}"))
}

fn decode_row<R: Row>(key: &[u8], value: &[u8]) -> Result<R, StoreError> {
    read_row(key, value).map_err(|error| damaged(R::TABLE.name, &error))
}

/// A row from its stored bytes, if they are whole and of a version that this program knows.
pub(super) fn read_row<R: Row>(key: &[u8], value: &[u8]) -> Result<R, CodecError> {
    let (version, payload) = codec::unseal(R::TABLE.name, key, value)?;
    if version > R::VERSION { Err(CodecError::Newer(version)) } else { R::decode(version, payload) }
}
