//! The only file that names redb: bytes in, bytes out, one atomic durable commit.
//!
//! Must never: know what the bytes mean, commit without `Durability::Immediate` and quick repair, or repeat a
//! commit that failed. After a failed commit nobody knows what is on the disk: the store above stops.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use redb::{
    Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, ReadableTableMetadata,
    StorageError, TableDefinition, TableError,
};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use crate::store::StoreError;
use crate::store::write_set::{Change, WriteSet};

/// Pages kept in memory. redb's own default is 1 GiB; look-ups cost the same with this.
const CACHE_BYTES: usize = 32 << 20;
/// Files up to this size are verified page by page when they are opened, which reads all of them. In larger ones a damaged
/// page is found when it is read, by the checksum of its rows, and by `check`.
const CHECK_ON_OPEN_BYTES: u64 = 16 << 20;

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
        Ok(Self { db: open_existing(path)?, path: path.to_owned() })
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
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let stat = rustix::fs::statvfs(folder.unwrap_or_else(|| Path::new("."))).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
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

/// Tells the drafts of one process apart.
static DRAFTS: AtomicU32 = AtomicU32::new(0);

/// Makes the new file beside its place and moves it there when it is whole, so that a file with the right name
/// always holds a whole database.
fn create(path: &Path, tables: &[&'static str], first: &WriteSet) -> Result<(), StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::Create(path.to_owned(), error.to_string());
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".new-{}-{}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed)));
    let temporary = PathBuf::from(temporary);
    // Left by a process of the same number that was killed; no living one has it.
    fs::remove_file(&temporary).ok();
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(|error| failed(&error))?;
    let db = Database::builder().set_cache_size(CACHE_BYTES).create(&temporary).map_err(|e| failed(&e))?;
    let made = (|| -> Result<(), redb::Error> {
        let tx = db.begin_write()?;
        for name in tables {
            tx.open_table(definition(name))?;
        }
        tx.commit()?;
        commit(&db, first)?;
        Ok(())
    })();
    drop(db);
    let placed = made.map_err(|error| failed(&error)).and_then(|()| {
        place(&temporary, path).and_then(|()| sync_folder_of(path)).map_err(|error| failed(&error))
    });
    fs::remove_file(&temporary).ok();
    placed
}

/// Moves a file to where none is. If another process was faster, its file is the one.
fn place(temporary: &Path, path: &Path) -> io::Result<()> {
    let moved = rustix::fs::renameat_with(CWD, temporary, CWD, path, RenameFlags::NOREPLACE);
    let placed = match moved {
        // Not every file system can move without replacing; those that cannot have hard links.
        Err(Errno::INVAL | Errno::NOSYS) => fs::hard_link(temporary, path),
        moved => moved.map_err(io::Error::from),
    };
    match placed {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        placed => placed,
    }
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn open_existing(path: &Path) -> Result<Database, StoreError> {
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
            .set_check_integrity_on_open(metadata.size() <= CHECK_ON_OPEN_BYTES)
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
