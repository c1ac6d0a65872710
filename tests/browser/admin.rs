//! The admin page: who may see it, and the screens of users, groups, permissions and events.

use serde_json::json;

use crate::browser::{Browser, served};
use crate::harness::{Caller, PASSWORD, TestServer};

const ROOT: &str = "root@example.com";
const ADA: &str = "ada@example.com";

/// A service with a superuser, and their browser.
pub async fn with_root(language: &str) -> (TestServer, Caller, Browser) {
    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    let server = served("").await.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    let mut browser = Browser::start_in(language, &server).await;
    browser.expect_status(400);
    browser.expect_status(404);
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
async fn users_are_searched_sorted_and_leafed_through() {
    let (server, root, browser) = with_root("en").await;
    for n in 0..60 {
        let body =
            json!({ "email": format!("user{n:02}@example.com"), "first_name": "Ada", "last_name": "Lovelace" });
        root.post("/auth/admin/users/", &body).await.expect(201);
    }

    browser.open("/admin/users/").await;
    browser.sees("61 users · page 1").await;
    browser.press("Next").await;
    browser.sees("page 2").await;
    browser.sees("user59@example.com").await;
    browser.press("Previous").await;
    browser.sees("user00@example.com").await;
    browser.press("Email address").await;
    browser.sees("user00@example.com").await;
    browser.press("Email address").await;
    browser.sees("user59@example.com").await;
    browser.fill("Search", "user5").await;
    browser.sees("10 users").await;
    browser.sees_no("user49@example.com").await;
    assert_eq!(browser.path().await, "/admin/users/?ordering=-email&search=user5");
    browser.show("admin-users").await;
    browser.press("user57@example.com").await;
    browser.sees("What happened").await;
    browser.run("history.back()").await;
    browser.sees("10 users").await;
    assert_eq!(browser.value("Search").await, "user5");

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_user_is_made_changed_disabled_and_enabled_again() {
    let (server, root, browser) = with_root("en").await;
    root.post("/auth/admin/groups/", &json!({ "name": "Editors", "permissions": ["users.view_user"] }))
        .await
        .expect(201);

    browser.open("/admin/users/").await;
    browser.press("New user").await;
    browser.fill("Email address", ADA).await;
    browser.fill("First name", "Ada").await;
    browser.fill("Password", PASSWORD).await;
    browser.tick("They choose another password").await;
    browser.show("admin-new-user").await;
    browser.press("Make the user").await;
    browser.sees("ada@example.com is there.").await;
    browser.sees("user.created").await;
    let ada = server.logged_in(ADA).await;
    browser.fill("Last name", "Lovelace").await;
    browser.press("Save").await;
    browser.sees("ada@example.com is saved.").await;
    browser.choose("Put into a group", "Editors").await;
    browser.sees("through Editors").await;
    browser.show("admin-user").await;

    browser.press("Disable").await;
    browser.sees("ada@example.com is disabled").await;
    browser.sees("user.disabled").await;
    server.expect_dead(&ada).await;
    browser.press("Undo").await;
    browser.sees("ada@example.com may log in again.").await;
    server.logged_in(ADA).await;

    browser.end().await;
    drop(server);
}
