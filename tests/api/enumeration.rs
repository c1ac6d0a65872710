//! Nobody learns from an answer who has an account: the same status, headers and bytes.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, TestServer, minutes};
use crate::limits;

/// One of each kind of address.
const KINDS: [&str; 5] = [
    "unknown@example.com",
    "existing@example.com",
    "disabled@example.com",
    "unverified@example.com",
    "no-password@example.com",
];

const LIMITED: &str =
    "limits.enabled = true\nlimits.mail = \"2/d/mailbox\"\nserver.trusted_proxies = [\"127.0.0.1\"]";

/// A server that knows four of the five.
async fn with_one_of_each(settings: &str) -> TestServer {
    let server = TestServer::start_with(settings).await;
    server.registered("existing@example.com").await;
    let pending = json!({ "email": "unverified@example.com", "password": PASSWORD });
    server.anon().post("/auth/register/", &pending).await.expect(202);
    let disabled = ["createuser", "--email", "disabled@example.com", "--password-stdin", "--no-input"];
    let server = server.operated(&disabled, PASSWORD).await;
    let closed = ["createuser", "--email", "no-password@example.com", "--active", "--no-input"];
    server.operated(&closed, "").await
}

/// All of an answer but the time, without the address that was asked for and the handle that it was given.
fn seen(answer: &Answer, email: &str) -> impl PartialEq + std::fmt::Debug + use<> {
    let (status, headers, text) = limits::seen(answer);
    let handle = answer.body["registration"].as_str().unwrap_or_default();
    let text = text.replace(email, "");
    let length = handle.len();
    (status, headers.into_iter().filter(|(name, _)| name != "content-length").collect::<Vec<_>>(), {
        if handle.is_empty() { text } else { text.replace(handle, &"-".repeat(length)) }
    })
}

/// Asks the same about each kind, from an address of its own, and compares what comes.
async fn expect_same(server: &TestServer, path: &str, round: usize, body: impl Fn(&str) -> Value) {
    let mut first = None;
    for (place, email) in KINDS.into_iter().enumerate() {
        let caller = server.at(&format!("198.51.{round}.{place}"));
        let answer = caller.post(path, &body(email)).await;
        let seen = seen(&answer, email);
        match &first {
            None => first = Some(seen),
            Some(first) => assert_eq!(&seen, first, "{path} {email}"),
        }
    }
}

async fn expect_no_difference(server: &TestServer) {
    for round in 0..8 {
        expect_same(
            server,
            "/auth/login/",
            round,
            |email| json!({ "identifier": email, "password": "wrong horse battery" }),
        )
        .await;
        expect_same(
            server,
            "/auth/register/",
            round,
            |email| json!({ "email": email, "password": "another fine horse" }),
        )
        .await;
        expect_same(
            server,
            "/auth/register/",
            round,
            |email| json!({ "email": email, "password": "x", "username": "a b" }),
        )
        .await;
        expect_same(server, "/auth/register/resend_email_verify/", round, |email| json!({ "email": email }))
            .await;
        expect_same(
            server,
            "/auth/register/verify/",
            round,
            |email| json!({ "email": email, "code": "12345678" }),
        )
        .await;
        if round == 4 {
            server.advance(minutes(3));
        }
    }
}

#[tokio::test]
async fn every_kind_of_address_gets_the_same_bytes() {
    expect_no_difference(&with_one_of_each("").await).await;
}

#[tokio::test]
async fn every_kind_of_address_meets_the_same_limits() {
    expect_no_difference(&with_one_of_each(LIMITED).await).await;
}

#[tokio::test]
async fn no_answer_depends_on_whether_mail_leaves() {
    for settings in ["", LIMITED] {
        let server = with_one_of_each(settings).await;
        // Nothing can be written there, and nobody listens here.
        let broken = server.mail_folder();
        fs::remove_dir_all(&broken).expect("there");
        fs::write(&broken, "not a folder").expect("writable");
        server.run_jobs().await;
        expect_no_difference(&server).await;
        server.run_jobs().await;
        expect_no_difference(&server).await;
    }
}
