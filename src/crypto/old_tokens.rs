//! Old tokens: those that simplejwt signed for the service before, with the secret of that.
//!
//! Must never: take what could be a token of ours (the `typ` of the header tells them apart), or do any work where no
//! secret is configured.

use std::time::Duration;

use serde::Deserialize;

use crate::crypto::claims::{CLOCK_STEP, TokenError, UserIdValue, present};
use crate::crypto::jwt::{Unverified, Verifier};
use crate::domain::{KeyUse, OldClaims, Secret, Timestamp, UserId};

/// Nobody lets a token live longer: what claims to is a slip, or forged with a secret that leaked.
const LONGEST: Duration = Duration::from_secs(400 * 86_400);

/// Verifies old tokens.
pub(crate) struct OldTokens {
    verifiers: Vec<Verifier>,
    leeway: Duration,
}

/// What simplejwt writes, as far as it counts. Projects add claims of their own, which mean nothing here.
#[derive(Deserialize)]
struct Payload {
    token_type: String,
    exp: u64,
    #[serde(default, deserialize_with = "present")]
    iat: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<u64>,
    jti: String,
    user_id: UserIdValue,
}

impl OldTokens {
    pub(crate) fn new(secrets: &[Secret<String>], leeway: Duration) -> Self {
        let verifiers = secrets.iter().map(|secret| Verifier::from_secret(secret.expose().as_bytes()));
        Self { verifiers: verifiers.collect(), leeway }
    }

    /// What a token says, if it was signed with one of the secrets and is not over.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<OldClaims, TokenError> {
        if self.verifiers.is_empty() {
            return Err(TokenError::Invalid);
        }
        let token = Unverified::parse_old(token)?;
        let payload = self.verifiers.iter().find_map(|verifier| verifier.open::<Payload>(&token).ok());
        self.accept(&payload.ok_or(TokenError::Invalid)?, now)
    }

    fn accept(&self, payload: &Payload, now: Timestamp) -> Result<OldClaims, TokenError> {
        let usage = [KeyUse::Access, KeyUse::Refresh].into_iter().find(|u| u.as_str() == payload.token_type);
        let claims = OldClaims {
            usage: usage.ok_or(TokenError::Invalid)?,
            user: user(&payload.user_id)?,
            issued_at: payload.iat.map(Timestamp::from_secs),
            expires_at: Timestamp::from_secs(payload.exp),
        };
        let begins_at = payload.nbf.map(Timestamp::from_secs).max(claims.issued_at);
        let is_early = begins_at.is_some_and(|begin| begin > now.after(self.leeway).after(CLOCK_STEP));
        if payload.jti.is_empty() || is_early || claims.expires_at > now.after(LONGEST) {
            Err(TokenError::Invalid)
        } else if now >= claims.expires_at.after(self.leeway) {
            Err(TokenError::Expired)
        } else {
            Ok(claims)
        }
    }
}

/// A number, or its one spelling.
fn user(value: &UserIdValue) -> Result<UserId, TokenError> {
    match value {
        UserIdValue::Int(number) if *number > 0 => Ok(UserId(*number)),
        UserIdValue::Int(_) => Err(TokenError::Invalid),
        UserIdValue::String(text) => text.parse().map_err(|_| TokenError::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    /// As Django's `startproject` makes one.
    const SECRET: &str = "django-insecure-g8l%2$4v&b)0w!x6f#o1j@q9z*y7u(d3k^";
    const OTHER: &str = "another secret that has enough bytes in it";
    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
    const DAY: u64 = 86_400;

    fn signed(header: &str, payload: &str, secret: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
        let signature = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn payload() -> Value {
        json!({
            "token_type": "access",
            "exp": NOW.secs() + 300,
            "iat": NOW.secs() - 10,
            "jti": "2f1c0f6d7f3a4f0c9b7a4f3f5d1c2b3a",
            "user_id": "17",
        })
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

    fn read(token: &str) -> Result<OldClaims, TokenError> {
        let secrets = [OTHER, SECRET].map(|secret| Secret::new(secret.to_owned()));
        OldTokens::new(&secrets, Duration::from_secs(30)).verify(token, NOW)
    }

    fn claims(payload: &str) -> Result<OldClaims, TokenError> {
        read(&signed(HEADER, payload, SECRET))
    }

    #[test]
    fn reads_what_simplejwt_writes() {
        let claims = |payload: &str| claims(payload).expect("a good token");
        let said = claims(&payload().to_string());
        assert_eq!((said.usage, said.user), (KeyUse::Access, UserId(17)));
        assert_eq!(said.issued_at, Some(Timestamp::from_secs(NOW.secs() - 10)));
        assert_eq!(said.expires_at, Timestamp::from_secs(NOW.secs() + 300));

        assert_eq!(claims(&with("token_type", json!("refresh"))).usage, KeyUse::Refresh);
        assert_eq!(claims(&with("user_id", json!(17))).user, UserId(17), "before 5.5.1");
        assert_eq!(claims(&without("iat")).issued_at, None, "before 4.8");
        claims(&with("is_staff", json!({ "a": [1] })));
        claims(&with("exp", json!(NOW.secs() - 29)));
        claims(&with("exp", json!(NOW.secs() + 400 * DAY)));
        let other_order = signed(r#"{"typ":"JWT","alg":"HS256"}"#, &payload().to_string(), OTHER);
        read(&other_order).expect("as PyJWT 1 has it, under the other secret");
    }

    #[test]
    fn nothing_else_is_an_old_token() {
        let good = payload().to_string();
        let token = signed(HEADER, &good, SECRET);
        let (message, signature) = token.rsplit_once('.').expect("a signature");
        for (token, why) in [
            (signed(HEADER, &good, "a third secret that nobody has configured"), "another secret"),
            (signed(HEADER, &good, &SECRET[1..]), "nearly the secret"),
            (signed(r#"{"alg":"none","typ":"JWT"}"#, &good, SECRET), "alg none"),
            (format!("{message}."), "no signature"),
            (message.to_owned(), "two parts"),
            (format!("{token}="), "another spelling"),
            (format!("{message}.{signature}A"), "a longer signature"),
            (signed(r#"{"alg":"HS384","typ":"JWT"}"#, &good, SECRET), "another hash"),
            (signed(r#"{"alg":"RS256","typ":"JWT"}"#, &good, SECRET), "a secret as a key"),
            (signed(r#"{"alg":"HS256"}"#, &good, SECRET), "no typ"),
            (signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, &good, SECRET), "our typ"),
            (signed(r#"{"alg":"HS256","typ":"jwt"}"#, &good, SECRET), "another spelling of typ"),
            (signed(r#"{"alg":"HS256","typ":"JWT","kid":"hs256"}"#, &good, SECRET), "a kid"),
            (signed(r#"{"alg":"HS256","typ":"JWT","crit":["b64"],"b64":false}"#, &good, SECRET), "crit"),
            (signed(r#"{"alg":"HS256","alg":"HS256","typ":"JWT"}"#, &good, SECRET), "alg twice"),
            (signed(HEADER, &good.replacen('{', r#"{"exp":1,"#, 1), SECRET), "exp twice"),
            (signed(HEADER, "[]", SECRET), "a list"),
            (signed(HEADER, &with("pad", json!("x".repeat(9 * 1024))), SECRET), "a giant"),
            (String::new(), "nothing"),
        ] {
            assert_eq!(read(&token), Err(TokenError::Invalid), "{why}");
        }
    }

    #[test]
    fn claims_that_simplejwt_does_not_write_are_refused() {
        for payload in [
            without("token_type"),
            with("token_type", json!("sliding")),
            with("token_type", json!(["access"])),
            without("exp"),
            with("exp", json!(null)),
            with("exp", json!("1900000000")),
            with("exp", json!(NOW.secs() + 400 * DAY + 1)),
            with("exp", json!(u64::MAX)),
            with("exp", json!(-1)),
            with("iat", json!(null)),
            with("iat", json!(NOW.secs() + 36)),
            with("nbf", json!(NOW.secs() + 36)),
            without("jti"),
            with("jti", json!("")),
            without("user_id"),
            with("user_id", json!(null)),
            with("user_id", json!(0)),
            with("user_id", json!(-17)),
            with("user_id", json!(17.0)),
            with("user_id", json!("017")),
            with("user_id", json!(" 17")),
            with("user_id", json!("6f9619ff-8b86-d011-b42d-00cf4fc964ff")),
        ] {
            assert_eq!(claims(&payload), Err(TokenError::Invalid), "{payload}");
        }
        assert_eq!(claims(&with("exp", json!(NOW.secs() - 30))), Err(TokenError::Expired));
        assert_eq!(claims(&with("exp", json!(0))), Err(TokenError::Expired));
    }

    #[test]
    fn without_a_secret_there_are_none() {
        let token = signed(HEADER, &payload().to_string(), SECRET);
        assert_eq!(OldTokens::new(&[], Duration::ZERO).verify(&token, NOW), Err(TokenError::Invalid));
    }
}
