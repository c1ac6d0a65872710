//! Groups and permissions, as administrators keep them: what they make counts with the next request.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, TestServer};

const GROUPS: &str = "/auth/admin/groups/";
const PERMISSIONS: &str = "/auth/admin/permissions/";
const ROOT: &str = "root@example.com";
const STAFF: &str = "staff@example.com";

/// A service with a superuser and a member of staff who may do nothing yet.
async fn administered() -> (TestServer, Caller, Caller) {
    let server = TestServer::start().await;
    let root = ["createsuperuser", "--email", ROOT, "--password-stdin", "--no-input"];
    let staff = ["createstaffuser", "--active", "--email", STAFF, "--password-stdin", "--no-input"];
    let line = format!("{PASSWORD}\n");
    let server = server.operated(&root, &line).await.operated(&staff, &line).await;
    let (root, staff) = (server.logged_in(ROOT).await, server.logged_in(STAFF).await);
    (server, root, staff)
}

async fn make(root: &Caller, name: &str, permissions: &[&str]) -> Value {
    root.post(GROUPS, &json!({ "name": name, "permissions": permissions })).await.expect(201).body
}

fn names(list: &Value, member: &str) -> Vec<String> {
    let rows = list["results"].as_array().expect("results").iter();
    rows.map(|row| row[member].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn a_group_is_made_seen_changed_and_deleted() {
    let (server, root, _) = administered().await;

    let body = json!({ "name": " Editors ", "description": "Who edit", "permissions": ["users.view_user"] });
    let made = root.post(GROUPS, &body).await.expect(201).body;
    let path = format!("{GROUPS}{}/", made["id"]);
    let seen = root.get(&path).await.expect(200).body;
    let patched = root.patch(&path, &json!({ "permissions": ["users.add_user", "audit.view_event"] })).await;
    let put = root.put(&path, &json!({ "name": "Writers", "description": null })).await.expect(200).body;

    let members = json!({
        "id": made["id"], "name": "Editors", "description": "Who edit", "permissions": ["users.view_user"],
    });
    assert_eq!((&made, &seen), (&members, &members));
    assert_eq!(patched.expect(200).body["permissions"], json!(["audit.view_event", "users.add_user"]));
    assert_eq!((&put["name"], &put["description"]), (&json!("Writers"), &json!("")));
    root.delete(&path).await.expect(204);
    root.get(&path).await.expect_problem(404, "not_found");
    root.delete(&path).await.expect_problem(404, "not_found");
    let events = server.events();
    let expected = ["group.created", "group.changed", "group.changed", "group.deleted"];
    assert_eq!(events[events.len() - 4..], expected);
}

#[tokio::test]
async fn what_is_no_group_is_refused() {
    let (_server, root, _) = administered().await;
    make(&root, "Editors", &[]).await;
    let other = make(&root, "Authors", &[]).await;
    let path = format!("{GROUPS}{}/", other["id"]);

    for (body, broken) in [
        (json!({}), [("name", "required")]),
        (json!({ "name": " " }), [("name", "blank")]),
        (json!({ "name": "Editors" }), [("name", "taken")]),
        (json!({ "name": "A", "permissions": "users.view_user" }), [("permissions", "type")]),
        (json!({ "name": "A", "permissions": ["no"] }), [("permissions", "invalid_permission")]),
        (json!({ "name": "A", "permissions": ["no.such"] }), [("permissions", "unknown")]),
        (json!({ "name": "A", "owner": "B" }), [("owner", "unknown_field")]),
    ] {
        root.post(GROUPS, &body).await.expect_invalid(&broken);
    }
    root.patch(&path, &json!({ "name": "Editors" })).await.expect_invalid(&[("name", "taken")]);
    root.patch(&path, &json!({ "name": null })).await.expect_invalid(&[("name", "null")]);
    assert_eq!(root.get(&path).await.expect(200).body, other);
}

#[tokio::test]
async fn root_is_seen_and_never_changed() {
    let (_server, root, _) = administered().await;
    root.post(PERMISSIONS, &json!({ "label": "news", "codename": "ban" })).await.expect(201);
    let other = make(&root, "Editors", &[]).await;

    let list = root.get(GROUPS).await.expect(200).body;
    let live = root.get(&format!("{GROUPS}0/")).await.expect(200).body;

    assert_eq!((&list["results"][0], &list["count"], &list["next"]), (&live, &json!(2), &Value::Null));
    assert_eq!((&live["id"], &live["name"]), (&json!(0), &json!("Root")));
    let permissions = live["permissions"].as_array().expect("a list");
    assert!(permissions.len() == 29 && permissions.contains(&json!("news.ban")), "{permissions:?}");
    for name in ["Root", "root", "ROOT"] {
        root.post(GROUPS, &json!({ "name": name })).await.expect_problem(403, "permission_denied");
        let path = format!("{GROUPS}{}/", other["id"]);
        root.patch(&path, &json!({ "name": name })).await.expect_problem(403, "permission_denied");
    }
    let path = format!("{GROUPS}0/");
    root.patch(&path, &json!({ "description": "ours" })).await.expect_problem(403, "permission_denied");
    root.put(&path, &json!({ "permissions": [] })).await.expect_problem(403, "permission_denied");
    root.delete(&path).await.expect_problem(403, "permission_denied");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let (_server, root, _) = administered().await;
    for name in ["A", "B", "C"] {
        make(&root, name, &[]).await;
    }

    let first = root.get(&format!("{GROUPS}?limit=2")).await.expect(200).body;
    let next = first["next"].as_str().expect("a cursor").to_owned();
    let second = root.get(&format!("{GROUPS}?limit=2&cursor={next}")).await.expect(200).body;

    assert_eq!(names(&first, "name"), ["Root", "A"]);
    assert_eq!(names(&second, "name"), ["B", "C"]);
    assert_eq!((&second["next"], &second["count"]), (&Value::Null, &json!(4)));
    for bad in ["limit=0", "limit=501", "limit=x", "limit=", "cursor=x", "limit=5&limit=6"] {
        let field = bad.split('=').next().expect("a name");
        root.get(&format!("{GROUPS}?{bad}")).await.expect_invalid(&[(field, "type")]);
        root.get(&format!("{PERMISSIONS}?{bad}")).await.expect_invalid(&[(field, "type")]);
    }
}

#[tokio::test]
async fn staff_with_one_permission_do_what_it_is_for() {
    let (server, root, _) = administered().await;
    let group = make(&root, "Editors", &[]).await;
    let made = root.post(PERMISSIONS, &json!({ "label": "news", "codename": "ban" })).await.expect(201).body;
    let (group, made) = (format!("{GROUPS}{}/", group["id"]), format!("{PERMISSIONS}{}/", made["id"]));
    for (n, (permission, method, path, status)) in [
        ("users.view_group", Method::GET, GROUPS, 200),
        ("users.view_group", Method::GET, &group, 200),
        ("users.add_group", Method::POST, GROUPS, 201),
        ("users.change_group", Method::PATCH, &group, 200),
        ("users.delete_group", Method::DELETE, &group, 204),
        ("auth.view_permission", Method::GET, PERMISSIONS, 200),
        ("auth.view_permission", Method::GET, &made, 200),
        ("auth.change_permission", Method::PUT, &made, 200),
        ("auth.delete_permission", Method::DELETE, &made, 204),
    ]
    .into_iter()
    .enumerate()
    {
        // A group is renamed by superusers alone; a permission is changed by who has it.
        let member = if path == group { "description" } else { "name" };
        let body = json!({ member: "Writers" });
        let permissions: &[&str] =
            if method != Method::GET && path == made { &[permission, "news.ban"] } else { &[permission] };
        let holder = server.staff_with(&root, &format!("staff{n}@example.com"), permissions).await;

        holder.json(method, path, &body).await.expect(status);
    }
    let holder = server.staff_with(&root, "adder@example.com", &["auth.add_permission"]).await;
    holder.post(PERMISSIONS, &json!({ "label": "news", "codename": "post" })).await.expect(201);
    let two = ["auth.view_permission", "users.view_user"];
    let holder = server.staff_with(&root, "two@example.com", &two).await;
    holder.get(&format!("{PERMISSIONS}1/users/")).await.expect(200);
}

#[tokio::test]
async fn an_application_brings_its_own_permissions() {
    let (_server, root, _) = administered().await;

    let body = json!({ "label": "news", "codename": "ban.user", "name": "Can ban" });
    let made = root.post(PERMISSIONS, &body).await.expect(201).body;
    let path = format!("{PERMISSIONS}{}/", made["id"]);
    let listed = root.get(&format!("{PERMISSIONS}?label=news")).await.expect(200).body;

    let members = json!({ "id": made["id"], "label": "news", "codename": "ban.user", "name": "Can ban" });
    assert_eq!((&made, &root.get(&path).await.expect(200).body), (&members, &members));
    assert_eq!(listed, json!({ "results": [made], "next": null, "count": 1 }));
    root.post(PERMISSIONS, &body).await.expect_invalid(&[("codename", "taken")]);
    let changed = root.patch(&path, &json!({ "codename": "ban" })).await.expect(200).body;
    assert_eq!((&changed["label"], &changed["codename"]), (&json!("news"), &json!("ban")));
    for (body, broken) in [
        (json!({}), vec![("label", "required"), ("codename", "required")]),
        (json!({ "label": "a.b", "codename": "c" }), vec![("label", "invalid_permission")]),
        (json!({ "label": "a", "codename": "" }), vec![("codename", "blank")]),
    ] {
        root.post(PERMISSIONS, &body).await.expect_invalid(&broken);
    }
    root.delete(&path).await.expect(204);
    root.get(&path).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn keysteads_own_permissions_stay() {
    let (_server, root, _) = administered().await;
    let all = root.get(PERMISSIONS).await.expect(200).body;
    assert_eq!((&all["count"], names(&all, "label").len()), (&json!(28), 28));

    for own in all["results"].as_array().expect("results") {
        let path = format!("{PERMISSIONS}{}/", own["id"]);
        root.patch(&path, &json!({ "name": "Other" })).await.expect_problem(403, "permission_denied");
        root.put(&path, &json!({ "codename": "other" })).await.expect_problem(403, "permission_denied");
        root.delete(&path).await.expect_problem(403, "permission_denied");
    }
    assert_eq!(root.get(PERMISSIONS).await.expect(200).body, all);
}

#[tokio::test]
async fn many_permissions_are_asked_for_in_one_request() {
    let (_server, root, staff) = administered().await;
    let path = "/auth/profile/has_permissions/";
    let body = json!({ "permissions": ["users.view_user", "no.such"] });

    let all = root.post(path, &body).await.expect(200).body;
    let none = staff.post(path, &body).await.expect(200).body;

    assert_eq!(all, json!({ "permissions": { "users.view_user": true, "no.such": true } }));
    assert_eq!(none, json!({ "permissions": { "users.view_user": false, "no.such": false } }));
    staff.post(path, &json!({})).await.expect_invalid(&[("permissions", "required")]);
    staff.post(path, &json!({ "permissions": [7] })).await.expect_invalid(&[("permissions", "type")]);
    let many: Vec<String> = (0..101).map(|n| format!("a.b{n}")).collect();
    staff.post(path, &json!({ "permissions": many })).await.expect_invalid(&[("permissions", "max_length")]);
    staff.post(path, &json!({ "permissions": many[1..] })).await.expect(200);
}

#[tokio::test]
async fn a_superuser_has_every_permission_and_is_told_of_as_its_holder() {
    let (_server, root, _) = administered().await;
    let made = root.post(PERMISSIONS, &json!({ "label": "news", "codename": "ban" })).await.expect(201).body;

    let holders = root.get(&format!("{PERMISSIONS}{}/users/", made["id"])).await.expect(200).body;

    assert_eq!(names(&holders, "email"), [ROOT]);
    assert_eq!((&holders["count"], &holders["next"]), (&json!(1), &Value::Null));
    root.get(&format!("{PERMISSIONS}9999/users/")).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_name_in_a_path_may_have_any_character() {
    let (_server, root, _) = administered().await;
    make(&root, "Rédaction & Co/Web", &[]).await;
    let groups = json!({ "groups": ["Rédaction & Co/Web"] });
    root.put("/auth/admin/users/1/groups/", &groups).await.expect(200);

    for (name, has_group) in [("R%C3%A9daction%20%26%20Co%2FWeb", true), ("R%C3%A9daction", false)] {
        let answer = root.get(&format!("/auth/profile/has_group/{name}/")).await.expect(200).body;
        assert_eq!(answer, json!({ "has_group": has_group }), "{name}");
    }
    root.get("/auth/profile/has_group/%FF/").await.expect_problem(404, "not_found");
}
