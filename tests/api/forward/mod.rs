//! Forward auth: who passes to the programs behind a proxy, and what those are told of them.

mod basic;
mod browser;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, PASSWORD, ROOT, TestServer};

const ADA: &str = "ada@example.com";

/// What a proxy on this machine may ask about.
const RULES: &str = r#"
server.trusted_proxies = ["127.0.0.1"]
server.public_url = "http://auth.example.com"
[[forward.rules]]
hosts = ["app.example.com"]
paths = ["/open/*"]
policy = "public"
[[forward.rules]]
hosts = ["app.example.com"]
paths = ["/secret/*"]
policy = "deny"
[[forward.rules]]
hosts = ["app.example.com"]
paths = ["/editors/*"]
policy = "signed_in"
groups = ["Editors", "Chiefs"]
[[forward.rules]]
hosts = ["app.example.com"]
paths = ["/posts/*"]
methods = ["POST"]
policy = "signed_in"
permissions = ["users.view_user", "users.add_user"]
[[forward.rules]]
hosts = ["app.example.com", "auth.example.com"]
policy = "signed_in"
"#;

type Lines<'a> = &'a [(&'a str, &'a str)];

const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");

/// A proxy asks about a request with these headers, as Caddy and Traefik do.
async fn ask(server: &TestServer, method: &str, path: &str, headers: Lines<'_>) -> Answer {
    let told = [
        ("x-forwarded-method", method),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.example.com"),
        ("x-forwarded-uri", path),
    ];
    server.anon().send(Method::GET, "/auth/forward/", &[&told, headers].concat(), None).await
}

async fn get(server: &TestServer, path: &str, headers: Lines<'_>) -> Answer {
    ask(server, "GET", path, headers).await
}

/// The same as nginx asks.
async fn ask_as_nginx(server: &TestServer, url: &str, headers: Lines<'_>) -> Answer {
    let told = [("x-original-method", "GET"), ("x-original-url", url)];
    server.anon().send(Method::GET, "/auth/forward/", &[&told, headers].concat(), None).await
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// What the program behind the proxy is told: user, name, address and groups.
#[track_caller]
fn told(answer: &Answer) -> [String; 4] {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    ["remote-user", "remote-name", "remote-email", "remote-groups"].map(|name| {
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values.len(), 1, "{name} is there once");
        String::from_utf8(values[0].as_bytes().to_vec()).expect("UTF-8")
    })
}

async fn with_superuser(rules: &str) -> (TestServer, Caller) {
    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    let server = TestServer::start_with(rules).await.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    (server, root)
}

async fn with_group(root: &Caller, user: &Caller, groups: &[&str]) {
    for name in groups {
        root.post("/auth/admin/groups/", &json!({ "name": name })).await;
    }
    let path = format!("/auth/admin/users/{}/groups/", user.tokens["user"]["id"]);
    root.put(&path, &json!({ "groups": groups })).await.expect(200);
}

#[tokio::test]
async fn a_program_is_told_who_comes_with_a_token_a_key_or_a_password() {
    let server = TestServer::start_with(RULES).await;
    let body = json!({ "email": ADA, "username": "ada", "first_name": "Ada", "last_name": "Lovelace",
                       "password": PASSWORD });
    let ada = server.registered_as(body).await;
    let (key, made) = server.api_key(&ada, &json!({ "name": "backup" })).await;
    key.get("/auth/profile/").await.expect(200);
    let key = made["key"].as_str().expect("a key");

    for shown in [
        bearer(ada.access()),
        bearer(key),
        format!("Token {key}"),
        basic("ada", PASSWORD),
        basic(ADA, PASSWORD),
    ] {
        let answer = get(&server, "/", &[("authorization", &shown)]).await;
        assert_eq!(told(&answer), ["ada", "Ada Lovelace", ADA, ""], "{shown}");
        let answer = ask_as_nginx(&server, "https://app.example.com/", &[("authorization", &shown)]).await;
        assert_eq!(told(&answer), ["ada", "Ada Lovelace", ADA, ""], "{shown}");
    }
}

#[tokio::test]
async fn nobody_is_asked_to_log_in_as_their_client_can() {
    let server = TestServer::start_with(RULES).await;

    let program = get(&server, "/x", &[("accept", "*/*")]).await.expect_problem(401, "not_authenticated");
    assert_eq!(
        program.header("www-authenticate"),
        Some("Basic realm=\"Keystead\", charset=\"UTF-8\", Bearer")
    );
    assert_eq!(program.header("location"), None);

    let script =
        get(&server, "/x", &[("sec-fetch-mode", "cors")]).await.expect_problem(401, "not_authenticated");
    assert_eq!((script.header("www-authenticate"), script.header("location")), (Some("Bearer"), None));

    let page = get(&server, "/x", &[PAGE]).await.expect(302);
    assert_eq!(page.header("location"), Some("http://auth.example.com/account/login/"));
    let sent = ask(&server, "POST", "/x", &[PAGE]).await.expect_problem(401, "not_authenticated");
    assert_eq!(sent.header("location"), None);

    let nginx = ask_as_nginx(&server, "https://app.example.com/x", &[PAGE]).await;
    let nginx = nginx.expect_problem(401, "not_authenticated");
    assert_eq!(nginx.header("location"), Some("http://auth.example.com/account/login/"));

    // A browser that shows a bad password would be sent to and fro.
    let answer = get(&server, "/x", &[PAGE, ("authorization", "Basic eDp5")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (401, None));
}

#[tokio::test]
async fn the_log_in_leads_back_only_where_it_may() {
    let next = "site.next_origins = [\"https://app.example.com\"]\n";
    let server = TestServer::start_with(&format!("{next}{RULES}")).await;
    let login = "http://auth.example.com/account/login/";
    let back_to = async |url: &str| {
        let answer = ask_as_nginx(&server, url, &[PAGE]).await.expect(401);
        answer.header("location").expect("a place").replace(login, "")
    };

    for (asked, next) in [
        (
            "http://auth.example.com/a%20b/?x=1&y=%22",
            "http%3A%2F%2Fauth.example.com%2Fa%2520b%2F%3Fx%3D1%26y%3D%2522",
        ),
        ("https://app.example.com/x", "https%3A%2F%2Fapp.example.com%2Fx"),
        ("https://APP.example.com:443/x", "https%3A%2F%2Fapp.example.com%2Fx"),
    ] {
        assert_eq!(back_to(asked).await, format!("?next={next}"), "{asked}");
    }
    for elsewhere in [
        "https://auth.example.com/x",
        "http://auth.example.com:81/x",
        "http://app.example.com/x",
        "https://app.example.com:8443/x",
    ] {
        assert_eq!(back_to(elsewhere).await, "", "{elsewhere}");
    }
    let long = format!("http://auth.example.com/?{}", "x".repeat(3_000));
    assert_eq!(back_to(&long).await, "");
}

#[tokio::test]
async fn only_a_trusted_proxy_is_answered() {
    for settings in ["", "server.trusted_proxies = [\"192.0.2.1\"]\n"] {
        let server = TestServer::start_with(settings).await;
        let ada = server.registered(ADA).await;
        for authorization in [bearer(ada.access()), basic(ADA, PASSWORD), String::new()] {
            let headers = [("authorization", authorization.as_str()), ("x-forwarded-for", "192.0.2.1")];
            get(&server, "/open/x", &headers).await.expect_problem(403, "not_a_proxy");
        }
    }
}

#[tokio::test]
async fn without_rules_nobody_passes() {
    let server = TestServer::start_with("server.trusted_proxies = [\"127.0.0.1\"]\n").await;
    let ada = server.registered(ADA).await;

    get(&server, "/", &[]).await.expect_problem(403, "permission_denied");
    get(&server, "/", &[("authorization", &bearer(ada.access()))])
        .await
        .expect_problem(403, "permission_denied");
}

#[tokio::test]
async fn rules_are_by_path_group_permission_and_method() {
    let (server, root) = with_superuser(RULES).await;
    let ada = server.registered(ADA).await;
    let staff = server.staff_with(&root, "staff@example.com", &["users.view_user"]).await;
    let admin = server.staff_with(&root, "admin@example.com", &["users.view_user", "users.add_user"]).await;
    let asked = async |who: &Caller, method: &str, path: &str| {
        ask(&server, method, path, &[("authorization", &bearer(who.access()))]).await.status.as_u16()
    };

    assert_eq!(asked(&ada, "GET", "/editors/x").await, 403);
    with_group(&root, &ada, &["Readers", "Chiefs"]).await;
    assert_eq!(asked(&ada, "GET", "/editors/x").await, 200);
    with_group(&root, &ada, &["Readers"]).await;
    assert_eq!(asked(&ada, "GET", "/editors/x").await, 403, "with the next request");
    assert_eq!(asked(&root, "GET", "/editors/x").await, 403, "a superuser is in no group but Root");

    for (who, status) in [(&ada, 403), (&staff, 403), (&admin, 200), (&root, 200)] {
        assert_eq!(asked(who, "POST", "/posts/1").await, status);
        assert_eq!(asked(who, "GET", "/posts/1").await, 200);
        assert_eq!(asked(who, "GET", "/secret/x").await, 403);
    }
    for path in ["/Secret/x", "//secret/x", "/secret%2fx", "/open/..%2fsecret", "/%2573ecret", "/secret;x/y"]
    {
        assert_eq!(asked(&root, "GET", path).await, 403, "{path}");
    }
}

#[tokio::test]
async fn a_rule_for_everybody_tells_who_comes_if_it_is_known() {
    let server = TestServer::start_with(RULES).await;
    let ada = server.registered(ADA).await;
    let nobody = ["", "", "", ""];

    assert_eq!(told(&get(&server, "/open/x", &[]).await), nobody);
    assert_eq!(
        told(&get(&server, "/open/x", &[("authorization", &bearer(ada.access()))]).await),
        [ADA, "", ADA, ""]
    );
    // A password is not even looked at: it would be a place to guess.
    for authorization in [basic(ADA, PASSWORD), basic(ADA, "wrong"), bearer("x"), "Digest x".to_owned()] {
        let headers = [("authorization", authorization.as_str()), ("cookie", "keystead-forward=x")];
        assert_eq!(told(&get(&server, "/open/x", &headers).await), nobody, "{authorization}");
    }
    assert!(!server.events().contains(&"login.failed"));
}

#[tokio::test]
async fn what_is_asked_about_has_to_be_told_once_and_clearly() {
    let server = TestServer::start_with(RULES).await;
    let ada = server.registered(ADA).await;
    let authorization = bearer(ada.access());
    let unclear = async |headers: Lines<'_>| {
        let headers = [&[("authorization", authorization.as_str())], headers].concat();
        server.anon().send(Method::GET, "/auth/forward/", &headers, None).await
    };
    let told = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.example.com"),
        ("x-forwarded-uri", "/"),
    ];
    unclear(&told).await.expect(200);
    for lie in [
        ("x-forwarded-uri", "/open/x"),
        ("x-forwarded-uri", "/"),
        ("x-forwarded-host", "app.example.com"),
        ("x-original-url", "https://app.example.com/open/x"),
        ("x-original-method", "GET"),
    ] {
        unclear(&[&told[..], &[lie]].concat()).await.expect_problem(403, "unclear_request");
    }
    unclear(&[]).await.expect_problem(403, "unclear_request");
    unclear(&told[..3]).await.expect_problem(403, "unclear_request");
    for path in ["/../secret", "/a/%2e%2e/secret", "/a\\..\\secret", "/%00", "/%c0%ae", "x", "*"] {
        let told = [told[0], told[1], told[2], ("x-forwarded-uri", path)];
        unclear(&told).await.expect_problem(403, "unclear_request");
    }
}

#[tokio::test]
async fn names_and_groups_cheat_nobody() {
    let (server, root) = with_superuser(RULES).await;
    let body = json!({ "email": ADA, "first_name": "Ådä, 山田", "last_name": "x; Remote-Groups: Root", "password": PASSWORD });
    let ada = server.registered_as(body).await;
    with_group(&root, &ada, &["Readers,Root", "50%", "Ünïon"]).await;

    let answer = get(&server, "/", &[("authorization", &bearer(ada.access()))]).await;

    assert_eq!(told(&answer), [ADA, "Ådä, 山田 x; Remote-Groups: Root", ADA, "50%25,Readers%2CRoot,Ünïon"]);
    let answer = get(&server, "/", &[("authorization", &bearer(root.access()))]).await;
    assert_eq!(told(&answer)[3], "Root");
}

#[tokio::test]
async fn an_address_that_nobody_confirmed_is_not_told() {
    for verification in ["optional", "none"] {
        let settings = format!("registration.verification = \"{verification}\"\n{RULES}");
        let server = TestServer::start_with(&settings).await;
        let other = "eve@example.com";
        for (id, email, username) in
            [(1, ADA, Value::Null), (2, other, json!(other)), (3, "x@example.com", json!("1"))]
        {
            let body = json!({ "email": email, "username": username, "password": PASSWORD });
            server.anon().post("/auth/register/", &body).await.expect(201);
            let user = server.logged_in(email).await;

            let answer = get(&server, "/", &[("authorization", &bearer(user.access()))]).await;

            let is_told = verification == "none";
            let (address, id) = (if is_told { email } else { "" }, format!("#{id}"));
            let name = username.as_str().filter(|name| is_told || !name.contains('@'));
            let name = name.unwrap_or(if is_told { email } else { &id });
            assert_eq!(told(&answer), [name, "", address, ""], "{verification}");
        }
    }
}

#[tokio::test]
async fn somebody_who_has_to_choose_a_password_does_not_pass() {
    let (server, root) = with_superuser(RULES).await;
    let ada = json!({ "email": ADA, "password": PASSWORD, "temporary": true });
    root.post("/auth/admin/users/", &ada).await.expect(201);
    let ada = server.logged_in(ADA).await;

    for authorization in [bearer(ada.access()), basic(ADA, PASSWORD), basic(ADA, PASSWORD)] {
        let headers = [("authorization", authorization.as_str()), PAGE];
        get(&server, "/", &headers).await.expect_problem(403, "password_change_required");
        assert_eq!(told(&get(&server, "/open/x", &headers).await), ["", "", "", ""]);
    }
}
