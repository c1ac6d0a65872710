//! What becomes of a row that comes from somewhere else.

/// Whether rows are taken, or only judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Import,
    Rehearse,
}

/// What became of a row, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Taken, with what is to be said about it.
    Imported(Vec<String>),
    /// It is there already.
    Unchanged(Vec<String>),
    Refused(String),
}

/// The largest number that a row may bring: those that are given out after it are still exact in every client.
pub(crate) const MAX_IMPORTED_ID: u64 = 1 << 52;
