//! How often things may be tried, by whom, and that strangers keep nobody out.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Answer, Caller, PASSWORD, TestServer, days, minutes};
use crate::sessions::bytes_of;

const ADA: &str = "ada@example.com";
const HOME: &str = "192.0.2.1";
const WRONG: &str = "wrong horse battery";

/// The limits as they are by default, and a proxy on this machine that says where callers are.
const LIMITED: &str = "limits.enabled = true\nserver.trusted_proxies = [\"127.0.0.1\", \"::1\"]";

/// The same with no limit for an address, so that a test of the account's can go fast.
fn by_account_only() -> String {
    format!("{LIMITED}\nlimits.login = \"5/5m/account\"\nlimits.register = \"\"\nlimits.verify = \"\"")
}

/// A server with a user who registered at home.
async fn with_ada(settings: &str) -> (TestServer, Caller) {
    let server = TestServer::start_with(settings).await;
    let ada = register_at(&server, HOME, ADA).await;
    (server, ada)
}

async fn register_at(server: &TestServer, address: &str, email: &str) -> Caller {
    let caller = server.at(address);
    let body = json!({ "email": email, "username": email.split('@').next(), "password": PASSWORD });
    caller.post("/auth/register/", &body).await.expect(202);
    let code = server.mail_to(email).await.code();
    let verified = caller.post("/auth/register/verify/", &json!({ "email": email, "code": code })).await;
    server.caller(verified.expect(200).body)
}

async fn log_in(caller: &Caller, identifier: &str, password: &str) -> Answer {
    caller.post("/auth/login/", &json!({ "identifier": identifier, "password": password })).await
}

/// A stranger's address: each number another.
fn stranger(number: usize) -> String {
    format!("198.51.{}.{}", number / 250, number % 250 + 1)
}

fn number(answer: &Answer, name: &str) -> u64 {
    let value = answer.header(name).unwrap_or_else(|| panic!("no {name}: {:?}", answer.headers));
    value.parse().expect("a number")
}

#[track_caller]
fn expect_limited(answer: Answer, limit: u64) -> u64 {
    let answer = answer.expect_problem(429, "rate_limited");
    let retry_after = number(&answer, "retry-after");
    assert!(retry_after >= 1);
    assert_eq!(number(&answer, "ratelimit-limit"), limit);
    assert_eq!(number(&answer, "ratelimit-remaining"), 0);
    assert_eq!(number(&answer, "ratelimit-reset"), retry_after);
    retry_after
}

#[tokio::test]
async fn each_limited_endpoint_says_how_the_address_stands_and_then_refuses() {
    for (path, body, limit) in [
        ("/auth/login/", json!({ "identifier": "nobody", "password": WRONG }), 30),
        ("/auth/register/", json!({ "email": "not an address" }), 20),
        ("/auth/register/resend_email_verify/", json!({ "email": ADA }), 20),
        ("/auth/register/verify/", json!({ "code": "12345678", "email": ADA }), 20),
    ] {
        let settings = format!("{LIMITED}\nlimits.login = \"30/m/ip\"");
        let server = TestServer::start_with(&settings).await;
        let (home, neighbour) = (server.at(HOME), server.at("192.0.2.2"));

        for taken in 1..=limit {
            let answer = home.post(path, &body).await;
            assert!(answer.status != 429, "{path} {taken}");
            assert_eq!(number(&answer, "ratelimit-limit"), limit, "{path}");
            // While the test runs some may come back.
            assert!(number(&answer, "ratelimit-remaining").abs_diff(limit - taken) <= 10, "{path}");
            assert!((1..=60).contains(&number(&answer, "ratelimit-reset")), "{path}");
        }
        let mut refused = home.post(path, &body).await;
        for _ in 0..60 {
            if refused.status == 429 {
                break;
            }
            refused = home.post(path, &body).await;
        }

        let wait = expect_limited(refused, limit);
        assert!(wait <= 60 / limit + 1, "{path} {wait}");
        assert!(neighbour.post(path, &body).await.status != 429, "{path}");
        server.advance(Duration::from_secs(wait));
        assert!(home.post(path, &body).await.status != 429, "{path}");
    }
}

#[tokio::test]
async fn too_often_is_said_before_the_body_is_read_and_the_connection_goes_on() {
    let server = TestServer::start_with(&format!("{LIMITED}\nlimits.login = \"1/h/ip\"")).await;
    let home = server.at(HOME);
    log_in(&home, "nobody", WRONG).await.expect(401);

    let nonsense = home
        .send(hyper::Method::POST, "/auth/login/", &[("content-type", "text/plain")], Some(vec![b'x'; 9000]))
        .await;

    expect_limited(nonsense, 1);
    expect_limited(log_in(&home, "nobody", WRONG).await, 1);
    home.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn without_limits_nothing_is_counted_and_nothing_is_said() {
    let server = TestServer::start().await;

    for _ in 0..40 {
        let answer = log_in(&server.anon(), "nobody", WRONG).await.expect(401);
        assert!(answer.header("ratelimit-limit").is_none());
    }
}

#[tokio::test]
async fn an_ipv6_network_is_one_address() {
    let settings = format!("{LIMITED}\nlimits.login = \"2/h/ip\"");
    let server = TestServer::start_with(&settings).await;

    log_in(&server.at("2001:db8::1"), "a", WRONG).await.expect(401);
    log_in(&server.at("[2001:db8::ffff:2]:8080"), "b", WRONG).await.expect(401);

    expect_limited(log_in(&server.at("2001:db8::3"), "c", WRONG).await, 2);
    log_in(&server.at("2001:db8:0:1::3"), "c", WRONG).await.expect(401);
    log_in(&server.at("::ffff:192.0.2.9"), "c", WRONG).await.expect(401);
    log_in(&server.at("192.0.2.9"), "c", WRONG).await.expect(401);
    expect_limited(log_in(&server.at("192.0.2.9"), "c", WRONG).await, 2);
}

#[tokio::test]
async fn nobody_takes_from_the_limit_of_an_address_that_they_only_name() {
    let settings =
        "limits.enabled = true\nlimits.login = \"3/h/ip\"\nserver.trusted_proxies = [\"10.0.0.1\"]";
    let server = TestServer::start_with(settings).await;

    for victim in 1..=3 {
        log_in(&server.at(&stranger(victim)), "nobody", WRONG).await.expect(401);
    }

    // All of them were counted for the peer, whatever it says.
    expect_limited(log_in(&server.at(&stranger(4)), "nobody", WRONG).await, 3);

    let behind_a_proxy = TestServer::start_with(&format!("{LIMITED}\nlimits.login = \"3/h/ip\"")).await;
    for _ in 0..3 {
        // What a client writes stands left of what the proxy adds.
        let forged = behind_a_proxy.at(&format!("{HOME}, {}", stranger(1)));
        log_in(&forged, "nobody", WRONG).await.expect(401);
    }
    expect_limited(log_in(&behind_a_proxy.at(&stranger(1)), "nobody", WRONG).await, 3);
    log_in(&behind_a_proxy.at(HOME), "nobody", WRONG).await.expect(401);
}

#[tokio::test]
async fn every_spelling_of_an_account_is_one_account() {
    let (server, _) = with_ada(&by_account_only()).await;

    for (guess, spelling) in
        [ADA, "ADA@Example.COM", "ada", " ada@example.com ", "ＡＤＡ"].into_iter().enumerate()
    {
        log_in(&server.at(&stranger(guess)), spelling, WRONG).await.expect(401);
    }

    for (guess, spelling) in [ADA, "ADA@example.com", "Ada", "ａda@example.com"].into_iter().enumerate() {
        expect_limited(log_in(&server.at(&stranger(guess + 10)), spelling, WRONG).await, 5);
    }
}

/// Five wrong ones under one spelling, one under another: the last status must not tell whether there is an account.
#[tokio::test]
async fn how_spellings_are_counted_tells_nobody_that_there_is_an_account() {
    let (server, _) = with_ada(&by_account_only()).await;
    let pairs = |name: &str| {
        let other = format!("ａ{}", &name[1..]);
        let upper = name.to_uppercase();
        [(name.to_owned(), other.clone()), (name.to_owned(), upper), (other, name.to_owned())]
    };

    for ((one, other), (known_one, known_other)) in
        pairs("abe@example.com").into_iter().zip(pairs("ada@example.com"))
    {
        let (server, again) = (&server, "after six minutes the buckets are full");
        let statuses = async |one: &str, other: &str| {
            for guess in 0..5 {
                log_in(&server.at(&stranger(guess)), one, WRONG).await;
            }
            log_in(&server.at(&stranger(9)), other, WRONG).await.status
        };
        let expected = statuses(&one, &other).await;
        assert_eq!(statuses(&known_one, &known_other).await, expected, "{one} {other} {again}");
        server.advance(minutes(6));
    }
}

#[tokio::test]
async fn strangers_keep_nobody_out_who_logged_in_before() {
    let (server, ada) = with_ada(LIMITED).await;
    let work = server.at("192.0.2.77");
    log_in(&work, ADA, PASSWORD).await.expect(200);

    let mut refused = 0;
    for guess in 0..60 {
        refused += usize::from(log_in(&server.at(&stranger(guess)), ADA, WRONG).await.status == 429);
    }

    assert_eq!(refused, 55);
    // Not even the right password opens the strangers' lane while it is closed.
    expect_limited(log_in(&server.at(&stranger(99)), ADA, PASSWORD).await, 5);
    ada.get("/auth/profile/").await.expect(200);
    log_in(&work, ADA, PASSWORD).await.expect(200);
    log_in(&server.at(HOME), ADA, PASSWORD).await.expect(200);
    // A lane of one's own takes wrong passwords too, and counts them.
    for _ in 0..5 {
        log_in(&work, ADA, WRONG).await.expect(401);
    }
    expect_limited(log_in(&work, ADA, PASSWORD).await, 5);
    log_in(&server.at(HOME), ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_success_of_one_clears_nobody_elses_bucket() {
    let (server, _) = with_ada(&by_account_only()).await;
    let eve = stranger(1);
    register_at(&server, &eve, "eve@example.com").await;

    // Between her guesses Eve logs in to her own account.
    for _ in 0..5 {
        log_in(&server.at(&eve), ADA, WRONG).await.expect(401);
        log_in(&server.at(&eve), "eve", PASSWORD).await.expect(200);
    }
    expect_limited(log_in(&server.at(&eve), ADA, WRONG).await, 5);
    // Nor does Ada's own success open the strangers' lane.
    log_in(&server.at(HOME), ADA, PASSWORD).await.expect(200);
    expect_limited(log_in(&server.at(&eve), ADA, WRONG).await, 5);

    let by_address = TestServer::start_with(&format!("{LIMITED}\nlimits.login = \"4/h/ip\"")).await;
    register_at(&by_address, HOME, "eve@example.com").await;
    for _ in 0..2 {
        log_in(&by_address.at(HOME), ADA, WRONG).await.expect(401);
        log_in(&by_address.at(HOME), "eve", PASSWORD).await.expect(200);
    }
    expect_limited(log_in(&by_address.at(HOME), "eve", PASSWORD).await, 4);
}

#[tokio::test]
async fn the_pauses_grow_to_the_period_and_survive_a_restart() {
    let (mut server, _) = with_ada(&by_account_only()).await;
    let mut waits = Vec::new();
    for guess in 0..30 {
        let answer = log_in(&server.at(&stranger(guess)), ADA, WRONG).await;
        if answer.status == 429 {
            let wait = expect_limited(answer, 5);
            waits.push(wait);
            server = server.restart().await;
            expect_limited(log_in(&server.at(&stranger(guess)), ADA, WRONG).await, 5);
            server.advance(Duration::from_secs(wait));
            log_in(&server.at(&stranger(guess)), ADA, WRONG).await.expect(401);
        }
    }

    assert!(waits.is_sorted_by(|one, next| next + 5 >= *one), "{waits:?}");
    assert!(waits[0] <= 60 && (290..=300).contains(waits.last().expect("some")), "{waits:?}");
}

/// Lets strangers be wrong so many times more, with all the time that takes.
async fn guess_wrong(server: &TestServer, identifier: &str, times: usize) {
    for guess in 0..times {
        server.advance(minutes(6));
        log_in(&server.at(&stranger(guess)), identifier, WRONG).await.expect(401);
    }
}

#[tokio::test]
async fn after_a_hundred_wrong_ones_in_a_row_no_stranger_is_right() {
    let settings = format!("{}\ntokens.access_ttl = \"30d\"", by_account_only());
    let (server, ada) = with_ada(&settings).await;
    guess_wrong(&server, ADA, 99).await;
    server.advance(minutes(6));
    let wrong = log_in(&server.at(&stranger(200)), ADA, WRONG).await;

    let server = server.restart().await;
    server.advance(minutes(6));
    let right = log_in(&server.at(&stranger(201)), ADA, PASSWORD).await;

    assert_eq!(bytes_of(&right), bytes_of(&wrong));
    right.expect_problem(401, "invalid_credentials");
    server.holder(ada.access()).get("/auth/profile/").await.expect(200);
    log_in(&server.at(HOME), ADA, PASSWORD).await.expect(200);
    server.advance(days(30));
    server.run_jobs().await;
    log_in(&server.at(&stranger(202)), ADA, PASSWORD).await.expect_problem(401, "invalid_credentials");
    log_in(&server.at(HOME), ADA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn ninety_nine_wrong_ones_are_forgiven_by_a_right_one() {
    let (server, _) = with_ada(&by_account_only()).await;
    guess_wrong(&server, ADA, 99).await;
    server.advance(minutes(6));

    log_in(&server.at(&stranger(300)), ADA, PASSWORD).await.expect(200);

    guess_wrong(&server, ADA, 99).await;
    server.advance(minutes(6));
    log_in(&server.at(&stranger(301)), ADA, PASSWORD).await.expect(200);
}

/// All that a stranger sees of a wrong password, but the time.
pub(crate) fn seen(answer: &Answer) -> (StatusCode, Vec<(String, String)>, String) {
    let (status, mut headers, text) = bytes_of(answer);
    let tells_time = |name: &str| ["retry-after", "ratelimit-reset"].contains(&name);
    headers.iter_mut().filter(|(name, _)| tells_time(name)).for_each(|(_, value)| value.clear());
    (status, headers, text)
}

#[tokio::test]
async fn a_name_that_nobody_has_goes_through_the_same_as_one_that_somebody_has() {
    let settings = format!("{LIMITED}\nlimits.login = \"1000000/m/ip, 5/5m/account\"");
    let (server, _) = with_ada(&settings).await;
    let mut ends = Vec::new();

    for step in 0..120 {
        let caller = server.at(&stranger(step));
        let known = log_in(&caller, ADA, WRONG).await;
        let unknown = log_in(&caller, "abe@example.com", WRONG).await;

        // The address's own count goes down with each of the two.
        let both = [&known, &unknown].map(|answer| {
            let (status, mut headers, text) = seen(answer);
            headers.retain(|(name, _)| status == 429 || name != "ratelimit-remaining");
            (status, headers, text)
        });
        assert_eq!(both[0], both[1], "{step}");
        if known.status == 429 {
            let [one, other] = [&known, &unknown].map(|answer| number(answer, "retry-after"));
            assert!(one.abs_diff(other) <= 1, "{step}: {one} {other}");
            server.advance(Duration::from_secs(one.max(other)));
        }
        ends.push(known.status.as_u16());
    }

    assert!(ends.iter().filter(|status| **status == 401).count() >= 60, "{ends:?}");
    server.run_jobs().await;
    log_in(&server.at(&stranger(0)), "abe@example.com", WRONG).await;
    server.advance(days(8));
    // The names that nobody has are forgotten in the end.
    server.run_jobs().await;
    for guess in 0..5 {
        log_in(&server.at(&stranger(guess)), "abe@example.com", WRONG).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_guesses_at_once_no_more_count_than_one_after_the_other() {
    let settings = format!("{}\npasswords.queue = 64", by_account_only());
    let (server, _) = with_ada(&settings).await;
    for round in 0..4 {
        server.advance(minutes(6));
        let before = server.events().len();
        let mut guessing = JoinSet::new();
        for guess in 0..51 {
            let (caller, password) =
                (server.at(&stranger(guess)), if guess == 50 { PASSWORD } else { WRONG });
            guessing.spawn(async move { log_in(&caller, ADA, password).await.status.as_u16() });
        }

        let statuses = guessing.join_all().await;

        let count = |status| statuses.iter().filter(|other| **other == status).count();
        assert!(count(401) <= 5, "{round}: {statuses:?}");
        assert!(count(200) <= 1 && count(200) + count(401) + count(429) == 51, "{round}: {statuses:?}");
        let told = server.events()[before..].iter().filter(|kind| kind.starts_with("login.")).count();
        assert_eq!(told, count(200) + count(401), "{round}");
        // The right one may have been among the first, and then its address is known.
        if count(200) == 1 {
            return;
        }
        expect_limited(log_in(&server.at(&stranger(50)), ADA, PASSWORD).await, 5);
    }
}

#[tokio::test]
async fn a_mailbox_gets_five_mails_whatever_its_names() {
    let settings = format!("{LIMITED}\nlimits.register = \"\"\nlimits.verify = \"\"\npasswords.queue = 64");
    let server = TestServer::start_with(&settings).await;
    let mut answers = Vec::new();
    for n in 0..30 {
        let email = match n % 3 {
            0 => format!("ada+{n}@example.com"),
            1 => format!("ADA+{n}@Example.com"),
            _ => "ada@example.com".to_owned(),
        };
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = server.at(&stranger(n)).post("/auth/register/", &body).await.expect(202);
        let mut members = answer.body.as_object().expect("an object").clone();
        assert_eq!(members.remove("email"), Some(json!(email)));
        assert!(members.remove("registration").is_some_and(|handle| handle.is_string()));
        answers.push(Value::Object(members));
    }

    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(server.count_mails().await, 5);
    server.advance(minutes(2));
    for n in 0..10 {
        let body = json!({ "email": format!("ada+{n}@example.com") });
        server.at(&stranger(n)).post("/auth/register/resend_email_verify/", &body).await.expect(202);
    }
    assert_eq!(server.count_mails().await, 6, "one more every two minutes");
}

#[tokio::test]
async fn a_mail_that_is_not_sent_kills_no_code_that_was() {
    let settings = format!("{LIMITED}\nlimits.mail = \"1/d/mailbox\"");
    let server = TestServer::start_with(&settings).await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    server.anon().post("/auth/register/", &body).await.expect(202);
    server.advance(minutes(2));

    server.anon().post("/auth/register/resend_email_verify/", &json!({ "email": ADA })).await.expect(202);

    let mails = server.mails_to(ADA).await;
    assert_eq!(mails.len(), 1);
    let code = json!({ "email": ADA, "code": mails[0].code() });
    server.anon().post("/auth/register/verify/", &code).await.expect(200);
    // Nor does its owner hear of each who tries the address again.
    server.anon().post("/auth/register/", &body).await.expect(202);
    assert_eq!(server.mails_to(ADA).await.len(), 1);
}

#[tokio::test]
async fn asking_again_too_soon_takes_no_mail_from_the_mailbox() {
    let settings = format!("{LIMITED}\nlimits.verify = \"\"");
    let server = TestServer::start_with(&settings).await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    server.anon().post("/auth/register/", &body).await.expect(202);
    let again = json!({ "email": ADA });

    for _ in 0..30 {
        server.anon().post("/auth/register/resend_email_verify/", &again).await.expect(202);
    }
    server.advance(Duration::from_secs(61));
    server.anon().post("/auth/register/resend_email_verify/", &again).await.expect(202);

    assert_eq!(server.mails_to(ADA).await.len(), 2);
}

#[tokio::test]
async fn a_clock_that_jumps_keeps_nobody_out_longer_than_the_period() {
    let settings = format!("{LIMITED}\nlimits.login = \"5/m/ip, 5/5m/account\"");
    let (server, _) = with_ada(&settings).await;
    let exhaust = async || {
        for guess in 0..20 {
            log_in(&server.at(HOME), ADA, WRONG).await;
            log_in(&server.at(&stranger(guess)), ADA, WRONG).await;
        }
        expect_limited(log_in(&server.at(&stranger(50)), ADA, PASSWORD).await, 5);
        expect_limited(log_in(&server.at(HOME), ADA, PASSWORD).await, 5);
    };

    exhaust().await;
    server.advance(days(3650));
    log_in(&server.at(HOME), ADA, PASSWORD).await.expect(200);
    exhaust().await;
    server.set_back(days(365));
    for address in [HOME, &stranger(51)] {
        log_in(&server.at(address), ADA, PASSWORD).await.expect(200);
    }
    server.advance(days(1));
    exhaust().await;
    for back in [60, 290, 3600] {
        server.set_back(Duration::from_secs(back));
        server.advance(minutes(5) + Duration::from_secs(30));
        for address in [HOME.to_owned(), stranger(52)] {
            log_in(&server.at(&address), ADA, PASSWORD).await.expect(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_from_one_address_get_no_more_than_its_share() {
    let settings = format!("{LIMITED}\nlimits.login = \"7/h/ip\"\npasswords.queue = 64");
    let server = TestServer::start_with(&settings).await;
    let mut sending = JoinSet::new();
    for n in 0..50 {
        let caller = server.at(HOME);
        sending.spawn(async move { log_in(&caller, &format!("user{n}"), WRONG).await.status.as_u16() });
    }

    let statuses = sending.join_all().await;

    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 7, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 43, "{statuses:?}");
}
