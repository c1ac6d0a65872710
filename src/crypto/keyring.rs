//! The keys that count at this moment: which one signs, which ones verify, which ones are published.
//!
//! Must never: be changed. When keys change, a new ring takes its place, with an empty memory of verified tokens.

use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::TokensConfig;
use crate::crypto::claims::{AccessPayload, ForwardPayload, Kind, RefreshPayload, Rules, TokenError};
use crate::crypto::digest::sha256;
use crate::crypto::jwt::{self, Signer, Unverified, Verifier};
use crate::crypto::keys::PublicKey;
use crate::crypto::old_tokens::OldTokens;
use crate::crypto::random;
use crate::domain::{
    AccessClaims, Algorithm, ForwardClaims, KeyUse, OldClaims, RefreshClaims, SigningKey, Timestamp,
};

/// The `kid` of the one key that is configured and not made here.
const CONFIGURED_KID: &str = "hs256";

/// HMAC with SHA-256 is as strong as its key up to here (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// How many verified tokens are remembered: some 3 MB.
const REMEMBERED: usize = 20_000;

/// Why keys and configuration make no ring.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyringError {
    #[error("no {algorithm} key signs {usage} tokens")]
    NoSigningKey { algorithm: Algorithm, usage: &'static str },
    #[error("tokens.hs256_secret has fewer than {MIN_SECRET_BYTES} bytes, or is not set")]
    NoSecret,
    #[error("signing key {kid} is damaged")]
    Damaged { kid: String },
}

/// Signs and verifies tokens.
pub(crate) struct Keyring {
    rules: Rules,
    access: KeySet,
    refresh: KeySet,
    forward: KeySet,
    old: OldTokens,
    /// Tokens by their SHA-256: a signature is checked once, time and retirement every time.
    verified: Cache<[u8; 32], Verified>,
}

#[derive(Clone)]
struct Verified {
    claims: AccessClaims,
    key_retires_at: Option<Timestamp>,
}

impl Keyring {
    /// Tries every key that signs: a damaged one is found here, not by the first user.
    pub(crate) fn new(
        keys: &[SigningKey],
        tokens: &TokensConfig,
        issuer: &str,
    ) -> Result<Self, KeyringError> {
        let access = match tokens.algorithm {
            Algorithm::Hs256 => KeySet::of_secret(tokens)?,
            algorithm => KeySet::of_stored(keys, Kind::Access, algorithm)?,
        };
        let refresh = KeySet::of_stored(keys, Kind::Refresh, Algorithm::Hs256)?;
        let forward = KeySet::of_stored(keys, Kind::Forward, Algorithm::Hs256)?;
        let rules = Rules {
            issuer: issuer.to_owned(),
            audience: tokens.audience.clone(),
            leeway: tokens.leeway,
            user_id: tokens.user_id,
        };
        let old = OldTokens::new(&tokens.accept, tokens.leeway);
        Ok(Self { rules, access, refresh, forward, old, verified: Cache::new(REMEMBERED) })
    }

    pub(crate) fn sign_access(&self, claims: &AccessClaims) -> String {
        let jti = uuid::Builder::from_random_bytes(random::bytes()).into_uuid().hyphenated().to_string();
        self.access.sign(&self.rules.access_payload(claims, jti))
    }

    /// The same claims make the same token.
    pub(crate) fn sign_refresh(&self, claims: &RefreshClaims) -> String {
        self.refresh.sign(&self.rules.refresh_payload(claims))
    }

    /// What an access token says, if it is ours and not over. Whether its session still lives is not known here.
    pub(crate) fn verify_access(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        // Before the hash: nobody makes us hash a megabyte.
        if token.len() > jwt::MAX_LENGTH {
            return Err(TokenError::Invalid);
        }
        let digest = sha256(&[token.as_bytes()]);
        if let Some(known) = self.verified.get(&digest) {
            return self.accept_again(known, now);
        }
        let (payload, key) = self.access.open::<AccessPayload>(token, now)?;
        let claims = self.rules.accept_access(&payload, now)?;
        let known = Verified { claims: claims.clone(), key_retires_at: key.retires_at };
        self.verified.insert(digest, known);
        Ok(claims)
    }

    /// What a refresh token says, if it is ours and not over. What it is worth, its session knows.
    pub(crate) fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<RefreshClaims, TokenError> {
        let (payload, _) = self.refresh.open::<RefreshPayload>(token, now)?;
        self.rules.accept_refresh(&payload, now)
    }

    /// The same claims make the same token.
    pub(crate) fn sign_forward(&self, claims: &ForwardClaims) -> String {
        self.forward.sign(&self.rules.forward_payload(claims))
    }

    /// What a forward token says, if it is ours and not over. Whether its session still lives is not known here.
    pub(crate) fn verify_forward(&self, token: &str, now: Timestamp) -> Result<ForwardClaims, TokenError> {
        let (payload, _) = self.forward.open::<ForwardPayload>(token, now)?;
        self.rules.accept_forward(&payload, now)
    }

    /// What an old token says, if the service before signed it, it is not over, and such are taken.
    pub(crate) fn verify_old(&self, token: &str, now: Timestamp) -> Result<OldClaims, TokenError> {
        self.old.verify(token, now)
    }

    /// The public keys that verify access tokens now (RFC 7517). A shared secret is not among them.
    pub(crate) fn jwks(&self, now: Timestamp) -> Value {
        let live = self.access.keys.iter().filter(|key| !key.is_retired(now));
        let keys: Vec<&Value> = live.filter_map(|key| key.jwk.as_ref()).collect();
        json!({ "keys": keys })
    }

    fn accept_again(&self, known: Verified, now: Timestamp) -> Result<AccessClaims, TokenError> {
        if known.key_retires_at.is_some_and(|end| now >= end) {
            Err(TokenError::Invalid)
        } else if self.rules.is_over(known.claims.expires_at, now) {
            Err(TokenError::Expired)
        } else {
            Ok(known.claims)
        }
    }
}

/// The keys for one kind of token.
struct KeySet {
    kind: Kind,
    signer: Signer,
    keys: Vec<TrustedKey>,
}

struct TrustedKey {
    kid: String,
    verifier: Verifier,
    /// None for a shared secret.
    jwk: Option<Value>,
    retires_at: Option<Timestamp>,
}

impl TrustedKey {
    /// An access key is a pair, a refresh key is a secret: anything else was not made by us.
    fn of_stored(key: &SigningKey) -> Result<Self, KeyringError> {
        let kid = key.id.to_string();
        let (verifier, jwk) = match (key.usage, key.algorithm) {
            (KeyUse::Refresh, Algorithm::Hs256) if key.material.expose().len() >= MIN_SECRET_BYTES => {
                (Verifier::from_secret(key.material.expose()), None)
            }
            (KeyUse::Refresh, _) => return Err(KeyringError::Damaged { kid }),
            (KeyUse::Access, _) => match PublicKey::of(key) {
                Some(public) => (Verifier::from_public(&public), Some(public.to_jwk(&kid))),
                None => return Err(KeyringError::Damaged { kid }),
            },
        };
        Ok(Self { kid, verifier, jwk, retires_at: key.retires_at })
    }

    fn is_retired(&self, now: Timestamp) -> bool {
        self.retires_at.is_some_and(|end| now >= end)
    }
}

impl KeySet {
    fn of_stored(keys: &[SigningKey], kind: Kind, algorithm: Algorithm) -> Result<Self, KeyringError> {
        let usage = kind.keys();
        let ours = || keys.iter().filter(|key| key.usage == usage);
        let trusted = ours().map(TrustedKey::of_stored).collect::<Result<Vec<_>, _>>()?;
        let newest = ours()
            .filter(|key| key.signs() && key.algorithm == algorithm)
            .max_by_key(|key| (key.created_at, key.id))
            .ok_or(KeyringError::NoSigningKey { algorithm, usage: usage.as_str() })?;
        Self::new(kind, &newest.id.to_string(), algorithm, newest.material.expose(), trusted)
    }

    fn of_secret(tokens: &TokensConfig) -> Result<Self, KeyringError> {
        let secret = tokens.hs256_secret.as_ref().map(|secret| secret.expose().as_bytes());
        let secret = secret.filter(|bytes| bytes.len() >= MIN_SECRET_BYTES).ok_or(KeyringError::NoSecret)?;
        let trusted = TrustedKey {
            kid: CONFIGURED_KID.to_owned(),
            verifier: Verifier::from_secret(secret),
            jwk: None,
            retires_at: None,
        };
        Self::new(Kind::Access, CONFIGURED_KID, Algorithm::Hs256, secret, vec![trusted])
    }

    /// Signs once and verifies that, so that [`KeySet::sign`] may rely on it.
    fn new(
        kind: Kind,
        kid: &str,
        algorithm: Algorithm,
        material: &[u8],
        keys: Vec<TrustedKey>,
    ) -> Result<Self, KeyringError> {
        let damaged = || KeyringError::Damaged { kid: kid.to_owned() };
        let signer = Signer::new(kind, kid, algorithm, material).ok_or_else(damaged)?;
        let probe = signer.sign(&json!({})).ok_or_else(damaged)?;
        let set = Self { kind, signer, keys };
        // The active key has no retirement, so any moment will do.
        set.open::<Value>(&probe, Timestamp::from_secs(0)).map_err(|_| damaged())?;
        Ok(set)
    }

    #[expect(clippy::expect_used, reason = "the key has signed when the set was made, and does not change")]
    fn sign(&self, claims: &impl serde::Serialize) -> String {
        self.signer.sign(claims).expect("a key that has signed before")
    }

    /// The claims of a token that a key of this set has signed, and that key.
    fn open<T: DeserializeOwned>(&self, token: &str, now: Timestamp) -> Result<(T, &TrustedKey), TokenError> {
        let token = Unverified::parse(token, self.kind)?;
        let key = self.keys.iter().find(|key| key.kid == token.kid()).ok_or(TokenError::Invalid)?;
        if key.is_retired(now) {
            return Err(TokenError::Invalid);
        }
        Ok((key.verifier.open(&token)?, key))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::config::UserIdClaim;
    use crate::crypto::keys;
    use crate::domain::{Secret, SessionId, SessionPolicy, UserId};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const ISSUER: &str = "https://id.example.com";
    const PAIRS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];

    fn after(secs: u64) -> Timestamp {
        NOW.after(Duration::from_secs(secs))
    }

    fn config(algorithm: Algorithm) -> TokensConfig {
        TokensConfig {
            algorithm,
            sessions: SessionPolicy {
                access_ttl: Duration::from_secs(900),
                refresh_ttl: Duration::from_secs(3_600),
                session_ttl: Duration::from_secs(7_200),
                refresh_grace: Duration::from_secs(10),
            },
            audience: None,
            leeway: Duration::from_secs(30),
            hs256_secret: Some(Secret::new("0123456789abcdef0123456789abcdef".to_owned())),
            user_id: UserIdClaim::String,
            accept: Vec::new(),
        }
    }

    fn access_key(algorithm: Algorithm) -> SigningKey {
        keys::generate(algorithm, KeyUse::Access, NOW)
    }

    fn refresh_key() -> SigningKey {
        keys::generate(Algorithm::Hs256, KeyUse::Refresh, NOW)
    }

    fn ring(keys: &[SigningKey]) -> Keyring {
        let algorithm = keys.iter().find(|key| key.usage == KeyUse::Access && key.signs());
        let algorithm = algorithm.map_or(Algorithm::Hs256, |key| key.algorithm);
        Keyring::new(keys, &config(algorithm), ISSUER).expect("good keys")
    }

    fn access_claims() -> AccessClaims {
        let session = SessionId([7; 16]);
        let names_user = false;
        AccessClaims { user: UserId(17), session, issued_at: NOW, expires_at: after(900), names_user }
    }

    fn refresh_claims() -> RefreshClaims {
        let session = SessionId([7; 16]);
        let (issued_at, expires_at) = (NOW, after(3_600));
        RefreshClaims { user: UserId(17), session, counter: 3, issued_at, expires_at, names_user: false }
    }

    fn forward_claims() -> ForwardClaims {
        let (issued_at, expires_at) = (NOW, after(3_600));
        ForwardClaims { user: UserId(17), session: SessionId([7; 16]), issued_at, expires_at }
    }

    fn retired(key: &SigningKey, retires_at: Timestamp) -> SigningKey {
        SigningKey { retires_at: Some(retires_at), ..key.clone() }
    }

    #[test]
    fn reads_what_it_wrote_with_every_algorithm() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Hs256] {
            let mut keys = vec![refresh_key()];
            if algorithm != Algorithm::Hs256 {
                keys.push(access_key(algorithm));
            }
            let ring = ring(&keys);

            let access = ring.sign_access(&access_claims());
            assert_eq!(ring.verify_access(&access, NOW), Ok(access_claims()), "{algorithm}");
            assert_ne!(access, ring.sign_access(&access_claims()), "{algorithm}: a new jti each time");
            let refresh = ring.sign_refresh(&refresh_claims());
            assert_eq!(ring.verify_refresh(&refresh, NOW), Ok(refresh_claims()), "{algorithm}");
        }
    }

    #[test]
    fn equal_refresh_claims_make_the_same_token() {
        let keys = [refresh_key(), access_key(Algorithm::Es256)];
        let next = RefreshClaims { counter: 4, ..refresh_claims() };

        let token = ring(&keys).sign_refresh(&refresh_claims());
        assert_eq!(token, ring(&keys).sign_refresh(&refresh_claims()));
        assert_ne!(token, ring(&keys).sign_refresh(&next));
    }

    #[test]
    fn one_kind_never_passes_for_the_other() {
        for keys in [vec![refresh_key()], vec![refresh_key(), access_key(Algorithm::EdDsa)]] {
            let ring = ring(&keys);
            let (access, refresh) =
                (ring.sign_access(&access_claims()), ring.sign_refresh(&refresh_claims()));
            let forward = ring.sign_forward(&forward_claims());

            for token in [&refresh, &forward] {
                assert_eq!(ring.verify_access(token, NOW), Err(TokenError::Invalid));
            }
            for token in [&access, &forward] {
                assert_eq!(ring.verify_refresh(token, NOW), Err(TokenError::Invalid));
            }
            for token in [&access, &refresh] {
                assert_eq!(ring.verify_forward(token, NOW), Err(TokenError::Invalid));
            }
            assert_eq!(ring.verify_forward(&forward, NOW), Ok(forward_claims()));
            assert_eq!(ring.verify_forward(&forward, after(3_630)), Err(TokenError::Expired));
        }
    }

    #[test]
    fn a_foreign_or_unknown_key_is_refused() {
        let keys = [refresh_key(), access_key(Algorithm::Es256)];
        let impostor = SigningKey { id: keys[1].id, ..access_key(Algorithm::Es256) };
        let impostors_refresh = SigningKey { id: keys[0].id, ..refresh_key() };
        let (ours, theirs) = (ring(&keys), ring(&[impostors_refresh, impostor]));
        let strangers = ring(&[refresh_key(), access_key(Algorithm::Es256)]);

        for other in [theirs, strangers] {
            let access = other.sign_access(&access_claims());
            let refresh = other.sign_refresh(&refresh_claims());
            assert_eq!(ours.verify_access(&access, NOW), Err(TokenError::Invalid));
            assert_eq!(ours.verify_refresh(&refresh, NOW), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        for algorithm in PAIRS {
            let key = access_key(algorithm);
            let ring = ring(&[refresh_key(), key.clone()]);
            let secrets: Vec<Vec<u8>> = match PublicKey::of(&key).expect("intact") {
                PublicKey::Es256(point) => vec![point.to_vec(), point[1..].to_vec()],
                PublicKey::EdDsa(x) => vec![x.to_vec()],
                PublicKey::Rs256 { n, .. } => vec![n],
            };
            for secret in secrets {
                let forger = Signer::new(Kind::Access, &key.id.to_string(), Algorithm::Hs256, &secret);
                let payload = ring.rules.access_payload(&access_claims(), "j1".to_owned());
                let forged = forger.and_then(|forger| forger.sign(&payload)).expect("signs");
                assert_eq!(ring.verify_access(&forged, NOW), Err(TokenError::Invalid), "{algorithm}");
            }
        }
    }

    #[test]
    fn alg_none_is_refused() {
        let ring = ring(&[refresh_key()]);
        let token = ring.sign_access(&access_claims());
        let payload = token.split('.').nth(1).expect("three parts");
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"hs256","typ":"at+jwt"}"#);

        for forged in [format!("{header}.{payload}."), format!("{header}.{payload}")] {
            assert_eq!(ring.verify_access(&forged, NOW), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn a_token_expires_with_leeway_also_when_it_is_remembered() {
        let ring = ring(&[refresh_key(), access_key(Algorithm::Es256)]);
        let token = ring.sign_access(&access_claims());

        assert_eq!(ring.verify_access(&token, after(931)), Err(TokenError::Expired));
        assert_eq!(ring.verified.len(), 0);
        assert!(ring.verify_access(&token, after(929)).is_ok());
        assert_eq!(ring.verified.len(), 1);
        assert!(ring.verify_access(&token, after(929)).is_ok());
        assert_eq!(ring.verify_access(&token, after(930)), Err(TokenError::Expired));

        let refresh = ring.sign_refresh(&refresh_claims());
        assert_eq!(ring.verify_refresh(&refresh, after(3_630)), Err(TokenError::Expired));
    }

    #[test]
    fn a_forged_token_is_invalid_however_old() {
        let ring = ring(&[refresh_key(), access_key(Algorithm::Es256)]);
        let token = ring.sign_access(&access_claims());
        let (message, _) = token.rsplit_once('.').expect("three parts");
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode([1; 64]));

        assert_eq!(ring.verify_access(&forged, after(100_000)), Err(TokenError::Invalid));
    }

    #[test]
    fn a_retired_key_verifies_nothing_also_when_remembered() {
        let old = access_key(Algorithm::Es256);
        let token = ring(&[refresh_key(), old.clone()]).sign_access(&access_claims());
        let new = keys::generate(Algorithm::Es256, KeyUse::Access, after(1));
        let ring = ring(&[refresh_key(), retired(&old, after(60)), new]);

        assert!(ring.verify_access(&token, after(59)).is_ok());
        assert_eq!(ring.verified.len(), 1);
        assert_eq!(ring.verify_access(&token, after(60)), Err(TokenError::Invalid));
        ring.verified.clear();
        assert_eq!(ring.verify_access(&token, after(60)), Err(TokenError::Invalid));
    }

    #[test]
    fn only_live_public_keys_are_published() {
        let (old, new) = (access_key(Algorithm::EdDsa), access_key(Algorithm::Es256));
        let kids = |ring: &Keyring, now| -> Vec<String> {
            let jwks = ring.jwks(now);
            let keys = jwks["keys"].as_array().expect("a list").iter();
            keys.map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
        };
        let both = ring(&[refresh_key(), retired(&old, after(60)), new.clone()]);

        assert_eq!(kids(&both, after(59)), [old.id.to_string(), new.id.to_string()]);
        assert_eq!(kids(&both, after(60)), [new.id.to_string()]);
        assert!(kids(&ring(&[refresh_key()]), NOW).is_empty());
    }

    #[test]
    fn the_newest_of_two_active_keys_signs_and_both_verify() {
        let old = access_key(Algorithm::Es256);
        let new = keys::generate(Algorithm::Es256, KeyUse::Access, after(1));
        let by_old = ring(&[refresh_key(), old.clone()]).sign_access(&access_claims());
        let ring = ring(&[refresh_key(), new.clone(), old]);

        let by_new = ring.sign_access(&access_claims());
        let unverified = Unverified::parse(&by_new, Kind::Access).expect("our form");
        assert_eq!(unverified.kid(), new.id.to_string());
        assert!(ring.verify_access(&by_old, NOW).is_ok() && ring.verify_access(&by_new, NOW).is_ok());
    }

    #[test]
    fn a_giant_is_not_even_hashed() {
        let ring = ring(&[refresh_key()]);
        assert_eq!(ring.verify_access(&"a".repeat(9 * 1024), NOW), Err(TokenError::Invalid));
        assert_eq!(ring.verify_refresh(&"a".repeat(9 * 1024), NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn a_ring_without_its_keys_or_with_damaged_ones_is_not_made() {
        let (refresh, access) = (refresh_key(), access_key(Algorithm::Es256));
        let error = |keys: &[SigningKey], config: &TokensConfig| Keyring::new(keys, config, ISSUER).err();
        let damaged = |key: &SigningKey| Some(KeyringError::Damaged { kid: key.id.to_string() });
        let es256 = config(Algorithm::Es256);
        let missing = |algorithm, usage: &'static str| Some(KeyringError::NoSigningKey { algorithm, usage });

        let retired = retired(&access, after(60));
        assert_eq!(error(&[refresh.clone(), retired], &es256), missing(Algorithm::Es256, "access"));
        assert_eq!(
            error(&[refresh.clone(), access.clone()], &config(Algorithm::EdDsa)),
            missing(Algorithm::EdDsa, "access")
        );
        assert_eq!(error(std::slice::from_ref(&access), &es256), missing(Algorithm::Hs256, "refresh"));

        let cut = SigningKey { material: Secret::new(vec![1; 31]), ..access.clone() };
        assert_eq!(error(&[refresh.clone(), cut.clone()], &es256), damaged(&cut));
        let cut = SigningKey { material: Secret::new(vec![1; 31]), ..refresh.clone() };
        assert_eq!(error(&[cut.clone(), access], &es256), damaged(&cut));

        for secret in [None, Some(Secret::new("short".to_owned()))] {
            let config = TokensConfig { hs256_secret: secret, ..config(Algorithm::Hs256) };
            assert_eq!(error(std::slice::from_ref(&refresh), &config), Some(KeyringError::NoSecret));
        }
    }
}
