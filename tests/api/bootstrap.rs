//! What the configuration declares is there at the start, once, and nothing that is there is touched.

use std::fs;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, TestServer};

const ADA: &str = "ada@example.com";
const BOSS: &str = "boss@example.com";

/// Two permissions, a group, its editor and a superuser, whose passwords are in a file.
fn declaration(password: &str) -> String {
    format!(
        "[[bootstrap.permissions]]\nlabel = \"blog\"\ncodename = \"add_post\"\nname = \"Can add post\"\n\
         [[bootstrap.permissions]]\nlabel = \"blog\"\ncodename = \"ban_author\"\n\
         [[bootstrap.groups]]\nname = \"Editors\"\ndescription = \"Who may write\"\n\
         permissions = [\"blog.add_post\", \"users.view_user\", \"blog.add_post\"]\n\
         [[bootstrap.users]]\nemail = \"{ADA}\"\nusername = \"ada\"\nfirst_name = \"Ada\"\nis_staff = true\n\
         groups = [\"Editors\"]\npermissions = [\"blog.ban_author\"]\npassword_file = \"{password}\"\n\
         [[bootstrap.users]]\nemail = \"{BOSS}\"\nis_superuser = true\npassword_file = \"{password}\"\n"
    )
}

/// A file with the password of everybody.
struct PasswordFile(tempfile::TempDir);

impl PasswordFile {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).expect("writable");
        Self(folder)
    }

    fn declaration(&self) -> String {
        declaration(&self.0.path().join("password").display().to_string())
    }
}

async fn started() -> (TestServer, PasswordFile) {
    let file = PasswordFile::new();
    (TestServer::start_with(&file.declaration()).await, file)
}

async fn found(caller: &Caller, path: &str) -> Value {
    caller.get(path).await.expect(200).body["results"].clone()
}

async fn group(caller: &Caller) -> Value {
    let groups = found(caller, "/auth/admin/groups/").await;
    let mut groups = groups.as_array().expect("a list").iter();
    groups.find(|group| group["name"] == "Editors").cloned().unwrap_or_default()
}

async fn user(caller: &Caller, email: &str) -> Value {
    found(caller, &format!("/auth/admin/users/?search={email}")).await[0].clone()
}

#[tokio::test]
async fn what_is_declared_is_there_when_the_first_request_is_answered() {
    let (server, _file) = started().await;

    assert_eq!(
        server.events(),
        ["permission.created", "permission.created", "group.created", "user.created", "user.created"]
    );
    let ada = server.logged_in("ada").await;
    let profile = ada.get("/auth/profile/").await.expect(200).body;
    for (member, value) in [
        ("email", json!(ADA)),
        ("full_name", json!("Ada")),
        ("groups", json!(["Editors"])),
        ("is_active", json!(true)),
        ("is_staff", json!(true)),
        ("is_superuser", json!(false)),
        ("email_verified", json!(true)),
    ] {
        assert_eq!(profile[member], value, "{member}");
    }
    let rights = ada.get("/auth/profile/permissions/").await.expect(200).body;
    assert_eq!(rights["permissions"], json!(["blog.add_post", "blog.ban_author", "users.view_user"]));

    let boss = server.logged_in(BOSS).await;
    assert_eq!(user(&boss, BOSS).await["is_staff"], true);
    assert_eq!(group(&boss).await["description"], "Who may write");
    let events = found(&boss, "/auth/admin/events/?kind=group.created").await;
    assert_eq!(
        events[0]["detail"],
        "name: none -> \"Editors\"; description: \"\" -> \"Who may write\"; \
         permissions: +users.view_user +blog.add_post; by: \"bootstrap\""
    );
    assert_eq!((&events[0]["actor"], &events[0]["subject"]["label"]), (&Value::Null, &json!("Editors")));
    let events = found(&boss, "/auth/admin/events/?kind=user.created").await;
    assert_eq!((&events[0]["detail"], &events[1]["detail"]), (&json!("bootstrap"), &json!("bootstrap")));
    assert_eq!(server.setup_link(), None);
}

#[tokio::test]
async fn another_start_changes_nothing_and_needs_no_password() {
    let (server, file) = started().await;
    let boss = server.logged_in(BOSS).await;
    let before = (group(&boss).await, user(&boss, ADA).await);
    let events = server.events();

    drop(file);
    let server = server.restart().await;

    assert_eq!(server.events(), events);
    let boss = server.logged_in(BOSS).await;
    assert_eq!((group(&boss).await, user(&boss, ADA).await), before);
}

#[tokio::test]
async fn what_administrators_did_to_people_stays() {
    let (server, file) = started().await;
    let boss = server.logged_in(BOSS).await;
    let ada = user(&boss, ADA).await["id"].clone();
    let path = |rest: &str| format!("/auth/admin/users/{ada}/{rest}");
    boss.put(&path("groups/"), &json!({ "groups": [] })).await.expect(200);
    boss.put(&path("permissions/"), &json!({ "permissions": [] })).await.expect(200);
    let password = json!({ "password": "another horse battery", "temporary": false });
    boss.put(&path("password/"), &password).await.expect(204);
    boss.patch(&path(""), &json!({ "is_staff": false, "first_name": "Augusta" })).await.expect(200);
    boss.delete(&path("")).await.expect(204);
    let before = user(&boss, ADA).await;
    assert_eq!(before["is_active"], false);
    boss.post(
        "/auth/admin/users/",
        &json!({ "email": "root@example.com", "password": PASSWORD, "is_staff": true, "is_superuser": true }),
    )
    .await
    .expect(201);
    let root = server.logged_in("root@example.com").await;
    let of_boss = user(&root, BOSS).await["id"].clone();
    let demotion = json!({ "is_superuser": false, "is_staff": false });
    root.patch(&format!("/auth/admin/users/{of_boss}/"), &demotion).await.expect(200);

    let server = server.restart_with(&file.declaration()).await;

    let root = server.logged_in("root@example.com").await;
    assert_eq!(user(&root, ADA).await, before);
    assert_eq!(user(&root, BOSS).await["is_superuser"], false);
    root.post(&path("activate/"), &json!({})).await.expect(200);
    let old = json!({ "identifier": ADA, "password": PASSWORD });
    server.anon().post("/auth/login/", &old).await.expect(401);
}

#[tokio::test]
async fn groups_get_what_they_lack_and_lose_nothing() {
    let (server, file) = started().await;
    let boss = server.logged_in(BOSS).await;
    let editors = group(&boss).await["id"].clone();
    let path = format!("/auth/admin/groups/{editors}/");
    let change = json!({ "description": "Ours", "permissions": ["blog.ban_author", "users.view_user"] });
    boss.patch(&path, &change).await.expect(200);
    let permissions = found(&boss, "/auth/admin/permissions/?label=blog").await;
    let first = permissions[0]["id"].clone();
    boss.patch(&format!("/auth/admin/permissions/{first}/"), &json!({ "name": "Writes" })).await.expect(200);

    let server = server.restart_with(&file.declaration()).await;

    let boss = server.logged_in(BOSS).await;
    let after = group(&boss).await;
    assert_eq!((&after["id"], &after["description"]), (&editors, &json!("Ours")));
    assert_eq!(after["permissions"], json!(["blog.add_post", "blog.ban_author", "users.view_user"]));
    assert_eq!(found(&boss, "/auth/admin/permissions/?label=blog").await[0]["name"], "Writes");
    let told = found(&boss, "/auth/admin/events/?kind=group.changed").await;
    let changes = "permissions: +blog.add_post; by: \"bootstrap\"";
    assert_eq!((&told[0]["detail"], &told[0]["actor"]), (&json!(changes), &Value::Null));

    // What was removed comes back, and nobody is in it.
    boss.delete(&path).await.expect(204);
    let server = server.restart().await;
    let boss = server.logged_in(BOSS).await;
    assert_ne!(group(&boss).await["id"], editors);
    assert_eq!(user(&boss, ADA).await["groups"], json!([]));
}

#[tokio::test]
async fn who_was_declared_before_stays_when_the_file_forgets_them() {
    let (server, _file) = started().await;

    let server = server.restart_with("").await;

    let boss = server.logged_in(BOSS).await;
    assert_eq!(group(&boss).await["permissions"], json!(["blog.add_post", "users.view_user"]));
    server.logged_in(ADA).await;
}

#[tokio::test]
async fn whoever_has_the_address_in_another_spelling_is_the_one() {
    let server = TestServer::start().await;
    let ada = server.registered_as(json!({ "email": ADA, "password": PASSWORD, "username": "ada" })).await;
    let file = PasswordFile::new();

    let declared = file.declaration().replace(ADA, "ADA@Example.com").replace("\"ada\"", "\"countess\"");
    let server = server.restart_with(&declared).await;

    let boss = server.logged_in(BOSS).await;
    let users = found(&boss, "/auth/admin/users/").await;
    assert_eq!(users.as_array().map(Vec::len), Some(2));
    let still = user(&boss, ADA).await;
    assert_eq!(
        (&still["username"], &still["is_staff"], &still["groups"]),
        (&json!("ada"), &json!(false), &json!([]))
    );
    server.holder(ada.access()).get("/auth/profile/").await.expect(200);
}

#[tokio::test]
async fn whoever_registers_with_a_declared_address_has_not_registered() {
    let server = TestServer::start().await;
    let body = json!({ "email": ADA, "password": "a strangers password" });
    server.anon().post("/auth/register/", &body).await.expect(202);
    let code = server.mail_to(ADA).await.code();
    let file = PasswordFile::new();

    let server = server.restart_with(&file.declaration()).await;

    let late = json!({ "email": ADA, "code": code });
    server.anon().post("/auth/register/verify/", &late).await.expect_problem(400, "invalid_code");
    let ada = server.logged_in(ADA).await;
    assert_eq!(ada.send(Method::GET, "/auth/profile/", &[], None).await.body["is_staff"], true);
}
