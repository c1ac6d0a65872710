//! Why a file is not read to its end, and how far the reading is.

use std::io;
use std::path::PathBuf;

/// Why a file cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("cannot read {path}: {why}", path = .0.display(), why = .1)]
    Io(PathBuf, io::Error),
    #[error("{path} is neither JSON of manage.py dumpdata nor an SQLite database: {why}", path = .0.display(), why = .1)]
    Format(PathBuf, String),
    #[error("{path}: {why}", path = .0.display(), why = .1)]
    Meaning(PathBuf, String),
    /// Whoever was shown the rows wants no more.
    #[error("the reading was stopped")]
    Stopped,
}

/// The same without the file's name, which the readers do not know.
#[derive(Debug)]
pub(super) enum ReadError {
    Io(io::Error),
    Format(String),
    Taker(SourceError),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// How far the reading is: of `whole`, so many bytes or rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) done: u64,
    pub(crate) whole: u64,
}
