//! What comes of comparing a password with a stored hash.

/// What a password means for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wrong,
    Right,
    /// Right, and hashed with other parameters than today's: time to hash it again.
    RightButOutdated,
}
