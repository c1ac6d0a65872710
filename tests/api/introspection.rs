//! Asking what a token is worth (RFC 7662), and ending it (RFC 7009).

use hyper::Method;
use serde_json::json;

use crate::harness::{Answer, Caller, PASSWORD, TestServer, minutes};

const ADA: &str = "ada@example.com";
const STAFF: &str = "staff@example.com";
const INTROSPECT: &str = "/auth/token/introspect/";
const REVOKE: &str = "/auth/token/revoke/";

async fn form(caller: &Caller, path: &str, body: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    caller.send(Method::POST, path, &headers, Some(body.as_bytes().to_vec())).await
}

async fn staffed() -> (TestServer, Caller, Caller) {
    let staff = ["createstaffuser", "--active", "--email", STAFF, "--password-stdin", "--no-input"];
    let server = TestServer::start().await.operated(&staff, &format!("{PASSWORD}\n")).await;
    let (staff, ada) = (server.logged_in(STAFF).await, server.registered(ADA).await);
    (server, staff, ada)
}

#[tokio::test]
async fn staff_learn_whose_a_token_is() {
    let (server, staff, ada) = staffed().await;
    ada.patch("/auth/profile/", &json!({ "username": "ada" })).await.expect(200);
    let (by_key, _) = server.api_key(&staff, &json!({ "name": "gateway" })).await;
    let (_, key) = server.api_key(&ada, &json!({ "name": "backup" })).await;
    let key = key["key"].as_str().expect("a key");
    let facts = server.anon().post("/auth/token/verify/", &json!({ "token": ada.access() })).await.body;

    for caller in [&staff, &by_key] {
        let access = form(caller, INTROSPECT, &format!("token={}", ada.access())).await.expect(200).body;
        let hinted = format!("token={}&token_type_hint=refresh_token&client_id=x", ada.refresh());
        let refresh = form(caller, INTROSPECT, &hinted).await.expect(200).body;
        let of_key = form(caller, INTROSPECT, &format!("token={key}")).await.expect(200).body;

        let id = ada.tokens["user"]["id"].to_string();
        assert_eq!(
            access,
            json!({
                "active": true, "sub": id, "sid": facts["sid"], "exp": facts["exp"], "iat": access["iat"],
                "token_type": "access", "username": "ada",
            })
        );
        assert_eq!((&refresh["token_type"], &refresh["sid"]), (&json!("refresh"), &facts["sid"]));
        assert_eq!(
            of_key,
            json!({ "active": true, "sub": id, "iat": of_key["iat"], "token_type": "api_key", "username": "ada" })
        );
    }
    assert!(ada.get("/auth/api-keys/").await.body["results"][0]["last_used_at"].is_null());
}

#[tokio::test]
async fn what_is_worth_nothing_is_inactive_and_no_more() {
    let (server, staff, ada) = staffed().await;
    let foreign = TestServer::start().await.registered(ADA).await;
    let gone = server.logged_in(ADA).await;
    gone.post("/auth/logout/", &json!({})).await.expect(204);
    let key = "ksk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    for token in
        ["", "garbage", "a.b.c", key, foreign.access(), foreign.refresh(), gone.access(), gone.refresh()]
    {
        let answer = form(&staff, INTROSPECT, &format!("token={token}")).await.expect(200);
        assert_eq!(answer.text, r#"{"active":false}"#, "{token}");
    }
    server.advance(minutes(16));
    let staff = server.logged_in(STAFF).await;
    let answer = form(&staff, INTROSPECT, &format!("token={}", ada.access())).await.expect(200);
    assert_eq!(answer.text, r#"{"active":false}"#);
}

#[tokio::test]
async fn only_staff_ask_and_only_with_a_form() {
    let (server, staff, ada) = staffed().await;
    let body = format!("token={}", ada.access());

    form(&ada, INTROSPECT, &body).await.expect_problem(403, "permission_denied");
    form(&server.anon(), INTROSPECT, &body).await.expect_problem(401, "not_authenticated");
    for (caller, path) in [(&staff, INTROSPECT), (&server.anon(), REVOKE)] {
        let json = json!({ "token": ada.access() });
        caller.post(path, &json).await.expect_problem(415, "unsupported_media_type");
        form(caller, path, "").await.expect_invalid(&[("token", "required")]);
    }
    ada.get("/auth/profile/").await.expect(200);
}

#[tokio::test]
async fn a_revoked_token_ends_its_session_and_a_revoked_key_itself() {
    let (server, _, ada) = staffed().await;
    let (other, third) = (server.logged_in(ADA).await, server.logged_in(ADA).await);
    let (by_key, key) = server.api_key(&third, &json!({ "name": "backup" })).await;

    for token in [ada.access(), other.refresh(), key["key"].as_str().expect("a key")] {
        for _ in 0..2 {
            let answer = form(&server.anon(), REVOKE, &format!("token={token}")).await.expect(200);
            assert_eq!(answer.text, "");
        }
    }

    server.expect_dead(&ada).await;
    server.expect_dead(&other).await;
    by_key.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    server.expect_alive(&third).await;
    let events = server.events();
    assert_eq!(events[events.len() - 3..], ["session.ended", "session.ended", "api_key.revoked"]);
}

#[tokio::test]
async fn revoking_what_is_no_token_does_nothing() {
    let (server, _, ada) = staffed().await;
    let foreign = TestServer::start().await.registered(ADA).await;
    let before = server.events();

    for token in ["", "garbage", "a.b.c", "ksk_x", foreign.access(), foreign.refresh()] {
        let answer = form(&server.anon(), REVOKE, &format!("token={token}")).await.expect(200);
        assert_eq!(answer.text, "", "{token}");
    }

    assert_eq!(server.events(), before);
    server.expect_alive(&ada).await;
}
