//! dj-rest-auth: the exchanges of a front end that was written for it.

use hyper::Method;
use serde_json::{Value, json};

use super::{no_credentials, post, send};
use crate::harness::{Answer, PASSWORD, TestServer, days, minutes, part_of};

const JWT: &str = "compat.profiles = [\"dj-rest-auth\"]";
const OPEN: &str = "compat.profiles = [\"dj-rest-auth\"]\nregistration.verification = \"none\"";
const KEY: &str = "compat.profiles = [\"dj-rest-auth\"]\nregistration.verification = \"none\"\n\
                   compat.dj-rest-auth.tokens = \"key\"";
const ADA: &str = "ada@example.com";
const NEW: &str = "another horse battery";

const LOGIN: &str = "/api/authentication/login/";
const LOGOUT: &str = "/api/authentication/logout/";
const USER: &str = "/api/authentication/user/";
const CHANGE: &str = "/api/authentication/password/change/";
const REFRESH: &str = "/api/authentication/token/refresh/";
const VERIFY: &str = "/api/authentication/token/verify/";
const REGISTER: &str = "/api/registration/";

/// Ada, with a username.
async fn with_ada(settings: &str) -> TestServer {
    let server = TestServer::start_with(settings).await;
    let body = json!({ "username": "ada", "email": ADA, "password1": PASSWORD, "password2": PASSWORD });
    post(&server, REGISTER, &body).await.expect(201);
    server
}

async fn log_in(server: &TestServer) -> Answer {
    post(server, LOGIN, &json!({ "username": "ada", "password": PASSWORD })).await.expect(200)
}

async fn get(server: &TestServer, path: &str, authorization: &str) -> Answer {
    send(server, Method::GET, path, Some(authorization), &Value::Null).await
}

fn bearer(answer: &Answer) -> String {
    format!("Bearer {}", answer.body["access"].as_str().expect("an access token"))
}

fn user() -> Value {
    json!({ "pk": 1, "username": "ada", "email": ADA, "first_name": "", "last_name": "" })
}

fn token_not_valid(message: &str) -> Value {
    json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [{ "token_class": "AccessToken", "token_type": "access", "message": message }],
    })
}

#[tokio::test]
async fn logging_in_gives_a_pair_a_user_and_two_cookies() {
    let server = with_ada(OPEN).await;
    let answer = log_in(&server).await;

    let mut members: Vec<&String> = answer.body.as_object().expect("an object").keys().collect();
    members.sort();
    assert_eq!(members, ["access", "refresh", "user"]);
    assert_eq!(answer.body["user"], user());
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().expect("ASCII")).collect();
    let cookie = |name: &str| cookies.iter().find(|line| line.starts_with(&format!("{name}="))).expect(name);
    for (name, token) in [("jwt-auth-token", "access"), ("jwt-refresh-token", "refresh")] {
        let token = answer.body[token].as_str().expect("a token");
        let line = cookie(name);
        assert!(line.starts_with(&format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax")), "{line}");
    }
    assert_eq!(get(&server, USER, &bearer(&answer)).await.expect(200).body, user());
    let by_cookie = format!("jwt-auth-token={}", answer.body["access"].as_str().expect("a token"));
    let headers = [("cookie", by_cookie.as_str())];
    let seen = server.anon().send(Method::GET, USER, &headers, None).await;
    assert_eq!(seen.expect(200).body, user());
}

#[tokio::test]
async fn the_names_of_2_1_are_spoken_too() {
    let server = with_ada(&format!("{OPEN}\ncompat.dj-rest-auth.names = \"2.1\"")).await;
    let answer = log_in(&server).await;
    assert_eq!(answer.body["user"], user());
    let refresh = answer.body["refresh_token"].as_str().expect("a refresh token");
    let access = answer.body["access_token"].as_str().expect("an access token");
    get(&server, USER, &format!("Bearer {access}")).await.expect(200);

    let refreshed = post(&server, REFRESH, &json!({ "refresh": refresh })).await.expect(200).body;
    assert!(refreshed["access_token_expiration"].is_string(), "{refreshed}");
    assert!(refreshed["access"].is_string() && refreshed.get("refresh").is_none(), "{refreshed}");
}

#[tokio::test]
async fn a_log_in_that_fails_says_so_under_non_field_errors() {
    let server = with_ada(OPEN).await;
    let wrong = json!({ "non_field_errors": ["Unable to log in with provided credentials."] });
    for body in [
        json!({ "username": "ada", "password": "wrong" }),
        json!({ "username": "nobody", "password": PASSWORD }),
        json!({ "email": ADA, "password": "wrong" }),
        json!({ "email": ADA, "password": 123 }),
    ] {
        assert_eq!(post(&server, LOGIN, &body).await.expect(400).body, wrong, "{body}");
    }
    for (body, expected) in [
        (json!({ "username": "ada" }), json!({ "password": ["This field is required."] })),
        (
            json!({ "username": "ada", "password": "" }),
            json!({ "password": ["This field may not be blank."] }),
        ),
        (
            json!({ "password": PASSWORD }),
            json!({ "non_field_errors": ["Must include either \"username\" or \"email\" and \"password\"."] }),
        ),
        (
            json!({ "email": "ada", "password": PASSWORD }),
            json!({ "email": ["Enter a valid email address."] }),
        ),
        (json!({ "username": true, "password": "a" }), json!({ "username": ["Not a valid string."] })),
    ] {
        assert_eq!(post(&server, LOGIN, &body).await.expect(400).body, expected, "{body}");
    }
}

#[tokio::test]
async fn a_key_opens_what_a_token_opens_until_the_log_out() {
    let server = with_ada(KEY).await;
    let answer = log_in(&server).await;
    let key = answer.body["key"].as_str().expect("a key").to_owned();
    assert_eq!(answer.body, json!({ "key": key }));
    assert!(key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    assert!(!server.store_bytes().windows(40).any(|bytes| bytes == key.as_bytes()), "the key is in the file");
    let other = log_in(&server).await.body["key"].as_str().expect("a key").to_owned();
    assert_ne!(key, other, "each log-in has its own");

    let credential = format!("Token {key}");
    assert_eq!(get(&server, USER, &credential).await.expect(200).body, user());
    get(&server, "/auth/profile/", &credential).await.expect(200);
    let out = send(&server, Method::POST, LOGOUT, Some(&credential), &Value::Null).await.expect(200);
    assert_eq!(out.body, json!({ "detail": "Successfully logged out." }));

    let dead = get(&server, USER, &credential).await.expect(401);
    assert_eq!(dead.body, json!({ "detail": "Invalid token." }));
    get(&server, USER, &format!("Token {other}")).await.expect(200);
    let server = server.restart().await;
    get(&server, USER, &format!("Token {other}")).await.expect(200);
    server.advance(days(91));
    get(&server, USER, &format!("Token {other}")).await.expect(401);
}

#[tokio::test]
async fn a_new_password_ends_the_other_keys() {
    let server = with_ada(KEY).await;
    let key = |answer: Answer| format!("Token {}", answer.body["key"].as_str().expect("a key"));
    let (own, other) = (key(log_in(&server).await), key(log_in(&server).await));
    let body = json!({ "old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW });

    let changed = send(&server, Method::POST, CHANGE, Some(&own), &body).await.expect(200);

    assert_eq!(changed.body, json!({ "detail": "New password has been saved." }));
    get(&server, USER, &own).await.expect(200);
    get(&server, USER, &other).await.expect(401);
}

#[tokio::test]
async fn who_shows_nothing_or_nonsense_is_told_as_it_was() {
    let server = with_ada(OPEN).await;
    let nobody = server.anon().get(USER).await.expect(401);
    assert_eq!(nobody.body, no_credentials());
    assert_eq!(nobody.headers["www-authenticate"], "Bearer realm=\"api\"");
    let bad = get(&server, USER, "Bearer nonsense").await.expect(401);
    assert_eq!(bad.body, token_not_valid("Token is invalid"));
    let access = bearer(&log_in(&server).await);
    server.advance(minutes(16));
    assert_eq!(get(&server, USER, &access).await.expect(401).body, token_not_valid("Token is expired"));

    let server = with_ada(&format!("{OPEN}\ncompat.dj-rest-auth.unauthenticated = 403")).await;
    let nobody = server.anon().get(USER).await.expect(403);
    assert_eq!(nobody.body, no_credentials());
    assert!(!nobody.headers.contains_key("www-authenticate"));
    get(&server, USER, "Bearer nonsense").await.expect(403);
}

#[tokio::test]
async fn logging_out_ends_the_session_whatever_was_shown() {
    let server = with_ada(OPEN).await;
    let done = json!({ "detail": "Successfully logged out." });
    for by in ["header", "body", "cookies"] {
        let answer = log_in(&server).await;
        let (access, refresh) = (bearer(&answer), answer.body["refresh"].as_str().expect("a token"));
        let cookies = format!("jwt-refresh-token={refresh}");
        let out = match by {
            "header" => send(&server, Method::POST, LOGOUT, Some(&access), &Value::Null).await,
            "body" => post(&server, LOGOUT, &json!({ "refresh": refresh })).await,
            _ => {
                let headers = [("cookie", cookies.as_str()), ("sec-fetch-site", "same-origin")];
                server.anon().send(Method::POST, LOGOUT, &headers, None).await
            }
        };
        let out = out.expect(200);
        assert_eq!(out.body, done, "{by}");
        let gone = out.headers.get_all("set-cookie").iter().filter(|line| {
            let line = line.to_str().expect("ASCII");
            line.contains("=; ") && line.contains("Max-Age=0")
        });
        assert_eq!(gone.count(), 2, "{by}");
        get(&server, USER, &access).await.expect(401);
        post(&server, REFRESH, &json!({ "refresh": refresh })).await.expect(401);
    }
    assert_eq!(post(&server, LOGOUT, &Value::Null).await.expect(200).body, done);
    let nonsense = send(&server, Method::POST, LOGOUT, Some("Bearer nonsense"), &Value::Null).await;
    assert_eq!(nonsense.expect(200).body, done);
    assert_eq!(
        server.anon().get(LOGOUT).await.expect(405).body,
        json!({ "detail": "Method \"GET\" not allowed." })
    );
}

#[tokio::test]
async fn another_sites_page_cannot_use_the_cookies() {
    let server = with_ada(OPEN).await;
    let answer = log_in(&server).await;
    let tokens = ["access", "refresh"].map(|name| answer.body[name].as_str().expect("a token"));
    let cookies = format!("jwt-auth-token={}; jwt-refresh-token={}", tokens[0], tokens[1]);
    let cross = [
        ("cookie", cookies.as_str()),
        ("sec-fetch-site", "cross-site"),
        ("content-type", "application/json"),
    ];
    let body = || Some(b"{}".to_vec());
    server.anon().send(Method::PATCH, USER, &cross, body()).await.expect(403);
    server.anon().send(Method::POST, REFRESH, &cross, body()).await.expect(403);
    server.anon().send(Method::POST, LOGOUT, &cross, body()).await.expect(403);
    let form = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let log_in = Some(b"username=ada&password=correct+horse+battery".to_vec());
    let refused = server.anon().send(Method::POST, LOGIN, &form, log_in.clone()).await.expect(403);
    assert!(!refused.headers.contains_key("set-cookie"));
    let old = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.example")];
    server.anon().send(Method::POST, LOGIN, &old, log_in).await.expect(403);
    get(&server, USER, &bearer(&answer)).await.expect(200);
}

#[tokio::test]
async fn the_user_is_seen_and_changed() {
    let server = with_ada(OPEN).await;
    let access = bearer(&log_in(&server).await);
    let change = |method, body: Value| {
        let (server, access) = (&server, access.as_str());
        async move { send(server, method, USER, Some(access), &body).await }
    };
    let changed =
        json!({ "username": "countess", "first_name": " Ada ", "last_name": "", "email": "x", "pk": 9 });
    let expected =
        json!({ "pk": 1, "username": "countess", "email": ADA, "first_name": "Ada", "last_name": "" });
    assert_eq!(change(Method::PUT, changed.clone()).await.expect(200).body, expected);
    assert_eq!(
        change(Method::PUT, changed).await.expect(200).body,
        expected,
        "one's own name is no conflict"
    );
    let required = json!({ "username": ["This field is required."] });
    assert_eq!(change(Method::PUT, json!({ "first_name": "A" })).await.expect(400).body, required);
    change(Method::PATCH, json!({ "first_name": "A" })).await.expect(200);
    let invalid = change(Method::PATCH, json!({ "username": "a b", "last_name": "x".repeat(151) })).await;
    let invalid = invalid.expect(400).body;
    assert_eq!(invalid["last_name"], json!(["Ensure this field has no more than 150 characters."]));
    assert!(
        invalid["username"][0].as_str().expect("a text").starts_with("Enter a valid username."),
        "{invalid}"
    );
    let body = json!({ "username": "bob", "password1": PASSWORD, "password2": PASSWORD });
    post(&server, REGISTER, &body).await.expect(201);
    assert_eq!(
        change(Method::PATCH, json!({ "username": "BOB" })).await.expect(400).body,
        json!({ "username": ["A user with that username already exists."] })
    );
}

#[tokio::test]
async fn changing_the_password_asks_for_the_old_one() {
    let server = with_ada(OPEN).await;
    let access = bearer(&log_in(&server).await);
    let change = |body: Value| {
        let (server, access) = (&server, access.as_str());
        async move { send(server, Method::POST, CHANGE, Some(access), &body).await }
    };
    for (old, first, second, expected) in [
        (
            "wrong",
            NEW,
            NEW,
            json!({ "old_password":
                ["Your old password was entered incorrectly. Please enter it again."] }),
        ),
        (PASSWORD, NEW, "x", json!({ "new_password2": ["The two password fields didn’t match."] })),
    ] {
        let body = json!({ "old_password": old, "new_password1": first, "new_password2": second });
        assert_eq!(change(body).await.expect(400).body, expected);
    }
    let weak = json!({ "old_password": PASSWORD, "new_password1": "1234", "new_password2": "1234" });
    let weak = change(weak).await.expect(400).body;
    assert_eq!(weak["new_password2"].as_array().expect("texts").len(), 3, "{weak}");
    let missing = change(json!({ "new_password1": NEW, "new_password2": NEW })).await.expect(400).body;
    assert_eq!(missing, json!({ "old_password": ["This field is required."] }));
    change(json!({ "old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW })).await.expect(200);
    post(&server, LOGIN, &json!({ "username": "ada", "password": NEW })).await.expect(200);
}

#[tokio::test]
async fn a_lost_password_is_reset_with_the_number_in_base_64_or_base_36() {
    let server = with_ada(OPEN).await;
    let sent = json!({ "detail": "Password reset e-mail has been sent." });
    for email in [ADA, "nobody@example.com"] {
        let answer = post(&server, "/api/authentication/password/reset/", &json!({ "email": email })).await;
        assert_eq!(answer.expect(200).body, sent);
    }
    let invalid = post(&server, "/api/authentication/password/reset/", &json!({ "email": "ada" })).await;
    assert_eq!(invalid.expect(400).body, json!({ "email": ["Enter a valid email address."] }));

    for uid in ["MQ", "1"] {
        post(&server, "/api/authentication/password/reset/", &json!({ "email": ADA })).await.expect(200);
        let link = server.mail_to(ADA).await.reset_link();
        let confirm = |uid: &str, token: &str, password: &str| {
            let body = json!({
                "uid": uid, "token": token, "new_password1": password, "new_password2": password,
            });
            let server = &server;
            async move { post(server, "/api/authentication/password/reset/confirm/", &body).await }
        };
        for (uid, token) in [("Mg", link.token.as_str()), (uid, "nonsense"), ("%", "x")] {
            let wrong = confirm(uid, token, NEW).await.expect(400);
            assert_eq!(wrong.body, json!({ "token": ["Invalid value"] }), "{uid} {token}");
        }
        assert!(confirm(uid, &link.token, "1234").await.expect(400).body["new_password2"].is_array());
        let done = confirm(uid, &link.token, NEW).await.expect(200);
        assert_eq!(done.body, json!({ "detail": "Password has been reset with the new password." }));
        confirm(uid, &link.token, NEW).await.expect(400);
    }
}

#[tokio::test]
async fn a_refresh_token_stays_the_same_until_its_session_ends() {
    let server = with_ada(OPEN).await;
    let answer = log_in(&server).await;
    let refresh = answer.body["refresh"].as_str().expect("a token");
    for _ in 0..3 {
        server.advance(days(9));
        let again = post(&server, REFRESH, &json!({ "refresh": refresh })).await.expect(200).body;
        assert!(again["access_expiration"].is_string() && again.get("refresh").is_none(), "{again}");
        let access = format!("Bearer {}", again["access"].as_str().expect("a token"));
        get(&server, USER, &access).await.expect(200);
    }
    server.advance(days(4));
    let over = post(&server, REFRESH, &json!({ "refresh": refresh })).await.expect(401);
    assert_eq!(over.body, json!({ "detail": "Token is expired", "code": "token_not_valid" }));
    for (body, text) in [
        (json!({}), "No valid refresh token found."),
        (json!({ "refresh": "" }), "No valid refresh token found."),
        (json!({ "refresh": "nonsense" }), "Token is invalid"),
    ] {
        let refused = post(&server, REFRESH, &body).await.expect(401);
        assert_eq!(refused.body, json!({ "detail": text, "code": "token_not_valid" }), "{body}");
    }
}

#[tokio::test]
async fn refresh_tokens_rotate_if_that_is_asked_for() {
    let server = with_ada(&format!("{OPEN}\ncompat.dj-rest-auth.rotate = true")).await;
    let first = log_in(&server).await.body["refresh"].as_str().expect("a token").to_owned();
    let second =
        post(&server, REFRESH, &json!({ "refresh": first })).await.expect(200).body["refresh"].clone();
    assert_ne!(second, first);
    server.advance(minutes(1));
    post(&server, REFRESH, &json!({ "refresh": first })).await.expect(401);
    post(&server, REFRESH, &json!({ "refresh": second })).await.expect(401);
}

#[tokio::test]
async fn a_token_is_verified() {
    let server = with_ada(OPEN).await;
    let answer = log_in(&server).await;
    for name in ["access", "refresh"] {
        let good = post(&server, VERIFY, &json!({ "token": answer.body[name] })).await.expect(200);
        assert_eq!(good.body, json!({}));
    }
    let bad = post(&server, VERIFY, &json!({ "token": "bad" })).await.expect(401);
    assert_eq!(bad.body, json!({ "detail": "Token is invalid", "code": "token_not_valid" }));
    assert_eq!(
        post(&server, VERIFY, &json!({})).await.expect(400).body,
        json!({ "token": ["This field is required."] })
    );
}

#[tokio::test]
async fn registering_waits_for_the_mailed_key_where_addresses_are_verified() {
    let server = TestServer::start_with(JWT).await;
    let body = json!({ "username": "ada", "email": ADA, "password1": PASSWORD, "password2": PASSWORD });
    let sent = json!({ "detail": "Verification e-mail sent." });
    assert_eq!(post(&server, REGISTER, &body).await.expect(201).body, sent);
    post(&server, LOGIN, &json!({ "username": "ada", "password": PASSWORD })).await.expect(400);

    let key = server.mail_to(ADA).await.long_code();
    let verify = |key: &str| {
        let (server, body) = (&server, json!({ "key": key }));
        async move { post(server, "/api/registration/verify-email/", &body).await }
    };
    assert_eq!(verify("nonsense").await.expect(404).body, json!({ "detail": "Not found." }));
    assert_eq!(verify(&key).await.expect(200).body, json!({ "detail": "ok" }));
    verify(&key).await.expect(404);
    log_in(&server).await;
    server.anon().get("/api/registration/verify-email/").await.expect(405);

    let other = json!({ "username": "eve", "email": ADA, "password1": PASSWORD, "password2": PASSWORD });
    assert_eq!(post(&server, REGISTER, &other).await.expect(201).body, sent, "nobody learns who is here");
    for email in [ADA, "nobody@example.com"] {
        let again = post(&server, "/api/registration/resend-email/", &json!({ "email": email })).await;
        assert_eq!(again.expect(200).body, json!({ "detail": "ok" }));
    }
}

#[tokio::test]
async fn registering_logs_in_where_addresses_are_not_verified() {
    let server = TestServer::start_with(OPEN).await;
    let body = json!({ "username": "ada", "email": ADA, "password1": PASSWORD, "password2": PASSWORD });
    let made = post(&server, REGISTER, &body).await.expect(201);
    assert_eq!(made.body["user"], user());
    get(&server, USER, &bearer(&made)).await.expect(200);
    assert!(!made.headers.contains_key("set-cookie"));
    for (body, expected) in [
        (
            json!({ "username": "ADA", "password1": PASSWORD, "password2": PASSWORD }),
            json!({ "username": ["A user with that username already exists."] }),
        ),
        (
            json!({ "username": "eve", "email": "ADA@example.com", "password1": PASSWORD, "password2": PASSWORD }),
            json!({ "email": ["A user is already registered with this e-mail address."] }),
        ),
        (
            json!({ "username": "eve", "password1": PASSWORD, "password2": NEW }),
            json!({ "non_field_errors": ["The two password fields didn't match."] }),
        ),
        (
            json!({ "email": "", "username": "" }),
            json!({
                "username": ["This field is required."],
                "password1": ["This field is required."],
                "password2": ["This field is required."],
            }),
        ),
    ] {
        assert_eq!(post(&server, REGISTER, &body).await.expect(400).body, expected, "{body}");
    }
    let nameless = json!({ "username": "eve", "password1": PASSWORD, "password2": PASSWORD });
    assert_eq!(post(&server, REGISTER, &nameless).await.expect(201).body["user"]["email"], "");
    let server = with_ada(KEY).await;
    let made = json!({ "username": "eve", "password1": PASSWORD, "password2": PASSWORD });
    assert!(post(&server, REGISTER, &made).await.expect(201).body["key"].is_string());
    let server = server.restart_with(&format!("{OPEN}\nregistration.mode = \"closed\"")).await;
    let closed = json!({ "username": "bob", "password1": PASSWORD, "password2": PASSWORD });
    assert_eq!(
        post(&server, REGISTER, &closed).await.expect(403).body,
        json!({ "detail": "Registration is closed here." })
    );
}

#[tokio::test]
async fn its_tokens_carry_what_simplejwt_reads() {
    for (type_, expected) in [("string", json!("1")), ("int", json!(1))] {
        let server = with_ada(&format!("{OPEN}\ntokens.user_id = \"{type_}\"")).await;
        let answer = log_in(&server).await;
        for (name, token_type) in [("access", "access"), ("refresh", "refresh")] {
            let claims = part_of(answer.body[name].as_str().expect("a token"), 1);
            assert_eq!((&claims["user_id"], &claims["token_type"]), (&expected, &json!(token_type)));
        }
        let native = server.logged_in(ADA).await;
        assert_eq!(part_of(native.access(), 1).get("user_id"), None);
        get(&server, "/auth/profile/", &bearer(&answer)).await.expect(200);
    }
}
