//! An address that somebody wants to have, until its owner has typed the code that was mailed there.

use crate::domain::{CodeHash, Email};

/// A user has at most one; a new one takes the place of the old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmailChange {
    pub(crate) new_email: Email,
    pub(crate) code: CodeHash,
}
