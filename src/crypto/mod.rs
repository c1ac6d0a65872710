//! What is secret: randomness, token hashes, password hashes, signing keys and signed tokens, seals.
//!
//! Must never: read a clock (moments are arguments), touch the store or the network, or put a secret into an
//! error, a log line or a `Debug` output.

pub(crate) mod api_key;
mod claims;
mod digest;
mod jwt;
mod keyring;
pub(crate) mod keys;
mod known_passwords;
mod legacy;
mod old_tokens;
mod password;
pub(crate) mod random;
pub(crate) mod seal;
mod takeover;
pub(crate) mod token;
mod verdict;

pub(crate) use claims::TokenError;
pub(crate) use keyring::{Keyring, KeyringError};
pub(crate) use known_passwords::{Given, KnownPasswords};
pub(crate) use password::{PasswordError, PasswordPool, is_argon2id};
pub(crate) use seal::Sealer;
pub(crate) use takeover::{HashRefusal, WeakHashes, give_back, take_over};
pub(crate) use verdict::Verdict;
