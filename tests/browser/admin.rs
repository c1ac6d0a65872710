//! The admin page: who may see it, and the screens of users, groups, permissions and events.

use serde_json::json;

use crate::browser::{Browser, served};
use crate::harness::{Caller, PASSWORD, TestServer};

const ROOT: &str = "root@example.com";

/// A service with a superuser, and their browser.
pub async fn with_root(language: &str) -> (TestServer, Caller, Browser) {
    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    let server = served("").await.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    let mut browser = Browser::start_in(language, &server).await;
    browser.expect_status(400);
    log_in(&browser, ROOT).await;
    (server, root, browser)
}

/// Gives the browser the cookies of a log-in.
pub async fn log_in(browser: &Browser, email: &str) {
    // Any page that may speak to the service.
    browser.open("/account/reset/?uid=MQ&token=no").await;
    let body = json!({ "identifier": email, "password": PASSWORD, "cookies": true }).to_string();
    let script = format!(
        "return fetch('/auth/login/', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, \
         body: {} }}).then((reply) => reply.status)",
        json!(body)
    );
    assert_eq!(browser.run(&script).await, 200);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn users_are_listed() {
    let (server, root, browser) = with_root("en").await;
    for n in 0..60 {
        let body = json!({ "email": format!("user{n:02}@example.com"), "first_name": "Ada", "last_name": "Lovelace" });
        root.post("/auth/admin/users/", &body).await.expect(201);
    }
    browser.open("/admin/users/").await;
    browser.sees("61 users").await;
    browser.show("admin-users").await;
    browser.end().await;
    drop(server);
}
