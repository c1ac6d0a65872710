//! One act upon many users: an answer for each, by the rules that hold for one.

use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, ROOT, TestServer};

const USERS: &str = "/auth/admin/users/";
const BULK: &str = "/auth/admin/users/bulk/";

/// The ids of users who are made with these names.
async fn users(by: &Caller, names: &[&str]) -> Vec<u64> {
    let mut ids = Vec::new();
    for name in names {
        let body = json!({ "username": name, "password": PASSWORD });
        ids.push(by.post(USERS, &body).await.expect(201).body["id"].as_u64().expect("an id"));
    }
    ids
}

/// What came of an action for each user: `done`, or why not.
async fn outcomes(by: &Caller, body: Value) -> Vec<String> {
    let asked = body["ids"].clone();
    let results = by.post(BULK, &body).await.expect(200).body["results"].clone();
    let results = results.as_array().expect("results").clone();
    let ids: Vec<&Value> = results.iter().map(|one| &one["id"]).collect();
    assert_eq!(json!(ids), asked);
    let outcome = |one: &Value| {
        if one["result"] == "done" {
            assert!(one.get("code").is_none() && one.get("detail").is_none(), "{one}");
            return "done".to_owned();
        }
        assert!(one["result"] == "refused" && one["detail"].is_string(), "{one}");
        one["code"].as_str().expect("a code").to_owned()
    };
    results.iter().map(outcome).collect()
}

/// For each user whether it was otherwise before.
async fn changed(by: &Caller, body: &Value) -> Vec<bool> {
    let results = by.post(BULK, body).await.expect(200).body["results"].clone();
    let results = results.as_array().expect("results").iter();
    results.map(|one| one["changed"].as_bool().expect("it was done")).collect()
}

async fn user(by: &Caller, id: u64) -> Value {
    by.get(&format!("{USERS}{id}/")).await.expect(200).body
}

#[tokio::test]
async fn each_user_is_answered_for_in_the_order_that_was_asked() {
    let (server, root) = TestServer::with_superuser().await;
    let own = root.tokens["user"]["id"].as_u64().expect("an id");
    let ids = users(&root, &["ada", "bob", "eve"]).await;
    let ada = server.logged_in("ada").await;

    let body = json!({ "action": "disable", "ids": [ids[2], own, 999, ids[0], 0] });
    let found = outcomes(&root, body).await;

    assert_eq!(found, ["done", "last_superuser", "not_found", "done", "not_found"]);
    server.expect_dead(&ada).await;
    server.expect_alive(&root).await;
    assert_eq!(user(&root, ids[1]).await["is_active"], true);
    assert_eq!(user(&root, ids[2]).await["is_active"], false);
    // Who is disabled already stays so, without another event.
    assert_eq!(outcomes(&root, json!({ "action": "disable", "ids": ids })).await, ["done"; 3]);
    assert_eq!(server.events().iter().filter(|kind| **kind == "user.disabled").count(), 3);

    let enable = json!({ "action": "enable", "ids": ids });
    assert_eq!(changed(&root, &enable).await, [true; 3]);
    assert_eq!(changed(&root, &enable).await, [false; 3]);
    server.logged_in("ada").await;
}

#[tokio::test]
async fn sessions_end_and_users_go_for_good() {
    let (server, root) = TestServer::with_superuser().await;
    let own = root.tokens["user"]["id"].as_u64().expect("an id");
    let ids = users(&root, &["ada", "bob"]).await;
    let ada = server.logged_in("ada").await;

    assert_eq!(outcomes(&root, json!({ "action": "end_sessions", "ids": ids })).await, ["done"; 2]);
    server.expect_dead(&ada).await;
    server.logged_in("ada").await;

    let body = json!({ "action": "purge", "ids": [ids[1], own, ids[0]] });
    assert_eq!(outcomes(&root, body.clone()).await, ["done", "last_superuser", "done"]);
    assert_eq!(outcomes(&root, body).await, ["not_found", "last_superuser", "not_found"]);
    root.get(&format!("{USERS}{}/", ids[0])).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn groups_are_added_to_what_is_there_and_taken_from_it() {
    let (_server, root) = TestServer::with_superuser().await;
    for name in ["Editors", "Authors", "Readers"] {
        root.post("/auth/admin/groups/", &json!({ "name": name })).await.expect(201);
    }
    let ids = users(&root, &["ada", "bob"]).await;
    let groups = async |id| user(&root, id).await["groups"].clone();
    root.put(&format!("{USERS}{}/groups/", ids[0]), &json!({ "groups": ["Readers"] })).await.expect(200);

    let add = |names: &[&str]| json!({ "action": "add_to_groups", "ids": ids, "groups": names });
    assert_eq!(outcomes(&root, add(&["Editors", "Authors", "Editors"])).await, ["done"; 2]);
    assert_eq!(groups(ids[0]).await, json!(["Authors", "Editors", "Readers"]));
    assert_eq!(groups(ids[1]).await, json!(["Authors", "Editors"]));

    let body = json!({ "action": "remove_from_groups", "ids": ids, "groups": ["Readers", "Authors"] });
    assert_eq!(outcomes(&root, body).await, ["done"; 2]);
    assert_eq!(groups(ids[0]).await, json!(["Editors"]));

    // Two administrators at once lose nothing of each other's.
    let (one, other) = (add(&["Authors"]), add(&["Readers"]));
    tokio::join!(outcomes(&root, one), outcomes(&root, other));
    assert_eq!(groups(ids[0]).await, json!(["Authors", "Editors", "Readers"]));

    root.post(BULK, &add(&["Nobody"])).await.expect_invalid(&[("groups", "unknown")]);
    root.post(BULK, &add(&["Root"])).await.expect_problem(403, "permission_denied");
}

#[tokio::test]
async fn the_rules_for_one_user_hold_for_many() {
    let (server, root) = TestServer::with_superuser().await;
    let own = root.tokens["user"]["id"].as_u64().expect("an id");
    let mighty = json!({ "name": "Mighty", "permissions": ["keys.change_signingkey"] });
    root.post("/auth/admin/groups/", &mighty).await.expect(201);
    let ids = users(&root, &["ada", "bob"]).await;
    let above = json!({ "action": "add_to_groups", "ids": [ids[1]], "groups": ["Mighty"] });
    outcomes(&root, above).await;
    let changer = server.staff_with(&root, "changer@example.com", &["users.change_user"]).await;
    let remover = server.staff_with(&root, "remover@example.com", &["users.delete_user"]).await;
    let viewer = server.staff_with(&root, "viewer@example.com", &["users.view_user"]).await;
    let all = |action: &str| json!({ "action": action, "ids": [own, ids[0], ids[1]] });

    for action in ["disable", "purge"] {
        changer.post(BULK, &all(action)).await.expect_problem(403, "permission_denied");
    }
    for action in ["enable", "end_sessions"] {
        remover.post(BULK, &all(action)).await.expect_problem(403, "permission_denied");
        viewer.post(BULK, &all(action)).await.expect_problem(403, "permission_denied");
    }
    let denied = "permission_denied";
    assert_eq!(outcomes(&changer, all("end_sessions")).await, [denied, "done", denied]);
    assert_eq!(outcomes(&remover, all("disable")).await, [denied, "done", denied]);
    assert_eq!(outcomes(&remover, all("purge")).await, [denied; 3]);
    let add = json!({ "action": "add_to_groups", "ids": ids, "groups": ["Mighty"] });
    assert_eq!(outcomes(&changer, add).await, [denied, denied]);
    server.expect_alive(&root).await;
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_said() {
    let (server, root) = TestServer::with_superuser().await;
    let many: Vec<u64> = (1..=501).collect();
    for (body, errors) in [
        (json!({}), &[("action", "required"), ("ids", "required")][..]),
        (json!({ "action": "ban", "ids": [] }), &[("action", "invalid"), ("ids", "blank")]),
        (json!({ "action": "enable", "ids": many }), &[("ids", "too_many")]),
        (json!({ "action": "enable", "ids": [1, 2, 1] }), &[("ids", "duplicate")]),
        (json!({ "action": "enable", "ids": ["1"] }), &[("ids", "type")]),
        (json!({ "action": "enable", "ids": [-1] }), &[("ids", "type")]),
        (json!({ "action": "enable", "ids": [1.5] }), &[("ids", "type")]),
        (json!({ "action": "enable", "ids": 1 }), &[("ids", "type")]),
        (json!({ "action": "enable", "ids": [1], "groups": ["a"] }), &[("groups", "invalid")]),
        (json!({ "action": "add_to_groups", "ids": [1] }), &[("groups", "required")]),
        (json!({ "action": "add_to_groups", "ids": [1], "groups": [] }), &[("groups", "required")]),
        (json!({ "action": "enable", "ids": [1], "all": true }), &[("all", "unknown_field")]),
    ] {
        root.post(BULK, &body).await.expect_invalid(errors);
    }
    assert!(server.events().iter().all(|kind| !kind.starts_with("user.enabled")));
}

#[tokio::test]
async fn five_hundred_go_at_once_each_with_an_event() {
    let (server, root) = TestServer::with_superuser().await;
    let own = root.tokens["user"]["id"].as_u64().expect("an id");
    let made: Vec<String> = (0..30).map(|n| format!("user{n}")).collect();
    let made = users(&root, &made.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let ids: Vec<u64> = (1..=1000).filter(|id| *id != own).take(500).collect();

    let found = outcomes(&root, json!({ "action": "disable", "ids": ids })).await;

    assert_eq!(found.iter().filter(|one| *one == "done").count(), made.len());
    assert_eq!(found.iter().filter(|one| *one == "not_found").count(), 500 - made.len());
    assert_eq!(server.events().iter().filter(|kind| **kind == "user.disabled").count(), made.len());
    let active = root.get(&format!("{USERS}?is_active=true")).await.expect(200).body;
    assert_eq!((&active["count"], &active["results"][0]["email"]), (&json!(1), &json!(ROOT)));
}

#[tokio::test]
async fn where_permissions_come_from_is_readable() {
    let (server, root) = TestServer::with_superuser().await;
    let readers = json!({ "name": "Readers", "permissions": ["users.view_user", "users.view_group"] });
    root.post("/auth/admin/groups/", &readers).await.expect(201);
    let ids = users(&root, &["ada"]).await;
    let path = format!("{USERS}{}/permissions/", ids[0]);
    let own = json!({ "permissions": ["users.view_user", "audit.view_event"] });
    root.put(&path, &own).await.expect(200);
    let add = json!({ "action": "add_to_groups", "ids": ids, "groups": ["Readers"] });
    outcomes(&root, add).await;

    let viewer = server.staff_with(&root, "viewer@example.com", &["users.view_user"]).await;
    let rights = viewer.get(&path).await.expect(200).body;
    let expected = json!({
        "permissions": ["audit.view_event", "users.view_user"],
        "inherited": ["users.view_group", "users.view_user"],
        "groups": ["Readers"],
        "effective": [
            { "permission": "audit.view_event", "own": true, "through": [] },
            { "permission": "users.view_group", "own": false, "through": ["Readers"] },
            { "permission": "users.view_user", "own": true, "through": ["Readers"] },
        ],
    });
    assert_eq!(rights, expected);
    let of_root = viewer.get(&format!("{USERS}{}/permissions/", root.tokens["user"]["id"])).await;
    let of_root = of_root.expect(200).body;
    assert_eq!((&of_root["permissions"], &of_root["groups"]), (&json!([]), &json!(["Root"])));
    assert_eq!(of_root["inherited"].as_array().map(Vec::len), Some(28));
    let through_root = json!({ "permission": "audit.add_event", "own": false, "through": ["Root"] });
    assert_eq!(of_root["effective"][0], through_root);
    viewer.get(&format!("{USERS}999/permissions/")).await.expect_problem(404, "not_found");
    let changer = server.staff_with(&root, "changer@example.com", &["users.change_user"]).await;
    changer.get(&path).await.expect_problem(403, "permission_denied");
}
