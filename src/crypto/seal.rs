//! Seals what has to wait in the store and must not be read there: AES-256-GCM.
//!
//! Must never: seal twice with the same nonce. The key is in the same file, as the keys that sign are: whoever has all
//! of the file has both. What a seal is for is that nothing in the file reads as a code or a link, not even what is left
//! of a removed row in a page that nobody has written to since.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::crypto::random;
use crate::domain::{KeyId, SealKey, Secret, Timestamp};

const KEY_BYTES: usize = 32;

/// A new key to seal with.
pub(crate) fn generate(now: Timestamp) -> SealKey {
    let material = Secret::new(random::bytes::<KEY_BYTES>().to_vec());
    SealKey { id: KeyId::new(now, random::bytes()), material, created_at: now }
}

/// Seals and opens with one key.
pub(crate) struct Sealer(LessSafeKey);

impl Sealer {
    /// None: this is no key of 256 bits.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// The nonce, what is sealed, and the tag. Opens again under the same context alone.
    ///
    /// The nonce is random: after 2^32 seals the odds that two of them were the same are still 2^-32 (NIST SP 800-38D,
    /// section 8.3).
    #[expect(clippy::expect_used, reason = "AES-GCM refuses nothing that is shorter than 64 GB")]
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random::bytes();
        let mut body = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut body)
            .expect("a plain text that fits into memory");
        [&nonce, body.as_slice()].concat()
    }

    /// None: it was sealed with another key or under another context, or not one bit of it may be trusted.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.0.open_in_place(nonce, Aad::from(context), &mut body).ok()?;
        Some(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(generate(Timestamp::from_secs(0)).material.expose()).expect("a good key")
    }

    #[test]
    fn what_is_sealed_opens_again_and_does_not_show() {
        let sealer = sealer();
        for plain in [b"".as_slice(), b"12345678", &[b'x'; 5_000]] {
            let sealed = sealer.seal(b"mail 1", plain);

            assert_eq!(sealer.open(b"mail 1", &sealed).as_deref(), Some(plain));
            assert_eq!(sealed.len(), 12 + plain.len() + 16);
            assert!(plain.is_empty() || !sealed.windows(8).any(|window| plain.starts_with(window)));
            assert_ne!(sealed, sealer.seal(b"mail 1", plain), "a new nonce each time");
        }
    }

    #[test]
    fn another_context_or_key_opens_nothing() {
        let (ours, theirs) = (sealer(), sealer());
        let sealed = ours.seal(b"mail 1", b"12345678");

        for context in [b"mail 2".as_slice(), b"mail 1\0", b"mail", b""] {
            assert_eq!(ours.open(context, &sealed), None);
        }
        assert_eq!(theirs.open(b"mail 1", &sealed), None);
    }

    #[test]
    fn a_flipped_bit_or_a_lost_byte_is_seen() {
        let sealer = sealer();
        let sealed = sealer.seal(b"mail 1", b"12345678");

        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open(b"mail 1", &damaged), None, "bit {bit}");
        }
        for end in 0..sealed.len() {
            assert_eq!(sealer.open(b"mail 1", &sealed[..end]), None, "{end} bytes");
        }
        assert_eq!(sealer.open(b"mail 1", &[sealed.as_slice(), b"\0"].concat()), None);
    }

    /// Test case 14 of the GCM specification: what is sealed today opens tomorrow, whatever library does it.
    #[test]
    fn agrees_with_the_specification() {
        let sealer = Sealer::new(&[0; 32]).expect("a key");
        let body = 0xcea7_403d_4d60_6b6e_074e_c5d3_baf3_9d18_u128;
        let tag = 0xd0d1_c8a7_9999_6bf0_265b_98b5_d48a_b919_u128;

        let sealed = [[0; 12].as_slice(), &body.to_be_bytes(), &tag.to_be_bytes()].concat();

        assert_eq!(sealer.open(b"", &sealed).as_deref(), Some([0; 16].as_slice()));
    }

    #[test]
    fn a_key_has_256_bits() {
        assert_eq!(generate(Timestamp::from_secs(0)).material.expose().len(), 32);
        for bytes in [0, 16, 31, 33] {
            assert!(Sealer::new(&vec![1; bytes]).is_none(), "{bytes} bytes");
        }
    }
}
