//! Log-ins, against argon2 alone.
//!
//! The limit: as many threads as Keystead hashes on (one a core), with the same priority, each filling its own block of
//! memory again and again with hashes of the same parameters, which are the defaults.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::client::{Client, drive};
use crate::measure::{Figure, compare, cpu_of_this_thread, cpu_of_threads, rate};
use crate::service::Service;

const ROUNDS: usize = 11;
const CONNECTIONS: usize = 16;
const HASHES: usize = 200;

pub(crate) fn run() -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a folder");
    let threads = thread::available_parallelism().expect("known").get();
    let service = Service::start(folder.path(), "registration.verification = \"none\"", threads, "ours");
    service.register(CONNECTIONS);
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|number| service.log_in(number)).collect();
    let ours = || {
        let (before, after) = (Cell::default(), Cell::default());
        let took =
            drive(&mut clients, HASHES, || before.set(cpu_of_service()), || after.set(cpu_of_service()));
        [rate(HASHES, took), rate(HASHES, after.get().saturating_sub(before.get()))]
    };
    let [per_second, per_cpu] = compare(ROUNDS, ours, || argon2_alone(threads));
    drop(clients);
    service.stop();
    vec![
        per_cpu.figure("log-ins, per second of the server's processor", "/s", ">= 0.95"),
        per_second.figure("log-ins, per second by the clock", "/s", ">= 0.95"),
    ]
}

/// Everything but this thread, which is the client.
fn cpu_of_service() -> Duration {
    cpu_of_threads(|name| ["ours", "keystead-writer"].contains(&name) || name.starts_with("password-"))
}

fn argon2_alone(threads: usize) -> [f64; 2] {
    let left = AtomicUsize::new(HASHES);
    let hash = || {
        // As Keystead's threads do.
        rustix::process::setpriority_process(None, 10).expect("always allowed");
        let params = Params::new(19_456, 2, 1, Some(32)).expect("good");
        let mut memory = vec![Block::new(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut output = [0; 32];
        while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            argon2
                .hash_password_into_with_memory(b"correct horse battery", &[7; 16], &mut output, &mut memory)
                .expect("hashes");
        }
        cpu_of_this_thread()
    };
    let begun = Instant::now();
    let cpu: Duration = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(hash)).collect();
        running.into_iter().map(|thread| thread.join().expect("hashed")).sum()
    });
    [rate(HASHES, begun.elapsed()), rate(HASHES, cpu)]
}
