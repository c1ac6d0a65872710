//! One keep-alive connection, and how long its answers take.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, buffer: vec![0; 16 << 10] }
    }

    /// From the first byte out to the last byte in.
    pub(crate) fn ask(&mut self, path: &str, json: &str) -> Duration {
        let length = json.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        );
        let begun = Instant::now();
        self.stream.write_all(request.as_bytes()).expect("the server reads");
        let mut filled = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[filled..]).expect("the server answers");
            assert!(count > 0, "cut off");
            filled += count;
            if is_whole(&self.buffer[..filled]) {
                break;
            }
        }
        let took = begun.elapsed();
        let status = &self.buffer[..12];
        assert!(
            [b"HTTP/1.1 401", b"HTTP/1.1 202", b"HTTP/1.1 400"].iter().any(|expected| *expected == status),
            "{}",
            String::from_utf8_lossy(&self.buffer[..filled])
        );
        took
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().expect("a number"))
}
