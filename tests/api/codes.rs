//! Mailed codes: what they open, how they die, and how to get another.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use crate::harness::{Answer, Mail, PASSWORD, TestServer, days, minutes};
use crate::registrations::{register, resend, verify};

const ADA: &str = "ada@example.com";

async fn log_in(server: &TestServer) -> Answer {
    server.anon().post("/auth/login/", &json!({ "identifier": ADA, "password": PASSWORD })).await
}

/// Presses the button of the page behind the link.
async fn press_button(server: &TestServer, code: &str) -> Answer {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("code={code}").into_bytes();
    server.anon().send(Method::POST, "/auth/register/verify/", &form, Some(body)).await
}

/// Eight digits that are not these.
fn wrong(code: &str) -> String {
    let digits: u32 = code.parse().expect("digits");
    format!("{:08}", (digits + 1) % 100_000_000)
}

/// The path and query of a link, which the tests' servers do not listen at themselves.
fn path_of(link: &str) -> &str {
    link.strip_prefix("http://127.0.0.1:8000").expect("a link to the public URL")
}

#[tokio::test]
async fn the_handle_of_the_registration_stands_for_the_address() {
    let server = TestServer::start().await;
    let registration = register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();

    let verified = verify(&server, json!({ "registration": registration, "code": code })).await;

    assert_eq!(verified.expect(200).body["user"]["email"], ADA);
}

#[tokio::test]
async fn the_long_code_needs_nothing_beside_it() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let code = server.mail_to(ADA).await.long_code();

    let verified = verify(&server, json!({ "code": code })).await;

    assert_eq!(verified.expect(200).body["user"]["email"], ADA);
}

#[tokio::test]
async fn the_digits_may_be_typed_in_groups() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();
    let (left, right) = code.split_at(4);

    let verified = verify(&server, json!({ "email": ADA, "code": format!("{left} {right}") })).await;

    verified.expect(200);
}

#[tokio::test]
async fn the_short_code_alone_names_nobody() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();

    let refused = verify(&server, json!({ "code": code })).await;

    refused.expect_problem(400, "invalid_code");
}

#[tokio::test]
async fn opening_the_link_shows_a_button_and_changes_nothing() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let mail = server.mail_to(ADA).await;
    let (link, code) = (mail.link(), mail.long_code());
    let events = server.events();

    let anon = server.anon();
    let first = anon.get(path_of(&link)).await.expect(200);
    let second = anon.get(path_of(&link)).await.expect(200);
    let head = anon.send(Method::HEAD, path_of(&link), &[], None).await.expect(200);

    assert_eq!(first.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(first.text.contains("<button type=\"submit\"") && first.text.contains(&code), "{}", first.text);
    assert!(!first.text.contains("<script>"), "{}", first.text);
    assert_eq!(first.text, second.text);
    assert_eq!(head.text, "");
    assert_eq!(server.events(), events);
    log_in(&server).await.expect_problem(401, "invalid_credentials");
    verify(&server, json!({ "code": code })).await.expect(200);
}

#[tokio::test]
async fn the_button_confirms_once() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let code = server.mail_to(ADA).await.long_code();

    let first = press_button(&server, &code).await.expect(200);
    let second = press_button(&server, &code).await.expect(400);

    assert_eq!(first.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(first.text.contains("Your address is confirmed"), "{}", first.text);
    assert!(second.text.contains("does not work any more"), "{}", second.text);
    assert_eq!(server.events(), ["user.registered", "user.verified", "verification.failed"]);
    log_in(&server).await.expect(200);
}

#[tokio::test]
async fn the_button_takes_the_long_code_only() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();

    for form in [code.clone(), format!("{code}&email={ADA}"), "nonsense".to_owned(), String::new()] {
        let pressed = press_button(&server, &form).await;

        assert_eq!(pressed.status, 400, "{form}: {}", pressed.text);
    }
    assert_eq!(server.events(), ["user.registered"]);
}

#[tokio::test]
async fn a_link_without_a_code_says_that_it_does_not_work() {
    let server = TestServer::start().await;
    let long = "A".repeat(43);

    for query in ["", "?code=", "?code=short", "?code=%3Cscript%3E", &format!("?code={long}&code={long}")] {
        let page = server.anon().get(&format!("/auth/register/verify{query}")).await.expect(400);

        assert!(page.text.contains("does not work any more"), "{query}: {}", page.text);
    }
}

#[tokio::test]
async fn after_five_wrong_guesses_the_right_digits_are_dead_too() {
    for by_handle in [false, true] {
        let server = TestServer::start().await;
        let registration = register(&server, ADA).await;
        let code = server.mail_to(ADA).await.code();
        let attempt = |code: &str| {
            let whose = if by_handle { ("registration", registration.as_str()) } else { ("email", ADA) };
            json!({ whose.0: whose.1, "code": code })
        };

        for _ in 0..5 {
            verify(&server, attempt(&wrong(&code))).await.expect_problem(400, "invalid_code");
        }

        verify(&server, attempt(&code)).await.expect_problem(400, "invalid_code");
    }
}

#[tokio::test]
async fn nobody_kills_the_link_by_guessing_digits() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let mail = server.mail_to(ADA).await;

    for _ in 0..10 {
        verify(&server, json!({ "email": ADA, "code": wrong(&mail.code()) })).await.expect(400);
    }

    verify(&server, json!({ "code": mail.long_code() })).await.expect(200);
}

#[tokio::test]
async fn a_resend_brings_fresh_guesses() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();
    for _ in 0..5 {
        verify(&server, json!({ "email": ADA, "code": wrong(&code) })).await.expect(400);
    }

    server.advance(minutes(2));
    resend(&server, json!({ "email": ADA })).await.expect(202);

    let code = server.mail_to(ADA).await.code();
    verify(&server, json!({ "email": ADA, "code": code })).await.expect(200);
}

#[tokio::test]
async fn a_crowd_of_registrations_of_an_address_drives_nobody_out() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let first = server.mail_to(ADA).await.long_code();

    for _ in 0..70 {
        register(&server, ADA).await;
    }

    assert_eq!(server.mails_to(ADA).await.len(), 64);
    verify(&server, json!({ "code": first })).await.expect(200);
}

#[tokio::test]
async fn registrations_that_are_too_old_make_room_for_new_ones() {
    let server = TestServer::start().await;
    for _ in 0..64 {
        register(&server, ADA).await;
    }
    server.run_jobs().await;
    server.advance(minutes(11));

    register(&server, ADA).await;

    assert_eq!(server.mails_to(ADA).await.len(), 65);
    verify(&server, json!({ "code": server.mail_to(ADA).await.long_code() })).await.expect(200);
}

/// Which of several is meant cannot be told: a code for the newest could be a stranger's, in the owner's mailbox.
#[tokio::test]
async fn a_stranger_who_registers_later_is_not_confirmed_by_the_owners_resend() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    register(&server, ADA).await;
    server.advance(minutes(2));

    resend(&server, json!({ "email": ADA })).await.expect(202);

    assert_eq!(server.mails_to(ADA).await.len(), 2);
}

#[tokio::test]
async fn four_wrong_guesses_are_forgiven() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();

    for _ in 0..4 {
        verify(&server, json!({ "email": ADA, "code": wrong(&code) })).await.expect(400);
    }

    verify(&server, json!({ "email": ADA, "code": code })).await.expect(200);
}

#[tokio::test]
async fn a_code_dies_of_age() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let mail = server.mail_to(ADA).await;

    server.advance(minutes(10));

    verify(&server, json!({ "email": ADA, "code": mail.code() })).await.expect_problem(400, "invalid_code");
    verify(&server, json!({ "code": mail.long_code() })).await.expect_problem(400, "invalid_code");
    assert_eq!(press_button(&server, &mail.long_code()).await.status, 400);
}

/// A server with an account that waits for the code which an operator had mailed.
async fn with_an_account_to_activate() -> TestServer {
    let made = ["createuser", "--email", ADA, "--password-stdin", "--no-input"];
    TestServer::start().await.operated(&made, PASSWORD).await
}

#[tokio::test]
async fn an_account_to_activate_gets_another_code_after_the_first_was_swept() {
    let server = with_an_account_to_activate().await;
    let first = server.mail_to(ADA).await;
    for _ in 0..3 {
        server.advance(minutes(60));
        server.run_jobs().await;
    }
    verify(&server, json!({ "code": first.long_code() })).await.expect_problem(400, "invalid_code");

    resend(&server, json!({ "email": ADA })).await.expect(202);

    let mails = server.mails_to(ADA).await;
    assert_eq!(mails.len(), 2);
    verify(&server, json!({ "email": ADA, "code": mails[1].code() })).await.expect(200);
    log_in(&server).await.expect(200);
    resend(&server, json!({ "email": ADA })).await.expect(202);
    assert_eq!(server.mails_to(ADA).await.len(), 2);
}

#[tokio::test]
async fn a_clock_set_back_revives_no_code_that_ran_out() {
    let optional = TestServer::start_with("registration.verification = \"optional\"").await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    optional.anon().post("/auth/register/", &body).await.expect(201);

    for server in [optional, with_an_account_to_activate().await] {
        server.advance(days(1));
        server.run_jobs().await;
        resend(&server, json!({ "email": ADA })).await.expect(202);
        let mail = server.mail_to(ADA).await;
        server.advance(minutes(11));
        server.run_jobs().await;

        for back in [minutes(5), minutes(6), minutes(60)] {
            server.set_back(back);
            for code in [mail.code(), mail.long_code()] {
                let refused = verify(&server, json!({ "email": ADA, "code": code })).await;
                refused.expect_problem(400, "invalid_code");
            }
        }
        // By its time the newest mail is not the last.
        let earlier: Vec<String> = server.mails_to(ADA).await.iter().map(Mail::code).collect();
        resend(&server, json!({ "email": ADA })).await.expect(202);
        let mut codes = server.mails_to(ADA).await.into_iter().map(|mail| mail.code());
        let code = codes.find(|code| !earlier.contains(code)).expect("another");
        verify(&server, json!({ "email": ADA, "code": code })).await.expect(200);
    }
}

#[tokio::test]
async fn a_code_works_until_shortly_before_its_end() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();

    server.advance(minutes(9));

    verify(&server, json!({ "email": ADA, "code": code })).await.expect(200);
}

#[tokio::test]
async fn a_used_code_is_refused_in_either_form() {
    let server = TestServer::start().await;
    let registration = register(&server, ADA).await;
    let mail = server.mail_to(ADA).await;
    verify(&server, json!({ "email": ADA, "code": mail.code() })).await.expect(200);

    for body in [
        json!({ "email": ADA, "code": mail.code() }),
        json!({ "registration": registration, "code": mail.code() }),
        json!({ "code": mail.long_code() }),
    ] {
        verify(&server, body).await.expect_problem(400, "invalid_code");
    }
}

#[tokio::test]
async fn a_code_opens_its_own_registration_only() {
    let server = TestServer::start().await;
    let ada = register(&server, ADA).await;
    let ada_code = server.mail_to(ADA).await.code();
    let eve = register(&server, "eve@example.com").await;
    let ada_again = register(&server, ADA).await;

    for body in [
        json!({ "email": "eve@example.com", "code": ada_code }),
        json!({ "registration": eve, "code": ada_code }),
        json!({ "registration": ada_again, "code": ada_code }),
    ] {
        verify(&server, body).await.expect_problem(400, "invalid_code");
    }
    verify(&server, json!({ "registration": ada, "code": ada_code })).await.expect(200);
}

#[tokio::test]
async fn a_resend_brings_a_new_code_and_kills_the_earlier_one() {
    for by_handle in [false, true] {
        let server = TestServer::start().await;
        let registration = register(&server, ADA).await;
        let earlier = server.mail_to(ADA).await;
        server.advance(Duration::from_secs(61));

        let body = if by_handle { json!({ "registration": registration }) } else { json!({ "email": ADA }) };
        resend(&server, body).await.expect(202);

        let mails = server.mails_to(ADA).await;
        assert_eq!(mails.len(), 2);
        verify(&server, json!({ "code": earlier.long_code() })).await.expect_problem(400, "invalid_code");
        let guess = verify(&server, json!({ "registration": registration, "code": earlier.code() })).await;
        guess.expect_problem(400, "invalid_code");
        verify(&server, json!({ "email": ADA, "code": mails[1].code() })).await.expect(200);
    }
}

#[tokio::test]
async fn within_a_minute_a_resend_sends_nothing() {
    let server = TestServer::start().await;
    register(&server, ADA).await;
    let body = json!({ "email": ADA });

    server.advance(Duration::from_secs(50));
    let early = resend(&server, body.clone()).await.expect(202);
    let after_early = server.mails_to(ADA).await.len();
    server.advance(Duration::from_secs(11));
    let late = resend(&server, body.clone()).await.expect(202);
    let after_late = server.mails_to(ADA).await.len();
    resend(&server, body).await.expect(202);
    let after_third = server.mails_to(ADA).await.len();

    assert_eq!((after_early, after_late, after_third), (1, 2, 2));
    assert_eq!(early.text, late.text);
}

#[tokio::test]
async fn a_resend_tells_nobody_who_has_an_account() {
    let server = TestServer::start().await;
    server.registered("verified@example.com").await;
    let taken = register(&server, "verified@example.com").await;
    register(&server, ADA).await;
    let before = server.mails_to("verified@example.com").await.len();
    server.advance(minutes(2));

    let pending = resend(&server, json!({ "email": ADA })).await.expect(202);
    let others = [
        json!({ "email": "nobody@example.com" }),
        json!({ "email": "verified@example.com" }),
        json!({ "registration": taken }),
        json!({ "registration": "00000000-0000-7000-8000-000000000000" }),
        json!({ "registration": "not a handle" }),
        json!({ "registration": "" }),
    ];

    for body in others {
        let answer = resend(&server, body.clone()).await;

        assert_eq!((answer.status, &answer.text), (pending.status, &pending.text), "{body}");
        assert_eq!(answer.headers.keys_len(), pending.headers.keys_len(), "{body}");
    }
    assert_eq!(server.mails_to(ADA).await.len(), 2);
    assert_eq!(server.mails_to("nobody@example.com").await.len(), 0);
    assert_eq!(server.mails_to("verified@example.com").await.len(), before);
}

#[tokio::test]
async fn what_nobody_confirmed_is_swept_after_a_day() {
    // A code that would live longer than its registration shows that the registration is gone.
    let server = TestServer::start_with("registration.code_ttl = \"7d\"").await;
    let registration = register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();

    server.advance(days(1) + minutes(1));
    server.run_jobs().await;

    let body = json!({ "registration": registration, "code": code });
    verify(&server, body).await.expect_problem(400, "invalid_code");
    resend(&server, json!({ "registration": registration })).await.expect(202);
    resend(&server, json!({ "email": ADA })).await.expect(202);
    assert_eq!(server.mails_to(ADA).await.len(), 1);
}

#[tokio::test]
async fn a_pending_registration_outlives_the_sweep_of_its_first_day() {
    let server = TestServer::start().await;
    let registration = register(&server, ADA).await;
    server.advance(minutes(24 * 60 - 5));
    server.run_jobs().await;

    resend(&server, json!({ "registration": registration })).await.expect(202);

    let code = server.mail_to(ADA).await.code();
    verify(&server, json!({ "registration": registration, "code": code })).await.expect(200);
}

#[tokio::test]
async fn verify_and_resend_hold_their_members_to_their_rules() {
    let server = TestServer::start().await;
    register(&server, ADA).await;

    verify(&server, json!({})).await.expect_invalid(&[("code", "required")]);
    verify(&server, json!({ "code": null })).await.expect_invalid(&[("code", "null")]);
    let wrong = json!({ "code": 12_345_678, "email": 5, "registration": [], "otp": "1" });
    verify(&server, wrong).await.expect_invalid(&[
        ("code", "type"),
        ("email", "type"),
        ("registration", "type"),
        ("otp", "unknown_field"),
    ]);
    resend(&server, json!({})).await.expect_invalid(&[("email", "required")]);
    resend(&server, json!({ "email": "ada" })).await.expect_invalid(&[("email", "invalid_email")]);
    resend(&server, json!({ "email": ADA, "force": true }))
        .await
        .expect_invalid(&[("force", "unknown_field")]);
    for code in ["", "1234567", "123456789", "abcdefgh", "１２３４５６７８", "\u{0}"] {
        verify(&server, json!({ "email": ADA, "code": code })).await.expect_problem(400, "invalid_code");
    }
}
