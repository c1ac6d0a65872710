//! Pages of other origins that call from a browser.

use hyper::Method;
use serde_json::json;

use crate::harness::{Answer, PASSWORD, TestServer};

const APP: &str = "https://app.example.com";
const LISTED: &str = "server.cors_origins = [\"https://app.example.com\", \"http://localhost:5173\"]";

/// All headers that the protocol knows, with what they say.
fn told(answer: &Answer) -> Vec<(String, String)> {
    let mut told: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control-") || *name == "vary")
        .map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned()))
        .collect();
    told.sort();
    told
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const EXPOSED: &str = "retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, x-request-id";

#[tokio::test]
async fn a_listed_origin_may_read_every_answer() {
    let server = TestServer::start_with(LISTED).await;
    let ada = server.registered("ada@example.com").await;
    let body = json!({ "identifier": "ada@example.com", "password": PASSWORD }).to_string();
    let json = ("content-type", "application/json");

    for origin in [APP, "http://localhost:5173"] {
        let expected = pairs(&[
            ("access-control-allow-origin", origin),
            ("access-control-expose-headers", EXPOSED),
            ("vary", "origin"),
        ]);
        let headers = [("origin", origin), json];
        let logged_in =
            server.anon().send(Method::POST, "/auth/login/", &headers, Some(body.clone().into())).await;
        assert_eq!(told(&logged_in.expect(200)), expected);
        let profile = ada.send(Method::GET, "/auth/profile/", &[("origin", origin)], None).await;
        assert_eq!(told(&profile.expect(200)), expected);
        let anon = server.anon();
        let refused = anon.send(Method::GET, "/auth/profile/", &[("origin", origin)], None).await;
        assert_eq!(told(&refused.expect(401)), expected);
        let missing = anon.send(Method::GET, "/nothing/", &[("origin", origin)], None).await;
        assert_eq!(told(&missing.expect(404)), expected);
    }
}

#[tokio::test]
async fn a_preflight_names_the_methods_of_the_path() {
    let server = TestServer::start_with(LISTED).await;
    let ask = [
        ("origin", APP),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization,content-type"),
    ];

    let answer = server.anon().send(Method::OPTIONS, "/auth/profile/", &ask, None).await.expect(204);

    let methods = answer.header("allow").expect("methods").to_owned();
    assert!(methods.contains("PATCH"), "{methods}");
    assert_eq!(
        told(&answer),
        pairs(&[
            ("access-control-allow-headers", "authorization, content-type"),
            ("access-control-allow-methods", &methods),
            ("access-control-allow-origin", APP),
            ("access-control-max-age", "600"),
            ("vary", "origin"),
        ])
    );
    let elsewhere = server.anon().send(Method::OPTIONS, "/nothing/", &ask, None).await;
    elsewhere.expect_problem(404, "not_found");
}

#[tokio::test]
async fn no_other_origin_is_told_anything() {
    let server = TestServer::start_with(LISTED).await;
    let anon = server.anon();

    for origin in [
        "https://evil.example",
        "null",
        "*",
        "",
        "https://app.example.com.evil.example",
        "https://evil.example/https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:443",
        "https://APP.example.com",
        "http://app.example.com",
        "https://xapp.example.com",
        "https://app.example.co",
        "https://app.example.com https://evil.example",
        "http://localhost:51730",
    ] {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        for (method, path) in [(Method::OPTIONS, "/auth/login/"), (Method::GET, "/healthz")] {
            let answer = anon.send(method, path, &headers, None).await;
            assert_eq!(told(&answer), pairs(&[("vary", "origin")]), "{origin}");
        }
    }
    let twice = [("origin", APP), ("origin", APP)];
    let answer = anon.send(Method::GET, "/healthz", &twice, None).await;
    assert_eq!(told(&answer), pairs(&[("vary", "origin")]));
}

#[tokio::test]
async fn without_the_setting_no_answer_says_a_word_of_it() {
    let server = TestServer::start().await;
    let headers = [("origin", APP), ("access-control-request-method", "POST")];

    for (method, path) in [(Method::OPTIONS, "/auth/login/"), (Method::GET, "/healthz")] {
        let answer = server.anon().send(method, path, &headers, None).await;
        assert_eq!(told(&answer), []);
    }
}
