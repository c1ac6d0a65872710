//! dj-auth-api: what its administrators do.

use hyper::Method;
use serde_json::{Value, json};

use super::dj_auth_api::{LOGIN, ON, detail, forbidden, said, wrong};
use super::post;
use crate::harness::{Caller, PASSWORD, ROOT, TestServer};

const USERS: &str = "/api/auth/admin/users/";
const GROUPS: &str = "/api/auth/admin/groups/";
const PERMISSIONS: &str = "/api/auth/admin/permissions/";

async fn with_root() -> (TestServer, Caller) {
    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    let server = TestServer::start_with(ON).await.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    (server, root)
}

fn bob() -> Value {
    json!({ "email": "bob@example.com", "first_name": "Bob", "last_name": "Stone", "password": PASSWORD })
}

fn ok(data: &Value) -> Value {
    json!({ "message": "Ok", "data": data })
}

/// The number of a permission.
async fn permission(root: &Caller, codename: &str) -> u64 {
    let all = root.get(PERMISSIONS).await.expect(200).body;
    let mut all = all["data"].as_array().expect("a list").iter();
    let found = all.find(|one| one["codename"] == codename).expect("a permission");
    found["id"].as_u64().expect("a number")
}

#[tokio::test]
async fn a_user_is_made_and_activates_the_account_with_the_code() {
    let (server, root) = with_root().await;
    let mut wish = bob();
    wish["is_superuser"] = json!(true);
    wish["id"] = json!(77);
    let made = root.post(USERS, &wish).await.expect(201).body;
    assert_eq!(made["message"], "Ok");
    let data = &made["data"];
    let mut members: Vec<&String> = data.as_object().expect("an object").keys().collect();
    members.sort();
    let expected = [
        "created_at",
        "email",
        "first_name",
        "id",
        "is_active",
        "is_staff",
        "is_superuser",
        "last_login",
        "last_name",
        "updated_at",
    ];
    assert_eq!(members, expected);
    assert_eq!((&data["id"], &data["email"]), (&json!(2), &json!("bob@example.com")));
    assert_eq!(
        (&data["is_active"], &data["is_staff"], &data["is_superuser"]),
        (&json!(false), &json!(false), &json!(false))
    );
    assert_eq!(data["last_login"], Value::Null);
    assert_eq!(root.get(&format!("{USERS}2/")).await.expect(200).body, made);
    let credentials = json!({ "email": "bob@example.com", "password": PASSWORD });
    post(&server, LOGIN, &credentials).await.expect(401);
    let code = server.mail_to("bob@example.com").await.long_code();
    let verified = server.anon().get(&format!("/api/auth/register/verify?code={code}")).await.expect(200);
    assert_eq!(verified.body, said("Email Verification Successful"));
    post(&server, LOGIN, &credentials).await.expect(200);
    let all = root.get(USERS).await.expect(200).body;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2));
    let part = root.get(&format!("{USERS}?limit=1")).await.expect(200);
    assert_eq!(part.body["data"].as_array().map(Vec::len), Some(1));
    assert!(
        part.header("link").is_some_and(|link| link.starts_with("</api/auth/admin/users/?limit=1&cursor="))
    );
}

#[tokio::test]
async fn a_user_is_refused_in_the_words_that_were_used_there() {
    let (_server, root) = with_root().await;
    root.post(USERS, &bob()).await.expect(201);
    let required = json!(["This field is required."]);
    let missing = json!({
        "email": required, "first_name": required, "last_name": required, "password": required,
    });
    assert_eq!(root.post(USERS, &json!({})).await.expect(400).body, wrong(&missing));
    let taken = wrong(&json!({ "email": ["user with this Email Address already exists."] }));
    assert_eq!(root.post(USERS, &bob()).await.expect(400).body, taken);
    let own = format!("{USERS}2/");
    assert_eq!(root.patch(&own, &json!({ "email": ROOT })).await.expect(400).body, taken);
    for (body, data) in [
        (json!({ "is_staff": "maybe" }), json!({ "is_staff": ["Must be a valid boolean."] })),
        (json!({ "is_active": null }), json!({ "is_active": ["This field may not be null."] })),
        (json!({ "email": null }), json!({ "email": ["This field may not be null."] })),
        (json!({ "first_name": "" }), json!({ "first_name": ["This field may not be blank."] })),
        (json!({ "last_name": "a\0" }), json!({ "last_name": ["Null characters are not allowed."] })),
    ] {
        assert_eq!(root.patch(&own, &body).await.expect(400).body, wrong(&data), "{body}");
    }
    let weak = root.patch(&own, &json!({ "password": "password" })).await.expect(400);
    assert!(weak.body["data"]["password"][0].is_string(), "{}", weak.text);
    assert_eq!(root.put(&own, &json!({})).await.expect(400).body, wrong(&missing));
    for id in ["99", "0", "x", "-1", "99999999999999999999999"] {
        let gone = root.get(&format!("{USERS}{id}/")).await.expect(404);
        assert_eq!(gone.body, detail("Not found."), "{id}");
        root.patch(&format!("{USERS}{id}/"), &json!({ "first_name": "Eve" })).await.expect(404);
    }
}

#[tokio::test]
async fn a_user_is_changed_and_disabled() {
    let (server, root) = with_root().await;
    let mut active = bob();
    active["is_active"] = json!(true);
    root.post(USERS, &active).await.expect(201);
    let bob = server.logged_in("bob@example.com").await;
    let own = format!("{USERS}2/");
    let changed =
        root.patch(&own, &json!({ "first_name": "Robert", "is_superuser": true })).await.expect(200);
    let data = &changed.body["data"];
    assert_eq!((&data["first_name"], &data["is_superuser"]), (&json!("Robert"), &json!(false)));
    bob.get("/api/auth/profile/view/").await.expect(200);

    let mut whole = active.clone();
    whole["password"] = json!("another horse battery");
    root.put(&own, &whole).await.expect(200);

    assert_eq!(bob.get("/api/auth/profile/view/").await.expect(403).body, forbidden());
    let credentials = json!({ "email": "bob@example.com", "password": "another horse battery" });
    post(&server, LOGIN, &credentials).await.expect(200);
    assert_eq!(root.delete(&own).await.expect(204).text, "");
    post(&server, LOGIN, &credentials).await.expect(401);
    assert_eq!(root.get(&own).await.expect(200).body["data"]["is_active"], false);
    let last = root.delete(&format!("{USERS}1/")).await.expect(409);
    assert!(last.body["data"]["detail"].is_string(), "{}", last.text);
    let password = json!({ "password": "another horse battery", "first_name": "Eve" });
    assert_eq!(root.patch(&format!("{USERS}1/"), &password).await.expect(403).body, forbidden());
    assert_ne!(root.get(&format!("{USERS}1/")).await.expect(200).body["data"]["first_name"], "Eve");
}

#[tokio::test]
async fn staff_do_what_they_have_permissions_for_and_no_more() {
    let (server, root) = with_root().await;
    let clerk =
        server.staff_with(&root, "clerk@example.com", &["users.view_user", "users.change_user"]).await;
    let maker = server.staff_with(&root, "maker@example.com", &["users.add_user"]).await;
    let idle = server.staff_with(&root, "idle@example.com", &[]).await;
    let nobody = server.registered("ada@example.com").await;
    for path in [
        USERS,
        "/api/auth/admin/users/1/",
        GROUPS,
        "/api/auth/admin/groups/1/",
        PERMISSIONS,
        "/api/auth/admin/permissions/1/",
    ] {
        for caller in [&idle, &nobody, &maker] {
            assert_eq!(caller.get(path).await.expect(403).body, forbidden(), "{path}");
        }
        server.anon().get(path).await.expect(401);
    }
    clerk.get(USERS).await.expect(200);
    clerk.get(GROUPS).await.expect(403);
    for caller in [&clerk, &idle] {
        caller.post(USERS, &bob()).await.expect(403);
        caller.delete("/api/auth/admin/users/2/").await.expect(403);
    }
    let mut staff = bob();
    staff["is_staff"] = json!(true);
    assert_eq!(maker.post(USERS, &staff).await.expect(403).body, forbidden());
    maker.post(USERS, &bob()).await.expect(201);
    for body in [
        json!({ "email": "evil@example.com" }),
        json!({ "password": "another horse battery" }),
        json!({ "is_active": false }),
    ] {
        let answer = clerk.patch("/api/auth/admin/users/1/", &body).await.expect(403);
        assert_eq!(answer.body, forbidden(), "{body}");
    }
    let raise = json!({ "is_staff": true });
    assert_eq!(clerk.patch("/api/auth/admin/users/5/", &raise).await.expect(403).body, forbidden());
    root.get("/api/auth/profile/view/").await.expect(200);
}

#[tokio::test]
async fn groups_are_kept_by_numbers_of_permissions() {
    let (_server, root) = with_root().await;
    let (view, add) = (permission(&root, "view_user").await, permission(&root, "add_user").await);
    let made = root.post(GROUPS, &json!({ "name": "Viewers", "permissions": [view] })).await.expect(201);
    let id = made.body["data"]["id"].as_u64().expect("a number");
    let expected = json!({ "id": id, "name": "Viewers", "description": null, "permissions": [view] });
    assert_eq!(made.body, ok(&expected));
    let path = format!("{GROUPS}{id}/");
    assert_eq!(root.get(&path).await.expect(200).body, ok(&expected));
    let changed = root.patch(&path, &json!({ "description": "They look." })).await.expect(200);
    let described =
        json!({ "id": id, "name": "Viewers", "description": "They look.", "permissions": [view] });
    assert_eq!(changed.body, ok(&described));
    let body = json!({ "name": "Makers", "description": null, "permissions": [add.to_string(), view] });
    let replaced = root.put(&path, &body).await.expect(200).body;
    assert_eq!(
        (&replaced["data"]["name"], &replaced["data"]["description"]),
        (&json!("Makers"), &Value::Null)
    );
    assert_eq!(replaced["data"]["permissions"].as_array().map(Vec::len), Some(2));
    let form = format!("name=Makers&permissions={view}&permissions={add}");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let same = root.send(Method::PUT, &path, &headers, Some(form.into())).await.expect(200);
    assert_eq!(same.body, replaced);

    let own = root.put("/auth/admin/users/1/groups/", &json!({ "groups": ["Makers"] })).await;
    own.expect(200);
    root.patch(&path, &json!({ "name": "Makers & Co" })).await.expect(200);
    for (name, has_group) in [("Makers%20%26%20Co", true), ("Makers", false), ("Root", true), ("root", false)]
    {
        let answer = root.get(&format!("/api/auth/profile/has_group/{name}/")).await.expect(200);
        assert_eq!(answer.body, ok(&json!({ "has_group": has_group })), "{name}");
    }
    root.patch(&path, &json!({ "name": "Makers" })).await.expect(200);
    let names: Vec<Value> = root.get(GROUPS).await.expect(200).body["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|group| group["name"].clone())
        .collect();
    assert_eq!(names, ["Root", "Makers"]);
    for (body, data) in [
        (json!({ "name": "Others" }), json!({ "permissions": ["This field is required."] })),
        (
            json!({ "name": "Makers", "permissions": [] }),
            json!({ "name": ["group with this name already exists."] }),
        ),
        (
            json!({ "name": "Others", "permissions": [99999] }),
            json!({ "permissions": ["Invalid pk \"99999\" - object does not exist."] }),
        ),
        (
            json!({ "name": "Others", "permissions": "1" }),
            json!({ "permissions": ["Expected a list of items but got type \"str\"."] }),
        ),
        (
            json!({ "name": "a".repeat(151), "permissions": [] }),
            json!({ "name": ["Ensure this field has no more than 150 characters."] }),
        ),
    ] {
        assert_eq!(root.post(GROUPS, &body).await.expect(400).body, wrong(&data), "{body}");
    }
    root.post(GROUPS, &json!({ "name": "Root", "permissions": [] })).await.expect(403);
}

#[tokio::test]
async fn no_group_is_deleted_here() {
    let (server, root) = with_root().await;
    let clerk = server.staff_with(&root, "clerk@example.com", &["users.delete_group"]).await;
    let idle = server.staff_with(&root, "idle@example.com", &["users.view_group"]).await;
    root.post(GROUPS, &json!({ "name": "Viewers", "permissions": [] })).await.expect(201);
    let group = format!("{GROUPS}1/");
    for caller in [&clerk, &idle] {
        assert_eq!(caller.delete(&group).await.expect(403).body, forbidden());
    }
    let refused = root.delete(&group).await.expect(405);
    assert_eq!(refused.body, detail("Method \"DELETE\" not allowed."));
    assert!(refused.header("allow").is_some_and(|allow| !allow.contains("DELETE")));
    root.get(&group).await.expect(200);
}

#[tokio::test]
async fn permissions_are_only_read() {
    let (_server, root) = with_root().await;
    let id = permission(&root, "view_user").await;
    let one = root.get(&format!("{PERMISSIONS}{id}/")).await.expect(200);
    let expected =
        json!({ "id": id, "name": "Can view user", "codename": "view_user", "content_type": "users" });
    assert_eq!(one.body, ok(&expected));
    root.get(&format!("{PERMISSIONS}9999/")).await.expect(404);
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let path =
            if method == Method::POST { PERMISSIONS.to_owned() } else { format!("{PERMISSIONS}{id}/") };
        let refused = root.json(method.clone(), &path, &json!({})).await.expect(405);
        assert_eq!(refused.body, detail(&format!("Method \"{method}\" not allowed.")));
    }
}

#[tokio::test]
async fn nobody_gives_a_group_what_they_lack() {
    let (server, root) = with_root().await;
    let rights = ["users.add_group", "users.change_group", "users.view_user"];
    let clerk = server.staff_with(&root, "clerk@example.com", &rights).await;
    let (view, delete) = (permission(&root, "view_user").await, permission(&root, "delete_user").await);
    let wish = |permissions: &[u64]| json!({ "name": "Theirs", "permissions": permissions });
    assert_eq!(clerk.post(GROUPS, &wish(&[view, delete])).await.expect(403).body, forbidden());
    let made = clerk.post(GROUPS, &wish(&[view])).await.expect(201);
    let path = format!("{GROUPS}{}/", made.body["data"]["id"]);
    assert_eq!(clerk.patch(&path, &json!({ "permissions": [delete] })).await.expect(403).body, forbidden());
    assert_eq!(root.get(&path).await.expect(200).body, made.body);
}
