//! The admin page: the overview, the outbox, registrations, keys and the configuration.

use serde_json::json;

use crate::admin::{log_in, with_root};
use crate::browser::lacks_browser;
use crate::harness::{Caller, PASSWORD, TestServer, minutes};

const ADA: &str = "ada@example.com";

async fn register(server: &TestServer, email: &str) {
    let body = json!({ "email": email, "password": PASSWORD, "first_name": "Ada", "last_name": "Lovelace" });
    server.anon().post("/auth/register/", &body).await.expect(202);
}

async fn fail_to_log_in(server: &TestServer) {
    let body = json!({ "identifier": ADA, "password": "a wrong horse" });
    server.anon().post("/auth/login/", &body).await.expect(401);
}

/// A day of log-ins, some of which failed.
async fn some_history(server: &TestServer, root: &Caller) {
    root.post("/auth/admin/users/", &json!({ "email": ADA, "password": PASSWORD })).await.expect(201);
    for n in 0..14 {
        for _ in 0..(n * 7) % 5 {
            server.logged_in(ADA).await;
        }
        if n % 3 == 0 {
            fail_to_log_in(server).await;
        }
        server.advance(minutes(60));
    }
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn the_overview_says_how_the_service_does() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    some_history(&server, &root).await;
    register(&server, "bob@example.com").await;
    log_in(&browser, "root@example.com").await;

    browser.open("/admin/").await;
    browser.sees("active: 2 · staff: 1 · superusers: 1").await;
    browser.sees("Failed: 5").await;
    browser.sees("none known").await;
    browser.show("admin-overview").await;
    browser.press("30 days").await;
    browser.press("As a table").await;
    browser.sees("Succeeded").await;
    browser.press("Mails waiting").await;
    browser.arrives_at("/admin/outbox/").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn staff_see_of_the_overview_what_they_may() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("es").await;
    server.staff_with(&root, "mailer@example.com", &["mail.view_message"]).await;
    server.staff_with(&root, "keeper@example.com", &["keys.view_signingkey"]).await;

    log_in(&browser, "mailer@example.com").await;
    browser.open("/admin/").await;
    browser.sees("Correos en espera").await;
    browser.sees_no("Inicios de sesión").await;
    browser.sees_no("Configuración").await;
    browser.show("admin-overview-staff").await;
    log_in(&browser, "keeper@example.com").await;
    browser.open("/admin/").await;
    browser.sees("Elija en el menú").await;
    browser.press("Claves").await;
    browser.sees("tokens de acceso").await;
    browser.sees_no("Rotar…").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_mail_that_did_not_arrive_is_sent_again_handed_on_or_dropped() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    root.post("/auth/admin/users/", &json!({ "email": ADA, "password": PASSWORD })).await.expect(201);
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);

    browser.open("/admin/outbox/").await;
    browser.sees("reset_password").await;
    browser.press("Send again").await;
    browser.sees("is tried again now.").await;
    browser.show("admin-outbox").await;
    browser.press("Copy the link").await;
    browser.sees("Give it to nobody else.").await;
    let link = browser.value("Link").await;
    browser.show("admin-outbox-link").await;
    browser.press("Close").await;
    assert!(link.contains("/account/reset/?uid="), "{link}");
    browser.press("Drop…").await;
    browser.sees("This cannot be undone.").await;
    browser.press("Drop").await;
    browser.sees("No mail is waiting.").await;
    assert!(server.mails_to(ADA).await.is_empty());
    let events = server.events();
    assert_eq!(events[events.len() - 3..], ["mail.resent", "mail.link_copied", "mail.dropped"]);

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_mail_that_was_given_up_says_why_on_a_page_that_no_name_breaks() {
    if lacks_browser() {
        return;
    }
    let (server, root, browser) = with_root("en").await;
    let hostile = json!({
        "email": "eve@example.com", "password": PASSWORD, "first_name": "<img src=x onerror=alert(1)>",
        "last_name": "\u{202e}gnihtemos",
    });
    server.anon().post("/auth/register/", &hostile).await.expect(202);

    browser.open("/admin/registrations/").await;
    browser.sees("<img src=x onerror=alert(1)> \u{fffd}gnihtemos").await;
    server.advance(minutes(11));
    server.run_jobs().await;
    browser.open("/admin/outbox/").await;
    browser.sees("given up").await;
    browser.sees("not sent before what is in it was dead").await;
    browser.sees_no("Send again").await;
    browser.sees_no("Copy the link").await;
    browser.show("admin-outbox-failed").await;

    browser.end().await;
    drop((server, root));
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn registrations_are_activated_and_dropped_by_name() {
    if lacks_browser() {
        return;
    }
    let (server, _root, browser) = with_root("en").await;
    register(&server, ADA).await;

    browser.open("/admin/registrations/").await;
    browser.sees("Ada Lovelace").await;
    browser.show("admin-registrations").await;
    browser.press("Activate…").await;
    browser.sees("You vouch that ada@example.com is theirs").await;
    browser.show("admin-registration-activate").await;
    browser.press("Activate").await;
    browser.sees("ada@example.com is a user now.").await;
    browser.sees("Nobody is waiting.").await;
    server.logged_in(ADA).await;
    register(&server, "bob@example.com").await;
    browser.open("/admin/registrations/").await;
    browser.press("Drop…").await;
    browser.press("Drop").await;
    browser.sees("Nobody is waiting.").await;

    browser.end().await;
    drop(server);
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn keys_are_seen_and_rotated_and_the_configuration_is_read() {
    if lacks_browser() {
        return;
    }
    let (server, _root, browser) = with_root("en").await;

    browser.open("/admin/keys/").await;
    browser.sees("access tokens").await;
    browser.press("Rotate…").await;
    browser.sees("nobody is logged out").await;
    browser.press("Rotate").await;
    browser.sees("still verifies").await;
    browser.show("admin-keys").await;
    browser.press("Configuration").await;
    browser.sees("passwords.min_length").await;
    browser.fill("Filter", "store.path").await;
    browser.sees_no("passwords.min_length").await;
    browser.sees("keystead.redb").await;
    browser.fill("Filter", " ").await;
    browser.tick("Only what is not a default").await;
    browser.sees_no("passwords.min_length").await;
    browser.show("admin-configuration").await;

    browser.end().await;
    drop(server);
}
