//! Registering: a code by mail, and an account for whoever can read it.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Mail, PASSWORD, TestServer, minutes};

const ADA: &str = "ada@example.com";
const OTHER_PASSWORD: &str = "another fine horse";

pub(crate) async fn register(server: &TestServer, email: &str) -> String {
    register_with(server, email, PASSWORD).await
}

/// Gives the handle of the registration.
async fn register_with(server: &TestServer, email: &str, password: &str) -> String {
    let body = json!({ "email": email, "password": password });
    let answer = server.anon().post("/auth/register/", &body).await.expect(202);
    answer.body["registration"].as_str().expect("a handle").to_owned()
}

pub(crate) async fn verify(server: &TestServer, body: Value) -> Answer {
    server.anon().post("/auth/register/verify/", &body).await
}

pub(crate) async fn resend(server: &TestServer, body: Value) -> Answer {
    server.anon().post("/auth/register/resend_email_verify/", &body).await
}

async fn log_in(server: &TestServer, identifier: &str, password: &str) -> Answer {
    server.anon().post("/auth/login/", &json!({ "identifier": identifier, "password": password })).await
}

#[tokio::test]
async fn a_mailed_code_makes_the_account_and_logs_in() {
    let server = TestServer::start().await;
    let wish = json!({
        "email": "Ada@Example.com", "password": PASSWORD, "username": "ada", "first_name": " Ada ",
        "last_name": "Lovelace", "avatar": "https://example.com/ada.png",
    });

    let pending = server.anon().post("/auth/register/", &wish).await.expect(202);
    let mails = server.mails_to("Ada@example.com").await;
    let body = json!({ "email": ADA, "code": mails[0].code() });
    let verified = verify(&server, body).await.expect(200).body;
    let profile = server.caller(verified.clone()).get("/auth/profile/").await.expect(200).body;

    assert_eq!(pending.body["status"], "verification_required");
    assert_eq!(pending.body["email"], "Ada@Example.com");
    assert_eq!(pending.body.as_object().map(serde_json::Map::len), Some(3));
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "Confirm your email address");
    assert!(mails[0].link().starts_with("http://127.0.0.1:8000/auth/register/verify?code="));
    assert_eq!(verified["token_type"], "Bearer");
    assert_eq!(verified["user"], profile);
    assert_eq!(profile["id"], 1);
    assert_eq!(profile["email"], "Ada@Example.com");
    assert_eq!(profile["username"], "ada");
    assert_eq!(profile["full_name"], "Ada Lovelace");
    assert_eq!(profile["avatar"], "https://example.com/ada.png");
    assert_eq!(profile["groups"], json!([]));
    assert_eq!(profile["last_login"], profile["date_joined"]);
    for (member, expected) in
        [("is_active", true), ("email_verified", true), ("is_staff", false), ("is_superuser", false)]
    {
        assert_eq!(profile[member], expected, "{member}");
    }
    assert_eq!(server.events(), ["user.registered", "user.verified", "login.succeeded"]);
}

#[tokio::test]
async fn before_the_code_there_is_no_account() {
    let server = TestServer::start().await;
    register(&server, ADA).await;

    let early = log_in(&server, ADA, PASSWORD).await;

    early.expect_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_taken_address_is_answered_like_a_free_one_and_its_owner_hears_of_it() {
    let server = TestServer::start().await;
    let body = json!({ "email": ADA, "password": OTHER_PASSWORD });
    let free = server.anon().post("/auth/register/", &body).await;
    let code = server.mail_to(ADA).await.code();
    verify(&server, json!({ "email": ADA, "code": code })).await.expect(200);

    let spelled = json!({ "email": "ADA@EXAMPLE.COM", "password": PASSWORD });
    let other_spelling = server.anon().post("/auth/register/", &spelled).await.expect(202);
    let body = json!({ "email": ADA, "password": PASSWORD });
    let taken = server.anon().post("/auth/register/", &body).await;

    assert_eq!(taken.anonymous(), free.anonymous());
    assert_eq!(taken.text.len(), free.text.len());
    assert_eq!(taken.headers.keys_len(), free.headers.keys_len());
    assert_eq!(other_spelling.body["email"], "ADA@EXAMPLE.COM");
    let mails = server.mails_to(ADA).await;
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    let notice = "You already have an account";
    assert_eq!(subjects, ["Confirm your email address", notice, notice]);
    assert!(!has_code(&mails[2]), "{}", mails[2].text);
    assert!(server.mails_to("ADA@example.com").await.is_empty());
}

fn has_code(mail: &Mail) -> bool {
    mail.text.contains("?code=")
        || mail.text.lines().any(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit()))
}

#[tokio::test]
async fn registering_a_taken_address_leaves_its_account_alone() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let before = ada.get("/auth/profile/").await.expect(200).body;

    let handle = register_with(&server, ADA, OTHER_PASSWORD).await;
    server.advance(minutes(2));
    resend(&server, json!({ "registration": handle })).await.expect(202);

    log_in(&server, ADA, OTHER_PASSWORD).await.expect_problem(401, "invalid_credentials");
    assert_eq!(ada.get("/auth/profile/").await.expect(200).body, before);
    log_in(&server, ADA, PASSWORD).await.expect(200);
    assert!(server.mails_to(ADA).await.iter().skip(1).all(|mail| !has_code(mail)));
    let bob = server.registered("bob@example.com").await;
    assert_eq!(bob.tokens["user"]["id"], 2);
}

#[tokio::test]
async fn nobody_puts_a_password_under_somebody_elses_address() {
    let server = TestServer::start().await;
    let attackers = register_with(&server, ADA, OTHER_PASSWORD).await;
    let attackers_mail = server.mail_to(ADA).await;
    let own = register(&server, ADA).await;
    let own_code = server.mail_to(ADA).await.code();

    let verified = verify(&server, json!({ "registration": own, "code": own_code })).await;

    verified.expect(200);
    log_in(&server, ADA, OTHER_PASSWORD).await.expect_problem(401, "invalid_credentials");
    log_in(&server, ADA, PASSWORD).await.expect(200);
    for body in [
        json!({ "code": attackers_mail.long_code() }),
        json!({ "registration": attackers, "code": attackers_mail.code() }),
        json!({ "email": ADA, "code": attackers_mail.code() }),
    ] {
        verify(&server, body).await.expect_problem(400, "invalid_code");
    }
    let mails = server.mails_to(ADA).await.len();
    server.advance(minutes(2));
    resend(&server, json!({ "registration": attackers })).await.expect(202);
    assert_eq!(server.mails_to(ADA).await.len(), mails);
}

#[tokio::test]
async fn each_registration_keeps_its_own_data() {
    let server = TestServer::start().await;
    let mut registrations = Vec::new();
    for name in ["First", "Second"] {
        let body = json!({ "email": ADA, "password": PASSWORD, "first_name": name });
        server.anon().post("/auth/register/", &body).await.expect(202);
        registrations.push(server.mail_to(ADA).await);
    }

    let verified = verify(&server, json!({ "email": ADA, "code": registrations[0].code() })).await;

    assert_eq!(verified.expect(200).body["user"]["first_name"], "First");
}

#[tokio::test]
async fn a_taken_username_is_told_in_every_spelling() {
    let server = TestServer::start().await;
    server.registered_as(json!({ "email": ADA, "password": PASSWORD, "username": "ada" })).await;

    for username in ["ada", "ADA", "ａｄａ"] {
        let body = json!({ "email": "eve@example.com", "password": PASSWORD, "username": username });
        let refused = server.anon().post("/auth/register/", &body).await;

        refused.expect_invalid(&[("username", "taken")]);
    }
    assert!(server.mails_to("eve@example.com").await.is_empty());
}

#[tokio::test]
async fn whoever_confirms_first_has_the_username() {
    let server = TestServer::start().await;
    let wish = |email: &str| json!({ "email": email, "password": PASSWORD, "username": "ada" });
    server.anon().post("/auth/register/", &wish(ADA)).await.expect(202);
    server.registered_as(wish("faster@example.com")).await;

    let code = server.mail_to(ADA).await.code();
    let verified = verify(&server, json!({ "email": ADA, "code": code })).await.expect(200);

    assert_eq!(verified.body["user"]["username"], Value::Null);
    assert_eq!(verified.body["user"]["email"], ADA);
}

#[tokio::test]
async fn another_persons_address_is_no_username() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let wish =
        |username: &str| json!({ "email": "eve@example.com", "password": PASSWORD, "username": username });

    for username in [ADA, "ADA@EXAMPLE.COM", "nobody@example.com"] {
        let refused = server.anon().post("/auth/register/", &wish(username)).await;

        refused.expect_invalid(&[("username", "invalid_username")]);
    }
    server.anon().post("/auth/register/", &wish("eve@example.com")).await.expect(202);
}

#[tokio::test]
async fn closed_registration_says_so() {
    let server = TestServer::start_with("registration.mode = \"closed\"").await;

    let body = json!({ "email": ADA, "password": PASSWORD });
    let refused = server.anon().post("/auth/register/", &body).await;

    refused.expect_problem(403, "registration_closed");
    assert!(server.mails_to(ADA).await.is_empty());
}

#[tokio::test]
async fn optional_verification_makes_the_account_at_once_and_its_code_verifies() {
    let server = TestServer::start_with("registration.verification = \"optional\"").await;
    let body = json!({ "email": ADA, "password": PASSWORD });

    let made = server.anon().post("/auth/register/", &body).await.expect(201).body;
    log_in(&server, ADA, PASSWORD).await.expect(200);
    let code = server.mail_to(ADA).await.code();
    let verified = verify(&server, json!({ "email": ADA, "code": code })).await.expect(200).body;

    assert_eq!(made.as_object().map(serde_json::Map::len), Some(1));
    assert_eq!(made["user"]["is_active"], true);
    assert_eq!(made["user"]["email_verified"], false);
    assert_eq!(verified["user"]["email_verified"], true);
    verify(&server, json!({ "email": ADA, "code": code })).await.expect_problem(400, "invalid_code");
}

#[tokio::test]
async fn optional_verification_resends_to_the_unverified_only() {
    let server = TestServer::start_with("registration.verification = \"optional\"").await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    server.anon().post("/auth/register/", &body).await.expect(201);
    let earlier = server.mail_to(ADA).await;

    server.advance(minutes(2));
    resend(&server, json!({ "email": ADA })).await.expect(202);
    let newer = server.mail_to(ADA).await;
    verify(&server, json!({ "code": earlier.long_code() })).await.expect_problem(400, "invalid_code");
    verify(&server, json!({ "code": newer.long_code() })).await.expect(200);
    server.advance(minutes(2));
    resend(&server, json!({ "email": ADA })).await.expect(202);

    assert_eq!(server.mails_to(ADA).await.len(), 2);
}

#[tokio::test]
async fn no_verification_sends_no_mail() {
    let server = TestServer::start_with("registration.verification = \"none\"").await;
    let body = json!({ "email": ADA, "password": PASSWORD });

    let made = server.anon().post("/auth/register/", &body).await.expect(201).body;

    assert_eq!(made["user"]["email"], ADA);
    assert_eq!(made["user"]["is_active"], true);
    assert_eq!(made["user"]["email_verified"], false);
    assert!(server.mails_to(ADA).await.is_empty());
    log_in(&server, ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn where_accounts_are_made_at_once_a_taken_address_is_a_conflict() {
    for mode in ["optional", "none"] {
        let server = TestServer::start_with(&format!("registration.verification = \"{mode}\"")).await;
        let body = json!({ "email": ADA, "password": PASSWORD });
        server.anon().post("/auth/register/", &body).await.expect(201);

        let body = json!({ "email": "ADA@example.com", "password": OTHER_PASSWORD });
        let refused = server.anon().post("/auth/register/", &body).await.expect_problem(409, "conflict");

        assert_eq!(refused.body["errors"]["email"][0]["code"], "taken", "{mode}");
        log_in(&server, ADA, OTHER_PASSWORD).await.expect_problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn every_step_survives_a_restart() {
    let server = TestServer::start().await;
    let registration = register(&server, ADA).await;
    let server = server.restart().await;
    assert_eq!(server.mails_to(ADA).await.len(), 1);
    let server = server.restart().await;
    server.advance(minutes(2));
    resend(&server, json!({ "registration": registration })).await.expect(202);
    let server = server.restart().await;
    let code = server.mail_to(ADA).await.code();

    let verified = verify(&server, json!({ "registration": registration, "code": code })).await.expect(200);
    let server = server.restart().await;

    let ada = server.caller(verified.body);
    assert_eq!(ada.get("/auth/profile/").await.expect(200).body["email"], ADA);
    log_in(&server, ADA, PASSWORD).await.expect(200);
    verify(&server, json!({ "registration": registration, "code": code })).await.expect(400);
}

#[tokio::test]
async fn each_member_is_held_to_its_rules() {
    let server = TestServer::start().await;
    let (long, long_url) = ("a".repeat(151), format!("https://example.com/{}", "a".repeat(2048)));
    let (long_email, long_password) = (format!("a@{}.com", "b".repeat(260)), "p".repeat(257));
    let rules: &[(&str, Value, &str)] = &[
        ("email", Value::Null, "null"),
        ("email", json!(5), "type"),
        ("email", json!([ADA]), "type"),
        ("email", json!({ "address": ADA }), "type"),
        ("email", json!(""), "blank"),
        ("email", json!("  "), "blank"),
        ("email", json!("ada"), "invalid_email"),
        ("email", json!("ada@example.com,eve@example.com"), "invalid_email"),
        ("email", json!("ada@exam\u{0}ple.com"), "invalid_email"),
        ("email", json!("ada@example.com\r\nBcc: eve@example.com"), "invalid_email"),
        ("email", json!(long_email), "max_length"),
        ("password", Value::Null, "null"),
        ("password", json!(12_345_678), "type"),
        ("password", json!(""), "blank"),
        ("password", json!("short"), "password_too_short"),
        ("password", json!(long_password), "password_too_long"),
        ("password", json!("é".repeat(600)), "password_too_long"),
        ("username", json!(5), "type"),
        ("username", json!(false), "type"),
        ("username", json!(""), "blank"),
        ("username", json!(long), "max_length"),
        ("username", json!("a b"), "invalid_username"),
        ("username", json!("a\u{0}b"), "invalid_username"),
        ("username", json!("a\u{202e}b"), "invalid_username"),
        ("first_name", json!(5), "type"),
        ("first_name", json!(long), "max_length"),
        ("first_name", json!("A\u{0}da"), "type"),
        ("last_name", json!(["Lovelace"]), "type"),
        ("last_name", json!(long), "max_length"),
        ("last_name", json!("Love\u{1b}[2Jlace"), "type"),
        ("avatar", json!(5), "type"),
        ("avatar", json!(""), "blank"),
        ("avatar", json!(long_url), "max_length"),
        ("avatar", json!("javascript:alert(1)"), "invalid_url"),
        ("avatar", json!("http://exa\u{0}mple.com/"), "invalid_url"),
        ("is_superuser", json!(true), "unknown_field"),
        ("is_active", json!(true), "unknown_field"),
        ("", json!("x"), "unknown_field"),
    ];

    for (member, value, code) in rules {
        let mut body = json!({ "email": ADA, "password": PASSWORD });
        body[*member] = value.clone();
        let refused = server.anon().post("/auth/register/", &body).await;

        refused.expect_invalid(&[(member, code)]);
    }
    for missing in ["email", "password"] {
        let mut body = json!({ "email": ADA, "password": PASSWORD });
        body.as_object_mut().expect("an object").remove(missing);
        server.anon().post("/auth/register/", &body).await.expect_invalid(&[(missing, "required")]);
    }
    assert!(server.events().is_empty());
    assert!(server.mails_to(ADA).await.is_empty());
}

#[tokio::test]
async fn what_is_optional_may_be_null_and_names_may_be_empty() {
    let server = TestServer::start().await;
    let body = json!({
        "email": ADA, "password": PASSWORD, "username": null, "first_name": null, "last_name": "", "avatar": null,
    });

    let ada = server.registered_as(body).await;

    let user = &ada.tokens["user"];
    assert_eq!((&user["username"], &user["avatar"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&user["first_name"], &user["last_name"], &user["full_name"]),
        (&json!(""), &json!(""), &json!(""))
    );
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let server = TestServer::start().await;
    let body = json!({
        "email": "ada", "username": "a b", "first_name": 7, "last_name": "a\u{0}", "avatar": "ftp://example.com/",
        "is_staff": true, "id": 1,
    });

    let refused = server.anon().post("/auth/register/", &body).await;

    refused.expect_invalid(&[
        ("email", "invalid_email"),
        ("password", "required"),
        ("username", "invalid_username"),
        ("first_name", "type"),
        ("last_name", "type"),
        ("avatar", "invalid_url"),
        ("is_staff", "unknown_field"),
        ("id", "unknown_field"),
    ]);
}

#[tokio::test]
async fn a_member_given_twice_is_refused() {
    let server = TestServer::start().await;
    let json = [("content-type", "application/json")];

    for (member, value) in [("email", "eve@example.com"), ("password", PASSWORD)] {
        let body = format!(r#"{{"email":"{ADA}","password":"{PASSWORD}","{member}":"{value}"}}"#);
        let refused =
            server.anon().send(Method::POST, "/auth/register/", &json, Some(body.into_bytes())).await;

        refused.expect_invalid(&[(member, "type")]);
    }
    assert!(server.events().is_empty());
}

#[tokio::test]
async fn a_name_that_is_the_address_does_not_tell_whether_the_address_is_taken() {
    let server = TestServer::start().await;
    let own = "jess@example.com";
    server.registered_as(json!({ "email": own, "username": own, "password": PASSWORD })).await;

    for (email, username) in [
        (own, own),
        (own, "je\u{df}@example.com"),
        ("tess@example.com", "te\u{df}@example.com"),
        ("tess@example.com", "tess@example.com"),
    ] {
        let body = json!({ "email": email, "username": username, "password": PASSWORD });
        server.anon().post("/auth/register/", &body).await.expect(202);
    }
}
