//! HTTP itself: methods, paths, bodies, headers and errors, whatever the endpoint.

use std::collections::BTreeSet;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, PASSWORD, TestServer};
use crate::operation::Operation;

const ADA: &str = "ada@example.com";
const JSON: (&str, &str) = ("content-type", "application/json");
const DOCUMENT: &str = include_str!("../../assets/openapi.json");

async fn log_in_with(server: &TestServer, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    server.anon().send(Method::POST, "/auth/login/", headers, Some(body.to_vec())).await
}

/// Sends these bytes over a connection of their own and reads to its end.
async fn raw(server: &TestServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8(answer).expect("UTF-8")
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let server = TestServer::start().await;

    for path in [
        "/nothing/",
        "/auth/",
        "/auth/nothing/",
        "/auth/login//",
        "//auth/login/",
        "/AUTH/login/",
        "/auth/login/x",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS, Method::DELETE] {
            server.anon().send(method, path, &[], None).await.expect_problem(404, "not_found");
        }
    }
}

#[tokio::test]
async fn a_path_lists_its_methods_to_whoever_uses_another() {
    let server = TestServer::start().await;
    let operations = Operation::all(&server).await;

    for operation in &operations {
        let same_path = operations.iter().filter(|other| other.path == operation.path);
        let mut expected: BTreeSet<&str> = same_path.map(|other| other.method.as_str()).collect();
        if expected.contains("GET") {
            expected.insert("HEAD");
        }
        expected.insert("OPTIONS");
        let other =
            ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|name| !expected.contains(name));
        for name in other.into_iter().chain(["TRACE", "PROPFIND"]) {
            let method: Method = name.parse().expect("a method");
            let answer = server.anon().send(method, &operation.url(), &[], None).await;

            let answer = answer.expect_problem(405, "method_not_allowed");
            assert_eq!(allowed(&answer), expected, "{name} {}", operation.path);
        }
        let options = server.anon().send(Method::OPTIONS, &operation.url(), &[], None).await.expect(204);
        assert_eq!(allowed(&options), expected, "{}", operation.path);
        assert_eq!(options.text, "");
    }
}

fn allowed(answer: &Answer) -> BTreeSet<&str> {
    answer.header("allow").expect("Allow").split(", ").collect()
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    for operation in Operation::all(&server).await.iter().filter(|operation| operation.method == "GET") {
        for caller in [&ada, &server.anon()] {
            let get = caller.get(&operation.url()).await;
            let head = caller.send(Method::HEAD, &operation.url(), &[], None).await;

            assert_eq!(head.status, get.status, "{}", operation.path);
            assert_eq!(head.text, "", "{}", operation.path);
            for name in ["content-type", "cache-control", "content-security-policy", "www-authenticate"] {
                assert_eq!(head.header(name), get.header(name), "{}: {name}", operation.path);
            }
            let length = head.header("content-length");
            assert!(
                length.is_none() || length == get.header("content-length"),
                "{}: {length:?}",
                operation.path
            );
        }
    }
}

#[tokio::test]
async fn the_slash_at_the_end_is_optional() {
    let server = TestServer::start().await;

    for operation in Operation::all(&server).await {
        let url = operation.url();
        let other = url.strip_suffix('/').map_or_else(|| format!("{url}/"), str::to_owned);
        let with_query = format!("{other}?x=1");
        let one = server.anon().send(operation.method.clone(), &url, &[], None).await;

        for path in [&other, &with_query] {
            let answer = server.anon().send(operation.method.clone(), path, &[], None).await;

            assert_ne!(answer.status, StatusCode::NOT_FOUND, "{} {path}", operation.method);
            assert_eq!(answer.anonymous(), one.anonymous(), "{} {path}", operation.method);
        }
    }
}

#[tokio::test]
async fn only_json_in_utf8_and_not_compressed_is_taken() {
    let server = TestServer::start().await;
    let body = json!({ "identifier": ADA, "password": PASSWORD }).to_string();

    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "application/json; charset=latin1")],
        &[("content-type", "application/json; charset=utf-16")],
        &[("content-type", "application/problem+json")],
        &[("content-type", "")],
        &[JSON, ("content-encoding", "gzip")],
        &[JSON, ("content-encoding", "identity")],
    ] {
        let refused = log_in_with(&server, headers, body.as_bytes()).await;

        let refused = refused.expect_problem(415, "unsupported_media_type");
        assert!(refused.body.get("errors").is_none(), "{headers:?}");
    }
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "APPLICATION/JSON; v=1",
    ] {
        let taken = log_in_with(&server, &[("content-type", content_type)], body.as_bytes()).await;

        taken.expect_problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn every_operation_with_a_body_refuses_another_media_type() {
    let (server, root) = TestServer::with_superuser().await;

    for operation in Operation::all(&server).await.iter().filter(|operation| operation.body.is_some()) {
        let headers = [("content-type", "text/xml")];
        let body = Some(b"<login/>".to_vec());
        let refused = root.send(operation.method.clone(), &operation.url(), &headers, body).await;

        refused.expect_problem(415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn a_body_that_is_not_one_json_object_is_refused() {
    let server = TestServer::start().await;
    let deep = format!("{{\"identifier\": {}{}}}", "[".repeat(4000), "]".repeat(4000));
    let deep_objects = format!("{}1{}", "{\"a\":".repeat(1500), "}".repeat(1500));
    let whole = format!(r#"{{"identifier": "{ADA}", "password": "{PASSWORD}"}}"#);

    for body in [
        b"[]".to_vec(),
        b"\"ada\"".to_vec(),
        b"7".to_vec(),
        b"null".to_vec(),
        b"true".to_vec(),
        b"{".to_vec(),
        b"{\"identifier\": \"ada\"".to_vec(),
        b"{'identifier': 'ada'}".to_vec(),
        b"{\"identifier\": NaN}".to_vec(),
        b"{\"identifier\": \"ada\",}".to_vec(),
        b"{\"identifier\": \"a\nb\"}".to_vec(),
        b"{\"identifier\": \"\\ud800\"}".to_vec(),
        b"{\"identifier\": \"\xff\xfe\"}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"identifier=ada".to_vec(),
        b" ".to_vec(),
        deep.into_bytes(),
        deep_objects.into_bytes(),
        format!("{whole} x").into_bytes(),
        format!("{whole}{whole}").into_bytes(),
        format!("[{whole}]").into_bytes(),
    ] {
        log_in_with(&server, &[JSON], &body).await.expect_invalid(&[]);
    }
}

#[tokio::test]
async fn no_body_at_all_is_a_body_without_members() {
    let server = TestServer::start().await;

    for headers in [&[][..], &[JSON]] {
        let answer = server.anon().send(Method::POST, "/auth/token/verify/", headers, None).await;

        answer.expect_invalid(&[("token", "required")]);
    }
}

#[tokio::test]
async fn a_member_given_twice_is_refused_even_with_the_same_value() {
    let server = TestServer::start().await;
    let body = |more: &str| format!(r#"{{"identifier": "{ADA}", "password": "{PASSWORD}", {more}}}"#);

    let password =
        log_in_with(&server, &[JSON], body(&format!(r#""password": "{PASSWORD}""#)).as_bytes()).await;
    let escaped = log_in_with(&server, &[JSON], body(r#""p\u0061ssword": "x""#).as_bytes()).await;
    let unknown = log_in_with(&server, &[JSON], body(r#""x": 1, "x": 2"#).as_bytes()).await;

    password.expect_invalid(&[("password", "type")]);
    escaped.expect_invalid(&[("password", "type")]);
    unknown.expect_invalid(&[("x", "type"), ("x", "unknown_field")]);
}

#[tokio::test]
async fn sixteen_kibibytes_are_read_and_not_one_byte_more() {
    let server = TestServer::start().await;
    let body = |size: usize| {
        let empty = r#"{"token": ""}"#;
        format!(r#"{{"token": "{}"}}"#, "x".repeat(size - empty.len())).into_bytes()
    };
    let send =
        |body| async { server.anon().send(Method::POST, "/auth/token/verify/", &[JSON], Some(body)).await };

    send(body(16 * 1024)).await.expect_problem(401, "invalid_token");
    let refused = send(body(16 * 1024 + 1)).await.expect_problem(413, "body_too_large");
    assert_eq!(refused.header("connection"), Some("close"));
    let padded = [vec![b' '; 20_000], b"{}".to_vec()].concat();
    send(padded).await.expect_problem(413, "body_too_large");
    send(body(100)).await.expect_problem(401, "invalid_token");
}

#[tokio::test]
async fn a_long_body_without_a_length_is_refused_too() {
    let server = TestServer::start().await;
    let chunk = format!("400\r\n{}\r\n", " ".repeat(1024)).repeat(20);

    let answer = raw(
        &server,
        &format!(
            "POST /auth/login/ HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\nconnection: close\r\n\r\n{chunk}0\r\n\r\n"
        ),
    )
    .await;

    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains(r#""code":"body_too_large""#), "{answer}");
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let anon = server.anon();
    let mut answers = Vec::new();
    for operation in Operation::all(&server).await {
        let what = format!("{} {}", operation.method, operation.path);
        let url = operation.url();
        answers.push((what.clone(), operation.send(&anon, &[]).await));
        answers.push((
            format!("{what} by nobody in particular"),
            anon.send(operation.method.clone(), &url, &[], None).await,
        ));
        answers.push((format!("{what} by ada"), operation.send(&ada, &[]).await));
        answers.push((format!("TRACE {url}"), anon.send(Method::TRACE, &url, &[], None).await));
        answers.push((format!("OPTIONS {url}"), anon.send(Method::OPTIONS, &url, &[], None).await));
        answers.push((format!("HEAD {url}"), anon.send(Method::HEAD, &url, &[], None).await));
        answers.push((
            format!("{what} of another host"),
            operation.send(&anon, &[("host", "evil.example")]).await,
        ));
    }
    answers.push(("404".to_owned(), anon.get("/nothing/").await));
    let large = Some(vec![b' '; 20_000]);
    answers.push(("413".to_owned(), anon.send(Method::POST, "/auth/login/", &[JSON], large).await));

    for (what, answer) in &answers {
        for (name, expected) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(expected), "{what}: {name}");
        }
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{what}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
        assert!(answer.header("permissions-policy").is_some(), "{what}");
        assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()), "{what}");
        for name in [
            "server",
            "x-powered-by",
            "access-control-allow-origin",
            "set-cookie",
            "strict-transport-security",
        ] {
            assert_eq!(answer.header(name), None, "{what}: {name}");
        }
        if !answer.text.is_empty() {
            assert!(answer.header("content-type").is_some(), "{what}");
        }
    }
    let statuses: BTreeSet<u16> = answers.iter().map(|(_, answer)| answer.status.as_u16()).collect();
    assert!(statuses.is_superset(&[200, 202, 204, 400, 401, 404, 405, 413].into()), "{statuses:?}");
}

#[tokio::test]
async fn only_what_is_everybodys_may_be_cached() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;
    let public = ["/.well-known/jwks.json", "/openapi.json", "/account/theme.css", "/account/logo"];

    for operation in Operation::all(&server).await {
        let answer = operation.send(&ada, &[]).await;
        let refused = server.anon().send(Method::TRACE, &operation.url(), &[], None).await;

        let expected = match operation.path.as_str() {
            path if public.contains(&path) => "public, max-age=300",
            path if path.starts_with("/assets/") => "no-cache",
            _ => "no-store",
        };
        assert_eq!(answer.header("cache-control"), Some(expected), "{}", operation.path);
        assert_eq!(refused.header("cache-control"), Some("no-store"), "{}", operation.path);
    }
}

#[tokio::test]
async fn behind_https_browsers_are_told_to_stay_there() {
    let server = TestServer::start_with("server.public_url = \"https://id.example.com\"").await;

    for path in ["/healthz", "/auth/profile/", "/nothing/"] {
        let answer = server.anon().get(path).await;

        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
    }
}

#[tokio::test]
async fn no_two_requests_have_the_same_id() {
    let server = TestServer::start().await;
    let mut ids = BTreeSet::new();

    for _ in 0..20 {
        let headers = [("x-request-id", "mine")];
        let answer = server.anon().send(Method::GET, "/auth/profile/", &headers, None).await;
        let answer = answer.expect_problem(401, "not_authenticated");

        assert!(ids.insert(answer.header("x-request-id").expect("an id").to_owned()), "{ids:?}");
    }
    assert!(!ids.contains("mine"));
}

#[tokio::test]
async fn only_our_own_hosts_are_served() {
    let settings =
        "server.public_url = \"https://id.example.com\"\nserver.allowed_hosts = [\"auth.example.org\"]";
    let server = TestServer::start_with(settings).await;

    for host in [
        "id.example.com",
        "ID.example.com:8443",
        "auth.example.org",
        "localhost",
        "localhost:1",
        "127.0.0.1",
        "[::1]:80",
    ] {
        server.anon().send(Method::GET, "/healthz", &[("host", host)], None).await.expect(200);
    }
    for host in [
        "evil.example",
        "id.example.com.evil.example",
        "xid.example.com",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "",
    ] {
        for path in ["/healthz", "/auth/profile/", "/nothing/"] {
            let refused = server.anon().send(Method::GET, path, &[("host", host)], None).await;

            refused.expect_problem(400, "bad_host");
        }
    }
}

#[tokio::test]
async fn a_second_host_does_not_slip_in_behind_the_first() {
    let server = TestServer::start().await;

    for hosts in ["host: localhost\r\nhost: evil.example", "host: evil.example\r\nhost: localhost"] {
        let request = format!("GET /healthz HTTP/1.1\r\n{hosts}\r\nconnection: close\r\n\r\n");
        let answer = raw(&server, &request).await;

        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[tokio::test]
async fn another_host_is_not_served_by_the_first_line_of_a_request_either() {
    let server = TestServer::start().await;

    let request = "GET http://evil.example/healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = raw(&server, request).await;

    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn another_host_is_not_served_over_http_2_either() {
    let server = TestServer::start().await;
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    tokio::spawn(connection);

    for (host, expected) in [("localhost", 200), ("evil.example", 400)] {
        let uri = format!("http://{host}/healthz");
        let request = Request::get(uri).body(Empty::<Bytes>::new()).expect("a request");
        let response = sender.send_request(request).await.expect("an answer");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();

        assert_eq!(status, expected, "{host}: {body:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_well_says_so_and_nothing_else() {
    let server = TestServer::start().await;

    for path in ["/healthz", "/readyz"] {
        let answer = server.anon().get(path).await.expect(200);

        assert_eq!(answer.text, "ok\n");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}

#[tokio::test]
async fn the_served_document_is_the_committed_one() {
    let server = TestServer::start().await;

    let served = server.anon().get("/openapi.json").await.expect(200);

    assert_eq!(served.header("content-type"), Some("application/json"));
    assert!(served.text == DOCUMENT, "{}", served.text);
}

#[tokio::test]
async fn the_document_goes_out_compressed_and_once() {
    let server = TestServer::start().await;
    let send =
        async |method, name, value| server.anon().send(method, "/openapi.json", &[(name, value)], None).await;

    let packed = send(Method::HEAD, "accept-encoding", "gzip").await.expect(200);
    let tag = packed.header("etag").expect("a tag");

    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("accept-encoding"));
    assert!(send(Method::GET, "if-none-match", tag).await.expect(304).text.is_empty());
    assert!(send(Method::GET, "if-none-match", "W/\"0\"").await.expect(200).text == DOCUMENT);
}

/// Every code that a client can meet without breaking the machine: `unavailable` takes a failed disk and `internal` a
/// bug.
#[tokio::test]
async fn each_error_has_its_status_and_code() {
    let server = TestServer::start().await;
    let closed = TestServer::start_with("registration.mode = \"closed\"").await;
    let at_once = TestServer::start_with("registration.verification = \"none\"").await;
    let busy = TestServer::start_with("passwords.max_wait = \"0s\"").await;
    let account = json!({ "email": ADA, "password": PASSWORD });
    let credentials = json!({ "identifier": ADA, "password": PASSWORD });
    at_once.anon().post("/auth/register/", &account).await.expect(201);
    let anon = server.anon();
    let large = Some(vec![b' '; 17 << 10]);

    let answers = [
        anon.post("/auth/login/", &json!({})).await,
        anon.post("/auth/register/verify/", &json!({ "code": "12345678" })).await,
        anon.send(Method::GET, "/healthz", &[("host", "evil.example")], None).await,
        anon.get("/auth/profile/").await,
        server.holder("garbage").get("/auth/profile/").await,
        anon.post("/auth/login/", &credentials).await,
        closed.anon().post("/auth/register/", &account).await,
        anon.get("/nothing/").await,
        anon.get("/auth/login/").await,
        at_once.anon().post("/auth/register/", &account).await,
        anon.send(Method::POST, "/auth/login/", &[JSON], large).await,
        anon.send(Method::POST, "/auth/login/", &[], Some(b"{}".to_vec())).await,
        busy.anon().post("/auth/login/", &credentials).await,
    ];

    let expected = [
        (400, "invalid"),
        (400, "invalid_code"),
        (400, "bad_host"),
        (401, "not_authenticated"),
        (401, "invalid_token"),
        (401, "invalid_credentials"),
        (403, "registration_closed"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (409, "conflict"),
        (413, "body_too_large"),
        (415, "unsupported_media_type"),
        (503, "overloaded"),
    ];
    for (answer, (status, code)) in answers.into_iter().zip(expected) {
        let answer = answer.expect_problem(status, code);
        let mut members: Vec<&str> =
            answer.body.as_object().expect("an object").keys().map(String::as_str).collect();
        members.retain(|member| *member != "errors");
        members.sort_unstable();
        assert_eq!(members, ["code", "detail", "request_id", "status", "title", "type"], "{code}");
        assert_eq!(answer.body["type"], "about:blank", "{code}");
        assert_eq!(answer.body["title"], answer.status.canonical_reason().expect("a reason"), "{code}");
        assert_eq!(answer.body.get("errors").is_some(), ["invalid", "conflict"].contains(&code), "{code}");
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401, "{code}");
        assert_eq!(answer.header("retry-after").is_some(), status == 503, "{code}");
        assert_eq!(answer.header("allow").is_some(), status == 405, "{code}");
    }
}

#[tokio::test]
async fn field_errors_have_a_code_and_a_sentence() {
    let server = TestServer::start().await;

    let refused = server.anon().post("/auth/register/", &json!({ "email": 1, "x": 2 })).await.expect(400);

    for (field, broken) in refused.body["errors"].as_object().expect("errors") {
        for one in broken.as_array().expect("a list") {
            let members: Vec<&String> = one.as_object().expect("an object").keys().collect();
            assert_eq!(members, ["code", "message"], "{field}");
            assert!(one["message"].as_str().is_some_and(|text| text.ends_with('.')), "{field}: {one}");
        }
    }
    assert_eq!(refused.body["errors"].as_object().map(serde_json::Map::len), Some(3));
    assert_ne!(refused.body["detail"], Value::Null);
}

/// CONNECT names no path at all.
#[tokio::test]
async fn a_request_without_a_path_is_answered_too() {
    let server = TestServer::start().await;

    for line in ["CONNECT localhost:80 HTTP/1.1", "OPTIONS * HTTP/1.1"] {
        let mut stream = TcpStream::connect(server.address).await.expect("a connection");
        let request = format!("{line}\r\nHost: localhost:80\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");

        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 404", "{line}");
    }
}
