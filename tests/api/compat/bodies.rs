//! Bodies as Django REST framework takes them: JSON, form, multipart; and what it says of those that it does not take.

use hyper::Method;
use serde_json::json;

use super::post;
use crate::harness::{Answer, TestServer};

const LOGIN: &str = "/api/authentication/login/";
const SURFACE: &str = "compat.profiles = [\"dj-rest-auth\"]";

async fn send(server: &TestServer, content_type: &str, body: &str) -> Answer {
    let headers = [("content-type", content_type)];
    server.anon().send(Method::POST, LOGIN, &headers, Some(body.into())).await
}

#[tokio::test]
async fn json_forms_and_multipart_say_the_same() {
    let server = TestServer::start_with(SURFACE).await;
    server.registered("ada@example.com").await;
    let parts = "--xx\r\ncontent-disposition: form-data; name=\"email\"\r\n\r\nada@example.com\r\n\
                 --xx\r\ncontent-disposition: form-data; name=\"avatar\"; filename=\"a.png\"\r\n\r\n\u{1}\r\n\
                 --xx\r\ncontent-disposition: form-data; name=\"password\"\r\n\r\ncorrect horse battery\r\n--xx--\r\n";
    for (content_type, body) in [
        (
            "application/json",
            r#"{"email": " ada@example.com ", "password": "correct horse battery", "x": [1]}"#,
        ),
        (
            "application/json; charset=utf-8",
            r#"{"email":"ada@example.com","password":"correct horse battery"}"#,
        ),
        ("application/x-www-form-urlencoded", "email=ada%40example.com&password=correct+horse+battery"),
        ("multipart/form-data; boundary=xx", parts),
    ] {
        let answer = send(&server, content_type, body).await.expect(200);
        assert_eq!(answer.body["user"]["email"], "ada@example.com", "{content_type}");
    }
}

#[tokio::test]
async fn a_body_that_is_none_is_refused_in_the_words_of_the_framework() {
    let server = TestServer::start_with(SURFACE).await;
    let required = json!({ "password": ["This field is required."] });
    assert_eq!(post(&server, LOGIN, &json!({})).await.expect(400).body, required);
    assert_eq!(send(&server, "application/json", "").await.expect(400).body, required);
    for (body, kind) in
        [("[]", "list"), ("1", "int"), ("1.5", "float"), ("\"a\"", "str"), ("null", "NoneType")]
    {
        let text = format!("Invalid data. Expected a dictionary, but got {kind}.");
        let answer = send(&server, "application/json", body).await.expect(400);
        assert_eq!(answer.body, json!({ "non_field_errors": [text] }), "{body}");
    }
    let answer = send(&server, "application/json", "{").await.expect(400);
    assert!(
        answer.body["detail"].as_str().expect("a text").starts_with("JSON parse error - "),
        "{}",
        answer.text
    );
    let answer = send(&server, "text/plain", "a").await.expect(415);
    assert_eq!(answer.body, json!({ "detail": "Unsupported media type \"text/plain\" in request." }));
    let answer = send(&server, "multipart/form-data", "a").await.expect(400);
    assert!(answer.body["detail"].as_str().expect("a text").starts_with("Multipart form parse error - "));
    let answer = send(&server, "multipart/form-data; boundary=xx", "--xx\r\nnonsense").await.expect(400);
    assert!(answer.body["detail"].as_str().expect("a text").starts_with("Multipart form parse error - "));
    send(&server, "application/json", &format!("{{\"x\": \"{}\"}}", "a".repeat(20_000))).await.expect(413);
    let answer = server.anon().get(LOGIN).await.expect(405);
    assert_eq!(answer.body, json!({ "detail": "Method \"GET\" not allowed." }));
    assert_eq!(answer.headers["allow"], "POST, OPTIONS");
}

#[tokio::test]
async fn a_surface_that_is_off_is_not_there() {
    let server = TestServer::start().await;
    post(&server, LOGIN, &json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn too_often_is_said_as_a_throttle_says_it() {
    let settings = format!("{SURFACE}\nlimits.enabled = true\nlimits.login = \"2/m/ip\"");
    let server = TestServer::start_with(&settings).await;
    for _ in 0..2 {
        post(&server, LOGIN, &json!({})).await.expect(400);
    }
    let answer = post(&server, LOGIN, &json!({})).await.expect(429);
    let secs = answer.headers["retry-after"].to_str().expect("ASCII").to_owned();
    let text = format!("Request was throttled. Expected available in {secs} seconds.");
    assert_eq!(answer.body, json!({ "detail": text }));
}
