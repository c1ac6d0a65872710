//! The first administrator by the set-up link: once, in time, and where nobody reads along.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, ROOT, TestServer, minutes};

const LOST: &str = "This link does not work";

/// A service without anybody, and the token of its link.
async fn empty() -> (TestServer, String) {
    let server = TestServer::start().await;
    let token = token(&server);
    (server, token)
}

fn token(server: &TestServer) -> String {
    let link = server.setup_link().expect("a link");
    let page = format!("http://{}/account/setup/?token=", server.address);
    link.strip_prefix(&page).expect("it leads here").to_owned()
}

async fn open(server: &TestServer, token: &str) -> Answer {
    server.anon().get(&format!("/account/setup/?token={token}")).await
}

fn wish(token: &str, email: &str) -> Value {
    json!({ "token": token, "email": email, "password": PASSWORD })
}

async fn set_up(server: &TestServer, token: &str, email: &str) -> Answer {
    server.anon().post("/account/setup/", &wish(token, email)).await
}

async fn send_form(server: &TestServer, headers: &[(&str, &str)], form: &str) -> Answer {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/x-www-form-urlencoded"));
    server.anon().send(Method::POST, "/account/setup/", &headers, Some(form.as_bytes().to_vec())).await
}

#[tokio::test]
async fn the_page_of_the_link_makes_the_first_superuser() {
    let (server, token) = empty().await;

    let page = open(&server, &token).await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(
        page.header("content-security-policy").is_some_and(|policy| policy.contains("form-action 'self'"))
    );
    assert!(page.text.contains(&token), "{}", page.text);
    assert_eq!(server.events(), [""; 0], "opening the page changes nothing");

    let form = format!(
        "token={token}&email=root%40example.com&username=&password=correct+horse+battery&password_again=correct+horse+battery"
    );
    let done = send_form(&server, &[], &form).await.expect(200);
    assert!(done.text.contains("There is an administrator"), "{}", done.text);

    let root = server.logged_in(ROOT).await;
    let user = root.get("/auth/profile/").await.expect(200).body;
    for member in ["is_active", "is_staff", "is_superuser", "email_verified"] {
        assert_eq!(user[member], true, "{member}");
    }
    let events = root.get("/auth/admin/events/?kind=user.created").await.expect(200).body["results"].clone();
    assert_eq!(events[0]["detail"], "set-up link");
    assert_eq!((&events[0]["actor"], &events[0]["ip"]), (&Value::Null, &json!("127.0.0.1")));
    assert!(send_form(&server, &[], &form).await.expect(400).text.contains(LOST));
    assert!(open(&server, &token).await.expect(400).text.contains(LOST));
    assert_eq!(server.setup_link(), None);
}

#[tokio::test]
async fn a_program_sends_json() {
    let (server, token) = empty().await;

    let body = json!({
        "token": token, "email": ROOT, "username": "root", "first_name": "Ada", "last_name": "Lovelace",
        "password": PASSWORD,
    });
    let made = server.anon().post("/account/setup/", &body).await.expect(201).body;

    assert_eq!((&made["username"], &made["full_name"]), (&json!("root"), &json!("Ada Lovelace")));
    assert_eq!((&made["is_superuser"], &made["groups"]), (&json!(true), &json!(["Root"])));
    server.logged_in("root").await;
    set_up(&server, &token, "eve@example.com").await.expect_problem(400, "invalid_token");
}

#[tokio::test]
async fn a_slip_costs_nothing_and_is_told() {
    let (server, token) = empty().await;
    let form = |email: &str, name: &str, password: &str, again: &str| {
        format!("token={token}&email={email}&username={name}&password={password}&password_again={again}")
    };

    for (form, told) in [
        (form("root", "ada", "a+long+password", "a+long+password"), "valid email address"),
        (form("root%40example.com", "a b", "a+long+password", "a+long+password"), "valid username"),
        (form("root%40example.com", "eve%40example.com", "x", "x"), "own address"),
        (form("root%40example.com", "ada", "a+long+password", "a+long+passwort"), "are not the same"),
        (form("root%40example.com", "ada", "short", "short"), "too short"),
        (form("root%40example.com", "ada", "root%40example.com", "root%40example.com"), "too similar"),
    ] {
        let answer = send_form(&server, &[], &form).await.expect(400);
        assert!(answer.text.contains(told) && answer.text.contains(&token), "{told}: {}", answer.text);
        assert!(answer.text.contains("value=\"root"), "what was typed is there again: {}", answer.text);
        assert!(!answer.text.contains("long password"), "no password is: {}", answer.text);
    }
    let body = json!({ "token": token, "email": "x", "password": "short", "is_staff": true });
    server.anon().post("/account/setup/", &body).await.expect_invalid(&[
        ("email", "invalid_email"),
        ("password", "password_too_short"),
        ("is_staff", "unknown_field"),
    ]);

    set_up(&server, &token, ROOT).await.expect(201);
}

#[tokio::test]
async fn one_dead_link_is_like_another() {
    let (server, live) = empty().await;
    let wrong = "A".repeat(43);
    let mut cut = live.clone();
    cut.pop();
    let strange = ["", "short", &wrong, &cut, "%00", "é", &format!("{live}&token={live}")].map(str::to_owned);

    let before = open(&server, &wrong).await.expect(400);
    for token in &strange {
        assert_eq!(open(&server, token).await.expect(400).text, before.text, "{token}");
    }
    assert_eq!(server.anon().get("/account/setup/").await.expect(400).text, before.text);
    let refused = set_up(&server, &wrong, ROOT).await.expect_problem(400, "invalid_token");
    assert_eq!(send_form(&server, &[], "token=x&email=a").await.expect(400).text, before.text);
    set_up(&server, &live, ROOT).await.expect(201);

    assert_eq!(open(&server, &wrong).await.expect(400).text, before.text);
    assert_eq!(open(&server, &live).await.expect(400).text, before.text);
    let spent = set_up(&server, &live, ROOT).await.expect_problem(400, "invalid_token");
    assert_eq!(spent.anonymous(), refused.anonymous());
}

#[tokio::test]
async fn the_link_dies_after_an_hour_and_with_the_process() {
    let (server, token) = empty().await;
    server.advance(minutes(59));
    open(&server, &token).await.expect(200);
    server.advance(minutes(1));
    open(&server, &token).await.expect(400);
    set_up(&server, &token, ROOT).await.expect_problem(400, "invalid_token");

    let first = self::token(&server);
    let second = self::token(&server);
    open(&server, &first).await.expect(400);
    open(&server, &second).await.expect(200);

    let server = server.restart().await;
    open(&server, &second).await.expect(400);
    set_up(&server, &second, ROOT).await.expect_problem(400, "invalid_token");
    assert_eq!(server.events(), [""; 0]);
}

#[tokio::test]
async fn the_link_dies_with_the_first_account_and_none_comes_after_it() {
    let (server, token) = empty().await;

    let ada = server.registered("ada@example.com").await;

    open(&server, &token).await.expect(400);
    set_up(&server, &token, ROOT).await.expect_problem(400, "invalid_token");
    assert_eq!(server.setup_link(), None);
    // An account that was closed was one all the same.
    let headers = [("content-type", "application/json")];
    let body = json!({ "password": PASSWORD }).to_string().into_bytes();
    ada.send(Method::DELETE, "/auth/profile/", &headers, Some(body)).await.expect(204);
    assert_eq!(server.restart().await.setup_link(), None);
}

#[tokio::test]
async fn no_link_comes_back_when_everybody_is_gone() {
    let (server, root) = TestServer::with_superuser().await;
    root.post("/auth/admin/users/", &json!({ "email": "ada@example.com", "password": PASSWORD }))
        .await
        .expect(201);
    let ada = root.get("/auth/admin/users/?search=ada").await.expect(200).body["results"][0]["id"].clone();

    root.delete(&format!("/auth/admin/users/{ada}/?purge=true")).await.expect(204);

    assert_eq!(server.setup_link(), None);
}

#[tokio::test]
async fn of_twenty_at_once_one_is_the_superuser() {
    let (server, token) = empty().await;

    let tries = (0..20).map(|n| {
        let (anon, body) = (server.anon(), wish(&token, &format!("root-{n}@example.com")));
        tokio::spawn(async move { anon.post("/account/setup/", &body).await.status.as_u16() })
    });
    let mut outcomes = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        outcomes.push(one.await.expect("an answer"));
    }

    assert_eq!(outcomes.iter().filter(|status| **status == 201).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|status| **status == 400).count(), 19, "{outcomes:?}");
    assert_eq!(server.events(), ["user.created"]);
}

#[tokio::test]
async fn nothing_is_set_up_where_somebody_could_read_along() {
    let (server, token) = empty().await;
    let path = format!("/account/setup/?token={token}");
    let body = wish(&token, ROOT).to_string().into_bytes();

    for header in [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=192.0.2.1;proto=https"),
        ("via", "1.1 proxy"),
    ] {
        let page = server.anon().send(Method::GET, &path, &[header], None).await.expect(403);
        assert!(page.text.contains("createsuperuser") && !page.text.contains(&token), "{}", page.text);
        let posted = [header, ("content-type", "application/json")];
        let posted = server.anon().send(Method::POST, "/account/setup/", &posted, Some(body.clone())).await;
        posted.expect_problem(403, "insecure_connection");
        let form = send_form(&server, &[header], &format!("token={token}")).await.expect(403);
        assert_eq!(form.text, page.text);
    }

    set_up(&server, &token, ROOT).await.expect(201);
}

#[tokio::test]
async fn tls_through_a_trusted_proxy_is_as_good() {
    let server = TestServer::start_with(
        "server.public_url = \"https://id.example\"\nserver.trusted_proxies = [\"127.0.0.1\"]",
    )
    .await;
    let link = server.setup_link().expect("a link");
    let path = link.strip_prefix("https://id.example").expect("the address that people use").to_owned();
    let get = async |headers: &[(&str, &str)]| server.anon().send(Method::GET, &path, headers, None).await;
    let of = ("x-forwarded-for", "192.0.2.1");

    get(&[of, ("x-forwarded-proto", "https")]).await.expect(200);
    get(&[of, ("x-forwarded-proto", "http")]).await.expect(403);
    get(&[of]).await.expect(403);
}

#[tokio::test]
async fn tries_are_counted_by_address() {
    let server = TestServer::start_with("limits.enabled = true\nlimits.verify = \"3/m/ip\"").await;
    let token = token(&server);

    for _ in 0..3 {
        set_up(&server, &"A".repeat(43), ROOT).await.expect(400);
    }

    set_up(&server, &token, ROOT).await.expect_problem(429, "rate_limited");
    server.advance(minutes(1));
    set_up(&server, &token, ROOT).await.expect(201);
}

#[tokio::test]
async fn the_token_is_nowhere_in_the_file() {
    let (server, token) = empty().await;
    set_up(&server, &token, ROOT).await.expect(201);

    let bytes = server.store_bytes();

    assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
}
