//! Refreshes, against a loop of raw commits of the same bytes.
//!
//! The limit: a copy of the very same store, into which one thread writes the sessions that the refreshes rewrite (same
//! table, keys and sizes) and commits, durably and with quick repair. For one client there is one row in a commit; for
//! 64 clients there are always 64, although a server has all 64 requests in its hands only if it does nothing else.

use std::fs;
use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, TableDefinition};
use std::time::Instant;

use crate::client::{Client, drive, member, post};
use crate::measure::{Figure, compare, rate};
use crate::service::{CHEAP, Service};

const SESSIONS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("sessions");
const ROUNDS: usize = 11;
const CLIENTS: usize = 64;

pub(crate) fn run() -> Vec<Figure> {
    let (folder, copy) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let service = Service::start(folder.path(), CHEAP, 2, "ours");
    service.register(CLIENTS);
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| refreshing(&service, number)).collect();
    // Sessions as they look later.
    for client in &mut clients {
        client.ask();
    }
    drop(clients);
    service.stop();
    let copied = copy.path().join("keystead.redb");
    fs::copy(folder.path().join("keystead.redb"), &copied).expect("copied");

    let service = Service::start(folder.path(), CHEAP, 2, "ours");
    let mut raw = Raw::open(&copied);
    let mut figures = Vec::new();
    for (width, count, what) in
        [(1, 500, "refreshes at 1 client"), (CLIENTS, 64 * 80, "refreshes at 64 clients")]
    {
        // New ones each time: a connection that waits for its turn too long is closed.
        let mut clients: Vec<Client> = (0..width).map(|number| refreshing(&service, number)).collect();
        let [refreshes] = compare(
            ROUNDS,
            || [rate(count, drive(&mut clients, count, || (), || ()))],
            || [raw.commits(count, width)],
        );
        figures.push(refreshes.figure(what, "/s", ">= 0.8"));
    }
    service.stop();
    figures
}

/// A client that logged in and uses up its refresh token again and again.
fn refreshing(service: &Service, number: usize) -> Client {
    let refresh = |tokens: &[u8]| {
        let token = member(tokens, "refresh");
        post("/auth/token/refresh/", &format!(r#"{{"refresh": "{token}"}}"#))
    };
    let tokens = service.log_in(number).ask();
    Client::new(service.address, refresh(&tokens)).then(refresh)
}

/// The file without us.
struct Raw {
    db: Database,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Raw {
    fn open(path: &Path) -> Self {
        let db = Database::builder().set_cache_size(32 << 20).open(path).expect("a store");
        let table = db.begin_read().expect("reads").open_table(SESSIONS).expect("there");
        let pairs = table.range::<&[u8]>(..).expect("reads").map(|pair| pair.expect("reads"));
        let rows: Vec<_> = pairs.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).collect();
        assert!(rows.len() >= CLIENTS);
        Self { db, rows }
    }

    /// Rows a second, so many of them in each commit.
    fn commits(&mut self, count: usize, rows: usize) -> f64 {
        let begun = Instant::now();
        for _ in 0..count / rows {
            let mut tx = self.db.begin_write().expect("writes");
            tx.set_durability(Durability::Immediate).expect("possible");
            tx.set_quick_repair(true);
            let mut table = tx.open_table(SESSIONS).expect("there");
            for (key, value) in &mut self.rows[..rows] {
                value[0] = value[0].wrapping_add(1);
                table.insert(key.as_slice(), value.as_slice()).expect("writes");
            }
            drop(table);
            tx.commit().expect("commits");
        }
        rate(count / rows * rows, begun.elapsed())
    }
}
