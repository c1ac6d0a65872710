//! Tokens: what the signed ones claim, and the two forms of the random ones.

use crate::domain::{KeyUse, Secret, SessionId, Timestamp, UserId};

/// What an access token says (RFC 9068, with the session as `sid`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessClaims {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Whether it says the user in simplejwt's claim too.
    pub(crate) names_user: bool,
}

/// What a refresh token says: a place in its session's chain of refreshes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefreshClaims {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    /// The session's refresh counter when the token was made.
    pub(crate) counter: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Whether it says the user in simplejwt's claim too.
    pub(crate) names_user: bool,
}

/// What a forward token says: which session its browser is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForwardClaims {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What an old token says: one that the service signed which Keystead takes the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OldClaims {
    pub(crate) usage: KeyUse,
    pub(crate) user: UserId,
    /// Old enough ones do not say it.
    pub(crate) issued_at: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
}

/// What is remembered of an old refresh token: when it expires, so that it is remembered for just as long, and 192 bits
/// of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OldTokenId(pub(crate) [u8; 32]);

impl OldTokenId {
    pub(crate) fn new(hash: TokenHash, expires_at: Timestamp) -> Self {
        let mut id = hash.0;
        id[..8].copy_from_slice(&expires_at.secs().to_be_bytes());
        Self(id)
    }

    pub(crate) fn expires_at(self) -> Timestamp {
        let secs = self.0.first_chunk::<8>().copied().unwrap_or_default();
        Timestamp::from_secs(u64::from_be_bytes(secs))
    }

    /// As it is looked up.
    pub(crate) fn as_hash(self) -> TokenHash {
        TokenHash(self.0)
    }

    /// What its end is remembered as: a `UUIDv8` (RFC 9562, section 5.8), so no session has it.
    pub(crate) fn as_session(self) -> SessionId {
        let mut id = [0; 16];
        id.copy_from_slice(&self.0[8..24]);
        id[6] = id[6] & 0x0f | 0x80;
        SessionId(id)
    }
}

/// A random 256-bit secret in the form that people hold: 43 characters of base64url.
#[derive(Debug, Clone)]
pub(crate) struct PlainToken(Secret<String>);

const LENGTH: usize = 43;

impl PlainToken {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (text.len() == LENGTH && text.bytes().all(is_base64url)).then(|| Self(Secret::new(text.to_owned())))
    }

    /// For `crypto/token.rs`, which makes them.
    pub(crate) fn from_random(text: String) -> Self {
        Self(Secret::new(text))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The form that is stored of a secret: its SHA-256. Only `crypto/token.rs` turns one into the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenHash(pub(crate) [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_token_is_remembered_with_its_end() {
        let (hash, end) = (TokenHash([255; 32]), Timestamp::from_secs(1_800_000_000));
        let id = OldTokenId::new(hash, end);

        assert_eq!(id.expires_at(), end);
        assert_ne!(id, OldTokenId::new(hash, Timestamp::from_secs(1_800_000_001)));
        assert_ne!(id, OldTokenId::new(TokenHash([254; 32]), end));
        assert_eq!(id.as_session().to_string(), "ffffffff-ffff-8fff-ffff-ffffffffffff");
    }
}
