//! What is no token of ours, however close it comes.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use super::{SECRET, expect_refused, hs256, jwks, refresh, verify};
use crate::harness::{TestServer, part_of, with_part};

/// A JWT of this text with a right signature for it.
fn signed(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).expect("a signature");
    format!("{message}.{signature}")
}

fn by_secret(header: &str, claims: &str, secret: &[u8]) -> String {
    signed(header, claims, &EncodingKey::from_secret(secret), Algorithm::HS256)
}

/// A token with this in place of one member of its header.
fn with_header(token: &str, member: &str, value: Value) -> String {
    let mut header = part_of(token, 0);
    header[member] = value;
    with_part(token, 0, &header)
}

fn without(object: &Value, member: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().expect("an object").remove(member).expect("it was there");
    object
}

#[tokio::test]
async fn garbage_is_no_token() {
    let server = TestServer::start().await;
    let (long, three) = ("a".repeat(9 * 1024), format!("{0}.{0}.{0}", "a".repeat(3 * 1024)));

    for text in ["", ".", "..", "...", "garbage", "a.b.c", "null", "e30.e30.e30", "ü", "\u{0}", &long, &three]
    {
        expect_refused(&server, text, "garbage").await;
    }
}

#[tokio::test]
async fn a_token_has_one_spelling() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    for token in [ada.access(), ada.refresh()] {
        let (message, signature) = token.rsplit_once('.').expect("a signature");
        let (header, payload) = message.split_once('.').expect("a payload");
        let standard = STANDARD.encode(URL_SAFE_NO_PAD.decode(signature).expect("base64url"));
        // The last character of 32 or 64 bytes has bits that say nothing: they must be nought.
        let last = *signature.as_bytes().last().expect("a character");
        let stray = char::from(last + 1);
        for other in [
            format!(" {token}"),
            format!("{token} "),
            format!("{token}\n"),
            format!("\r\n{token}"),
            format!("{header}. {payload}.{signature}"),
            format!("{header}.{payload}\n.{signature}"),
            format!("{token}="),
            format!("{token}=="),
            format!("{header}=.{payload}.{signature}"),
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{signature}"),
            format!("{message}.{standard}"),
            format!("{message}.{}{stray}", &signature[..signature.len() - 1]),
            format!("Bearer {token}"),
            format!("{token}\u{0}"),
            format!("{token}{}", " ".repeat(9 * 1024)),
        ] {
            expect_refused(&server, &other, &other).await;
        }
    }
    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn a_changed_token_is_refused_whatever_was_changed() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let bob = server.registered("bob@example.com").await;

    for (token, other) in [(ada.access(), bob.access()), (ada.refresh(), bob.refresh())] {
        let (message, signature) = token.rsplit_once('.').expect("a signature");
        let (header, _) = message.split_once('.').expect("a payload");
        let foreign = other.rsplit_once('.').expect("a signature").1;
        let (mut another_user, mut later) = (part_of(token, 1), part_of(token, 1));
        another_user["sub"] = part_of(other, 1)["sub"].clone();
        later["exp"] = json!(later["exp"].as_u64().expect("a number") + 1);
        let spaced = URL_SAFE_NO_PAD.encode(format!(" {}", part_of(token, 1)));
        let nought = URL_SAFE_NO_PAD.encode([0; 64]);
        let mut flipped = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        flipped[7] ^= 1;
        let flipped = URL_SAFE_NO_PAD.encode(flipped);

        for (changed, why) in [
            (with_part(token, 1, &another_user), "another user"),
            (with_part(token, 1, &later), "a later end"),
            (format!("{header}.{spaced}.{signature}"), "the same claims in other bytes"),
            (format!("{message}.{foreign}"), "the signature of another token"),
            (format!("{message}."), "an empty signature"),
            (message.to_owned(), "no signature"),
            (format!("{message}.{nought}"), "r = s = 0"),
            (format!("{message}.{flipped}"), "one bit of the signature"),
        ] {
            expect_refused(&server, &changed, why).await;
        }
    }
    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn the_header_of_a_token_chooses_neither_algorithm_nor_key() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    for token in [ada.access(), ada.refresh()] {
        let own = part_of(token, 0);
        for alg in ["none", "None", "NONE", "", "HS256", "HS512", "ES256", "ES384", "es256", "RS256", "EdDSA"]
        {
            if own["alg"] != alg {
                let changed = with_header(token, "alg", json!(alg));
                let unsigned = changed.rsplit_once('.').expect("a signature").0;
                expect_refused(&server, &changed, alg).await;
                expect_refused(&server, &format!("{unsigned}."), alg).await;
            }
        }
        for (member, value) in [
            ("kid", json!("unknown")),
            ("kid", json!("")),
            ("kid", json!(null)),
            ("kid", json!("../../../dev/null")),
            ("typ", json!("JWT")),
            ("typ", json!("application/at+jwt")),
            ("typ", json!(null)),
            ("crit", json!(["exp"])),
            ("jku", json!("http://127.0.0.1:1/jwks.json")),
            ("zip", json!("DEF")),
            ("b64", json!(false)),
        ] {
            expect_refused(&server, &with_header(token, member, value), member).await;
        }
        for member in ["alg", "kid", "typ"] {
            expect_refused(&server, &with_part(token, 0, &without(&own, member)), member).await;
        }
    }
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let jwk = jwks(&server).await.remove(0);
    let coordinate =
        |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().expect("text")).expect("base64url");
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let prefix = STANDARD.decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=").expect("base64");
    let der = [prefix, point.clone()].concat();
    let lines = STANDARD.encode(&der);
    let (first, second) = lines.split_at(64);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n");
    let header = json!({ "alg": "HS256", "kid": jwk["kid"], "typ": "at+jwt" }).to_string();
    let claims = part_of(ada.access(), 1).to_string();

    for secret in [point, der, pem.into_bytes(), jwk.to_string().into_bytes(), Vec::new(), b"secret".to_vec()]
    {
        expect_refused(&server, &by_secret(&header, &claims, &secret), "a public key as secret").await;
    }
}

#[tokio::test]
async fn a_foreign_key_signs_nothing_even_if_the_token_brings_it() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let key = EncodingKey::from_ec_der(document.expect("a key").as_ref());
    let jwk = jwks(&server).await.remove(0);
    let claims = part_of(ada.access(), 1).to_string();

    for (member, value) in [
        ("alg", json!("ES256")),
        ("jwk", jwk),
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("x5u", json!("http://127.0.0.1:1/key.pem")),
        ("x5c", json!(["MA=="])),
    ] {
        let mut header = part_of(ada.access(), 0);
        header[member] = value;
        let token = signed(&header.to_string(), &claims, &key, Algorithm::ES256);
        expect_refused(&server, &token, member).await;
    }
}

#[tokio::test]
async fn an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    let holder = server.holder(ada.refresh());

    holder.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    holder.get("/auth/sessions/").await.expect_problem(401, "invalid_token");
    holder.delete("/auth/logout/").await.expect_problem(401, "invalid_token");
    refresh(&server, ada.access()).await.expect_problem(401, "invalid_token");
    for (token, typ) in [(ada.access(), "rt+jwt"), (ada.refresh(), "at+jwt")] {
        expect_refused(&server, &with_header(token, "typ", json!(typ)), typ).await;
    }
    server.expect_alive(&ada).await;
}

/// With a secret that the test knows, every token here has a right signature: only its claims are wrong.
#[tokio::test]
async fn a_well_signed_token_with_other_claims_than_ours_is_refused() {
    let server = TestServer::start_with(&hs256()).await;
    let ada = server.registered("ada@example.com").await;
    let (header, claims) = (part_of(ada.access(), 0).to_string(), part_of(ada.access(), 1));
    let sign = |claims: &str| by_secret(&header, claims, SECRET.as_bytes());
    let now = claims["iat"].as_u64().expect("a number");
    verify(&server, &sign(&claims.to_string())).await.expect(200);

    for (member, value) in [
        ("iss", json!("http://127.0.0.1:8001")),
        ("iss", json!("http://127.0.0.1:8000/")),
        ("iss", json!(["http://127.0.0.1:8000"])),
        ("aud", json!("api")),
        ("aud", json!(null)),
        ("aud", json!([])),
        ("sub", json!("999")),
        ("sub", json!("0")),
        ("sub", json!("+1")),
        ("sub", json!(1)),
        ("exp", json!(now - 1)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!((now + 900).to_string())),
        ("exp", json!(null)),
        ("iat", json!(now + 3600)),
        ("jti", json!("")),
        ("sid", json!("nonsense")),
        ("sid", json!(claims["sid"].as_str().expect("text").replace('-', ""))),
        ("token_type", json!("refresh")),
        ("nbf", json!(now)),
        ("is_superuser", json!(true)),
    ] {
        let mut changed = claims.clone();
        changed[member] = value.clone();
        expect_refused(&server, &sign(&changed.to_string()), &format!("{member}: {value}")).await;
    }
    for member in ["iss", "sub", "exp", "iat", "jti", "sid", "token_type"] {
        let changed = without(&claims, member).to_string();
        expect_refused(&server, &sign(&changed), &format!("without {member}")).await;
    }
    let text = claims.to_string();
    let twice = text.replacen('{', "{\"sub\":\"1\",", 1);
    for changed in [twice, format!("[{text}]"), format!("{text} x"), "null".to_owned(), String::new()] {
        expect_refused(&server, &sign(&changed), &changed).await;
    }
    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn a_well_signed_token_with_another_header_than_ours_is_refused() {
    let server = TestServer::start_with(&hs256()).await;
    let ada = server.registered("ada@example.com").await;
    let claims = part_of(ada.access(), 1).to_string();
    let sign = |header: &str| by_secret(header, &claims, SECRET.as_bytes());
    verify(&server, &sign(r#"{"alg":"HS256","kid":"hs256","typ":"at+jwt"}"#)).await.expect(200);

    for header in [
        r#"{"alg":"HS256","kid":"hs256","typ":"JWT"}"#,
        r#"{"alg":"HS256","kid":"hs256","typ":"rt+jwt"}"#,
        r#"{"alg":"HS256","kid":"hs256"}"#,
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"kid":"hs256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","kid":"hs256","kid":"hs256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","kid":"hs256","typ":"at+jwt","crit":[]}"#,
        r#"{"alg":"HS384","kid":"hs256","typ":"at+jwt"}"#,
        r#"{"alg":"none","kid":"hs256","typ":"at+jwt"}"#,
        r#"["HS256","hs256","at+jwt"]"#,
    ] {
        expect_refused(&server, &sign(header), header).await;
    }
}
