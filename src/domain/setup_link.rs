//! The link to the first administrator, as the service remembers it: in memory alone, so that a restart ends it.

use std::time::Duration;

use crate::domain::{Timestamp, TokenHash};

/// Good for an hour, if nobody has an account before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SetupLink {
    pub(crate) hash: TokenHash,
    expires_at: Timestamp,
}

impl SetupLink {
    const LIFE: Duration = Duration::from_secs(3600);

    pub(crate) fn new(hash: TokenHash, now: Timestamp) -> Self {
        Self { hash, expires_at: now.after(Self::LIFE) }
    }

    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_lives_an_hour() {
        let now = Timestamp::from_secs(1_000_000);
        let link = SetupLink::new(TokenHash([1; 32]), now);

        assert!(link.is_live(now) && link.is_live(now.after(Duration::from_secs(3599))));
        assert!(!link.is_live(now.after(Duration::from_secs(3600))));
    }
}
