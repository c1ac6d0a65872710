//! Whose pages a cookie may act for: our own, whatever the operation.

use hyper::Method;
use serde_json::{Value, json};

use super::{ACCESS, Browser, OWN_PAGE, REFRESH};
use crate::harness::{Caller, TestServer};
use crate::operation::Operation;

const ADA: &str = "ada@example.com";

/// What the browser says of a request, and whether it may change something.
fn origins(own: &'static str) -> Vec<(Vec<(&'static str, &'static str)>, bool)> {
    let site = |value| ("sec-fetch-site", value);
    let origin = |value| ("origin", value);
    vec![
        (vec![site("same-origin")], true),
        (vec![site("none")], true),
        (vec![origin(own)], true),
        (vec![site("same-origin"), origin(own)], true),
        (vec![], false),
        (vec![site("cross-site")], false),
        (vec![site("same-site")], false),
        (vec![site("cross-site"), origin("https://evil.example")], false),
        (vec![site("SAME-ORIGIN")], false),
        (vec![site("same-origin, none")], false),
        (vec![site("same-origin"), site("cross-site")], false),
        (vec![site("")], false),
        (vec![origin("null")], false),
        (vec![origin("")], false),
        (vec![origin("https://evil.example")], false),
        (vec![origin("http://auth.example.com")], false),
        (vec![origin("https://auth.example.com/")], false),
        (vec![origin("https://auth.example.com:8443")], false),
        (vec![origin("https://auth.example.com.evil.example")], false),
        (vec![origin("https://evil-auth.example.com")], false),
        (vec![origin("https://AUTH.example.com")], false),
        (vec![origin("auth.example.com")], false),
        (vec![origin(own), origin(own)], false),
        (vec![("referer", "https://auth.example.com/account/")], false),
    ]
}

#[tokio::test]
async fn a_cookie_changes_something_only_from_our_own_pages() {
    let settings = "server.public_url = \"https://auth.example.com:443\"";
    let server = TestServer::start_with(settings).await;
    let ada = server.registered(ADA).await;
    let mut browser = Browser::logged_in(&server).await;

    for (n, (origin, is_ours)) in origins("https://auth.example.com").into_iter().enumerate() {
        browser.origin.clone_from(&origin);
        let name = format!("Ada {n}");
        let jar = browser.jar.clone();
        let body = json!({ "first_name": name });

        let changed = browser.send(Method::PATCH, "/auth/profile/", Some(&body)).await;
        browser.get("/auth/profile/").await.expect(200);

        let profile = ada.get("/auth/profile/").await.expect(200).body;
        if is_ours {
            changed.expect(200);
            assert_eq!(profile["first_name"], name, "{origin:?}");
            continue;
        }
        changed.expect_problem(403, "cross_site");
        assert_ne!(profile["first_name"], name, "{origin:?}");
        browser.post("/auth/token/refresh/", &json!({})).await.expect_problem(403, "cross_site");
        browser.post("/auth/logout/", &json!({})).await.expect_problem(403, "cross_site");
        browser.send(Method::DELETE, "/auth/logout/", None).await.expect_problem(403, "cross_site");
        browser.jar.remove(&format!("__Host-{ACCESS}"));
        browser.post("/auth/logout/", &json!({})).await.expect_problem(403, "cross_site");
        browser.jar.insert(format!("__Host-{ACCESS}"), "garbage".to_owned());
        browser.post("/auth/logout/", &json!({})).await.expect_problem(403, "cross_site");
        browser.jar.insert(format!("__Host-{ACCESS}"), jar[&format!("__Host-{ACCESS}")].clone());
        assert_eq!(browser.jar, jar, "{origin:?}");
    }
    browser.origin = vec![OWN_PAGE];
    browser.post("/auth/token/refresh/", &json!({})).await.expect(200);
}

#[tokio::test]
async fn every_operation_takes_the_cookie_from_our_own_pages_and_from_no_other() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let operations = Operation::all(&server).await;
    let secured: Vec<_> = operations.iter().filter(|operation| operation.is_secured).collect();
    server.api_key(&ada, &json!({ "name": "kept" })).await;
    let before = state_of(&ada).await;

    for operation in secured.iter().filter(|operation| !operation.method.is_safe()) {
        let cookie = format!("{ACCESS}={}; {REFRESH}={}", ada.access(), ada.refresh());
        for origin in [&[][..], &[("sec-fetch-site", "cross-site")], &[("origin", "null")]] {
            let headers = [&[("cookie", cookie.as_str())], origin].concat();
            let answer = operation.send(&server.anon(), &headers).await;
            let what = format!("{} {} {origin:?}", operation.method, operation.path);
            assert_eq!((answer.status.as_u16(), &answer.body["code"]), (403, &json!("cross_site")), "{what}");
            assert!(answer.cookies().is_empty(), "{what}");
        }
    }
    assert_eq!(state_of(&ada).await, before);

    for operation in &secured {
        let own = server.logged_in(ADA).await;
        let good = format!("{ACCESS}={}", own.access());
        let key = server.api_key(&own, &json!({ "name": "a key" })).await.1;
        let key = format!("{ACCESS}={}", key["key"].as_str().expect("a key"));
        let what = format!("{} {}", operation.method, operation.path);
        let bad = operation.send(&server.anon(), &[OWN_PAGE, ("cookie", &key)]).await;
        assert_eq!((bad.status.as_u16(), &bad.body["code"]), (401, &json!("invalid_token")), "{what}");
        // The header decides: a bad one even if the cookie is good, a good one even if the cookie is bad.
        let headers = [OWN_PAGE, ("cookie", good.as_str()), ("authorization", "Bearer garbage")];
        let bad = operation.send(&server.anon(), &headers).await;
        assert_eq!((bad.status.as_u16(), &bad.body["code"]), (401, &json!("invalid_token")), "{what}");
        let headers = [OWN_PAGE, ("cookie", good.as_str()), ("authorization", "Basic Zm9vOmJhcg==")];
        operation.send(&server.anon(), &headers).await.expect_problem(401, "not_authenticated");
        let header = format!("Bearer {}", own.access());
        let headers = [("cookie", "keystead-access=garbage"), ("authorization", header.as_str())];
        let answer = operation.send(&server.anon(), &headers).await;
        assert!(operation.is_let_in(&answer), "{what}: {}", answer.text);

        let own = server.logged_in(ADA).await;
        let good = format!("{ACCESS}={}", own.access());
        let answer = operation.send(&server.anon(), &[OWN_PAGE, ("cookie", &good)]).await;
        assert!(operation.is_let_in(&answer), "{what}: {}", answer.text);
    }
}

/// What is to be seen of a user, their sessions and their keys.
async fn state_of(caller: &Caller) -> [Value; 3] {
    let mut seen = [Value::Null, Value::Null, Value::Null];
    for (at, path) in ["/auth/profile/", "/auth/sessions/", "/auth/api-keys/"].into_iter().enumerate() {
        seen[at] = caller.get(path).await.expect(200).body;
    }
    seen
}
