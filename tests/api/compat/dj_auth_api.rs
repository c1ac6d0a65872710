//! dj-auth-api: the exchanges of a front end that was written for it.

use hyper::Method;
use serde_json::{Value, json};

use super::{post, send};
use crate::harness::{Answer, Caller, PASSWORD, TestServer, minutes, part_of};

pub(super) const ON: &str = "compat.profiles = [\"dj-auth-api\"]";
const EXACT: &str = "compat.profiles = [\"dj-auth-api\"]\ncompat.dj-auth-api.exact_errors = true";
const ADA: &str = "ada@example.com";
const NEW: &str = "another horse battery";

const REGISTER: &str = "/api/auth/register/";
const RESEND: &str = "/api/auth/register/resend_email_verify/";
pub(super) const LOGIN: &str = "/api/auth/login/";
const LOGOUT: &str = "/api/auth/logout/";
const REFRESH: &str = "/api/auth/token/refresh/";
const REQUEST: &str = "/api/auth/password/request_change/";
const RESET: &str = "/api/auth/password/reset/";
const VIEW: &str = "/api/auth/profile/view/";
const UPDATE: &str = "/api/auth/profile/update/";
const DELETE: &str = "/api/auth/profile/delete/";

fn account(email: &str) -> Value {
    json!({
        "email": email, "first_name": "Ada", "last_name": "Lovelace",
        "password": PASSWORD, "password2": PASSWORD,
    })
}

async fn put(caller: &Caller, path: &str, body: &Value) -> Answer {
    caller.put(path, body).await
}

/// An account whose address is confirmed.
async fn joined(server: &TestServer, email: &str) {
    let registered = post(server, REGISTER, &account(email)).await.expect(201);
    assert_eq!(registered.body, said("Registration successful"));
    let code = server.mail_to(email).await.long_code();
    let verified = server.anon().get(&format!("/api/auth/register/verify?code={code}")).await.expect(200);
    assert_eq!(verified.body, said("Email Verification Successful"));
}

/// Ada, logged in, and her refresh token.
async fn with_ada(settings: &str) -> (TestServer, Caller, String) {
    let server = TestServer::start_with(settings).await;
    joined(&server, ADA).await;
    let (ada, refresh) = log_in(&server, ADA).await;
    (server, ada, refresh)
}

async fn log_in(server: &TestServer, email: &str) -> (Caller, String) {
    let answer = post(server, LOGIN, &json!({ "email": email, "password": PASSWORD })).await.expect(200);
    let token = |name: &str| answer.body["data"][name].as_str().expect("a token").to_owned();
    let (access, refresh) = (token("access_token"), token("refresh_token"));
    let data = json!({ "access_token": access, "refresh_token": refresh });
    assert_eq!(answer.body, json!({ "message": "Ok", "data": data }));
    (server.holder(&access), refresh)
}

pub(super) fn said(message: &str) -> Value {
    json!({ "message": message, "data": {} })
}

/// What is said of members, or in place of a detail.
pub(super) fn wrong(data: &Value) -> Value {
    json!({ "message": "Error", "data": data })
}

pub(super) fn detail(text: &str) -> Value {
    json!({ "message": text, "data": { "detail": text } })
}

pub(super) fn forbidden() -> Value {
    detail("You do not have permission to perform this action.")
}

fn bad_credentials() -> Value {
    wrong(&json!({ "message": "Invalid credentials" }))
}

#[tokio::test]
async fn an_account_begins_with_a_code() {
    let server = TestServer::start_with(ON).await;
    post(&server, REGISTER, &account(ADA)).await.expect(201);
    let credentials = json!({ "email": ADA, "password": PASSWORD });
    assert_eq!(post(&server, LOGIN, &credentials).await.expect(401).body, bad_credentials());
    let verify = |query: String| {
        let caller = server.anon();
        async move { caller.get(&format!("/api/auth/register/verify{query}")).await }
    };
    let code = server.mail_to(ADA).await.code();

    let invalid = wrong(&json!({ "message": ["Invalid verification code - Error 2"] }));
    for query in [
        "?code=nonsense".to_owned(),
        format!("?code={code}"),
        format!("?code={code}&email=bob@example.com"),
        format!("?code={}", "a".repeat(43)),
        "?code=%00".to_owned(),
    ] {
        assert_eq!(verify(query.clone()).await.expect(400).body, invalid, "{query}");
    }
    let null = wrong(&json!({ "code": ["This field may not be null."] }));
    assert_eq!(verify(String::new()).await.expect(400).body, null);
    let blank = wrong(&json!({ "code": ["This field may not be blank."] }));
    assert_eq!(verify("?code=".to_owned()).await.expect(400).body, blank);
    let right = format!("?code={code}&email={ADA}");
    let path = format!("/api/auth/register/verify{right}");
    server.anon().send(Method::HEAD, &path, &[], None).await.expect(204);
    assert_eq!(verify(right.clone()).await.expect(200).body, said("Email Verification Successful"));
    assert_eq!(verify(right).await.expect(400).body, invalid);
    let (ada, _) = log_in(&server, ADA).await;
    let profile = json!({ "message": "Ok", "data": { "email": ADA, "full_name": "Ada Lovelace" } });
    assert_eq!(ada.get(VIEW).await.expect(200).body, profile);
}

#[tokio::test]
async fn a_registration_is_refused_in_the_words_that_were_used_there() {
    let server = TestServer::start_with(ON).await;
    let required = json!(["This field is required."]);
    let all = ["email", "first_name", "last_name", "password", "password2"];
    let missing: serde_json::Map<String, Value> =
        all.iter().map(|name| ((*name).to_owned(), required.clone())).collect();
    assert_eq!(post(&server, REGISTER, &json!({})).await.expect(400).body, wrong(&missing.into()));
    for (name, value, said) in [
        ("email", json!("ada"), "Enter a valid email address."),
        ("email", json!({}), "Not a valid string."),
        ("first_name", json!("a".repeat(101)), "Ensure this field has no more than 100 characters."),
        ("last_name", Value::Null, "This field may not be null."),
        ("last_name", json!("a\0"), "Null characters are not allowed."),
        ("password2", json!(""), "This field may not be blank."),
    ] {
        let mut body = account(ADA);
        body[name] = value;
        let answer = post(&server, REGISTER, &body).await.expect(400);
        assert_eq!(answer.body, wrong(&json!({ name: [said] })), "{body}");
    }
    let mut other = account(ADA);
    other["password2"] = json!(NEW);
    let mismatch = wrong(&json!({ "passwords_do_not_match": ["Passwords do not match"] }));
    assert_eq!(post(&server, REGISTER, &other).await.expect(400).body, mismatch);
    let mut weak = account(ADA);
    (weak["password"], weak["password2"]) = (json!("password1"), json!("password1"));
    let answer = post(&server, REGISTER, &weak).await.expect(400);
    assert!(answer.body["data"]["password"][0].is_string(), "{}", answer.text);
    assert_eq!(server.count_mails().await, 0);
}

#[tokio::test]
async fn no_answer_tells_who_has_an_account() {
    let (server, _, _) = with_ada(ON).await;
    post(&server, REGISTER, &account("pending@example.com")).await.expect(201);
    for (path, message) in [
        (REGISTER, "Registration successful"),
        (RESEND, "Verification email sent successfully"),
        (REQUEST, "We've sent you a link to reset your password"),
    ] {
        for email in [ADA, "nobody@example.com", "pending@example.com"] {
            let answer = post(&server, path, &account(email)).await;
            let expected = json!({ "message": message, "data": {} });
            assert_eq!((answer.status.is_success(), answer.body), (true, expected), "{path} {email}");
        }
        let known = post(&server, path, &account(ADA)).await;
        let unknown = post(&server, path, &account("somebody@example.com")).await;
        assert_eq!((known.status, known.text), (unknown.status, unknown.text), "{path}");
    }
    let texts =
        ["ada@example.com", "nobody@example.com"].map(|email| {
            let server = &server;
            async move {
                post(server, LOGIN, &json!({ "email": email, "password": "wrong" })).await.expect(401).text
            }
        });
    let [known, unknown] = texts;
    assert_eq!(known.await, unknown.await);
}

#[tokio::test]
async fn exact_errors_tell_it_as_they_did_there() {
    let (server, _, _) = with_ada(EXACT).await;
    post(&server, REGISTER, &account("pending@example.com")).await.expect(201);
    let taken = wrong(&json!({ "invalid_email": ["The email already exists"] }));
    assert_eq!(post(&server, REGISTER, &account("ADA@example.com")).await.expect(400).body, taken);
    for (email, text) in [(ADA, "Email already verified"), ("nobody@example.com", "Email not found")] {
        let answer = post(&server, RESEND, &json!({ "email": email })).await.expect(400);
        assert_eq!(answer.body, wrong(&json!({ "message": [text] })));
    }
    server.advance(minutes(10));
    let mails = server.mails_to("pending@example.com").await.len();
    post(&server, RESEND, &json!({ "email": "pending@example.com" })).await.expect(200);
    assert_eq!(server.mails_to("pending@example.com").await.len(), mails + 1);
    let unknown = post(&server, REQUEST, &json!({ "email": "nobody@example.com" })).await.expect(401);
    assert_eq!(unknown.body, bad_credentials());
    post(&server, REQUEST, &json!({ "email": ADA })).await.expect(200);

    let (ada, _) = log_in(&server, ADA).await;
    let own = json!({ "email": ADA, "password": PASSWORD });
    ada.json(Method::DELETE, DELETE, &own).await.expect(204);
    let disabled = post(&server, RESEND, &json!({ "email": ADA })).await.expect(400);
    assert_eq!(disabled.body, wrong(&json!({ "message": ["Verification code not found"] })));
    assert_eq!(post(&server, REGISTER, &account(ADA)).await.expect(400).body, taken);
}

#[tokio::test]
async fn an_open_registration_tells_that_an_address_is_taken() {
    let server = TestServer::start_with(&format!("{ON}\nregistration.verification = \"none\"")).await;
    post(&server, REGISTER, &account(ADA)).await.expect(201);
    log_in(&server, ADA).await;
    let taken = wrong(&json!({ "invalid_email": ["The email already exists"] }));
    assert_eq!(post(&server, REGISTER, &account(ADA)).await.expect(400).body, taken);
}

#[tokio::test]
async fn a_log_in_is_refused_for_malformed_members_and_wrong_ones() {
    let (server, _, _) = with_ada(ON).await;
    for (email, password) in [(ADA, "wrong"), ("nobody@example.com", PASSWORD)] {
        let answer = post(&server, LOGIN, &json!({ "email": email, "password": password })).await.expect(401);
        assert_eq!(answer.body, bad_credentials());
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"api\""));
    }
    for (body, data) in [
        (
            json!({ "email": "ada", "password": PASSWORD }),
            json!({ "email": ["Enter a valid email address."] }),
        ),
        (json!({ "email": ADA, "password": [1] }), json!({ "password": ["Not a valid string."] })),
        (json!([]), json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] })),
    ] {
        assert_eq!(post(&server, LOGIN, &body).await.expect(400).body, wrong(&data), "{body}");
    }
}

#[tokio::test]
async fn whatever_goes_wrong_is_in_the_envelope() {
    let settings = format!("{ON}\nlimits.enabled = true\nlimits.login = \"1/m/ip\"");
    let server = TestServer::start_with(&settings).await;
    let method = server.anon().get(LOGIN).await.expect(405);
    assert_eq!(method.body, detail("Method \"GET\" not allowed."));
    assert_eq!(method.header("allow"), Some("POST, OPTIONS"));
    let headers = [("content-type", "text/plain")];
    let media = server.anon().send(Method::POST, REGISTER, &headers, Some(b"a".to_vec())).await.expect(415);
    assert_eq!(media.body, detail("Unsupported media type \"text/plain\" in request."));
    let huge = json!({ "email": "a".repeat(20_000) });
    let answer = post(&server, REGISTER, &huge).await.expect(413);
    assert!(answer.body["message"].is_string() && answer.body["data"]["detail"].is_string());
    let headers = [("content-type", "application/json")];
    let broken = server.anon().send(Method::POST, LOGIN, &headers, Some(b"{".to_vec())).await.expect(400);
    assert_eq!(broken.body["message"], broken.body["data"]["detail"]);
    let often = post(&server, LOGIN, &json!({})).await.expect(429);
    let secs = often.header("retry-after").expect("a number");
    assert_eq!(often.body, detail(&format!("Request was throttled. Expected available in {secs} seconds.")));
}

#[tokio::test]
async fn a_refresh_token_is_used_up() {
    let (server, _, refresh) = with_ada(ON).await;
    let answer = post(&server, REFRESH, &json!({ "refresh_token": refresh })).await.expect(200);
    let data = &answer.body["data"];
    let access = data["access_token"].as_str().expect("a token");
    assert_eq!(part_of(access, 1)["user_id"], "1");
    assert_ne!(data["refresh_token"], refresh);
    server.holder(access).get(VIEW).await.expect(200);
    for (token, text) in [("nonsense", "Token is invalid"), (access, "Token has wrong type")] {
        let refused = post(&server, REFRESH, &json!({ "refresh_token": token })).await.expect(401);
        let data = json!({ "detail": text, "code": "token_not_valid" });
        assert_eq!(refused.body, json!({ "message": text, "data": data }));
    }
    let missing = post(&server, REFRESH, &json!({})).await.expect(400);
    assert_eq!(missing.body, wrong(&json!({ "refresh_token": ["This field is required."] })));
}

#[tokio::test]
async fn an_ended_log_in_is_forbidden_and_a_bad_token_is_not_authenticated() {
    let (server, ada, refresh) = with_ada(ON).await;
    let nobody = server.anon().get(VIEW).await.expect(401);
    assert_eq!(nobody.body, detail("Authentication credentials were not provided."));
    let bad = server.holder("nonsense").get(VIEW).await.expect(401);
    assert_eq!(bad.body["message"], "Given token not valid for any token type");
    assert_eq!(bad.body["data"]["messages"][0]["message"], "Token is invalid");
    server.holder(&refresh).get(VIEW).await.expect(401);

    let out = ada.post(LOGOUT, &json!({ "refresh_token": refresh })).await.expect(204);
    assert_eq!(out.text, "");

    assert_eq!(ada.get(VIEW).await.expect(403).body, forbidden());
    server.advance(minutes(16));
    let old = ada.get(VIEW).await.expect(401);
    assert_eq!(old.body["data"]["messages"][0]["message"], "Token is expired");
}

#[tokio::test]
async fn a_log_out_ends_the_log_in_of_ones_own_refresh_token() {
    let (server, ada, refresh) = with_ada(ON).await;
    joined(&server, "bob@example.com").await;
    let (bob, bobs) = log_in(&server, "bob@example.com").await;
    let (other, others) = log_in(&server, ADA).await;
    let refused = detail("Invalid refresh token!");
    for token in [bobs.as_str(), "nonsense"] {
        let answer = ada.post(LOGOUT, &json!({ "refresh_token": token })).await.expect(401);
        assert_eq!(answer.body, refused);
    }
    bob.get(VIEW).await.expect(200);
    let missing = wrong(&json!({ "refresh_token": ["This field is required."] }));
    assert_eq!(ada.post(LOGOUT, &json!({})).await.expect(400).body, missing);
    assert_eq!(ada.json(Method::DELETE, LOGOUT, &json!({})).await.expect(400).body, missing);
    ada.post(LOGOUT, &json!({ "refresh_token": others })).await.expect(204);
    other.get(VIEW).await.expect(403);
    ada.get(VIEW).await.expect(200);

    let (third, _) = log_in(&server, ADA).await;
    let parts =
        "--xx\r\ncontent-disposition: form-data; name=\"refresh_token\"\r\n\r\nanything\r\n--xx--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=xx")];
    let all = ada.send(Method::DELETE, LOGOUT, &headers, Some(parts.into())).await.expect(204);
    assert_eq!(all.text, "");
    for caller in [&ada, &third] {
        assert_eq!(caller.get(VIEW).await.expect(403).body, forbidden());
    }
    post(&server, REFRESH, &json!({ "refresh_token": refresh })).await.expect(401);
    bob.get(VIEW).await.expect(200);
}

#[tokio::test]
async fn groups_and_permissions_are_asked_one_by_one() {
    let (_server, ada, _) = with_ada(ON).await;
    let has = |path: &str| {
        let (ada, path) = (ada.clone(), format!("/api/auth/profile/{path}"));
        async move { ada.get(&path).await.expect(200).body }
    };
    let answer = |name: &str| json!({ "message": "Ok", "data": { name: false } });
    assert_eq!(has("has_group/Root/").await, answer("has_group"));
    assert_eq!(has("has_group/Unknown/").await, answer("has_group"));
    assert_eq!(has("has_permission/users.view_user").await, answer("has_permission"));
    assert_eq!(has("has_permission/nonsense").await, answer("has_permission"));
}

#[tokio::test]
async fn names_change_and_an_address_does_not() {
    let (server, ada, _) = with_ada(ON).await;
    let body =
        json!({ "email": "ADA@example.com", "first_name": "Augusta", "last_name": "King", "is_staff": true });
    let done = put(&ada, UPDATE, &body).await.expect(200);
    assert_eq!(done.body, said("User data modified successfully"));
    let profile = json!({ "message": "Ok", "data": { "email": ADA, "full_name": "Augusta King" } });
    assert_eq!(ada.get(VIEW).await.expect(200).body, profile, "and nobody was logged out");
    let nothing = "Please enter a field to edit: email, first_name, last_name.";
    let elsewhere = "An address is changed with your password: /auth/email/change/.";
    for (body, data) in [
        (json!({}), json!({ "detail": [nothing] })),
        (json!({ "first_name": "" }), json!({ "detail": [nothing] })),
        (
            json!({ "first_name": "A" }),
            json!({ "detail": ["The name must be between 2 and 100 characters."] }),
        ),
        (
            json!({ "email": ADA, "last_name": "a".repeat(101) }),
            json!({ "detail": ["The last name must be between 2 and 100 characters."] }),
        ),
        (json!({ "email": "new@example.com" }), json!({ "email": [elsewhere] })),
        (json!({ "email": "new@example.com", "password": PASSWORD }), json!({ "email": [elsewhere] })),
        (json!({ "email": "new" }), json!({ "email": ["Enter a valid email address."] })),
        (json!({ "first_name": ["Ada"] }), json!({ "first_name": ["Not a valid string."] })),
    ] {
        assert_eq!(put(&ada, UPDATE, &body).await.expect(400).body, wrong(&data), "{body}");
    }
    assert_eq!(ada.get(VIEW).await.expect(200).body, profile);
    let nobody = put(&server.anon(), UPDATE, &body).await.expect(401);
    assert_eq!(nobody.body, detail("Authentication credentials were not provided."));
}

#[tokio::test]
async fn only_ones_own_credentials_close_ones_account() {
    let (server, ada, _) = with_ada(ON).await;
    joined(&server, "bob@example.com").await;
    let close = |email: &str, password: &str| {
        let (ada, body) = (ada.clone(), json!({ "email": email, "password": password }));
        async move { ada.json(Method::DELETE, DELETE, &body).await }
    };
    for (email, password) in [("bob@example.com", PASSWORD), (ADA, "wrong"), ("nobody@example.com", PASSWORD)]
    {
        assert_eq!(close(email, password).await.expect(401).body, bad_credentials(), "{email}");
    }
    assert_eq!(
        close("ada", PASSWORD).await.expect(400).body,
        wrong(&json!({ "email": ["Enter a valid email address."] }))
    );
    ada.get(VIEW).await.expect(200);
    let parts = format!(
        "--xx\r\ncontent-disposition: form-data; name=\"email\"\r\n\r\n{ADA}\r\n\
         --xx\r\ncontent-disposition: form-data; name=\"password\"\r\n\r\n{PASSWORD}\r\n--xx--\r\n"
    );
    let headers = [("content-type", "multipart/form-data; boundary=xx")];
    let closed = ada.send(Method::DELETE, DELETE, &headers, Some(parts.into())).await.expect(204);
    assert_eq!(closed.text, "");
    assert_eq!(ada.get(VIEW).await.expect(403).body, forbidden());
    post(&server, LOGIN, &json!({ "email": ADA, "password": PASSWORD })).await.expect(401);
    log_in(&server, "bob@example.com").await;
}

#[tokio::test]
async fn a_new_password_is_set_with_the_two_codes_of_the_mail() {
    let (server, ada, _) = with_ada(ON).await;
    post(&server, REQUEST, &json!({ "email": ADA })).await.expect(200);
    let link = server.mail_to(ADA).await.reset_link();
    let check = |uid: &str, token: &str| {
        let (caller, path) = (server.anon(), format!("/api/auth/password/verify/{uid}/{token}/"));
        async move { caller.get(&path).await }
    };
    assert_eq!(check(&link.uid, &link.token).await.expect(200).body, said("Valid codes"));
    for (uid, token) in [("MQ", "nonsense"), ("Mg", link.token.as_str()), ("%00", "x"), ("LTE", "x")] {
        assert_eq!(check(uid, token).await.expect(401).body, said("Invalid or expired codes"), "{uid}");
    }
    let body = |password: &str, password2: &str, uid: &str, token: &str| json!({ "password": password, "password2": password2, "uidb64": uid, "token": token });
    let reset = |body: Value| {
        let server = &server;
        async move { send(server, Method::PUT, RESET, None, &body).await }
    };
    let mismatch = json!({ "non_field_errors": ["The passwords do not match, please enter again."] });
    let answer = reset(body(NEW, PASSWORD, &link.uid, &link.token)).await.expect(400);
    assert_eq!(answer.body, wrong(&mismatch));
    let invalid = json!({ "non_field_errors": ["Invalid credentials"] });
    for (uid, token) in [("Mg", link.token.as_str()), (&link.uid, "nonsense"), ("=", "x"), ("OTk5", "x")] {
        assert_eq!(reset(body(NEW, NEW, uid, token)).await.expect(400).body, wrong(&invalid), "{uid}");
    }
    let weak = reset(body("password", "password", &link.uid, &link.token)).await.expect(400);
    assert!(weak.body["data"]["password"][0].is_string(), "{}", weak.text);

    let done = reset(body(NEW, NEW, &link.uid, &link.token)).await.expect(200);

    assert_eq!(done.body, said("Password reset successfully"));
    assert_eq!(ada.get(VIEW).await.expect(403).body, forbidden());
    post(&server, LOGIN, &json!({ "email": ADA, "password": NEW })).await.expect(200);
    assert_eq!(reset(body(NEW, NEW, &link.uid, &link.token)).await.expect(400).body, wrong(&invalid));
    assert_eq!(check(&link.uid, &link.token).await.expect(401).body, said("Invalid or expired codes"));
}

#[tokio::test]
async fn whoever_was_given_a_password_can_log_out() {
    let (server, root) = TestServer::with_superuser().await;
    let body = json!({ "email": ADA, "password": PASSWORD, "temporary": true });
    root.post("/auth/admin/users/", &body).await.expect(201);
    let server = server.restart_with(ON).await;
    let (ada, refresh) = log_in(&server, ADA).await;

    ada.post(LOGOUT, &json!({ "refresh_token": refresh })).await.expect(204);

    ada.get(VIEW).await.expect(403);
    post(&server, REFRESH, &json!({ "refresh_token": refresh })).await.expect(401);
}
