//! The API docs: reading, and trying what is read.

use serde_json::json;

use crate::browser::{Browser, lacks_browser, served};
use crate::harness::PASSWORD;

const ADA: &str = "ada@example.com";

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_reader_finds_an_operation_and_tries_it_with_their_own_log_in() {
    if lacks_browser() {
        return;
    }
    let server = served("").await;
    server.registered(ADA).await;
    let browser = Browser::start(&server).await;

    browser.open("/docs/").await;
    browser.sees("Choose an operation").await;
    browser.show("docs").await;
    browser.press("Log in").await;
    browser.fill("Email address or username", ADA).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in").await;
    browser.arrives_at("/docs/").await;
    browser.sees("Signed in as").await;

    browser.fill("Filter", "the caller.").await;
    browser.sees_no("/healthz").await;
    browser.press("GET /auth/profile/").await;
    browser.sees("For users.").await;
    browser.press("Send").await;
    browser.sees("Answer: 200").await;
    browser.sees("\"email\": \"ada@example.com\"").await;
    browser.show("docs-operation").await;
    browser.end().await;
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_link_leads_to_an_operation_and_a_token_of_ones_own_is_taken() {
    if lacks_browser() {
        return;
    }
    let server = served("").await;
    let ada = server.registered(ADA).await;
    let key = server.api_key(&ada, &json!({ "name": "docs" })).await.1;
    let mut browser = Browser::start(&server).await;
    browser.expect_status(403);

    browser.open("/docs/#post-/auth/api-keys/").await;
    browser.sees("An API key is not enough.").await;
    browser.press("Use a token").await;
    browser.fill("Access token or API key", key["key"].as_str().expect("a key")).await;
    browser.press("Send").await;
    browser.sees("session_required").await;
    browser.sees("-d '{\"expires_at\":\"2").await;
    browser.open("/docs/#get-/auth/sessions/").await;
    browser.sees("Lists the caller's sessions").await;
    browser.end().await;
}
