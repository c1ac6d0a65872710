//! The examples of the API docs are real replies: `UPDATE=1 cargo test --test api examples` records them anew.

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::{Map, Value, json};

use crate::harness::{Answer, Caller, PASSWORD, TestServer};
use crate::operation::Operation;

const FILE: &str = "assets/docs/examples.json";
const ADA: &str = "ada@example.com";

/// Where an example would say nothing: pages, files, probes, other services' forms, and second names of the same thing.
const WITHOUT: [&str; 16] = [
    "/account/",
    "/admin/",
    "/assets/",
    "/docs/",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/auth/forward/",
    "/auth/register/verify/",
    "/auth/profile/view/",
    "/auth/profile/update/",
    "/auth/profile/delete/",
    "/auth/admin/users/export/",
    "/auth/admin/outbox/",
    "/auth/admin/config/",
    "/auth/admin/overview/",
];

/// What was recorded, by method and path as the document has them.
struct Examples {
    recorded: BTreeMap<String, Value>,
}

impl Examples {
    /// Sends it, and keeps what came back.
    async fn of(&mut self, name: &str, caller: &Caller, url: &str, body: Option<Value>) -> Answer {
        let (method, _) = name.split_once(' ').expect("a method and a path");
        let method: Method = method.parse().expect("a method");
        let answer = match &body {
            Some(body) => caller.json(method, url, body).await,
            None => caller.send(method, url, &[], None).await,
        };
        assert!(answer.status.is_success(), "{name}: {} {}", answer.status, answer.text);
        let mut example = Map::new();
        if let Some(body) = body {
            example.insert("request".into(), settled(None, body));
        }
        example.insert("status".into(), answer.status.as_u16().into());
        if !answer.body.is_null() {
            example.insert("reply".into(), settled(None, answer.body.clone()));
        }
        self.recorded.insert(name.to_owned(), example.into());
        answer
    }
}

/// The same with what differs from run to run in the shape that it has.
fn settled(member: Option<&str>, value: Value) -> Value {
    const ID: &str = "018f3b5c-7a10-7000-8000-000000000000";
    match value {
        Value::Object(members) => {
            let settle = |(name, value): (String, Value)| (name.clone(), settled(Some(&name), value));
            Value::Object(members.into_iter().map(settle).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| settled(member, item)).collect();
            // Keys are listed by their ids, which are random.
            if items.iter().all(|item| item["use"].is_string()) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::String(text) => {
            let is_time = text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
            let is_id = text.len() == 36 && text.matches('-').count() == 4;
            match member {
                _ if is_time => json!("2026-11-23T12:00:00Z"),
                _ if is_id => json!(ID),
                Some("x" | "y" | "kid" | "registration" | "request_id") => json!("…"),
                Some("prefix") => json!("ksk_4fT1b…"),
                _ if text.starts_with("ksk_") => json!("ksk_4fT1b…"),
                Some("code") if text.bytes().all(|byte| byte.is_ascii_digit()) => json!("12345678"),
                _ if text.starts_with("eyJ") => json!("eyJhbGciOiJFUzI1NiIs…"),
                Some("token") => json!("…"),
                _ => json!(text),
            }
        }
        Value::Number(_) if matches!(member, Some("exp" | "iat")) => json!(1_795_435_200),
        value => value,
    }
}

#[tokio::test]
async fn the_examples_are_what_the_service_answers() {
    let (server, root) = TestServer::with_superuser().await;
    let mut examples = Examples { recorded: BTreeMap::new() };

    accounts(&server, &mut examples).await;
    administration(&server, &root, &mut examples).await;
    ends(&server, &mut examples).await;

    for operation in Operation::all(&server).await {
        let name = format!("{} {}", operation.method, operation.path);
        let is_left_out = WITHOUT.iter().any(|prefix| operation.path.starts_with(prefix));
        let is_form = operation.path.starts_with("/auth/token/") && operation.body.is_none();
        let says_nothing = operation.method == Method::DELETE && operation.body.is_none();
        assert!(
            is_left_out || is_form || says_nothing || examples.recorded.contains_key(&name),
            "{name} has no example: add it to tests/api/examples.rs"
        );
    }
    let made = format!("{:#}\n", json!(examples.recorded));
    #[expect(clippy::disallowed_methods, reason = "asks whether to write the file")]
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, made).expect("written");
    } else {
        let committed = std::fs::read_to_string(FILE).expect("readable");
        assert!(made == committed, "{FILE} is old: run UPDATE=1 cargo test --test api examples");
    }
}

/// What people do with their own account.
async fn accounts(server: &TestServer, examples: &mut Examples) {
    let anon = server.anon();
    let new = json!({ "email": ADA, "password": PASSWORD, "username": "ada", "first_name": "Ada" });
    let pending = examples.of("POST /auth/register/", &anon, "/auth/register/", Some(new)).await.body;
    let code = server.mail_to(ADA).await.code();
    let confirm = json!({ "registration": pending["registration"], "code": code });
    let path = "/auth/register/verify/";
    examples.of(&format!("POST {path}"), &anon, path, Some(confirm)).await;
    let log_in = json!({ "identifier": "ada", "password": PASSWORD, "label": "My phone" });
    let tokens = examples.of("POST /auth/login/", &anon, "/auth/login/", Some(log_in)).await.body;
    let refresh = json!({ "refresh": tokens["refresh"] });
    examples.of("POST /auth/token/refresh/", &anon, "/auth/token/refresh/", Some(refresh)).await;
    let verify = json!({ "token": tokens["access"] });
    examples.of("POST /auth/token/verify/", &anon, "/auth/token/verify/", Some(verify)).await;
    for path in ["/.well-known/jwks.json", "/auth/password/policy/"] {
        examples.of(&format!("GET {path}"), &anon, path, None).await;
    }
    let ask = Some(json!({ "email": "nobody@example.com" }));
    for path in ["/auth/register/resend_email_verify/", "/auth/password/request_change/"] {
        examples.of(&format!("POST {path}"), &anon, path, ask.clone()).await;
    }

    let ada = server.logged_in(ADA).await;
    let key = Some(json!({ "name": "Nightly backup", "expires_at": "2999-12-31T23:59:59Z" }));
    examples.of("POST /auth/api-keys/", &ada, "/auth/api-keys/", key).await;
    for path in ["/auth/profile/", "/auth/profile/permissions/", "/auth/sessions/", "/auth/api-keys/"] {
        examples.of(&format!("GET {path}"), &ada, path, None).await;
    }
    let name = Some(json!({ "first_name": "Ada", "last_name": "Lovelace" }));
    examples.of("PATCH /auth/profile/", &ada, "/auth/profile/", name).await;
    let whole =
        Some(json!({ "username": "ada", "first_name": "Ada", "last_name": "Lovelace", "avatar": null }));
    examples.of("PUT /auth/profile/", &ada, "/auth/profile/", whole).await;
    for (path, url) in [
        ("/auth/profile/has_group/{name}/", "/auth/profile/has_group/Editors/"),
        ("/auth/profile/has_permission/{name}/", "/auth/profile/has_permission/users.view_user/"),
    ] {
        examples.of(&format!("GET {path}"), &ada, url, None).await;
    }
    let asked = Some(json!({ "permissions": ["users.view_user", "blog.add_post"] }));
    let path = "/auth/profile/has_permissions/";
    examples.of(&format!("POST {path}"), &ada, path, asked).await;
}

/// What administrators do.
async fn administration(server: &TestServer, root: &Caller, examples: &mut Examples) {
    let of = async |examples: &mut Examples, name: &str, id: &Value, body: Option<Value>| {
        let (_, path) = name.split_once(' ').expect("a path");
        let url = path.replace("{id}", id.to_string().trim_matches('"'));
        examples.of(name, root, &url, body).await.body
    };
    let none = Value::Null;
    let permission = json!({ "label": "blog", "codename": "add_post", "name": "Can add post" });
    let made = of(examples, "POST /auth/admin/permissions/", &none, Some(permission)).await;
    of(examples, "GET /auth/admin/permissions/", &none, None).await;
    of(examples, "GET /auth/admin/permissions/{id}/", &made["id"], None).await;
    let name = Some(json!({ "name": "Can write posts" }));
    of(examples, "PATCH /auth/admin/permissions/{id}/", &made["id"], name).await;
    let permission = json!({ "label": "blog", "codename": "add_post", "name": "Can write posts" });
    of(examples, "PUT /auth/admin/permissions/{id}/", &made["id"], Some(permission)).await;
    let group = json!({ "name": "Editors", "description": "Who write", "permissions": ["blog.add_post"] });
    let made_group = of(examples, "POST /auth/admin/groups/", &none, Some(group)).await;
    of(examples, "GET /auth/admin/groups/", &none, None).await;
    of(examples, "GET /auth/admin/groups/{id}/", &made_group["id"], None).await;
    let told = Some(json!({ "description": "Who may write" }));
    of(examples, "PATCH /auth/admin/groups/{id}/", &made_group["id"], told).await;

    let group =
        json!({ "name": "Editors", "description": "Who may write", "permissions": ["blog.add_post"] });
    of(examples, "PUT /auth/admin/groups/{id}/", &made_group["id"], Some(group)).await;

    let user = json!({ "email": "grace@example.com", "first_name": "Grace", "groups": ["Editors"] });
    let grace = of(examples, "POST /auth/admin/users/", &none, Some(user)).await["id"].clone();
    of(examples, "GET /auth/admin/users/", &none, None).await;
    of(examples, "GET /auth/admin/users/{id}/", &grace, None).await;
    of(examples, "PATCH /auth/admin/users/{id}/", &grace, Some(json!({ "last_name": "Hopper" }))).await;
    let whole = json!({
        "email": "grace@example.com", "username": "grace", "first_name": "Grace", "last_name": "Hopper", "avatar": null,
        "is_active": true, "is_staff": false, "is_superuser": false, "email_verified": true,
    });
    of(examples, "PUT /auth/admin/users/{id}/", &grace, Some(whole)).await;
    let groups = Some(json!({ "groups": ["Editors"] }));
    of(examples, "PUT /auth/admin/users/{id}/groups/", &grace, groups).await;
    let permissions = Some(json!({ "permissions": ["users.view_user"] }));
    of(examples, "PUT /auth/admin/users/{id}/permissions/", &grace, permissions).await;
    for part in ["permissions", "sessions", "api-keys"] {
        of(examples, &format!("GET /auth/admin/users/{{id}}/{part}/"), &grace, None).await;
    }
    of(examples, "GET /auth/admin/permissions/{id}/users/", &made["id"], None).await;
    let temporary = Some(json!({ "password": "given by the office" }));
    of(examples, "PUT /auth/admin/users/{id}/password/", &grace, temporary).await;
    of(examples, "POST /auth/admin/users/{id}/send_reset/", &grace, None).await;
    let bulk = Some(json!({ "ids": [grace], "action": "disable" }));
    of(examples, "POST /auth/admin/users/bulk/", &none, bulk).await;
    of(examples, "POST /auth/admin/users/{id}/activate/", &grace, None).await;

    let waiting = json!({ "email": "alan@example.com", "password": PASSWORD });
    server.anon().post("/auth/register/", &waiting).await.expect(202);
    let waiting = of(examples, "GET /auth/admin/registrations/", &none, None).await;
    let id = waiting["results"][0]["id"].clone();
    of(examples, "POST /auth/admin/registrations/{id}/activate/", &id, None).await;
    of(examples, "GET /auth/admin/events/?limit=3", &none, None).await;
    let events = examples.recorded.remove("GET /auth/admin/events/?limit=3").expect("recorded");
    examples.recorded.insert("GET /auth/admin/events/".to_owned(), events);
    of(examples, "GET /auth/admin/keys/", &none, None).await;
    of(examples, "POST /auth/admin/keys/rotate/", &none, None).await;
}

/// What ends things, so it comes last.
async fn ends(server: &TestServer, examples: &mut Examples) {
    let ada = server.logged_in(ADA).await;
    let change = json!({ "new_email": "countess@example.com", "password": PASSWORD });
    examples.of("POST /auth/email/change/", &ada, "/auth/email/change/", Some(change)).await;
    let code = server.mail_to("countess@example.com").await.code();
    let confirm = Some(json!({ "code": code }));
    examples.of("POST /auth/email/confirm/", &ada, "/auth/email/confirm/", confirm).await;
    server.anon().post("/auth/password/request_change/", &json!({ "email": "countess@example.com" })).await;
    let (uid, token) = link(server).await;
    let url = format!("/auth/password/verify/{uid}/{token}/");
    examples.of("GET /auth/password/verify/{uid}/{token}/", &server.anon(), &url, None).await;
    let change = json!({ "old_password": PASSWORD, "new_password": "a better horse battery" });
    examples.of("POST /auth/password/change/", &ada, "/auth/password/change/", Some(change)).await;
    server.anon().post("/auth/password/request_change/", &json!({ "email": "countess@example.com" })).await;
    examples.of("POST /auth/logout/", &ada, "/auth/logout/", Some(json!({}))).await;
    let (uid, token) = link(server).await;
    let path = "/auth/password/reset/";
    let reset = Some(json!({ "uid": uid, "token": token, "new_password": "an even better battery" }));
    examples.of(&format!("POST {path}"), &server.anon(), path, reset).await;
    server.anon().post("/auth/password/request_change/", &json!({ "email": "countess@example.com" })).await;
    let (uid, token) = link(server).await;
    let reset = Some(json!({ "uid": uid, "token": token, "new_password": "the very best battery" }));
    examples.of(&format!("PUT {path}"), &server.anon(), path, reset).await;

    let log_in = json!({ "identifier": "ada", "password": "the very best battery" });
    let ada = server.caller(server.anon().post("/auth/login/", &log_in).await.expect(200).body);
    let sure = Some(json!({ "password": "the very best battery" }));
    examples.of("DELETE /auth/profile/", &ada, "/auth/profile/", sure).await;
}

/// What the newest link to a new password has in it.
async fn link(server: &TestServer) -> (String, String) {
    let link = server.mail_to("countess@example.com").await.link();
    let url = url::Url::parse(&link).expect("a link");
    let part = |name: &str| {
        let pair = url.query_pairs().find(|(key, _)| key == name).expect("in the link");
        pair.1.into_owned()
    };
    (part("uid"), part("token"))
}
