//! Whether the time of an answer tells who has an account.
//!
//! The service as it is by default (argon2id, a store on the disk, limits counted but wide), asked by one client about
//! addresses of five kinds in random order, so that a busy machine is busy for all of them. For each kind the median,
//! how far it is from that of the addresses that have an account, and the 95% interval of that difference
//! (percentiles of 2,000 bootstrap samples). An interval that holds 0 shows no difference; one that does not is either
//! chance, once in twenty, or a leak as large as it says. `cargo bench --bench enumeration -- 1000` takes 1,000 samples
//! of each instead of 300; with `cheap` beside it hashes cost nothing, so that the rest is seen more sharply.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops where its ground gives way"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its result is a table")]

mod client;
mod service;
mod statistics;

use std::time::Duration;

use client::Client;
use service::{PASSWORD, Service};
use statistics::{Dice, difference, median};

/// The kinds of addresses; the first is what the others are compared with.
const KINDS: [&str; 5] = ["known", "unknown", "disabled", "unverified", "no password"];

/// Addresses of each kind: whoever asks many times about one meets another state of it.
const ADDRESSES: usize = 40;
const SAMPLES: usize = 300;

type Question = fn(&str) -> (&'static str, String);

const QUESTIONS: [(&str, Question); 5] = [
    ("log-in", |email| {
        ("/auth/login/", format!(r#"{{"identifier": "{email}", "password": "wrong horse battery"}}"#))
    }),
    ("resend", |email| ("/auth/register/resend_email_verify/", format!(r#"{{"email": "{email}"}}"#))),
    ("wrong code", |email| {
        ("/auth/register/verify/", format!(r#"{{"email": "{email}", "code": "12345678"}}"#))
    }),
    ("reset", |email| ("/auth/password/request_change/", format!(r#"{{"email": "{email}"}}"#))),
    ("register", |email| ("/auth/register/", format!(r#"{{"email": "{email}", "password": "{PASSWORD}"}}"#))),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` says so; `cargo test --all-targets` runs this too, and has no time for it.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("not measured: run `cargo bench --bench enumeration`");
        return;
    }
    let samples = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(SAMPLES);
    let hashing = if arguments.iter().any(|argument| argument == "cheap") { service::CHEAP } else { "" };
    eprintln!("making {} accounts ...", ADDRESSES * 4);
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::with_accounts(folder.path(), ADDRESSES, hashing);
    let mut dice = Dice::new(0x9e37_79b9_7f4a_7c15);
    println!("| question | about | median | difference from known | 95% interval |\n|---|---|---|---|---|");
    for (name, question) in QUESTIONS {
        eprintln!("measuring {name} ...");
        let times = measure(&service, question, samples, &mut dice);
        for (kind, own) in KINDS.iter().zip(&times) {
            if own == &times[0] {
                println!("| {name} | {kind} | {:.3} ms | | |", median(own));
                continue;
            }
            let (low, high) = difference(own, &times[0], &mut dice);
            let apart = median(own) - median(&times[0]);
            println!(
                "| {name} | {kind} | {:.3} ms | {apart:+.3} ms | {low:+.3} .. {high:+.3} ms |",
                median(own)
            );
        }
    }
    service.stop();
}

/// Milliseconds of each kind.
fn measure(service: &Service, question: Question, samples: usize, dice: &mut Dice) -> Vec<Vec<f64>> {
    let mut client = Client::new(service.address);
    let mut order: Vec<usize> = (0..samples * KINDS.len()).map(|place| place % KINDS.len()).collect();
    dice.shuffle(&mut order);
    let mut asked = [0; KINDS.len()];
    let mut times = vec![Vec::new(); KINDS.len()];
    // The first round of each is not counted.
    for kind in (0..KINDS.len()).chain(order) {
        let email = service::email(kind, asked[kind], ADDRESSES);
        asked[kind] += 1;
        let (path, body) = question(&email);
        let took = client.ask(path, &body);
        if asked[kind] > 1 {
            times[kind].push(took.as_secs_f64() * 1000.0);
        }
        // What the answer left to be done must not fall into the time of the next one.
        std::thread::sleep(Duration::from_millis(1));
    }
    times
}
