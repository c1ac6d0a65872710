//! What an administrator's list costs, by how many users there are.
//!
//! One store that grows to 1,000, 100,000 and 1,000,000 users, whom an administrator adds by the API; at each size the
//! service starts anew, tells what the first search costs (it makes the roster), and then answers each question many times over one HTTP
//! connection. Users who match are in the same share everywhere (5% are inactive, 10% are Editors), or are the same few
//! everywhere (three Wilhelminas, twenty Pilots). `cargo bench --bench lists -- 1000 100000` measures those sizes only;
//! with a folder named too (`-- 1000000 /tmp/lists`) the store stays there, and the next run adds nobody.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops where its ground gives way"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its result is a table")]

mod client;
mod people;
mod service;

use std::path::Path;
use std::time::Duration;

use service::Service;

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
const SAMPLES: usize = 200;
const MAX_LIMIT: usize = 500;

/// What is asked, in the words of the table and of the query.
const QUESTIONS: &[(&str, &str)] = &[
    ("first page by id", "ordering=id"),
    ("first page by email", "ordering=email"),
    ("first page by username", "ordering=username"),
    ("first page, newest first", "ordering=-date_joined"),
    ("first page, last log-in first", "ordering=-last_login"),
    ("first page of 500", "limit=500"),
    ("search, 3 found", "search=helmina"),
    ("search, 5% found, by email", "search=ada.&ordering=email"),
    ("search, all found, by email", "search=example.com&ordering=email"),
    ("search for the beginning, 3 found", "search=%5Ewilhel"),
    ("search for the beginning, 5% found", "search=%5Eada"),
    ("active, newest first", "is_active=true&ordering=-date_joined"),
    ("inactive, by username", "is_active=false&ordering=username"),
    ("group of 20", "group=Pilots&ordering=email"),
    ("group of 10%, newest first", "group=Editors&ordering=-date_joined"),
    ("inactive in a group, searched, by email", "is_active=false&group=Editors&search=love&ordering=email"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` says so; `cargo test --all-targets` runs this too, and has no time for it.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("not measured: run `cargo bench --bench lists`");
        return;
    }
    let named: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes: Vec<usize> =
        SIZES.into_iter().filter(|size| named.is_empty() || named.contains(size)).collect();
    let fleeting = tempfile::tempdir().expect("a folder");
    let named = arguments.iter().find(|argument| argument.starts_with('/'));
    let folder = named.map_or(fleeting.path(), Path::new);
    if !folder.join("keystead.redb").exists() {
        service::create_superuser(folder);
    }
    let columns: Vec<Vec<String>> = sizes
        .iter()
        .map(|size| {
            eprintln!("adding users up to {size} ...");
            let service = Service::start(folder);
            people::add(&service, *size);
            service.stop();
            eprintln!("asking about {size} ...");
            let service = Service::start(folder);
            let column = answers(&service, *size);
            service.stop();
            column
        })
        .collect();

    let heads: Vec<String> = sizes.iter().map(|size| format!("{size} users")).collect();
    println!("| median (p99), ms | {} |\n|---|{}", heads.join(" | "), "---|".repeat(sizes.len()));
    let middle = ["page in the middle, by id", "page in the middle, by email"];
    let names = QUESTIONS.iter().map(|(name, _)| *name).chain(middle);
    for (row, name) in names.chain(["the overview", "the first search", "memory for it"]).enumerate() {
        let cells: Vec<&str> = columns.iter().map(|column| column[row].as_str()).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// One column of the table.
fn answers(service: &Service, size: usize) -> Vec<String> {
    let (mut client, token) = service.log_in();
    let mut list = |query: &str| client.get(&format!("/auth/admin/users/?{query}"), &token);
    let middle = ["id", "email"].map(|ordering| {
        let mut query = format!("ordering={ordering}&limit={MAX_LIMIT}");
        for _ in 0..size / MAX_LIMIT / 2 {
            let (page, _) = list(&query);
            let next = page["next"].as_str().expect("more");
            query = format!("ordering={ordering}&limit={MAX_LIMIT}&cursor={next}");
        }
        query.replace("&limit=500", "")
    });
    // Now the pages that the store keeps in memory are there.
    let before = service::resident_bytes();
    let (_, first) = list("search=helmina");
    let memory = service::resident_bytes().saturating_sub(before);
    let queries = QUESTIONS.iter().map(|(_, query)| (*query).to_owned()).chain(middle);
    let mut column: Vec<String> = queries
        .map(|query| {
            list(&query);
            let times = (0..SAMPLES).map(|_| list(&query).1).collect();
            told(times)
        })
        .collect();
    let overview = (0..SAMPLES).map(|_| client.get("/auth/admin/overview/", &token).1);
    column.push(told(overview.collect()));
    column.push(format!("{:.1}", millis(first)));
    column.push(format!("{} MiB", memory >> 20));
    column
}

fn told(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| millis(times[(times.len() * share / 100).min(times.len() - 1)]);
    format!("{:.2} ({:.2})", at(50), at(99))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
