//! What nobody gets out of administering: a right that is over, an account above them, a service that stands still.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, Caller, PASSWORD, TestServer};

const USERS: &str = "/auth/admin/users/";
const GROUPS: &str = "/auth/admin/groups/";
const PERMISSIONS: &str = "/auth/admin/permissions/";
const ADA: &str = "ada@example.com";

/// A request whose body has only begun.
struct HalfSent {
    stream: TcpStream,
    rest: String,
}

impl HalfSent {
    async fn begin(server: &TestServer, token: &str, line: &str, body: &Value) -> Self {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let body = body.to_string();
        let (begin, rest) = body.split_at(1);
        let head = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{begin}",
            body.len(),
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        Self { stream, rest: rest.to_owned() }
    }

    /// Sends the rest, and says how it was answered.
    async fn finish(mut self) -> String {
        self.stream.write_all(self.rest.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.expect("an answer");
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

fn denied(answer: Answer) {
    answer.expect_problem(403, "permission_denied");
}

async fn added(by: &Caller, body: Value) -> Value {
    by.post(USERS, &body).await.expect(201).body
}

async fn group(by: &Caller, name: &str, permissions: &[&str]) -> String {
    let body = json!({ "name": name, "permissions": permissions });
    format!("{GROUPS}{}/", by.post(GROUPS, &body).await.expect(201).body["id"])
}

fn part_of(user: &Value, part: &str) -> String {
    format!("{USERS}{}/{part}/", user["id"])
}

#[tokio::test]
async fn what_began_with_a_credential_that_ended_meanwhile_is_refused() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = added(&root, json!({ "email": ADA, "password": PASSWORD })).await;
    let editors = group(&root, "Editors", &[]).await;
    let own = root.get("/auth/profile/").await.expect(200).body;
    let (key, made) = server.api_key(&root, &json!({ "name": "a key" })).await;
    let text = made["key"].as_str().expect("a key");
    let lines = [
        (format!("POST {USERS}"), json!({ "username": "eve", "is_staff": true, "is_superuser": true })),
        (format!("PATCH {USERS}{}/", ada["id"]), json!({ "first_name": "Eve" })),
        (format!("PUT {}", part_of(&ada, "password")), json!({ "password": "a horse of eve's" })),
        (format!("PUT {}", part_of(&ada, "permissions")), json!({ "permissions": ["users.view_user"] })),
        (format!("POST {GROUPS}"), json!({ "name": "Eve's" })),
        (format!("PATCH {editors}"), json!({ "name": "Eve's" })),
        (format!("POST {PERMISSIONS}"), json!({ "label": "eve", "codename": "own" })),
        ("PATCH /auth/profile/".to_owned(), json!({ "first_name": "Eve" })),
    ];
    let mut begun = Vec::new();
    for (line, body) in &lines {
        for token in [root.access(), text] {
            begun.push((line, HalfSent::begin(&server, token, line, body).await));
        }
    }
    // Their heads are read, and who asks is known.
    tokio::time::sleep(Duration::from_millis(300)).await;

    key.delete(&format!("/auth/api-keys/{}/", made["id"].as_str().expect("an id"))).await.expect(204);
    root.delete("/auth/logout/").await.expect(204);

    for (line, request) in begun {
        assert_eq!(request.finish().await, "HTTP/1.1 401 Unauthorized", "{line}");
    }
    let root = server.logged_in("root@example.com").await;
    let seen = root.get("/auth/profile/").await.expect(200).body;
    assert_eq!((&seen["first_name"], &seen["updated_at"]), (&own["first_name"], &own["updated_at"]));
    assert_eq!(root.get(USERS).await.expect(200).body["count"], 2);
    server.logged_in(ADA).await;
}

#[tokio::test]
async fn nobody_takes_from_a_group_what_they_do_not_have() {
    let (server, root) = TestServer::with_superuser().await;
    let chiefs = group(&root, "Chiefs", &["audit.view_event"]).await;
    let dana = json!({ "username": "dana", "is_staff": true, "groups": ["Chiefs"] });
    let dana = added(&root, dana).await;
    let rights = [
        "users.change_user",
        "users.change_group",
        "users.delete_group",
        "auth.change_permission",
        "auth.delete_permission",
    ];
    let eve = server.staff_with(&root, "eve@example.com", &rights).await;
    let made = root.post(PERMISSIONS, &json!({ "label": "news", "codename": "ban" })).await.expect(201).body;
    let permission = format!("{PERMISSIONS}{}/", made["id"]);

    denied(eve.patch(&chiefs, &json!({ "permissions": [] })).await);
    denied(eve.patch(&chiefs, &json!({ "description": "mine" })).await);
    denied(eve.delete(&chiefs).await);
    denied(eve.patch(&permission, &json!({ "name": "mine" })).await);
    denied(eve.delete(&permission).await);

    denied(eve.put(&part_of(&dana, "password"), &json!({ "password": "a horse of eve's" })).await);
    assert_eq!(root.get(&chiefs).await.expect(200).body["permissions"], json!(["audit.view_event"]));
    let id = eve.tokens["user"]["id"].clone();
    let given = json!({ "permissions": ["news.ban", "auth.delete_permission"] });
    root.put(&part_of(&json!({ "id": id }), "permissions"), &given).await.expect(200);
    eve.delete(&permission).await.expect(204);
}

#[tokio::test]
async fn staff_below_superusers_choose_neither_their_groups_nor_what_groups_are_called() {
    let (server, root) = TestServer::with_superuser().await;
    let plain = group(&root, "Everybody", &[]).await;
    group(&root, "Approvers", &[]).await;
    let rights = ["users.change_user", "users.change_group"];
    let eve = server.staff_with(&root, "eve@example.com", &rights).await;
    let own = eve.tokens["user"].clone();

    denied(eve.put(&part_of(&own, "groups"), &json!({ "groups": ["Approvers"] })).await);
    denied(eve.put(&part_of(&own, "permissions"), &json!({ "permissions": ["users.change_user"] })).await);
    denied(eve.patch(&plain, &json!({ "name": "Approvers 2" })).await);

    eve.patch(&plain, &json!({ "name": "Everybody", "description": "all" })).await.expect(200);
    root.patch(&plain, &json!({ "name": "All" })).await.expect(200);
    let root_id = root.get("/auth/profile/").await.expect(200).body;
    root.put(&part_of(&root_id, "groups"), &json!({ "groups": ["All"] })).await.expect(200);
}

#[tokio::test]
async fn a_superuser_is_staff_and_the_last_who_can_administer_stays_one() {
    let (server, root) = TestServer::with_superuser().await;
    let own = root.get("/auth/profile/").await.expect(200).body;
    let path = |user: &Value| format!("{USERS}{}/", user["id"]);

    let second = json!({ "email": ADA, "password": PASSWORD, "is_superuser": true });
    let second = added(&root, second).await;
    assert_eq!(second["is_staff"], true);
    let third = added(&root, json!({ "username": "third" })).await;
    let third = root.patch(&path(&third), &json!({ "is_superuser": true })).await.expect(200).body;
    assert_eq!(third["is_staff"], true);
    let neither = json!({ "username": "fourth", "is_superuser": true, "is_staff": false });
    root.post(USERS, &neither).await.expect_invalid(&[("is_staff", "invalid")]);

    for user in [&second, &third] {
        root.patch(&path(user), &json!({ "is_staff": false })).await.expect(200);
    }
    for flag in ["is_staff", "is_superuser", "is_active"] {
        let refused = root.patch(&path(&own), &json!({ flag: false })).await;
        refused.expect_problem(409, "last_superuser");
    }
    root.delete(&path(&own)).await.expect_problem(409, "last_superuser");
    root.delete(&path(&third)).await.expect(204);
    server.expect_alive(&root).await;
}

#[tokio::test]
async fn staff_do_not_keep_the_service_busy_with_passwords() {
    let settings = "limits.enabled = true\nlimits.password = \"3/5m/account\"";
    let (server, root) = TestServer::with_superuser().await;
    let rights = ["users.add_user", "users.change_user"];
    server.staff_with(&root, "staff@example.com", &rights).await;
    let ada = added(&root, json!({ "email": ADA })).await;
    let server = server.restart_with(settings).await;
    let (root, staff) =
        (server.logged_in("root@example.com").await, server.logged_in("staff@example.com").await);
    let set = json!({ "password": "a horse for a day" });

    staff.put(&part_of(&ada, "password"), &set).await.expect(204);
    staff.post(USERS, &json!({ "username": "one", "password": PASSWORD })).await.expect(201);
    staff.put(&part_of(&ada, "password"), &set).await.expect(204);
    staff.put(&part_of(&ada, "password"), &set).await.expect_problem(429, "rate_limited");
    let refused = staff.post(USERS, &json!({ "username": "two", "password": PASSWORD })).await;
    assert!(refused.expect_problem(429, "rate_limited").header("retry-after").is_some());

    staff.post(USERS, &json!({ "username": "two" })).await.expect(201);
    for _ in 0..5 {
        root.put(&part_of(&ada, "password"), &set).await.expect(204);
    }
}

#[tokio::test]
async fn a_password_that_somebody_else_chose_leaves_nothing_open() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let (key, _) = server.api_key(&ada, &json!({ "name": "a key" })).await;
    let own = ada.tokens["user"].clone();
    let log_in = async |password: &str| {
        let body = json!({ "identifier": ADA, "password": password });
        server.caller(server.anon().post("/auth/login/", &body).await.expect(200).body)
    };

    root.put(&part_of(&own, "password"), &json!({ "password": "a horse for a day" })).await.expect(204);

    key.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    let holder = log_in("a horse for a day").await;
    for token in [holder.access(), holder.refresh()] {
        let verified = server.anon().post("/auth/token/verify/", &json!({ "token": token })).await;
        verified.expect_problem(401, "invalid_token");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let body = Some(format!("token={token}").into_bytes());
        let asked = root.send(hyper::Method::POST, "/auth/token/introspect/", &form, body).await;
        assert_eq!(asked.expect(200).text, r#"{"active":false}"#);
    }
    holder.get("/auth/profile/").await.expect(200);
    holder.patch("/auth/profile/", &json!({})).await.expect_problem(403, "password_change_required");

    // Set by an operator it is no temporary one, and keys end too.
    let change = json!({ "old_password": "a horse for a day", "new_password": PASSWORD });
    holder.post("/auth/password/change/", &change).await.expect(204);
    let (kept, _) = server.api_key(&holder, &json!({ "name": "a key" })).await;
    let again = json!({ "old_password": PASSWORD, "new_password": "my own horse, for good" });
    holder.post("/auth/password/change/", &again).await.expect(204);
    kept.get("/auth/profile/").await.expect(200);
    root.put(&part_of(&own, "password"), &json!({ "password": "a horse for a day" })).await.expect(204);
    let line = "an operator's horse\n";
    let server = server.operated(&["changepassword", ADA, "--password-stdin"], line).await;
    let body = json!({ "identifier": ADA, "password": line.trim() });
    let holder = server.caller(server.anon().post("/auth/login/", &body).await.expect(200).body);
    holder.get("/auth/sessions/").await.expect(200);
}

#[tokio::test]
async fn a_new_user_may_have_to_choose_a_password_first() {
    let (server, root) = TestServer::with_superuser().await;

    added(&root, json!({ "email": ADA, "password": PASSWORD, "temporary": true })).await;
    added(&root, json!({ "email": "bob@example.com", "password": PASSWORD })).await;

    let ada = server.logged_in(ADA).await;
    ada.get("/auth/sessions/").await.expect_problem(403, "password_change_required");
    server.logged_in("bob@example.com").await.get("/auth/sessions/").await.expect(200);
}

#[tokio::test]
async fn disabling_takes_the_right_to_do_so_by_whatever_path() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = added(&root, json!({ "email": ADA })).await;
    let path = format!("{USERS}{}/", ada["id"]);
    let changer = server.staff_with(&root, "a@example.com", &["users.change_user"]).await;
    let both = ["users.change_user", "users.delete_user"];
    let both = server.staff_with(&root, "b@example.com", &both).await;

    denied(changer.patch(&path, &json!({ "is_active": false })).await);
    both.patch(&path, &json!({ "is_active": false })).await.expect(200);
    changer.patch(&path, &json!({ "is_active": true })).await.expect(200);
}

#[tokio::test]
async fn no_list_ignores_a_parameter_and_no_answer_grows_with_what_is_wrong() {
    let (_server, root) = TestServer::with_superuser().await;

    for list in ["events", "groups", "permissions", "outbox", "registrations", "users"] {
        let path = format!("/auth/admin/{list}/?knd=x&limit=1");
        root.get(&path).await.expect_invalid(&[("knd", "unknown_field")]);
        root.get(&format!("/auth/admin/{list}/?limit=1")).await.expect(200);
    }
    root.get(&format!("{PERMISSIONS}?label=users&limit=1")).await.expect(200);
    let items: Vec<Value> = (0..5000).map(|n| json!(n)).collect();
    let names: Vec<String> = (0..2000).map(|n| format!("no.such{n}")).collect();
    for permissions in [json!(items), json!(names)] {
        let body = json!({ "name": "Editors", "permissions": permissions });
        let refused = root.post(GROUPS, &body).await.expect_problem(400, "invalid");
        assert_eq!(refused.body["errors"]["permissions"].as_array().map(Vec::len), Some(20));
    }
}

#[tokio::test]
async fn nothing_is_mailed_to_somebody_who_was_purged() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let before = server.count_mails().await;
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let change = json!({ "new_email": "ada@example.net", "password": PASSWORD });
    ada.post("/auth/email/change/", &change).await.expect(202);
    let newcomer = json!({ "email": "ada@example.net", "password": PASSWORD });
    server.anon().post("/auth/register/", &newcomer).await.expect(202);
    let waiting = root.get("/auth/admin/outbox/").await.expect(200).body;
    assert_eq!(waiting["count"], 4);

    root.delete(&format!("{USERS}{}/?purge=true", ada.tokens["user"]["id"])).await.expect(204);

    let waiting = root.get("/auth/admin/outbox/").await.expect(200).body;
    assert_eq!((&waiting["count"], &waiting["results"][0]["kind"]), (&json!(1), &json!("verify_email")));
    assert_eq!(server.count_mails().await, before + 1);
}
