//! Signing keys: made here, and turned into the public half that anybody may have.
//!
//! Must never: put private material into a JWK, or decide which key signs (`crypto/keyring.rs` does).

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::crypto::random;
use crate::domain::{Algorithm, KeyId, KeyUse, Secret, SigningKey, Timestamp};

/// A new key. RS256 takes a fifth of a second and more: not for a thread that serves requests.
#[expect(clippy::expect_used, reason = "without randomness or memory no key can be made: stop, never go on")]
pub(crate) fn generate(algorithm: Algorithm, usage: KeyUse, now: Timestamp) -> SigningKey {
    let material = new_material(algorithm).expect("the system's source of randomness works");
    SigningKey {
        id: KeyId::new(now, random::bytes()),
        usage,
        algorithm,
        material: Secret::new(material),
        created_at: now,
        retires_at: None,
    }
}

fn new_material(algorithm: Algorithm) -> Result<Vec<u8>, Unspecified> {
    let rng = SystemRandom::new();
    Ok(match algorithm {
        Algorithm::Es256 => {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng)?.as_ref().to_vec()
        }
        Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&rng)?.as_ref().to_vec(),
        Algorithm::Rs256 => {
            let pkcs8: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?;
            pkcs8.as_ref().to_vec()
        }
        Algorithm::Hs256 => random::bytes::<32>().to_vec(),
    })
}

/// The half of a key pair that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// The uncompressed point: 4, x, y.
    Es256([u8; 65]),
    EdDsa([u8; 32]),
    /// Modulus and exponent, big-endian.
    Rs256 {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// None: the material is damaged, or the algorithm has no public half.
    pub(crate) fn of(key: &SigningKey) -> Option<Self> {
        let pkcs8 = key.material.expose();
        match key.algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
                pair.public_key().as_ref().try_into().map(Self::Es256).ok()
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
                pair.public_key().as_ref().try_into().map(Self::EdDsa).ok()
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                Some(Self::Rs256 { n, e })
            }
            Algorithm::Hs256 => None,
        }
    }

    /// The key as RFC 7517 writes it, for `/.well-known/jwks.json`.
    pub(crate) fn to_jwk(&self, kid: &str) -> Value {
        let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256([_, point @ ..]) => {
                let (x, y) = point.split_at(point.len() / 2);
                json!({
                    "kty": "EC", "use": "sig", "alg": "ES256", "kid": kid,
                    "crv": "P-256", "x": base64(x), "y": base64(y),
                })
            }
            Self::EdDsa(x) => json!({
                "kty": "OKP", "use": "sig", "alg": "EdDSA", "kid": kid, "crv": "Ed25519", "x": base64(x),
            }),
            Self::Rs256 { n, e } => json!({
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": base64(n), "e": base64(e),
            }),
        }
    }
}

/// The `RSAPrivateKey` of RFC 8017 inside the PKCS#8 that [`generate`] makes: `crypto/jwt.rs` needs it bare.
pub(crate) fn rsa_private_key(pkcs8: &[u8]) -> Option<&[u8]> {
    /// Version 0, then the algorithm `rsaEncryption` without parameters.
    const PREFIX: [u8; 18] = *b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    /// A SEQUENCE, and an OCTET STRING, whose length takes two bytes.
    const SEQUENCE: [u8; 2] = [0x30, 0x82];
    const OCTETS: [u8; 2] = [0x04, 0x82];

    let body = long_value(SEQUENCE, pkcs8)?;
    long_value(OCTETS, body.strip_prefix(&PREFIX)?)
}

/// What a DER element of this tag holds, if it fills the input to the end.
fn long_value(tag: [u8; 2], der: &[u8]) -> Option<&[u8]> {
    let (length, value) = der.strip_prefix(&tag)?.split_first_chunk::<2>()?;
    (usize::from(u16::from_be_bytes(*length)) == value.len()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_new_key_signs_and_has_a_public_half() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let key = generate(algorithm, KeyUse::Access, NOW);
            assert!(key.signs() && key.created_at == NOW);
            assert!(PublicKey::of(&key).is_some(), "{algorithm}");
        }
    }

    #[test]
    fn a_shared_secret_is_256_bits_and_has_no_public_half() {
        let key = generate(Algorithm::Hs256, KeyUse::Refresh, NOW);
        assert_eq!(key.material.expose().len(), 32);
        assert_eq!(PublicKey::of(&key), None);
    }

    #[test]
    fn damaged_material_has_no_public_half() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let key = generate(algorithm, KeyUse::Access, NOW);
            for damaged in [&key.material.expose()[1..], &[]] {
                let key = SigningKey { material: Secret::new(damaged.to_vec()), ..key.clone() };
                assert_eq!(PublicKey::of(&key), None, "{algorithm}");
            }
        }
    }

    #[test]
    fn the_bare_rsa_key_is_the_same_key() {
        let key = generate(Algorithm::Rs256, KeyUse::Access, NOW);
        let bare = rsa_private_key(key.material.expose()).expect("our own PKCS#8");
        let pair = RsaKeyPair::from_der(bare).expect("an RSA key");
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());

        assert_eq!(PublicKey::of(&key), Some(PublicKey::Rs256 { n, e }));
        assert_eq!(rsa_private_key(bare), None);
    }

    #[test]
    fn a_jwk_holds_what_rfc_7518_asks_for_and_nothing_private() {
        for (algorithm, kty, members) in
            [(Algorithm::Es256, "EC", 7), (Algorithm::EdDsa, "OKP", 6), (Algorithm::Rs256, "RSA", 6)]
        {
            let key = generate(algorithm, KeyUse::Access, NOW);
            let jwk = PublicKey::of(&key).expect("intact").to_jwk("k1");
            assert_eq!(jwk["kty"], kty);
            assert_eq!((jwk["use"].as_str(), jwk["kid"].as_str()), (Some("sig"), Some("k1")));
            assert_eq!(jwk["alg"], algorithm.as_str());
            assert_eq!(jwk.as_object().expect("an object").len(), members);
            assert!(jwk.get("d").is_none());
        }
    }
}
