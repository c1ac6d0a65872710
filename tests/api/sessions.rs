//! Logging in, logging out, and the list of one's log-ins.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, PASSWORD, TestServer, minutes};

const SECOND: Duration = Duration::from_secs(1);

/// Five minutes less.
const ALMOST_THIRTY_DAYS: Duration = Duration::from_secs(30 * 86_400 - 300);

async fn log_in(server: &TestServer, body: Value) -> Answer {
    server.anon().post("/auth/login/", &body).await
}

async fn with_password(server: &TestServer, password: &str) -> Answer {
    log_in(server, json!({ "identifier": "ada@example.com", "password": password })).await
}

/// The rows of the caller's list.
async fn sessions_of(caller: &Caller) -> Vec<Value> {
    let answer = caller.get("/auth/sessions/").await.expect(200);
    answer.body["results"].as_array().expect("a list").clone()
}

/// The session that the caller's token belongs to.
async fn current_session(caller: &Caller) -> String {
    let rows = sessions_of(caller).await;
    let current = rows.iter().find(|row| row["current"] == true).expect("a current one");
    current["id"].as_str().expect("an id").to_owned()
}

/// All of an answer but what must differ from one request to the next.
pub(crate) fn bytes_of(answer: &Answer) -> (StatusCode, Vec<(String, String)>, String) {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()))
        .collect();
    headers.sort();
    let id = answer.header("x-request-id").expect("an id");
    (answer.status, headers, answer.text.replace(id, ""))
}

#[tokio::test]
async fn a_user_logs_in_by_any_of_their_names_in_any_spelling() {
    let server = TestServer::start().await;
    let ada = json!({ "email": "Ada@example.com", "username": "AdaL", "password": PASSWORD });
    let ada = server.registered_as(ada).await.tokens["user"]["id"].clone();
    let bob = server.registered("bob@xn--bcher-kva.example").await.tokens["user"]["id"].clone();

    for (member, name, user) in [
        ("identifier", "Ada@Example.com", &ada),
        ("identifier", "ada@EXAMPLE.COM", &ada),
        ("identifier", " ada@example.com\t", &ada),
        ("identifier", "adal", &ada),
        ("identifier", "ADAL", &ada),
        ("identifier", "ＡｄａＬ", &ada),
        ("email", "ADA@example.com", &ada),
        ("username", "aDaL", &ada),
        ("email", "bob@bücher.example", &bob),
        ("identifier", "BOB@BÜCHER.example", &bob),
    ] {
        let answer = log_in(&server, json!({ member: name, "password": PASSWORD })).await.expect(200);

        assert_eq!(answer.body["user"]["id"], *user, "{name}");
    }
}

#[tokio::test]
async fn whoever_is_not_let_in_gets_the_same_bytes_whatever_the_reason() {
    let server = TestServer::start().await;
    server.registered("ada@example.com").await;
    let pending = json!({ "email": "pending@example.com", "password": PASSWORD });
    server.anon().post("/auth/register/", &pending).await.expect(202);
    let inactive = ["createuser", "--email", "inactive@example.com", "--password-stdin", "--no-input"];
    let server = server.operated(&inactive, PASSWORD).await;
    let closed = ["createuser", "--email", "closed@example.com", "--active", "--no-input"];
    let server = server.operated(&closed, "").await;

    let wrong = with_password(&server, "wrong horse battery").await;

    let expected = bytes_of(&wrong);
    let wrong = wrong.expect_problem(401, "invalid_credentials");
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
    for who in [
        "nobody@example.com",
        "nobody",
        "pending@example.com",
        "inactive@example.com",
        "closed@example.com",
        "neither an address nor a name",
        "\u{0}",
    ] {
        let answer = log_in(&server, json!({ "identifier": who, "password": PASSWORD })).await;
        assert_eq!(bytes_of(&answer), expected, "{who}");
    }
    with_password(&server, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn each_refusal_is_recorded_and_opens_no_session() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let before = server.events().len();

    with_password(&server, "wrong horse battery").await.expect(401);
    log_in(&server, json!({ "identifier": "nobody", "password": PASSWORD })).await.expect(401);

    assert_eq!(server.events()[before..], ["login.failed", "login.failed"]);
    assert_eq!(sessions_of(&ada).await.len(), 1);
}

#[tokio::test]
async fn a_log_in_that_is_no_log_in_says_what_is_wrong_with_it() {
    let server = TestServer::start().await;
    server.registered("ada@example.com").await;
    let long = "x".repeat(151);
    let (who, password) = ("ada@example.com", PASSWORD);

    for (body, errors) in [
        (json!({}), &[("identifier", "required"), ("password", "required")][..]),
        (json!({ "identifier": "", "password": "" }), &[("identifier", "blank"), ("password", "blank")]),
        (json!({ "identifier": null, "password": null }), &[("identifier", "null"), ("password", "null")]),
        (json!({ "identifier": 1, "password": [password] }), &[("identifier", "type"), ("password", "type")]),
        (json!({ "email": [who], "password": password }), &[("email", "type")]),
        (json!({ "email": null, "password": password }), &[("email", "null")]),
        (json!({ "identifier": who, "password": true }), &[("password", "type")]),
        (json!({ "identifier": who, "password": password, "label": 5 }), &[("label", "type")]),
        (json!({ "identifier": who, "password": password, "label": long }), &[("label", "max_length")]),
        (json!({ "identifier": who, "password": password, "user_id": 1 }), &[("user_id", "unknown_field")]),
    ] {
        log_in(&server, body).await.expect_invalid(errors);
    }
}

#[tokio::test]
async fn a_password_is_compared_exactly_as_it_was_sent() {
    let server = TestServer::start().await;
    let own = "  caf\u{e9} au lait \u{0} ";
    server.registered_as(json!({ "email": "ada@example.com", "password": own })).await;

    with_password(&server, own).await.expect(200);

    for other in [
        own.trim(),
        own.trim_end(),
        own.trim_start(),
        "  cafe\u{301} au lait \u{0} ",
        "  Caf\u{e9} au lait \u{0} ",
        "  caf\u{e9} au lait ",
        "  caf\u{e9} au lait  ",
    ] {
        with_password(&server, other).await.expect_problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn a_long_password_counts_to_its_last_character() {
    let server = TestServer::start().await;
    let own = format!("{}a", "x".repeat(255));
    server.registered_as(json!({ "email": "ada@example.com", "password": own })).await;

    let other = format!("{}b", "x".repeat(255));

    with_password(&server, &other).await.expect_problem(401, "invalid_credentials");
    for cut in [72, 128, 255] {
        with_password(&server, &own[..cut]).await.expect_problem(401, "invalid_credentials");
    }
    with_password(&server, &own).await.expect(200);
}

#[tokio::test]
async fn a_password_of_more_than_1024_bytes_is_refused_before_it_is_compared() {
    let server = TestServer::start().await;
    server.registered("ada@example.com").await;

    let longest = with_password(&server, &"x".repeat(1024)).await;
    let longer = with_password(&server, &"x".repeat(1025)).await;

    longest.expect_problem(401, "invalid_credentials");
    longer.expect_invalid(&[("password", "password_too_long")]);
    let failures = server.events().iter().filter(|kind| **kind == "login.failed").count();
    assert_eq!(failures, 1);
}

#[tokio::test]
async fn a_hash_of_other_parameters_is_renewed_at_log_in_and_nobody_notices() {
    let holds = |server: &TestServer, parameters: &str| {
        let (bytes, wanted) = (server.store_bytes(), format!("$argon2id$v=19${parameters}$"));
        bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
    };
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let server = server.restart_with("passwords.memory_kib = 96\npasswords.iterations = 2").await;
    let ada = server.caller(ada.tokens);
    assert!(holds(&server, "m=64,t=1,p=1") && !holds(&server, "m=96,t=2,p=1"));

    with_password(&server, "wrong horse battery").await.expect(401);
    assert!(!holds(&server, "m=96,t=2,p=1"));
    let again = server.logged_in("ada@example.com").await;

    assert!(holds(&server, "m=96,t=2,p=1"));
    server.expect_alive(&ada).await;
    server.expect_alive(&again).await;
    with_password(&server, PASSWORD).await.expect(200);
    with_password(&server, "wrong horse battery").await.expect(401);
    assert_eq!(again.tokens["user"]["updated_at"], ada.tokens["user"]["updated_at"]);
}

#[tokio::test]
async fn each_log_in_moves_the_last_one_and_nothing_else_of_the_user() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    server.advance(minutes(5));

    let again = server.logged_in("ada@example.com").await;

    let (mut before, mut after) = (ada.tokens["user"].clone(), again.tokens["user"].clone());
    assert!(before["last_login"].as_str() < after["last_login"].as_str());
    assert_eq!(ada.get("/auth/profile/").await.expect(200).body, after);
    (before["last_login"], after["last_login"]) = (Value::Null, Value::Null);
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_bad_authorization_header_keeps_nobody_from_logging_in() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    ada.post("/auth/logout/", &json!({})).await.expect(204);
    let body = json!({ "identifier": "ada@example.com", "password": PASSWORD });

    for header in ["Bearer garbage", "Basic YWRhOnB3", "Bearer", "", "Token ksk_x"] {
        let headers = [("content-type", "application/json"), ("authorization", header)];
        let body = Some(body.to_string().into_bytes());
        server.anon().send(Method::POST, "/auth/login/", &headers, body).await.expect(200);
    }
    ada.post("/auth/login/", &body).await.expect(200);
}

#[tokio::test]
async fn the_list_shows_each_own_session_with_the_newest_first() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    server.registered("bob@example.com").await;
    server.advance(SECOND);
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "label": " My phone " }).to_string();
    let headers = [("content-type", "application/json"), ("user-agent", "Phone/1.0")];
    let phone = server.anon().send(Method::POST, "/auth/login/", &headers, Some(body.into())).await;
    let phone = server.caller(phone.expect(200).body);

    let (by_ada, by_phone) = (sessions_of(&ada).await, sessions_of(&phone).await);

    let [newest, first] = &by_phone[..] else { panic!("{by_phone:?}") };
    assert_eq!(newest["label"], "My phone");
    assert_eq!(newest["user_agent"], "Phone/1.0");
    assert_eq!(newest["ip"], "127.0.0.1");
    assert_eq!(newest["methods"], json!(["password"]));
    assert_eq!(newest["current"], true);
    assert_eq!(newest["expires_at"], phone.tokens["refresh_expires_at"]);
    assert_eq!(newest["created_at"], newest["last_refreshed_at"]);
    assert!(first["created_at"].as_str() < newest["created_at"].as_str());
    assert_eq!((&first["label"], &first["user_agent"]), (&json!(""), &Value::Null));
    assert_eq!(first["methods"], json!(["code"]));
    assert_eq!(first["current"], false);
    assert_eq!(newest.as_object().expect("an object").len(), 9);
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&by_ada), ids(&by_phone));
    assert_eq!((&by_ada[0]["current"], &by_ada[1]["current"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_refresh_shows_in_the_list_and_makes_no_new_session() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let before = sessions_of(&ada).await;
    server.advance(minutes(5));

    let refreshed = ada.post("/auth/token/refresh/", &json!({ "refresh": ada.refresh() })).await.expect(200);

    let after = sessions_of(&ada).await;
    assert_eq!(after.len(), 1);
    assert_eq!(after[0]["id"], before[0]["id"]);
    assert_eq!(after[0]["created_at"], before[0]["created_at"]);
    assert!(after[0]["last_refreshed_at"].as_str() > before[0]["last_refreshed_at"].as_str());
    assert_eq!(after[0]["expires_at"], refreshed.body["refresh_expires_at"]);
}

#[tokio::test]
async fn ending_one_session_ends_exactly_that_one_at_once() {
    let server = TestServer::start().await;
    let first = server.registered("ada@example.com").await;
    let second = server.logged_in("ada@example.com").await;
    let third = server.logged_in("ada@example.com").await;
    let id = current_session(&second).await;

    first.delete(&format!("/auth/sessions/{id}/")).await.expect(204);

    server.expect_dead(&second).await;
    server.expect_alive(&first).await;
    server.expect_alive(&third).await;
    assert!(sessions_of(&first).await.iter().all(|row| row["id"] != id.as_str()));
    first.delete(&format!("/auth/sessions/{id}/")).await.expect_problem(404, "not_found");
    assert_eq!(server.events().last(), Some(&"session.ended"));
}

#[tokio::test]
async fn ending_the_present_session_ends_it() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let id = current_session(&ada).await;

    ada.delete(&format!("/auth/sessions/{id}/")).await.expect(204);

    server.expect_dead(&ada).await;
}

#[tokio::test]
async fn a_session_of_somebody_else_is_as_good_as_none() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let bob = server.registered("bob@example.com").await;
    let of_bob = current_session(&bob).await;

    let theirs = ada.delete(&format!("/auth/sessions/{of_bob}/")).await;

    let theirs = theirs.expect_problem(404, "not_found").anonymous();
    for id in ["019aabcd-0000-7000-8000-000000000000", "nonsense", "1", "-1", "%00", "..%2f", "ü"] {
        let path = format!("/auth/sessions/{}/", id.replace('ü', "%C3%BC"));
        assert_eq!(ada.delete(&path).await.anonymous(), theirs, "{id}");
    }
    server.expect_alive(&bob).await;
    assert!(!server.events().contains(&"session.ended"));
}

#[tokio::test]
async fn the_list_and_the_end_of_a_session_need_a_user() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let path = format!("/auth/sessions/{}/", current_session(&ada).await);

    let anon = server.anon();

    anon.get("/auth/sessions/").await.expect_problem(401, "not_authenticated");
    anon.delete(&path).await.expect_problem(401, "not_authenticated");
    anon.delete("/auth/logout/").await.expect_problem(401, "not_authenticated");
    anon.post("/auth/logout/", &json!({})).await.expect_problem(401, "not_authenticated");
    anon.send(Method::POST, "/auth/logout/", &[], None).await.expect_problem(401, "not_authenticated");
    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn logging_out_ends_the_session_of_the_header() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let other = server.logged_in("ada@example.com").await;
    let bob = server.registered("bob@example.com").await;

    let answer = ada.send(Method::POST, "/auth/logout/", &[], None).await.expect(204);

    assert_eq!(answer.text, "");
    server.expect_dead(&ada).await;
    server.expect_alive(&other).await;
    server.expect_alive(&bob).await;
    ada.post("/auth/logout/", &json!({})).await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn a_refresh_token_alone_logs_out_its_session() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let other = server.logged_in("ada@example.com").await;

    let body = json!({ "refresh": ada.refresh() });
    server.anon().post("/auth/logout/", &body).await.expect(204);

    server.expect_dead(&ada).await;
    server.expect_alive(&other).await;
    server.anon().post("/auth/logout/", &body).await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn an_old_refresh_token_still_logs_out_its_session() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let mut newest = ada.clone();
    for _ in 0..3 {
        server.advance(minutes(1));
        let refreshed = newest.post("/auth/token/refresh/", &json!({ "refresh": newest.refresh() })).await;
        newest = server.caller(refreshed.expect(200).body);
    }

    server.anon().post("/auth/logout/", &json!({ "refresh": ada.refresh() })).await.expect(204);

    server.expect_dead(&newest).await;
    server.expect_dead(&ada).await;
    assert!(!server.events().contains(&"session.reuse_detected"));
}

#[tokio::test]
async fn an_access_token_in_the_body_logs_nobody_out() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;

    for refresh in [ada.access(), "", "garbage"] {
        let answer = server.anon().post("/auth/logout/", &json!({ "refresh": refresh })).await;

        answer.expect_problem(401, "invalid_token");
    }
    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn the_header_decides_whose_session_ends() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let bob = server.registered("bob@example.com").await;

    ada.post("/auth/logout/", &json!({ "refresh": bob.refresh() })).await.expect(204);

    server.expect_dead(&ada).await;
    server.expect_alive(&bob).await;
}

#[tokio::test]
async fn logging_out_everywhere_ends_all_sessions_of_the_user_and_no_other() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let phone = server.logged_in("ada@example.com").await;
    let bob = server.registered("bob@example.com").await;

    phone.delete("/auth/logout/").await.expect(204);

    server.expect_dead(&ada).await;
    server.expect_dead(&phone).await;
    server.expect_alive(&bob).await;
    let again = server.logged_in("ada@example.com").await;
    server.expect_alive(&again).await;
    assert_eq!(sessions_of(&again).await.len(), 1);
}

#[tokio::test]
async fn sessions_live_and_stay_dead_over_a_restart() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let phone = server.logged_in("ada@example.com").await;
    let bob = server.registered("bob@example.com").await;
    ada.post("/auth/logout/", &json!({})).await.expect(204);
    server.expect_dead(&ada).await;

    let server = server.restart().await;

    let again = |caller: Caller| server.caller(caller.tokens);
    server.expect_dead(&again(ada)).await;
    server.expect_alive(&again(phone)).await;
    server.expect_alive(&again(bob)).await;
    server.run_jobs().await;
}

#[tokio::test]
async fn cleaning_up_brings_no_ended_session_back() {
    let server = TestServer::start_with("tokens.leeway = \"60s\"").await;
    let ada = server.registered("ada@example.com").await;
    ada.post("/auth/logout/", &json!({})).await.expect(204);

    for _ in 0..9 {
        server.advance(minutes(2));
        server.run_jobs().await;
        server.expect_dead(&ada).await;
    }
    let server = server.restart().await;
    server.expect_dead(&server.caller(ada.tokens)).await;
}

#[tokio::test]
async fn what_happens_to_sessions_is_recorded_in_order() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    with_password(&server, "wrong horse battery").await.expect(401);
    let phone = server.logged_in("ada@example.com").await;
    phone.delete(&format!("/auth/sessions/{}/", current_session(&ada).await)).await.expect(204);
    phone.post("/auth/token/refresh/", &json!({ "refresh": phone.refresh() })).await.expect(200);
    phone.post("/auth/logout/", &json!({})).await.expect(204);

    let events = server.events();

    assert_eq!(
        events,
        [
            "user.registered",
            "user.verified",
            "login.succeeded",
            "login.failed",
            "login.succeeded",
            "session.ended",
            "session.ended"
        ]
    );
}

#[tokio::test]
async fn the_events_of_one_act_keep_their_order() {
    let server = TestServer::start().await;

    for number in 0..12 {
        server.registered(&format!("user{number}@example.com")).await;
    }

    let each = ["user.registered", "user.verified", "login.succeeded"];
    assert_eq!(server.events(), each.repeat(12));
}

#[tokio::test]
async fn the_hundred_and_first_session_ends_the_first() {
    let server = TestServer::start().await;
    let first = server.registered("ada@example.com").await;
    let bob = server.registered("bob@example.com").await;
    server.advance(SECOND);
    let second = server.logged_in("ada@example.com").await;
    server.advance(SECOND);
    for _ in 0..98 {
        server.logged_in("ada@example.com").await;
    }
    server.expect_alive(&first).await;

    let newest = server.logged_in("ada@example.com").await;

    server.expect_dead(&first).await;
    server.expect_alive(&second).await;
    server.expect_alive(&bob).await;
    assert_eq!(sessions_of(&newest).await.len(), 100);
}

#[tokio::test]
async fn an_idle_session_ends_after_thirty_days() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let idle = server.logged_in("ada@example.com").await;
    server.advance(ALMOST_THIRTY_DAYS);
    let refreshed = ada.post("/auth/token/refresh/", &json!({ "refresh": ada.refresh() })).await.expect(200);
    let ada = server.caller(refreshed.body);
    assert_eq!(sessions_of(&ada).await.len(), 2);

    server.advance(minutes(6));

    server.expect_dead(&idle).await;
    server.expect_alive(&ada).await;
    assert_eq!(sessions_of(&ada).await.len(), 1);
    let out = server.anon().post("/auth/logout/", &json!({ "refresh": idle.refresh() })).await;
    out.expect_problem(401, "invalid_token");
    assert!(!server.events().contains(&"session.reuse_detected"));
}

#[tokio::test]
async fn a_busy_session_ends_after_ninety_days() {
    let server = TestServer::start().await;
    let mut ada = server.registered("ada@example.com").await;
    for _ in 0..3 {
        server.advance(ALMOST_THIRTY_DAYS);
        let refreshed = ada.post("/auth/token/refresh/", &json!({ "refresh": ada.refresh() })).await;
        ada = server.caller(refreshed.expect(200).body);
    }
    server.advance(minutes(10));
    let refreshed = ada.post("/auth/token/refresh/", &json!({ "refresh": ada.refresh() })).await.expect(200);
    ada = server.caller(refreshed.body);
    assert_eq!(ada.tokens["access_expires_at"], ada.tokens["refresh_expires_at"]);
    server.expect_alive(&ada).await;

    server.advance(minutes(5));

    server.expect_dead(&ada).await;
    server.run_jobs().await;
    server.expect_dead(&ada).await;
    assert_eq!(sessions_of(&server.logged_in("ada@example.com").await).await.len(), 1);
}
