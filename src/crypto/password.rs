//! Password hashes: argon2id on a few threads of its own, and there alone. The only file that names argon2.
//!
//! Must never: hash on a thread that serves requests, let work pile up without bound, or answer faster because
//! there is no account.

use std::collections::VecDeque;
use std::hint::black_box;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::config::PasswordsConfig;
use crate::crypto::legacy::{LegacyHash, NotRead};
use crate::crypto::random;
use crate::crypto::verdict::Verdict;
use crate::domain::{Password, PasswordHash};

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// The costliest stored hash that is still computed: beyond these a planted one would stop the service.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_ITERATIONS: u32 = 100;
const MAX_PARALLELISM: u32 = 64;

/// A thread keeps its arena up to this size (Django's default needs 100 MiB) and gives back what is beyond.
const KEPT_BLOCKS: usize = 128 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("too many passwords are waiting to be hashed")]
    Busy { retry_after: Duration },
    #[error("a password could not be hashed: out of memory, or a defect")]
    Failed,
}

/// The threads that hash. Clones share them; they end when the last clone is gone.
#[derive(Clone)]
pub(crate) struct PasswordPool(Arc<Handle>);

impl PasswordPool {
    /// Fails if argon2 does not take the parameters, or if the system gives no thread.
    pub(crate) fn start(config: &PasswordsConfig) -> io::Result<Self> {
        let current = Recipe::configured(config)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "argon2 cannot use these parameters"))?;
        let threads = match config.threads {
            0 => thread::available_parallelism()?.get(),
            threads => threads,
        };
        let queue = Arc::new(Queue::new(threads.saturating_add(config.queue)));
        // Made before the threads: when one of them cannot start, dropping it ends the others.
        let pool = Self(Arc::new(Handle { queue, max_wait: config.max_wait }));
        for number in 0..threads {
            let (queue, hasher) = (Arc::clone(&pool.0.queue), Hasher::new(current.clone()));
            thread::Builder::new().name(format!("password-{number}")).spawn(move || serve(&queue, hasher))?;
        }
        Ok(pool)
    }

    pub(crate) async fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        let password = copy(password);
        self.ask(move |hasher| hasher.hash(&password)).await
    }

    /// Compares with the hash of an account. `None` (no account, or one without a password) takes as long as a
    /// wrong password and is one.
    pub(crate) async fn verify(
        &self,
        password: &Password,
        stored: Option<&PasswordHash>,
    ) -> Result<Verdict, PasswordError> {
        let (password, stored) = (copy(password), stored.cloned());
        self.ask(move |hasher| hasher.verify(&password, stored.as_ref())).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Hasher) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (reply, answer) = oneshot::channel();
        let max_wait = self.0.max_wait;
        let queued_at = Instant::now();
        let job: Job = Box::new(move |hasher| {
            // Nobody waits for the answer any more: the connection is gone.
            if reply.is_closed() {
                return;
            }
            let outcome = if queued_at.elapsed() > max_wait {
                Err(busy(max_wait))
            } else {
                // The arena is overwritten by the next hash, whatever state a panic leaves it in.
                catch_unwind(AssertUnwindSafe(|| work(hasher))).unwrap_or(Err(PasswordError::Failed))
            };
            // Fails only if the requester left meanwhile.
            let _ = reply.send(outcome);
        });
        self.0.queue.push(job).map_err(|Full| busy(max_wait))?;
        answer.await.unwrap_or(Err(PasswordError::Failed))
    }
}

/// Whoever is turned away may come back when all that waits now is done or was turned away itself.
fn busy(max_wait: Duration) -> PasswordError {
    PasswordError::Busy { retry_after: max_wait.max(Duration::from_secs(1)) }
}

/// The job's own copy, wiped when the job is over.
fn copy(password: &Password) -> Zeroizing<String> {
    Zeroizing::new(password.expose().to_owned())
}

struct Handle {
    queue: Arc<Queue>,
    max_wait: Duration,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// What a hashing thread does with its life.
fn serve(queue: &Queue, mut hasher: Hasher) {
    // Requests that need no password come first. Only Linux lowers a single thread this way; elsewhere it would
    // be the whole process. It is a courtesy: if it is refused, hashing works all the same.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 10);

    while queue.run_next(&mut hasher) {}
}

type Job = Box<dyn FnOnce(&mut Hasher) + Send>;

struct Full;

/// First come, first served, with an end to patience.
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// How many jobs may be inside, running ones included.
    capacity: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    running: usize,
    is_closed: bool,
}

impl Queue {
    fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), capacity }
    }

    fn push(&self, job: Job) -> Result<(), Full> {
        let mut state = self.lock();
        if state.waiting.len() + state.running >= self.capacity {
            return Err(Full);
        }
        state.waiting.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for a job and runs it. False: there will be no more.
    fn run_next(&self, hasher: &mut Hasher) -> bool {
        let mut state = self.lock();
        let job = loop {
            if state.is_closed {
                return false;
            }
            if let Some(job) = state.waiting.pop_front() {
                break job;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.running += 1;
        drop(state);
        job(hasher);
        self.lock().running -= 1;
        true
    }

    /// Forgets what waits: whoever could ask for it is gone.
    fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let forgotten = std::mem::take(&mut state.waiting);
        drop(state);
        drop(forgotten);
        self.changed.notify_all();
    }

    /// Nothing panics while it holds the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything but password and salt that a hash depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Recipe {
    algorithm: Algorithm,
    version: Version,
    params: Params,
}

impl Recipe {
    fn new(
        algorithm: Algorithm,
        version: Version,
        [m, t, p]: [u32; 3],
        output: usize,
    ) -> Result<Self, NotRead> {
        if m > MAX_MEMORY_KIB || t > MAX_ITERATIONS || p > MAX_PARALLELISM {
            return Err(NotRead::TooCostly);
        }
        let params = Params::new(m, t, p, Some(output)).map_err(|_| NotRead::Unknown)?;
        Ok(Self { algorithm, version, params })
    }

    fn configured(config: &PasswordsConfig) -> Result<Self, NotRead> {
        let costs = [config.memory_kib, config.iterations, config.parallelism];
        Self::new(Algorithm::Argon2id, Version::V0x13, costs, OUTPUT_BYTES)
    }
}

/// A stored hash, taken apart.
struct Stored {
    recipe: Recipe,
    salt: phc::Salt,
    output: phc::Output,
}

impl Stored {
    /// Reads argon2id, argon2i and argon2d, as this file, argon2-cffi and the reference program write them.
    fn parse(hash: &PasswordHash) -> Result<Self, NotRead> {
        let (recipe, salt, output) = Self::parts(hash.as_phc()).ok_or(NotRead::Unknown)?;
        Ok(Self { recipe: recipe?, salt, output })
    }

    fn parts(text: &str) -> Option<(Result<Recipe, NotRead>, phc::Salt, phc::Output)> {
        let phc = phc::PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::new(phc.algorithm.as_str()).ok()?;
        // Strings from before version 1.3 do not name theirs.
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from).ok()?;
        let cost = |name: &str| phc.params.get_decimal(name);
        let costs = [cost("m")?, cost("t")?, cost("p")?];
        // A fourth one (`keyid`, `data`) would be an input that we do not have.
        if phc.params.iter().count() != costs.len() {
            return None;
        }
        let (salt, output) = (phc.salt?, phc.hash?);
        Some((Recipe::new(algorithm, version, costs, output.len()), salt, output))
    }
}

/// Whether this is a hash of today's kind, and none that costs too much to be computed.
pub(crate) fn is_argon2id(hash: &PasswordHash) -> bool {
    Stored::parse(hash).is_ok_and(|stored| stored.recipe.algorithm == Algorithm::Argon2id)
}

/// Whether a hash of argon2 can be verified.
pub(super) fn read_argon2(hash: &PasswordHash) -> Result<(), NotRead> {
    Stored::parse(hash).map(drop)
}

/// One thread's hashing: the recipe of today, and the memory that every hash on this thread reuses. (A fresh
/// allocation for each hash costs half as much again, and glibc keeps one for every thread that ever hashed.)
struct Hasher {
    current: Recipe,
    arena: Vec<Block>,
}

impl Hasher {
    const fn new(current: Recipe) -> Self {
        Self { current, arena: Vec::new() }
    }

    fn hash(&mut self, password: &str) -> Result<PasswordHash, PasswordError> {
        let recipe = self.current.clone();
        let salt = random::bytes::<SALT_BYTES>();
        let output = self.compute::<OUTPUT_BYTES>(&recipe, password, &salt)?;
        Ok(PasswordHash::from_phc(format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            recipe.params.m_cost(),
            recipe.params.t_cost(),
            recipe.params.p_cost(),
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(output),
        )))
    }

    fn verify(&mut self, password: &str, stored: Option<&PasswordHash>) -> Result<Verdict, PasswordError> {
        let Some(hash) = stored else {
            return self.waste(password);
        };
        if let Ok(legacy) = LegacyHash::parse(hash.as_phc()) {
            // A right one is hashed again, and so is a wrong one: a cheap hash looks like no account.
            return legacy.verdict(password).map_or_else(|| self.waste(password), Ok);
        }
        let Ok(stored) = Stored::parse(hash) else {
            tracing::warn!(
                "a stored password hash cannot be used (unknown form, or it costs too much): refused"
            );
            return self.waste(password);
        };
        let mut output = vec![0; stored.output.len()];
        self.fill(&stored.recipe, password, stored.salt.as_ref(), &mut output)?;
        let is_right = constant_time::verify_slices_are_equal(&output, stored.output.as_bytes()).is_ok();
        let is_current = stored.recipe == self.current && stored.salt.len() >= SALT_BYTES;
        Ok(match (is_right, is_current) {
            (false, _) => Verdict::Wrong,
            (true, true) => Verdict::Right,
            (true, false) => Verdict::RightButOutdated,
        })
    }

    /// The work of a hash for nothing, so that the time of the answer does not tell that there was none.
    fn waste(&mut self, password: &str) -> Result<Verdict, PasswordError> {
        let recipe = self.current.clone();
        black_box(self.compute::<OUTPUT_BYTES>(&recipe, password, &[0; SALT_BYTES])?);
        Ok(Verdict::Wrong)
    }

    fn compute<const N: usize>(
        &mut self,
        recipe: &Recipe,
        password: &str,
        salt: &[u8],
    ) -> Result<[u8; N], PasswordError> {
        let mut output = [0; N];
        self.fill(recipe, password, salt, &mut output)?;
        Ok(output)
    }

    fn fill(
        &mut self,
        recipe: &Recipe,
        password: &str,
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), PasswordError> {
        let blocks = recipe.params.block_count();
        let missing = blocks.saturating_sub(self.arena.len());
        self.arena.try_reserve_exact(missing).map_err(|_| PasswordError::Failed)?;
        self.arena.resize(self.arena.len().max(blocks), Block::new());

        let argon2 = Argon2::new(recipe.algorithm, recipe.version, recipe.params.clone());
        let outcome =
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut self.arena);

        let kept = KEPT_BLOCKS.max(self.current.params.block_count());
        if self.arena.len() > kept {
            self.arena.truncate(kept);
            self.arena.shrink_to_fit();
        }
        outcome.map_err(|_| PasswordError::Failed)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::domain::PasswordPolicy;

    fn config() -> PasswordsConfig {
        PasswordsConfig {
            policy: PasswordPolicy { min_length: 8, max_length: 256, validators: Vec::new() },
            memory_kib: 256,
            iterations: 2,
            parallelism: 1,
            threads: 1,
            queue: 1,
            max_wait: Duration::from_secs(60),
            reset_ttl: Duration::from_secs(60),
        }
    }

    fn hasher() -> Hasher {
        Hasher::new(Recipe::configured(&config()).expect("good parameters"))
    }

    fn password(text: &str) -> Password {
        Password::parse(text).expect("a password")
    }

    fn phc(text: &str) -> PasswordHash {
        PasswordHash::from_phc(text.to_owned())
    }

    /// A pool without threads: the test runs the jobs.
    fn idle_pool(capacity: usize, max_wait: Duration) -> PasswordPool {
        PasswordPool(Arc::new(Handle { queue: Arc::new(Queue::new(capacity)), max_wait }))
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_and_no_other() {
        let pool = PasswordPool::start(&config()).expect("starts");
        let hash = pool.hash(&password("correct horse")).await.expect("hashes");

        assert!(hash.as_phc().starts_with("$argon2id$v=19$m=256,t=2,p=1$"));
        assert_eq!(pool.verify(&password("correct horse"), Some(&hash)).await, Ok(Verdict::Right));
        assert_eq!(pool.verify(&password("correct hors"), Some(&hash)).await, Ok(Verdict::Wrong));
        assert_ne!(pool.hash(&password("correct horse")).await.expect("hashes"), hash);
    }

    #[tokio::test]
    async fn another_cost_makes_a_hash_outdated() {
        let old = PasswordPool::start(&config()).expect("starts");
        let new = PasswordPool::start(&PasswordsConfig { iterations: 3, ..config() }).expect("starts");
        let hash = old.hash(&password("correct horse")).await.expect("hashes");

        let verdict = new.verify(&password("correct horse"), Some(&hash)).await;
        assert_eq!(verdict, Ok(Verdict::RightButOutdated));
        assert_eq!(new.verify(&password("wrong"), Some(&hash)).await, Ok(Verdict::Wrong));
    }

    #[test]
    fn reads_the_hashes_of_the_reference_program() {
        // From phc-winner-argon2, src/test.c.
        for text in [
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
            "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        ] {
            let verdict = hasher().verify("password", Some(&phc(text)));
            assert_eq!(verdict, Ok(Verdict::RightButOutdated), "{text}");
            assert_eq!(hasher().verify("passwore", Some(&phc(text))), Ok(Verdict::Wrong), "{text}");
            assert_eq!(is_argon2id(&phc(text)), text.starts_with("$argon2id$"), "{text}");
        }
    }

    #[test]
    fn reads_a_hash_with_djangos_parameters() {
        let salt = b"YmFzZTY0c2FsdHlzYWx0eQ";
        let params = Params::new(102_400, 2, 8, Some(32)).expect("good parameters");
        let mut output = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(b"hunter2hunter2", salt, &mut output)
            .expect("hashes");
        let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
        let hash = phc(&format!("$argon2id$v=19$m=102400,t=2,p=8${salt}${output}"));

        assert_eq!(hasher().verify("hunter2hunter2", Some(&hash)), Ok(Verdict::RightButOutdated));
    }

    #[test]
    fn hashes_from_django_are_right_and_outdated() {
        let text = include_str!("../../tests/fixtures/django_hashes.json");
        let vectors: Vec<(String, String)> = serde_json::from_str(text).expect("pairs");
        for (password, text) in vectors {
            let hash = phc(text.strip_prefix("argon2").unwrap_or(&text));
            let verdict = hasher().verify(&password, Some(&hash));
            // Plain bcrypt passes over what is beyond 72 bytes: that is not taken for the password.
            let is_cut = text.starts_with("bcrypt$") && password.len() >= 72;
            let right = if is_cut { Verdict::Right } else { Verdict::RightButOutdated };
            assert_eq!(verdict, Ok(right), "{text}");
            assert_eq!(hasher().verify("another", Some(&hash)), Ok(Verdict::Wrong), "{text}");
        }
    }

    #[test]
    fn no_account_costs_a_hash() {
        let mut hasher = hasher();
        assert_eq!(hasher.verify("password", None), Ok(Verdict::Wrong));

        assert_eq!(hasher.arena.len(), 256);
        assert!(hasher.arena.iter().all(|block| block.as_ref().iter().any(|word| *word != 0)));
    }

    #[test]
    fn an_unusable_hash_costs_one_of_todays_and_is_wrong() {
        for text in [
            "",
            "plain",
            "$argon2id$v=19$m=1048577,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=101,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=1024,t=1,p=65$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1,data=AAAA$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=18$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
            "$scrypt$ln=1,r=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        ] {
            let mut hasher = hasher();
            assert_eq!(hasher.verify("password", Some(&phc(text))), Ok(Verdict::Wrong), "{text}");
            assert_eq!(hasher.arena.len(), 256, "{text}");
            assert!(!is_argon2id(&phc(text)), "{text}");
        }
    }

    #[test]
    fn a_costly_hash_does_not_keep_its_memory() {
        let mut hasher = hasher();
        let costly =
            Recipe::new(Algorithm::Argon2id, Version::V0x13, [132_000, 1, 1], 32).expect("affordable");

        hasher.fill(&costly, "password", &[0; 16], &mut [0; 32]).expect("hashes");
        assert_eq!((hasher.arena.len(), hasher.arena.capacity()), (KEPT_BLOCKS, KEPT_BLOCKS));
    }

    #[test]
    fn parameters_that_could_not_be_verified_do_not_start() {
        for bad in [
            PasswordsConfig { memory_kib: 7, ..config() },
            PasswordsConfig { iterations: 0, ..config() },
            PasswordsConfig { parallelism: 65, memory_kib: 1024, ..config() },
            PasswordsConfig { memory_kib: MAX_MEMORY_KIB + 1, ..config() },
        ] {
            let error = PasswordPool::start(&bad).err().map(|error| error.kind());
            assert_eq!(error, Some(io::ErrorKind::InvalidInput));
        }
    }

    #[test]
    fn a_full_queue_turns_the_next_away_at_once() {
        let pool = idle_pool(1, Duration::from_secs(5));
        let secret = password("correct horse");
        let mut first = pin!(pool.hash(&secret));
        assert!(poll(first.as_mut()).is_pending());

        let busy = PasswordError::Busy { retry_after: Duration::from_secs(5) };
        assert_eq!(poll(pin!(pool.hash(&secret))), Poll::Ready(Err(busy)));

        assert!(pool.0.queue.run_next(&mut hasher()));
        assert!(matches!(poll(first.as_mut()), Poll::Ready(Ok(_))));
        assert!(poll(pin!(pool.hash(&secret))).is_pending());
    }

    #[test]
    fn who_waited_too_long_or_left_is_not_hashed_for() {
        let pool = idle_pool(2, Duration::ZERO);
        let secret = password("correct horse");
        let mut hasher = hasher();
        let mut late = pin!(pool.hash(&secret));
        assert!(poll(late.as_mut()).is_pending());
        {
            let left = pin!(pool.verify(&secret, None));
            assert!(poll(left).is_pending());
        }
        thread::sleep(Duration::from_millis(1));

        assert!(pool.0.queue.run_next(&mut hasher) && pool.0.queue.run_next(&mut hasher));
        let busy = PasswordError::Busy { retry_after: Duration::from_secs(1) };
        assert_eq!(poll(late.as_mut()), Poll::Ready(Err(busy)));
        assert!(hasher.arena.is_empty());
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_no_thread() {
        let pool = PasswordPool::start(&config()).expect("starts");

        let outcome: Result<(), _> = pool.ask(|_| panic!("a defect")).await;
        assert_eq!(outcome, Err(PasswordError::Failed));
        assert_eq!(pool.verify(&password("password"), None).await, Ok(Verdict::Wrong));
    }

    #[test]
    fn the_threads_end_with_the_last_handle() {
        let pool = PasswordPool::start(&config()).expect("starts");
        let queue = Arc::clone(&pool.0.queue);
        drop(pool.clone());
        assert!(!queue.lock().is_closed);

        drop(pool);
        assert!(queue.lock().is_closed && !queue.run_next(&mut hasher()));
    }
}
