//! Tokens: what they say, how long they count, and what becomes of a refresh token that was used.

mod forged;
mod keys;

use std::time::Duration;

use hyper::Method;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, PASSWORD, TestServer, minutes, part_of};

const SECRET: &str = "a secret of a Django project, 32 bytes and more";

fn hs256() -> String {
    format!("tokens.algorithm = \"HS256\"\ntokens.hs256_secret = \"{SECRET}\"")
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

async fn refresh(server: &TestServer, token: &str) -> Answer {
    server.anon().post("/auth/token/refresh/", &json!({ "refresh": token })).await
}

async fn refreshed(server: &TestServer, caller: &Caller) -> Caller {
    server.caller(refresh(server, caller.refresh()).await.expect(200).body)
}

async fn verify(server: &TestServer, token: &str) -> Answer {
    server.anon().post("/auth/token/verify/", &json!({ "token": token })).await
}

async fn jwks(server: &TestServer) -> Vec<Value> {
    let answer = server.anon().get("/.well-known/jwks.json").await.expect(200);
    answer.body["keys"].as_array().expect("a list").clone()
}

async fn kids(server: &TestServer) -> Vec<Value> {
    jwks(server).await.iter().map(|key| key["kid"].clone()).collect()
}

fn kid_of(token: &str) -> Value {
    part_of(token, 0)["kid"].clone()
}

fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Refused with the same code in every place where a token goes in.
async fn expect_refused(server: &TestServer, token: &str, why: &str) {
    let anon = server.anon();
    let mut answers = vec![
        verify(server, token).await,
        refresh(server, token).await,
        anon.post("/auth/logout/", &json!({ "refresh": token })).await,
    ];
    let header = format!("Bearer {token}");
    // White space around a header is no part of it, and some bytes cannot be in one.
    if HeaderValue::from_str(&header).is_ok() && token.trim() == token && !token.is_empty() {
        let headers = [("authorization", header.as_str())];
        for (method, path) in [
            (Method::GET, "/auth/profile/"),
            (Method::PATCH, "/auth/profile/"),
            (Method::POST, "/auth/logout/"),
            (Method::DELETE, "/auth/logout/"),
            (Method::GET, "/auth/sessions/"),
        ] {
            answers.push(anon.send(method, path, &headers, None).await);
        }
    }
    for answer in answers {
        assert_eq!(answer.status.as_u16(), 401, "{why}: {}", answer.text);
        let answer = answer.expect_problem(401, "invalid_token");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"invalid_token\""), "{why}");
    }
}

#[tokio::test]
async fn a_token_object_has_its_members_and_no_other() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let other = server.logged_in("ada@example.com").await;
    let body = json!({ "identifier": "ada@example.com", "password": PASSWORD });

    let logged_in = server.anon().post("/auth/login/", &body).await.expect(200);
    let refreshed = refresh(&server, other.refresh()).await.expect(200);

    assert_eq!(logged_in.header("cache-control"), Some("no-store"));
    assert_eq!(refreshed.header("cache-control"), Some("no-store"));
    for tokens in [&ada.tokens, &logged_in.body, &refreshed.body] {
        assert_eq!(
            members(tokens),
            ["access", "access_expires_at", "refresh", "refresh_expires_at", "token_type", "user"]
        );
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["user"]["email"], "ada@example.com");
        for (kind, expiry) in [("access", "access_expires_at"), ("refresh", "refresh_expires_at")] {
            let token = tokens[kind].as_str().expect("a token");
            let facts = verify(&server, token).await.expect(200).body;
            let told: jiff::Timestamp = tokens[expiry].as_str().expect("a time").parse().expect("RFC 3339");
            assert_eq!(facts["exp"], told.as_second());
            assert_eq!(told.subsec_nanosecond(), 0);
        }
    }
}

#[tokio::test]
async fn an_access_token_says_what_it_must_and_nothing_about_the_person() {
    let server = TestServer::start().await;
    let body = json!({
        "email": "ada@example.com", "username": "countess", "first_name": "Augusta", "password": PASSWORD
    });
    let ada = server.registered_as(body).await;
    let sessions = ada.get("/auth/sessions/").await.expect(200).body;

    let (header, claims) = (part_of(ada.access(), 0), part_of(ada.access(), 1));

    assert_eq!(members(&header), ["alg", "kid", "typ"]);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("at+jwt")));
    assert_eq!(kids(&server).await, [header["kid"].clone()]);
    assert_eq!(members(&claims), ["exp", "iat", "iss", "jti", "sid", "sub", "token_type"]);
    assert_eq!(claims["iss"], "http://127.0.0.1:8000");
    assert_eq!(claims["sub"], ada.tokens["user"]["id"].to_string());
    assert_eq!(claims["sid"], sessions["results"][0]["id"]);
    assert_eq!(claims["token_type"], "access");
    assert_eq!(claims["exp"].as_u64().expect("a number"), claims["iat"].as_u64().expect("a number") + 900);
    for token in [ada.access(), ada.refresh()] {
        let mut told = part_of(token, 1);
        for random in ["jti", "sid"] {
            told[random] = Value::Null;
        }
        let told = told.to_string().to_lowercase();
        for personal in ["ada", "example.com", "countess", "augusta"] {
            assert!(!told.contains(personal), "{told}");
        }
    }
}

#[tokio::test]
async fn a_refresh_token_names_its_kind_and_a_key_that_is_not_published() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    let (header, claims) = (part_of(ada.refresh(), 0), part_of(ada.refresh(), 1));

    assert_eq!(header["typ"], "rt+jwt");
    assert!(!kids(&server).await.contains(&header["kid"]));
    assert_eq!(claims["token_type"], "refresh");
    assert_eq!(claims["sid"], part_of(ada.access(), 1)["sid"]);
    let life = claims["exp"].as_u64().expect("a number") - claims["iat"].as_u64().expect("a number");
    assert_eq!(life, 30 * 86_400);
}

#[tokio::test]
async fn each_access_token_is_another_one() {
    let server = TestServer::start_with("tokens.refresh_grace = \"10m\"").await;
    let ada = server.registered("ada@example.com").await;
    let mut seen = vec![part_of(ada.access(), 1)["jti"].clone()];

    for _ in 0..5 {
        seen.push(part_of(refreshed(&server, &ada).await.access(), 1)["jti"].clone());
    }

    assert!(seen.iter().enumerate().all(|(at, jti)| !seen[..at].contains(jti)), "{seen:?}");
}

#[tokio::test]
async fn an_access_token_expires_after_fifteen_minutes() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    server.advance(minutes(14));
    server.expect_alive(&ada).await;
    server.advance(minutes(1));

    ada.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    ada.post("/auth/logout/", &json!({})).await.expect_problem(401, "invalid_token");
    verify(&server, ada.access()).await.expect_problem(401, "invalid_token");
    verify(&server, ada.refresh()).await.expect(200);
}

#[tokio::test]
async fn a_refresh_makes_a_new_pair_and_leaves_the_old_access_token_its_time() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    server.advance(minutes(10));

    let new = refreshed(&server, &ada).await;

    assert_ne!(new.access(), ada.access());
    assert_ne!(new.refresh(), ada.refresh());
    assert_eq!(part_of(new.access(), 1)["sid"], part_of(ada.access(), 1)["sid"]);
    server.expect_alive(&new).await;
    ada.get("/auth/profile/").await.expect(200);
    verify(&server, ada.refresh()).await.expect_problem(401, "invalid_token");
    server.advance(minutes(6));
    ada.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    server.expect_alive(&new).await;
}

#[tokio::test]
async fn the_previous_refresh_token_gets_the_same_successor_while_its_grace_lasts() {
    let server = TestServer::start_with("tokens.refresh_grace = \"10m\"").await;
    let ada = server.registered("ada@example.com").await;
    let new = refreshed(&server, &ada).await;

    server.advance(minutes(9));
    let again = refreshed(&server, &ada).await;

    assert_eq!(again.refresh(), new.refresh());
    assert_eq!(again.tokens["refresh_expires_at"], new.tokens["refresh_expires_at"]);
    server.expect_alive(&again).await;
    let next = refreshed(&server, &again).await;
    assert_ne!(next.refresh(), new.refresh());
    assert_eq!(refreshed(&server, &new).await.refresh(), next.refresh());
    assert!(!server.events().contains(&"session.reuse_detected"));
}

#[tokio::test]
async fn a_used_refresh_token_that_comes_back_ends_the_session_and_its_owner_hears_of_it() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let other = server.logged_in("ada@example.com").await;
    let new = refreshed(&server, &ada).await;
    // The ten seconds of the default are over.
    server.advance(seconds(11));
    let before = server.events().len();

    refresh(&server, ada.refresh()).await.expect_problem(401, "invalid_token");

    server.expect_dead(&new).await;
    server.expect_dead(&ada).await;
    server.expect_alive(&other).await;
    assert_eq!(server.events()[before..], ["session.reuse_detected"]);
    let mails = server.mails_to("ada@example.com").await;
    assert_eq!(mails.len(), 2, "the code of the registration, and the notice");
    for token in [ada.refresh(), new.refresh(), new.access()] {
        assert!(!mails[1].text.contains(token));
    }
    let server = server.restart().await;
    server.expect_dead(&server.caller(new.tokens)).await;
}

#[tokio::test]
async fn a_refresh_token_older_than_the_previous_one_has_no_grace() {
    let server = TestServer::start_with("tokens.refresh_grace = \"1h\"").await;
    let ada = server.registered("ada@example.com").await;
    let new = refreshed(&server, &ada).await;
    let newest = refreshed(&server, &new).await;

    refresh(&server, ada.refresh()).await.expect_problem(401, "invalid_token");

    server.expect_dead(&newest).await;
    server.expect_dead(&new).await;
    assert_eq!(server.events().last(), Some(&"session.reuse_detected"));
}

#[tokio::test]
async fn without_grace_the_previous_refresh_token_is_not_taken_again() {
    let server = TestServer::start_with("tokens.refresh_grace = \"0s\"").await;
    let ada = server.registered("ada@example.com").await;
    let new = refreshed(&server, &ada).await;
    server.advance(seconds(1));

    refresh(&server, ada.refresh()).await.expect_problem(401, "invalid_token");

    server.expect_dead(&new).await;
}

#[tokio::test]
async fn asking_what_a_used_refresh_token_is_worth_ends_no_session() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let new = refreshed(&server, &ada).await;
    server.advance(minutes(1));

    verify(&server, ada.refresh()).await.expect_problem(401, "invalid_token");

    server.expect_alive(&new).await;
}

#[tokio::test]
async fn refreshing_takes_no_notice_of_a_bad_header() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let stranger = server.holder("garbage");

    let verified = stranger.post("/auth/token/verify/", &json!({ "token": ada.access() })).await;
    let refreshed = stranger.post("/auth/token/refresh/", &json!({ "refresh": ada.refresh() })).await;

    verified.expect(200);
    refreshed.expect(200);
}

#[tokio::test]
async fn verify_says_what_a_token_is_good_for() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    for (token, kind) in [(ada.access(), "access"), (ada.refresh(), "refresh")] {
        let facts = verify(&server, token).await.expect(200).body;

        let (claims, id) = (part_of(token, 1), &ada.tokens["user"]["id"]);
        let (exp, sid) = (&claims["exp"], &claims["sid"]);
        let expected = json!({ "active": true, "token_type": kind, "user_id": id, "exp": exp, "sid": sid });
        assert_eq!(facts, expected);
    }
}

#[tokio::test]
async fn a_missing_token_is_told_from_a_bad_one() {
    let server = TestServer::start().await;
    let anon = server.anon();

    for (path, member) in [("/auth/token/verify/", "token"), ("/auth/token/refresh/", "refresh")] {
        anon.post(path, &json!({})).await.expect_invalid(&[(member, "required")]);
        anon.post(path, &json!({ member: null })).await.expect_invalid(&[(member, "null")]);
        anon.post(path, &json!({ member: 1 })).await.expect_invalid(&[(member, "type")]);
        let two = json!({ member: "x", "access": "x" });
        anon.post(path, &two).await.expect_invalid(&[("access", "unknown_field")]);
    }
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let server = TestServer::start_with("tokens.audience = \"https://api.example.com\"").await;
    let ada = server.registered("ada@example.com").await;
    assert_eq!(part_of(ada.access(), 1)["aud"], "https://api.example.com");
    server.expect_alive(&ada).await;

    let server = server.restart_with("tokens.audience = \"https://other.example.com\"").await;
    verify(&server, ada.access()).await.expect_problem(401, "invalid_token");
    let server = server.restart_with("").await;
    verify(&server, ada.access()).await.expect_problem(401, "invalid_token");
    let server = server.restart_with("tokens.audience = \"https://api.example.com\"").await;

    server.expect_alive(&server.caller(ada.tokens)).await;
}

#[tokio::test]
async fn a_token_without_audience_is_refused_where_one_is_asked_for() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    let server = server.restart_with("tokens.audience = \"https://api.example.com\"").await;

    server.holder(ada.access()).get("/auth/profile/").await.expect_problem(401, "invalid_token");
    verify(&server, ada.access()).await.expect_problem(401, "invalid_token");
    let ada = server.caller(ada.tokens);
    server.expect_alive(&refreshed(&server, &ada).await).await;
}

#[tokio::test]
async fn leeway_lets_an_expired_token_live_a_little() {
    let server = TestServer::start_with("tokens.leeway = \"5m\"").await;
    let ada = server.registered("ada@example.com").await;

    server.advance(minutes(16));
    server.expect_alive(&ada).await;
    server.advance(minutes(4));

    ada.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    verify(&server, ada.access()).await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn tokens_of_another_issuer_are_refused() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    let server = server.restart_with("server.public_url = \"http://localhost:8000\"").await;

    expect_refused(&server, ada.access(), "the issuer of before").await;
    expect_refused(&server, ada.refresh(), "the issuer of before").await;
    let again = server.logged_in("ada@example.com").await;
    assert_eq!(part_of(again.access(), 1)["iss"], "http://localhost:8000");
}
