//! Tokens: what the signed ones claim, and the two forms of the random ones.

use crate::domain::{Secret, SessionId, Timestamp, UserId};

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
