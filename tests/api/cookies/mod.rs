//! Cookies: given to browsers that ask, taken only from our own pages, gone after log-out.

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, PASSWORD, TestServer, days, minutes};
use crate::operation::Operation;

mod sites;

const ADA: &str = "ada@example.com";
const ACCESS: &str = "keystead-access";
const REFRESH: &str = "keystead-refresh";
const DEVICE: &str = "keystead-device";
const OWN_PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Somebody whose browser keeps cookies as browsers do, and says where its requests come from.
struct Browser {
    caller: Caller,
    jar: BTreeMap<String, String>,
    origin: Vec<(&'static str, &'static str)>,
}

impl Browser {
    fn new(server: &TestServer) -> Self {
        Self { caller: server.anon(), jar: BTreeMap::new(), origin: vec![OWN_PAGE] }
    }

    async fn logged_in(server: &TestServer) -> Self {
        let mut browser = Self::new(server);
        browser.log_in().await;
        browser
    }

    async fn log_in(&mut self) -> Answer {
        let body = json!({ "identifier": ADA, "password": PASSWORD, "cookies": true });
        self.send(Method::POST, "/auth/login/", Some(&body)).await.expect(200)
    }

    fn cookie(&self) -> String {
        let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let cookie = self.cookie();
        let mut headers = self.origin.clone();
        headers.extend((!cookie.is_empty()).then_some(("cookie", cookie.as_str())));
        headers.extend(body.is_some().then_some(JSON));
        let answer = self.caller.send(method, path, &headers, body.map(|body| body.to_string().into())).await;
        for line in answer.cookies() {
            let (pair, attributes) = line.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.ends_with("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    fn names(&self) -> Vec<&str> {
        self.jar.keys().map(String::as_str).collect()
    }
}

/// Sends it with this `Cookie` header from one of our own pages.
async fn with_cookie(server: &TestServer, method: Method, path: &str, cookie: &str) -> Answer {
    server.anon().send(method, path, &[OWN_PAGE, ("cookie", cookie)], None).await
}

/// The lines of an answer with their `Max-Age` apart from the rest.
fn lines_of(answer: &Answer) -> Vec<(String, u64)> {
    let split = |line: &str| {
        let (line, age) = line.rsplit_once("; Max-Age=").expect("an age");
        (line.to_owned(), age.parse().expect("seconds"))
    };
    answer.cookies().into_iter().map(split).collect()
}

/// The lines that an answer with this token object has to have, and the name of the browser if it got one.
#[track_caller]
fn expect_tokens(answer: &Answer, prefix: &str, attributes: &str) -> Option<String> {
    let lines = lines_of(answer);
    let line = |name: &str, value: &str| format!("{prefix}{name}={value}; {attributes}");
    let token = |name: &str| answer.body[name].as_str().expect("a token");
    assert_eq!(lines[0].0, line(ACCESS, token("access")));
    assert!((890..=900).contains(&lines[0].1), "{lines:?}");
    assert_eq!(lines[1].0, line(REFRESH, token("refresh")));
    assert!((30 * 86_400 - 10..=30 * 86_400).contains(&lines[1].1), "{lines:?}");
    let (device, age) = lines.get(2)?;
    let name = device.strip_prefix(&format!("{prefix}{DEVICE}=")).expect("a name for the browser");
    let name = name.strip_suffix(&format!("; {attributes}")).expect("the same attributes");
    assert_eq!((name.len(), *age, lines.len()), (43, 365 * 86_400, 3));
    Some(name.to_owned())
}

#[track_caller]
fn expect_taken(answer: &Answer, prefix: &str, attributes: &str) {
    let line = |name: &str| format!("{prefix}{name}=; {attributes}; Max-Age=0");
    assert_eq!(answer.cookies(), [line(ACCESS), line(REFRESH)]);
}

#[tokio::test]
async fn a_log_in_sets_cookies_beside_the_same_body_if_asked_to() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let body = json!({ "identifier": ADA, "password": PASSWORD });
    let plain = server.anon().post("/auth/login/", &body).await.expect(200);
    assert!(plain.cookies().is_empty());

    let mut browser = Browser::new(&server);
    let answer = browser.log_in().await;

    expect_tokens(&answer, "", "Path=/; HttpOnly; SameSite=Lax").expect("a name for the browser");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let members = |answer: &Answer| -> Vec<String> {
        answer.body.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(members(&answer), members(&plain));
    assert_eq!(browser.get("/auth/profile/").await.expect(200).body["email"], ADA);
    assert_eq!(browser.get("/auth/sessions/").await.expect(200).body["results"][0]["current"], true);
    let change = json!({ "first_name": "Ada" });
    browser.send(Method::PATCH, "/auth/profile/", Some(&change)).await.expect(200);
    let out = browser.post("/auth/logout/", &json!({})).await.expect(204);
    expect_taken(&out, "", "Path=/; HttpOnly; SameSite=Lax");
    assert_eq!(browser.names(), [DEVICE]);
    server.expect_dead(&server.caller(answer.body)).await;
}

#[tokio::test]
async fn behind_tls_cookies_belong_to_this_host_alone() {
    for (settings, prefix, attributes) in [
        ("", "__Host-", "Path=/; HttpOnly; SameSite=Lax; Secure"),
        ("cookies.same_site = \"strict\"", "__Host-", "Path=/; HttpOnly; SameSite=Strict; Secure"),
        ("cookies.same_site = \"none\"", "__Host-", "Path=/; HttpOnly; SameSite=None; Secure"),
        ("cookies.secure = \"always\"", "", "Path=/; HttpOnly; SameSite=Lax; Secure"),
        ("cookies.secure = \"never\"", "", "Path=/; HttpOnly; SameSite=Lax"),
    ] {
        let settings = format!("server.public_url = \"https://auth.example.com\"\n{settings}");
        let server = TestServer::start_with(&settings).await;
        server.registered(ADA).await;
        let mut browser = Browser::new(&server);

        let answer = browser.log_in().await;

        expect_tokens(&answer, prefix, attributes).expect("a name for the browser");
        browser.get("/auth/profile/").await.expect(200);
        let bare = format!("{ACCESS}={}", answer.body["access"].as_str().expect("a token"));
        let bare = with_cookie(&server, Method::GET, "/auth/profile/", &bare).await;
        assert_eq!(bare.status == 200, prefix.is_empty(), "{settings}");
        let refreshed = browser.post("/auth/token/refresh/", &json!({})).await.expect(200);
        assert_eq!(expect_tokens(&refreshed, prefix, attributes), None);
        expect_taken(&browser.post("/auth/logout/", &json!({})).await.expect(204), prefix, attributes);
    }
}

#[tokio::test]
async fn a_request_says_whether_it_wants_cookies_and_else_the_configuration_does() {
    for enabled in [true, false] {
        let settings = format!("cookies.enabled = {enabled}\ncookies.access_name = \"my-access\"");
        let server = TestServer::start_with(&settings).await;
        server.registered(ADA).await;
        for (asked, are_set) in [(json!(true), true), (json!(false), false), (Value::Null, enabled)] {
            let with = |mut body: Value| {
                if !asked.is_null() {
                    body["cookies"] = asked.clone();
                }
                body
            };
            let anon = server.anon();
            let log_in = with(json!({ "identifier": ADA, "password": PASSWORD }));
            let logged_in = anon.post("/auth/login/", &log_in).await.expect(200);
            let refresh = with(json!({ "refresh": logged_in.body["refresh"] }));
            let refreshed = anon.post("/auth/token/refresh/", &refresh).await.expect(200);
            let email = format!("user{}@example.com", server.events().len());
            anon.post("/auth/register/", &json!({ "email": email, "password": PASSWORD })).await.expect(202);
            let verify = with(json!({ "email": email, "code": server.mail_to(&email).await.code() }));
            let verified = anon.post("/auth/register/verify/", &verify).await.expect(200);

            for (answer, count) in [(&logged_in, 3), (&refreshed, 2), (&verified, 2)] {
                let cookies = answer.cookies();
                assert_eq!(cookies.len(), if are_set { count } else { 0 }, "{enabled} {asked}");
                assert!(cookies.first().is_none_or(|line| line.starts_with("my-access=")), "{cookies:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_wish_for_cookies_is_true_or_false() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    for wish in [json!("true"), json!(1), json!(null), json!([])] {
        let log_in = json!({ "identifier": ADA, "password": PASSWORD, "cookies": wish });
        server.anon().post("/auth/login/", &log_in).await.expect_invalid(&[("cookies", "type")]);
        let refresh = json!({ "refresh": ada.refresh(), "cookies": wish });
        server.anon().post("/auth/token/refresh/", &refresh).await.expect_invalid(&[("cookies", "type")]);
        let verify = json!({ "code": "12345678", "cookies": wish });
        server.anon().post("/auth/register/verify/", &verify).await.expect_invalid(&[("cookies", "type")]);
    }
    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn no_cookies_are_set_for_somebody_who_is_not_let_in() {
    let server = TestServer::start_with("cookies.enabled = true").await;
    server.registered(ADA).await;

    let wrong = json!({ "identifier": ADA, "password": "wrong horse battery", "cookies": true });

    let answer = server.anon().post("/auth/login/", &wrong).await.expect_problem(401, "invalid_credentials");
    assert!(answer.cookies().is_empty());
}

#[tokio::test]
async fn a_cookie_that_is_given_twice_is_not_given() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let eve = server.registered("eve@example.com").await;
    let (good, other) = (format!("{ACCESS}={}", ada.access()), format!("{ACCESS}={}", eve.access()));

    for cookies in [&[&*good, &*other][..], &[&*format!("{good}; {other}")], &[&*good, &*good]] {
        let headers: Vec<_> = cookies.iter().map(|cookie| ("cookie", *cookie)).collect();
        let answer = server.anon().send(Method::GET, "/auth/profile/", &headers, None).await;
        answer.expect_problem(401, "not_authenticated");
    }
    let refresh = format!("{REFRESH}={0}; {REFRESH}={0}", ada.refresh());
    let answer = with_cookie(&server, Method::POST, "/auth/token/refresh/", &refresh).await;
    answer.expect_invalid(&[("refresh", "required")]);
    let headers = [("cookie", "theme=dark"), ("cookie", good.as_str()), ("cookie", "b=\u{e9}")];
    server.anon().send(Method::GET, "/auth/profile/", &headers, None).await.expect(200);
    server.expect_alive(&ada).await;
}

#[tokio::test]
async fn a_refresh_cookie_is_used_up_like_any_refresh_token() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::logged_in(&server).await;
    let first = browser.jar.clone();
    server.advance(minutes(20));
    browser.get("/auth/profile/").await.expect_problem(401, "invalid_token");

    let refreshed = browser.post("/auth/token/refresh/", &json!({})).await.expect(200);

    assert_eq!(expect_tokens(&refreshed, "", "Path=/; HttpOnly; SameSite=Lax"), None);
    assert_eq!(browser.jar[DEVICE], first[DEVICE]);
    browser.get("/auth/profile/").await.expect(200);
    // Asked for without cookies, the browser gets them all the same: its old one is used up.
    let again = browser.post("/auth/token/refresh/", &json!({ "cookies": false })).await.expect(200);
    assert_eq!(again.cookies().len(), 2);
    let again = browser.send(Method::POST, "/auth/token/refresh/", None).await.expect(200);
    assert_eq!(browser.jar[REFRESH], again.body["refresh"].as_str().expect("a token"));

    browser.jar = first;
    let reused = browser.post("/auth/token/refresh/", &json!({})).await.expect_problem(401, "invalid_token");
    expect_taken(&reused, "", "Path=/; HttpOnly; SameSite=Lax");
    assert!(server.events().contains(&"session.reuse_detected"));
    server.expect_dead(&server.caller(again.body)).await;
    let missing = browser.post("/auth/token/refresh/", &json!({})).await;
    assert!(missing.expect_invalid(&[("refresh", "required")]).cookies().is_empty());
}

#[tokio::test]
async fn the_refresh_token_of_the_body_wins() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let mut browser = Browser::logged_in(&server).await;
    let jar = browser.jar.clone();
    browser.origin = vec![("sec-fetch-site", "cross-site")];

    let body = json!({ "refresh": ada.refresh() });
    let refreshed = browser.post("/auth/token/refresh/", &body).await.expect(200);
    let bad = browser.post("/auth/token/refresh/", &json!({ "refresh": "garbage" })).await;
    let null = browser.post("/auth/token/refresh/", &json!({ "refresh": null })).await;

    assert!(refreshed.cookies().is_empty());
    assert!(bad.expect_problem(401, "invalid_token").cookies().is_empty());
    null.expect_invalid(&[("refresh", "null")]);
    assert_eq!(browser.jar, jar);
    browser.origin = vec![OWN_PAGE];
    browser.post("/auth/token/refresh/", &json!({})).await.expect(200);
}

#[tokio::test]
async fn logging_out_by_cookie_works_whatever_the_cookies_are_worth() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let mut spent = Browser::logged_in(&server).await;
    let old = spent.jar.clone();
    spent.post("/auth/logout/", &json!({})).await.expect(204);
    let before = server.events().len();

    for cookie in [
        format!("{ACCESS}=garbage"),
        format!("{REFRESH}=garbage"),
        format!("{ACCESS}=; {REFRESH}="),
        format!("{ACCESS}={}; {REFRESH}={}", old[ACCESS], old[REFRESH]),
        format!("{ACCESS}=\u{e9}"),
    ] {
        let answer = with_cookie(&server, Method::POST, "/auth/logout/", &cookie).await.expect(204);
        expect_taken(&answer, "", "Path=/; HttpOnly; SameSite=Lax");
    }
    assert_eq!(server.events().len(), before);
    server.expect_alive(&ada).await;
    let mistaken = format!("{REFRESH}={}", ada.access());
    with_cookie(&server, Method::POST, "/auth/logout/", &mistaken).await.expect(204);
    server.expect_dead(&ada).await;
    let device = format!("{DEVICE}={}", old[DEVICE]);
    let answer = with_cookie(&server, Method::POST, "/auth/logout/", &device).await;
    assert!(answer.expect_problem(401, "not_authenticated").cookies().is_empty());
}

#[tokio::test]
async fn logging_out_ends_what_the_first_living_credential_names() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let out = async |cookie: String, authorization: Option<&str>, body: Value| {
        let mut headers = vec![JSON, OWN_PAGE, ("cookie", cookie.as_str())];
        headers.extend(authorization.map(|header| ("authorization", header)));
        let body = body.to_string().into_bytes();
        server.anon().send(Method::POST, "/auth/logout/", &headers, Some(body)).await
    };
    let both = |of: &Caller| format!("{ACCESS}={}; {REFRESH}={}", of.access(), of.refresh());
    let [by_header, by_body, by_cookie, other] = [
        server.logged_in(ADA).await,
        server.logged_in(ADA).await,
        server.logged_in(ADA).await,
        server.logged_in(ADA).await,
    ];

    let header = format!("Bearer {}", by_header.access());
    let answer = out(both(&other), Some(&header), json!({ "refresh": by_body.refresh() })).await.expect(204);
    expect_taken(&answer, "", "Path=/; HttpOnly; SameSite=Lax");
    server.expect_dead(&by_header).await;
    server.expect_alive(&by_body).await;

    let answer = out(both(&other), None, json!({ "refresh": by_body.refresh() })).await.expect(204);
    assert_eq!(answer.cookies().len(), 2);
    server.expect_dead(&by_body).await;

    out(both(&by_cookie), None, json!({})).await.expect(204);
    server.expect_dead(&by_cookie).await;

    // A browser whose header or body is wrong learns it, and keeps nothing either.
    let answer = out(both(&other), Some("Bearer garbage"), json!({})).await;
    assert_eq!(answer.expect_problem(401, "invalid_token").cookies().len(), 2);
    let answer = out(both(&other), None, json!({ "refresh": "garbage" })).await;
    assert_eq!(answer.expect_problem(401, "invalid_token").cookies().len(), 2);
    server.expect_alive(&other).await;

    // The access token ran out, the refresh token did not.
    server.advance(minutes(16));
    out(both(&other), None, json!({})).await.expect(204);
    let refresh = json!({ "refresh": other.refresh() });
    server.anon().post("/auth/token/refresh/", &refresh).await.expect_problem(401, "invalid_token");
    let refresh = json!({ "refresh": ada.refresh() });
    let ada = server.caller(server.anon().post("/auth/token/refresh/", &refresh).await.expect(200).body);

    // Everywhere, by cookie and by header.
    let phone = server.logged_in(ADA).await;
    let answer = with_cookie(&server, Method::DELETE, "/auth/logout/", &both(&phone)).await.expect(204);
    expect_taken(&answer, "", "Path=/; HttpOnly; SameSite=Lax");
    server.expect_dead(&ada).await;
    server.expect_dead(&phone).await;
    let ada = server.logged_in(ADA).await;
    assert!(ada.delete("/auth/logout/").await.expect(204).cookies().is_empty());
}

#[tokio::test]
async fn a_second_cookie_of_one_name_keeps_no_session_alive() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let phone = server.logged_in(ADA).await;
    let cookie =
        format!("{ACCESS}=tossed; {ACCESS}={}; {REFRESH}={}; {REFRESH}=tossed", ada.access(), ada.refresh());

    let answer = with_cookie(&server, Method::POST, "/auth/logout/", &cookie).await.expect(204);

    expect_taken(&answer, "", "Path=/; HttpOnly; SameSite=Lax");
    server.expect_dead(&ada).await;
    server.expect_alive(&phone).await;
}

#[tokio::test]
async fn what_is_public_does_not_look_at_cookies() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let cookies = [
        format!("{ACCESS}=garbage; {REFRESH}=garbage; {DEVICE}=garbage"),
        format!("{ACCESS}={}; {DEVICE}={}", ada.access(), "A".repeat(43)),
        format!("{DEVICE}=\u{e9}; {ACCESS}={0}; {ACCESS}={0}", "x".repeat(4000)),
    ];
    let mut operations = Operation::all(&server).await;
    operations.retain(|operation| {
        !operation.is_secured && (operation.path != "/auth/logout/" || operation.method != Method::POST)
    });
    assert!(operations.len() >= 10);

    for operation in &operations {
        let alone = operation.send(&server.anon(), &[]).await;
        for cookie in &cookies {
            for origin in ["same-origin", "cross-site"] {
                let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", origin)];
                let answer = operation.send(&server.anon(), &headers).await;
                let what = format!("{} {} {origin}", operation.method, operation.path);
                assert_eq!(answer.status, alone.status, "{what}");
                assert_eq!(answer.body["code"], alone.body["code"], "{what}");
            }
        }
    }
    for cookie in &cookies {
        let body = json!({ "identifier": ADA, "password": PASSWORD }).to_string().into_bytes();
        let headers = [JSON, ("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
        server.anon().send(Method::POST, "/auth/login/", &headers, Some(body)).await.expect(200);
    }
}

#[tokio::test]
async fn a_value_that_was_chosen_before_the_log_in_is_worth_nothing_after_it() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut eve = Browser::logged_in(&server).await;
    let ended = eve.jar.clone();
    eve.post("/auth/logout/", &json!({})).await.expect(204);

    for chosen in [
        [(ACCESS, "chosen".to_owned()), (REFRESH, "chosen".to_owned()), (DEVICE, "B".repeat(43))],
        [ACCESS, REFRESH, DEVICE].map(|name| (name, ended[name].clone())),
    ] {
        let mut browser = Browser::new(&server);
        browser.jar = chosen.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        browser.log_in().await;

        assert!(chosen.iter().all(|(name, value)| browser.jar[*name] != *value), "{:?}", browser.jar);
        browser.get("/auth/profile/").await.expect(200);
        let [(_, access), (_, refresh), _] = chosen;
        let cookie = format!("{ACCESS}={access}; {REFRESH}={refresh}");
        let answer = with_cookie(&server, Method::GET, "/auth/profile/", &cookie).await;
        answer.expect_problem(401, "invalid_token");
        let answer = with_cookie(&server, Method::POST, "/auth/token/refresh/", &cookie).await;
        answer.expect_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn the_name_of_a_browser_opens_nothing() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let browser = Browser::logged_in(&server).await;
    let name = &browser.jar[DEVICE];

    for cookie in [format!("{DEVICE}={name}"), format!("{ACCESS}={name}"), format!("{REFRESH}={name}")] {
        with_cookie(&server, Method::GET, "/auth/profile/", &cookie).await.expect(401);
        let answer = with_cookie(&server, Method::POST, "/auth/token/refresh/", &cookie).await;
        assert!([400, 401].contains(&answer.status.as_u16()));
    }
    let bytes = server.store_bytes();
    assert!(!bytes.windows(name.len()).any(|window| window == name.as_bytes()));
}

#[tokio::test]
async fn a_browser_that_logged_in_before_is_not_locked_out_with_the_others() {
    let settings = "limits.enabled = true\nlimits.login = \"5/5m/account\"";
    let server = TestServer::start_with(settings).await;
    server.registered(ADA).await;
    let mut browser = Browser::logged_in(&server).await;
    let first = browser.jar.clone();
    let wrong = json!({ "identifier": ADA, "password": "wrong horse battery" });
    let right = json!({ "identifier": ADA, "password": PASSWORD });
    for _ in 0..5 {
        server.anon().post("/auth/login/", &wrong).await.expect(401);
    }
    server.anon().post("/auth/login/", &right).await.expect_problem(429, "rate_limited");

    // Also where no cookies are asked for; then its name stays.
    let answer = browser.post("/auth/login/", &right).await.expect(200);
    assert!(answer.cookies().is_empty());
    browser.log_in().await;

    assert_ne!(browser.jar[DEVICE], first[DEVICE]);
    browser.post("/auth/login/", &right).await.expect(200);
    browser.jar = first;
    browser.post("/auth/login/", &right).await.expect_problem(429, "rate_limited");
}

#[tokio::test]
async fn a_cookie_lives_no_longer_than_its_session() {
    let server = TestServer::start_with("tokens.session_ttl = \"31d\"").await;
    server.registered(ADA).await;
    let mut browser = Browser::logged_in(&server).await;
    server.advance(days(29));

    let refreshed = browser.post("/auth/token/refresh/", &json!({})).await.expect(200);

    let ages: Vec<u64> = lines_of(&refreshed).into_iter().map(|(_, age)| age).collect();
    assert!((890..=900).contains(&ages[0]) && (2 * 86_400 - 10..=2 * 86_400).contains(&ages[1]), "{ages:?}");
}

#[tokio::test]
async fn the_page_of_the_mailed_link_sets_no_cookies() {
    let server = TestServer::start_with("cookies.enabled = true").await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    server.anon().post("/auth/register/", &body).await.expect(202);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let code = format!("code={}", server.mail_to(ADA).await.long_code()).into_bytes();

    let page =
        server.anon().send(Method::POST, "/auth/register/verify/", &form, Some(code)).await.expect(200);

    assert!(page.cookies().is_empty());
}
