//! simplejwt: the exchanges of a front end that was written for it.

use hyper::Method;
use serde_json::{Value, json};

use super::{no_credentials, post, send};
use crate::harness::{Answer, PASSWORD, ROOT, TestServer, days, minutes, part_of};

const ON: &str = "compat.profiles = [\"simplejwt\"]";
const OPEN: &str = "compat.profiles = [\"simplejwt\"]\nregistration.verification = \"none\"";
const ADA: &str = "ada@example.com";

const USERS: &str = "/users/";
const USER: &str = "/users/user/";
const REGISTER: &str = "/users/register/";
const TOKEN: &str = "/users/token/";
const REFRESH: &str = "/users/token/refresh/";
const VERIFY: &str = "/users/token/verify/";
const BLACKLIST: &str = "/users/token/blacklist/";

fn account(username: &str, email: &str) -> Value {
    json!({ "username": username, "email": email, "password": PASSWORD })
}

/// Ada, with a username.
async fn with_ada(settings: &str) -> TestServer {
    let server = TestServer::start_with(settings).await;
    post(&server, REGISTER, &account("ada", ADA)).await.expect(201);
    server
}

/// The pair that a log-in gives.
async fn log_in(server: &TestServer) -> (String, String) {
    let pair =
        post(server, TOKEN, &json!({ "username": "ada", "password": PASSWORD })).await.expect(200).body;
    let token = |name: &str| pair[name].as_str().expect("a token").to_owned();
    assert_eq!(pair, json!({ "access": token("access"), "refresh": token("refresh") }));
    (token("access"), token("refresh"))
}

async fn get(server: &TestServer, path: &str, authorization: &str) -> Answer {
    send(server, Method::GET, path, Some(authorization), &Value::Null).await
}

async fn put_avatar(server: &TestServer, access: &str, body: &Value) -> Answer {
    send(server, Method::PUT, USER, Some(&format!("Bearer {access}")), body).await
}

fn ada() -> Value {
    json!({ "id": 1, "email": ADA, "username": "ada", "avatar": null })
}

fn token_not_valid(detail: &str) -> Value {
    json!({ "detail": detail, "code": "token_not_valid" })
}

fn access_not_valid(message: &str) -> Value {
    json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [{ "token_class": "AccessToken", "token_type": "access", "message": message }],
    })
}

#[tokio::test]
async fn a_new_user_is_answered_whole() {
    let server = TestServer::start_with(OPEN).await;
    let registered = post(&server, REGISTER, &account("ada", ADA)).await.expect(201);
    assert_eq!(registered.body, ada());

    let mut wish = account("bob", "bob@example.com");
    wish["avatar"] = json!("https://example.com/bob.png");
    wish["is_staff"] = json!(true);
    wish["id"] = json!(9);
    let registered = post(&server, REGISTER, &wish).await.expect(201);
    let bob = json!({
        "id": 2, "email": "bob@example.com", "username": "bob", "avatar": "https://example.com/bob.png",
    });
    assert_eq!(registered.body, bob);
}

#[tokio::test]
async fn a_registration_is_refused_in_the_words_that_were_used_there() {
    let server = with_ada(OPEN).await;
    let required = json!(["This field is required."]);
    let with = |name: &str, value: Value| {
        let mut body = account("bob", "bob@example.com");
        body[name] = value;
        body
    };
    for (body, expected) in [
        (account("bob", ADA), json!({ "error": "Email already registered" })),
        (account("bob", "ADA@Example.com"), json!({ "error": "Email already registered" })),
        (
            account("ADA", "bob@example.com"),
            json!({ "username": ["user profile with this username already exists."] }),
        ),
        (json!({}), json!({ "email": required, "username": required, "password": required })),
        (with("avatar", json!("javascript:alert(1)")), json!({ "avatar": ["Enter a valid URL."] })),
        (with("avatar", json!(["x"])), json!({ "avatar": ["Not a valid string."] })),
        (with("email", json!("bob")), json!({ "email": ["Enter a valid email address."] })),
        (with("email", Value::Null), json!({ "email": ["This field may not be null."] })),
        (with("username", json!("b\0b")), json!({ "username": ["Null characters are not allowed."] })),
        (with("username", json!(" ")), json!({ "username": ["This field may not be blank."] })),
    ] {
        assert_eq!(post(&server, REGISTER, &body).await.expect(400).body, expected, "{body}");
    }
    for password in ["password", "12345678", "bob"] {
        let answer = post(&server, REGISTER, &with("password", json!(password))).await.expect(400);
        assert!(answer.body["password"][0].is_string(), "{}", answer.text);
    }
    let huge = with("username", json!("a".repeat(20_000)));
    let answer = post(&server, REGISTER, &huge).await.expect(413);
    assert!(answer.body["detail"].is_string(), "{}", answer.text);
}

#[tokio::test]
async fn where_addresses_are_confirmed_nobody_learns_which_are_taken() {
    let server = TestServer::start_with(ON).await;
    let pending = |username: &str, email: &str| json!({ "id": null, "email": email, "username": username, "avatar": null });
    let first = post(&server, REGISTER, &account("ada", ADA)).await.expect(201);
    assert_eq!(first.body, pending("ada", ADA));
    let wrong = json!({ "detail": "No active account found with the given credentials" });
    let credentials = json!({ "username": "ada", "password": PASSWORD });
    assert_eq!(post(&server, TOKEN, &credentials).await.expect(401).body, wrong);
    let code = server.mail_to(ADA).await.code();
    post(&server, "/auth/register/verify/", &json!({ "email": ADA, "code": code })).await.expect(200);
    log_in(&server).await;

    let taken = post(&server, REGISTER, &account("bob", ADA)).await.expect(201);
    assert_eq!(taken.body, pending("bob", ADA));
    let free = post(&server, REGISTER, &account("bob", "bob@example.com")).await.expect(201);
    assert_eq!(taken.text.replace(ADA, "bob@example.com"), free.text);
}

#[tokio::test]
async fn a_log_in_that_fails_says_the_same_of_everybody() {
    let server = with_ada(OPEN).await;
    let wrong = "{\"detail\":\"No active account found with the given credentials\"}";
    for body in [
        json!({ "username": "ada", "password": "wrong" }),
        json!({ "username": "nobody", "password": PASSWORD }),
        json!({ "username": "ada", "password": 123 }),
    ] {
        let answer = post(&server, TOKEN, &body).await.expect(401);
        assert_eq!(answer.text, wrong, "{body}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"api\""));
    }
    let (access, _) = log_in(&server).await;
    let close = json!({ "password": PASSWORD });
    server.holder(&access).json(Method::DELETE, "/auth/profile/", &close).await.expect(204);
    let inactive = post(&server, TOKEN, &json!({ "username": "ada", "password": PASSWORD })).await;
    assert_eq!(inactive.expect(401).text, wrong);
    for (body, expected) in [
        (
            json!({}),
            json!({ "username": ["This field is required."], "password": ["This field is required."] }),
        ),
        (
            json!({ "username": "", "password": "" }),
            json!({ "username": ["This field may not be blank."], "password": ["This field may not be blank."] }),
        ),
        (json!({ "username": ["ada"], "password": "x" }), json!({ "username": ["Not a valid string."] })),
        (json!([]), json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] })),
    ] {
        assert_eq!(post(&server, TOKEN, &body).await.expect(400).body, expected, "{body}");
    }
}

#[tokio::test]
async fn the_header_is_read_as_it_was_there() {
    let server = with_ada(OPEN).await;
    let (access, refresh) = log_in(&server).await;
    assert_eq!(get(&server, USER, &format!("Bearer {access}")).await.expect(200).body, ada());
    assert_eq!(get(&server, USER, &format!("Bearer   {access} ")).await.expect(200).body, ada());

    let nobody = server.anon().get(USER).await.expect(401);
    assert_eq!(nobody.body, no_credentials());
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"api\""));
    for header in
        [format!("bearer {access}"), format!("JWT {access}"), access.clone(), "Basic eDp5".to_owned()]
    {
        assert_eq!(get(&server, USER, &header).await.expect(401).body, no_credentials(), "{header}");
    }
    let bad = json!({
        "detail": "Authorization header must contain two space-delimited values",
        "code": "bad_authorization_header",
    });
    for header in ["Bearer".to_owned(), format!("Bearer {access} x")] {
        assert_eq!(get(&server, USER, &header).await.expect(401).body, bad, "{header}");
    }
    for (token, message) in [("nonsense", "Token is invalid"), (refresh.as_str(), "Token has wrong type")] {
        let answer = get(&server, USER, &format!("Bearer {token}")).await.expect(401);
        assert_eq!(answer.body, access_not_valid(message), "{token}");
    }
    let cookie = format!("jwt-auth-token={access}; keystead_access={access}");
    server.anon().send(Method::GET, USER, &[("cookie", &cookie)], None).await.expect(401);
    server.advance(minutes(16));
    let old = get(&server, USER, &format!("Bearer {access}")).await.expect(401);
    assert_eq!(old.body, access_not_valid("Token is expired"));
}

#[tokio::test]
async fn an_api_key_is_taken_in_place_of_a_token() {
    let server = with_ada(OPEN).await;
    let (access, _) = log_in(&server).await;
    let (holder, made) = server.api_key(&server.holder(&access), &json!({ "name": "ci" })).await;
    assert_eq!(holder.get(USER).await.expect(200).body, ada());
    let bad = get(&server, USER, &format!("Bearer {}x", made["key"].as_str().expect("a key"))).await;
    assert_eq!(bad.expect(401).body, access_not_valid("Token is invalid"));
}

#[tokio::test]
async fn a_refresh_token_gives_access_tokens_until_it_is_blacklisted() {
    let server = with_ada(OPEN).await;
    let (access, refresh) = log_in(&server).await;
    assert_eq!(part_of(&access, 1)["user_id"], "1");
    let other = log_in(&server).await;
    for _ in 0..2 {
        let answer = post(&server, REFRESH, &json!({ "refresh": refresh })).await.expect(200);
        let another = answer.body["access"].as_str().expect("a token");
        assert_eq!(answer.body, json!({ "access": another }));
        get(&server, USER, &format!("Bearer {another}")).await.expect(200);
    }
    for token in [&access, &refresh] {
        let verified = post(&server, VERIFY, &json!({ "token": token })).await.expect(200);
        assert_eq!(verified.text, "{}");
    }

    let body = json!({ "refresh": refresh });
    assert_eq!(post(&server, BLACKLIST, &body).await.expect(200).text, "{}");

    let blacklisted = token_not_valid("Token is blacklisted");
    assert_eq!(post(&server, BLACKLIST, &body).await.expect(401).body, blacklisted);
    assert_eq!(post(&server, REFRESH, &body).await.expect(401).body, blacklisted);
    for token in [&access, &refresh] {
        let verified = post(&server, VERIFY, &json!({ "token": token })).await.expect(401);
        assert_eq!(verified.body, blacklisted);
        assert_eq!(verified.header("www-authenticate"), Some("Bearer realm=\"api\""));
    }
    let dead = get(&server, USER, &format!("Bearer {access}")).await.expect(401);
    assert_eq!(dead.body, access_not_valid("Token is blacklisted"));
    get(&server, USER, &format!("Bearer {}", other.0)).await.expect(200);
    let server = server.restart().await;
    assert_eq!(post(&server, REFRESH, &body).await.expect(401).body, blacklisted);
}

#[tokio::test]
async fn tokens_that_are_wrong_are_told_apart() {
    let server = with_ada(OPEN).await;
    let (access, refresh) = log_in(&server).await;
    for path in [REFRESH, BLACKLIST] {
        for (token, detail) in [
            (json!(access), "Token has wrong type"),
            (json!("nonsense"), "Token is invalid"),
            (json!(format!("{refresh}x")), "Token is invalid"),
            (json!(1), "Token is invalid"),
            (json!("a".repeat(10_000)), "Token is invalid"),
        ] {
            let answer = post(&server, path, &json!({ "refresh": token })).await.expect(401);
            assert_eq!(answer.body, token_not_valid(detail), "{path} {token}");
        }
        let missing = post(&server, path, &json!({})).await.expect(400);
        assert_eq!(missing.body, json!({ "refresh": ["This field is required."] }));
    }
    let missing = post(&server, VERIFY, &json!({ "token": "" })).await.expect(400);
    assert_eq!(missing.body, json!({ "token": ["This field may not be blank."] }));
    let bad = post(&server, VERIFY, &json!({ "token": "nonsense" })).await.expect(401);
    assert_eq!(bad.body, token_not_valid("Token is invalid"));
    server.advance(days(400));
    for (path, name) in [(REFRESH, "refresh"), (BLACKLIST, "refresh"), (VERIFY, "token")] {
        let answer = post(&server, path, &json!({ name: refresh })).await.expect(401);
        assert_eq!(answer.body, token_not_valid("Token is expired"), "{path}");
    }
    let method = server.anon().get(TOKEN).await.expect(405);
    assert_eq!(method.body, json!({ "detail": "Method \"GET\" not allowed." }));
}

#[tokio::test]
async fn refresh_tokens_rotate_where_it_is_configured() {
    let server = with_ada(&format!("{OPEN}\ncompat.simplejwt.rotate = true")).await;
    let (access, refresh) = log_in(&server).await;
    let answer = post(&server, REFRESH, &json!({ "refresh": refresh })).await.expect(200).body;
    assert_ne!(answer["refresh"], refresh);
    assert!(answer["refresh"].is_string() && answer["access"].is_string(), "{answer}");
    server.advance(minutes(5));
    let reused = post(&server, REFRESH, &json!({ "refresh": refresh })).await.expect(401);
    assert_eq!(reused.body, token_not_valid("Token is blacklisted"));
    get(&server, USER, &format!("Bearer {access}")).await.expect(401);
}

#[tokio::test]
async fn a_log_in_of_the_native_api_is_given_its_new_refresh_token() {
    let server = with_ada(OPEN).await;
    let native = server.logged_in("ada").await;
    let answer = post(&server, REFRESH, &json!({ "refresh": native.refresh() })).await.expect(200).body;
    let another = answer["refresh"].as_str().expect("the one that counts");
    post(&server, REFRESH, &json!({ "refresh": another })).await.expect(200);
}

#[tokio::test]
async fn a_picture_is_a_web_address() {
    let server = with_ada(OPEN).await;
    let (access, _) = log_in(&server).await;
    let bearer = format!("Bearer {access}");
    let url = "https://example.com/ada.png";
    let updated = put_avatar(&server, &access, &json!({ "avatar": url, "id": 2, "is_staff": true })).await;
    assert_eq!(updated.expect(200).body, json!({ "message": "Image updated" }));
    let expected = json!({ "id": 1, "email": ADA, "username": "ada", "avatar": url });
    assert_eq!(get(&server, USER, &bearer).await.expect(200).body, expected);
    for (body, expected) in [
        (json!({}), json!({ "avatar": ["This field is required."] })),
        (json!({ "avatar": "javascript:alert(1)" }), json!({ "avatar": ["Enter a valid URL."] })),
        (json!({ "avatar": {} }), json!({ "avatar": ["Not a valid string."] })),
        (json!({ "avatar": "https://a/\0" }), json!({ "avatar": ["Null characters are not allowed."] })),
    ] {
        assert_eq!(put_avatar(&server, &access, &body).await.expect(400).body, expected, "{body}");
    }
    assert_eq!(get(&server, USER, &bearer).await.expect(200).body, expected);
    for nothing in [json!(""), Value::Null] {
        put_avatar(&server, &access, &json!({ "avatar": url })).await.expect(200);
        put_avatar(&server, &access, &json!({ "avatar": nothing })).await.expect(200);
        assert_eq!(get(&server, USER, &bearer).await.expect(200).body, ada());
    }
    let nobody = send(&server, Method::PUT, USER, None, &json!({ "avatar": url })).await.expect(401);
    assert_eq!(nobody.body, no_credentials());
}

#[tokio::test]
async fn everybody_is_listed_where_it_is_configured() {
    let server = with_ada(&format!("{OPEN}\ncompat.simplejwt.list_users = \"any\"")).await;
    for n in 2..=4 {
        post(&server, REGISTER, &account(&format!("user{n}"), &format!("user{n}@example.com")))
            .await
            .expect(201);
    }
    let (access, _) = log_in(&server).await;
    let bearer = format!("Bearer {access}");

    let all = get(&server, USERS, &bearer).await.expect(200);
    assert_eq!(all.body.as_array().map(Vec::len), Some(4));
    assert_eq!(all.body[0], ada());
    assert!(all.header("link").is_none());
    let mut path = "/users/?limit=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = get(&server, &path, &bearer).await.expect(200);
        seen.extend(page.body.as_array().expect("a list").clone());
        let Some(link) = page.header("link") else { break };
        path = link
            .strip_prefix('<')
            .and_then(|link| link.strip_suffix(">; rel=\"next\""))
            .expect(link)
            .to_owned();
    }
    assert_eq!(Value::Array(seen), all.body);
    for query in ["limit=0", "limit=5001", "limit=x", "cursor=x", "limit=1&limit=2"] {
        get(&server, &format!("/users/?{query}"), &bearer).await.expect(400);
    }
    assert_eq!(server.anon().get(USERS).await.expect(401).body, no_credentials());
}

#[tokio::test]
async fn the_list_is_for_staff_who_may_see_users() {
    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    let server = with_ada(OPEN).await.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    let clerk = server.staff_with(&root, "clerk@example.com", &["users.view_user"]).await;
    let trainee = server.staff_with(&root, "trainee@example.com", &["users.add_user"]).await;
    let (access, _) = log_in(&server).await;

    assert_eq!(clerk.get(USERS).await.expect(200).body.as_array().map(Vec::len), Some(4));
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });
    for caller in [trainee, server.holder(&access)] {
        assert_eq!(caller.get(USERS).await.expect(403).body, forbidden);
    }
}
