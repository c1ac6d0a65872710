//! Why the store did not do it, in terms that a flow can act on.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot create store {path}: {why}", path = .0.display(), why = .1)]
    Create(PathBuf, String),
    #[error("cannot open store {path}: {why}", path = .0.display(), why = .1)]
    Open(PathBuf, String),
    #[error("cannot open store {path}: already open by another process", path = .0.display())]
    Locked(PathBuf),
    #[error("cannot open store {path}: {why}; it is left as it is, put a backup in its place", path = .0.display(), why = .1)]
    NotAStore(PathBuf, String),
    #[error("the store is damaged: {0}; stop the service and put a backup in its place")]
    Damaged(String),
    #[error("the store has schema {found}, this keystead knows up to {known}: use the newer keystead")]
    NewerSchema { found: u32, known: u32 },
    /// What the disk holds is unknown until the process starts again.
    #[error("the disk failed, and the store takes no more writes: {0}")]
    Failed(String),
    #[error("the disk is full, writes wait for space")]
    DiskFull,
    #[error("too many writes wait for the disk")]
    Overloaded,
    /// Two rows may not share this.
    #[error("{0:?} is taken")]
    Taken(Unique),
    #[error("a write to table {0} is larger than a transaction may be")]
    TooLarge(&'static str),
}

impl StoreError {
    pub(super) fn open(path: &Path, error: &io::Error) -> Self {
        Self::Open(path.to_owned(), error.to_string())
    }
}

/// What at most one row may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    Email,
    Username,
    Code,
    GroupName,
    PermissionName,
}
