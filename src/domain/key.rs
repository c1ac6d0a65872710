//! Keys of the store: those that sign tokens, with what for and how long they count, and the one that seals mails.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::{KeyId, Secret, Timestamp};

/// The signature algorithms of RFC 7518 and RFC 8037 that access tokens may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    Es256,
    EdDsa,
    Rs256,
    Hs256,
}

impl Algorithm {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Es256, Self::EdDsa, Self::Rs256, Self::Hs256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or(())
    }
}

/// What a key signs. A key made for one never verifies the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum KeyUse {
    /// Access tokens: anybody may verify them.
    Access,
    /// Refresh tokens: only Keystead itself verifies them.
    Refresh,
}

impl KeyUse {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// A key that was made here and lives in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SigningKey {
    pub(crate) id: KeyId,
    pub(crate) usage: KeyUse,
    pub(crate) algorithm: Algorithm,
    /// PKCS#8 for a key pair, raw bytes for HS256.
    pub(crate) material: Secret<Vec<u8>>,
    pub(crate) created_at: Timestamp,
    /// Set when a newer key took over: until then its tokens still count.
    pub(crate) retires_at: Option<Timestamp>,
}

/// The key that mails are sealed with while they wait. There is one, from the first start on: it signs nothing, and
/// rotations leave it alone, since mails wait that nothing else opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealKey {
    pub(crate) id: KeyId,
    /// 256 random bits.
    pub(crate) material: Secret<Vec<u8>>,
    pub(crate) created_at: Timestamp,
}

impl SigningKey {
    /// A key signs for this long, then a new one takes over.
    pub(crate) const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

    pub(crate) fn is_retired(&self, now: Timestamp) -> bool {
        self.retires_at.is_some_and(|end| now >= end)
    }

    /// Whether this is the key that signs now.
    pub(crate) fn signs(&self) -> bool {
        self.retires_at.is_none()
    }
}
