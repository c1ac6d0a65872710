//! Users, as staff see and change them: who may, what happens, and that lists hold still.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, PASSWORD, ROOT, TestServer, minutes};

const USERS: &str = "/auth/admin/users/";
const ADA: &str = "ada@example.com";
const EVERYTHING: [&str; 4] = ["users.view_user", "users.add_user", "users.change_user", "users.delete_user"];

/// A user whom this caller makes.
async fn added(by: &Caller, body: Value) -> Value {
    by.post(USERS, &body).await.expect(201).body
}

fn path_of(user: &Value) -> String {
    format!("{USERS}{}/", user["id"])
}

fn part_of(user: &Value, part: &str) -> String {
    format!("{USERS}{}/{part}/", user["id"])
}

async fn listed(by: &Caller, query: &str) -> Value {
    by.get(&format!("{USERS}?{query}")).await.expect(200).body
}

/// What the users of a list are called.
fn names(list: &Value) -> Vec<String> {
    let users = list["results"].as_array().expect("a list").iter();
    users
        .map(|user| user["username"].as_str().or(user["email"].as_str()).expect("a name").to_owned())
        .collect()
}

async fn log_in(server: &TestServer, password: &str) -> Answer {
    server.anon().post("/auth/login/", &json!({ "identifier": ADA, "password": password })).await
}

#[tokio::test]
async fn a_superuser_makes_reads_and_changes_a_user() {
    let (server, root) = TestServer::with_superuser().await;

    let body = json!({
        "email": ADA, "username": "ada", "first_name": "Ada", "last_name": "Lovelace", "password": PASSWORD,
        "avatar": "https://example.com/ada.png", "is_staff": true, "permissions": ["users.view_user"],
    });
    let ada = added(&root, body).await;

    assert_eq!((&ada["full_name"], &ada["is_staff"]), (&json!("Ada Lovelace"), &json!(true)));
    assert_eq!((&ada["is_active"], &ada["email_verified"]), (&json!(true), &json!(true)));
    assert_eq!(root.get(&path_of(&ada)).await.expect(200).body, ada);
    let own = server.logged_in(ADA).await;
    let rights = own.get("/auth/profile/permissions/").await.expect(200).body;
    assert_eq!(rights["permissions"], json!(["users.view_user"]));

    let change = json!({ "first_name": null, "username": "countess", "is_superuser": true });
    let changed = root.patch(&path_of(&ada), &change).await.expect(200).body;
    assert_eq!((&changed["first_name"], &changed["username"]), (&json!(""), &json!("countess")));
    assert_eq!(changed["groups"], json!(["Root"]));
    let subject = server.mail_to(ADA).await.subject;
    assert!(subject.contains("username"), "{subject}");
    let same = root.put(&path_of(&ada), &json!({ "username": "countess" })).await.expect(200).body;
    assert_eq!(same, changed);
    let updates = server.events().into_iter().filter(|kind| *kind == "user.updated").count();
    assert_eq!(updates, 1);
    root.get(&format!("{USERS}999/")).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn what_is_wrong_with_a_new_user_is_said() {
    let (_server, root) = TestServer::with_superuser().await;
    let refuse = async |body: Value, errors: &[(&str, &str)]| {
        root.post(USERS, &body).await.expect_invalid(errors);
    };

    refuse(json!({}), &[("email", "required")]).await;
    refuse(
        json!({ "email": "ada", "avatar": "x", "groups": "a", "permissions": ["no"], "id": 7 }),
        &[
            ("email", "invalid_email"),
            ("avatar", "invalid_url"),
            ("groups", "type"),
            ("permissions", "invalid_permission"),
            ("id", "unknown_field"),
        ],
    )
    .await;
    refuse(json!({ "username": "ada", "groups": ["Nobody"] }), &[("groups", "unknown")]).await;
    refuse(json!({ "username": "ada", "permissions": ["a.b"] }), &[("permissions", "unknown")]).await;
    refuse(
        json!({ "username": "lovelace", "password": "lovelace1" }),
        &[("password", "password_too_similar")],
    )
    .await;
    refuse(json!({ "username": "eve@example.com" }), &[("username", "invalid_username")]).await;
    root.post(USERS, &json!({ "email": ROOT })).await.expect_problem(409, "conflict");
    let rooted = json!({ "username": "ada", "groups": ["Root"] });
    root.post(USERS, &rooted).await.expect_problem(403, "permission_denied");
    assert_eq!(listed(&root, "").await["count"], 1);
}

#[tokio::test]
async fn a_code_is_mailed_where_that_is_asked_for_and_of_use() {
    let (server, root) = TestServer::with_superuser().await;

    let waiting = json!({ "email": ADA, "password": PASSWORD, "is_active": false, "send_mail": true });
    assert_eq!(added(&root, waiting).await["email_verified"], false);
    let known = json!({ "email": "bob@example.com", "send_mail": true });
    added(&root, known).await;
    let active = json!({ "email": "eve@example.com", "email_verified": false, "send_mail": true });
    added(&root, active).await;

    let verify = json!({ "email": ADA, "code": server.mail_to(ADA).await.code() });
    log_in(&server, PASSWORD).await.expect(401);
    let user = server.anon().post("/auth/register/verify/", &verify).await.expect(200).body["user"].clone();
    assert_eq!((&user["is_active"], &user["email_verified"]), (&json!(true), &json!(true)));
    assert!(server.mails_to("bob@example.com").await.is_empty());
    assert_eq!(server.mails_to("eve@example.com").await.len(), 1);
}

#[tokio::test]
async fn staff_with_one_permission_do_what_it_is_for() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = added(&root, json!({ "email": ADA, "password": PASSWORD })).await;
    let acts = [
        ("users.view_user", Method::GET, USERS.to_owned(), None, 200),
        ("users.view_user", Method::GET, path_of(&ada), None, 200),
        ("users.view_user", Method::GET, part_of(&ada, "sessions"), None, 200),
        ("users.add_user", Method::POST, USERS.to_owned(), Some(json!({ "username": "new" })), 201),
        ("users.change_user", Method::PATCH, path_of(&ada), Some(json!({ "first_name": "A" })), 200),
        ("users.change_user", Method::PUT, path_of(&ada), Some(json!({ "first_name": "B" })), 200),
        ("users.change_user", Method::PUT, part_of(&ada, "groups"), Some(json!({ "groups": [] })), 200),
        (
            "users.change_user",
            Method::PUT,
            part_of(&ada, "permissions"),
            Some(json!({ "permissions": [] })),
            200,
        ),
        (
            "users.change_user",
            Method::PUT,
            part_of(&ada, "password"),
            Some(json!({ "password": PASSWORD })),
            204,
        ),
        ("users.change_user", Method::DELETE, part_of(&ada, "sessions"), None, 204),
        ("users.delete_user", Method::DELETE, path_of(&ada), None, 204),
        ("users.change_user", Method::POST, part_of(&ada, "activate"), None, 200),
    ];
    for (n, permission) in EVERYTHING.into_iter().enumerate() {
        let holder = server.staff_with(&root, &format!("staff{n}@example.com"), &[permission]).await;
        for (_, method, path, body, status) in acts.iter().filter(|act| act.0 == permission) {
            let body = body.clone().unwrap_or(json!({}));
            holder.json(method.clone(), path, &body).await.expect(*status);
        }
    }
}

#[tokio::test]
async fn staff_raise_nobody_above_themselves() {
    let (server, root) = TestServer::with_superuser().await;
    let staff = server.staff_with(&root, "staff@example.com", &EVERYTHING).await;
    let ada = added(&root, json!({ "email": ADA })).await;
    let above = added(&root, json!({ "username": "above", "permissions": ["auth.add_permission"] })).await;
    let superuser = listed(&root, "is_superuser=true").await["results"][0].clone();
    let denied = |answer: Answer| answer.expect_problem(403, "permission_denied");

    for flag in ["is_staff", "is_superuser"] {
        denied(staff.post(USERS, &json!({ "username": "eve", flag: true })).await);
        denied(staff.patch(&path_of(&ada), &json!({ flag: true })).await);
        staff.patch(&path_of(&ada), &json!({ flag: false })).await.expect(200);
    }
    let more = json!({ "username": "eve", "permissions": ["auth.add_permission"] });
    denied(staff.post(USERS, &more).await);
    let more = json!({ "permissions": ["users.view_user", "auth.add_permission"] });
    denied(staff.put(&part_of(&ada, "permissions"), &more).await);
    denied(staff.put(&part_of(&ada, "groups"), &json!({ "groups": ["Root"] })).await);
    let own = json!({ "permissions": ["users.view_user"] });
    staff.put(&part_of(&ada, "permissions"), &own).await.expect(200);

    for user in [&above, &superuser] {
        staff.get(&path_of(user)).await.expect(200);
        denied(staff.patch(&path_of(user), &json!({ "first_name": "Eve" })).await);
        denied(staff.delete(&path_of(user)).await);
        denied(staff.delete(&format!("{}?purge=true", path_of(user))).await);
        denied(staff.put(&part_of(user, "password"), &json!({ "password": PASSWORD })).await);
        denied(staff.put(&part_of(user, "groups"), &json!({ "groups": [] })).await);
        denied(staff.put(&part_of(user, "permissions"), &json!({ "permissions": [] })).await);
        denied(staff.delete(&part_of(user, "sessions")).await);
        denied(staff.post(&part_of(user, "activate"), &json!({})).await);
    }
    denied(staff.delete(&format!("{}?purge=true", path_of(&ada))).await);
    root.put(&part_of(&superuser, "groups"), &json!({ "groups": ["Root"] })).await.expect(200);
    server.expect_alive(&root).await;
}

#[tokio::test]
async fn ones_own_password_and_address_take_ones_password() {
    let (server, root) = TestServer::with_superuser().await;
    let own = root.get("/auth/profile/").await.expect(200).body;

    let password = json!({ "password": "another horse battery" });
    let refused = root.put(&part_of(&own, "password"), &password).await;
    refused.expect_problem(403, "permission_denied");
    let refused = root.patch(&path_of(&own), &json!({ "email": ADA })).await;
    refused.expect_problem(403, "permission_denied");
    root.patch(&path_of(&own), &json!({ "email": ROOT, "first_name": "Root" })).await.expect(200);

    server.expect_alive(&root).await;
}

#[tokio::test]
async fn the_last_superuser_stays() {
    let (server, root) = TestServer::with_superuser().await;
    let own = root.get("/auth/profile/").await.expect(200).body;
    let purge = format!("{}?purge=true", path_of(&own));

    for flag in ["is_superuser", "is_active", "is_staff"] {
        let refused = root.patch(&path_of(&own), &json!({ flag: false })).await;
        refused.expect_problem(409, "last_superuser");
    }
    let all = json!({ "is_superuser": false, "is_active": false, "is_staff": false });
    root.patch(&path_of(&own), &all).await.expect_problem(409, "last_superuser");
    root.delete(&path_of(&own)).await.expect_problem(409, "last_superuser");
    root.delete(&purge).await.expect_problem(409, "last_superuser");
    server.expect_alive(&root).await;

    let body = json!({ "email": ADA, "password": PASSWORD, "is_staff": true, "is_superuser": true });
    let ada = added(&root, body).await;
    root.delete(&purge).await.expect_problem(403, "permission_denied");
    let other = server.logged_in(ADA).await;
    let demote = json!({ "is_superuser": false });
    let (mine, theirs) = (path_of(&own), path_of(&ada));
    let (first, second) = tokio::join!(root.patch(&mine, &demote), other.delete(&theirs));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert!(matches!(statuses, [200 | 204, 409]), "{statuses:?}");
}

#[tokio::test]
async fn disabling_ends_everything_and_activating_brings_back_the_account_alone() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let (key, _) = server.api_key(&ada, &json!({ "name": "a key" })).await;
    let user = ada.get("/auth/profile/").await.expect(200).body;
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let link = server.mail_to(ADA).await.reset_link();

    root.delete(&path_of(&user)).await.expect(204);
    root.delete(&path_of(&user)).await.expect(204);

    server.expect_dead(&ada).await;
    key.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    log_in(&server, PASSWORD).await.expect(401);
    assert_eq!(server.events().iter().filter(|kind| **kind == "user.disabled").count(), 1);
    let active = root.post(&part_of(&user, "activate"), &json!({})).await.expect(200).body;
    assert_eq!(active["is_active"], true);
    server.expect_dead(&ada).await;
    key.get("/auth/profile/").await.expect(401);
    link.check(&server).await.expect_problem(400, "invalid_token");
    let again = server.logged_in(ADA).await;
    root.patch(&path_of(&user), &json!({ "is_active": false })).await.expect(200);
    server.expect_dead(&again).await;
    root.patch(&path_of(&user), &json!({ "is_active": true })).await.expect(200);
    log_in(&server, PASSWORD).await.expect(200);
    let events = server.events();
    for kind in ["user.disabled", "user.enabled"] {
        assert_eq!(events.iter().filter(|found| **found == kind).count(), 2, "{kind}");
    }
}

#[tokio::test]
async fn a_new_address_kills_what_went_to_the_old_one() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let user = ada.get("/auth/profile/").await.expect(200).body;
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let link = server.mail_to(ADA).await.reset_link();
    let change = json!({ "new_email": "ada@example.net", "password": PASSWORD });
    ada.post("/auth/email/change/", &change).await.expect(202);
    let code = server.mail_to("ada@example.net").await.code();

    let moved = json!({ "email": "ada@example.org" });
    let moved = root.patch(&path_of(&user), &moved).await.expect(200).body;

    assert_eq!((&moved["email"], &moved["email_verified"]), (&json!("ada@example.org"), &json!(false)));
    link.check(&server).await.expect(400);
    ada.post("/auth/email/confirm/", &json!({ "code": code })).await.expect_problem(400, "invalid_code");
    let notice = server.mail_to(ADA).await;
    assert_eq!(notice.subject, "Your account has another address now");
    assert!(notice.text.contains(ADA) && !notice.text.contains("example.org"), "{}", notice.text);
    // The new address is nobody's yet that we know: it hears of nothing, now or when it is taken away again.
    root.patch(&path_of(&user), &json!({ "email": "ada@example.edu" })).await.expect(200);
    assert_eq!(server.mails_to("ada@example.org").await.len(), 0);
    root.patch(&path_of(&user), &json!({ "email": ADA, "email_verified": true })).await.expect(200);
    let count = server.count_mails().await;
    root.patch(&path_of(&user), &json!({ "email": "ADA@example.com" })).await.expect(200);
    assert_eq!(server.count_mails().await, count, "the address is only spelt another way");
    let nameless = json!({ "email": null });
    root.patch(&path_of(&user), &nameless).await.expect_invalid(&[("email", "null")]);
    let taken = root.patch(&path_of(&user), &json!({ "email": ROOT })).await;
    taken.expect_problem(409, "conflict");
}

#[tokio::test]
async fn a_temporary_password_is_good_for_choosing_another() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let user = ada.get("/auth/profile/").await.expect(200).body;
    let path = part_of(&user, "password");

    root.put(&path, &json!({ "password": "1234" })).await.expect(400);
    root.put(&path, &json!({})).await.expect_invalid(&[("password", "required")]);
    root.put(&path, &json!({ "password": "a horse for a day" })).await.expect(204);

    server.expect_dead(&ada).await;
    log_in(&server, PASSWORD).await.expect(401);
    let subject = server.mail_to(ADA).await.subject;
    assert!(subject.contains("password"), "{subject}");
    let holder = server.caller(log_in(&server, "a horse for a day").await.expect(200).body);
    for path in ["/auth/sessions/", "/auth/api-keys/", "/auth/profile/permissions/"] {
        holder.get(path).await.expect_problem(403, "password_change_required");
    }
    let own = json!({ "old_password": "a horse for a day", "new_password": "my own horse, for good" });
    holder.post("/auth/password/change/", &own).await.expect(204);
    holder.get("/auth/sessions/").await.expect(200);

    root.put(&path, &json!({ "password": "a lasting horse", "temporary": false })).await.expect(204);
    let holder = server.caller(log_in(&server, "a lasting horse").await.expect(200).body);
    holder.get("/auth/sessions/").await.expect(200);
}

#[tokio::test]
async fn sessions_of_others_are_listed_and_ended() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let user = ada.get("/auth/profile/").await.expect(200).body;
    let second = server.logged_in(ADA).await;
    let path = part_of(&user, "sessions");

    let rows = root.get(&path).await.expect(200).body["results"].clone();
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    assert_eq!(rows[0]["current"], false);
    root.delete(&path).await.expect(204);

    server.expect_dead(&ada).await;
    server.expect_dead(&second).await;
    assert_eq!(root.get(&path).await.expect(200).body["results"], json!([]));
    server.expect_alive(&root).await;
    root.get(&format!("{USERS}999/sessions/")).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_purged_user_is_gone_for_good() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = server.registered(ADA).await;
    let (key, _) = server.api_key(&ada, &json!({ "name": "a key" })).await;
    let user = ada.get("/auth/profile/").await.expect(200).body;
    root.put(&part_of(&user, "permissions"), &json!({ "permissions": ["users.view_user"] }))
        .await
        .expect(200);
    log_in(&server, "a wrong password").await.expect(401);
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let change = json!({ "new_email": "ada@example.net", "password": PASSWORD });
    ada.post("/auth/email/change/", &change).await.expect(202);
    let path = format!("{}?purge=true", path_of(&user));
    root.delete(&format!("{}?purge=yes", path_of(&user))).await.expect_invalid(&[("purge", "invalid")]);
    root.delete(&format!("{}?force=1", path_of(&user))).await.expect_invalid(&[("force", "unknown_field")]);

    root.delete(&path).await.expect(204);

    root.delete(&path).await.expect_problem(404, "not_found");
    root.get(&path_of(&user)).await.expect_problem(404, "not_found");
    server.expect_dead(&ada).await;
    key.get("/auth/profile/").await.expect_problem(401, "invalid_token");
    log_in(&server, PASSWORD).await.expect(401);
    assert!(server.events().contains(&"user.deleted"));
    let server = server.operated(&["check"], "").await;
    let root = server.logged_in(ROOT).await;
    let again = added(&root, json!({ "email": ADA })).await;
    assert!(again["id"].as_u64() > user["id"].as_u64(), "{again}");
}

/// All names on all pages, from the first on.
async fn walked(by: &Caller, query: &str, between: impl AsyncFn(usize)) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    for page in 0..100 {
        let list = listed(by, &format!("{query}{cursor}")).await;
        all.extend(names(&list));
        between(page).await;
        match list["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
    panic!("no end");
}

#[tokio::test]
async fn every_page_goes_on_where_the_one_before_ended() {
    let (server, root) = TestServer::with_superuser().await;
    for n in 0..9 {
        // Ties: three at a time came in the same moment.
        if n % 3 == 0 {
            server.advance(minutes(1));
        }
        let body = match n % 3 {
            0 => json!({ "username": format!("both{n}"), "email": format!("b{}@example.com", 9 - n) }),
            1 => json!({ "username": format!("Name{}", 9 - n), "password": PASSWORD }),
            _ => json!({ "email": format!("A{n}@example.com") }),
        };
        added(&root, body).await;
    }
    server.logged_in("name8").await;
    let nothing = async |_| {};

    for ordering in ["id", "email", "username", "date_joined", "last_login"] {
        let up = walked(&root, &format!("ordering={ordering}&limit=500"), nothing).await;
        assert_eq!(up.len(), 10, "{ordering}");
        let mut down = walked(&root, &format!("ordering=-{ordering}&limit=500"), nothing).await;
        down.reverse();
        assert_eq!(down, up, "{ordering}");
        for limit in [1, 3, 10] {
            for sign in ["", "-"] {
                let mut paged =
                    walked(&root, &format!("ordering={sign}{ordering}&limit={limit}"), nothing).await;
                if sign == "-" {
                    paged.reverse();
                }
                assert_eq!(paged, up, "{sign}{ordering} by {limit}");
                // In memory: a filter that an index knows.
                let mut paged = walked(
                    &root,
                    &format!("ordering={sign}{ordering}&limit={limit}&is_staff=false&is_superuser=false"),
                    nothing,
                )
                .await;
                if sign == "-" {
                    paged.reverse();
                }
                let others: Vec<&String> = up.iter().filter(|name| *name != ROOT).collect();
                assert_eq!(paged.iter().collect::<Vec<_>>(), others, "{sign}{ordering} by {limit}");
            }
        }
        // Whoever comes meanwhile moves nobody to another page.
        let add = async |page| {
            added(&root, json!({ "email": format!("m{ordering}{page}@example.com") })).await;
            added(&root, json!({ "username": format!("m{ordering}{page}") })).await;
        };
        let mut meanwhile = walked(&root, &format!("ordering=-{ordering}&limit=2"), async |page| {
            if page < 4 {
                add(page).await;
            }
        })
        .await;
        meanwhile.reverse();
        meanwhile.retain(|name| !name.starts_with('m'));
        assert_eq!(meanwhile, up, "{ordering}");
        for user in listed(&root, "limit=500&search=m").await["results"].as_array().expect("a list") {
            let name = user["username"].as_str().or(user["email"].as_str()).expect("a name");
            if name.starts_with(&format!("m{ordering}")) {
                root.delete(&format!("{}?purge=true", path_of(user))).await.expect(204);
            }
        }
    }
    let by_name = walked(&root, "ordering=username&limit=4", nothing).await;
    let named: Vec<&str> = by_name.iter().take(6).map(String::as_str).collect();
    assert_eq!(named, ["both0", "both3", "both6", "Name2", "Name5", "Name8"]);
}

#[tokio::test]
async fn lists_are_filtered_counted_and_searched() {
    let (_server, root) = TestServer::with_superuser().await;
    added(&root, json!({ "username": "Ada", "first_name": "Ada", "last_name": "LOVELACE" })).await;
    added(&root, json!({ "username": "bob", "email": "Love@example.org", "is_active": false })).await;
    added(&root, json!({ "username": "eve", "is_staff": true, "is_active": false })).await;

    for (query, expected) in [
        ("is_active=true", &[ROOT, "Ada"][..]),
        ("is_active=false", &["bob", "eve"]),
        ("is_staff=true", &[ROOT, "eve"]),
        ("is_staff=false", &["Ada", "bob"]),
        ("is_superuser=true", &[ROOT]),
        ("is_superuser=false", &["Ada", "bob", "eve"]),
        ("group=Root", &[ROOT]),
        ("group=Root&is_superuser=false", &[]),
        ("is_staff=true&is_active=false", &["eve"]),
        ("is_staff=false&is_active=true", &["Ada"]),
        ("search=lOvE", &["Ada", "bob"]),
        ("search=love&is_active=false", &["bob"]),
        ("search=ada%20love", &["Ada"]),
        ("search=example.", &[ROOT, "bob"]),
        ("search=^lOvE", &["Ada", "bob"]),
        ("search=%5Elovelace", &["Ada"]),
        ("search=^ada%20love", &["Ada"]),
        ("search=^love@example.o&is_active=false", &["bob"]),
        ("search=^example", &[]),
        ("search=^", &[ROOT, "Ada", "bob", "eve"]),
        ("search=", &[ROOT, "Ada", "bob", "eve"]),
        ("search=nobody", &[]),
        ("", &[ROOT, "Ada", "bob", "eve"]),
    ] {
        let list = listed(&root, query).await;
        assert_eq!(names(&list), expected, "{query}");
        assert_eq!((&list["count"], &list["next"]), (&json!(expected.len()), &Value::Null), "{query}");
        let first = listed(&root, &format!("{query}&limit=1")).await;
        assert_eq!(first["count"], expected.len(), "{query}");
        assert_eq!(first["next"].is_string(), expected.len() > 1, "{query}");
    }
}

#[tokio::test]
async fn a_search_knows_what_was_answered_a_moment_ago() {
    let (server, root) = TestServer::with_superuser().await;
    let ada = added(&root, json!({ "username": "ada" })).await;
    let found = async |search: &str| names(&listed(&root, &format!("search={search}")).await);

    for are_ready in [false, true] {
        if are_ready {
            // What was ready is dropped, and made ready again for whoever opens the list.
            server.advance(minutes(11));
            server.run_jobs().await;
            listed(&root, "").await;
            server.run_jobs().await;
        }
        assert_eq!((found("da").await, found("countess").await), (vec!["ada".to_owned()], vec![]));
        root.patch(&path_of(&ada), &json!({ "username": "Countess" })).await.expect(200);
        assert_eq!((found("da").await, found("countess").await), (vec![], vec!["Countess".to_owned()]));
        root.patch(&path_of(&ada), &json!({ "username": "ada" })).await.expect(200);
    }
    root.delete(&format!("{}?purge=true", path_of(&ada))).await.expect(204);
    assert!(found("da").await.is_empty());
    added(&root, json!({ "first_name": "Ida", "username": "i" })).await;
    assert_eq!(found("da").await, ["i"]);
}

#[tokio::test]
async fn a_list_refuses_what_it_does_not_understand() {
    let (_server, root) = TestServer::with_superuser().await;
    added(&root, json!({ "email": ADA })).await;
    let next = listed(&root, "limit=1").await["next"].as_str().expect("a cursor").to_owned();

    for (query, errors) in [
        ("page=2", &[("page", "unknown_field")][..]),
        ("limit=1&limit=2", &[("limit", "type")]),
        ("limit=0", &[("limit", "invalid")]),
        ("limit=501&is_staff=1", &[("limit", "invalid"), ("is_staff", "invalid")]),
        ("limit=ten", &[("limit", "invalid")]),
        ("is_active=True", &[("is_active", "invalid")]),
        ("is_superuser=", &[("is_superuser", "invalid")]),
        ("ordering=password", &[("ordering", "invalid")]),
        ("ordering=id,email", &[("ordering", "invalid")]),
        ("group=Nobody", &[("group", "unknown")]),
        ("group=", &[("group", "blank")]),
        ("cursor=", &[("cursor", "invalid")]),
        ("cursor=%00", &[("cursor", "invalid")]),
        ("cursor=AQAAAAAAAAAA", &[("cursor", "invalid")]),
        (&format!("cursor={next}&ordering=-id"), &[("cursor", "invalid")]),
        (&format!("cursor={next}&ordering=email"), &[("cursor", "invalid")]),
        (&format!("cursor={next}A"), &[("cursor", "invalid")]),
        (&format!("search={}", "a".repeat(151)), &[("search", "max_length")]),
    ] {
        root.get(&format!("{USERS}?{query}")).await.expect_invalid(errors);
    }
    assert_eq!(listed(&root, &format!("cursor={next}")).await["results"][0]["email"], ADA);
}
