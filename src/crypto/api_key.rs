//! The text of an API key, and the only way from it to the form that is stored.
//!
//! `ksk_`, 43 characters of base64url that are 256 random bits, and 6 that are a checksum: whoever scans files for
//! leaked secrets can tell a key from other text, and one that was cut short costs no look-up.
//!
//! Keys that were imported are as Django REST framework made them: 40 hexadecimal digits of 160 random bits.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::digest::sha256;
use crate::crypto::random;
use crate::domain::{Secret, TokenHash};

/// What every key of ours starts with, and no other credential.
const PREFIX: &str = "ksk_";
const RANDOM_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 6;
const CHECKSUM: &[u8] = b"keystead api key checksum v1\0";
/// Of a key, its owner sees this much again.
const SHOWN_CHARS: usize = 12;
const IMPORTED_CHARS: usize = 40;
const IMPORTED_SHOWN_CHARS: usize = 8;

/// A new key: its text, what is stored of it, and the part of it that is shown again.
pub(crate) fn new_api_key() -> (Secret<String>, TokenHash, String) {
    let body = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::bytes::<32>()));
    let text = format!("{body}{}", checksum(&body));
    let hash = hash_of(&text);
    let shown = text.chars().take(SHOWN_CHARS).collect();
    (Secret::new(text), hash, shown)
}

/// Whether this is meant to be a key, be it one or not.
pub(crate) fn is_api_key(text: &str) -> bool {
    text.starts_with(PREFIX) || is_imported(text)
}

/// What is stored of a key that another system made, and the part of it that is shown again; None if it is no such key.
pub(crate) fn take_over_api_key(text: &str) -> Option<(TokenHash, String)> {
    is_imported(text).then(|| (hash_of(text), text.chars().take(IMPORTED_SHOWN_CHARS).collect()))
}

fn is_imported(text: &str) -> bool {
    text.len() == IMPORTED_CHARS && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

/// What is stored of this key; None if no key looks like this.
pub(crate) fn hash_api_key(text: &str) -> Option<TokenHash> {
    if is_imported(text) {
        return Some(hash_of(text));
    }
    let is_long_enough = text.len() == PREFIX.len() + RANDOM_CHARS + CHECKSUM_CHARS;
    let (body, sum) = text.split_at_checked(PREFIX.len() + RANDOM_CHARS)?;
    (is_long_enough && body.starts_with(PREFIX) && sum == checksum(body)).then(|| hash_of(text))
}

/// SHA-256 without salt is enough: nobody guesses 256 random bits, or 160.
fn hash_of(text: &str) -> TokenHash {
    TokenHash(sha256(&[text.as_bytes()]))
}

fn checksum(body: &str) -> String {
    let mut sum = URL_SAFE_NO_PAD.encode(sha256(&[CHECKSUM, body.as_bytes()]));
    sum.truncate(CHECKSUM_CHARS);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_hash_and_shows_its_beginning() {
        let (key, hash, shown) = new_api_key();

        assert_eq!(hash_api_key(key.expose()), Some(hash));
        assert_eq!((key.expose().len(), shown.len()), (53, 12));
        assert!(key.expose().starts_with(&shown));
        assert_ne!(new_api_key().1, hash);
    }

    #[test]
    fn what_is_cut_or_mistyped_is_no_key() {
        let (key, ..) = new_api_key();
        let text = key.expose();
        for end in 0..text.len() {
            assert_eq!(hash_api_key(&text[..end]), None);
        }
        let last = if text.ends_with('A') { 'B' } else { 'A' };
        assert_eq!(hash_api_key(&format!("{}{last}", &text[..text.len() - 1])), None);
        for text in [format!("{text}A"), text.to_uppercase(), format!("é{}", &text[2..])] {
            assert_eq!(hash_api_key(&text), None, "{text}");
        }
    }

    #[test]
    fn a_key_of_django_is_one_of_40_hexadecimal_digits() {
        let text = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b";
        let (hash, shown) = take_over_api_key(text).expect("a key");

        assert!(is_api_key(text) && hash_api_key(text) == Some(hash) && shown == "9944b091");
        let upper = text.to_uppercase();
        for other in [&text[1..], upper.as_str(), "", "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4g"] {
            assert!(take_over_api_key(other).is_none() && !is_api_key(other), "{other}");
        }
    }
}
