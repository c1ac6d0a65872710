//! API keys: a user's own long-lived credential for programs.

use crate::domain::{ApiKeyId, Name, Timestamp, TokenHash, UserId};

/// A key as it is remembered: its text is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiKey {
    pub(crate) id: ApiKeyId,
    pub(crate) user: UserId,
    pub(crate) name: Name,
    pub(crate) hash: TokenHash,
    /// The first characters of the key, by which its owner knows it again.
    pub(crate) prefix: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    /// To the minute or so: it is noted later, never while a request waits.
    pub(crate) last_used_at: Option<Timestamp>,
}

impl ApiKey {
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }
}
