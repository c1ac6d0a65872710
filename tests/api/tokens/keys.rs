//! The keys behind the tokens: algorithms, what is published, and how one key follows another.

use std::slice;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Value, json};

use super::{SECRET, expect_refused, hs256, jwks, kid_of, kids, members, refreshed};
use crate::harness::{TestServer, days, minutes, part_of, with_part};

/// Checks a token as another service does: with the published key that its header names.
async fn verifies_by_jwks(server: &TestServer, token: &str) -> bool {
    let keys = jwks(server).await;
    let key = keys.iter().find(|key| key["kid"] == kid_of(token)).expect("its key").clone();
    assert_eq!(key["alg"], part_of(token, 0)["alg"]);
    assert_eq!(key["use"], "sig");
    let algorithm = key["alg"].as_str().expect("a name").parse().expect("known");
    let jwk: Jwk = serde_json::from_value(key).expect("a JWK");
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let key = DecodingKey::from_jwk(&jwk).expect("a key");
    crypto::verify(signature, message.as_bytes(), &key, algorithm).expect("a verdict")
}

#[tokio::test]
async fn every_algorithm_signs_what_its_published_key_verifies() {
    for (name, kty) in [("ES256", "EC"), ("EdDSA", "OKP"), ("RS256", "RSA")] {
        let server = TestServer::start_with(&format!("tokens.algorithm = \"{name}\"")).await;
        let ada = server.registered("ada@example.com").await;
        let again = server.logged_in("ada@example.com").await;

        let keys = jwks(&server).await;

        assert_eq!(keys.len(), 1, "{name}");
        assert_eq!((&keys[0]["kty"], &keys[0]["alg"]), (&json!(kty), &json!(name)));
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(keys[0].get(private), None, "{name}");
        }
        for caller in [&ada, &again, &refreshed(&server, &ada).await] {
            caller.get("/auth/profile/").await.expect(200);
            assert!(verifies_by_jwks(&server, caller.access()).await, "{name}");
        }
        let mut claims = part_of(ada.access(), 1);
        claims["sub"] = json!("2");
        assert!(!verifies_by_jwks(&server, &with_part(ada.access(), 1, &claims)).await, "{name}");
        let server = server.restart().await;
        server.expect_alive(&server.caller(again.tokens)).await;
        assert_eq!(jwks(&server).await, keys, "{name}");
    }
}

#[tokio::test]
async fn a_shared_secret_signs_and_is_not_published() {
    let server = TestServer::start_with(&hs256()).await;
    let ada = server.registered("ada@example.com").await;
    server.expect_alive(&ada).await;

    let (message, signature) = ada.access().rsplit_once('.').expect("a signature");

    let key = DecodingKey::from_secret(SECRET.as_bytes());
    assert!(crypto::verify(signature, message.as_bytes(), &key, Algorithm::HS256).expect("a verdict"));
    assert_eq!(part_of(ada.access(), 0)["alg"], "HS256");
    assert!(jwks(&server).await.is_empty());
}

#[tokio::test]
async fn another_secret_ends_the_access_tokens_and_no_session() {
    let server = TestServer::start_with(&hs256()).await;
    let ada = server.registered("ada@example.com").await;

    let server = server.restart_with(&hs256().replace("Django", "Flask")).await;

    expect_refused(&server, ada.access(), "the secret of before").await;
    let ada = server.caller(ada.tokens);
    server.expect_alive(&refreshed(&server, &ada).await).await;
}

#[tokio::test]
async fn the_published_keys_may_be_cached() {
    let server = TestServer::start().await;

    let answer = server.anon().get("/.well-known/jwks.json").await.expect(200);

    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(members(&answer.body), ["keys"]);
}

#[tokio::test]
async fn the_same_keys_sign_after_a_restart() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let before = jwks(&server).await;

    let server = server.restart().await;

    assert_eq!(jwks(&server).await, before);
    let again = server.logged_in("ada@example.com").await;
    assert_eq!(kid_of(again.access()), kid_of(ada.access()));
    assert_eq!(kid_of(again.refresh()), kid_of(ada.refresh()));
    server.expect_alive(&server.caller(ada.tokens)).await;
}

#[tokio::test]
async fn a_new_key_takes_over_after_ninety_days_and_nobody_notices() {
    let server = TestServer::start().await;
    let old: Value = kids(&server).await.remove(0);
    server.advance(days(80));
    let ada = server.registered("ada@example.com").await;
    let idle = server.logged_in("ada@example.com").await;
    server.run_jobs().await;
    assert_eq!(kids(&server).await, slice::from_ref(&old));
    server.advance(days(11));
    let ada = refreshed(&server, &ada).await;
    assert_eq!(kid_of(ada.access()), old);

    server.run_jobs().await;

    server.expect_alive(&ada).await;
    let after = refreshed(&server, &ada).await;
    let new = kid_of(after.access());
    assert_ne!(new, old);
    assert_ne!(kid_of(after.refresh()), kid_of(ada.refresh()));
    server.expect_alive(&after).await;
    assert_eq!(kids(&server).await, [old, new.clone()]);
    assert!(verifies_by_jwks(&server, ada.access()).await && verifies_by_jwks(&server, after.access()).await);
    assert_eq!(server.events().last(), Some(&"keys.rotated"));

    server.advance(minutes(15));
    assert_eq!(kids(&server).await, slice::from_ref(&new));
    server.run_jobs().await;
    expect_refused(&server, ada.access(), "signed by a key that is gone").await;
    let server = server.restart().await;
    assert_eq!(kids(&server).await, [new]);

    // A refresh token of the old key counts as long as it would have without the new one.
    server.advance(days(18));
    server.run_jobs().await;
    server.expect_alive(&refreshed(&server, &server.caller(idle.tokens)).await).await;
}

#[tokio::test]
async fn another_algorithm_leaves_the_tokens_of_the_one_before_their_time() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    let server = server.restart_with("tokens.algorithm = \"EdDSA\"").await;

    let ada = server.caller(ada.tokens);
    server.expect_alive(&ada).await;
    let new = server.logged_in("ada@example.com").await;
    assert_eq!(part_of(new.access(), 0)["alg"], "EdDSA");
    server.expect_alive(&new).await;
    assert_eq!(kids(&server).await, [kid_of(ada.access()), kid_of(new.access())]);
    server.advance(minutes(15));
    ada.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    assert_eq!(kids(&server).await, [kid_of(new.access())]);
    server.expect_alive(&refreshed(&server, &ada).await).await;
}
