//! Real sockets against the accept loop, with limits short enough to wait for.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use warp::Filter;

use super::*;

const SOON: Duration = Duration::from_millis(600);
const PATIENCE: Duration = Duration::from_secs(20);

/// A surface that answers with the path and the peer, at once, slowly, at length, or not at all.
fn echo() -> impl Service<
    Request<Incoming>,
    Response = Response<
        impl Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + Send + Unpin + 'static,
    >,
    Error = Infallible,
    Future: Send + 'static,
> + Clone
+ Send
+ 'static {
    let answer = warp::path::full().and(warp::ext::optional::<http::Peer>()).then(
        |path: warp::path::FullPath, peer: Option<http::Peer>| async move {
            let peer = peer.map(|peer| peer.0.to_string()).unwrap_or_default();
            match path.as_str() {
                "/slow" => {
                    sleep(Duration::from_millis(800)).await;
                    "slow".to_owned()
                }
                "/large" => "x".repeat(32 << 20),
                "/panic" => panic!("asked to"),
                path => format!("{path} {peer}"),
            }
        },
    );
    warp::service(answer.map(warp::reply::Reply::into_response).boxed())
}

/// Limits that nothing in a test runs into by chance.
fn long() -> Limits {
    Limits {
        head: PATIENCE,
        idle: PATIENCE,
        stalled_write: PATIENCE,
        exchange: PATIENCE,
        ..Limits::of_process()
    }
}

/// A server that runs until it is stopped.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
    _folder: tempfile::TempDir,
}

impl Running {
    async fn start(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::bind(config(folder.path(), "127.0.0.1:0")).await.unwrap();
        server.entrance.limits = limits;
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or(()) };
        let ended = tokio::spawn(server.serve(echo(), shutdown, watch::Sender::new(false)));
        Self { address, stop, ended, _folder: folder }
    }

    async fn connect(&self) -> Peer {
        Peer(TcpStream::connect(self.address).await.unwrap())
    }

    /// Stops it and says how long that took.
    async fn stop(self) -> Duration {
        let begun = Instant::now();
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.ended).await.unwrap().unwrap().unwrap();
        begun.elapsed()
    }
}

fn config(folder: &std::path::Path, listen: &str) -> Config {
    let path = folder.join("auth.redb");
    Config::from_toml(&format!("[server]\nlisten = \"{listen}\"\n[store]\npath = {path:?}\n")).unwrap()
}

/// The other end of a connection.
struct Peer(TcpStream);

impl Peer {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// One reply's text, by its `Content-Length`.
    async fn reply(&mut self) -> String {
        let mut reply = Vec::new();
        while !is_whole(&reply) {
            let mut byte = [0; 1];
            assert_eq!(
                timeout(PATIENCE, self.0.read(&mut byte)).await.unwrap().unwrap(),
                1,
                "cut off: {reply:?}"
            );
            reply.extend(byte);
        }
        String::from_utf8(reply).unwrap()
    }

    async fn get(&mut self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        self.reply().await
    }

    /// What comes until the server closes, and how long that takes.
    async fn rest(&mut self) -> (String, Duration) {
        let begun = Instant::now();
        let mut rest = Vec::new();
        match timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("the server closes") {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        (String::from_utf8_lossy(&rest).into_owned(), begun.elapsed())
    }
}

fn is_whole(reply: &[u8]) -> bool {
    let text = String::from_utf8_lossy(reply).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    body.len() >= length.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_served_one_after_the_other_and_know_their_peer() {
    let server = Running::start(long()).await;
    let mut peer = server.connect().await;
    let address = peer.0.local_addr().unwrap();
    for path in ["/one", "/two", "/three"] {
        let reply = peer.get(path).await;
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
        assert!(reply.ends_with(&format!("{path} {address}")), "{reply}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() {
    let server = Running::start(long()).await;
    let mut peer = server.connect().await;
    peer.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HT").await;
    let (first, second) = (peer.reply().await, peer.reply().await);
    assert!(first.contains("/a ") && second.contains("/b "), "{first} {second}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_is_cut_off() {
    let server = Running::start(Limits { head: SOON, ..long() }).await;
    let (mut silent, mut half, mut again, mut preface) =
        (server.connect().await, server.connect().await, server.connect().await, server.connect().await);
    half.send("GET / HTTP/1.1\r\nHost: local").await;
    preface.send("PRI * HTTP/2.0\r\n\r\nSM").await;
    again.get("/").await;
    sleep(SOON).await;
    again.send("G").await;
    let dripping = async {
        for _ in 0..200 {
            sleep(SOON / 20).await;
            if again.0.write_all(b"E").await.is_err() {
                return;
            }
        }
        panic!("a dripping head is cut off");
    };
    let (silent, half, preface, ()) = tokio::join!(silent.rest(), half.rest(), preface.rest(), dripping);
    for (rest, _) in [silent, half, preface] {
        assert_eq!(rest, "");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_lives_as_long_as_it_may_and_no_longer() {
    let server = Running::start(Limits { head: SOON / 2, idle: 2 * SOON, ..long() }).await;
    let mut peer = server.connect().await;
    for _ in 0..3 {
        peer.get("/").await;
        sleep(SOON).await;
    }
    peer.get("/").await;
    let (rest, waited) = peer.rest().await;
    assert_eq!(rest, "");
    assert!(waited >= SOON, "closed after {waited:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_exchange_is_neither_idle_nor_for_ever() {
    let server = Running::start(Limits { head: SOON / 2, idle: SOON / 2, ..long() }).await;
    assert!(server.connect().await.get("/slow").await.ends_with("slow"));
    server.stop().await;

    let server = Running::start(Limits { exchange: SOON / 3, ..long() }).await;
    let mut peer = server.connect().await;
    peer.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(peer.rest().await.0, "");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_in_flight_and_takes_no_more() {
    let server = Running::start(long()).await;
    let address = server.address;
    let mut peer = server.connect().await;
    peer.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    sleep(SOON / 4).await;
    let late = async {
        sleep(SOON / 4).await;
        TcpStream::connect(address).await.map(drop).map_err(|error| error.kind())
    };
    let (rest, late, _) = tokio::join!(peer.rest(), late, server.stop());
    assert!(rest.0.contains("connection: close") && rest.0.ends_with("slow"), "{}", rest.0);
    assert_eq!(late, Err(ErrorKind::ConnectionRefused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_drops_what_does_not_end_in_time() {
    let server = Running::start(Limits { drain: SOON / 4, ..long() }).await;
    let mut peer = server.connect().await;
    peer.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    sleep(SOON / 4).await;
    let (rest, _) = tokio::join!(peer.rest(), server.stop());
    assert_eq!(rest.0, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_neither_for_idle_nor_for_half_sent_requests() {
    let server = Running::start(Limits { drain: PATIENCE, ..long() }).await;
    let (_silent, mut idle, mut half, mut half_again) =
        (server.connect().await, server.connect().await, server.connect().await, server.connect().await);
    idle.get("/").await;
    half.send("GET / HT").await;
    half_again.get("/").await;
    half_again.send("GET / HT").await;
    sleep(SOON / 4).await;
    let took = server.stop().await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_more_than_there_are_places_is_closed_at_once() {
    let server = Running::start(Limits { connections: 2, ..long() }).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    one.get("/").await;
    two.get("/").await;
    assert_eq!(server.connect().await.rest().await.0, "");
    drop(one);
    let served = async {
        loop {
            let mut peer = server.connect().await;
            peer.0.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.ok();
            if peer.rest().await.0.starts_with("HTTP/1.1 200") {
                return;
            }
        }
    };
    timeout(PATIENCE, served).await.expect("the place is free again");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused() {
    let server = Running::start(long()).await;
    let heads = [
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(100 << 10)),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: x\r\n".repeat(64)),
    ];
    for head in heads {
        let mut peer = server.connect().await;
        peer.send(head).await;
        let (reply, _) = peer.rest().await;
        assert!(reply.starts_with("HTTP/1.1 431 "), "{reply}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_reply_reaches_a_peer_that_is_still_sending() {
    let server = Running::start(long()).await;
    for _ in 0..10 {
        let mut peer = server.connect().await;
        peer.send(format!("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 1 << 20)).await;
        for _ in 0..16 {
            peer.send(vec![b'x'; 1 << 16]).await;
        }
        let reply = peer.reply().await;
        assert!(reply.contains("/early "), "{reply}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_read_is_cut_off() {
    let server = Running::start(Limits { stalled_write: SOON, ..long() }).await;
    let mut peer = server.connect().await;
    peer.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await;
    sleep(3 * SOON).await;
    let (rest, _) = peer.rest().await;
    assert!(rest.len() < 32 << 20, "{} bytes", rest.len());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_one_connection_and_no_more() {
    let server = Running::start(long()).await;
    let mut peer = server.connect().await;
    peer.send("GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(peer.rest().await.0, "");
    assert!(server.connect().await.get("/").await.contains("200 OK"));
    server.stop().await;
}

/// Just enough of HTTP/2: frames, and heads of static table entries and literals.
mod http2 {
    use super::*;

    pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    pub(super) const PING: u8 = 6;
    pub(super) const GOAWAY: u8 = 7;

    pub(super) fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    }

    /// `settings` opens the connection; each is an identifier and a value.
    pub(super) fn opening(settings: &[u8]) -> Vec<u8> {
        [PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()
    }

    pub(super) fn get(stream: u8, path: &str) -> Vec<u8> {
        let length = u8::try_from(path.len()).unwrap();
        let head = [&[0x82, 0x86, 0x41, 1, b'x', 0x44, length], path.as_bytes()].concat();
        frame(HEADERS, 5, stream, &head)
    }

    impl Peer {
        /// Kind and payload of the next frame.
        pub(super) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
            let mut head = [0; 9];
            timeout(PATIENCE, self.0.read_exact(&mut head)).await.unwrap().ok()?;
            let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
            self.0.read_exact(&mut payload).await.ok()?;
            Some((head[3], payload))
        }

        pub(super) async fn data(&mut self) -> String {
            loop {
                let (kind, payload) = self.frame().await.expect("a reply comes");
                if kind == 0 && !payload.is_empty() {
                    return String::from_utf8(payload).unwrap();
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_served_and_pings_do_not_keep_it_open() {
    let server = Running::start(Limits { head: SOON, idle: 2 * SOON, ..long() }).await;
    let mut peer = server.connect().await;
    peer.send([http2::opening(&[]), http2::get(1, "/one")].concat()).await;
    assert!(peer.data().await.starts_with("/one 127.0.0.1:"));
    for _ in 0..3 {
        sleep(SOON / 2).await;
        peer.send(http2::frame(http2::PING, 0, 0, &[0; 8])).await;
    }
    peer.send(http2::get(3, "/two")).await;
    assert!(peer.data().await.starts_with("/two "), "the pings were not taken for half a request");
    let mut frames = Vec::new();
    while let Some((kind, _)) = peer.frame().await {
        frames.push(kind);
        peer.0.write_all(&http2::frame(http2::PING, 0, 0, &[0; 8])).await.ok();
        sleep(SOON / 10).await;
    }
    assert!(frames.contains(&http2::GOAWAY), "{frames:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_without_a_window_is_cut_off() {
    let server = Running::start(Limits { idle: SOON, exchange: SOON, ..long() }).await;
    let mut peer = server.connect().await;
    let no_window = [0, 4, 0, 0, 0, 0];
    peer.send([http2::opening(&no_window), http2::get(1, "/one")].concat()).await;
    while peer.frame().await.is_some() {}
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_finishes_what_is_in_flight_when_the_server_stops() {
    let server = Running::start(long()).await;
    let mut peer = server.connect().await;
    peer.send([http2::opening(&[]), http2::get(1, "/slow")].concat()).await;
    sleep(SOON / 4).await;
    let (data, took) = tokio::join!(peer.data(), server.stop());
    assert_eq!(data, "slow");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_told_and_leaves_no_store() {
    let server = Running::start(long()).await;
    let folder = tempfile::tempdir().unwrap();
    let address = server.address.to_string();
    let error = Server::bind(config(folder.path(), &address)).await.err().unwrap().to_string();
    assert_eq!(
        error,
        format!("cannot listen on {address}: address in use (another keystead? choose server.listen)")
    );
    assert!(!folder.path().join("auth.redb").exists());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_lets_go_of_its_store_and_the_next_starts() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let server = Server::bind(config(folder.path(), "127.0.0.1:0")).await.unwrap();
        server.handle().run_jobs().await.unwrap();
        server.run_without_jobs(std::future::ready(())).await.unwrap();
    }
}
