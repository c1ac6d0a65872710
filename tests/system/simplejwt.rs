//! The real djangorestframework-simplejwt beside the real binary: it takes our tokens, and we take those it signed.
//!
//! `KEYSTEAD_TEST_PYTHON` names a Python that has it, with `cryptography`.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Service, configure, configured, keystead, lacks, program, variable};

/// The `SECRET_KEY` of the Django project.
const SECRET: &str = "django-insecure-g8l%2$4v&b)0w!x6f#o1j@q9z*y7u(d3k^";
const LOGIN: &str = "/api/authentication/login/";
const REFRESH: &str = "/api/authentication/token/refresh/";

fn python() -> String {
    variable("KEYSTEAD_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned())
}

fn lacks_simplejwt() -> bool {
    lacks(&[&[&python(), "-c", "import rest_framework_simplejwt, cryptography"]])
}

/// A service that speaks dj-rest-auth, with Ada as its user 1, and what she got when she logged in.
fn with_ada(folder: &Path) -> (Service, Value) {
    let ada = json!({
        "username": "ada", "email": "ada@example.com", "is_active": true,
        "password": "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$HZVSurMBefVBGyj30YVW93GR139curHk9HBEoC8A3Iw=",
    });
    let rows = json!([{ "model": "auth.user", "pk": 1, "fields": ada }]);
    fs::write(folder.join("accounts.json"), rows.to_string()).expect("writable");
    keystead(folder, &["import", "django", "accounts.json"]).run().expect(0);
    let service = Service::start(folder);
    let body = json!({ "username": "ada", "password": PASSWORD });
    let tokens = service.post(LOGIN, &body).expect(200).body;
    (service, tokens)
}

fn text(tokens: &Value, name: &str) -> String {
    tokens[name].as_str().expect("a token").to_owned()
}

/// What a Django project with these settings answers.
fn ask(simple_jwt: &Value, tokens: &[&str]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/fixtures/simplejwt.py");
    let sign = simple_jwt.get("JWK_URL").is_none();
    let asked = json!({ "secret": SECRET, "simple_jwt": simple_jwt, "tokens": tokens, "sign": sign });
    let script = script.to_str().expect("UTF-8").to_owned();
    let ended = program(Path::new("."), &python(), &[&script])
        .env("NO_PROXY", "127.0.0.1")
        .stdin(&asked.to_string())
        .run()
        .expect(0);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

/// The same claims in other bytes: only the signature can tell.
fn tampered(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64url");
    let spaced = [b"{ ", &claims[1..]].concat();
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(spaced), parts[2])
}

#[track_caller]
fn expect_seen(answer: &Value, place: usize, claim: &Value) {
    let seen = &answer["seen"][place];
    assert_eq!(*seen, json!({ "status": 200, "body": { "user": 1, "claim": claim } }));
}

#[track_caller]
fn expect_refused(answer: &Value, place: usize) {
    let seen = &answer["seen"][place];
    assert_eq!((&seen["status"], &seen["body"]["code"]), (&json!(401), &json!("token_not_valid")), "{seen}");
}

#[test]
#[ignore = "needs python3 with djangorestframework-simplejwt"]
fn a_django_project_takes_our_tokens_by_its_secret_and_we_take_its_own() {
    if lacks_simplejwt() {
        return;
    }
    for (user_id, claim) in [("string", json!("1")), ("int", json!(1))] {
        let settings = format!(
            "compat.profiles = [\"dj-rest-auth\"]\nregistration.verification = \"none\"\n\
             tokens.algorithm = \"HS256\"\ntokens.hs256_secret = {SECRET:?}\ntokens.user_id = \"{user_id}\""
        );
        let folder = configured(&settings);
        let (service, ours) = with_ada(folder.path());
        configure(folder.path(), &format!("{settings}\ntokens.accept = [{SECRET:?}]"));
        let service = service.killed_and_started();
        let access = text(&ours, "access");

        // No setting at all: SIGNING_KEY is SECRET_KEY.
        let answer = ask(&json!({}), &[&access, &tampered(&access), &text(&ours, "refresh")]);

        expect_seen(&answer, 0, &claim);
        expect_refused(&answer, 1);
        expect_refused(&answer, 2);

        // What it gave out itself, before the front end was moved.
        let (given, given_refresh) = (text(&answer["given"], "access"), text(&answer["given"], "refresh"));
        let profile = service.get_as(&given, "/auth/profile/").expect(200).body;
        assert_eq!(profile["username"], "ada");
        let refreshed = service.post(REFRESH, &json!({ "refresh": given_refresh })).expect(200).body;
        let exchanged = text(&refreshed, "access");
        service.get_as(&exchanged, "/auth/profile/").expect(200);
        service.post(REFRESH, &json!({ "refresh": tampered(&given_refresh) })).expect(401);
        service.get_as(&tampered(&given), "/auth/profile/").expect(401);
        expect_seen(&ask(&json!({}), &[&exchanged]), 0, &claim);

        service.post("/auth/logout/", &json!({ "refresh": given_refresh })).expect(204);
        let service = service.killed_and_started();
        service.get_as(&given, "/auth/profile/").expect(401);
        service.post(REFRESH, &json!({ "refresh": given_refresh })).expect(401);
    }
}

#[test]
#[ignore = "needs python3 with djangorestframework-simplejwt"]
fn a_django_project_takes_our_tokens_by_our_public_keys() {
    if lacks_simplejwt() {
        return;
    }
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        let folder = configured(&format!(
            "compat.profiles = [\"dj-rest-auth\"]\nregistration.verification = \"none\"\n\
             server.public_url = \"https://id.example.com\"\ntokens.audience = \"shop\"\n\
             tokens.algorithm = \"{algorithm}\""
        ));
        let (service, ours) = with_ada(folder.path());
        let access = text(&ours, "access");
        let settings = json!({
            "ALGORITHM": algorithm,
            "JWK_URL": format!("http://{}/.well-known/jwks.json", service.address),
            "ISSUER": "https://id.example.com",
            "AUDIENCE": "shop",
        });

        let answer = ask(&settings, &[&access, &tampered(&access), &text(&ours, "refresh")]);

        expect_seen(&answer, 0, &json!("1"));
        expect_refused(&answer, 1);
        expect_refused(&answer, 2);
        for (name, value) in [("AUDIENCE", "another shop"), ("ISSUER", "https://other.example.com")] {
            let mut other = settings.clone();
            other[name] = json!(value);
            expect_refused(&ask(&other, &[&access]), 0);
        }
    }
}
