//! Who may call what: every operation of the served document, by callers of every kind. A new endpoint is covered by
//! being in the document.

use serde_json::Value;

use crate::harness::{Answer, Caller, TestServer, minutes, part_of, with_part};
use crate::operation::Operation;

const ADA: &str = "ada@example.com";

/// Callers who show something that is no valid access token, each with a name and the code they are told.
async fn strangers(server: &TestServer) -> Vec<(&'static str, Vec<String>, &'static str)> {
    let expired = server.logged_in(ADA).await;
    server.advance(minutes(16));
    let revoked = server.logged_in(ADA).await;
    revoked.post("/auth/logout/", &serde_json::json!({})).await.expect(204);
    let holder = server.logged_in(ADA).await;
    let mut claims = part_of(holder.access(), 1);
    claims["sub"] = "2".into();
    let forged = with_part(holder.access(), 1, &claims);
    let unsigned = format!("{}.", holder.access().rsplit_once('.').expect("a JWT").0);
    let bearer = |token: &str| vec![format!("Bearer {token}")];
    vec![
        ("nobody", vec![], "not_authenticated"),
        ("an expired token", bearer(expired.access()), "invalid_token"),
        ("a revoked token", bearer(revoked.access()), "invalid_token"),
        ("a refresh token", bearer(holder.refresh()), "invalid_token"),
        ("a forged token", bearer(&forged), "invalid_token"),
        ("an unsigned token", bearer(&unsigned), "invalid_token"),
        ("garbage", bearer("garbage"), "invalid_token"),
        ("an empty token", bearer("\"\""), "invalid_token"),
        ("the scheme alone", vec!["Bearer".to_owned()], "not_authenticated"),
        ("a bare token", vec![holder.access().to_owned()], "not_authenticated"),
        ("another scheme", vec!["Basic YWRhQGV4YW1wbGUuY29tOmNvcnJlY3Q=".to_owned()], "not_authenticated"),
        ("two tokens", [bearer(holder.access()), bearer(holder.access())].concat(), "invalid_token"),
    ]
}

async fn send(operation: &Operation, caller: &Caller, credentials: &[String]) -> Answer {
    let headers: Vec<(&str, &str)> =
        credentials.iter().map(|value| ("authorization", value.as_str())).collect();
    operation.send(caller, &headers).await
}

/// What tells one outcome from another.
fn outcome(answer: &Answer) -> (u16, Value) {
    (answer.status.as_u16(), answer.body["code"].clone())
}

#[tokio::test]
async fn what_asks_for_a_token_takes_no_other_credential() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let strangers = strangers(&server).await;
    let operations = Operation::all(&server).await;
    let secured: Vec<_> = operations.iter().filter(|operation| operation.is_secured).collect();
    assert!(secured.len() >= 9, "the document names {} operations for users", secured.len());
    let before = server.logged_in(ADA).await.get("/auth/profile/").await.expect(200).body;

    for operation in secured {
        for (who, credentials, code) in &strangers {
            let what = format!("{} {} by {who}", operation.method, operation.path);
            let answer = send(operation, &server.anon(), credentials).await;

            assert_eq!(outcome(&answer), (401, (*code).into()), "{what}");
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(challenge == "Bearer" || challenge.starts_with("Bearer "), "{what}: {challenge}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        }
    }

    let after = server.logged_in(ADA).await.get("/auth/profile/").await.expect(200).body;
    for member in ["username", "first_name", "last_name", "avatar", "updated_at"] {
        assert_eq!(after[member], before[member], "{member}");
    }
}

#[tokio::test]
async fn the_scheme_may_be_written_in_any_case() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    for scheme in ["bearer", "BEARER"] {
        let header = format!("{scheme} {}", ada.access());
        let headers = [("authorization", header.as_str())];
        let answer = server.anon().send(hyper::Method::GET, "/auth/profile/", &headers, None).await;

        answer.expect(200);
    }
}

#[tokio::test]
async fn what_is_public_does_not_look_at_credentials() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let mut strangers = strangers(&server).await;
    let valid = server.logged_in(ADA).await;
    strangers.push(("a valid token", vec![format!("Bearer {}", valid.access())], ""));
    let operations = Operation::all(&server).await;
    let public: Vec<_> = operations.iter().filter(|operation| !operation.is_secured).collect();
    assert!(public.len() >= 10, "the document names {} operations for everybody", public.len());

    for operation in public {
        // Logging out is public for the sake of the refresh token in its body; a header says whose session ends.
        if (operation.method.as_str(), operation.path.as_str()) == ("POST", "/auth/logout/") {
            continue;
        }
        let alone = send(operation, &server.anon(), &[]).await;
        for (who, credentials, _) in &strangers {
            let answer = send(operation, &server.anon(), credentials).await;

            let what = format!("{} {} by {who}", operation.method, operation.path);
            assert_eq!(outcome(&answer), outcome(&alone), "{what}");
            assert_ne!(answer.body["code"], "not_authenticated", "{what}");
        }
    }
    assert_eq!(ada.tokens["user"]["email"], ADA);
    server.logged_in(ADA).await.get("/auth/profile/").await.expect(200);
}

#[tokio::test]
async fn logging_out_looks_at_the_header_if_there_is_one() {
    let server = TestServer::start().await;
    server.registered(ADA).await;

    for (_, credentials, code) in strangers(&server).await {
        let other = server.logged_in(ADA).await;
        let headers: Vec<(&str, &str)> = credentials
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .chain([("content-type", "application/json")])
            .collect();
        let body = serde_json::json!({ "refresh": other.refresh() }).to_string().into_bytes();
        let answer = server.anon().send(hyper::Method::POST, "/auth/logout/", &headers, Some(body)).await;

        if credentials.is_empty() {
            answer.expect(204);
        } else {
            answer.expect_problem(401, code);
            other.get("/auth/profile/").await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_token_in_the_query_or_the_body_is_no_credential() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let anon = server.anon();

    for name in ["access_token", "access", "token"] {
        let answer = anon.get(&format!("/auth/profile/?{name}={}", ada.access())).await;

        answer.expect_problem(401, "not_authenticated");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("access_token={}", ada.access()).into_bytes();
    let answer = anon.send(hyper::Method::PATCH, "/auth/profile/", &form, Some(body)).await;
    answer.expect_problem(401, "not_authenticated");
    let cookie = format!("access={0}; access_token={0}; keystead-refresh={0}", ada.access());
    let answer = anon.send(hyper::Method::GET, "/auth/profile/", &[("cookie", &cookie)], None).await;
    answer.expect_problem(401, "not_authenticated");
}
