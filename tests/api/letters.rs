//! What language our letters are in, and in which forms they come.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, TestServer, minutes};

const ADA: &str = "ada@example.com";

/// Sends JSON as somebody whose browser reads these languages.
async fn post_in(server: &TestServer, languages: &str, path: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("accept-language", languages)];
    server.anon().send(Method::POST, path, &headers, Some(body.to_string().into())).await
}

async fn register_in(server: &TestServer, languages: &str) -> Answer {
    let body = json!({ "email": ADA, "password": PASSWORD });
    post_in(server, languages, "/auth/register/", &body).await
}

async fn log_in_in(server: &TestServer, languages: &str) {
    let body = json!({ "identifier": ADA, "password": PASSWORD });
    post_in(server, languages, "/auth/login/", &body).await.expect(200);
}

/// The subject of what the owner hears when somebody who reads `languages` tries to register with their address.
async fn heard_of_a_stranger(server: &TestServer, languages: &str) -> String {
    register_in(server, languages).await.expect(202);
    server.mail_to(ADA).await.subject
}

#[tokio::test]
async fn who_registers_in_spanish_gets_their_code_in_spanish() {
    let server = TestServer::start().await;

    register_in(&server, "es-MX,es;q=0.9,en;q=0.8").await.expect(202);

    let mail = server.mail_to(ADA).await;
    assert!(
        mail.text.starts_with("Hola:\n\nEste código confirma tu dirección de correo:\n"),
        "{}",
        mail.text
    );
    assert!(mail.eml.contains("\nContent-Language: es\n"), "{}", mail.eml);
    let body = json!({ "email": ADA, "code": mail.code() });
    let user = post_in(&server, "es", "/auth/register/verify/", &body).await.expect(200).body["user"].clone();
    assert!(user.is_object() && user.get("language").is_none(), "{user}");
}

#[tokio::test]
async fn a_language_that_we_do_not_write_is_answered_in_english() {
    let server = TestServer::start().await;

    register_in(&server, "tlh, *;q=0.5").await.expect(202);

    assert!(server.mail_to(ADA).await.eml.contains("\nContent-Language: en\n"));
}

#[tokio::test]
async fn a_letter_comes_as_text_and_as_html() {
    let server = TestServer::start().await;
    register_in(&server, "en").await.expect(202);

    let mail = server.mail_to(ADA).await;

    let (text, html) =
        (mail.eml.find("text/plain").expect("text"), mail.eml.find("text/html").expect("HTML"));
    assert!(text < html && mail.eml.contains("multipart/alternative"), "{}", mail.eml);
    let alone = mail.eml.lines().filter(|line| *line == mail.code()).count();
    assert_eq!(alone, 1, "{}", mail.eml);
    assert!(mail.eml[html..].contains(&mail.code()) && mail.eml[html..].contains(&mail.long_code()));
}

#[tokio::test]
async fn a_user_is_written_to_in_the_language_they_last_logged_in_with() {
    let server = TestServer::start().await;
    server.registered(ADA).await;

    log_in_in(&server, "es").await;
    assert_eq!(heard_of_a_stranger(&server, "en").await, "Ya tienes una cuenta");

    server.logged_in(ADA).await;
    assert_eq!(heard_of_a_stranger(&server, "en").await, "Ya tienes una cuenta");

    let server = server.restart().await;
    assert_eq!(heard_of_a_stranger(&server, "en").await, "Ya tienes una cuenta");

    log_in_in(&server, "en-GB").await;
    assert_eq!(heard_of_a_stranger(&server, "es").await, "You already have an account");
}

#[tokio::test]
async fn a_stranger_chooses_no_language_for_somebody_else() {
    let server = TestServer::start().await;
    server.registered(ADA).await;

    assert_eq!(heard_of_a_stranger(&server, "es").await, "You already have an account");
}

#[tokio::test]
async fn the_button_of_the_page_says_what_its_reader_reads() {
    let server = TestServer::start().await;
    register_in(&server, "en").await.expect(202);
    let form = format!("code={}", server.mail_to(ADA).await.long_code());
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept-language", "es")];
    server.anon().send(Method::POST, "/auth/register/verify", &headers, Some(form.into())).await.expect(200);

    assert_eq!(heard_of_a_stranger(&server, "en").await, "Ya tienes una cuenta");
}

#[tokio::test]
async fn another_code_is_in_the_users_own_language() {
    let server = TestServer::start_with("registration.verification = \"optional\"").await;
    register_in(&server, "es").await.expect(201);
    server.advance(minutes(2));

    let body = json!({ "email": ADA });
    post_in(&server, "en", "/auth/register/resend_email_verify/", &body).await.expect(202);

    let mails = server.mails_to(ADA).await;
    assert!(mails.len() == 2 && mails.iter().all(|mail| mail.text.starts_with("Hola:")), "{mails:?}");
}

#[tokio::test]
async fn another_code_of_a_registration_is_in_the_language_that_asks_for_it() {
    let server = TestServer::start().await;
    register_in(&server, "en").await.expect(202);
    server.advance(minutes(2));

    let body = json!({ "email": ADA });
    post_in(&server, "es", "/auth/register/resend_email_verify/", &body).await.expect(202);

    assert!(server.mail_to(ADA).await.text.starts_with("Hola:"));
}
