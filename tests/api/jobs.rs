//! What happens by itself, seen from outside.

use serde_json::json;

use crate::harness::{PASSWORD, TestServer, days, minutes};

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
