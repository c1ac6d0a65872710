//! API keys: made by whoever logged in, accepted wherever a token is, dead once revoked.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Answer, Caller, TestServer, days, minutes};

const ADA: &str = "ada@example.com";
const KEYS: &str = "/auth/api-keys/";

fn named(name: &str) -> Value {
    json!({ "name": name })
}

async fn listed(caller: &Caller) -> Vec<Value> {
    caller.get(KEYS).await.expect(200).body["results"].as_array().expect("a list").clone()
}

fn path_of(key: &Value) -> String {
    format!("{KEYS}{}/", key["id"].as_str().expect("an id"))
}

fn text_of(key: &Value) -> &str {
    key["key"].as_str().expect("a key")
}

async fn with_header(server: &TestServer, header: &str) -> Answer {
    server.anon().send(Method::GET, "/auth/profile/", &[("authorization", header)], None).await
}

/// The members of a row that was made by this answer.
fn without_text(made: &Value) -> Value {
    let mut row = made.clone();
    row.as_object_mut().expect("an object").remove("key");
    row
}

#[tokio::test]
async fn a_key_is_told_once_and_works_wherever_a_token_does() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let body = json!({ "name": " Nightly backup ", "expires_at": "2999-12-31T23:59:59+01:00" });

    let (holder, made) = server.api_key(&ada, &body).await;

    let key = text_of(&made);
    assert_eq!((key.len(), &key[..4]), (53, "ksk_"));
    assert_eq!(made["name"], "Nightly backup");
    assert_eq!(made["prefix"], key[..12]);
    assert_eq!(made["expires_at"], "2999-12-31T22:59:59.000Z");
    assert_eq!(made["last_used_at"], Value::Null);
    let members: BTreeSet<&str> = made.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = ["id", "name", "key", "prefix", "created_at", "expires_at", "last_used_at"];
    assert_eq!(members, BTreeSet::from(expected));
    assert_eq!(listed(&ada).await, [without_text(&made)]);

    assert_eq!(holder.get("/auth/profile/").await.expect(200).body["email"], ADA);
    holder.patch("/auth/profile/", &json!({ "first_name": "Ada" })).await.expect(200);
    for scheme in ["Bearer", "bearer", "BEARER", "Token", "token", "TOKEN", "Token  "] {
        with_header(&server, &format!("{scheme} {key}")).await.expect(200);
    }
    let sessions = holder.get("/auth/sessions/").await.expect(200).body;
    assert_eq!(sessions["results"][0]["current"], false);
    assert_eq!(sessions["results"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_no_key_is_refused_with_the_same_bytes() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (_, living) = server.api_key(&ada, &named("living")).await;
    let (_, revoked) = server.api_key(&ada, &named("revoked")).await;
    let soon = json!({ "name": "expired", "expires_at": "2999-01-01T00:00:00Z" });
    let (_, expired) = server.api_key(&ada, &soon).await;
    ada.delete(&path_of(&revoked)).await.expect(204);
    let key = text_of(&living);
    let swapped = format!("{}{}", &key[..52], if key.ends_with('A') { 'B' } else { 'A' });

    let expected = with_header(&server, "Bearer garbage").await.expect_problem(401, "invalid_token");
    let challenge = expected.header("www-authenticate").map(str::to_owned);
    for text in [text_of(&revoked), &key[..52], &key[..4], &swapped, &key.to_uppercase(), "ksk_x", "\"\""] {
        for scheme in ["Bearer", "Token"] {
            let answer = with_header(&server, &format!("{scheme} {text}")).await;
            assert_eq!(answer.anonymous(), expected.anonymous(), "{scheme} {text}");
            assert_eq!(answer.header("www-authenticate"), challenge.as_deref(), "{scheme} {text}");
        }
    }
    // A token is none of Django's keys, and two credentials are none at all.
    with_header(&server, &format!("Token {}", ada.access())).await.expect_problem(401, "invalid_token");
    let twice = [("authorization", &*format!("Bearer {key}")), ("authorization", &*format!("Token {key}"))];
    let answer = server.anon().send(Method::GET, "/auth/profile/", &twice, None).await;
    answer.expect_problem(401, "invalid_token");
    with_header(&server, "Token").await.expect_problem(401, "not_authenticated");
    with_header(&server, &format!("Basic {key}")).await.expect_problem(401, "not_authenticated");
    with_header(&server, &format!("Bearer {}", text_of(&expired))).await.expect(200);

    server.advance(days(366 * 1000));

    with_header(&server, &format!("Bearer {}", text_of(&expired))).await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn a_key_ends_at_its_moment_and_stays_in_the_list() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (first, made) = server.api_key(&ada, &named("for ever")).await;
    let expires_at = in_an_hour(&made);
    let (second, _) = server.api_key(&ada, &json!({ "name": "an hour", "expires_at": expires_at })).await;
    second.get("/auth/profile/").await.expect(200);

    server.advance(minutes(61));

    let refused = second.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    let garbage = server.holder("ksk_garbage").get("/auth/profile/").await;
    assert_eq!(refused.anonymous(), garbage.anonymous());
    let names: Vec<Value> = listed(&first).await.iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["an hour", "for ever"]);
    server.run_jobs().await;
    assert_eq!(listed(&first).await.len(), 2);
}

/// The time on the server's clock, an hour later.
fn in_an_hour(made: &Value) -> String {
    let created: jiff::Timestamp = made["created_at"].as_str().expect("a time").parse().expect("a time");
    (created + jiff::SignedDuration::from_hours(1)).to_string()
}

#[tokio::test]
async fn a_key_that_cannot_be_made_says_why() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let long = "x".repeat(151);

    for (body, errors) in [
        (json!({}), &[("name", "required")][..]),
        (json!({ "name": null }), &[("name", "null")]),
        (json!({ "name": "" }), &[("name", "blank")]),
        (json!({ "name": " \t " }), &[("name", "blank")]),
        (json!({ "name": 7 }), &[("name", "type")]),
        (json!({ "name": long }), &[("name", "max_length")]),
        (json!({ "name": "a\u{1b}[2J" }), &[("name", "type")]),
        (json!({ "name": "a", "expires_at": "tomorrow" }), &[("expires_at", "type")]),
        (json!({ "name": "a", "expires_at": "" }), &[("expires_at", "type")]),
        (json!({ "name": "a", "expires_at": 2_000_000_000 }), &[("expires_at", "type")]),
        (json!({ "name": "a", "expires_at": "2999-02-30T00:00:00Z" }), &[("expires_at", "type")]),
        (json!({ "name": "a", "expires_at": "2999-12-31" }), &[("expires_at", "type")]),
        (json!({ "name": "a", "expires_at": "2020-12-31T23:59:59Z" }), &[("expires_at", "past")]),
        (json!({ "name": "a", "expires_at": "1900-12-31T23:59:59Z" }), &[("expires_at", "past")]),
        (json!({ "name": "a", "key": "ksk_chosen" }), &[("key", "unknown_field")]),
        (json!({ "name": "a", "user": 2 }), &[("user", "unknown_field")]),
    ] {
        ada.post(KEYS, &body).await.expect_invalid(errors);
    }
    assert_eq!(listed(&ada).await, [Value::Null; 0]);
    ada.post(KEYS, &json!({ "name": "a", "expires_at": null })).await.expect(201);
}

#[tokio::test]
async fn no_key_makes_another_or_logs_out_but_it_may_log_out_everywhere() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (holder, made) = server.api_key(&ada, &named("a")).await;

    holder.post(KEYS, &named("b")).await.expect_problem(403, "session_required");
    holder.post("/auth/logout/", &json!({})).await.expect_problem(403, "session_required");
    let body = json!({ "refresh": ada.refresh() });
    holder.post("/auth/logout/", &body).await.expect_problem(403, "session_required");
    server.expect_alive(&ada).await;
    assert_eq!(listed(&ada).await.len(), 1);

    holder.delete("/auth/logout/").await.expect(204);

    server.expect_dead(&ada).await;
    holder.get("/auth/profile/").await.expect(200);
    holder.delete(&path_of(&made)).await.expect(204);
    holder.get("/auth/profile/").await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn keys_belong_to_their_user() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let eve = server.registered("eve@example.com").await;
    let (holder, made) = server.api_key(&ada, &named("ada's")).await;

    let theirs = eve.delete(&path_of(&made)).await.expect_problem(404, "not_found").anonymous();

    for id in ["019aabcd-0000-7000-8000-000000000000", "nonsense", "1", "%00"] {
        assert_eq!(eve.delete(&format!("{KEYS}{id}/")).await.anonymous(), theirs, "{id}");
    }
    assert_eq!(listed(&eve).await, [Value::Null; 0]);
    holder.get("/auth/profile/").await.expect(200);
    ada.delete(&path_of(&made)).await.expect(204);
    ada.delete(&path_of(&made)).await.expect_problem(404, "not_found");
    server.anon().get(KEYS).await.expect_problem(401, "not_authenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_revocations_at_once_one_revokes() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (holder, made) = server.api_key(&ada, &named("a")).await;
    let path = path_of(&made);

    let mut sending = JoinSet::new();
    for n in 0..50 {
        let (caller, path) = (if n % 2 == 0 { ada.clone() } else { holder.clone() }, path.clone());
        sending.spawn(async move {
            let status = caller.delete(&path).await.status.as_u16();
            // Whatever the answer was, it left after the end of the key.
            (status, holder_is_refused(&caller, n).await)
        });
    }
    let answers = sending.join_all().await;

    assert_eq!(answers.iter().filter(|(status, _)| *status == 204).count(), 1);
    assert!(answers.iter().all(|(status, refused)| [204, 401, 404].contains(status) && *refused));
    assert_eq!(server.events().iter().filter(|kind| **kind == "api_key.revoked").count(), 1);
    holder.get("/auth/profile/").await.expect_problem(401, "invalid_token");
}

async fn holder_is_refused(caller: &Caller, n: usize) -> bool {
    n.is_multiple_of(2) || caller.get("/auth/profile/").await.status.as_u16() == 401
}

#[tokio::test]
async fn a_hundred_keys_are_enough_and_those_that_ran_out_make_room() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (first, made) = server.api_key(&ada, &named("first")).await;
    let (_, short) = server.api_key(&ada, &json!({ "name": "short", "expires_at": in_an_hour(&made) })).await;
    for n in 0..98 {
        ada.post(KEYS, &named(&format!("key {n}"))).await.expect(201);
    }

    ada.post(KEYS, &named("one more")).await.expect_invalid(&[("name", "too_many")]);
    server.advance(minutes(61));
    let ada = server.logged_in(ADA).await;
    ada.post(KEYS, &named("one more")).await.expect(201);

    let rows = listed(&ada).await;
    assert_eq!(rows.len(), 100);
    assert!(rows.iter().all(|row| row["id"] != short["id"]));
    first.get("/auth/profile/").await.expect(200);
    ada.post(KEYS, &named("another")).await.expect_invalid(&[("name", "too_many")]);
    let eve = server.registered("eve@example.com").await;
    eve.post(KEYS, &named("hers")).await.expect(201);
}

#[tokio::test]
async fn keys_cannot_be_made_too_often() {
    let settings = "limits.enabled = true\nlimits.api_key = \"2/h/account\"";
    let server = TestServer::start_with(settings).await;
    let ada = server.registered(ADA).await;
    let eve = server.registered("eve@example.com").await;

    for _ in 0..2 {
        ada.post(KEYS, &named("")).await.expect_invalid(&[("name", "blank")]);
        ada.post(KEYS, &named("a")).await.expect(201);
    }

    ada.post(KEYS, &named("a")).await.expect_problem(429, "rate_limited");
    eve.post(KEYS, &named("a")).await.expect(201);
    server.advance(minutes(31));
    server.logged_in(ADA).await.post(KEYS, &named("a")).await.expect(201);
}

#[tokio::test]
async fn nobody_makes_a_key_with_a_session_that_is_over() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (holder, _) = server.api_key(&ada, &named("kept")).await;

    ada.post("/auth/logout/", &json!({})).await.expect(204);

    ada.post(KEYS, &named("late")).await.expect_problem(401, "invalid_token");
    assert_eq!(listed(&holder).await.len(), 1);
}

#[tokio::test]
async fn the_last_use_is_seen_at_once_and_written_down_by_the_job() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (holder, made) = server.api_key(&ada, &named("used")).await;
    server.api_key(&ada, &named("idle")).await;
    let last_used = |rows: Vec<Value>| rows[1]["last_used_at"].clone();
    assert_eq!(last_used(listed(&ada).await), Value::Null);

    holder.get("/auth/profile/").await.expect(200);
    let noted = last_used(listed(&ada).await);
    assert!(noted.as_str() >= made["created_at"].as_str(), "{noted}");
    server.run_jobs().await;
    assert_eq!(last_used(listed(&ada).await), noted);
    server.advance(minutes(2));
    holder.get("/auth/profile/").await.expect(200);
    let later = last_used(listed(&ada).await);
    assert!(later.as_str() > noted.as_str());
    server.run_jobs().await;

    let server = server.restart().await;
    let ada = server.caller(ada.tokens);
    assert_eq!(last_used(listed(&ada).await), later);
    assert_eq!(listed(&ada).await[0]["last_used_at"], Value::Null);
    // A use of a key that is gone meanwhile brings nothing back.
    let holder = server.holder(text_of(&made));
    holder.get("/auth/profile/").await.expect(200);
    holder.delete(&path_of(&made)).await.expect(204);
    server.run_jobs().await;
    assert_eq!(listed(&ada).await.len(), 1);
}

#[tokio::test]
async fn keys_live_and_stay_dead_over_a_restart() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (_, living) = server.api_key(&ada, &named("living")).await;
    let (_, revoked) = server.api_key(&ada, &named("revoked")).await;
    ada.delete(&path_of(&revoked)).await.expect(204);

    let server = server.restart().await;

    server.holder(text_of(&living)).get("/auth/profile/").await.expect(200);
    let dead = server.holder(text_of(&revoked)).get("/auth/profile/").await;
    dead.expect_problem(401, "invalid_token");
    let server = server.operated(&["check"], "").await;
    server.holder(text_of(&living)).get("/auth/profile/").await.expect(200);
}

#[tokio::test]
async fn the_text_of_a_key_is_not_in_the_store_and_what_happened_is_recorded() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let (holder, made) = server.api_key(&ada, &named("Nightly backup")).await;
    let before = server.events().len();
    holder.get("/auth/profile/").await.expect(200);
    server.run_jobs().await;
    holder.delete(&path_of(&made)).await.expect(204);

    assert_eq!(server.events()[before - 1], "api_key.created");
    assert_eq!(server.events()[before..], ["api_key.revoked"]);
    let bytes = server.store_bytes();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let key = text_of(&made);
    assert!(holds("Nightly backup") && holds(&key[..12]));
    assert!(!holds(&key[12..]) && !holds(&key[..13]));
}
