//! The only file that names redb: bytes in, bytes out, one atomic durable commit.
//!
//! Must never: know what the bytes mean, commit without `Durability::Immediate` and quick repair, or repeat a
//! commit that failed. After a failed commit nobody knows what is on the disk: the store above stops.

use std::fs;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, ReadableTableMetadata,
    StorageError, TableDefinition, TableError,
};

use crate::store::StoreError;
use crate::store::draft::{Draft, Existing, folder_of};
use crate::store::write_set::{Change, WriteSet};

/// Pages kept in memory. redb's own default is 1 GiB; look-ups cost the same with this.
const CACHE_BYTES: usize = 32 << 20;
/// Files up to this size are verified page by page when they are opened, which reads all of them. In larger ones a damaged
/// page is found when it is read, by the checksum of its rows, and by `check`.
const CHECK_ON_OPEN_BYTES: u64 = 16 << 20;

/// What one transaction of a copy writes, and what the copy keeps in memory.
const COPY_BYTES: usize = 1 << 20;
const COPY_CACHE_BYTES: usize = 8 << 20;
/// A copy stops while the disk still has more than a store on it needs.
const COPY_SPARE_BYTES: u64 = 8 << 20;

/// An open database file, locked against other processes.
#[derive(Debug)]
pub(super) struct Engine {
    db: Database,
    path: PathBuf,
}

/// A consistent view of the whole database at one moment.
pub(super) struct Snapshot(ReadTransaction);

/// A key and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);
/// Pairs in the order of their keys, or against it.
pub(super) type Pairs = Box<dyn Iterator<Item = Result<Pair, StoreError>>>;

type Bytes = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

impl Engine {
    /// Opens the file, or creates it with `first` in it. A file that is there is never taken for a new one.
    pub(super) fn open(path: &Path, tables: &[&'static str], first: &WriteSet) -> Result<Self, StoreError> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, tables, first)?,
            Err(error) => return Err(StoreError::open(path, &error)),
            Ok(_) => {}
        }
        Ok(Self { db: open_existing(path, CHECK_ON_OPEN_BYTES)?, path: path.to_owned() })
    }

    /// Opens a file that is there, and verifies every page of it.
    pub(super) fn open_verified(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { db: open_existing(path, u64::MAX)?, path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot(self.db.begin_read().map_err(io_error)?))
    }

    /// Makes all of `writes` durable, or leaves it unknown what the file holds and says [`StoreError::Failed`].
    pub(super) fn commit(&self, writes: &WriteSet) -> Result<(), StoreError> {
        commit(&self.db, writes).map_err(|error| StoreError::Failed(error.to_string()))
    }

    /// Bytes that can still be written to the file's disk; None if the system does not say.
    pub(super) fn free_disk_bytes(&self) -> Option<u64> {
        free_disk_bytes(&self.path)
    }
}

impl Snapshot {
    pub(super) fn get(&self, table: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(table) = self.table(table)? else { return Ok(None) };
        Ok(table.get(key).map_err(io_error)?.map(|value| value.value().to_vec()))
    }

    pub(super) fn range(
        &self,
        table: &'static str,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        order: Order,
    ) -> Result<Pairs, StoreError> {
        let Some(table) = self.table(table)? else { return Ok(Box::new(std::iter::empty())) };
        let pairs = table.range::<&[u8]>(bounds).map_err(io_error)?;
        let owned = |pair: Result<(redb::AccessGuard<'_, _>, redb::AccessGuard<'_, _>), StorageError>| {
            let (key, value): (redb::AccessGuard<'_, &[u8]>, redb::AccessGuard<'_, &[u8]>) =
                pair.map_err(io_error)?;
            Ok((key.value().to_vec(), value.value().to_vec()))
        };
        Ok(match order {
            Order::Ascending => Box::new(pairs.map(owned)),
            Order::Descending => Box::new(pairs.rev().map(owned)),
        })
    }

    pub(super) fn len(&self, table: &'static str) -> Result<u64, StoreError> {
        self.table(table)?.map_or(Ok(0), |table| table.len().map_err(io_error))
    }

    /// Makes a database of the empty file at `path` and copies these tables into it, in small transactions; says how many
    /// entries there were.
    pub(super) fn copy_to(&self, path: &Path, tables: &[&'static str]) -> Result<u64, StoreError> {
        let db = create_in(path, COPY_CACHE_BYTES, tables).map_err(io_error)?;
        let mut copied = 0;
        for table in tables {
            let mut pairs = self.range(table, (Bound::Unbounded, Bound::Unbounded), Order::Ascending)?;
            loop {
                let mut writes = WriteSet::default();
                let mut bytes = 0;
                while bytes < COPY_BYTES
                    && let Some(pair) = pairs.next()
                {
                    let (key, value) = pair?;
                    bytes += key.len() + value.len();
                    copied += 1;
                    writes.set(table, key, Change::Put(value));
                }
                if writes.is_empty() {
                    break;
                }
                if free_disk_bytes(path).is_some_and(|free| free < COPY_SPARE_BYTES) {
                    return Err(StoreError::DiskFull);
                }
                commit(&db, &writes).map_err(io_error)?;
            }
        }
        Ok(copied)
    }

    fn table(&self, name: &'static str) -> Result<Option<Bytes>, StoreError> {
        match self.0.open_table(definition(name)) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(io_error(error)),
        }
    }
}

const fn definition(name: &'static str) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

fn io_error(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(what) => StoreError::Damaged(what),
        error => StoreError::Failed(error.to_string()),
    }
}

fn commit(db: &Database, writes: &WriteSet) -> Result<(), redb::Error> {
    let mut tx = db.begin_write()?;
    tx.set_durability(Durability::Immediate)?;
    // Implies two-phase commit, and lets the next start skip the repair after a kill.
    tx.set_quick_repair(true);
    for (name, changes) in writes.tables() {
        let mut table = tx.open_table(definition(name))?;
        for (key, change) in changes {
            match change {
                Change::Put(value) => drop(table.insert(key.as_slice(), value.as_slice())?),
                Change::Delete => drop(table.remove(key.as_slice())?),
            }
        }
    }
    tx.commit()?;
    Ok(())
}

/// Makes the new file beside its place and moves it there when it is whole, so that a file with the right name
/// always holds a whole database.
fn create(path: &Path, tables: &[&'static str], first: &WriteSet) -> Result<(), StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::Create(path.to_owned(), error.to_string());
    let draft = Draft::beside(path).map_err(|error| failed(&error))?;
    let made = create_in(draft.path(), CACHE_BYTES, tables).and_then(|db| commit(&db, first));
    made.map_err(|error| failed(&error))?;
    match draft.place(Existing::Keep) {
        // Another process was faster: its file is the one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        placed => placed.map_err(|error| failed(&error)),
    }
}

/// Makes a database of an empty file.
fn create_in(path: &Path, cache: usize, tables: &[&'static str]) -> Result<Database, redb::Error> {
    let db = Database::builder().set_cache_size(cache).create(path)?;
    let tx = db.begin_write()?;
    for name in tables {
        tx.open_table(definition(name))?;
    }
    tx.commit()?;
    Ok(db)
}

fn free_disk_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder_of(path)).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn open_existing(path: &Path, check_up_to: u64) -> Result<Database, StoreError> {
    let metadata = fs::metadata(path).map_err(|error| StoreError::open(path, &error))?;
    if !metadata.is_file() {
        return Err(StoreError::NotAStore(path.to_owned(), "it is not a file".to_owned()));
    }
    if metadata.size() == 0 {
        return Err(StoreError::NotAStore(path.to_owned(), "it is empty".to_owned()));
    }
    // redb may panic on a file that something else wrote to.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        Database::builder()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(metadata.size() <= check_up_to)
            .open(path)
    }));
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(DatabaseError::DatabaseAlreadyOpen)) => Err(StoreError::Locked(path.to_owned())),
        Ok(Err(DatabaseError::Storage(StorageError::Io(error))))
            if error.kind() != io::ErrorKind::InvalidData =>
        {
            Err(StoreError::open(path, &error))
        }
        Ok(Err(error)) => Err(StoreError::NotAStore(path.to_owned(), error.to_string())),
        Err(_panic) => Err(StoreError::NotAStore(path.to_owned(), "its pages make no sense".to_owned())),
    }
}
