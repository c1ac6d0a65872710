//! What this machine allows, and how near to it Keystead comes.
//!
//! Each figure is a ratio of two rates that are measured in turns in one run, so that a busy or slow machine changes
//! both. `cargo bench --bench limits` measures all, `cargo bench --bench limits -- profile refreshes` those.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops where its ground gives way"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its result is a table")]

mod client;
mod log_ins;
mod measure;
mod profile;
mod program;
mod refreshes;
mod service;

use measure::Figure;

type Bench = fn() -> Vec<Figure>;

const BENCHES: &[(&str, Bench)] = &[
    ("profile", profile::run),
    ("log-ins", log_ins::run),
    ("refreshes", refreshes::run),
    ("start", program::start),
    ("start-large", program::start_large),
    ("memory", program::memory),
    ("size", program::size),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` says so; `cargo test --all-targets` runs this too, and has no time for it.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("not measured: run `cargo bench --bench limits`");
        return;
    }
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let mut figures = Vec::new();
    for (name, bench) in BENCHES {
        if names.is_empty() || names.contains(&&(*name).to_owned()) {
            eprintln!("measuring {name} ...");
            figures.extend(bench());
        }
    }
    print!("{}", measure::table(&figures));
}
