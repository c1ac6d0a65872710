//! Browsers: the cookie that programs behind a proxy see, and what it is good for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hyper::Method;
use serde_json::{Value, json};

use super::{ADA, RULES, get, told, with_superuser};
use crate::harness::{Answer, Caller, PASSWORD, ROOT, TestServer, days, minutes, part_of, with_part};

const FORWARD: &str = "keystead-forward";

/// The value of a cookie of an answer.
#[track_caller]
fn cookie(answer: &Answer, name: &str) -> String {
    let mut pairs = answer.cookies().into_iter().filter_map(|line| line.split(';').next()?.split_once('='));
    pairs.find(|(own, _)| *own == name).expect("a cookie").1.to_owned()
}

async fn log_in(server: &TestServer) -> Answer {
    let body = json!({ "identifier": ADA, "password": PASSWORD, "cookies": true });
    server.anon().post("/auth/login/", &body).await.expect(200)
}

/// Logs in by cookies: who that is, and the cookie for programs.
async fn browser(server: &TestServer) -> (Caller, String) {
    let answer = log_in(server).await;
    let forward = cookie(&answer, FORWARD);
    (server.caller(answer.body), forward)
}

async fn with_cookie(server: &TestServer, token: &str) -> Answer {
    get(server, "/", &[("cookie", &format!("a=b; {FORWARD}={token}"))]).await
}

#[tokio::test]
async fn a_log_in_with_cookies_sets_one_for_programs_that_opens_nothing_else() {
    let server = TestServer::start_with(RULES).await;
    server.registered(ADA).await;
    let answer = log_in(&server).await;
    let lines = answer.cookies();
    let line = lines.iter().find(|line| line.starts_with(FORWARD)).expect("a cookie");
    let (_, age) = line.split_once("; Path=/; HttpOnly; SameSite=Lax; Max-Age=").expect("attributes");
    assert!((2_591_990..=2_592_000).contains(&age.parse::<u32>().expect("seconds")), "{line}");
    let token = cookie(&answer, FORWARD);
    assert_eq!(part_of(&token, 0)["typ"], "fw+jwt");

    assert_eq!(told(&with_cookie(&server, &token).await)[0], ADA);
    let own = |name: &str| ("cookie", format!("{name}={token}"));
    for (name, cookie) in [own("keystead-access"), own("keystead-refresh"), own(FORWARD)] {
        let headers = [("sec-fetch-site", "same-origin"), (name, cookie.as_str())];
        let profile = server.anon().send(Method::GET, "/auth/profile/", &headers, None).await;
        assert_eq!(profile.status.as_u16(), 401, "{cookie}");
        let refreshed = server.anon().send(Method::POST, "/auth/token/refresh/", &headers, None).await;
        assert!(refreshed.status.is_client_error(), "{cookie}");
    }
    server.holder(&token).get("/auth/profile/").await.expect_problem(401, "invalid_token");
    let body = json!({ "token": token });
    server.anon().post("/auth/token/verify/", &body).await.expect_problem(401, "invalid_token");
    let body = json!({ "refresh": token });
    server.anon().post("/auth/token/refresh/", &body).await.expect_problem(401, "invalid_token");
    server.anon().post("/auth/logout/", &body).await.expect_problem(401, "invalid_token");
    let authorization = format!("Bearer {token}");
    get(&server, "/", &[("authorization", &authorization)]).await.expect_problem(401, "invalid_token");
    assert_eq!(told(&with_cookie(&server, &token).await)[0], ADA, "none of that ended it");
}

#[tokio::test]
async fn the_cookie_reaches_the_hosts_that_it_is_for() {
    let https = |more: &str| {
        RULES.replace("http://auth", "https://auth").replace(
            "[[forward.rules]]\nhosts = [\"app.example.com\"]\npaths = [\"/open/*\"]",
            &format!(
                "[forward]\n{more}\n[[forward.rules]]\nhosts = [\"app.example.com\"]\npaths = [\"/open/*\"]"
            ),
        )
    };
    for (settings, name, domain) in [
        (https(""), "__Host-keystead-forward", ""),
        (https("cookie_domain = \"example.com\""), "__Secure-keystead-forward", "; Domain=example.com"),
        (
            https("cookie_name = \"sso\"\ncookie_domain = \"auth.example.com\""),
            "__Secure-sso",
            "; Domain=auth.example.com",
        ),
    ] {
        let server = TestServer::start_with(&settings).await;
        server.registered(ADA).await;
        let given = log_in(&server).await;
        let attributes = format!("; Path=/{domain}; HttpOnly; SameSite=Lax; Secure; Max-Age=");
        let line =
            given.cookies().into_iter().find(|line| line.starts_with(name)).expect("a cookie").to_owned();
        assert!(line.contains(&attributes), "{line}");
        let pair = line.split(';').next().expect("a pair");
        assert_eq!(told(&get(&server, "/", &[("cookie", pair)]).await)[0], ADA);

        // Logging out by it alone takes it away.
        let headers = [("cookie", pair), ("sec-fetch-site", "same-origin")];
        let out = server.anon().send(Method::POST, "/auth/logout/", &headers, None).await.expect(204);
        assert!(out.cookies().contains(&format!("{name}={attributes}0").as_str()), "{:?}", out.cookies());
    }
    let server = TestServer::start().await;
    server.registered(ADA).await;
    assert_eq!(log_in(&server).await.cookies().len(), 3, "without rules there is none");
}

#[tokio::test]
async fn it_lasts_as_long_as_the_session_and_a_refresh_renews_it() {
    let server = TestServer::start_with(RULES).await;
    server.registered(ADA).await;
    let (ada, first) = browser(&server).await;
    server.advance(days(20));
    with_cookie(&server, &first).await.expect(200);
    let body = json!({ "refresh": ada.refresh(), "cookies": true });
    let refreshed = server.anon().post("/auth/token/refresh/", &body).await.expect(200);
    let second = cookie(&refreshed, FORWARD);
    assert_ne!(first, second);
    let server = server.restart().await;
    server.advance(days(11));

    with_cookie(&server, &first).await.expect_problem(401, "invalid_token");
    with_cookie(&server, &second).await.expect(200);
    server.advance(days(20));
    with_cookie(&server, &second).await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn what_ends_a_session_ends_it_at_once_and_for_good() {
    let (server, _) = with_superuser(RULES).await;
    server.registered(ADA).await;
    let id = browser(&server).await.0.tokens["user"]["id"].clone();
    let user = format!("/auth/admin/users/{id}/");
    for way in ["log-out", "revoked", "everywhere", "list", "password", "by staff", "disable", "purge"] {
        let (ada, token) = browser(&server).await;
        // Old enough that nobody remembers the end of its access tokens any more.
        server.advance(minutes(30));
        with_cookie(&server, &token).await.expect(200);
        let body = json!({ "refresh": ada.refresh() });
        let ada = server.caller(server.anon().post("/auth/token/refresh/", &body).await.expect(200).body);
        let root = server.logged_in(ROOT).await;
        match way {
            "log-out" => ada.post("/auth/logout/", &json!({})).await.expect(204),
            "revoked" => {
                let form = format!("token={token}").into_bytes();
                let headers = [("content-type", "application/x-www-form-urlencoded")];
                server
                    .anon()
                    .send(Method::POST, "/auth/token/revoke/", &headers, Some(form))
                    .await
                    .expect(200)
            }
            "everywhere" => ada.delete("/auth/logout/").await.expect(204),
            "list" => {
                let sid = part_of(ada.access(), 1)["sid"].clone();
                let path = format!("/auth/sessions/{}/", sid.as_str().expect("text"));
                server.logged_in(ADA).await.delete(&path).await.expect(204)
            }
            "password" => {
                let body = json!({ "old_password": PASSWORD, "new_password": "another horse battery" });
                let other = server.logged_in(ADA).await;
                other.post("/auth/password/change/", &body).await.expect(204);
                let body = json!({ "old_password": "another horse battery", "new_password": PASSWORD });
                other.post("/auth/password/change/", &body).await.expect(204)
            }
            "by staff" => root.delete(&format!("{user}sessions/")).await.expect(204),
            "disable" => {
                root.delete(&user).await.expect(204);
                with_cookie(&server, &token).await.expect_problem(401, "invalid_token");
                root.post(&format!("{user}activate/"), &json!({})).await.expect(200)
            }
            _ => root.delete(&format!("{user}?purge=true")).await.expect(204),
        };
        with_cookie(&server, &token).await.expect_problem(401, "invalid_token");
        server.advance(minutes(60));
        with_cookie(&server, &token).await.expect_problem(401, "invalid_token");
        if way != "purge" {
            continue;
        }
        server.registered(ADA).await;
        with_cookie(&server, &token).await.expect_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_browser_that_has_no_other_cookie_left_logs_out_with_it() {
    let server = TestServer::start_with(RULES).await;
    server.registered(ADA).await;
    for (path, status) in [("/account/logout/", 303), ("/auth/logout/", 204)] {
        let (_, token) = browser(&server).await;
        let cookie = format!("{FORWARD}={token}");
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];

        server.anon().send(Method::POST, path, &headers, None).await.expect(status);

        with_cookie(&server, &token).await.expect_problem(401, "invalid_token");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_is_asked_after_a_log_out_is_answered_as_before() {
    let server = Arc::new(TestServer::start_with(RULES).await);
    server.registered(ADA).await;
    for _ in 0..20 {
        let (ada, token) = browser(&server).await;
        let is_over = Arc::new(AtomicBool::new(false));
        let asking: Vec<_> = (0..4)
            .map(|_| {
                let (server, token, is_over) = (Arc::clone(&server), token.clone(), Arc::clone(&is_over));
                tokio::spawn(async move {
                    let mut passed = Vec::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        if with_cookie(&server, &token).await.status.as_u16() == 200 {
                            passed.push(begun);
                        }
                    }
                    passed
                })
            })
            .collect();
        ada.post("/auth/logout/", &json!({})).await.expect(204);
        let acknowledged = Instant::now();
        with_cookie(&server, &token).await.expect(401);
        is_over.store(true, Ordering::Relaxed);
        for task in asking {
            let passed = task.await.expect("no panic");
            assert!(passed.iter().all(|begun| *begun < acknowledged));
        }
    }
}

#[tokio::test]
async fn a_cookie_that_is_not_whole_opens_nothing() {
    let server = TestServer::start_with(RULES).await;
    server.registered(ADA).await;
    let (ada, token) = browser(&server).await;
    let eve = server.registered("eve@example.com").await;
    let mut other_user = part_of(&token, 1);
    other_user["sub"] = eve.tokens["user"]["id"].to_string().into();
    let mut no_type = part_of(&token, 0);
    no_type["alg"] = "none".into();
    let (message, _) = token.rsplit_once('.').expect("three parts");
    for forged in [
        "",
        "x",
        "..",
        "%00",
        "\"\"",
        &token[1..],
        &token[..token.len() - 1],
        &format!("{token}="),
        &format!("\"{token}\""),
        &format!("{token}, {token}"),
        message,
        &with_part(&token, 1, &other_user),
        &with_part(&token, 0, &no_type),
        &with_part(&token, 1, &Value::Null),
        &"a".repeat(8_000),
        ada.access(),
        ada.refresh(),
    ] {
        let answer = with_cookie(&server, forged).await;
        assert_eq!(answer.status.as_u16(), 401, "{forged}");
        assert_eq!(answer.header("remote-user"), None);
    }
    let twice = format!("{FORWARD}={token}; {FORWARD}=x");
    get(&server, "/", &[("cookie", &twice)]).await.expect(401);
    let access = format!("keystead-access={}", ada.access());
    assert_eq!(
        told(&get(&server, "/", &[("cookie", &access)]).await)[0],
        ADA,
        "on the same host it is enough"
    );
    let both = format!("keystead-access=x; {FORWARD}={token}");
    assert_eq!(
        told(&get(&server, "/", &[("cookie", &both)]).await)[0],
        ADA,
        "it lives longer than the other"
    );
    let shown = [("authorization", "Bearer x"), ("cookie", both.as_str())];
    get(&server, "/", &shown).await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn a_program_need_not_see_our_cookies() {
    let server = TestServer::start_with(RULES).await;
    server.registered(ADA).await;
    let (ada, token) = browser(&server).await;
    let line = format!(
        "theme=dark; keystead-access={}; {FORWARD}={token};keystead-refresh=x; sid=\"a=b\"; keystead-device=y; z",
        ada.access()
    );

    let answer = get(&server, "/", &[("cookie", &line)]).await.expect(200);
    assert_eq!(answer.header("cookie"), Some("theme=dark; sid=\"a=b\"; z"));
    let only_ours = get(&server, "/open/x", &[("cookie", &format!("{FORWARD}={token}"))]).await.expect(200);
    assert_eq!(only_ours.header("cookie"), Some(""));
    assert_eq!(get(&server, "/open/x", &[]).await.expect(200).header("cookie"), None);
}
