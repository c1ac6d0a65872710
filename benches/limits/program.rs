//! The program itself: how soon it answers, how much memory it needs for that, and how large it is.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;
use crate::measure::{Figure, Spread};
use crate::service::{CHEAP, Service};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keystead");
const STARTS: usize = 21;
const USERS: usize = 100_000;

/// From before the program is spawned to the first 200, with no file in its folder.
pub(crate) fn start() -> Vec<Figure> {
    let starts = (0..STARTS).map(|_| {
        let folder = tempfile::tempdir().expect("a folder");
        let (program, took) = Program::start(folder.path());
        program.stop();
        took
    });
    vec![times("start to first 200, no store yet", starts.collect())]
}

/// The same on a store with many users.
pub(crate) fn start_large() -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(folder.path(), CHEAP, 2, "ours");
    service.register(USERS);
    service.stop();
    let starts = (0..STARTS).map(|_| {
        let (program, took) = Program::start(folder.path());
        program.stop();
        took
    });
    vec![times("start to first 200, 100,000 users", starts.collect())]
}

/// What stays in memory after the start and one request.
pub(crate) fn memory() -> Vec<Figure> {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let (program, _) = Program::start(folder.path());
    std::thread::sleep(Duration::from_millis(500));
    let status = fs::read_to_string(format!("/proc/{}/status", program.0.id())).expect("Linux");
    program.stop();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    vec![absolute("idle memory (VmRSS)", kib / 1024.0, "< 12 MiB")]
}

pub(crate) fn size() -> Vec<Figure> {
    let bytes = u32::try_from(fs::metadata(PROGRAM).expect("built").len()).expect("small");
    vec![absolute("size of the program", f64::from(bytes) / f64::from(1 << 20), "< 12 MiB")]
}

fn absolute(what: &'static str, mebibytes: f64, aim: &'static str) -> Figure {
    Figure { what, ours: format!("{mebibytes:.2} MiB"), limit: String::new(), ratio: None, aim }
}

fn times(what: &'static str, millis: Vec<f64>) -> Figure {
    let Spread { median, min, max } = Spread::of(millis);
    let ours = format!("{median:.1} ms ({min:.1}..{max:.1})");
    Figure { what, ours, limit: String::new(), ratio: None, aim: "< 20 ms" }
}

struct Program(Child);

impl Program {
    /// Starts it and asks for its health; says how many milliseconds that took.
    fn start(folder: &Path) -> (Self, f64) {
        let mut command = Command::new(PROGRAM);
        command.arg("serve").current_dir(folder).env_clear().env("KEYSTEAD_SERVER__LISTEN", "127.0.0.1:0");
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let begun = Instant::now();
        let mut program = command.spawn().expect("starts");
        let mut line = String::new();
        let stdout = program.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address: SocketAddr =
            line.trim().rsplit_once('/').expect("an address").1.parse().expect("an address");
        let health = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        assert_eq!(Client::new(address, health.to_vec()).ask(), b"ok\n");
        (Self(program), begun.elapsed().as_secs_f64() * 1000.0)
    }

    fn stop(mut self) {
        let id = Pid::from_child(&self.0);
        kill_process(id, Signal::TERM).expect("running");
        assert!(self.0.wait().expect("ends").success());
    }
}
