//! One keep-alive connection, and how long its answers take.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, buffer: vec![0; 1 << 20] }
    }

    /// The answer, and how long it took from the first byte out to the last byte in.
    pub(crate) fn get(&mut self, path: &str, token: &str) -> (Value, Duration) {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        let begun = Instant::now();
        self.stream.write_all(request.as_bytes()).expect("the server reads");
        let body = self.receive();
        let took = begun.elapsed();
        (serde_json::from_slice(body).expect("JSON"), took)
    }

    pub(crate) fn post(&mut self, path: &str, token: &str, json: &Value) -> Value {
        self.send_post(path, token, json);
        serde_json::from_slice(self.receive()).expect("JSON")
    }

    pub(crate) fn send_post(&mut self, path: &str, token: &str, json: &Value) {
        let json = json.to_string();
        let (length, bearer) = (json.len(), if token.is_empty() { "" } else { "Authorization: Bearer " });
        let end = if token.is_empty() { "" } else { "\r\n" };
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}{token}{end}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        );
        self.stream.write_all(request.as_bytes()).expect("the server reads");
    }

    /// The body of the next answer, which has to be a good one.
    pub(crate) fn receive(&mut self) -> &[u8] {
        let mut filled = 0;
        let (head, end) = loop {
            let count = self.stream.read(&mut self.buffer[filled..]).expect("the server answers");
            assert!(count > 0, "cut off: {}", String::from_utf8_lossy(&self.buffer[..filled]));
            filled += count;
            match lengths(&self.buffer[..filled]) {
                Some((head, body)) if filled >= head + body => break (head, head + body),
                _ => {}
            }
        };
        let answer = &self.buffer[..end];
        assert!(answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(answer));
        &answer[head..]
    }
}

/// How long head and body of an answer are, once its head is there.
fn lengths(answer: &[u8]) -> Option<(usize, usize)> {
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).expect("ASCII");
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    Some((head, length.map_or(0, |length| length.parse().expect("a number"))))
}
