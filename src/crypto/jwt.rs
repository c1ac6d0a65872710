//! Signed tokens as text (RFC 7519, RFC 7515 compact). The only file that names jsonwebtoken.
//!
//! Must never: take the algorithm or the key from the token's word, be lenient about form, or tell a stranger
//! more than "invalid". Every token that comes in was written by [`Signer`], or by simplejwt for the service before;
//! whatever those would not write is refused (RFC 8725). The claims are ours, too: jsonwebtoken computes signatures,
//! nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::crypto::claims::{Kind, TokenError};
use crate::crypto::keys::{self, PublicKey};
use crate::domain::Algorithm;

/// Ours have 700 bytes at most, and a longer issuer; nothing of this size is one of them.
pub(crate) const MAX_LENGTH: usize = 8 * 1024;

/// Writes tokens of one kind with one key.
pub(crate) struct Signer {
    /// The same for every token: encoded once.
    header: String,
    algorithm: jsonwebtoken::Algorithm,
    key: EncodingKey,
}

impl Signer {
    /// Material as `SigningKey` describes it. None: it is damaged.
    pub(crate) fn new(kind: Kind, kid: &str, algorithm: Algorithm, material: &[u8]) -> Option<Self> {
        let key = match algorithm {
            Algorithm::Es256 => EncodingKey::from_ec_der(material),
            Algorithm::EdDsa => EncodingKey::from_ed_der(material),
            Algorithm::Rs256 => EncodingKey::from_rsa_der(keys::rsa_private_key(material)?),
            Algorithm::Hs256 => EncodingKey::from_secret(material),
        };
        let header = Header {
            alg: algorithm.as_str().to_owned(),
            kid: kid.to_owned(),
            typ: kind.media_type().to_owned(),
        };
        Some(Self { header: encode(&header)?, algorithm: jws_algorithm(algorithm), key })
    }

    /// None: the key is damaged. The key ring finds that out when it is made.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Option<String> {
        let message = format!("{}.{}", self.header, encode(claims)?);
        let signature = crypto::sign(message.as_bytes(), &self.key, self.algorithm).ok()?;
        Some(format!("{message}.{signature}"))
    }
}

/// Checks signatures with one key, by the one algorithm that the key is for.
pub(crate) struct Verifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Verifier {
    pub(crate) fn from_public(key: &PublicKey) -> Self {
        let (algorithm, key) = match key {
            PublicKey::Es256(point) => (Algorithm::Es256, DecodingKey::from_ec_der(point)),
            PublicKey::EdDsa(x) => (Algorithm::EdDsa, DecodingKey::from_ed_der(x)),
            PublicKey::Rs256 { n, e } => (Algorithm::Rs256, DecodingKey::from_rsa_raw_components(n, e)),
        };
        Self { algorithm, key }
    }

    pub(crate) fn from_secret(secret: &[u8]) -> Self {
        Self { algorithm: Algorithm::Hs256, key: DecodingKey::from_secret(secret) }
    }

    /// The claims of a token that this key has signed.
    pub(crate) fn open<T: DeserializeOwned>(&self, token: &Unverified<'_>) -> Result<T, TokenError> {
        if token.header.alg != self.algorithm.as_str() {
            return Err(TokenError::Invalid);
        }
        let message = token.message.as_bytes();
        match crypto::verify(token.signature, message, &self.key, jws_algorithm(self.algorithm)) {
            Ok(true) => decode(token.payload).ok_or(TokenError::Invalid),
            Ok(false) | Err(_) => Err(TokenError::Invalid),
        }
    }
}

/// A token that has the right form; who wrote it is not known yet.
pub(crate) struct Unverified<'a> {
    header: Header,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Unverified<'a> {
    pub(crate) fn parse(token: &'a str, kind: Kind) -> Result<Self, TokenError> {
        let token = Self::take_apart::<Header>(token)?;
        if token.header.typ == kind.media_type() { Ok(token) } else { Err(TokenError::Invalid) }
    }

    /// The same for a token of the service before, which names no key.
    pub(crate) fn parse_old(token: &'a str) -> Result<Self, TokenError> {
        let token = Self::take_apart::<OldHeader>(token)?;
        if token.header.typ == OLD_TYPE { Ok(token) } else { Err(TokenError::Invalid) }
    }

    fn take_apart<H: DeserializeOwned + Into<Header>>(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_LENGTH {
            return Err(TokenError::Invalid);
        }
        // A fourth part would end up in the signature, where a dot is no base64.
        let (header, rest) = token.split_once('.').ok_or(TokenError::Invalid)?;
        let (payload, signature) = rest.split_once('.').ok_or(TokenError::Invalid)?;
        let message = token.get(..header.len() + 1 + payload.len()).ok_or(TokenError::Invalid)?;
        let header = decode::<H>(header).ok_or(TokenError::Invalid)?.into();
        Ok(Self { header, message, payload, signature })
    }

    /// The name of the key that the token claims to be signed with: good for finding a key of ours, no more.
    pub(crate) fn kid(&self) -> &str {
        &self.header.kid
    }
}

/// The whole header. `crit`, `jku`, `jwk`, `x5u`, `x5c`, a missing or doubled member: refused.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// The `typ` of whatever `PyJWT` signs.
const OLD_TYPE: &str = "JWT";

/// The whole header of an old token: a `kid` would be ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldHeader {
    alg: String,
    typ: String,
}

impl From<OldHeader> for Header {
    fn from(old: OldHeader) -> Self {
        Self { alg: old.alg, kid: String::new(), typ: old.typ }
    }
}

fn jws_algorithm(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
}

fn encode(part: &impl Serialize) -> Option<String> {
    serde_json::to_vec(part).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}

/// Takes no padding and no stray bits at the end: each part has one spelling.
fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    // serde would read the members from an array as well.
    if json.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use std::time::Duration;

    use super::*;
    use crate::config::UserIdClaim;
    use crate::crypto::claims::{AccessPayload, Rules};
    use crate::domain::{AccessClaims, KeyUse, SessionId, SigningKey, Timestamp, UserId};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const SESSION: SessionId = SessionId([7; 16]);

    fn claims() -> AccessClaims {
        AccessClaims {
            user: UserId(17),
            session: SESSION,
            issued_at: NOW,
            expires_at: NOW.after(Duration::from_secs(900)),
            names_user: false,
        }
    }

    fn rules(audience: Option<&str>) -> Rules {
        Rules {
            issuer: "https://id.example.com".to_owned(),
            audience: audience.map(str::to_owned),
            leeway: Duration::from_secs(30),
            user_id: UserIdClaim::String,
        }
    }

    fn payload() -> Value {
        serde_json::to_value(rules(None).access_payload(&claims(), "j1".to_owned())).expect("serialises")
    }

    fn key() -> SigningKey {
        keys::generate(Algorithm::Es256, KeyUse::Access, NOW)
    }

    /// A token with any header and payload, and a right signature for it.
    fn forged(header: &str, payload: &str, key: &SigningKey) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let encoding = EncodingKey::from_ec_der(key.material.expose());
        let signature = crypto::sign(message.as_bytes(), &encoding, jsonwebtoken::Algorithm::ES256);
        format!("{message}.{}", signature.expect("signs"))
    }

    fn header() -> &'static str {
        r#"{"alg":"ES256","kid":"k1","typ":"at+jwt"}"#
    }

    fn read(token: &str, key: &SigningKey, rules: &Rules) -> Result<AccessClaims, TokenError> {
        let verifier = Verifier::from_public(&PublicKey::of(key).expect("intact"));
        let payload: AccessPayload = verifier.open(&Unverified::parse(token, Kind::Access)?)?;
        rules.accept_access(&payload, NOW)
    }

    fn with(member: &str, value: Value) -> String {
        let mut payload = payload();
        payload[member] = value;
        payload.to_string()
    }

    fn without(member: &str) -> String {
        let mut payload = payload();
        payload.as_object_mut().expect("an object").remove(member);
        payload.to_string()
    }

    #[test]
    fn writes_the_header_and_the_claims_in_one_fixed_order() {
        let key = key();
        let signer =
            Signer::new(Kind::Access, "k1", Algorithm::Es256, key.material.expose()).expect("intact");
        let payload = rules(Some("api")).access_payload(&claims(), "j1".to_owned());
        let token = signer.sign(&payload).expect("signs");

        let parts: Vec<String> = token
            .split('.')
            .take(2)
            .map(|part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("text"))
            .collect();
        assert_eq!(parts[0], header());
        assert_eq!(
            parts[1],
            r#"{"iss":"https://id.example.com","sub":"17","aud":"api","exp":1800000900,"iat":1800000000,"jti":"j1","sid":"07070707-0707-0707-0707-070707070707","token_type":"access"}"#
        );
    }

    #[test]
    fn a_header_other_than_ours_is_refused_even_with_a_right_signature() {
        let (key, payload) = (key(), payload().to_string());
        assert_eq!(read(&forged(header(), &payload, &key), &key, &rules(None)), Ok(claims()));

        for header in [
            r#"{"alg":"none","kid":"k1","typ":"at+jwt"}"#,
            r#"{"alg":"HS256","kid":"k1","typ":"at+jwt"}"#,
            r#"{"alg":"es256","kid":"k1","typ":"at+jwt"}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"rt+jwt"}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"AT+JWT"}"#,
            r#"{"alg":"ES256","kid":"k1"}"#,
            r#"{"alg":"ES256","typ":"at+jwt"}"#,
            r#"{"kid":"k1","typ":"at+jwt"}"#,
            r#"{"alg":"ES256","kid":1,"typ":"at+jwt"}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","crit":["exp"]}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","crit":[]}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","jku":"https://evil.example"}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","jwk":{}}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","x5c":[]}"#,
            r#"{"alg":"ES256","alg":"ES256","kid":"k1","typ":"at+jwt"}"#,
            r#"{"alg":"ES256","kid":"k0","kid":"k1","typ":"at+jwt"}"#,
            r#"{"alg":"ES256","kid":"k1","typ":"at+jwt"}{}"#,
            r#"["ES256","k1","at+jwt"]"#,
            "",
        ] {
            let token = forged(header, &payload, &key);
            assert_eq!(read(&token, &key, &rules(None)), Err(TokenError::Invalid), "{header}");
        }
    }

    #[test]
    fn claims_other_than_ours_are_refused_even_with_a_right_signature() {
        let key = key();
        let mut payloads: Vec<String> =
            ["iss", "sub", "exp", "iat", "jti", "sid", "token_type"].map(without).to_vec();
        payloads.extend([
            with("iss", json!("https://id.example.com/")),
            with("sub", json!(17)),
            with("sub", json!("017")),
            with("sub", json!("ada")),
            with("aud", json!("api")),
            with("aud", Value::Null),
            with("exp", json!("1800000900")),
            with("exp", json!(1_800_000_900.5)),
            with("exp", json!(-1)),
            with("exp", Value::Null),
            with("iat", json!("1800000000")),
            with("iat", json!(NOW.secs() + 36)),
            with("jti", json!("")),
            with("sid", json!("07070707070707070707070707070707")),
            with("sid", json!("17")),
            with("token_type", json!("refresh")),
            with("nbf", json!(NOW.secs())),
            payload().to_string().replace(r#""exp":"#, r#""exp":9999999999,"exp":"#),
            format!("{}{{}}", payload()),
            String::new(),
            "[]".to_owned(),
        ]);

        for payload in payloads {
            let token = forged(header(), &payload, &key);
            assert_eq!(read(&token, &key, &rules(None)), Err(TokenError::Invalid), "{payload}");
        }
    }

    #[test]
    fn the_audience_is_one_string_exactly() {
        let (key, rules) = (key(), rules(Some("api")));
        let token = |payload: &str| forged(header(), payload, &key);

        assert_eq!(read(&token(&with("aud", json!("api"))), &key, &rules), Ok(claims()));
        for payload in [
            payload().to_string(),
            with("aud", json!("API")),
            with("aud", json!(["api"])),
            with("aud", json!(["api", "other"])),
        ] {
            assert_eq!(read(&token(&payload), &key, &rules), Err(TokenError::Invalid), "{payload}");
        }
    }

    #[test]
    fn a_token_has_one_spelling() {
        let (key, payload) = (key(), payload().to_string());
        let token = forged(header(), &payload, &key);
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let (head, body) = message.split_once('.').expect("three parts");
        // 64 bytes leave four unused bits in the last character: set one of them.
        let mut stray = token.clone().into_bytes();
        stray[token.len() - 1] += 1;
        let stray = String::from_utf8(stray).expect("ASCII");

        for changed in [
            format!("{token}="),
            format!("{token}=="),
            format!("{token}."),
            format!("{token}.{signature}"),
            format!("{token} "),
            format!(" {token}"),
            format!("{token}\n"),
            format!("{head}=.{body}.{signature}"),
            format!("{head}.{body}"),
            format!("{head}.{body}."),
            format!("{head}..{signature}"),
            format!(".{body}.{signature}"),
            "..".to_owned(),
            String::new(),
            format!("é{token}"),
            stray,
        ] {
            assert_eq!(read(&changed, &key, &rules(None)), Err(TokenError::Invalid), "{changed}");
        }
    }

    #[test]
    fn a_changed_part_breaks_the_signature() {
        let (key, payload) = (key(), payload().to_string());
        let token = forged(header(), &payload, &key);
        for position in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'Q' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(read(&changed, &key, &rules(None)), Err(TokenError::Invalid), "at {position}");
        }
    }

    #[test]
    fn a_giant_is_refused_before_it_is_read() {
        let key = key();
        let token = forged(header(), &with("iss", json!("x".repeat(9 * 1024))), &key);
        assert!(matches!(Unverified::parse(&token, Kind::Access), Err(TokenError::Invalid)));
    }

    #[test]
    fn a_published_key_verifies_what_was_signed() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            let key = keys::generate(algorithm, KeyUse::Access, NOW);
            let signer = Signer::new(Kind::Access, "k1", algorithm, key.material.expose()).expect("intact");
            let token = signer.sign(&payload()).expect("signs");

            // As a stranger does it: with the JWK and a library's defaults.
            let jwk = PublicKey::of(&key).expect("intact").to_jwk("k1");
            let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk).expect("a JWK");
            let published = DecodingKey::from_jwk(&jwk).expect("a usable JWK");
            let mut validation = jsonwebtoken::Validation::new(jws_algorithm(algorithm));
            validation.set_issuer(&["https://id.example.com"]);
            validation.validate_exp = false;
            let data = jsonwebtoken::decode::<Value>(&token, &published, &validation).expect("verifies");

            assert_eq!(data.claims, payload(), "{algorithm}");
            assert_eq!(data.header.kid, jwk.common.key_id);
        }
    }
}
