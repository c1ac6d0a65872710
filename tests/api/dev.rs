//! What a throw-away service has under `/dev/`, and what a service that lasts has not.

use std::time::Duration;

use hyper::Method;
use keystead::testing::Server;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::{Answer, Caller, PASSWORD, TestServer};

const ADA: &str = "ada@example.com";
const PATHS: [(&str, &str); 8] = [
    ("GET", "/dev/"),
    ("GET", "/dev/mail/"),
    ("GET", "/dev/mail/?to=ada@example.com"),
    ("GET", "/dev/mail/01a20626-eda7-7706-9b77-8acdd96cb4f6/"),
    ("GET", "/dev/personas/"),
    ("POST", "/dev/token/"),
    ("POST", "/dev/clock/"),
    ("POST", "/dev/reset/"),
];

async fn register(anon: &Caller, email: &str) {
    anon.post("/auth/register/", &json!({ "email": email, "password": PASSWORD })).await.expect(202);
}

async fn log_in_as(anon: &Caller, user: &str) -> Caller {
    let tokens = anon.post("/dev/token/", &json!({ "user": user })).await.expect(200).body;
    anon.with_tokens(tokens)
}

async fn get_from(anon: &Caller, path: &str, headers: &[(&str, &str)]) -> Answer {
    anon.send(Method::GET, path, headers, None).await
}

#[tokio::test]
async fn a_service_that_lasts_has_nothing_of_it() {
    let server = TestServer::start().await;

    for (method, path) in PATHS {
        let answer = server.anon().send(method.parse().expect("a method"), path, &[], None).await;
        answer.expect_problem(404, "not_found");
    }
    let document = server.anon().get("/openapi.json").await.expect(200).text;
    assert!(!document.contains("/dev/"), "the document tells of it");
    let page = server.anon().get("/account/reset/?uid=MQ&token=no").await.text;
    assert!(!page.contains("Development mode"), "{page}");
}

#[tokio::test]
async fn the_document_of_a_throw_away_service_is_the_same() {
    let (real, dev) = (TestServer::start().await, Server::start().await);

    let of_dev = Caller::to(dev.url()).get("/openapi.json").await.expect(200).text;

    assert!(real.anon().get("/openapi.json").await.expect(200).text == of_dev);
}

#[tokio::test]
async fn the_newest_mail_is_there_as_soon_as_it_was_promised() {
    let server = Server::start().await;
    let anon = Caller::to(server.url());

    for round in 0..10 {
        register(&anon, ADA).await;
        let mail = anon.get("/dev/mail?to=ada@example.com").await.expect(200).body;
        let code = mail["code"].as_str().expect("a code");
        assert_eq!(
            (&mail["to"], &mail["kind"], mail["html"].is_string()),
            (&json!(ADA), &json!("verify_email"), true)
        );
        assert!(mail["text"].as_str().expect("a text").contains(&format!("\n{code}\n")), "{mail}");
        let link = mail["link"].as_str().expect("a link");
        let path = link.strip_prefix(server.url()).expect("a link to where the service is");
        anon.get(path).await.expect(200);
        if round == 9 {
            let body = json!({ "email": ADA, "code": code });
            anon.post("/auth/register/verify/", &body).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_mail_is_waited_for_and_no_longer_than_asked() {
    let server = Server::start().await;
    let anon = Caller::to(server.url());

    let none = anon.get("/dev/mail?to=ada@example.com&wait=50ms").await;
    none.expect_problem(404, "not_found");
    let (waiting, other) = (anon.clone(), anon.clone());
    let waited = tokio::spawn(async move { waiting.get("/dev/mail?to=ada@example.com&wait=30s").await });
    let anybody = tokio::spawn(async move { other.get("/dev/mail?wait=30s").await });
    register(&anon, "eve@example.com").await;
    let to_eve = anybody.await.expect("an answer").expect(200).body;
    register(&anon, ADA).await;

    let to_ada = waited.await.expect("an answer").expect(200).body;
    assert_eq!((&to_eve["to"], &to_ada["to"]), (&json!("eve@example.com"), &json!(ADA)));
    let after =
        |mail: &Value| format!("/dev/mail?to=ADA@example.com&after={}", mail["id"].as_str().expect("an id"));
    assert_eq!(anon.get(&after(&to_eve)).await.expect(200).body["id"], to_ada["id"]);
    anon.get(&after(&to_ada)).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_question_about_mail_that_makes_no_sense_is_refused() {
    let server = Server::start().await;
    let anon = Caller::to(server.url());

    for (query, field, code) in [
        ("to=nobody", "to", "invalid_email"),
        ("to=", "to", "blank"),
        ("wait=5", "wait", "type"),
        ("wait=-5s", "wait", "type"),
        ("wait=61s", "wait", "max_value"),
        ("wait=99999999999999999999y", "wait", "type"),
        ("after=7", "after", "type"),
        ("too=ada@example.com", "too", "unknown_field"),
        ("to=a@x.example&to=b@x.example", "to", "type"),
    ] {
        let answer = anon.get(&format!("/dev/mail/?{query}")).await;
        assert_eq!(answer.status.as_u16(), 400, "{query}: {}", answer.text);
        assert_eq!(answer.body["errors"][field][0]["code"], code, "{query}: {}", answer.text);
    }
    register(&anon, "ada+1@example.com").await;
    anon.get("/dev/mail/?to=ada+1@example.com&after=").await.expect(200);
}

#[tokio::test]
async fn the_mailbox_is_a_page_where_a_mail_can_do_nothing() {
    let server = Server::start().await;
    let anon = Caller::to(server.url());
    register(&anon, ADA).await;
    let mail = anon.get("/dev/mail/?to=ada@example.com").await.expect(200).body;
    let (id, code) = (mail["id"].as_str().expect("an id"), mail["code"].as_str().expect("a code"));

    let list = anon.get("/dev/mail/").await.expect(200);
    let page = anon.get(&format!("/dev/mail/{id}/")).await.expect(200);
    let framed = anon.get(&format!("/dev/mail/{id}/html/")).await.expect(200);
    let spanish = get_from(&anon, "/dev/mail/", &[("accept-language", "es")]).await.expect(200);

    assert!(
        list.text.contains(&format!("href=\"/dev/mail/{id}/\"")) && list.text.contains(code),
        "{}",
        list.text
    );
    assert!(list.text.contains("Development mode") && page.text.contains("Development mode"));
    assert!(
        spanish.text.contains("Buzón") && spanish.text.contains("Modo de desarrollo"),
        "{}",
        spanish.text
    );
    assert!(page.text.contains("<iframe sandbox ") && page.text.contains(code), "{}", page.text);
    assert_eq!(Some(framed.text.as_str()), mail["html"].as_str());
    let policy = |answer: &Answer| answer.header("content-security-policy").expect("a policy").to_owned();
    assert!(policy(&framed).starts_with("default-src 'none';") && policy(&framed).ends_with("; sandbox"));
    assert!(policy(&page).contains("script-src 'self'; style-src 'self';"), "{}", policy(&page));
    for gone in ["/dev/mail/01a20626-eda7-7706-9b77-8acdd96cb4f6/", "/dev/mail/x/", "/dev/mail/x/html/"] {
        anon.get(gone).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn anybody_is_logged_in_as_without_a_password_for_twelve_hours() {
    let server = Server::start().await;
    server.create_user(ADA, PASSWORD).await;
    let anon = Caller::to(server.url());

    let ada = log_in_as(&anon, "ADA@example.com").await;
    anon.post("/dev/clock/", &json!({ "advance": "11h 59m" })).await.expect(200);
    ada.get("/auth/profile/").await.expect(200);
    anon.post("/dev/clock/", &json!({ "advance": "2m" })).await.expect(200);

    ada.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    assert_eq!(ada.tokens["user"]["email"], ADA);
    for (body, status) in
        [(json!({ "user": "eve@example.com" }), 404), (json!({}), 400), (json!({ "user": 1 }), 400)]
    {
        anon.post("/dev/token/", &body).await.expect(status);
    }
}

#[tokio::test]
async fn a_session_that_was_opened_so_ends_when_it_is_ended() {
    let server = Server::start().await;
    server.create_user(ADA, PASSWORD).await;
    let anon = Caller::to(server.url());
    let ada = log_in_as(&anon, ADA).await;

    ada.post("/auth/logout/", &json!({})).await.expect(204);
    anon.post("/dev/clock/", &json!({ "advance": "1h" })).await.expect(200);

    ada.get("/auth/profile/").await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn time_goes_by_when_it_is_told_to_and_within_reason() {
    let server = Server::start().await;
    server.create_user(ADA, PASSWORD).await;
    let anon = Caller::to(server.url());
    let log_in = json!({ "identifier": ADA, "password": PASSWORD });
    let tokens = anon.post("/auth/login/", &log_in).await.expect(200).body;

    let now = anon.post("/dev/clock", &json!({ "advance": "31d" })).await.expect(200).body;

    assert!(now["now"].as_str().expect("a time") > tokens["refresh_expires_at"].as_str().expect("a time"));
    let refresh = json!({ "refresh": tokens["refresh"] });
    anon.post("/auth/token/refresh/", &refresh).await.expect_problem(401, "invalid_token");
    let ada = log_in_as(&anon, ADA).await;
    let sessions = ada.get("/auth/sessions/").await.expect(200).body;
    assert_eq!(sessions["results"].as_array().map(Vec::len), Some(1), "{sessions}");
    for (advance, code) in [
        (json!("-1d"), "type"),
        (json!("1"), "type"),
        (json!(""), "type"),
        (json!("584942417y"), "max_value"),
        (json!("18446744073709551615s"), "max_value"),
        (json!("101y"), "max_value"),
        (json!(31), "type"),
        (Value::Null, "null"),
    ] {
        let refused = anon.post("/dev/clock/", &json!({ "advance": advance })).await;
        refused.expect_invalid(&[("advance", code)]);
    }
    anon.post("/dev/clock/", &json!({ "advance": "60y" })).await.expect(200);
    let twice = anon.post("/dev/clock/", &json!({ "advance": "60y" })).await;
    twice.expect_invalid(&[("advance", "max_value")]);
    register(&anon, "late@example.com").await;
    anon.get("/dev/mail/?to=late@example.com").await.expect(200);
}

#[tokio::test]
async fn a_reset_brings_back_the_start() {
    let server = Server::start().await;
    server.create_user(ADA, PASSWORD).await;
    let anon = Caller::to(server.url());
    let ada = log_in_as(&anon, ADA).await;
    register(&anon, "bob@example.com").await;
    anon.post("/dev/clock/", &json!({ "advance": "31d" })).await.expect(200);
    let ahead = anon.post("/dev/clock/", &json!({ "advance": "0s" })).await.expect(200).body;

    let answer = anon.send(Method::POST, "/dev/reset", &[], None).await.expect(204);

    assert_eq!(answer.text, "");
    let now = anon.post("/dev/clock/", &json!({ "advance": "0s" })).await.expect(200).body;
    assert!(now["now"].as_str().expect("a time") < ahead["now"].as_str().expect("a time"));
    anon.get("/dev/mail/?to=bob@example.com").await.expect_problem(404, "not_found");
    anon.post("/dev/token/", &json!({ "user": ADA })).await.expect_problem(404, "not_found");
    assert_eq!(server.create_user("eve@example.com", PASSWORD).await, 1, "ids start again");
    ada.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    for token in [ada.access(), ada.refresh()] {
        let verified = anon.post("/auth/token/verify/", &json!({ "token": token })).await;
        verified.expect_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn requests_that_run_while_the_service_starts_again_are_answered() {
    let server = Server::start().await;
    let anon = Caller::to(server.url());
    let waiting = anon.clone();
    let waited = tokio::spawn(async move {
        let begun = Instant::now();
        (waiting.get("/dev/mail/?to=ada@example.com&wait=60s").await, begun.elapsed())
    });
    tokio::time::sleep(Duration::from_millis(100)).await;

    let mut others = tokio::task::JoinSet::new();
    for n in 0..40 {
        let anon = anon.clone();
        others.spawn(async move {
            if n % 4 == 0 {
                anon.send(Method::POST, "/dev/reset/", &[], None).await.expect(204);
            } else {
                register(&anon, &format!("user{n}@example.com")).await;
            }
        });
    }

    while let Some(other) = others.join_next().await {
        other.expect("answered");
    }
    let (answer, took) = waited.await.expect("answered");
    answer.expect_problem(404, "not_found");
    assert!(took < Duration::from_secs(30), "it was let go: {took:?}");
}

#[tokio::test]
async fn no_other_page_reads_or_changes_anything() {
    let settings = "server.cors_origins = [\"http://localhost:3000\"]";
    let server = Server::start_with(settings).await;
    server.create_user(ADA, PASSWORD).await;
    let anon = Caller::to(server.url());
    let own = server.url().to_owned();
    let cases: [(&[(&str, &str)], bool); 8] = [
        (&[], true),
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "none")], true),
        (&[("origin", &own)], true),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")], false),
        (&[("origin", "http://localhost:3000")], false),
        (&[("origin", "null")], false),
    ];

    for (headers, is_welcome) in cases {
        let statuses = if is_welcome { [404, 200, 400, 400, 204] } else { [403; 5] };
        let calls = [("GET", "/dev/mail/?to=x@x.example"), PATHS[4], PATHS[5], PATHS[6], PATHS[7]];
        for ((method, path), status) in calls.into_iter().zip(statuses) {
            let answer = anon.send(method.parse().expect("a method"), path, headers, None).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path} {headers:?}: {}", answer.text);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
            assert!(is_welcome || answer.body["code"] == "cross_site", "{}", answer.text);
        }
    }
    let preflight = [("origin", "http://localhost:3000"), ("access-control-request-method", "POST")];
    let allowed = async |path| {
        let answer = anon.send(Method::OPTIONS, path, &preflight, None).await;
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed("/auth/login/").await.as_deref(), Some("http://localhost:3000"));
    for (_, path) in PATHS {
        assert_eq!(allowed(path).await, None, "{path}");
    }
    get_from(&anon, "/dev/personas/", &[("host", "rebound.example")]).await.expect_problem(400, "bad_host");
}
