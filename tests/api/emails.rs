//! Moving an account to another address.

use serde_json::json;

use crate::harness::{Answer, Caller, PASSWORD, TestServer, minutes};

const ADA: &str = "ada@example.com";
const NEW: &str = "countess@example.com";

async fn ask(caller: &Caller, email: &str) -> Answer {
    caller.post("/auth/email/change/", &json!({ "new_email": email, "password": PASSWORD })).await
}

async fn confirm(caller: &Caller, code: &str) -> Answer {
    caller.post("/auth/email/confirm/", &json!({ "code": code })).await
}

#[tokio::test]
async fn the_code_from_the_new_mailbox_moves_the_account() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    ask(&ada, NEW).await.expect(202);
    let code = server.mail_to(NEW).await.code();
    assert_eq!(ada.get("/auth/profile/").await.body["email"], ADA, "not before it is confirmed");
    let user = confirm(&ada, &code).await.expect(200).body;

    assert_eq!((&user["email"], &user["email_verified"]), (&json!(NEW), &json!(true)));
    server.expect_alive(&ada).await;
    server.logged_in(NEW).await;
    let old = json!({ "identifier": ADA, "password": PASSWORD });
    server.anon().post("/auth/login/", &old).await.expect_problem(401, "invalid_credentials");
    let events = server.events();
    assert!(events.windows(2).any(|two| two == ["email.change_requested", "email.changed"]), "{events:?}");
}

#[tokio::test]
async fn the_old_mailbox_hears_of_it_and_not_where_to() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    ask(&ada, NEW).await.expect(202);

    let mails = server.mails_to(ADA).await;
    assert_eq!(mails.len(), 2);
    assert!(!mails[1].eml.contains("countess"), "{}", mails[1].eml);
}

#[tokio::test]
async fn the_password_is_asked_for() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    let wrong = json!({ "new_email": NEW, "password": "wrong horse battery" });
    ada.post("/auth/email/change/", &wrong).await.expect_invalid(&[("password", "wrong_password")]);
    let missing = json!({ "new_email": NEW });
    ada.post("/auth/email/change/", &missing).await.expect_invalid(&[("password", "required")]);

    assert_eq!(server.mails_to(NEW).await.len(), 0);
}

#[tokio::test]
async fn an_address_that_is_taken_is_answered_like_any_other() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    server.registered("bob@example.com").await;

    let free = ask(&ada, NEW).await.expect(202);
    let taken = ask(&ada, "BOB@example.com").await.expect(202);

    assert_eq!(free.anonymous(), taken.anonymous());
    let mails = server.mails_to("bob@example.com").await;
    assert_eq!(mails.len(), 2);
    assert!(!mails[1].text.lines().any(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit())));
    // What was asked for before is over as well.
    let code = server.mail_to(NEW).await.code();
    confirm(&ada, &code).await.expect_problem(400, "invalid_code");
}

#[tokio::test]
async fn whoever_is_faster_has_the_address() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    ask(&ada, NEW).await.expect(202);
    let code = server.mail_to(NEW).await.code();
    server.registered(NEW).await;

    confirm(&ada, &code).await.expect_problem(400, "invalid_code");

    assert_eq!(ada.get("/auth/profile/").await.body["email"], ADA);
}

#[tokio::test]
async fn a_code_dies_of_use_age_guesses_and_a_newer_one() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    ask(&ada, NEW).await.expect(202);
    let first = server.mail_to(NEW).await.code();
    ask(&ada, NEW).await.expect(202);
    confirm(&ada, &first).await.expect_problem(400, "invalid_code");
    let second = server.mail_to(NEW).await.code();
    confirm(&ada, &second).await.expect(200);
    confirm(&ada, &second).await.expect_problem(400, "invalid_code");

    ask(&ada, "third@example.com").await.expect(202);
    let third = server.mail_to("third@example.com").await.code();
    server.advance(minutes(10));
    confirm(&ada, &third).await.expect_problem(400, "invalid_code");

    let ada = server.logged_in(NEW).await;
    ask(&ada, "fourth@example.com").await.expect(202);
    let fourth = server.mail_to("fourth@example.com").await.code();
    let wrong = if fourth == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..5 {
        confirm(&ada, wrong).await.expect_problem(400, "invalid_code");
    }
    confirm(&ada, &fourth).await.expect_problem(400, "invalid_code");
}

#[tokio::test]
async fn a_code_is_good_for_its_owner_and_its_purpose_only() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let bob = server.registered("bob@example.com").await;
    ask(&ada, NEW).await.expect(202);
    let code = server.mail_to(NEW).await.code();

    confirm(&bob, &code).await.expect_problem(400, "invalid_code");
    let body = json!({ "email": NEW, "code": code });
    server.anon().post("/auth/register/verify/", &body).await.expect_problem(400, "invalid_code");

    confirm(&ada, &code).await.expect(200);
}

#[tokio::test]
async fn a_change_of_the_password_ends_a_change_of_the_address() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    ask(&ada, NEW).await.expect(202);
    let code = server.mail_to(NEW).await.code();

    let body = json!({ "old_password": PASSWORD, "new_password": "another horse battery" });
    ada.post("/auth/password/change/", &body).await.expect(204);

    confirm(&ada, &code).await.expect_problem(400, "invalid_code");
}

#[tokio::test]
async fn a_link_to_a_new_password_dies_with_the_old_address() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    ask(&ada, NEW).await.expect(202);
    let code = server.mail_to(NEW).await.code();
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let link = server.mail_to(ADA).await.reset_link();
    link.check(&server).await.expect(200);

    confirm(&ada, &code).await.expect(200);

    link.check(&server).await.expect_problem(400, "invalid_token");
}

#[tokio::test]
async fn a_name_that_is_the_address_moves_along() {
    let server = TestServer::start().await;
    let ada = server.registered_as(json!({ "email": ADA, "username": ADA, "password": PASSWORD })).await;
    ask(&ada, NEW).await.expect(202);
    let code = server.mail_to(NEW).await.code();

    let user = confirm(&ada, &code).await.expect(200).body;

    assert_eq!(user["username"], NEW);
    let eve = server.registered(ADA).await;
    assert_ne!(eve.tokens["user"]["id"], user["id"]);
    assert_eq!(server.logged_in(ADA).await.tokens["user"]["id"], eve.tokens["user"]["id"]);
}

#[tokio::test]
async fn another_spelling_of_ones_own_address_is_allowed() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    ask(&ada, "Ada@example.com").await.expect(202);
    let code = server.mail_to("Ada@example.com").await.code();
    let user = confirm(&ada, &code).await.expect(200).body;

    assert_eq!(user["email"], "Ada@example.com");
}

#[tokio::test]
async fn a_new_username_is_told_to_the_owner() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    ada.patch("/auth/profile/", &json!({ "first_name": "Ada" })).await.expect(200);
    assert_eq!(server.mails_to(ADA).await.len(), 1);
    ada.patch("/auth/profile/", &json!({ "username": "countess" })).await.expect(200);

    let mails = server.mails_to(ADA).await;
    assert_eq!(mails.len(), 2);
    assert!(!mails[1].eml.contains("countess"));
}

#[tokio::test]
async fn changes_are_limited() {
    let server = TestServer::start_with("limits.enabled = true\nlimits.email = \"2/h/account\"").await;
    let ada = server.registered(ADA).await;

    ask(&ada, NEW).await.expect(202);
    ask(&ada, NEW).await.expect(202);

    let refused = ask(&ada, NEW).await.expect_problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("1800"));
}

#[tokio::test]
async fn whoever_waits_for_the_address_waits_in_vain_once_somebody_has_it() {
    let server = TestServer::start_with("registration.resend_interval = \"0s\"").await;
    let ada = server.registered(ADA).await;
    let body = json!({ "email": NEW, "password": PASSWORD });
    let pending = server.anon().post("/auth/register/", &body).await.expect(202).body;
    ask(&ada, NEW).await.expect(202);
    let code = server.mail_to(NEW).await.code();
    confirm(&ada, &code).await.expect(200);
    let mails = server.mails_to(NEW).await.len();

    let resend = json!({ "registration": pending["registration"] });
    server.anon().post("/auth/register/resend_email_verify/", &resend).await.expect(202);

    assert_eq!(server.mails_to(NEW).await.len(), mails);
}

#[tokio::test]
async fn a_stranger_cannot_use_up_the_mails_that_an_owner_needs() {
    let server = TestServer::start_with("limits.enabled = true").await;
    server.registered(ADA).await;
    let eve = server.registered("eve@example.com").await;
    for n in 0..6 {
        ask(&eve, &format!("ada+{n}@example.com")).await.expect(202);
    }

    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);

    assert!(server.mail_to(ADA).await.text.contains("/account/reset/"));
}

#[tokio::test]
async fn a_code_that_nobody_was_sent_is_not_there_to_be_guessed() {
    let server = TestServer::start_with("limits.enabled = true\nlimits.mail = \"1/d/mailbox\"").await;
    let ada = server.registered(ADA).await;
    ask(&ada, NEW).await.expect(202);
    let code = server.mail_to(NEW).await.code();

    ask(&ada, NEW).await.expect(202);

    assert_eq!(server.mails_to(NEW).await.len(), 1);
    confirm(&ada, &code).await.expect_problem(400, "invalid_code");
    assert_eq!(server.events().iter().filter(|kind| **kind == "email.changed").count(), 0);
}

#[tokio::test]
async fn new_usernames_are_limited_too() {
    let server = TestServer::start_with("limits.enabled = true\nlimits.email = \"2/h/account\"").await;
    let ada = server.registered(ADA).await;

    for name in ["one", "two"] {
        ada.patch("/auth/profile/", &json!({ "username": name })).await.expect(200);
    }
    ada.patch("/auth/profile/", &json!({ "username": "three" })).await.expect_problem(429, "rate_limited");
    ada.patch("/auth/profile/", &json!({ "first_name": "Ada" })).await.expect(200);
}
