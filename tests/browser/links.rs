//! The pages that the links of our mails and of our log open.

use crate::browser::{Browser, lacks_browser, served};

const ADA: &str = "ada@example.com";

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn the_first_administrator_is_made_by_the_link_of_the_log() {
    if lacks_browser() {
        return;
    }
    let server = served("").await;
    let browser = Browser::start(&server).await;

    browser.open(&server.setup_link().expect("a link")).await;
    browser.show("setup").await;
    browser.fill("Email address", ADA).await;
    browser.fill("Password", "correct horse battery").await;
    browser.fill("Password (again)", "correct horse battery").await;
    browser.press("Make the administrator").await;
    browser.sees("There is an administrator").await;

    server.logged_in(ADA).await;
    browser.end().await;
}
