//! A client that costs little: fixed bytes out, `Content-Length` bytes in, one thread for all connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

type Next = Box<dyn FnMut(&[u8]) -> Vec<u8>>;

/// One keep-alive connection that always sends its next request when it has its answer.
pub(crate) struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    /// Makes the next request from the answer's body; None sends the same again.
    next: Option<Next>,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, request: Vec<u8>) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, request, next: None, buffer: vec![0; 16 << 10] }
    }

    pub(crate) fn then(mut self, next: impl FnMut(&[u8]) -> Vec<u8> + 'static) -> Self {
        self.next = Some(Box::new(next));
        self
    }

    /// Sends the request and returns the answer's body.
    pub(crate) fn ask(&mut self) -> Vec<u8> {
        self.send();
        self.receive().to_vec()
    }

    fn send(&mut self) {
        self.stream.write_all(&self.request).expect("the server reads");
    }

    fn receive(&mut self) -> &[u8] {
        let (mut filled, mut whole) = (0, None);
        let (head, end) = loop {
            let count = self.stream.read(&mut self.buffer[filled..]).expect("the server answers");
            assert!(count > 0, "cut off: {}", String::from_utf8_lossy(&self.buffer[..filled]));
            filled += count;
            whole = whole.or_else(|| lengths(&self.buffer[..filled]));
            match whole {
                Some((head, body)) if filled >= head + body => break (head, head + body),
                _ => {}
            }
        };
        let answer = &self.buffer[..end];
        assert!(answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(answer));
        let body = &answer[head..];
        if let Some(next) = &mut self.next {
            self.request = next(body);
        }
        body
    }
}

/// How long head and body of an answer are, once its head is there.
fn lengths(answer: &[u8]) -> Option<(usize, usize)> {
    const NAME: &[u8] = b"content-length: ";
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let Some(at) = answer[..head].windows(NAME.len()).position(|bytes| bytes == NAME) else {
        return Some((head, 0));
    };
    let digits = answer[at + NAME.len()..head].iter().take_while(|byte| byte.is_ascii_digit());
    Some((head, digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))))
}

/// Keeps a request of every client in flight until `count` answers have come, and says how long these took. `started`
/// runs when they begin to count and `ended` when they are there: at both moments all clients are busy.
pub(crate) fn drive(
    clients: &mut [Client],
    count: usize,
    mut started: impl FnMut(),
    mut ended: impl FnMut(),
) -> Duration {
    for client in &mut *clients {
        client.send();
    }
    let turn = |clients: &mut [Client], at: usize| {
        let at = at % clients.len();
        clients[at].receive();
        clients[at].send();
    };
    let warm = clients.len();
    (0..warm).for_each(|at| turn(clients, at));
    started();
    let begun = Instant::now();
    (warm..warm + count).for_each(|at| turn(clients, at));
    let took = begun.elapsed();
    ended();
    for client in clients {
        client.receive();
    }
    took
}

/// Sends a request of every client, then takes all their answers, so many times.
pub(crate) fn burst(clients: &mut [Client], times: usize) {
    for _ in 0..times {
        clients.iter_mut().for_each(Client::send);
        for client in &mut *clients {
            client.receive();
        }
    }
}

pub(crate) fn get(path: &str, token: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n\r\n"
    )
    .into_bytes()
}

pub(crate) fn post(path: &str, json: &str) -> Vec<u8> {
    let length = json.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
    )
    .into_bytes()
}

/// The text of a member of a JSON object.
pub(crate) fn member(body: &[u8], name: &str) -> String {
    let object: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    object[name].as_str().expect("text").to_owned()
}
