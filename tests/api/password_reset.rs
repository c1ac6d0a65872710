//! A new password by mail: who gets a link, what it does, and when it is dead.

use hyper::Method;
use serde_json::json;

use crate::harness::{Answer, PASSWORD, ResetLink, TestServer, days, minutes};

const ADA: &str = "ada@example.com";
const NEW: &str = "another horse battery";

async fn ask(server: &TestServer, email: &str) -> Answer {
    server.anon().post("/auth/password/request_change/", &json!({ "email": email })).await
}

async fn link(server: &TestServer) -> ResetLink {
    ask(server, ADA).await.expect(202);
    server.mail_to(ADA).await.reset_link()
}

async fn log_in(server: &TestServer, password: &str) -> Answer {
    server.anon().post("/auth/login/", &json!({ "identifier": ADA, "password": password })).await
}

#[tokio::test]
async fn the_link_in_the_mail_gives_a_new_password() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let link = link(&server).await;

    assert_eq!(link.check(&server).await.expect(200).body, json!({ "valid": true }));
    let done = link.reset(&server, NEW).await.expect(204);

    assert_eq!(done.text, "");
    server.expect_dead(&ada).await;
    log_in(&server, PASSWORD).await.expect_problem(401, "invalid_credentials");
    log_in(&server, NEW).await.expect(200);
    assert_eq!(server.mail_to(ADA).await.subject, "Your password was changed");
    let events = server.events();
    assert!(
        events.ends_with(&["password.reset_requested", "password.reset", "login.failed", "login.succeeded"]),
        "{events:?}"
    );
}

#[tokio::test]
async fn put_does_what_post_does() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let link = link(&server).await;

    let body = json!({ "uid": link.uid, "token": link.token, "new_password": NEW });
    server.anon().put("/auth/password/reset/", &body).await.expect(204);

    log_in(&server, NEW).await.expect(200);
}

#[tokio::test]
async fn looking_at_a_link_changes_nothing() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let link = link(&server).await;
    let events = server.events();

    for _ in 0..3 {
        link.check(&server).await.expect(200);
        server.anon().get(&link.page()).await.expect(200);
        server.anon().send(Method::HEAD, &link.page(), &[], None).await.expect(200);
    }

    assert_eq!(server.events(), events);
    server.expect_alive(&ada).await;
    link.reset(&server, NEW).await.expect(204);
}

#[tokio::test]
async fn a_link_works_once() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let link = link(&server).await;

    link.reset(&server, NEW).await.expect(204);

    link.check(&server).await.expect_problem(400, "invalid_token");
    link.reset(&server, "a third horse battery").await.expect_problem(400, "invalid_token");
    log_in(&server, NEW).await.expect(200);
}

#[tokio::test]
async fn a_newer_link_a_log_in_and_time_kill_a_link() {
    let server = TestServer::start().await;
    server.registered(ADA).await;

    let first = link(&server).await;
    let second = link(&server).await;
    first.check(&server).await.expect_problem(400, "invalid_token");
    second.check(&server).await.expect(200);

    server.logged_in(ADA).await;
    second.check(&server).await.expect_problem(400, "invalid_token");

    let third = link(&server).await;
    server.advance(minutes(60));
    third.check(&server).await.expect_problem(400, "invalid_token");
    third.reset(&server, NEW).await.expect_problem(400, "invalid_token");
}

#[tokio::test]
async fn a_link_lives_as_long_as_it_is_configured_to() {
    let server = TestServer::start_with("passwords.reset_ttl = \"2m\"").await;
    server.registered(ADA).await;
    let link = link(&server).await;

    server.advance(minutes(1));
    link.check(&server).await.expect(200);
    server.advance(minutes(1));
    link.check(&server).await.expect(400);
}

#[tokio::test]
async fn a_weak_password_does_not_use_the_link_up() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let link = link(&server).await;

    link.reset(&server, "short").await.expect_invalid(&[("new_password", "password_too_short")]);
    link.reset(&server, "ada@example.com").await.expect_invalid(&[("new_password", "password_too_similar")]);

    link.reset(&server, NEW).await.expect(204);
}

#[tokio::test]
async fn what_is_no_link_is_refused() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    server.registered("bob@example.com").await;
    let link = link(&server).await;
    let other = ResetLink { uid: "Mg".to_owned(), ..link.clone() };
    let cut = ResetLink { token: link.token[..42].to_owned(), ..link.clone() };
    let strange = ResetLink { uid: "%00".to_owned(), token: "x".to_owned() };

    for wrong in [other, cut, strange] {
        wrong.check(&server).await.expect_problem(400, "invalid_token");
        wrong.reset(&server, NEW).await.expect_problem(400, "invalid_token");
    }
    link.reset(&server, NEW).await.expect(204);
}

#[tokio::test]
async fn nobody_learns_whether_there_is_an_account() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    server.registered("closed@example.com").await;
    let closed = server.logged_in("closed@example.com").await;
    let body = json!({ "password": PASSWORD }).to_string().into_bytes();
    let json = [("content-type", "application/json")];
    closed.send(Method::DELETE, "/auth/profile/", &json, Some(body)).await.expect(204);
    let mails = server.mails_to("closed@example.com").await.len();

    let known = ask(&server, ADA).await.expect(202);
    for email in ["nobody@example.com", "closed@example.com"] {
        let other = ask(&server, email).await.expect(202);
        assert_eq!((&other.text, other.headers.len()), (&known.text, known.headers.len()), "{email}");
    }

    assert_eq!(server.mails_to("nobody@example.com").await.len(), 0);
    assert_eq!(server.mails_to("closed@example.com").await.len(), mails);
    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn the_mail_goes_to_the_address_as_the_account_has_it() {
    let server = TestServer::start().await;
    server.registered(ADA).await;

    ask(&server, "ADA@EXAMPLE.com").await.expect(202);

    assert!(server.mail_to(ADA).await.text.contains("/account/reset/?uid="));
    assert_eq!(server.mails_to("ADA@EXAMPLE.com").await.len(), 0);
}

#[tokio::test]
async fn an_account_without_a_password_gets_no_link() {
    let server = TestServer::start().await;
    let server = server.operated(&["createuser", "--email", ADA, "--no-input", "--active"], "").await;

    ask(&server, ADA).await.expect(202);

    assert_eq!(server.mails_to(ADA).await.len(), 0);
}

#[tokio::test]
async fn a_reset_proves_the_address() {
    let server = TestServer::start_with("registration.verification = \"optional\"").await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    server.anon().post("/auth/register/", &body).await.expect(201);
    let link = link(&server).await;

    link.reset(&server, NEW).await.expect(204);

    let user = log_in(&server, NEW).await.expect(200).body["user"].clone();
    assert_eq!(user["email_verified"], true);
}

#[tokio::test]
async fn a_reset_opens_an_account_that_too_many_guesses_closed() {
    let server =
        TestServer::start_with("limits.enabled = true\nlimits.login = \"1000/m/ip, 1000/m/account\"").await;
    server.registered(ADA).await;
    for _ in 0..100 {
        log_in(&server, "wrong horse battery").await.expect(401);
    }
    log_in(&server, PASSWORD).await.expect_problem(401, "invalid_credentials");
    assert_eq!(server.mail_to(ADA).await.subject, "Too many wrong passwords for your account");

    link(&server).await.reset(&server, NEW).await.expect(204);

    log_in(&server, NEW).await.expect(200);
}

#[tokio::test]
async fn the_page_of_the_link_sets_the_password() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let link = link(&server).await;
    let form = |password: &str| format!("uid={}&token={}&new_password={password}", link.uid, link.token);
    let send = async |language: &'static str, form: String| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept-language", language)];
        server.anon().send(Method::POST, "/account/reset/", &headers, Some(form.into_bytes())).await
    };

    let page = server.anon().get(&link.page()).await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text.contains(&link.token) && page.text.contains("type=\"password\""), "{}", page.text);
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));

    let weak = send("es", form("short")).await.expect(400);
    assert!(weak.text.contains("Debe tener al menos 8 caracteres."), "{}", weak.text);
    let weak = send("en", form("short")).await.expect(400);
    assert!(weak.text.contains("too short") && weak.text.contains(&link.token), "{}", weak.text);
    let done = send("en", form("another+horse+battery")).await.expect(200);
    assert!(done.text.contains("Your password is new"), "{}", done.text);
    let again = send("en", form("another+horse+battery")).await.expect(400);
    assert!(again.text.contains("does not work any more"), "{}", again.text);
    server.anon().get(&link.page()).await.expect(400);
    log_in(&server, NEW).await.expect(200);
}

#[tokio::test]
async fn the_page_takes_no_json() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let link = link(&server).await;

    let body = json!({ "uid": link.uid, "token": link.token, "new_password": NEW });
    server.anon().post("/account/reset/", &body).await.expect(415);
    log_in(&server, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_link_survives_a_restart_and_a_clock_set_far_ahead_ends_it() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let link = link(&server).await;

    let server = server.restart().await;
    link.check(&server).await.expect(200);
    server.advance(days(3650));
    link.check(&server).await.expect(400);
}

#[tokio::test]
async fn the_token_is_nowhere_in_the_file() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let link = link(&server).await;

    let bytes = server.store_bytes();

    assert!(!bytes.windows(link.token.len()).any(|window| window == link.token.as_bytes()));
}

#[tokio::test]
async fn asking_for_those_who_are_not_there_keeps_nobody_from_a_link() {
    let server = TestServer::start_with("limits.enabled = true").await;
    server.registered(ADA).await;
    for n in 0..6 {
        ask(&server, &format!("ada+{n}@example.com")).await.expect(202);
        let body = json!({ "email": format!("bob+{n}@example.com") });
        server.anon().post("/auth/register/resend_email_verify/", &body).await.expect(202);
    }

    link(&server).await.check(&server).await.expect(200);
    let body = json!({ "email": "bob@example.com", "password": PASSWORD });
    server.anon().post("/auth/register/", &body).await.expect(202);
    assert_eq!(server.mails_to("bob@example.com").await.len(), 1);
}
