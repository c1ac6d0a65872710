//! What administrators see and do beside accounts: the audit log, mails that wait, registrations that wait.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::{Caller, PASSWORD, TestServer, minutes};

const EVENTS: &str = "/auth/admin/events/";
const OUTBOX: &str = "/auth/admin/outbox/";
const PENDING: &str = "/auth/admin/registrations/";
const ROOT: &str = "root@example.com";
const ADA: &str = "ada@example.com";

async fn administered() -> (TestServer, Caller) {
    let root = ["createsuperuser", "--email", ROOT, "--password-stdin", "--no-input"];
    let server = TestServer::start().await.operated(&root, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    (server, root)
}

async fn register(server: &TestServer, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = server.anon().post("/auth/register/", &body).await.expect(202);
    answer.body["registration"].as_str().expect("a handle").to_owned()
}

async fn listed(caller: &Caller, path: &str) -> Value {
    caller.get(path).await.expect(200).body
}

fn texts<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    let rows = list["results"].as_array().expect("results").iter();
    rows.map(|row| row[member].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn staff_with_one_permission_do_what_it_is_for() {
    let (server, root) = administered().await;
    let activated = register(&server, ADA).await;
    let dropped = register(&server, "bob@example.com").await;
    let mails = listed(&root, OUTBOX).await;
    let mail = format!("{OUTBOX}{}/", mails["results"][0]["id"].as_str().expect("an id"));

    for (n, (permission, method, path, status)) in [
        ("audit.view_event", Method::GET, EVENTS.to_owned(), 200),
        ("mail.view_message", Method::GET, OUTBOX.to_owned(), 200),
        ("mail.view_message", Method::GET, mail.clone(), 200),
        ("mail.change_message", Method::POST, format!("{mail}resend/"), 202),
        ("mail.delete_message", Method::DELETE, mail.clone(), 204),
        ("users.view_user", Method::GET, PENDING.to_owned(), 200),
        ("users.add_user", Method::POST, format!("{PENDING}{activated}/activate/"), 200),
        ("users.delete_user", Method::DELETE, format!("{PENDING}{dropped}/"), 204),
    ]
    .into_iter()
    .enumerate()
    {
        let holder = server.staff_with(&root, &format!("staff{n}@example.com"), &[permission]).await;

        holder.send(method, &path, &[], None).await.expect(status);
    }
}

#[tokio::test]
async fn the_audit_log_has_each_event_with_all_that_is_known() {
    let (server, root) = administered().await;
    let ada = server.registered(ADA).await;

    let list = listed(&root, EVENTS).await;

    let kinds = texts(&list, "kind");
    let mut events = server.events();
    events.reverse();
    assert_eq!(kinds, events);
    assert_eq!((&list["count"], &list["next"]), (&json!(kinds.len()), &Value::Null));
    let login = &list["results"][0];
    assert_eq!((&login["kind"], &login["result"]), (&json!("login.succeeded"), &json!("success")));
    let id = ada.tokens["user"]["id"].to_string();
    assert_eq!(login["actor"], json!({ "id": id, "label": ADA }));
    assert_eq!(login["subject"], login["actor"]);
    assert_eq!((&login["ip"], &login["detail"]), (&json!("127.0.0.1"), &json!("code")));
    assert!(login["time"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert!(login["session"].is_string() && login["request_id"].is_string(), "{login}");
    assert_eq!(login.as_object().map(serde_json::Map::len), Some(11));
}

#[tokio::test]
async fn events_are_filtered_and_paged() {
    let (server, root) = administered().await;
    let ada = server.registered(ADA).await;
    server.advance(minutes(5));
    let later = listed(&root, &format!("{EVENTS}?limit=1")).await["results"][0]["time"].clone();
    ada.patch("/auth/profile/", &json!({ "first_name": "Ada" })).await.expect(200);
    // A group with a user's number is not that user.
    root.post("/auth/admin/groups/", &json!({ "name": "A" })).await.expect(201);
    root.post("/auth/admin/groups/", &json!({ "name": "B" })).await.expect(201);

    let all = listed(&root, EVENTS).await;
    let mut paged = Vec::new();
    let mut path = format!("{EVENTS}?limit=2");
    loop {
        let page = listed(&root, &path).await;
        paged.extend(page["results"].as_array().expect("results").clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{EVENTS}?limit=2&cursor={next}");
    }
    let updated = listed(&root, &format!("{EVENTS}?kind=user.updated")).await;
    let of_ada = listed(&root, &format!("{EVENTS}?user={}", ada.tokens["user"]["id"])).await;
    let later = later.as_str().expect("a time").replace(':', "%3A");
    let recent = listed(&root, &format!("{EVENTS}?since={later}")).await;
    let old = listed(&root, &format!("{EVENTS}?until={later}")).await;

    assert_eq!(all["results"].as_array(), Some(&paged));
    assert_eq!((texts(&updated, "kind"), &updated["count"]), (vec!["user.updated"], &json!(1)));
    let expected = ["user.updated", "login.succeeded", "user.verified"];
    assert_eq!(texts(&of_ada, "kind"), expected);
    assert_eq!(of_ada["count"], 3);
    assert_eq!(texts(&recent, "kind")[..3], ["group.created", "group.created", "user.updated"]);
    assert!(!texts(&old, "kind").contains(&"user.updated"));
    for (name, value) in [
        ("kind", "no.such"),
        ("user", "x"),
        ("since", "yesterday"),
        ("until", ""),
        ("cursor", "x"),
        ("limit", "0"),
    ] {
        root.get(&format!("{EVENTS}?{name}={value}")).await.expect_invalid(&[(name, "type")]);
    }
}

#[tokio::test]
async fn a_change_of_a_group_tells_before_and_after() {
    let (_server, root) = administered().await;
    let body = json!({ "name": "A", "permissions": ["users.view_user"] });
    let group = root.post("/auth/admin/groups/", &body).await.expect(201).body;
    let change = json!({ "name": "B", "permissions": ["users.add_user"] });

    root.patch(&format!("/auth/admin/groups/{}/", group["id"]), &change).await.expect(200);

    let event = listed(&root, &format!("{EVENTS}?kind=group.changed")).await["results"][0].clone();
    assert_eq!(event["detail"], "name: \"A\" -> \"B\"; permissions: +users.add_user -users.view_user");
    assert_eq!((&event["actor"]["label"], &event["subject"]["label"]), (&json!(ROOT), &json!("B")));
}

#[tokio::test]
async fn a_mail_that_waits_is_seen_without_its_content_sent_again_and_dropped() {
    let (server, root) = administered().await;
    register(&server, ADA).await;
    register(&server, "bob@example.com").await;

    let answer = root.get(OUTBOX).await.expect(200);
    let (list, text) = (answer.body, answer.text);
    let row = &list["results"][1];
    let path = format!("{OUTBOX}{}/", row["id"].as_str().expect("an id"));
    let resent = root.post(&format!("{path}resend/"), &json!({})).await.expect(202).body;
    let bobs = format!("{OUTBOX}{}/", list["results"][0]["id"].as_str().expect("an id"));
    root.delete(&bobs).await.expect(204);

    assert_eq!((texts(&list, "to"), &list["count"]), (vec!["bob@example.com", ADA], &json!(2)));
    assert_eq!(texts(&list, "kind"), ["verify_email", "verify_email"]);
    assert_eq!(
        (&row["status"], &row["attempts"], &row["last_error"]),
        (&json!("waiting"), &json!(0), &Value::Null)
    );
    assert_eq!((&resent["id"], &resent["status"]), (&row["id"], &json!("waiting")));
    assert_eq!(&root.get(&path).await.expect(200).body, &resent);
    root.get(&bobs).await.expect_problem(404, "not_found");
    root.delete(&bobs).await.expect_problem(404, "not_found");
    let mail = server.mail_to(ADA).await;
    assert!(!text.contains(&mail.code()) && !text.contains(&mail.long_code()));
    assert!(server.mails_to("bob@example.com").await.is_empty());
    root.get(&path).await.expect_problem(404, "not_found");
    let events = server.events();
    assert_eq!(events[events.len() - 2..], ["mail.resent", "mail.dropped"]);
}

#[tokio::test]
async fn a_mail_with_a_dead_code_is_not_sent_again() {
    let (server, root) = administered().await;
    register(&server, ADA).await;
    server.advance(minutes(11));
    let row = listed(&root, OUTBOX).await["results"][0].clone();
    let path = format!("{OUTBOX}{}/", row["id"].as_str().expect("an id"));

    root.post(&format!("{path}resend/"), &json!({})).await.expect_problem(409, "conflict");
    server.run_jobs().await;
    let failed = root.get(&path).await.expect(200).body;

    assert_eq!((&failed["status"], &failed["next_attempt_at"]), (&json!("failed"), &Value::Null));
    assert_eq!((&row["is_gone"], &failed["is_gone"]), (&json!(false), &json!(true)));
    assert_eq!(row["useful_until"], failed["useful_until"]);
    root.post(&format!("{path}resend/"), &json!({})).await.expect_problem(409, "conflict");
    root.delete(&path).await.expect(204);
}

#[tokio::test]
async fn a_registration_is_seen_and_activated_as_if_confirmed() {
    let (server, root) = administered().await;
    let other = register(&server, ADA).await;
    let id = register(&server, ADA).await;

    let list = listed(&root, PENDING).await;
    let first = listed(&root, &format!("{PENDING}?limit=1")).await;
    let next = first["next"].as_str().expect("a cursor");
    let second = listed(&root, &format!("{PENDING}?limit=1&cursor={next}")).await;
    let user = root.post(&format!("{PENDING}{id}/activate/"), &json!({})).await.expect(200).body;

    assert_eq!((texts(&list, "id"), &list["count"]), (vec![id.as_str(), other.as_str()], &json!(2)));
    assert_eq!([texts(&first, "id"), texts(&second, "id")].concat(), texts(&list, "id"));
    assert_eq!(second["next"], Value::Null);
    assert!(list["results"][0].get("password").is_none() && list["results"][0].get("code").is_none());
    assert_eq!((&user["email"], &user["is_active"]), (&json!(ADA), &json!(true)));
    assert_eq!((&user["email_verified"], &user["is_staff"]), (&json!(true), &json!(false)));
    server.logged_in(ADA).await.get("/auth/profile/").await.expect(200);
    for gone in [id, other] {
        let path = format!("{PENDING}{gone}/activate/");
        root.post(&path, &json!({})).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_dropped_registration_takes_no_code() {
    let (server, root) = administered().await;
    let id = register(&server, ADA).await;
    let code = server.mail_to(ADA).await.code();

    root.delete(&format!("{PENDING}{id}/")).await.expect(204);

    root.delete(&format!("{PENDING}{id}/")).await.expect_problem(404, "not_found");
    let body = json!({ "registration": id, "code": code });
    server.anon().post("/auth/register/verify/", &body).await.expect_problem(400, "invalid_code");
    assert!(server.events().contains(&"registration.dropped"));
}
