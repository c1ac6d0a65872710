//! The mailbox of a throw-away service.

use keystead::testing::Server;
use serde_json::json;

use crate::browser::{Browser, lacks_browser};
use crate::harness::{Caller, PASSWORD};

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_mail_is_announced_and_read() {
    if lacks_browser() {
        return;
    }
    let server = Server::start().await;
    let browser = Browser::start_at("en", server.url().to_owned()).await;
    browser.open("/dev/mail/").await;
    browser.sees("Development mode").await;
    browser.sees("No mail yet.").await;
    browser.show("mailbox-empty").await;

    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    Caller::to(server.url()).post("/auth/register/", &body).await.expect(202);
    let mail = server.mail_to("ada@example.com").await;

    browser.press("There is a new mail: show it").await;
    browser.sees(&mail.code.expect("a code")).await;
    browser.show("mailbox").await;
    browser.press(&mail.subject).await;
    browser.sees("As a mail program shows it").await;
    browser.show("mailbox-mail").await;
    browser.press(&mail.link.expect("a link")).await;
    browser.press("Confirm my address").await;
    browser.sees("confirmed").await;
    browser.end().await;
}
