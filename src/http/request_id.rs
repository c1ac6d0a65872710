//! The name of one request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names one request in the log, in the answer and in the audit log: the start of the process, and a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId {
    process: u64,
    count: u64,
}

impl RequestId {
    /// The next one of this process, whose own part is `process`.
    pub(crate) fn next(process: u64) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Self { process, count: COUNT.fetch_add(1, Ordering::Relaxed) }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}-{:x}", self.process & 0xffff_ffff_ffff, self.count)
    }
}
