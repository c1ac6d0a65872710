//! Many at once: of what may happen once, one happens; what is over is over for everybody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Answer, Caller, PASSWORD, TestServer};

const MANY: usize = 50;

/// Sends all of these at the same time.
async fn at_once(
    caller: &Caller,
    path: &'static str,
    bodies: impl IntoIterator<Item = Value>,
) -> Vec<Answer> {
    let mut sending = JoinSet::new();
    for body in bodies {
        let caller = caller.clone();
        sending.spawn(async move { caller.post(path, &body).await });
    }
    sending.join_all().await
}

/// Those that were answered with this status.
fn with_status(answers: &[Answer], status: u16) -> Vec<&Answer> {
    answers.iter().filter(|answer| answer.status.as_u16() == status).collect()
}

fn ids_of(answers: &[&Answer]) -> BTreeSet<u64> {
    answers.iter().map(|answer| answer.body["user"]["id"].as_u64().expect("a number")).collect()
}

/// How many users there were made: ids are given one after the other.
async fn count_users(server: &TestServer) -> u64 {
    let last = server.registered("last@example.com").await;
    last.tokens["user"]["id"].as_u64().expect("a number") - 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_confirmations_by_one_code_one_makes_a_user() {
    let server = TestServer::start().await;
    let anon = server.anon();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    anon.post("/auth/register/", &body).await.expect(202);
    let mail = server.mail_to("ada@example.com").await;
    let short = json!({ "email": "ada@example.com", "code": mail.code() });
    let long = json!({ "code": mail.long_code() });

    let bodies = (0..MANY).map(|n| if n % 2 == 0 { short.clone() } else { long.clone() });
    let answers = at_once(&anon, "/auth/register/verify/", bodies).await;

    let won = with_status(&answers, 200);
    assert_eq!(won.len(), 1);
    assert_eq!(with_status(&answers, 400).len(), MANY - 1);
    server.expect_alive(&server.caller(won[0].body.clone())).await;
    assert_eq!(count_users(&server).await, 1);
    assert_eq!(server.events().iter().filter(|kind| **kind == "user.verified").count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_refreshes_by_one_token_give_one_successor() {
    let server = TestServer::start_with("tokens.refresh_grace = \"10m\"").await;
    let mut ada = server.registered("ada@example.com").await;

    for _ in 0..5 {
        let bodies = std::iter::repeat_n(json!({ "refresh": ada.refresh() }), MANY);
        let answers = at_once(&server.anon(), "/auth/token/refresh/", bodies).await;

        let won = with_status(&answers, 200);
        assert_eq!(won.len(), MANY);
        let successors: BTreeSet<&str> =
            won.iter().map(|answer| answer.body["refresh"].as_str().expect("a token")).collect();
        assert_eq!(successors.len(), 1);
        for answer in won {
            server.expect_alive(&server.caller(answer.body.clone())).await;
        }
        ada = server.caller(answers[0].body.clone());
    }
    assert!(!server.events().contains(&"session.reuse_detected"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_grace_many_refreshes_by_one_token_leave_nobody_with_a_session() {
    let server = TestServer::start_with("tokens.refresh_grace = \"0s\"").await;
    let ada = server.registered("ada@example.com").await;
    let next = server.anon().post("/auth/token/refresh/", &json!({ "refresh": ada.refresh() })).await;
    let next = server.caller(next.expect(200).body);
    server.advance(std::time::Duration::from_secs(1));

    let bodies = std::iter::repeat_n(json!({ "refresh": ada.refresh() }), MANY);
    let answers = at_once(&server.anon(), "/auth/token/refresh/", bodies).await;

    assert_eq!(with_status(&answers, 401).len(), MANY);
    server.expect_dead(&next).await;
    let reuses = server.events().iter().filter(|kind| **kind == "session.reuse_detected").count();
    assert_eq!(reuses, 1);
    assert_eq!(server.mails_to("ada@example.com").await.len(), 2, "the code, and one notice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_registrations_of_one_address_make_one_user() {
    let server = TestServer::start_with("passwords.queue = 64").await;
    let anon = server.anon();
    let spellings = ["ada@example.com", "ADA@example.com", "Ada@EXAMPLE.com", " ada@example.com "];
    let bodies =
        (0..MANY).map(|n| json!({ "email": spellings[n % 4], "password": format!("{PASSWORD} {n}") }));
    let registered = at_once(&anon, "/auth/register/", bodies).await;
    assert_eq!(with_status(&registered, 202).len(), MANY);
    let mut links = Vec::new();
    for spelling in ["ada@example.com", "ADA@example.com", "Ada@example.com"] {
        links.extend(server.mails_to(spelling).await.iter().map(crate::harness::Mail::long_code));
    }
    assert_eq!(links.iter().collect::<BTreeSet<_>>().len(), MANY);

    let confirmed =
        at_once(&anon, "/auth/register/verify/", links.iter().map(|code| json!({ "code": code }))).await;

    assert_eq!(with_status(&confirmed, 200).len(), 1);
    assert_eq!(with_status(&confirmed, 400).len(), MANY - 1);
    let mut opened = 0;
    for n in 0..MANY {
        let body = json!({ "identifier": "ada@example.com", "password": format!("{PASSWORD} {n}") });
        opened += usize::from(anon.post("/auth/login/", &body).await.status == 200);
    }
    assert_eq!(opened, 1, "one password of all those that were given opens the account");
    assert_eq!(count_users(&server).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_one_username_one_has_it() {
    let server = TestServer::start_with("passwords.queue = 64").await;
    let anon = server.anon();
    let spellings = ["countess", "Countess", "COUNTESS", "ｃountess"];
    let email = |n: usize| format!("user{n}@example.com");
    let bodies =
        (0..MANY).map(|n| json!({ "email": email(n), "username": spellings[n % 4], "password": PASSWORD }));
    let registered = at_once(&anon, "/auth/register/", bodies).await;
    assert_eq!(with_status(&registered, 202).len(), MANY);
    let mut codes = Vec::new();
    for n in 0..MANY {
        codes.push(json!({ "email": email(n), "code": server.mail_to(&email(n)).await.code() }));
    }

    let confirmed = at_once(&anon, "/auth/register/verify/", codes).await;

    let users = with_status(&confirmed, 200);
    assert_eq!(ids_of(&users).len(), MANY);
    let named: Vec<_> = users.iter().filter(|answer| !answer.body["user"]["username"].is_null()).collect();
    assert_eq!(named.len(), 1);
    let body = json!({ "username": "cOUNTESS", "password": PASSWORD });
    let logged_in = anon.post("/auth/login/", &body).await.expect(200);
    assert_eq!(logged_in.body["user"]["id"], named[0].body["user"]["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_change_to_one_username_one_has_it() {
    let server = TestServer::start().await;
    let mut changing = JoinSet::new();
    for n in 0..12 {
        let caller = server.registered(&format!("user{n}@example.com")).await;
        let name = if n % 2 == 0 { "countess" } else { "COUNTESS" };
        changing.spawn(async move { caller.patch("/auth/profile/", &json!({ "username": name })).await });
    }

    let answers = changing.join_all().await;

    assert_eq!(with_status(&answers, 200).len(), 1);
    assert_eq!(with_status(&answers, 400).len(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_no_code_is_asked_for_one_address_makes_one_user_too() {
    let server = TestServer::start_with("registration.verification = \"none\"\npasswords.queue = 64").await;
    let spellings = ["ada@example.com", "ADA@EXAMPLE.COM"];
    let bodies = (0..MANY).map(|n| json!({ "email": spellings[n % 2], "password": PASSWORD }));

    let answers = at_once(&server.anon(), "/auth/register/", bodies).await;

    assert_eq!(with_status(&answers, 201).len(), 1);
    assert_eq!(with_status(&answers, 409).len(), MANY - 1);
    server.logged_in("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_that_starts_after_a_log_out_was_answered_is_let_in() {
    let server = TestServer::start().await;
    server.registered("ada@example.com").await;

    for _ in 0..20 {
        let ada = server.logged_in("ada@example.com").await;
        let is_out = Arc::new(AtomicBool::new(false));
        let mut hammering = JoinSet::new();
        for _ in 0..8 {
            let (ada, is_out) = (ada.clone(), Arc::clone(&is_out));
            hammering.spawn(async move {
                let mut refused = 0;
                // Goes on for a few requests after the log-out.
                while refused < 3 {
                    let was_out = is_out.load(Ordering::SeqCst);
                    let answer = ada.get("/auth/profile/").await;
                    assert!(!was_out || answer.status == 401, "let in after the log-out");
                    refused += usize::from(answer.status == 401);
                }
            });
        }
        ada.get("/auth/profile/").await.expect(200);

        ada.post("/auth/logout/", &json!({})).await.expect(204);
        is_out.store(true, Ordering::SeqCst);

        hammering.join_all().await;
        server.expect_dead(&ada).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_refresh_outlives_a_log_out() {
    let server = TestServer::start().await;
    server.registered("ada@example.com").await;

    for _ in 0..20 {
        let ada = server.logged_in("ada@example.com").await;
        let body = json!({ "refresh": ada.refresh() });
        let anon = server.anon();
        let refreshing = tokio::spawn(async move {
            at_once(&anon, "/auth/token/refresh/", std::iter::repeat_n(body, 8)).await
        });
        tokio::task::yield_now().await;

        ada.post("/auth/logout/", &json!({})).await.expect(204);

        for answer in refreshing.await.expect("no panic") {
            if answer.status == 200 {
                server.expect_dead(&server.caller(answer.body)).await;
            } else {
                answer.expect_problem(401, "invalid_token");
            }
        }
        server.expect_dead(&ada).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_log_in_at_the_same_time_is_lost_to_a_log_out_everywhere_half_way() {
    let server = TestServer::start_with("passwords.queue = 64").await;
    let ada = server.registered("ada@example.com").await;
    let anon = server.anon();
    let body = json!({ "identifier": "ada@example.com", "password": PASSWORD });
    let logging_in =
        tokio::spawn(async move { at_once(&anon, "/auth/login/", std::iter::repeat_n(body, 16)).await });

    ada.delete("/auth/logout/").await.expect(204);

    let mut alive = 0;
    for answer in logging_in.await.expect("no panic") {
        let caller = server.caller(answer.expect(200).body);
        if caller.get("/auth/profile/").await.status == 200 {
            server.expect_alive(&caller).await;
            alive += 1;
        } else {
            server.expect_dead(&caller).await;
        }
    }
    let again = server.logged_in("ada@example.com").await;
    let rows = again.get("/auth/sessions/").await.expect(200).body;
    assert_eq!(rows["results"].as_array().expect("a list").len(), alive + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_wrong_guesses_at_once_kill_a_code() {
    let server = TestServer::start().await;
    let anon = server.anon();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    anon.post("/auth/register/", &body).await.expect(202);
    let code = server.mail_to("ada@example.com").await.code();
    let right: u32 = code.parse().expect("digits");
    let guess = |n: usize| {
        let wrong = (right + u32::try_from(n).expect("small") + 1) % 100_000_000;
        json!({ "email": "ada@example.com", "code": format!("{wrong:08}") })
    };

    let answers = at_once(&anon, "/auth/register/verify/", (0..MANY).map(guess)).await;

    assert_eq!(with_status(&answers, 400).len(), MANY);
    let late =
        anon.post("/auth/register/verify/", &json!({ "email": "ada@example.com", "code": code })).await;
    late.expect_problem(400, "invalid_code");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guessing_at_once_is_no_better_than_guessing_in_turn() {
    let server = TestServer::start().await;
    let anon = server.anon();
    let mut wins = 0;
    for round in 0..10 {
        let email = format!("user{round}@example.com");
        let body = json!({ "email": email, "password": PASSWORD });
        anon.post("/auth/register/", &body).await.expect(202);
        let code = server.mail_to(&email).await.code();
        let right: u32 = code.parse().expect("digits");
        let guess = |n: u32| json!({ "email": email, "code": format!("{:08}", (right + n) % 100_000_000) });
        // Five wrong ones are sure to be counted before the crowd comes.
        for n in 1..=5 {
            anon.post("/auth/register/verify/", &guess(n)).await.expect_problem(400, "invalid_code");
        }

        let crowd = (6..31).map(&guess).chain(std::iter::repeat_n(guess(0), 25));
        let answers = at_once(&anon, "/auth/register/verify/", crowd).await;

        wins += with_status(&answers, 200).len();
    }
    assert_eq!(wins, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_right_code_in_a_crowd_of_wrong_ones_wins_at_most_once() {
    let server = TestServer::start().await;
    let anon = server.anon();
    for round in 0..10 {
        let email = format!("user{round}@example.com");
        let body = json!({ "email": email, "password": PASSWORD });
        anon.post("/auth/register/", &body).await.expect(202);
        let code = server.mail_to(&email).await.code();
        let right: u32 = code.parse().expect("digits");
        let crowd = (0..MANY).map(|n| {
            let number = if n % 10 == 5 { right } else { (right + 1) % 100_000_000 };
            json!({ "email": email, "code": format!("{number:08}") })
        });

        let answers = at_once(&anon, "/auth/register/verify/", crowd).await;

        assert!(with_status(&answers, 200).len() <= 1);
        let late = anon.post("/auth/register/verify/", &json!({ "email": email, "code": code })).await;
        late.expect_problem(400, "invalid_code");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_log_ins_at_once_are_all_let_in_while_the_hash_is_renewed() {
    let mut server = TestServer::start().await;
    server.registered("ada@example.com").await;

    for iterations in 2..6 {
        let settings = format!("passwords.iterations = {iterations}\npasswords.queue = 64");
        server = server.restart_with(&settings).await;
        let body = json!({ "identifier": "ada@example.com", "password": PASSWORD });
        let answers = at_once(&server.anon(), "/auth/login/", std::iter::repeat_n(body, 16)).await;

        assert_eq!(with_status(&answers, 200).len(), 16, "{iterations}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_hundred_sessions_are_not_exceeded_by_log_ins_at_once() {
    let server = TestServer::start_with("passwords.queue = 128").await;
    server.registered("ada@example.com").await;
    let body = json!({ "identifier": "ada@example.com", "password": PASSWORD });

    let answers = at_once(&server.anon(), "/auth/login/", std::iter::repeat_n(body, 120)).await;

    assert_eq!(with_status(&answers, 200).len(), 120);
    let newest = server.logged_in("ada@example.com").await;
    let rows = newest.get("/auth/sessions/").await.expect(200).body;
    assert_eq!(rows["results"].as_array().expect("a list").len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_resets_by_one_link_one_sets_the_password() {
    let server = TestServer::start_with("passwords.queue = 64").await;
    server.registered("ada@example.com").await;
    let anon = server.anon();
    anon.post("/auth/password/request_change/", &json!({ "email": "ada@example.com" })).await.expect(202);
    let link = server.mail_to("ada@example.com").await.reset_link();
    let password = |n: usize| format!("another horse battery {n}");
    let bodies =
        (0..MANY).map(|n| json!({ "uid": link.uid, "token": link.token, "new_password": password(n) }));

    let answers = at_once(&anon, "/auth/password/reset/", bodies).await;

    assert_eq!(with_status(&answers, 204).len(), 1);
    assert_eq!(with_status(&answers, 400).len(), MANY - 1);
    let tries = (0..MANY).map(|n| json!({ "identifier": "ada@example.com", "password": password(n) }));
    let log_ins = at_once(&anon, "/auth/login/", tries).await;
    assert_eq!(with_status(&log_ins, 200).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_changes_of_a_password_one_counts_and_every_other_session_is_over() {
    let server = TestServer::start_with("passwords.queue = 64").await;
    let ada = server.registered("ada@example.com").await;
    let elsewhere = server.logged_in("ada@example.com").await;
    let bodies = (0..MANY)
        .map(|n| json!({ "old_password": PASSWORD, "new_password": format!("another horse battery {n}") }));

    let answers = at_once(&ada, "/auth/password/change/", bodies).await;

    assert_eq!(with_status(&answers, 204).len(), 1);
    assert_eq!(with_status(&answers, 400).len(), MANY - 1);
    server.expect_alive(&ada).await;
    server.expect_dead(&elsewhere).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_confirmations_of_a_new_address_one_counts() {
    let server = TestServer::start().await;
    let ada = server.registered("ada@example.com").await;
    let body = json!({ "new_email": "new@example.com", "password": PASSWORD });
    ada.post("/auth/email/change/", &body).await.expect(202);
    let code = json!({ "code": server.mail_to("new@example.com").await.code() });

    let answers = at_once(&ada, "/auth/email/confirm/", std::iter::repeat_n(code, MANY)).await;

    assert_eq!(with_status(&answers, 200).len(), 1);
    assert_eq!(with_status(&answers, 400).len(), MANY - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_log_in_with_the_old_password_slips_past_a_reset() {
    let server = TestServer::start_with("passwords.queue = 64").await;
    server.registered("ada@example.com").await;
    let anon = server.anon();
    anon.post("/auth/password/request_change/", &json!({ "email": "ada@example.com" })).await.expect(202);
    let link = server.mail_to("ada@example.com").await.reset_link();
    let body = json!({ "identifier": "ada@example.com", "password": PASSWORD });

    let log_ins = at_once(&anon, "/auth/login/", std::iter::repeat_n(body, 16));
    let reset = link.reset(&server, "another horse battery");
    let (log_ins, reset) = tokio::join!(log_ins, reset);

    // A log-in kills the link; a reset ends the log-ins. Whichever was first, never do both count.
    if reset.status == 204 {
        for answer in with_status(&log_ins, 200) {
            server.expect_dead(&server.caller(answer.body.clone())).await;
        }
    } else {
        reset.expect_problem(400, "invalid_token");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_link_to_the_old_address_outlives_a_move_to_a_new_one() {
    let server = TestServer::start().await;
    for round in 0..10 {
        let (old, new) = (format!("old{round}@example.com"), format!("new{round}@example.com"));
        let ada = server.registered(&old).await;
        let body = json!({ "new_email": new, "password": PASSWORD });
        ada.post("/auth/email/change/", &body).await.expect(202);
        let code = json!({ "code": server.mail_to(&new).await.code() });
        let ask = json!({ "email": old });

        let anon = server.anon();
        let asked = at_once(&anon, "/auth/password/request_change/", std::iter::repeat_n(ask, 16));
        let moved = ada.post("/auth/email/confirm/", &code);
        let (_, moved) = tokio::join!(asked, moved);
        moved.expect(200);

        for mail in server.mails_to(&old).await.iter().filter(|mail| mail.text.contains("/account/reset/")) {
            mail.reset_link().check(&server).await.expect_problem(400, "invalid_token");
        }
    }
}
