//! What of a mail is in the database file: while it waits, and after it is gone.

use serde_json::json;

use crate::harness::{Mail, PASSWORD, TestServer, days};

const ADA: &str = "ada@example.com";

async fn registering() -> TestServer {
    let server = TestServer::start().await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    server.anon().post("/auth/register/", &body).await.expect(202);
    server
}

fn holds(file: &[u8], text: &str) -> bool {
    file.windows(text.len()).any(|window| window == text.as_bytes())
}

fn expect_no_code(file: &[u8], mail: &Mail) {
    for secret in [mail.code(), mail.long_code()] {
        assert!(!holds(file, &secret), "{secret} is in the file");
    }
    assert!(holds(file, ADA), "nothing would be found");
}

#[tokio::test]
async fn no_code_is_in_the_file_while_its_mail_waits_or_after_it_went() {
    let server = registering().await;

    let waiting = server.store_bytes();
    let mail = server.mail_to(ADA).await;

    assert!(holds(&waiting, &mail.subject), "the mail does not wait there");
    expect_no_code(&waiting, &mail);
    expect_no_code(&server.store_bytes(), &mail);
}

#[tokio::test]
async fn a_sealed_mail_is_delivered_after_a_restart_and_leaves_no_code() {
    let server = registering().await.restart().await;

    let waiting = server.store_bytes();
    let mail = server.mail_to(ADA).await;

    expect_no_code(&waiting, &mail);
    expect_no_code(&server.store_bytes(), &mail);
    let server = server.restart().await;
    expect_no_code(&server.store_bytes(), &mail);
    assert_eq!(server.mails_to(ADA).await.len(), 1);
    let body = json!({ "email": ADA, "code": mail.code() });
    server.anon().post("/auth/register/verify/", &body).await.expect(200);
}

#[tokio::test]
async fn no_token_is_in_the_file() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let again = server.logged_in(ADA).await;

    let file = server.store_bytes();

    for token in [ada.access(), ada.refresh(), again.access(), again.refresh()] {
        let signature = token.rsplit('.').next().expect("a signature");
        assert!(!holds(&file, token) && !holds(&file, signature));
    }
}

#[tokio::test]
async fn a_mail_of_an_older_file_is_delivered() {
    let plain = include_bytes!("../fixtures/store-2.redb").as_slice();
    let sealed = include_bytes!("../fixtures/store-3.redb").as_slice();
    for (file, subject) in [(plain, "Ya tienes una cuenta"), (sealed, "You already have an account")] {
        let server = TestServer::start_on(file).await;
        // Past all that was written, whatever the machine's clock says; and past the life of every code.
        server.advance(days(36_500));

        let mails = server.mails_to(ADA).await;

        assert_eq!(mails.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(), [subject]);
        assert!(mails[0].text.contains(ADA) && mails[0].eml.contains("<!doctype html>"), "{}", mails[0].eml);
        assert_eq!(server.mails_to("bob@example.com").await.len(), 0);
        assert_eq!(server.restart().await.mails_to(ADA).await.len(), 1);
    }
}
