//! What happens by itself, seen from outside.

use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, ROOT, TestServer, days, minutes};

#[tokio::test]
async fn a_backlog_of_everything_that_ran_out_is_swept() {
    let server = TestServer::start().await;
    for email in ["ada@example.com", "bob@example.com"] {
        server.registered(email).await;
        // More than a user may have: the first of them are ended, and remembered as such.
        for _ in 0..130 {
            server.logged_in(email).await;
        }
    }
    for n in 0..210 {
        let body = json!({ "email": format!("user{n}@example.com"), "password": PASSWORD });
        server.anon().post("/auth/register/", &body).await.expect(202);
    }
    server.advance(days(92));

    server.run_jobs().await;

    let again = server.logged_in("ada@example.com").await;
    let sessions = again.get("/auth/sessions/").await.expect(200).body;
    assert_eq!(sessions["results"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_code_that_died_in_the_outbox_is_not_sent() {
    let server = TestServer::start().await;
    for email in ["ada@example.com", "bob@example.com"] {
        let body = json!({ "email": email, "password": PASSWORD });
        server.anon().post("/auth/register/", &body).await.expect(202);
        server.advance(minutes(9));
    }

    assert_eq!(server.mails_to("ada@example.com").await.len(), 0);
    assert_eq!(server.mails_to("bob@example.com").await.len(), 1);
}

const EVENTS: &str = "/auth/admin/events/";

#[tokio::test]
async fn the_audit_log_forgets_what_is_too_old_under_the_reader_of_its_last_page() {
    let (server, root) = TestServer::with_superuser().await;
    server.registered("ada@example.com").await;
    let count = async |root: &Caller| root.get(EVENTS).await.expect(200).body["count"].as_u64().expect("all");
    let old = count(&root).await;
    server.advance(days(300));
    server.run_jobs().await;
    server.advance(days(60));
    let root = server.logged_in(ROOT).await;
    let all = count(&root).await;
    let page = root.get(&format!("{EVENTS}?limit={}", all - old + 2)).await.expect(200).body;
    let cursor = page["next"].as_str().expect("there are older ones");

    server.advance(days(6));
    server.run_jobs().await;

    let root = server.logged_in(ROOT).await;
    let next = root.get(&format!("{EVENTS}?cursor={cursor}")).await.expect(200).body;
    assert_eq!((&next["results"], &next["next"]), (&json!([]), &Value::Null));
    assert!(old > 2 && count(&root).await == all - old + 1);
    assert!(!server.events().contains(&"user.registered"));
    server.operated(&["check"], "").await;
}

#[tokio::test]
async fn a_log_without_an_end_keeps_everything() {
    let server = TestServer::start_with("events.retention = \"\"").await;
    server.registered("ada@example.com").await;
    let events = server.events();

    server.advance(days(10_000));
    server.run_jobs().await;

    assert_eq!(server.events()[..events.len()], events);
}
