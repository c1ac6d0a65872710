//! The hosted pages, from the first visit to the end of the account.

use crate::browser::{Browser, ELSEWHERE, lacks_browser, served, served_as};
use crate::harness::PASSWORD;

const ADA: &str = "ada@example.com";

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_visitor_registers_types_the_code_and_looks_after_the_account() {
    if lacks_browser() {
        return;
    }
    let server = served("site.name = \"Acme\"").await;
    let mut browser = Browser::start(&server).await;

    browser.open("/account/").await;
    browser.arrives_at("/account/login/?next=%2Faccount%2F").await;
    browser.show("account-login").await;
    browser.press("Make an account").await;
    browser.show("account-register").await;
    browser.expect_status(400);
    browser.fill("Email address", ADA).await;
    browser.fill("Password", "ada@ex").await;
    browser.sees("Characters to go: 2").await;
    browser.fill("Password", "ada@example").await;
    browser.sees("Long enough.").await;
    browser.press("Make the account").await;
    browser.sees("too similar").await;
    browser.show("account-register-wrong").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Make the account").await;
    browser.sees("We sent you a mail").await;
    browser.sees("Send another code (").await;
    browser.show("account-code").await;
    browser.fill("Code", &server.mail_to(ADA).await.code()).await;
    browser.press("Confirm").await;
    browser.arrives_at("/account/").await;
    browser.fill("First name (optional)", "Ada").await;
    browser.fill("Last name (optional)", "<img src=x onerror=alert(1)>").await;
    browser.press("Save").await;
    browser.sees("Your profile is saved.").await;
    browser.sees("Ada <img src=x onerror=alert(1)>").await;
    browser.show("account-profile").await;

    browser.press("API keys").await;
    browser.fill("Name", "Nightly backup").await;
    browser.press("Make the key").await;
    browser.sees("ksk_").await;
    browser.show("account-api-keys").await;
    browser.press("Revoke Nightly backup").await;
    browser.press("Cancel").await;
    browser.press("Revoke Nightly backup").await;
    browser.press("Yes, do it").await;
    browser.sees("The key is revoked.").await;

    browser.press("Where you are logged in").await;
    browser.sees("here").await;
    browser.show("account-sessions").await;

    browser.press("Email address").await;
    browser.fill("New email address", "countess@example.com").await;
    browser.fill("Present password", PASSWORD).await;
    browser.press("Send the code").await;
    browser.arrives_at("/account/email/confirm/").await;
    browser.fill("Code", &server.mail_to("countess@example.com").await.code()).await;
    browser.press("Confirm").await;
    browser.sees("Your address is changed.").await;

    browser.press("Delete the account").await;
    browser.show("account-delete").await;
    browser.fill("Present password", PASSWORD).await;
    browser.press("Delete my account").await;
    browser.press("Yes, do it").await;
    browser.sees("Your account is closed.").await;
    browser.end().await;
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn a_forgotten_password_is_replaced_by_the_link_of_the_mail() {
    if lacks_browser() {
        return;
    }
    let server = served("").await;
    server.registered(ADA).await;
    let browser = Browser::start(&server).await;

    browser.open("/account/login/?next=/account/sessions/").await;
    browser.press("Forgot the password?").await;
    browser.fill("Email address", ADA).await;
    browser.press("Send the link").await;
    browser.sees("is on its way").await;
    browser.open(&server.mail_to(ADA).await.link()).await;
    browser.show("account-reset").await;
    browser.fill("New password", "a better horse battery").await;
    browser.press("Show the password").await;
    browser.press("Set the password").await;
    browser.sees("Your password is new").await;
    browser.press("Log in").await;
    browser.fill("Email address or username", ADA).await;
    browser.fill("Password", "a better horse battery").await;
    browser.press("Log in").await;
    browser.arrives_at("/account/").await;
    browser.press("Log out").await;
    browser.sees("You are logged out.").await;
    browser.end().await;
}

/// There a browser says nothing in `Sec-Fetch-Site`, and all the more depends on `Origin`.
#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn the_pages_work_without_tls_on_a_host_that_is_not_this_machine() {
    if lacks_browser() {
        return;
    }
    let server = served_as(ELSEWHERE, "").await;
    server.registered(ADA).await;
    let base = format!("http://{ELSEWHERE}:{}", server.address.port());
    let mut browser = Browser::start_at("en", base).await;
    browser.expect_complaint("The Cross-Origin-Opener-Policy header has been ignored");

    browser.open("/account/sessions/").await;
    browser.fill("Email address or username", ADA).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in").await;
    browser.arrives_at("/account/sessions/").await;
    browser.press("Profile").await;
    browser.fill("First name (optional)", "Ada").await;
    browser.press("Save").await;
    browser.sees("Your profile is saved.").await;
    browser.open("/docs/").await;
    browser.sees(ADA).await;
    browser.open("/account/").await;
    browser.press("Log out").await;
    browser.sees("You are logged out.").await;
    browser.end().await;
}

#[tokio::test]
#[ignore = "needs chromium and its driver"]
async fn the_pages_are_in_spanish_for_whoever_reads_it() {
    if lacks_browser() {
        return;
    }
    let server = served("").await;
    server.registered(ADA).await;
    let browser = Browser::start_in("es", &server).await;

    browser.open("/account/password/").await;
    browser.fill("Dirección de correo o nombre de usuario", ADA).await;
    browser.fill("Contraseña", PASSWORD).await;
    browser.press("Mostrar la contraseña").await;
    browser.press("Iniciar sesión").await;
    browser.arrives_at("/account/password/").await;
    browser.show("account-password-es").await;
    browser.end().await;
}
