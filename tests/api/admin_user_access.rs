//! The ways into somebody's account as administrators see and end them: sessions, API keys, a link to a new password.

use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, TestServer, part_of};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

fn path_of(caller: &Caller, part: &str) -> String {
    format!("/auth/admin/users/{}/{part}", caller.tokens["user"]["id"])
}

fn session_of(caller: &Caller) -> String {
    part_of(caller.access(), 1)["sid"].as_str().expect("an id").to_owned()
}

async fn newest_event(root: &Caller) -> Value {
    root.get("/auth/admin/events/?limit=1").await.expect(200).body["results"][0].clone()
}

#[tokio::test]
async fn one_session_of_a_user_ends_and_the_others_stay() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let other = server.logged_in(ADA).await;
    let bob = server.registered(BOB).await;

    root.delete(&path_of(&ada, &format!("sessions/{}/", session_of(&ada)))).await.expect(204);

    server.expect_dead(&ada).await;
    server.expect_alive(&other).await;
    let event = newest_event(&root).await;
    assert_eq!((&event["kind"], &event["subject"]["label"]), (&json!("session.ended"), &json!(ADA)));
    assert_eq!(event["detail"], format!("session: \"{}\"", session_of(&ada)));
    for gone in [session_of(&ada), session_of(&bob), "x".to_owned()] {
        let path = path_of(&ada, &format!("sessions/{gone}/"));
        root.delete(&path).await.expect_problem(404, "not_found");
    }
    server.expect_alive(&bob).await;
}

#[tokio::test]
async fn an_administrator_sees_and_revokes_the_keys_of_a_user_and_never_their_text() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let bob = server.registered(BOB).await;
    let (first, made) = server.api_key(&ada, &json!({ "name": "first" })).await;
    let (second, _) = server.api_key(&ada, &json!({ "name": "second" })).await;
    let (of_bob, bobs) = server.api_key(&bob, &json!({ "name": "bob's" })).await;
    let id = |key: &Value| key["id"].as_str().expect("an id").to_owned();

    let listed = root.get(&path_of(&ada, "api-keys/")).await.expect(200);
    root.delete(&path_of(&ada, &format!("api-keys/{}/", id(&made)))).await.expect(204);

    let names: Vec<_> =
        listed.body["results"].as_array().expect("keys").iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["second", "first"]);
    assert_eq!(listed.body["results"][1]["prefix"], made["prefix"]);
    assert!(!listed.text.contains(made["key"].as_str().expect("a key")), "{}", listed.text);
    first.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    second.get("/auth/profile/").await.expect(200);
    let event = newest_event(&root).await;
    assert_eq!((&event["kind"], &event["subject"]["label"]), (&json!("api_key.revoked"), &json!(ADA)));
    assert_eq!(event["actor"]["label"], "root@example.com");
    assert!(event["detail"].as_str().is_some_and(|told| told.starts_with("name: \"first\"; prefix: ")));
    for gone in [id(&made), id(&bobs)] {
        root.delete(&path_of(&ada, &format!("api-keys/{gone}/"))).await.expect_problem(404, "not_found");
    }
    of_bob.get("/auth/profile/").await.expect(200);
    root.get("/auth/admin/users/999/api-keys/").await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn staff_reach_no_account_that_may_do_more() {
    let (server, root) = TestServer::with_superuser().await;
    let eve = server.staff_with(&root, "eve@example.com", &["users.view_user", "users.change_user"]).await;
    let chief = server.staff_with(&root, "chief@example.com", &["audit.view_event"]).await;
    let (key, made) = server.api_key(&chief, &json!({ "name": "a key" })).await;
    let mails = server.count_mails().await;

    let key_path = format!("api-keys/{}/", made["id"].as_str().expect("an id"));
    eve.delete(&path_of(&chief, &key_path)).await.expect_problem(403, "permission_denied");
    let session = format!("sessions/{}/", session_of(&chief));
    eve.delete(&path_of(&chief, &session)).await.expect_problem(403, "permission_denied");
    for above in [&chief, &root] {
        let asked = eve.post(&path_of(above, "send_reset/"), &json!({})).await;
        asked.expect_problem(403, "permission_denied");
    }

    key.get("/auth/profile/").await.expect(200);
    server.expect_alive(&chief).await;
    assert_eq!(server.count_mails().await, mails);
}

#[tokio::test]
async fn a_link_to_a_new_password_goes_to_the_user_and_to_nobody_else() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;

    let sent = root.post(&path_of(&ada, "send_reset/"), &json!({})).await.expect(202);

    assert_eq!(sent.text, "");
    let event = newest_event(&root).await;
    assert_eq!(event["kind"], "password.reset_requested");
    assert_eq!(
        (&event["actor"]["label"], &event["subject"]["label"]),
        (&json!("root@example.com"), &json!(ADA))
    );
    let link = server.mail_to(ADA).await.reset_link();
    server.expect_alive(&ada).await;
    link.reset(&server, "another horse of ada's").await.expect(204);
    server.expect_dead(&ada).await;
}

#[tokio::test]
async fn somebody_without_a_password_gets_their_first_one_by_a_link() {
    let (server, root) = TestServer::with_superuser().await;
    let made = root.post("/auth/admin/users/", &json!({ "email": ADA })).await.expect(201).body;

    root.post(&format!("/auth/admin/users/{}/send_reset/", made["id"]), &json!({})).await.expect(202);

    server.mail_to(ADA).await.reset_link().reset(&server, PASSWORD).await.expect(204);
    server.logged_in(ADA).await;
}

#[tokio::test]
async fn no_link_goes_where_it_would_open_nothing() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    root.delete(&path_of(&ada, "")).await.expect(204);
    let named = root.post("/auth/admin/users/", &json!({ "username": "bob" })).await.expect(201).body;
    let mails = server.count_mails().await;

    let disabled = root.post(&path_of(&ada, "send_reset/"), &json!({})).await.expect_problem(409, "conflict");
    let path = format!("/auth/admin/users/{}/send_reset/", named["id"]);
    let nowhere = root.post(&path, &json!({})).await.expect_problem(409, "conflict");

    assert!(disabled.body["detail"].as_str().is_some_and(|why| why.contains("disabled")));
    assert!(nowhere.body["detail"].as_str().is_some_and(|why| why.contains("no email")));
    assert_eq!(server.count_mails().await, mails);
}

#[tokio::test]
async fn no_mailbox_is_flooded_with_links() {
    let settings = "limits.enabled = true\nlimits.mail = \"2/1h/mailbox\"";
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    drop(root);
    let server = server.restart_with(settings).await;
    let root = server.logged_in("root@example.com").await;

    for _ in 0..2 {
        root.post(&path_of(&ada, "send_reset/"), &json!({})).await.expect(202);
    }
    root.post(&path_of(&ada, "send_reset/"), &json!({})).await.expect_problem(429, "rate_limited");
}

#[tokio::test]
async fn what_a_user_may_do_says_why() {
    let (server, root) = TestServer::with_superuser().await;
    let group = json!({ "name": "Editors", "permissions": ["users.view_user", "users.view_group"] });
    root.post("/auth/admin/groups/", &group).await.expect(201);
    let ada = server.registered(ADA).await;
    root.put(&path_of(&ada, "groups/"), &json!({ "groups": ["Editors"] })).await.expect(200);
    let own = json!({ "permissions": ["users.view_user", "audit.view_event"] });
    root.put(&path_of(&ada, "permissions/"), &own).await.expect(200);

    let rights = root.get(&path_of(&ada, "permissions/")).await.expect(200).body;
    let of_root = root.get(&path_of(&root, "permissions/")).await.expect(200).body;

    let expected = json!([
        { "permission": "audit.view_event", "own": true, "through": [] },
        { "permission": "users.view_group", "own": false, "through": ["Editors"] },
        { "permission": "users.view_user", "own": true, "through": ["Editors"] },
    ]);
    assert_eq!(rights["effective"], expected);
    assert_eq!(rights["inherited"], json!(["users.view_group", "users.view_user"]));
    let through_root = json!({ "permission": "audit.add_event", "own": false, "through": ["Root"] });
    assert_eq!(of_root["effective"][0], through_root);
}
