//! Beside a Django service, and after it: the tokens that its simplejwt signed count here until they expire or end.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{post, send};
use crate::harness::{Answer, Caller, PASSWORD, ROOT, TestServer, days, minutes, part_of};

const SECRET: &str = "django-insecure-g8l%2$4v&b)0w!x6f#o1j@q9z*y7u(d3k^";
const ADA: &str = "ada@example.com";
const NEW: &str = "another horse battery";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

const LOGOUT: &str = "/api/authentication/logout/";
const USER: &str = "/api/authentication/user/";
const REFRESH: &str = "/api/authentication/token/refresh/";
const VERIFY: &str = "/api/authentication/token/verify/";

/// As the operator of that Django service would set it up.
fn settings() -> String {
    format!("compat.profiles = [\"dj-rest-auth\"]\ntokens.accept = [{SECRET:?}]")
}

fn signed_by(secret: &str, header: &str, claims: &Value) -> String {
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes())))
}

/// A Django service: it gives out tokens at a moment, and each is another one.
struct Django {
    now: u64,
    given: u32,
}

impl Django {
    /// At the moment when this token of ours was made.
    fn at(caller: &Caller) -> Self {
        Self { now: part_of(caller.access(), 1)["iat"].as_u64().expect("a moment"), given: 0 }
    }

    fn claims(&mut self, kind: &str, user: &Value) -> Value {
        self.given += 1;
        let lives = if kind == "access" { 300 } else { 86_400 };
        let (exp, jti) = (self.now + lives, format!("{:032x}", self.given));
        json!({ "token_type": kind, "exp": exp, "iat": self.now, "jti": jti, "user_id": user })
    }

    fn access(&mut self) -> String {
        signed_by(SECRET, HEADER, &self.claims("access", &json!("1")))
    }

    fn refresh(&mut self) -> String {
        signed_by(SECRET, HEADER, &self.claims("refresh", &json!("1")))
    }
}

/// Ada, who is user 1 there and here, and the service where she was before.
async fn with_ada() -> (TestServer, Caller, Django) {
    with_ada_and("").await
}

async fn with_ada_and(more: &str) -> (TestServer, Caller, Django) {
    let server = imported(TestServer::start_with(more).await).await;
    let ada = server.logged_in(ADA).await;
    let server = server.restart_with(&format!("{}\n{more}", settings())).await;
    let (ada, django) = (server.caller(ada.tokens.clone()), Django::at(&ada));
    (server, ada, django)
}

/// Brings Ada here as user 1, which she was there.
async fn imported(server: TestServer) -> TestServer {
    let ada = json!({
        "username": "ada", "email": ADA, "is_active": true,
        "password": "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$HZVSurMBefVBGyj30YVW93GR139curHk9HBEoC8A3Iw=",
    });
    let rows = json!([{ "model": "auth.user", "pk": 1, "fields": ada }]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("accounts.json");
    std::fs::write(&file, rows.to_string()).expect("writable");
    server.operated(&["import", "django", file.to_str().expect("UTF-8")], "").await
}

async fn refresh(server: &TestServer, token: &str) -> Answer {
    server.anon().post("/auth/token/refresh/", &json!({ "refresh": token })).await
}

async fn refresh_there(server: &TestServer, token: &str) -> Answer {
    post(server, REFRESH, &json!({ "refresh": token })).await
}

async fn verify(server: &TestServer, token: &str) -> Answer {
    server.anon().post("/auth/token/verify/", &json!({ "token": token })).await
}

async fn expect_alive(server: &TestServer, access: &str) {
    server.holder(access).get("/auth/profile/").await.expect(200);
    verify(server, access).await.expect(200);
    let user = send(server, Method::GET, USER, Some(&format!("Bearer {access}")), &Value::Null).await;
    user.expect(200);
}

/// Refused in every place where a token goes in.
async fn expect_refused(server: &TestServer, token: &str, why: &str) {
    let anon = server.anon();
    let holder = server.holder(token);
    for answer in [
        verify(server, token).await,
        refresh(server, token).await,
        refresh_there(server, token).await,
        post(server, VERIFY, &json!({ "token": token })).await,
        anon.post("/auth/logout/", &json!({ "refresh": token })).await,
        holder.get("/auth/profile/").await,
        holder.get("/auth/sessions/").await,
        holder.get(USER).await,
        holder.post("/auth/logout/", &json!({})).await,
        holder.delete("/auth/logout/").await,
    ] {
        assert_eq!(answer.status.as_u16(), 401, "{why}: {}", answer.text);
    }
}

async fn count_sessions(caller: &Caller) -> usize {
    let listed = caller.get("/auth/sessions/").await.expect(200).body;
    listed["results"].as_array().expect("a list").len()
}

fn count(server: &TestServer, kind: &str) -> usize {
    server.events().into_iter().filter(|event| *event == kind).count()
}

/// Besides the one by the code that confirmed her address.
fn count_log_ins(server: &TestServer) -> usize {
    count(server, "login.succeeded") - 1
}

#[tokio::test]
async fn an_old_access_token_opens_what_ours_open_until_it_expires() {
    let (server, ada, mut django) = with_ada().await;
    let mut without_iat = django.claims("access", &json!(1));
    without_iat.as_object_mut().expect("an object").remove("iat");
    let (newer, older) = (django.access(), signed_by(SECRET, HEADER, &without_iat));
    for token in [&newer, &older] {
        expect_alive(&server, token).await;
        post(&server, VERIFY, &json!({ "token": token })).await.expect(200);
        let facts = verify(&server, token).await.expect(200).body;
        assert_eq!((&facts["token_type"], &facts["user_id"]), (&json!("access"), &json!(1)));
        assert_eq!(facts["exp"], json!(django.now + 300));
        refresh(&server, token).await.expect_problem(401, "invalid_token");
    }
    let names = server.holder(&newer).patch("/auth/profile/", &json!({ "first_name": "Ada" })).await;
    assert_eq!(names.expect(200).body["first_name"], "Ada");
    assert_eq!(count_sessions(&ada).await, 1, "it is no session of its own");

    server.advance(minutes(5));
    expect_refused(&server, &newer, "expired").await;
    let told = server.holder(&newer).get(USER).await.expect(401).body;
    assert_eq!(
        (&told["code"], &told["messages"][0]["message"]),
        (&json!("token_not_valid"), &json!("Token is expired"))
    );
}

#[tokio::test]
async fn staff_learn_what_an_old_token_is_worth() {
    let (server, _, mut django) = with_ada().await;
    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    let server = server.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let ask = async |token: &str| {
        let body = Some(format!("token={token}").into());
        root.send(Method::POST, "/auth/token/introspect/", &form, body).await.expect(200).body
    };
    let tokens = [(django.access(), "access"), (django.refresh(), "refresh")];
    for (token, kind) in &tokens {
        let told = ask(token).await;
        assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!(kind)), "{told}");
        assert_eq!(told["sub"], "1");
    }
    for (token, _) in &tokens {
        let revoke = Some(format!("token={token}").into());
        server.anon().send(Method::POST, "/auth/token/revoke/", &form, revoke).await.expect(200);
        assert_eq!(ask(token).await, json!({ "active": false }), "revoked");
        expect_refused(&server, token, "revoked").await;
    }
}

#[tokio::test]
async fn an_old_refresh_token_is_exchanged_for_one_session() {
    let (server, ada, mut django) = with_ada().await;
    let old = django.refresh();
    verify(&server, &old).await.expect(200);
    post(&server, VERIFY, &json!({ "token": old })).await.expect(200);
    server.holder(&old).get("/auth/profile/").await.expect_problem(401, "invalid_token");

    for _ in 0..3 {
        let answer = refresh_there(&server, &old).await.expect(200).body;
        assert!(answer["refresh"].is_null(), "it stays the same: {answer}");
        let access = answer["access"].as_str().expect("a token");
        assert_eq!(part_of(access, 1)["user_id"], "1");
        expect_alive(&server, access).await;
        verify(&server, &old).await.expect(200);
        server.advance(minutes(20));
    }
    let server = server.restart().await;
    let ours = server.caller(refresh(&server, &old).await.expect(200).body);
    server.expect_alive(&ours).await;
    assert_eq!(count_sessions(&ours).await, 2, "the registration, and the one");
    let sessions = ours.get("/auth/sessions/").await.body;
    let current = sessions["results"].as_array().expect("a list").iter().find(|one| one["current"] == true);
    assert_eq!(current.expect("its own")["methods"], json!(["old_token"]));
    assert_eq!(count_log_ins(&server), 1);

    server.advance(days(1));
    expect_refused(&server, &old, "expired").await;
    refresh(&server, ours.refresh()).await.expect(200);
    drop(ada);
}

#[tokio::test]
async fn an_old_refresh_token_that_was_followed_by_a_newer_one_ends_the_session() {
    let (server, _, mut django) = with_ada().await;
    let old = django.refresh();
    let first = server.caller(refresh(&server, &old).await.expect(200).body);
    let again = server.caller(refresh(&server, &old).await.expect(200).body);
    let second = server.caller(refresh(&server, again.refresh()).await.expect(200).body);
    server.expect_alive(&second).await;
    verify(&server, &old).await.expect_problem(401, "invalid_token");

    refresh(&server, &old).await.expect_problem(401, "invalid_token");

    for caller in [&first, &again, &second] {
        server.expect_dead(caller).await;
    }
    expect_refused(&server, &old, "its session is over").await;
    assert_eq!(count(&server, "session.reuse_detected"), 1);
    assert_eq!(server.mails_to(ADA).await.len(), 1, "the notice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_first_uses_at_once_make_one_session() {
    let (server, ada, mut django) = with_ada().await;
    let old = django.refresh();
    let mut sending = JoinSet::new();
    for n in 0..50 {
        let (anon, body) = (server.anon(), json!({ "refresh": old }));
        let path = if n % 2 == 0 { REFRESH } else { "/auth/token/refresh/" };
        sending.spawn(async move { anon.post(path, &body).await });
    }
    let mut sessions = BTreeSet::new();
    for answer in sending.join_all().await {
        let access = answer.expect(200).body["access"].as_str().expect("a token").to_owned();
        sessions.insert(part_of(&access, 1)["sid"].to_string());
    }
    assert_eq!(sessions.len(), 1);
    assert_eq!(count_sessions(&ada).await, 2);
    assert_eq!(count_log_ins(&server), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_exchange_and_the_log_out_of_everything_at_once_leave_nothing() {
    for _ in 0..5 {
        let (server, ada, mut django) = with_ada().await;
        let olds: Vec<String> = (0..20).map(|_| django.refresh()).collect();
        let mut sending = JoinSet::new();
        for (n, old) in olds.iter().enumerate() {
            let (anon, ada, body) = (server.anon(), ada.clone(), json!({ "refresh": old }));
            sending.spawn(async move {
                if n < 10 {
                    return anon.post("/auth/token/refresh/", &body).await;
                }
                ada.delete("/auth/logout/").await;
                anon.post("/auth/token/refresh/", &body).await.expect(401)
            });
        }
        let answers = sending.join_all().await;
        for given in answers.into_iter().filter(|answer| answer.status == 200) {
            server.expect_dead(&server.caller(given.body)).await;
        }
        for old in &olds {
            refresh(&server, old).await.expect(401);
        }
    }
}

#[tokio::test]
async fn a_cookie_with_an_old_refresh_token_is_replaced() {
    let (server, _, mut django) = with_ada().await;
    let cookie = format!("jwt-refresh-token={}", django.refresh());
    let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    let answer = server.anon().send(Method::POST, REFRESH, &headers, None).await.expect(200);

    let cookies = answer.cookies();
    let given = cookies.iter().find_map(|line| line.strip_prefix("jwt-refresh-token=")).expect("a cookie");
    let token = given.split(';').next().expect("a value");
    assert_eq!(part_of(token, 0)["typ"], "rt+jwt");
    refresh(&server, token).await.expect(200);
}

/// What Ada holds from before: an access token, a refresh token that she has not used here, and one that she has.
struct Held {
    access: String,
    unused: String,
    exchanged: String,
    ours: Caller,
}

impl Held {
    async fn new(server: &TestServer, django: &mut Django) -> Self {
        let (access, unused, exchanged) = (django.access(), django.refresh(), django.refresh());
        let ours = server.caller(refresh(server, &exchanged).await.expect(200).body);
        Self { access, unused, exchanged, ours }
    }

    async fn expect_dead(&self, server: &TestServer, why: &str) {
        for token in [&self.access, &self.unused, &self.exchanged] {
            expect_refused(server, token, why).await;
        }
        // Wherever the service listens by now.
        server.expect_dead(&server.caller(self.ours.tokens.clone())).await;
    }
}

#[tokio::test]
async fn whatever_ends_all_sessions_ends_all_old_tokens_for_good() {
    const WAYS: [&str; 8] = [
        "log-out with an old token",
        "log-out there with an old token",
        "log-out everywhere",
        "a new password",
        "a reset",
        "a password that was assigned",
        "sessions ended by staff",
        "disabled, and enabled again",
    ];
    for way in WAYS {
        let (server, ada, mut django) = with_ada().await;
        let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
        let server = server.operated(&arguments, &format!("{PASSWORD}\n")).await;
        let (root, ada) = (server.logged_in(ROOT).await, server.caller(ada.tokens));
        let held = Held::new(&server, &mut django).await;
        let old = server.holder(&held.access);
        match way {
            "log-out with an old token" => old.post("/auth/logout/", &json!({})).await.expect(204),
            "log-out there with an old token" => old.post(LOGOUT, &json!({})).await.expect(200),
            "log-out everywhere" => ada.delete("/auth/logout/").await.expect(204),
            "a new password" => {
                let body = json!({ "old_password": PASSWORD, "new_password": NEW });
                ada.post("/auth/password/change/", &body).await.expect(204)
            }
            "a reset" => {
                let anon = server.anon();
                anon.post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
                server.mail_to(ADA).await.reset_link().reset(&server, NEW).await.expect(204)
            }
            "a password that was assigned" => {
                root.put("/auth/admin/users/1/password/", &json!({ "password": NEW })).await.expect(204)
            }
            "sessions ended by staff" => root.delete("/auth/admin/users/1/sessions/").await.expect(204),
            _ => {
                root.delete("/auth/admin/users/1/").await.expect(204);
                held.expect_dead(&server, way).await;
                root.patch("/auth/admin/users/1/", &json!({ "is_active": true })).await.expect(200)
            }
        };
        held.expect_dead(&server, way).await;
        expect_refused(&server, &django.refresh(), "all that are still to come").await;

        let server = server.restart().await;
        held.expect_dead(&server, &format!("{way}, restarted")).await;
        // Not even the sweep forgets them.
        server.advance(days(500));
        server.run_jobs().await;
        django.now += 500 * 86_400;
        expect_refused(&server, &django.access(), &format!("{way}, long ago")).await;
    }
}

#[tokio::test]
async fn an_operator_ends_them_too_even_while_they_do_not_count() {
    let (server, _, mut django) = with_ada().await;
    let held = Held::new(&server, &mut django).await;

    let server = server.restart_with("").await;
    let server = server.operated(&["users", "revoke", ADA], "").await;

    let server = server.restart_with(&settings()).await;
    held.expect_dead(&server, "revoked by an operator").await;
}

#[tokio::test]
async fn a_backup_that_is_put_back_revives_none() {
    let (server, _, mut django) = with_ada().await;
    let server = server.operated(&["backup", "kept"], "").await;
    let held = Held::new(&server, &mut django).await;
    expect_alive(&server, &held.access).await;

    let server = server.operated(&["restore", "kept", "--force"], "").await;

    held.expect_dead(&server, "restored").await;
    server.logged_in(ADA).await;
}

#[tokio::test]
async fn an_account_that_is_gone_has_no_old_tokens() {
    let (server, _, mut django) = with_ada().await;
    let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
    let server = server.operated(&arguments, &format!("{PASSWORD}\n")).await;
    let root = server.logged_in(ROOT).await;
    let held = Held::new(&server, &mut django).await;

    root.delete("/auth/admin/users/1/?purge=true").await.expect(204);

    held.expect_dead(&server, "purged").await;
}

#[tokio::test]
async fn a_session_that_ends_takes_its_old_token_along_and_leaves_the_others() {
    for way in ["by its access token", "by its refresh token", "by the old token", "in the list"] {
        let (server, ada, mut django) = with_ada().await;
        let (access, one, other) = (django.access(), django.refresh(), django.refresh());
        let ours = server.caller(refresh(&server, &one).await.expect(200).body);
        let theirs = server.caller(refresh(&server, &other).await.expect(200).body);
        let body = |token: &str| json!({ "refresh": token });
        match way {
            "by its access token" => ours.post("/auth/logout/", &json!({})).await.expect(204),
            "by its refresh token" => {
                server.anon().post("/auth/logout/", &body(ours.refresh())).await.expect(204)
            }
            "by the old token" => post(&server, LOGOUT, &body(&one)).await.expect(200),
            _ => {
                let id = part_of(ours.access(), 1)["sid"].as_str().expect("an id").to_owned();
                ada.delete(&format!("/auth/sessions/{id}/")).await.expect(204)
            }
        };
        server.expect_dead(&ours).await;
        expect_refused(&server, &one, way).await;
        expect_refused(&server, &access, "it may be of the same log-in").await;
        let server = server.restart().await;
        expect_refused(&server, &one, way).await;
        let theirs = server.caller(theirs.tokens);
        server.expect_alive(&theirs).await;
        refresh_there(&server, &other).await.expect(200);
        server.expect_alive(&server.caller(ada.tokens)).await;
    }
}

#[tokio::test]
async fn a_session_that_made_room_for_others_is_not_opened_again() {
    let (server, ada, mut django) = with_ada().await;
    ada.post("/auth/logout/", &json!({})).await.expect(204);
    let (old, unused) = (django.refresh(), django.refresh());
    let ours = server.caller(refresh(&server, &old).await.expect(200).body);
    for _ in 0..100 {
        server.logged_in(ADA).await;
    }

    server.expect_dead(&ours).await;
    expect_refused(&server, &old, "its session is over").await;
    refresh(&server, &unused).await.expect(200);
}

#[tokio::test]
async fn an_old_refresh_token_that_was_never_used_can_be_logged_out() {
    let (server, ada, mut django) = with_ada().await;
    let (access, old) = (django.access(), django.refresh());
    server.anon().post("/auth/logout/", &json!({ "refresh": old })).await.expect(204);

    expect_refused(&server, &old, "logged out").await;
    expect_refused(&server, &access, "it may be of the same log-in").await;
    server.expect_alive(&ada).await;
    assert_eq!(count_log_ins(&server), 0);
}

#[tokio::test]
async fn what_needs_a_session_sends_an_old_token_to_be_refreshed() {
    let (server, _, mut django) = with_ada().await;
    let held = Held::new(&server, &mut django).await;
    let old = server.holder(&held.access);
    let change = json!({ "old_password": PASSWORD, "new_password": NEW });
    for answer in [
        old.post("/auth/password/change/", &change).await,
        old.post("/auth/email/change/", &json!({ "new_email": "a@b.com", "password": PASSWORD })).await,
        old.post("/auth/api-keys/", &json!({ "name": "mine" })).await,
        old.json(Method::DELETE, "/auth/profile/", &json!({ "password": PASSWORD })).await,
    ] {
        answer.expect_problem(401, "invalid_token");
    }
    let told = old.post("/api/authentication/password/change/", &json!({})).await.expect(401).body;
    assert_eq!(told["code"], "token_not_valid", "by which front ends know it");

    held.ours.post("/auth/password/change/", &change).await.expect(204);

    server.expect_alive(&held.ours).await;
    expect_refused(&server, &held.access, "of before the change").await;
    expect_refused(&server, &held.unused, "of before the change").await;
    refresh(&server, &held.exchanged).await.expect(200);
}

#[tokio::test]
async fn an_exchange_is_no_log_in_to_a_link_that_waits_in_a_mailbox() {
    let (server, _, mut django) = with_ada().await;
    server.anon().post("/auth/password/request_change/", &json!({ "email": ADA })).await.expect(202);
    let link = server.mail_to(ADA).await.reset_link();

    refresh(&server, &django.refresh()).await.expect(200);

    link.check(&server).await.expect(200);
}

#[tokio::test]
async fn what_no_simplejwt_signed_is_no_old_token() {
    // The same secret for both: what is ours and what is old is told apart all the same.
    let more = format!("tokens.algorithm = \"HS256\"\ntokens.hs256_secret = {SECRET:?}");
    let (server, ada, mut django) = with_ada_and(&more).await;
    let ours = part_of(ada.access(), 1);
    let our_header = part_of(ada.access(), 0).to_string();
    let mut old = |kind: &str| django.claims(kind, &json!("1"));
    let with = |mut claims: Value, member: &str, value: Value| {
        claims[member] = value;
        claims
    };
    let mut both = old("access");
    for (name, value) in ours.as_object().expect("an object") {
        both.as_object_mut().expect("an object").entry(name.clone()).or_insert(value.clone());
    }
    let exp = ours["exp"].as_u64().expect("a moment");
    for (token, why) in [
        (signed_by(SECRET, r#"{"alg":"none","typ":"JWT"}"#, &old("access")), "alg none"),
        (signed_by(SECRET, r#"{"alg":"RS256","typ":"JWT"}"#, &old("access")), "RS256 with the secret"),
        (signed_by(SECRET, r#"{"alg":"HS512","typ":"JWT"}"#, &old("access")), "HS512"),
        (signed_by(SECRET, r#"{"alg":"HS256"}"#, &old("access")), "no typ"),
        (signed_by(SECRET, r#"{"alg":"HS256","typ":"rt+jwt"}"#, &old("refresh")), "our typ"),
        (signed_by(SECRET, &our_header, &old("access")), "old claims under our header"),
        (signed_by(SECRET, HEADER, &ours), "our claims under an old header"),
        (signed_by("another secret of at least 32 bytes.", HEADER, &old("access")), "another secret"),
        (signed_by(SECRET, HEADER, &with(old("access"), "exp", Value::Null)), "no end"),
        (signed_by(SECRET, HEADER, &with(old("access"), "exp", json!(exp + 401 * 86_400))), "too long"),
        (signed_by(SECRET, HEADER, &with(old("refresh"), "exp", json!(u64::MAX))), "for ever"),
        (signed_by(SECRET, HEADER, &with(old("access"), "user_id", json!("2"))), "nobody"),
        (signed_by(SECRET, HEADER, &with(old("refresh"), "user_id", json!(2))), "nobody"),
        (signed_by(SECRET, HEADER, &with(old("access"), "user_id", json!(0))), "user 0"),
        (signed_by(SECRET, HEADER, &with(old("access"), "user_id", json!("01"))), "another spelling"),
        (signed_by(SECRET, HEADER, &with(old("access"), "token_type", json!("sliding"))), "sliding"),
    ] {
        expect_refused(&server, &token, why).await;
    }
    server.expect_alive(&ada).await;
    expect_alive(&server, &signed_by(SECRET, HEADER, &both)).await;
    assert_eq!(count_log_ins(&server), 0);
}

/// The first accounts of a service have the first numbers, and so had those of the service before.
#[tokio::test]
async fn whoever_did_not_come_from_there_has_no_old_tokens() {
    let (declared, settings) = (
        "\n[[bootstrap.users]]\nusername = \"first\"\nis_superuser = true\n",
        format!("tokens.accept = [{SECRET:?}]\ncompat.profiles = [\"dj-rest-auth\"]"),
    );
    let server = TestServer::start_with(&format!("{settings}{declared}")).await;
    let ada = server.registered(ADA).await;
    let mut django = Django::at(&ada);
    for user in ["1", "2"] {
        for kind in ["access", "refresh"] {
            let token = signed_by(SECRET, HEADER, &django.claims(kind, &json!(user)));
            expect_refused(&server, &token, "of somebody else there").await;
        }
    }
}

#[tokio::test]
async fn what_ended_before_a_backup_knew_of_it_stays_over_when_it_is_put_back() {
    let server = imported(TestServer::start().await).await;
    let server = server.operated(&["backup", "kept"], "").await;
    let ada = server.logged_in(ADA).await;
    let (mut django, server) = (Django::at(&ada), server.restart_with(&settings()).await);
    let held = Held::new(&server, &mut django).await;

    let server = server.operated(&["restore", "kept", "--force"], "").await;

    held.expect_dead(&server, "restored").await;
}

#[tokio::test]
async fn whoever_joined_after_the_change_has_no_old_tokens() {
    let (server, _, mut django) = with_ada().await;
    let bob = server.registered("bob@example.com").await;
    // There, user 2 is somebody else.
    let mut of_two = |kind: &str| signed_by(SECRET, HEADER, &django.claims(kind, &json!("2")));
    let tokens = [of_two("access"), of_two("refresh")];

    for token in &tokens {
        expect_refused(&server, token, "of another user 2").await;
    }
    let server = server.restart_with("").await.restart_with(&settings()).await;
    for token in &tokens {
        expect_refused(&server, token, "switched off and on").await;
    }
    server.expect_alive(&server.caller(bob.tokens)).await;
}

#[tokio::test]
async fn without_a_secret_no_old_token_counts() {
    let (server, ada, mut django) = with_ada().await;
    let held = Held::new(&server, &mut django).await;
    let server = server.restart_with("compat.profiles = [\"dj-rest-auth\"]").await;

    for token in [held.access, held.unused, held.exchanged] {
        expect_refused(&server, &token, "off").await;
    }
    server.expect_alive(&server.caller(held.ours.tokens)).await;
    server.expect_alive(&server.caller(ada.tokens)).await;
}
