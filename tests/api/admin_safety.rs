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
