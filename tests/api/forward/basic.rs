//! Passwords that clients send with each request: as dear to guess as at the log-in, and cheap for their owners.

use serde_json::json;

use super::{ADA, RULES, basic, get, told, with_superuser};
use crate::harness::{Answer, PASSWORD, ROOT, TestServer, minutes};

async fn with_password(server: &TestServer, name: &str, password: &str) -> Answer {
    get(server, "/", &[("authorization", &basic(name, password))]).await
}

fn limited() -> String {
    format!("limits.enabled = true\n{RULES}")
}

#[tokio::test]
async fn what_is_no_right_password_is_refused_in_the_same_words() {
    let server = TestServer::start_with(RULES).await;
    server.registered(ADA).await;
    let wrong = with_password(&server, ADA, "wrong").await.expect_problem(401, "invalid_credentials");
    let nobody = with_password(&server, "nobody@example.com", "wrong").await;

    assert_eq!(wrong.anonymous(), nobody.anonymous());
    assert_eq!(wrong.header("www-authenticate"), nobody.header("www-authenticate"));
    assert_eq!(server.events().iter().filter(|kind| **kind == "login.failed").count(), 2);
    let long = basic(ADA, &"a".repeat(2_000));
    for authorization in
        ["Basic", "Basic ", "Basic x", "Basic !!!!", "Basic YWRh", "Basic /w==", "basic YWRhOg==", &long]
    {
        let answer = get(&server, "/", &[("authorization", authorization)]).await;
        assert_eq!(answer.status.as_u16(), 401, "{authorization}");
    }
    let ada = server.logged_in(ADA).await;
    with_password(&server, ADA, PASSWORD).await.expect(200);
    let sessions = ada.get("/auth/sessions/").await.expect(200).body;
    assert_eq!(sessions["results"].as_array().map(Vec::len), Some(2), "no session for it");
}

#[tokio::test]
async fn guesses_count_with_those_at_the_log_in() {
    let server = TestServer::start_with(&limited()).await;
    server.registered(ADA).await;
    let anon = server.anon();
    for (n, name) in [ADA, "ADA@example.com", "Ada@Example.com"].into_iter().enumerate() {
        with_password(&server, name, &format!("wrong {n}")).await.expect(401);
    }
    for n in 3..5 {
        let body = json!({ "identifier": ADA, "password": format!("wrong {n}") });
        anon.post("/auth/login/", &body).await.expect(401);
    }

    with_password(&server, ADA, PASSWORD).await.expect_problem(429, "rate_limited");
    let body = json!({ "identifier": ADA, "password": PASSWORD });
    anon.post("/auth/login/", &body).await.expect_problem(429, "rate_limited");
    server.advance(minutes(5));
    with_password(&server, ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_right_password_is_cheap_to_send_again_and_tells_no_guess() {
    let server = TestServer::start_with(&limited()).await;
    server.registered(ADA).await;
    for _ in 0..100 {
        assert_eq!(told(&with_password(&server, ADA, PASSWORD).await)[0], ADA);
    }

    // Whoever is out of guesses hears the same of a right one, though it is known.
    for n in 0..5 {
        with_password(&server, ADA, &format!("wrong {n}")).await.expect(401);
    }
    for password in [PASSWORD, "wrong"] {
        with_password(&server, ADA, password).await.expect_problem(429, "rate_limited");
    }
    server.advance(minutes(5));
    with_password(&server, ADA, PASSWORD).await.expect(200);
    for n in 0..40 {
        let name = format!("{n}@example.com");
        let status = with_password(&server, &name, "wrong").await.status.as_u16();
        assert!(matches!(status, 401 | 429), "{status}");
    }
    for password in [PASSWORD, "wrong"] {
        with_password(&server, ADA, password).await.expect_problem(429, "rate_limited");
    }
}

#[tokio::test]
async fn after_a_hundred_wrong_ones_a_known_one_is_wrong_too() {
    let settings = format!("limits.enabled = true\nlimits.login = \"200/1s/account\"\n{RULES}");
    let server = TestServer::start_with(&settings).await;
    server.registered(ADA).await;
    with_password(&server, ADA, PASSWORD).await.expect(200);

    for n in 0..100 {
        with_password(&server, ADA, &format!("wrong {n}")).await.expect(401);
    }

    with_password(&server, ADA, PASSWORD).await.expect_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn what_is_known_ends_with_the_password_and_with_the_account() {
    let (server, root) = with_superuser(RULES).await;
    let ada = server.registered(ADA).await;
    let user = format!("/auth/admin/users/{}/", ada.tokens["user"]["id"]);
    with_password(&server, ADA, PASSWORD).await.expect(200);

    let body = json!({ "old_password": PASSWORD, "new_password": "another horse battery" });
    ada.post("/auth/password/change/", &body).await.expect(204);
    with_password(&server, ADA, PASSWORD).await.expect_problem(401, "invalid_credentials");
    with_password(&server, ADA, "another horse battery").await.expect(200);

    root.delete(&user).await.expect(204);
    with_password(&server, ADA, "another horse battery").await.expect_problem(401, "invalid_credentials");
    root.post(&format!("{user}activate/"), &json!({})).await.expect(200);
    with_password(&server, ADA, "another horse battery").await.expect(200);

    let body = json!({ "password": PASSWORD, "temporary": true });
    root.put(&format!("{user}password/"), &body).await.expect(204);
    with_password(&server, ADA, "another horse battery").await.expect_problem(401, "invalid_credentials");
    with_password(&server, ADA, PASSWORD).await.expect_problem(403, "password_change_required");

    root.delete(&format!("{user}?purge=true")).await.expect(204);
    with_password(&server, ADA, PASSWORD).await.expect_problem(401, "invalid_credentials");
    with_password(&server, ROOT, PASSWORD).await.expect(200);
}
