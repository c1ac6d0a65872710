//! Changing one's own password: the old one is asked for, everybody else is out.

use serde_json::json;

use crate::harness::{Caller, PASSWORD, TestServer, minutes};

const ADA: &str = "ada@example.com";
const NEW: &str = "another horse battery";

async fn change(caller: &Caller, old: &str, new: &str) -> crate::harness::Answer {
    caller.post("/auth/password/change/", &json!({ "old_password": old, "new_password": new })).await
}

async fn log_in(server: &TestServer, password: &str) -> crate::harness::Answer {
    server.anon().post("/auth/login/", &json!({ "identifier": ADA, "password": password })).await
}

#[tokio::test]
async fn a_change_ends_every_session_but_the_one_that_asks() {
    let server = TestServer::start().await;
    let here = server.registered(ADA).await;
    let elsewhere = server.logged_in(ADA).await;

    change(&here, PASSWORD, NEW).await.expect(204);

    server.expect_alive(&here).await;
    server.expect_dead(&elsewhere).await;
    log_in(&server, PASSWORD).await.expect_problem(401, "invalid_credentials");
    log_in(&server, NEW).await.expect(200);
}

#[tokio::test]
async fn the_owner_hears_of_it() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    change(&ada, PASSWORD, NEW).await.expect(204);

    let mails = server.mails_to(ADA).await;
    assert_eq!(mails.len(), 2, "{mails:#?}");
    assert_eq!(mails[1].subject, "Your password was changed");
    assert!(!mails[1].eml.contains(NEW));
    assert_eq!(server.events().last(), Some(&"password.changed"));
}

#[tokio::test]
async fn a_wrong_old_password_changes_nothing_and_is_an_event() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    change(&ada, "wrong horse battery", NEW).await.expect_invalid(&[("old_password", "wrong_password")]);

    assert_eq!(server.events().last(), Some(&"password.changed"));
    log_in(&server, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_rules_hold_in_the_light_of_the_account() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    change(&ada, PASSWORD, "ada@example").await.expect_invalid(&[("new_password", "password_too_similar")]);
    change(&ada, PASSWORD, "12345678").await.expect_invalid(&[
        ("new_password", "password_too_common"),
        ("new_password", "password_entirely_numeric"),
    ]);
    change(&ada, PASSWORD, &"x".repeat(1025)).await.expect_invalid(&[("new_password", "password_too_long")]);
    change(&ada, PASSWORD, "").await.expect_invalid(&[("new_password", "blank")]);

    log_in(&server, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn nothing_works_without_the_old_one_or_without_a_log_in() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    let body = json!({ "new_password": NEW });
    ada.post("/auth/password/change/", &body).await.expect_invalid(&[("old_password", "required")]);
    change(&server.anon(), PASSWORD, NEW).await.expect_problem(401, "not_authenticated");
}

#[tokio::test]
async fn a_password_is_taken_exactly_as_it_is() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    // Composed and decomposed, white space around, a NUL inside: each its own password.
    let exact = " \u{e9}t\u{e9} horse\u{0}battery ";

    change(&ada, PASSWORD, exact).await.expect(204);

    for other in
        [exact.trim(), " e\u{301}te\u{301} horse\u{0}battery ", " \u{e9}t\u{e9} horse", &exact.to_uppercase()]
    {
        log_in(&server, other).await.expect_problem(401, "invalid_credentials");
    }
    log_in(&server, exact).await.expect(200);
}

#[tokio::test]
async fn wrong_ones_are_slowed_down_and_the_owner_can_still_log_in() {
    let server = TestServer::start_with("limits.enabled = true").await;
    let ada = server.registered(ADA).await;

    for _ in 0..5 {
        change(&ada, "wrong horse battery", NEW).await.expect(400);
    }
    let refused = change(&ada, PASSWORD, NEW).await.expect_problem(429, "rate_limited");

    assert_eq!(refused.header("retry-after"), Some("60"));
    log_in(&server, PASSWORD).await.expect(200);
    server.advance(minutes(1));
    change(&ada, PASSWORD, NEW).await.expect(204);
}

#[tokio::test]
async fn a_renewed_hash_ends_no_session() {
    let server = TestServer::start().await;
    let before = server.registered(ADA).await;

    let server = server
        .restart_with("passwords.memory_kib = 128\npasswords.iterations = 1\nlimits.enabled = false")
        .await;
    log_in(&server, PASSWORD).await.expect(200);
    log_in(&server, PASSWORD).await.expect(200);

    server.holder(before.access()).get("/auth/profile/").await.expect(200);
}

#[tokio::test]
async fn a_link_that_is_out_dies_with_the_change() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let link = server.mail_to(ADA).await.reset_link();
    link.check(&server).await.expect(200);

    change(&ada, PASSWORD, NEW).await.expect(204);

    link.check(&server).await.expect_problem(400, "invalid_token");
}

#[tokio::test]
async fn after_a_hundred_wrong_ones_the_right_one_is_counted_like_another() {
    let server = TestServer::start_with("limits.enabled = true\nlimits.password = \"1000/m/account\"").await;
    let ada = server.registered(ADA).await;
    for _ in 0..100 {
        change(&ada, "wrong horse battery", NEW).await.expect(400);
    }
    let before = server.events().len();

    let right = change(&ada, PASSWORD, NEW).await;
    let wrong = change(&ada, "wrong horse battery", NEW).await;

    assert_eq!(right.anonymous(), wrong.anonymous());
    right.expect_invalid(&[("old_password", "wrong_password")]);
    assert_eq!(server.events().len(), before + 2, "each is an event");
    log_in(&server, PASSWORD).await.expect(200);
}
