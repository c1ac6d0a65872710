//! Passwords: what a new one must be, what too many at once are told, and what no answer gives away.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Answer, PASSWORD, TestServer};

async fn register(server: &TestServer, password: &str) -> Answer {
    server.anon().post("/auth/register/", &json!({ "email": "ada@example.com", "password": password })).await
}

#[tokio::test]
async fn a_new_password_has_eight_to_256_characters() {
    let server = TestServer::start().await;

    for password in ["7 chars", "🔑", " "] {
        register(&server, password).await.expect_invalid(&[("password", "password_too_short")]);
    }
    register(&server, &"x".repeat(257)).await.expect_invalid(&[("password", "password_too_long")]);
    register(&server, "").await.expect_invalid(&[("password", "blank")]);

    for password in ["8 charss", "        ", "only lower case words", &"x".repeat(64), &"x".repeat(256)] {
        register(&server, password).await.expect(202);
    }
}

#[tokio::test]
async fn characters_are_counted_and_not_bytes() {
    let server = TestServer::start().await;

    // An emoji of a family is five code points, an accent of its own is one.
    for (password, is_enough) in [
        ("é".repeat(7), false),
        ("é".repeat(8), true),
        ("🔑".repeat(7), false),
        ("🔑".repeat(8), true),
        ("e\u{301}".repeat(3), false),
        ("e\u{301}".repeat(4), true),
        ("👩\u{200d}👩\u{200d}👧".to_owned(), false),
        ("👩\u{200d}👩\u{200d}👧".repeat(2), true),
        ("🔑".repeat(256), true),
    ] {
        let answer = register(&server, &password).await;

        if is_enough {
            answer.expect(202);
        } else {
            answer.expect_invalid(&[("password", "password_too_short")]);
        }
    }
    register(&server, &"é".repeat(257)).await.expect_invalid(&[("password", "password_too_long")]);
}

#[tokio::test]
async fn a_password_of_many_code_points_opens_its_account() {
    let server = TestServer::start().await;
    let password = "🔑é e\u{301} \u{0} ".repeat(10);

    server.registered_as(json!({ "email": "ada@example.com", "password": password })).await;

    let body = json!({ "identifier": "ada@example.com", "password": password });
    server.anon().post("/auth/login/", &body).await.expect(200);
}

#[tokio::test]
async fn the_lengths_are_those_of_the_configuration() {
    let settings = "passwords.min_length = 15\npasswords.max_length = 20";
    let server = TestServer::start_with(settings).await;

    let short = register(&server, "fourteen chars").await;
    let long = register(&server, "twenty-one characters").await;

    let short = short.expect_invalid(&[("password", "password_too_short")]);
    assert!(short.body["errors"]["password"][0]["message"].as_str().expect("text").contains("15"));
    let long = long.expect_invalid(&[("password", "password_too_long")]);
    assert!(long.body["errors"]["password"][0]["message"].as_str().expect("text").contains("20"));
    register(&server, "fifteen chars..").await.expect(202);
    register(&server, "exactly twenty chars").await.expect(202);
}

#[tokio::test]
async fn stricter_rules_lock_nobody_out() {
    let server = TestServer::start().await;
    let password = "8 charss";
    server.registered_as(json!({ "email": "ada@example.com", "password": password })).await;

    let server = server.restart_with("passwords.min_length = 15").await;

    let body = json!({ "identifier": "ada@example.com", "password": password });
    server.anon().post("/auth/login/", &body).await.expect(200);
}

#[tokio::test]
async fn more_than_1024_bytes_are_refused_whatever_the_configuration_says() {
    let server = TestServer::start_with("passwords.max_length = 1024").await;

    register(&server, &"x".repeat(1024)).await.expect(202);

    for password in ["x".repeat(1025), "é".repeat(513), "x".repeat(8 * 1024)] {
        register(&server, &password).await.expect_invalid(&[("password", "password_too_long")]);
    }
    let events = server.events();
    assert_eq!(events, ["user.registered"]);
}

#[tokio::test]
async fn each_rule_has_its_code_and_all_are_told_at_once() {
    let server = TestServer::start().await;
    let told = async |password: &str| {
        let body = json!({
            "email": "babbage@example.com",
            "username": "countess",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "password": password,
        });
        server.anon().post("/auth/register/", &body).await
    };

    for (password, codes) in [
        ("short", &["password_too_short"][..]),
        ("Countess1", &["password_too_similar"]),
        ("lovelace-ada", &["password_too_similar"]),
        ("babbage@example", &["password_too_similar"]),
        ("iloveyou", &["password_too_common"]),
        (" PassWord ", &["password_too_common"]),
        ("190600271815", &["password_entirely_numeric"]),
        ("٣٤٥٦٧٨٩٠١", &["password_entirely_numeric"]),
        ("123456789012345", &["password_entirely_numeric"]),
        ("1234567", &["password_too_short", "password_too_common", "password_entirely_numeric"]),
        ("ada", &["password_too_short", "password_too_similar", "password_too_common"]),
        ("passwordpassword", &["password_too_common"]),
        ("countesscountess", &["password_too_similar"]),
        ("keystead", &["password_too_common"]),
    ] {
        let expected: Vec<(&str, &str)> = codes.iter().map(|code| ("password", *code)).collect();
        told(password).await.expect_invalid(&expected);
    }

    let similar = told("countess").await;
    assert_eq!(
        similar.body["errors"]["password"][0]["message"],
        "The password is too similar to the username."
    );
    told("correct horse battery").await.expect(202);
}

#[tokio::test]
async fn a_fact_that_is_refused_itself_says_nothing_about_the_password() {
    let server = TestServer::start().await;
    let body = json!({ "email": "not an address", "username": "a b c d e", "password": "not an address" });

    let answer = server.anon().post("/auth/register/", &body).await;

    answer.expect_invalid(&[("email", "invalid_email"), ("username", "invalid_username")]);
}

#[tokio::test]
async fn the_rules_are_those_of_the_configuration() {
    let server = TestServer::start_with("passwords.validators = [\"digit\"]").await;

    register(&server, "no number").await.expect_invalid(&[("password", "password_no_digit")]);
    for password in ["1", "password1", "ada@example.com1", "12345678"] {
        register(&server, password).await.expect(202);
    }

    let server = server.restart_with("passwords.validators = []").await;
    register(&server, "a").await.expect(202);
    register(&server, &"é".repeat(257)).await.expect_invalid(&[("password", "password_too_long")]);
}

#[tokio::test]
async fn the_policy_is_told_to_everybody() {
    let server = TestServer::start().await;

    let policy = server.anon().get("/auth/password/policy/").await.expect(200).body;

    assert_eq!(
        (&policy["min_length"], &policy["max_length"], &policy["max_bytes"]),
        (&json!(8), &json!(256), &json!(1024))
    );
    assert_eq!(policy["validators"], json!(["length", "similarity", "common", "numeric"]));
    assert_eq!(
        policy["rules"],
        json!([
            "Your password must contain at least 8 characters.",
            "Your password can’t be too similar to your other personal information.",
            "Your password can’t be a commonly used password.",
            "Your password can’t be entirely numeric.",
            "Your password must contain at most 256 characters.",
        ])
    );
    assert!(policy["unicode"].as_str().expect("text").contains("NFC"));

    let settings = "passwords.validators = [\"digit\"]\npasswords.max_length = 1";
    let server = server.restart_with(settings).await;
    let policy = server.anon().get("/auth/password/policy/").await.expect(200).body;
    assert_eq!(policy["min_length"], Value::Null);
    let rules =
        ["Your password must contain at least one digit.", "Your password must contain at most 1 character."];
    assert_eq!(policy["rules"], json!(rules));
}

#[tokio::test]
async fn a_password_opens_its_account_only_as_it_was_sent() {
    let server = TestServer::start().await;
    for (n, (password, others)) in [
        ("caf\u{e9} au lait", &["cafe\u{301} au lait", "CAF\u{c9} AU LAIT", "caf\u{e9} au lait "][..]),
        ("cafe\u{301} au lait", &["caf\u{e9} au lait"]),
        (" room at both ends ", &["room at both ends", " room at both ends", "room at both ends "]),
        ("nul\u{0}in the middle", &["nul", "nulin the middle"]),
        ("line end at the end\n", &["line end at the end"]),
        ("ﬁrst ligature", &["first ligature"]),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("user{n}@example.com");
        server.registered_as(json!({ "email": email, "password": password })).await;
        let log_in = async |password: &str| {
            let body = json!({ "identifier": email, "password": password });
            server.anon().post("/auth/login/", &body).await
        };

        log_in(password).await.expect(200);
        for other in others {
            log_in(other).await.expect_problem(401, "invalid_credentials");
        }
    }
}

#[tokio::test]
async fn an_operators_change_of_a_password_is_in_the_audit_log_and_ends_the_sessions() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let eve = server.registered("eve@example.com").await;

    let arguments = ["changepassword", "ada@example.com", "--password-stdin"];
    let server = server.operated(&arguments, "another fine horse\n").await;

    assert_eq!(server.events().last(), Some(&"password.changed"));
    let [ada, eve] = [ada, eve].map(|caller| server.caller(caller.tokens));
    server.expect_dead(&ada).await;
    server.expect_alive(&eve).await;
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_registration_is_said_at_once() {
    let server = TestServer::start().await;
    let body =
        json!({ "email": "ada", "username": "a b", "password": "short", "avatar": "ftp://x", "rank": 1 });

    let answer = server.anon().post("/auth/register/", &body).await;

    answer.expect_invalid(&[
        ("email", "invalid_email"),
        ("username", "invalid_username"),
        ("password", "password_too_short"),
        ("avatar", "invalid_url"),
        ("rank", "unknown_field"),
    ]);
}

#[tokio::test]
async fn no_password_of_another_type_is_taken() {
    let server = TestServer::start().await;

    for (password, code) in [
        (json!(12_345_678), "type"),
        (json!(["correct horse battery"]), "type"),
        (json!({ "$ne": "" }), "type"),
        (json!(true), "type"),
        (Value::Null, "null"),
    ] {
        let body = json!({ "email": "ada@example.com", "password": password });
        server.anon().post("/auth/register/", &body).await.expect_invalid(&[("password", code)]);
    }
    let body = json!({ "email": "ada@example.com" });
    server.anon().post("/auth/register/", &body).await.expect_invalid(&[("password", "required")]);
}

#[tokio::test]
async fn no_answer_repeats_a_password() {
    let server = TestServer::start().await;
    server.registered("ada@example.com").await;
    let canary = "canary-7f3a";
    let anon = server.anon();

    let answers = [
        register(&server, canary).await,
        register(&server, &canary.repeat(100)).await,
        anon.post("/auth/login/", &json!({ "identifier": "ada@example.com", "password": canary })).await,
        anon.post("/auth/login/", &json!({ "identifier": 1, "password": canary })).await,
        anon.post("/auth/login/", &json!({ "password": [canary] })).await,
    ];

    for answer in answers {
        assert!(!answer.text.contains(canary), "{}", answer.text);
    }
    let store = server.store_bytes();
    assert!(!store.windows(canary.len()).any(|window| window == canary.as_bytes()));
    assert!(!store.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
}

#[tokio::test]
async fn whether_an_address_has_an_account_shows_nowhere_in_the_answer() {
    let server = TestServer::start().await;
    server.registered("taken@example.com").await;
    let anon = server.anon();
    let pending = json!({ "email": "pending@example.com", "password": PASSWORD });
    anon.post("/auth/register/", &pending).await.expect(202);

    let mut seen = Vec::new();
    for email in ["taken@example.com", "pending@example.com", "unused@example.com"] {
        let body = json!({ "email": email, "password": PASSWORD });
        let registered = anon.post("/auth/register/", &body).await.expect(202);
        let resent =
            anon.post("/auth/register/resend_email_verify/", &json!({ "email": email })).await.expect(202);
        let guess = json!({ "email": email, "code": "00000000" });
        let guessed = anon.post("/auth/register/verify/", &guess).await;
        let body = json!({ "identifier": email, "password": "wrong horse battery" });
        let refused = anon.post("/auth/login/", &body).await;
        let answers = [registered, resent, guessed, refused];
        seen.push(answers.map(|answer| {
            let members = answer.body.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
            let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            let (status, mut body) = answer.anonymous();
            if body.get("email").is_some() {
                assert_eq!(body["email"], email);
                body["email"] = Value::Null;
            }
            (status, body, members, names)
        }));
    }

    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn too_many_log_ins_at_once_are_turned_away_and_harm_nobody() {
    let settings = "passwords.threads = 1\npasswords.queue = 1\npasswords.max_wait = \"30s\"\n\
                    passwords.memory_kib = 65536\npasswords.iterations = 3";
    let server = TestServer::start_with(settings).await;
    let ada = server.registered("ada@example.com").await;
    let mut logging_in = JoinSet::new();
    for n in 0..20 {
        let anon = server.anon();
        let password = if n % 2 == 0 { PASSWORD } else { "wrong horse battery" };
        let body = json!({ "identifier": "ada@example.com", "password": password });
        logging_in.spawn(async move { (n % 2 == 0, anon.post("/auth/login/", &body).await) });
    }

    let mut turned_away = 0;
    let mut answered = 0;
    while let Some(joined) = logging_in.join_next().await {
        let (is_right, answer) = joined.expect("no panic");
        server.expect_alive(&ada).await;
        if answer.status == 503 {
            let answer = answer.expect_problem(503, "overloaded");
            let wait: u64 = answer.header("retry-after").expect("a time").parse().expect("seconds");
            assert!((1..=30).contains(&wait), "{wait}");
            turned_away += 1;
        } else if is_right {
            server.expect_alive(&server.caller(answer.expect(200).body)).await;
            answered += 1;
        } else {
            answer.expect_problem(401, "invalid_credentials");
            answered += 1;
        }
    }

    assert!(turned_away > 0 && answered > 0, "{turned_away} turned away, {answered} answered");
    server.expect_alive(&server.logged_in("ada@example.com").await).await;
    let body = json!({ "identifier": "ada@example.com", "password": "wrong horse battery" });
    server.anon().post("/auth/login/", &body).await.expect_problem(401, "invalid_credentials");
}
