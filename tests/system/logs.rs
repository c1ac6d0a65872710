//! The log: no secret is in it, each entry is one line, and answers are found in it again.

use serde_json::{Value, json};

use crate::harness::{PASSWORD, Service, configured};

const ADA: &str = "ada@example.com";

/// All that a user does, and every secret of it.
fn journey(service: &Service) -> Vec<String> {
    service.register(ADA).expect(202);
    let mail = service.mail_to(ADA);
    let mut secrets = vec![PASSWORD.to_owned(), mail.code(), mail.long_code(), "hunter22".to_owned()];
    service.get(&format!("/auth/register/verify?code={}", mail.long_code())).expect(200);
    service.verify(ADA, "00000000").expect(400);
    let first = service.verify(ADA, &mail.code()).expect(200).tokens();
    service.verify(ADA, &mail.code()).expect(400);
    service.try_log_in(ADA, "hunter22").expect(401);
    let second = service.logged_in(ADA);
    let renewed =
        service.post("/auth/token/refresh/", &json!({ "refresh": second.refresh })).expect(200).tokens();
    for token in [&renewed.access, &renewed.refresh] {
        service.post("/auth/token/verify/", &json!({ "token": token }));
        service.get_as(token, "/auth/profile/");
    }
    service.get_as(&format!("{}x", renewed.access), "/auth/sessions/").expect(401);
    let key = service.api_key(&renewed.access, "Nightly backup");
    service.get_as(&key, "/auth/profile/").expect(200);
    service.get_as(&key[..40], "/auth/profile/").expect(401);
    let post = |access: &str, path: &str, body: &Value| {
        service.client().send("POST", path, Some(access), Some(body)).expect("an answer")
    };
    post(&key, "/auth/api-keys/", &json!({ "name": "no" })).expect(403);
    secrets.push(key);
    let body = json!({ "identifier": ADA, "password": PASSWORD, "cookies": true });
    let browser = service.post("/auth/login/", &body).expect(200);
    for name in ["access", "refresh", "device"] {
        let line = browser.cookie(&format!("keystead-{name}"));
        let request = format!(
            "POST /auth/token/refresh/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Cookie: keystead-refresh={line}; keystead-access={line}\r\nContent-Length: 0\r\n\r\n"
        );
        service.client().raw(request.as_bytes()).expect("an answer").expect(403);
        secrets.push(line);
    }
    service.register(ADA).expect(202);
    let garbage = format!("{{\"password\": \"{PASSWORD}\", \"password\": hunter22");
    let request = format!(
        "POST /auth/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{garbage}",
        garbage.len()
    );
    service.client().raw(request.as_bytes()).expect("an answer").expect(400);
    service
        .client()
        .send("POST", "/auth/logout/", Some(&renewed.access), None)
        .expect("an answer")
        .expect(204);
    service.post("/auth/token/refresh/", &json!({ "refresh": first.refresh })).expect(200);
    service.post("/auth/token/refresh/", &json!({ "refresh": second.refresh })).expect(401);
    for tokens in [first, second, renewed] {
        secrets.extend([tokens.access, tokens.refresh]);
    }
    secrets
}

#[test]
fn no_secret_is_in_the_log() {
    for format in ["text", "json"] {
        let folder = configured(&format!("log.level = \"trace\"\nlog.format = \"{format}\""));
        let service = Service::start(folder.path());

        let secrets = journey(&service);

        let log = service.terminate().stderr;
        assert!(log.contains("answered"), "{log}");
        for secret in &secrets {
            assert!(!log.contains(secret.as_str()), "{secret} is in the log");
            // Nor a part of a token, which another log could complete.
            let tail = &secret[secret.len() - secret.len().min(40)..];
            assert!(!log.contains(tail), "{tail} is in the log");
        }
        assert!(!log.contains(ADA), "an address is in the log");
    }
}

#[test]
fn json_is_one_object_a_line() {
    let folder = configured("log.level = \"debug\"\nlog.format = \"json\"");
    let service = Service::start(folder.path());
    journey(&service);
    plant(&service);

    let log = service.terminate().stderr;

    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
        assert!(entry["level"].is_string() && entry["message"].is_string(), "{line}");
    }
}

/// Sends line ends and commands to a terminal wherever text goes.
fn plant(service: &Service) {
    let planted = "x\r\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J\u{9b}2J\u{2028}";
    let login = json!({ "identifier": planted, "password": PASSWORD, "label": planted });
    service.post("/auth/login/", &login);
    service.post("/auth/register/", &json!({ "email": planted, "password": planted, "first_name": planted }));
    service.post("/auth/token/verify/", &json!({ "token": planted }));
    let client = service.client();
    for head in [
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\u{1b}[2J\u{9b}b",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\n2026-01-01T00:00:00Z ERROR forged",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\r\n 2026-01-01T00:00:00Z ERROR forged",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\r2026-01-01T00:00:00Z ERROR forged",
        "GET /healthz HTTP/1.1\r\nHost: a\u{1b}[2J",
        "GET /x%0a2026-01-01T00:00:00Z%20ERROR%20forged%1b[2J HTTP/1.1\r\nHost: localhost",
        "GET /x\u{1b}[2J\u{2028} HTTP/1.1\r\nHost: localhost",
        "GET /auth/register/verify?code=%0aERROR%1b[2J HTTP/1.1\r\nHost: localhost",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: forged",
        "\u{1b}[2J\nERROR forged",
        "DANCE / HTTP/1.1\r\nHost: localhost",
    ] {
        // Some of it is no HTTP at all and gets no answer.
        client.raw(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).ok();
    }
}

#[test]
fn what_somebody_sends_begins_no_line_and_speaks_to_no_terminal() {
    let folder = configured("log.level = \"trace\"");
    let service = Service::start(folder.path());

    plant(&service);

    service.get("/readyz").expect(200);
    let log = service.terminate().stderr;
    let is_level = |word: &str| ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&word);
    for line in log.lines() {
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
        let mut words = line.split_whitespace();
        assert!(words.next().is_some_and(|time| time.ends_with('Z')), "{line}");
        assert!(words.next().is_some_and(is_level), "{line}");
        assert!(words.next().is_some_and(|target| target.contains("::")), "{line}");
    }
}

#[test]
fn who_was_refused_is_in_the_log() {
    let folder = configured("registration.verification = \"none\"");
    let service = Service::start(folder.path());
    service.register(ADA).expect(201);
    let ada = service.logged_in(ADA);

    let refused = service.get_as(&ada.access, "/auth/admin/users/7/").expect(403);

    let id = refused.header("x-request-id").expect("an id").to_owned();
    let log = service.terminate().stderr;
    let line = log.lines().find(|line| line.contains(&id)).expect("a line");
    for part in ["INFO", "user.id=1", "path=\"/auth/admin/users/{id}/\"", "code=\"permission_denied\""] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

#[test]
fn an_answer_is_found_again_by_its_request_id() {
    let folder = configured("log.level = \"debug\"");
    let service = Service::start(folder.path());

    let refused = service.try_log_in(ADA, PASSWORD).expect(401);
    let found = service.get("/healthz").expect(200);

    let id = |answer: &crate::harness::Answer| answer.header("x-request-id").expect("an id").to_owned();
    assert_eq!(refused.body["request_id"], id(&refused));
    assert_ne!(id(&refused), id(&found));
    let log = service.terminate().stderr;
    for (answer, path) in [(&refused, "/auth/login/"), (&found, "/healthz")] {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(&id(answer))).collect();
        let status = format!("status={}", answer.status);
        assert!(lines.iter().any(|line| line.contains(path) && line.contains(&status)), "{lines:?}");
    }
}
