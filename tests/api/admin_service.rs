//! The service as a whole as administrators see it: how it is doing, its keys, its configuration; and the link in a mail
//! that waits.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, TestServer, days, minutes};

const OVERVIEW: &str = "/auth/admin/overview/";
const KEYS: &str = "/auth/admin/keys/";
const CONFIG: &str = "/auth/admin/config/";
const OUTBOX: &str = "/auth/admin/outbox/";
const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

async fn seen(caller: &Caller) -> Value {
    caller.get(OVERVIEW).await.expect(200).body
}

async fn fail_to_log_in(server: &TestServer) {
    let body = json!({ "identifier": ADA, "password": "a wrong horse" });
    server.anon().post("/auth/login/", &body).await.expect(401);
}

/// The path of the newest mail that waits.
async fn newest_mail(root: &Caller) -> String {
    let list = root.get(OUTBOX).await.expect(200).body;
    format!("{OUTBOX}{}/", list["results"][0]["id"].as_str().expect("an id"))
}

fn sum(buckets: &Value, member: &str) -> u64 {
    buckets.as_array().expect("buckets").iter().map(|bucket| bucket[member].as_u64().expect("a number")).sum()
}

#[tokio::test]
async fn the_overview_counts_what_there_is() {
    let (server, _root) = TestServer::with_superuser().await;
    let old = server.registered(ADA).await;
    server.advance(days(3));
    let root = server.logged_in("root@example.com").await;
    server.staff_with(&root, BOB, &[]).await;
    root.delete(&format!("/auth/admin/users/{}/", old.tokens["user"]["id"])).await.expect(204);
    root.post("/auth/admin/groups/", &json!({ "name": "Editors" })).await.expect(201);
    let waiting = json!({ "email": "carl@example.com", "password": PASSWORD });
    server.anon().post("/auth/register/", &waiting).await.expect(202);

    let seen = seen(&root).await;

    let users = json!({
        "all": 3, "active": 2, "staff": 2, "superusers": 1, "joined_last_day": 1, "joined_last_week": 3,
    });
    assert_eq!(seen["users"], users);
    assert_eq!((&seen["groups"], &seen["registrations"]), (&json!(1), &json!(1)));
    assert_eq!(seen["mails"], json!({ "waiting": 1, "failed": 0 }));
    assert_eq!(seen["sessions"], 3);
    assert_eq!(seen["backup"], json!({ "last_at": null }));
    assert_eq!(seen["service"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(seen["service"]["uptime_seconds"].as_u64().is_some_and(|secs| secs >= 3 * 86_400));
    assert!(seen["service"]["database_bytes"].as_u64().is_some_and(|bytes| bytes > 4096));

    server.advance(minutes(11));
    server.run_jobs().await;
    assert_eq!(self::seen(&server.logged_in("root@example.com").await).await["mails"]["failed"], 1);
}

#[tokio::test]
async fn log_ins_are_counted_by_the_hour_and_by_the_day_and_outlive_a_restart() {
    let (server, _root) = TestServer::with_superuser().await;
    server.registered(ADA).await;
    fail_to_log_in(&server).await;
    server.advance(days(2));
    let server = server.restart().await;
    server.logged_in(ADA).await;
    fail_to_log_in(&server).await;
    fail_to_log_in(&server).await;
    let root = server.logged_in("root@example.com").await;

    let logins = seen(&root).await["logins"].clone();

    assert_eq!(
        (logins["hours"].as_array().map(Vec::len), logins["days"].as_array().map(Vec::len)),
        (Some(24), Some(30))
    );
    assert_eq!((sum(&logins["hours"], "succeeded"), sum(&logins["hours"], "failed")), (2, 2));
    assert_eq!((sum(&logins["days"], "succeeded"), sum(&logins["days"], "failed")), (4, 3));
    let (first, today) = (&logins["days"][27], &logins["days"][29]);
    assert_eq!((&first["succeeded"], &first["failed"]), (&json!(2), &json!(1)));
    assert!(today["start"].as_str().is_some_and(|start| start.ends_with("T00:00:00.000Z")), "{today}");
    let events = server.events();
    let of = |kind: &str| events.iter().filter(|one| **one == kind).count() as u64;
    assert_eq!(of("login.succeeded"), sum(&logins["days"], "succeeded"));
    assert_eq!(of("login.failed"), sum(&logins["days"], "failed"));

    server.advance(days(40));
    let root = server.logged_in("root@example.com").await;
    let later = seen(&root).await["logins"].clone();
    assert_eq!((sum(&later["days"], "succeeded"), sum(&later["days"], "failed")), (1, 0));
}

#[tokio::test]
async fn the_overview_tells_staff_what_they_may_view_and_no_more() {
    let (server, root) = TestServer::with_superuser().await;
    let parts = ["users", "groups", "registrations", "sessions", "logins", "mails", "backup"];
    for (n, (permission, told)) in [
        ("users.view_user", vec!["users", "registrations", "sessions"]),
        ("users.view_group", vec!["groups"]),
        ("audit.view_event", vec!["logins", "backup"]),
        ("mail.view_message", vec!["mails"]),
    ]
    .into_iter()
    .enumerate()
    {
        let staff = server.staff_with(&root, &format!("staff{n}@example.com"), &[permission]).await;

        let seen = seen(&staff).await;

        for part in parts {
            assert_eq!(!seen[part].is_null(), told.contains(&part), "{permission}: {part}");
        }
        assert!(seen["service"]["version"].is_string());
    }
}

#[tokio::test]
async fn the_overview_knows_the_last_backup() {
    let (server, _root) = TestServer::with_superuser().await;
    let copy = server.mail_folder().with_file_name("copy.redb");
    let file = copy.to_str().expect("UTF-8").to_owned();

    let server = server.operated(&["backup", &file], "").await;

    let root = server.logged_in("root@example.com").await;
    let list = root.get("/auth/admin/events/?kind=store.backed_up").await.expect(200).body;
    let seen = seen(&root).await;
    assert!(seen["backup"]["last_at"].is_string());
    assert_eq!(seen["backup"]["last_at"], list["results"][0]["time"]);
}

#[tokio::test]
async fn keys_are_seen_by_their_public_parts_and_rotated() {
    let (server, root) = TestServer::with_superuser().await;
    let viewer = server.staff_with(&root, ADA, &["keys.view_signingkey"]).await;
    let rotator = server.staff_with(&root, BOB, &["keys.add_signingkey"]).await;
    let before = viewer.get(KEYS).await.expect(200);

    viewer.post(&format!("{KEYS}rotate/"), &json!({})).await.expect_problem(403, "permission_denied");
    let after = rotator.post(&format!("{KEYS}rotate/"), &json!({})).await.expect(200).body;

    let jwks = server.anon().get("/.well-known/jwks.json").await.expect(200).body;
    let keys = before.body["results"].as_array().expect("keys");
    let of = |purpose: &str| keys.iter().find(|key| key["use"] == purpose).expect("a key");
    assert_eq!((keys.len(), &of("refresh")["algorithm"]), (2, &json!("HS256")));
    assert_eq!(of("refresh")["jwk"], Value::Null);
    assert_eq!(
        (&of("access")["algorithm"], &of("access")["jwk"]["kid"]),
        (&json!("ES256"), &of("access")["id"])
    );
    assert!(keys.iter().all(|key| key["signs"] == true && key["retires_at"].is_null()));
    assert!(of("access")["jwk"].get("d").is_none());
    let keys = after["results"].as_array().expect("keys");
    assert_eq!(keys.iter().filter(|key| key["signs"] == true).count(), 2);
    assert_eq!(keys.iter().filter(|key| key["retires_at"].is_string()).count(), 2);
    assert_eq!(jwks["keys"].as_array().map(Vec::len), Some(2));
    server.expect_alive(&viewer).await;
    let event =
        root.get("/auth/admin/events/?kind=keys.rotated").await.expect(200).body["results"][0].clone();
    assert_eq!(event["actor"]["label"], BOB);
}

#[tokio::test]
async fn nobody_fills_the_store_with_keys() {
    let (_server, root) = TestServer::with_superuser().await;
    let rotate = async || root.post(&format!("{KEYS}rotate/"), &json!({})).await;

    for _ in 0..15 {
        rotate().await.expect(200);
    }

    rotate().await.expect_problem(409, "conflict");
    assert_eq!(root.get(KEYS).await.expect(200).body["results"].as_array().map(Vec::len), Some(32));
}

#[tokio::test]
async fn the_configuration_is_for_superusers_with_its_sources_and_without_secrets() {
    let secret = "an hs256 secret that nobody is to see";
    let (server, root) = TestServer::with_superuser().await;
    let every: Vec<String> = root.get("/auth/admin/permissions/?limit=500").await.expect(200).body["results"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            format!("{}.{}", row["label"].as_str().expect("text"), row["codename"].as_str().expect("text"))
        })
        .collect();
    let every: Vec<&str> = every.iter().map(String::as_str).collect();
    let staff = server.staff_with(&root, ADA, &every).await;
    staff.get(CONFIG).await.expect_problem(403, "permission_denied");
    let server = server.restart_with(&format!("tokens.hs256_secret = \"{secret}\"")).await;
    let root = server.logged_in("root@example.com").await;

    let answer = root.get(CONFIG).await.expect(200);

    let of = |name: &str| {
        let rows = answer.body["results"].as_array().expect("settings");
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert!(!answer.text.contains(secret), "{}", answer.text);
    assert_eq!(of("tokens.hs256_secret")["value"], "***");
    let length = json!({
        "name": "passwords.min_length", "value": 8, "source": "default",
        "variable": "KEYSTEAD_PASSWORDS__MIN_LENGTH",
    });
    assert_eq!(of("passwords.min_length"), length);
    assert_eq!(
        (&of("server.listen")["value"], &of("server.listen")["source"]),
        (&json!("127.0.0.1:0"), &json!("configuration"))
    );
    assert_eq!(
        (&of("bootstrap.users")["value"], &of("bootstrap.users")["variable"]),
        (&json!([]), &Value::Null)
    );
    assert!(of("passwords.validators")["value"].is_array());
}

#[tokio::test]
async fn a_superuser_hands_on_the_link_of_a_mail_that_did_not_arrive() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let reset = newest_mail(&root).await;
    let waiting = json!({ "email": BOB, "password": PASSWORD });
    server.anon().post("/auth/register/", &waiting).await.expect(202);
    let verify = newest_mail(&root).await;

    let copied = root.post(&format!("{reset}link/"), &json!({})).await.expect(200).body;
    let verifying = root.post(&format!("{verify}link/"), &json!({})).await.expect(200).body;

    assert_eq!(copied, json!({ "link": server.mail_to(ADA).await.link() }));
    assert_eq!(verifying, json!({ "link": server.mail_to(BOB).await.link() }));
    server.mail_to(ADA).await.reset_link().reset(&server, "another horse of ada's").await.expect(204);
    server.expect_dead(&ada).await;
    let list = root.get("/auth/admin/events/?kind=mail.link_copied").await.expect(200);
    let event = &list.body["results"][1];
    assert_eq!(
        (&event["actor"]["label"], &event["subject"]["label"]),
        (&json!("root@example.com"), &json!(ADA))
    );
    assert_eq!(event["detail"], "kind: \"reset_password\"");
    assert!(!list.text.contains("token=") && !list.text.contains("code="), "{}", list.text);
    root.post(&format!("{reset}link/"), &json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn no_link_that_opens_a_superusers_account_is_shown_to_anybody() {
    let (server, root) = TestServer::with_superuser().await;
    let other = json!({ "email": ADA, "password": PASSWORD, "is_superuser": true });
    root.post("/auth/admin/users/", &other).await.expect(201);
    let inactive = json!({ "email": BOB, "is_superuser": true, "is_active": false, "send_mail": true });
    root.post("/auth/admin/users/", &inactive).await.expect(201);
    let mut mails = vec![newest_mail(&root).await];
    for email in [ADA, "root@example.com"] {
        server.anon().post("/auth/password/request_change/", &json!({ "email": email })).await.expect(202);
        mails.push(newest_mail(&root).await);
    }

    for mail in mails {
        root.post(&format!("{mail}link/"), &json!({})).await.expect_problem(403, "permission_denied");
    }

    assert!(!server.events().contains(&"mail.link_copied"));
}

#[tokio::test]
async fn a_link_is_shown_neither_to_staff_nor_to_a_key_nor_when_it_is_dead() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let ask = json!({ "email": ADA });
    server.anon().post("/auth/password/request_change/", &ask).await.expect(202);
    let first = format!("{}link/", newest_mail(&root).await);
    let rights = ["mail.view_message", "mail.change_message", "users.change_user"];
    let staff = server.staff_with(&root, BOB, &rights).await;
    let (key, _) = server.api_key(&root, &json!({ "name": "a key" })).await;

    staff.post(&first, &json!({})).await.expect_problem(403, "permission_denied");
    key.send(Method::POST, &first, &[], None).await.expect_problem(403, "session_required");
    server.anon().post("/auth/password/request_change/", &ask).await.expect(202);
    root.post(&first, &json!({})).await.expect_problem(409, "conflict");
    let second = format!("{}link/", newest_mail(&root).await);
    root.post(&second, &json!({})).await.expect(200);
    root.delete(&format!("/auth/admin/users/{}/", ada.tokens["user"]["id"])).await.expect(204);
    root.post(&second, &json!({})).await.expect_problem(409, "conflict");
    let change = json!({ "username": "robert" });
    root.patch(&format!("/auth/admin/users/{}/", staff.tokens["user"]["id"]), &change).await.expect(200);
    let notice = format!("{}link/", newest_mail(&root).await);
    let refused = root.post(&notice, &json!({})).await.expect_problem(409, "conflict");
    assert_eq!(refused.body["detail"], "There is no link in this mail.");
}

#[tokio::test]
async fn the_audit_log_is_followed_from_an_event_on() {
    let (server, root) = TestServer::with_superuser().await;
    let events = "/auth/admin/events/";
    let newest = root.get(&format!("{events}?limit=1")).await.expect(200).body["results"][0]["id"].clone();
    let follow = async |after: &Value, more: &str| {
        root.get(&format!("{events}?after={}{more}", after.as_str().expect("an id"))).await.expect(200).body
    };

    let nothing = follow(&newest, "").await;
    root.post("/auth/admin/groups/", &json!({ "name": "A" })).await.expect(201);
    server.logged_in("root@example.com").await;
    root.post("/auth/admin/groups/", &json!({ "name": "B" })).await.expect(201);
    let first = follow(&nothing["next"], "&limit=2").await;
    let rest = follow(&first["next"], "&limit=2").await;
    let groups = follow(&newest, "&kind=group.created").await;

    let kinds = |page: &Value| -> Vec<Value> {
        page["results"].as_array().expect("rows").iter().map(|row| row["kind"].clone()).collect()
    };
    assert_eq!((nothing["results"].clone(), &nothing["next"]), (json!([]), &newest));
    assert_eq!(kinds(&first), ["group.created", "login.succeeded"]);
    assert_eq!((kinds(&rest), &rest["next"]), (vec![json!("group.created")], &rest["results"][0]["id"]));
    assert_eq!(kinds(&groups), ["group.created", "group.created"]);
    assert_eq!(follow(&groups["next"], "").await["results"], json!([]));
    root.get(&format!("{events}?after=x")).await.expect_invalid(&[("after", "type")]);
    let id = newest.as_str().expect("an id");
    root.get(&format!("{events}?after={id}&cursor={id}")).await.expect_invalid(&[("after", "type")]);
}
