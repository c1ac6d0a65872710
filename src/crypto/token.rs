//! Random tokens and codes, and the only way from one to the form that is stored of it.
//!
//! Must never: hash a password (those are guessable and need `crypto/password.rs`), or compare hashes with `==`
//! where somebody outside could measure it.

use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::digest::sha256;
use crate::crypto::random;
use crate::domain::{OldTokenId, PlainToken, Secret, Timestamp, TokenHash};

// These keep one kind of SHA-256 apart from every other that is stored.
const FINGERPRINT: &[u8] = b"keystead fingerprint v1\0";
const OLD_TOKEN: &[u8] = b"keystead old token v1\0";
const SESSION_KEY: &[u8] = b"keystead session key v1\0";
const SHORT_CODE: &[u8] = b"keystead short code v1\0";

/// A new 256-bit token, and what is stored of it.
pub(crate) fn new_token() -> (PlainToken, TokenHash) {
    let token = PlainToken::from_random(URL_SAFE_NO_PAD.encode(random::bytes::<32>()));
    let hash = hash_token(&token);
    (token, hash)
}

/// What is stored of a token. SHA-256 without salt is enough: nobody guesses 256 random bits.
pub(crate) fn hash_token(token: &PlainToken) -> TokenHash {
    TokenHash(sha256(&[token.expose().as_bytes()]))
}

/// A new key in the form of Django REST framework's tokens, 40 hexadecimal digits, and what is stored of it.
pub(crate) fn new_session_key() -> (Secret<String>, TokenHash) {
    let (high, low) = (u128::from_be_bytes(random::bytes()), u32::from_be_bytes(random::bytes()));
    let digits = format!("{high:032x}{low:08x}");
    let hash = TokenHash(sha256(&[SESSION_KEY, digits.as_bytes()]));
    (Secret::new(digits), hash)
}

/// What is stored of this key; None if no key looks like this.
pub(crate) fn hash_session_key(text: &str) -> Option<TokenHash> {
    let is_one = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_one.then(|| TokenHash(sha256(&[SESSION_KEY, text.as_bytes()])))
}

/// What is remembered of an old refresh token.
pub(crate) fn old_token_id(token: &str, expires_at: Timestamp) -> OldTokenId {
    OldTokenId::new(TokenHash(sha256(&[OLD_TOKEN, token.as_bytes()])), expires_at)
}

/// Eight random decimal digits, for a person to type.
pub(crate) fn new_code() -> Secret<String> {
    Secret::new(format!("{:08}", random::below(100_000_000)))
}

/// What is stored of a short code: bound to its owner, so that it opens nothing else. It can be guessed from a
/// stolen file; what protects it are its short life and few attempts.
pub(crate) fn hash_short_code(owner: &[u8], digits: &Secret<String>) -> TokenHash {
    let length = (owner.len() as u64).to_be_bytes();
    TokenHash(sha256(&[SHORT_CODE, &length, owner, digits.expose().as_bytes()]))
}

/// A short name for what is remembered of a client or of a name that nobody has: it opens nothing.
pub(crate) fn fingerprint(kind: &str, text: &[u8]) -> [u8; 16] {
    let length = (kind.len() as u64).to_be_bytes();
    let sum = sha256(&[FINGERPRINT, &length, kind.as_bytes(), text]);
    let mut short = [0; 16];
    short.copy_from_slice(sum.first_chunk::<16>().unwrap_or(&[0; 16]));
    short
}

/// Whether two hashes are the same, in a time that does not tell where they differ.
pub(crate) fn matches(a: &TokenHash, b: &TokenHash) -> bool {
    constant_time::verify_slices_are_equal(&a.0, &b.0).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    #[test]
    fn a_new_token_reads_back_and_is_found_by_its_hash() {
        let (token, hash) = new_token();
        let typed = PlainToken::parse(token.expose()).expect("has the form of a token");

        assert!(matches(&hash_token(&typed), &hash));
        assert!(!matches(&hash, &new_token().1));
    }

    #[test]
    fn a_new_session_key_is_found_by_its_hash() {
        let (key, hash) = new_session_key();
        assert_eq!(hash_session_key(key.expose()), Some(hash));
        let upper = key.expose().to_uppercase() + "G";
        for text in ["", "abc", &key.expose()[1..], &upper, &upper[1..]] {
            assert_eq!(hash_session_key(text), None, "{text}");
        }
    }

    #[test]
    fn a_new_code_reads_back() {
        for _ in 0..100 {
            assert!(matches!(Code::parse(new_code().expose()), Some(Code::Short(_))));
        }
    }

    #[test]
    fn a_short_code_belongs_to_one_owner() {
        let code = |digits: &str| Secret::new(digits.to_owned());
        let hash = hash_short_code(b"ada", &code("12345678"));

        assert!(matches(&hash, &hash_short_code(b"ada", &code("12345678"))));
        assert!(!matches(&hash, &hash_short_code(b"bob", &code("12345678"))));
        assert!(!matches(&hash, &hash_short_code(b"ada", &code("12345679"))));
        assert!(!matches(&hash, &hash_short_code(b"ada1", &code("2345678"))));
    }
}
