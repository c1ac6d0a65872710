//! The audit log tells of each act of an administrator what was before and what is after, and no secret.

use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, TestServer};

const USERS: &str = "/auth/admin/users/";
const GROUPS: &str = "/auth/admin/groups/";
const PERMISSIONS: &str = "/auth/admin/permissions/";
const ADA: &str = "ada@example.com";

/// What the newest event of a kind tells.
async fn told(root: &Caller, kind: &str) -> String {
    let list = root.get(&format!("/auth/admin/events/?kind={kind}&limit=1")).await.expect(200).body;
    let event = &list["results"][0];
    assert_eq!(event["actor"]["id"], root.tokens["user"]["id"].to_string(), "{event}");
    event["detail"].as_str().expect("a text").to_owned()
}

async fn added(root: &Caller, body: &Value) -> String {
    format!("{USERS}{}/", root.post(USERS, body).await.expect(201).body["id"])
}

#[tokio::test]
async fn an_account_is_told_from_its_first_act_to_its_last() {
    let (server, root) = TestServer::with_superuser().await;
    root.post(GROUPS, &json!({ "name": "Old hands" })).await.expect(201);
    let body = json!({ "email": ADA, "first_name": "Ada", "password": PASSWORD, "groups": ["Old hands"] });
    let path = added(&root, &body).await;
    assert_eq!(
        told(&root, "user.created").await,
        "email: none -> \"ada@example.com\"; first_name: \"\" -> \"Ada\"; is_active: false -> true; \
         email_verified: false -> true; password: none -> set; groups: +\"Old hands\""
    );

    let change = json!({ "first_name": "Augusta", "username": "ada", "is_staff": true });
    root.patch(&path, &change).await.expect(200);
    let expected = "username: none -> \"ada\"; first_name: \"Ada\" -> \"Augusta\"; is_staff: false -> true";
    assert_eq!(told(&root, "user.updated").await, expected);

    root.put(&format!("{path}groups/"), &json!({ "groups": [] })).await.expect(200);
    assert_eq!(told(&root, "user.updated").await, "groups: -\"Old hands\"");
    let one = json!({ "permissions": ["users.view_user"] });
    root.put(&format!("{path}permissions/"), &one).await.expect(200);
    assert_eq!(told(&root, "user.updated").await, "permissions: +users.view_user");

    server.logged_in(ADA).await;
    server.logged_in(ADA).await;
    root.delete(&format!("{path}sessions/")).await.expect(204);
    assert_eq!(told(&root, "session.ended").await, "sessions: 2 -> 0");
    root.delete(&format!("{path}sessions/")).await.expect(204);
    let ended = server.events().into_iter().filter(|kind| *kind == "session.ended").count();
    assert_eq!(ended, 1, "nothing was left to end");
    let ada = server.logged_in(ADA).await;
    server.api_key(&ada, &json!({ "name": "a key" })).await;
    let password = json!({ "password": "a horse for a day" });
    root.put(&format!("{path}password/"), &password).await.expect(204);
    let expected = "password: changed; password_is_temporary: false -> true; sessions: 1 -> 0; \
                    api_keys: 1 -> 0";
    assert_eq!(told(&root, "password.changed").await, expected);

    root.delete(&path).await.expect(204);
    assert_eq!(told(&root, "user.disabled").await, "is_active: true -> false");
    root.post(&format!("{path}activate/"), &json!({})).await.expect(200);
    assert_eq!(told(&root, "user.enabled").await, "is_active: false -> true");
    root.delete(&format!("{path}?purge=true")).await.expect(204);
    assert_eq!(
        told(&root, "user.deleted").await,
        "email: \"ada@example.com\" -> none; username: \"ada\" -> none; first_name: \"Augusta\" -> \"\"; \
         is_active: true -> false; is_staff: true -> false; email_verified: true -> false; \
         password: set -> none; password_is_temporary: true -> false; permissions: -users.view_user"
    );
    let all = root.get("/auth/admin/events/?limit=500").await.expect(200).text;
    assert!(!all.contains("horse") && !all.contains("argon2"), "{all}");
}

#[tokio::test]
async fn groups_and_permissions_are_told_too() {
    let (_server, root) = TestServer::with_superuser().await;
    let body = json!({ "label": "news", "codename": "ban", "name": "Can ban" });
    let permission = root.post(PERMISSIONS, &body).await.expect(201).body;
    let permission = format!("{PERMISSIONS}{}/", permission["id"]);
    let expected = "label: none -> \"news\"; codename: none -> \"ban\"; name: \"\" -> \"Can ban\"";
    assert_eq!(told(&root, "permission.created").await, expected);
    let body = json!({ "name": "A", "description": "all", "permissions": ["news.ban"] });
    let group = root.post(GROUPS, &body).await.expect(201).body;
    let group = format!("{GROUPS}{}/", group["id"]);
    let expected = "name: none -> \"A\"; description: \"\" -> \"all\"; permissions: +news.ban";
    assert_eq!(told(&root, "group.created").await, expected);

    root.patch(&permission, &json!({ "codename": "mute" })).await.expect(200);
    assert_eq!(told(&root, "permission.changed").await, "codename: \"ban\" -> \"mute\"");
    root.delete(&group).await.expect(204);
    let expected = "name: \"A\" -> none; description: \"all\" -> \"\"; permissions: -news.mute";
    assert_eq!(told(&root, "group.deleted").await, expected);
    root.delete(&permission).await.expect(204);
    let expected = "label: \"news\" -> none; codename: \"mute\" -> none; name: \"Can ban\" -> \"\"";
    assert_eq!(told(&root, "permission.deleted").await, expected);
}

#[tokio::test]
async fn mails_and_registrations_are_told_too() {
    let (server, root) = TestServer::with_superuser().await;
    let mut pending = Vec::new();
    for (email, name) in [(ADA, "ada"), ("bob@example.com", "bob")] {
        let body = json!({ "email": email, "username": name, "password": PASSWORD });
        let answer = server.anon().post("/auth/register/", &body).await.expect(202);
        pending.push(answer.body["registration"].as_str().expect("a handle").to_owned());
    }
    let mails = root.get("/auth/admin/outbox/").await.expect(200).body;
    let mail = format!("/auth/admin/outbox/{}/", mails["results"][0]["id"].as_str().expect("an id"));

    root.post(&format!("{mail}resend/"), &json!({})).await.expect(202);
    assert_eq!(told(&root, "mail.resent").await, "kind: \"verify_email\"");
    root.delete(&mail).await.expect(204);
    assert_eq!(told(&root, "mail.dropped").await, "kind: \"verify_email\"; status: \"waiting\" -> none");

    let path = format!("/auth/admin/registrations/{}/", pending[0]);
    root.post(&format!("{path}activate/"), &json!({})).await.expect(200);
    let told_of_ada = told(&root, "user.verified").await;
    assert!(told_of_ada.starts_with("email: none -> \"ada@example.com\"; username: none -> \"ada\""));
    root.delete(&format!("/auth/admin/registrations/{}/", pending[1])).await.expect(204);
    let expected = "email: \"bob@example.com\" -> none; username: \"bob\" -> none";
    assert_eq!(told(&root, "registration.dropped").await, expected);
}

#[tokio::test]
async fn no_name_forges_what_is_told() {
    let (_server, root) = TestServer::with_superuser().await;
    let forged = "x\"; is_superuser: false -> true; last_name: \"\u{202e}y";
    let path = added(&root, &json!({ "email": ADA })).await;
    let group = "A; is_staff: false -> true";
    root.post(GROUPS, &json!({ "name": group })).await.expect(201);

    root.patch(&path, &json!({ "first_name": forged })).await.expect(200);
    let expected = r#"first_name: "" -> "x\"; is_superuser: false -> true; last_name: \"\u{202e}y""#;
    assert_eq!(told(&root, "user.updated").await, expected);
    root.put(&format!("{path}groups/"), &json!({ "groups": [group] })).await.expect(200);
    assert_eq!(told(&root, "user.updated").await, format!("groups: +\"{group}\""));
}

#[tokio::test]
async fn ones_own_profile_is_told_in_the_same_way() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;

    ada.patch("/auth/profile/", &json!({ "first_name": "Ada" })).await.expect(200);

    let list = root.get("/auth/admin/events/?kind=user.updated").await.expect(200).body;
    assert_eq!(list["results"][0]["detail"], "first_name: \"\" -> \"Ada\"");
}
