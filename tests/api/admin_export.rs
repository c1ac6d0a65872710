//! The list of users as a file: the same users in the same order, whole, and harmless in a spreadsheet.

use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::{Answer, Caller, TestServer};

const USERS: &str = "/auth/admin/users/";
const EXPORT: &str = "/auth/admin/users/export/";

async fn added(by: &Caller, body: &Value) -> Value {
    by.post(USERS, body).await.expect(201).body
}

async fn exported(by: &Caller, query: &str) -> Answer {
    by.get(&format!("{EXPORT}?{query}")).await.expect(200)
}

/// The rows of a table, taken apart as RFC 4180 says.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.strip_suffix("\r\n").expect("an end").split("\"\r\n\"");
    let cells = |line: &str| {
        let line = line.trim_start_matches('"').trim_end_matches('"');
        line.split("\",\"").map(|cell| cell.replace("\"\"", "\"")).collect()
    };
    lines.map(cells).collect()
}

#[tokio::test]
async fn a_file_has_the_users_of_the_list() {
    let (_server, root) = TestServer::with_superuser().await;
    for (name, is_active) in [("ada", true), ("bob", false), ("eve", true)] {
        let body =
            json!({ "username": name, "email": format!("{name}@example.com"), "is_active": is_active });
        added(&root, &body).await;
    }

    for query in [
        "",
        "&is_active=true",
        "&search=ADA",
        "&ordering=-email",
        "&group=Root",
        "&is_staff=false&search=nobody",
    ] {
        let list = root.get(&format!("{USERS}?limit=500{query}")).await.expect(200).body;

        let json = exported(&root, &format!("format=json{query}")).await;
        assert_eq!(json.body, list["results"], "{query}: {}", json.text);
        assert_eq!(json.header("content-type"), Some("application/json"));

        let csv = exported(&root, &format!("format=csv{query}")).await;
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
        let ids: Vec<String> = rows(&csv.text).iter().skip(1).map(|row| row[0].clone()).collect();
        let listed = list["results"].as_array().expect("a list").iter();
        assert_eq!(ids, listed.map(|user| user["id"].to_string()).collect::<Vec<_>>(), "{query}");
    }
    let csv = exported(&root, "format=csv").await;
    let name = csv.header("content-disposition").expect("a name").to_owned();
    let day = name.strip_prefix("attachment; filename=\"users-").and_then(|name| name.strip_suffix(".csv\""));
    assert!(day.is_some_and(|day| day.len() == 10 && day.matches('-').count() == 2), "{name}");
    assert_eq!(csv.header("cache-control"), Some("no-store"));
    let header = "\"id\",\"email\",\"username\",\"first_name\",\"last_name\",\"full_name\",\"avatar\",\"is_active\",\
                  \"is_staff\",\"is_superuser\",\"email_verified\",\"groups\",\"date_joined\",\"updated_at\",\
                  \"last_login\"\r\n";
    assert!(csv.text.starts_with(header), "{}", csv.text);
}

#[tokio::test]
async fn no_cell_is_a_formula() {
    let (_server, root) = TestServer::with_superuser().await;
    root.post("/auth/admin/groups/", &json!({ "name": "=HYPERLINK(\"x\")" })).await.expect(201);
    let body = json!({
        "username": "@ada", "first_name": "=cmd|' /C calc'!A0", "last_name": "a;+1 \"quoted\", ＝2",
        "groups": ["=HYPERLINK(\"x\")"],
    });
    let ada = added(&root, &body).await;

    let table = rows(&exported(&root, "format=csv&is_superuser=false").await.text);

    let row = &table[1];
    assert_eq!(row[2], "'@ada");
    assert_eq!(row[3], "'=cmd|' /C calc'!A0");
    assert_eq!(row[4], "a;'+1 \"quoted\",' ＝2");
    assert!(row[5].starts_with("'="), "{row:?}");
    assert_eq!(row[11], "'=HYPERLINK(\"x\")");
    // As it is, where nothing runs it.
    assert_eq!(exported(&root, "format=json&is_superuser=false").await.body, json!([ada]));
}

/// Asks for the file, and hangs up at its beginning.
async fn hang_up(server: &TestServer, by: &Caller) {
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let request = format!(
        "GET {EXPORT}?format=csv HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        by.access()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_file_of_many_pages_is_whole_whoever_hangs_up_meanwhile() {
    let (server, root) = TestServer::with_superuser().await;
    let mut adding = JoinSet::new();
    for n in 0..1001 {
        let root = root.clone();
        let body = json!({ "username": format!("user{n}"), "first_name": "é".repeat(100) });
        adding.spawn(async move { added(&root, &body).await });
    }
    adding.join_all().await;

    for _ in 0..20 {
        hang_up(&server, &root).await;
    }
    let json = exported(&root, "format=json&ordering=-id").await;
    let csv = exported(&root, "format=csv").await;

    let users = json.body.as_array().expect("an array");
    let ids: Vec<u64> = users.iter().map(|user| user["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), 1002);
    assert!(ids.is_sorted_by(|one, next| one > next));
    assert_eq!(rows(&csv.text).len(), 1003);
}

#[tokio::test]
async fn an_export_is_an_event_and_needs_the_right_to_see_users() {
    let (server, root) = TestServer::with_superuser().await;
    let viewer = server.staff_with(&root, "viewer@example.com", &["users.view_user"]).await;
    let changer = server.staff_with(&root, "changer@example.com", &["users.change_user"]).await;
    let exports =
        |server: &TestServer| server.events().into_iter().filter(|kind| *kind == "users.exported").count();

    changer.get(&format!("{EXPORT}?format=csv")).await.expect_problem(403, "permission_denied");
    for (query, errors) in [
        ("", &[("format", "required")][..]),
        ("format=xls", &[("format", "invalid")]),
        ("format=csv&limit=1", &[("limit", "unknown_field")]),
        ("format=csv&cursor=x", &[("cursor", "unknown_field")]),
        ("format=csv&group=Nobody", &[("group", "unknown")]),
        ("format=csv&format=json", &[("format", "type")]),
    ] {
        viewer.get(&format!("{EXPORT}?{query}")).await.expect_invalid(errors);
    }
    let head = viewer.send(Method::HEAD, &format!("{EXPORT}?format=csv"), &[], None).await.expect(200);
    assert_eq!((head.text.as_str(), head.header("content-type")), ("", Some("text/csv; charset=utf-8")));
    assert_eq!(exports(&server), 0);

    exported(&viewer, "format=csv&search=A%22%0a&is_active=true").await;

    assert_eq!(exports(&server), 1);
    let list = root.get("/auth/admin/events/?kind=users.exported").await.expect(200).body;
    let event = &list["results"][0];
    assert_eq!(event["actor"]["label"], "viewer@example.com");
    assert_eq!((&event["subject"], event["request_id"].is_string()), (&Value::Null, true));
    assert_eq!(event["detail"], "format: \"csv\"; search: \"A\\\"\\n\"; is_active: \"true\"");
}
