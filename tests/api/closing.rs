//! Closing one's own account, and who can open it again.

use hyper::Method;
use serde_json::json;

use crate::harness::{Answer, Caller, PASSWORD, TestServer};

const ADA: &str = "ada@example.com";

async fn close(caller: &Caller, path: &str, password: &str) -> Answer {
    caller.json(Method::DELETE, path, &json!({ "password": password })).await
}

async fn log_in(server: &TestServer) -> Answer {
    server.anon().post("/auth/login/", &json!({ "identifier": ADA, "password": PASSWORD })).await
}

#[tokio::test]
async fn ones_own_password_closes_the_account() {
    for path in ["/auth/profile/", "/auth/profile/delete/"] {
        let server = TestServer::start().await;
        let here = server.registered(ADA).await;
        let elsewhere = server.logged_in(ADA).await;

        close(&here, path, PASSWORD).await.expect(204);

        server.expect_dead(&here).await;
        server.expect_dead(&elsewhere).await;
        log_in(&server).await.expect_problem(401, "invalid_credentials");
        assert!(
            server.mail_to(ADA).await.subject.contains("closed"),
            "{}",
            server.mail_to(ADA).await.subject
        );
        assert!(server.events().contains(&"user.disabled"));
    }
}

#[tokio::test]
async fn nothing_else_closes_it() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    close(&ada, "/auth/profile/", "wrong horse battery")
        .await
        .expect_invalid(&[("password", "wrong_password")]);
    ada.delete("/auth/profile/").await.expect_invalid(&[("password", "required")]);
    close(&server.anon(), "/auth/profile/", PASSWORD).await.expect_problem(401, "not_authenticated");

    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn no_code_that_is_out_opens_it_again() {
    let server = TestServer::start_with(
        "registration.verification = \"optional\"\nregistration.resend_interval = \"0s\"",
    )
    .await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    server.anon().post("/auth/register/", &body).await.expect(201);
    let code = server.mail_to(ADA).await.code();
    let ada = server.logged_in(ADA).await;
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let link = server.mail_to(ADA).await.reset_link();

    close(&ada, "/auth/profile/", PASSWORD).await.expect(204);

    let verify = json!({ "email": ADA, "code": code });
    server.anon().post("/auth/register/verify/", &verify).await.expect_problem(400, "invalid_code");
    link.reset(&server, "another horse battery").await.expect_problem(400, "invalid_token");
    let mails = server.mails_to(ADA).await.len();
    for path in ["/auth/register/resend_email_verify/", "/auth/password/request_change/"] {
        server.anon().post(path, &json!({ "email": ADA })).await.expect(202);
    }
    assert_eq!(server.mails_to(ADA).await.len(), mails);
    log_in(&server).await.expect(401);
}

#[tokio::test]
async fn its_address_stays_taken() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    close(&ada, "/auth/profile/", PASSWORD).await.expect(204);

    let body = json!({ "email": ADA, "password": "another horse battery" });
    server.anon().post("/auth/register/", &body).await.expect(202);

    assert_eq!(server.mail_to(ADA).await.subject, "You already have an account");
}

#[tokio::test]
async fn an_operator_opens_it_again_and_old_tokens_stay_dead() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    close(&ada, "/auth/profile/", PASSWORD).await.expect(204);

    let server = server.operated(&["activateuser", "--user", ADA], "").await;

    server.expect_dead(&server.caller(ada.tokens)).await;
    log_in(&server).await.expect(200);
    assert!(server.events().contains(&"user.enabled"));
}

#[tokio::test]
async fn the_last_superuser_cannot_close_their_account() {
    let server = TestServer::start().await;
    let create =
        |email: &'static str| ["createsuperuser", "--email", email, "--no-input", "--password-stdin"];
    let server = server.operated(&create(ADA), &format!("{PASSWORD}\n")).await;
    let ada = server.logged_in(ADA).await;
    close(&ada, "/auth/profile/", PASSWORD).await.expect_problem(409, "last_superuser");
    server.expect_alive(&ada).await;

    let server = server.operated(&create("bob@example.com"), &format!("{PASSWORD}\n")).await;
    let (ada, bob) = (server.logged_in(ADA).await, server.logged_in("bob@example.com").await);
    let (first, second) =
        tokio::join!(close(&ada, "/auth/profile/", PASSWORD), close(&bob, "/auth/profile/", PASSWORD));

    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
}
