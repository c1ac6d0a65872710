//! One's own profile: looking at it, and changing what is one's own to change.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestServer, minutes};

const ADA: &str = "ada@example.com";
const VIEWS: [&str; 2] = ["/auth/profile/", "/auth/profile/view/"];
const UPDATES: [&str; 2] = ["/auth/profile/", "/auth/profile/update/"];
const METHODS: [Method; 2] = [Method::PATCH, Method::PUT];

fn ada() -> Value {
    json!({
        "email": ADA, "password": PASSWORD, "username": "ada", "first_name": "Ada", "last_name": "Lovelace",
        "avatar": "https://example.com/ada.png",
    })
}

#[tokio::test]
async fn the_profile_has_every_member_of_the_user() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;

    for path in VIEWS {
        let profile = ada.get(path).await.expect(200).body;

        let mut members: Vec<&str> =
            profile.as_object().expect("an object").keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(
            members,
            [
                "avatar",
                "date_joined",
                "email",
                "email_verified",
                "first_name",
                "full_name",
                "groups",
                "id",
                "is_active",
                "is_staff",
                "is_superuser",
                "last_login",
                "last_name",
                "updated_at",
                "username",
            ]
        );
        assert_eq!(profile["full_name"], "Ada Lovelace", "{path}");
        assert_eq!(profile, ada.tokens["user"], "{path}");
        let joined = profile["date_joined"].as_str().expect("a time");
        assert!(joined.len() >= 20 && joined.ends_with('Z'), "{joined}");
    }
}

#[tokio::test]
async fn each_member_is_changed_by_either_method_at_either_path() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;

    for (round, (method, path)) in METHODS.iter().flat_map(|m| UPDATES.map(|path| (m, path))).enumerate() {
        for (member, value) in [
            ("username", format!("ada{round}")),
            ("first_name", format!("Ada {round}")),
            ("last_name", format!("Lovelace {round}")),
            ("avatar", format!("https://example.com/{round}.png")),
        ] {
            let before = ada.get("/auth/profile/").await.body;
            let answer = ada.json(method.clone(), path, &json!({ member: value })).await.expect(200).body;

            assert_eq!(answer[member], value, "{method} {path}");
            assert_eq!(ada.get("/auth/profile/").await.expect(200).body, answer, "{method} {path}");
            for other in ["username", "first_name", "last_name", "avatar", "email", "id"] {
                assert!(other == member || answer[other] == before[other], "{method} {path}: {other}");
            }
        }
    }
}

#[tokio::test]
async fn several_members_change_together_in_one_event() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;
    let before = server.events().len();

    let wish =
        json!({ "username": "countess", "first_name": "Augusta", "last_name": "King", "avatar": null });
    let answer = ada.put("/auth/profile/", &wish).await.expect(200).body;

    assert_eq!(answer["username"], "countess");
    assert_eq!(answer["full_name"], "Augusta King");
    assert_eq!(answer["avatar"], Value::Null);
    assert_eq!(server.events()[before..], ["user.updated"]);
}

#[tokio::test]
async fn null_takes_away_what_may_be_missing() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;

    for (member, left) in [
        ("username", Value::Null),
        ("avatar", Value::Null),
        ("first_name", json!("")),
        ("last_name", json!("")),
    ] {
        let answer = ada.patch("/auth/profile/", &json!({ member: null })).await.expect(200).body;

        assert_eq!(answer[member], left, "{member}");
    }
    assert_eq!(ada.get("/auth/profile/").await.body["full_name"], "");
    let by_old_name = json!({ "identifier": "ada", "password": PASSWORD });
    server.anon().post("/auth/login/", &by_old_name).await.expect_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn without_an_address_the_username_stays() {
    let server = TestServer::start().await;
    let arguments = ["createuser", "--active", "--no-input", "--username", "grace", "--password-stdin"];
    let server = server.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let grace = server.logged_in("grace").await;

    let refused = grace.patch("/auth/profile/", &json!({ "username": null })).await;
    let renamed = grace.patch("/auth/profile/", &json!({ "username": "hopper" })).await.expect(200).body;

    refused.expect_invalid(&[("username", "null")]);
    assert_eq!((&renamed["username"], &renamed["email"]), (&json!("hopper"), &Value::Null));
}

#[tokio::test]
async fn a_username_that_was_given_up_is_free() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;
    let eve = server.registered("eve@example.com").await;

    eve.patch("/auth/profile/", &json!({ "username": "ADA" })).await.expect_invalid(&[("username", "taken")]);
    ada.patch("/auth/profile/", &json!({ "username": "countess" })).await.expect(200);
    let answer = eve.patch("/auth/profile/", &json!({ "username": "ADA" })).await.expect(200);

    assert_eq!(answer.body["username"], "ADA");
    let by_name = json!({ "identifier": "ada", "password": PASSWORD });
    let found = server.anon().post("/auth/login/", &by_name).await.expect(200);
    assert_eq!(found.body["user"]["email"], "eve@example.com");
}

#[tokio::test]
async fn a_taken_username_is_refused_in_every_spelling_and_nothing_changes() {
    let server = TestServer::start().await;
    server.registered_as(ada()).await;
    let eve = server.registered("eve@example.com").await;
    let (before, events) = (eve.get("/auth/profile/").await.body, server.events());

    for username in ["ada", "ADA", "ａｄａ"] {
        let wish = json!({ "username": username, "first_name": "Eve" });
        let refused = eve.patch("/auth/profile/", &wish).await;

        refused.expect_invalid(&[("username", "taken")]);
    }
    assert_eq!(eve.get("/auth/profile/").await.body, before);
    assert_eq!(server.events(), events);
}

#[tokio::test]
async fn ones_own_username_is_not_taken() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;

    let same = ada.patch("/auth/profile/", &json!({ "username": "ada" })).await.expect(200).body;
    let capitals = ada.patch("/auth/profile/", &json!({ "username": "ADA" })).await.expect(200).body;
    let own_address = ada.patch("/auth/profile/", &json!({ "username": ADA })).await.expect(200).body;

    assert_eq!(same["username"], "ada");
    assert_eq!(capitals["username"], "ADA");
    assert_eq!(own_address["username"], ADA);
}

#[tokio::test]
async fn another_persons_address_is_no_username() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let eve = server.registered("eve@example.com").await;

    for username in [ADA, "ADA@example.com", "nobody@example.com"] {
        let refused = eve.patch("/auth/profile/", &json!({ "username": username })).await;

        refused.expect_invalid(&[("username", "invalid_username")]);
    }
}

#[tokio::test]
async fn each_member_is_held_to_its_rules_and_nothing_changes() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;
    let (before, events) = (ada.get("/auth/profile/").await.body, server.events());
    let (long, long_url) = ("a".repeat(151), format!("https://example.com/{}", "a".repeat(2048)));

    for (member, value, code) in [
        ("username", json!(""), "blank"),
        ("username", json!("a b"), "invalid_username"),
        ("username", json!("a\u{0}b"), "invalid_username"),
        ("username", json!(7), "type"),
        ("username", json!(long), "max_length"),
        ("first_name", json!(7), "type"),
        ("first_name", json!("a\nb"), "type"),
        ("first_name", json!(long), "max_length"),
        ("last_name", json!({}), "type"),
        ("last_name", json!("a\u{0}b"), "type"),
        ("last_name", json!(long), "max_length"),
        ("avatar", json!(""), "blank"),
        ("avatar", json!([]), "type"),
        ("avatar", json!("javascript:alert(1)"), "invalid_url"),
        ("avatar", json!("data:image/svg+xml,<svg/>"), "invalid_url"),
        ("avatar", json!("//example.com/ada.png"), "invalid_url"),
        ("avatar", json!("https://ada:secret@example.com/"), "invalid_url"),
        ("avatar", json!(long_url), "max_length"),
    ] {
        let refused = ada.patch("/auth/profile/", &json!({ member: value })).await;

        refused.expect_invalid(&[(member, code)]);
    }
    assert_eq!(ada.get("/auth/profile/").await.body, before);
    assert_eq!(server.events(), events);
}

#[tokio::test]
async fn what_is_not_the_users_to_change_is_refused_and_nothing_changes() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;
    let before = ada.get("/auth/profile/").await.body;

    for (method, path) in METHODS.iter().flat_map(|method| UPDATES.map(|path| (method, path))) {
        for (member, value) in [
            ("id", json!(2)),
            ("email", json!("eve@example.com")),
            ("is_active", json!(false)),
            ("is_staff", json!(true)),
            ("is_superuser", json!(true)),
            ("email_verified", json!(true)),
            ("groups", json!(["Root"])),
            ("password", json!("another fine horse")),
            ("full_name", json!("Eve")),
            ("date_joined", json!("2020-01-01T00:00:00Z")),
            ("updated_at", json!("2020-01-01T00:00:00Z")),
            ("last_login", Value::Null),
        ] {
            let wish = json!({ "first_name": "Changed", member: value });
            let refused = ada.json(method.clone(), path, &wish).await;

            refused.expect_invalid(&[(member, "unknown_field")]);
        }
    }
    assert_eq!(ada.get("/auth/profile/").await.body, before);
}

#[tokio::test]
async fn a_change_is_seen_by_every_session_at_once_and_after_a_restart() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let elsewhere = server.logged_in(ADA).await;
    elsewhere.get("/auth/profile/").await.expect(200);

    ada.patch("/auth/profile/", &json!({ "first_name": "Ada", "username": "ada" })).await.expect(200);
    let seen = elsewhere.get("/auth/profile/").await.expect(200).body;
    let server = server.restart().await;
    let after = server.holder(ada.access()).get("/auth/profile/").await.expect(200).body;

    assert_eq!(seen["first_name"], "Ada");
    assert_eq!(after, seen);
    let by_name = server.logged_in("ada").await;
    assert_eq!(by_name.tokens["user"]["email"], ADA);
}

#[tokio::test]
async fn a_change_moves_updated_at_and_the_same_again_does_not() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let start = ada.get("/auth/profile/").await.body;
    server.advance(minutes(1));
    let wish = json!({ "first_name": "Ada" });

    let changed = ada.patch("/auth/profile/", &wish).await.expect(200).body;
    let events = server.events();
    server.advance(minutes(1));
    let same = ada.patch("/auth/profile/", &wish).await.expect(200).body;
    let nothing = ada.patch("/auth/profile/", &json!({})).await.expect(200).body;

    assert!(changed["updated_at"].as_str() > start["updated_at"].as_str(), "{start} {changed}");
    assert_eq!(changed["date_joined"], start["date_joined"]);
    assert_eq!(same, changed);
    assert_eq!(nothing, changed);
    assert_eq!(server.events(), events);
    assert_eq!(events.last(), Some(&"user.updated"));
}

#[tokio::test]
async fn one_persons_change_leaves_others_alone() {
    let server = TestServer::start().await;
    let ada = server.registered_as(ada()).await;
    let eve = server.registered("eve@example.com").await;
    let before = ada.get("/auth/profile/").await.body;

    eve.put("/auth/profile/update/", &json!({ "first_name": "Eve" })).await.expect(200);

    assert_eq!(ada.get("/auth/profile/").await.body, before);
}
