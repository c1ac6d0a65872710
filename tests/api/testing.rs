//! `keystead::testing`, as the tests of another program use it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic::AssertUnwindSafe;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use keystead::testing::Server;
use serde_json::json;

use crate::harness::{Caller, PASSWORD};

const ADA: &str = "ada@example.com";

/// Blocks its thread until the answer is there.
fn status_of(server: &Server, path: &str, token: &str) -> String {
    let address = server.url().strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(address).expect("connected");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    answer.split(' ').nth(1).expect("a status").to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_blocks_the_only_thread_is_answered() {
    let server = Server::start().await;
    let id = server.create_user(ADA, "weak").await;
    let token = server.access_token(ADA).await;

    assert_eq!((id, status_of(&server, "/auth/profile/", &token).as_str()), (1, "200"));
    server.advance(Duration::from_secs(13 * 3600)).await;
    assert_eq!(status_of(&server, "/auth/profile/", &token), "401");
    server.reset().await;
    assert_eq!(server.create_superuser("root@example.com", PASSWORD).await, 1);
    let token = server.access_token("root@example.com").await;
    assert_eq!(status_of(&server, "/auth/admin/users/", &token), "200");
}

#[test]
fn it_needs_no_runtime() {
    let server = polled_by_hand(Server::start());

    assert_eq!(status_of(&server, "/healthz", ""), "200");
}

/// As any executor does.
fn polled_by_hand<T>(work: impl Future<Output = T>) -> T {
    let mut work = Box::pin(work);
    loop {
        if let Some(done) = work.as_mut().now_or_never() {
            return done;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn mails_are_read_with_what_matters_in_them() {
    let server = Server::start().await;
    let anon = Caller::to(server.url());
    anon.post("/auth/register/", &json!({ "email": ADA, "password": PASSWORD })).await.expect(202);

    let mail = server.mail_to("ADA@example.com").await;

    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (ADA, "Confirm your email address"));
    let (code, link) = (mail.code.clone().expect("a code"), mail.link.clone().expect("a link"));
    assert!(mail.text.contains(&code) && link.starts_with(server.url()) && mail.html.is_some());
    assert_eq!(server.mails().await, [mail]);
    let body = json!({ "email": ADA, "code": code });
    anon.post("/auth/register/verify/", &body).await.expect(200);
    server.reset().await;
    assert_eq!(server.mails().await, []);
}

#[tokio::test]
async fn servers_know_nothing_of_each_other_and_end_when_they_are_dropped() {
    let (one, other) = (Server::start().await, Server::start_with("registration.mode = \"closed\"").await);
    one.create_user(ADA, PASSWORD).await;
    let token = one.access_token(ADA).await;

    assert_eq!(status_of(&one, "/auth/profile/", &token), "200");
    assert_eq!(status_of(&other, "/auth/profile/", &token), "401");
    let address = one.url().strip_prefix("http://").expect("a URL").to_owned();
    drop(one);
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    let body = json!({ "email": ADA, "password": PASSWORD });
    let closed = Caller::to(other.url()).post("/auth/register/", &body).await;
    closed.expect_problem(403, "registration_closed");
}

#[tokio::test]
async fn what_a_test_cannot_go_on_with_is_said() {
    let server = Server::start().await;
    server.create_user(ADA, PASSWORD).await;
    let said = async |doing: &mut (dyn Future<Output = ()> + Unpin)| {
        let panic = AssertUnwindSafe(doing).catch_unwind().await.expect_err("it panics");
        panic.downcast_ref::<String>().expect("a message").clone()
    };

    let taken = said(&mut Box::pin(async {
        _ = server.create_user("ADA@example.com", PASSWORD).await;
    }))
    .await;
    let nobody = said(&mut Box::pin(async { drop(server.access_token("eve@example.com").await) })).await;
    let no_address = said(&mut Box::pin(async { drop(server.mail_to("eve").await) })).await;
    let settings = "server.listen = \"0.0.0.0:0\"";
    let elsewhere = said(&mut Box::pin(async { drop(Server::start_with(settings).await) })).await;

    for (message, parts) in [
        (taken, ["cannot create ADA@example.com", "address"]),
        (nobody, ["cannot log in as eve@example.com", "not found"]),
        (no_address, ["cannot read mail to eve", "address"]),
        (elsewhere, ["cannot start the service: configuration:1: server.listen", "127.0.0.1"]),
    ] {
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}
