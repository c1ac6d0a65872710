//! Group commit: one thread that runs the waiting write closures and makes them durable together.
//!
//! Must never: answer a closure before the commit that holds it, or commit again after a commit failed.

use std::io;
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot, watch};

use crate::store::StoreError;
use crate::store::engine::Engine;
use crate::store::memory::Memory;
use crate::store::tx::{Effects, WriteTx};

/// How many closures may wait; the next is turned away.
const QUEUE: usize = 1024;
/// How many closures share a commit at most.
const MAX_BATCH: usize = 256;
/// Writes stop while the disk has less than this left, and a share for each row: reads go on then, which they would
/// not after a write that failed half-way.
const SPARE_DISK_BYTES: u64 = 2 << 20;
const DISK_BYTES_PER_ROW: u64 = 32 << 10;

/// Hands closures to the writer thread.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    failed: watch::Receiver<bool>,
}

type Closure = Box<dyn FnOnce(&mut WriteTx) -> Ran + Send>;

enum Job {
    Write(Closure),
    Stop(oneshot::Sender<()>),
}

/// A closure that ran: what it leaves in memory once committed, and how to tell its caller.
struct Ran {
    effects: Effects,
    answer: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

impl Writer {
    pub(super) fn start(engine: Arc<Engine>, memory: Arc<Memory>) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (fail, failed) = watch::channel(false);
        thread::Builder::new()
            .name("keystead-writer".to_owned())
            .spawn(move || Thread { engine, memory, fail }.run(jobs))?;
        Ok(Self { queue, failed })
    }

    /// Queues `closure`; what is returned answers once it is durable, or has failed.
    pub(super) fn submit<T, E>(
        &self,
        closure: impl FnOnce(&mut WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, E>>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let job = Job::Write(Box::new(move |tx| match tx.attempt(closure) {
            Ok((value, effects)) => Ran {
                effects,
                answer: Box::new(|committed| drop(caller.send(committed.map(|()| value).map_err(E::from)))),
            },
            // A refusal rests on what others in this commit wrote: it is told after it, too.
            Err(refused) => Ran {
                effects: Effects::default(),
                answer: Box::new(|committed| {
                    drop(caller.send(committed.map_err(E::from).and(Err(refused))));
                }),
            },
        }));
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Failed("the store is closed".to_owned()),
        })?;
        Ok(answer)
    }

    pub(super) fn failure(&self) -> watch::Receiver<bool> {
        self.failed.clone()
    }

    pub(super) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.queue.send(Job::Stop(done)).await.is_ok() {
            stopped.await.ok();
        }
    }
}

struct Thread {
    engine: Arc<Engine>,
    memory: Arc<Memory>,
    fail: watch::Sender<bool>,
}

impl Thread {
    fn run(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            let mut batch = Vec::new();
            let mut next = Some(first);
            let mut stop = None;
            while let Some(job) = next {
                match job {
                    Job::Write(closure) => batch.push(closure),
                    Job::Stop(done) => {
                        jobs.close();
                        stop = Some(done);
                    }
                }
                next = if batch.len() < MAX_BATCH { jobs.try_recv().ok() } else { None };
            }
            self.commit(batch);
            if let Some(done) = stop {
                while let Ok(Job::Write(closure)) = jobs.try_recv() {
                    self.commit(vec![closure]);
                }
                drop(self); // Lets go of the file before anybody hears that it is free.
                done.send(()).ok();
                return;
            }
        }
    }

    /// Runs the closures over one write set, commits it, lets memory know, and only then answers.
    fn commit(&self, batch: Vec<Closure>) {
        if *self.fail.borrow() {
            return; // Each caller sees its answer dropped, and knows the store stopped.
        }
        let mut tx = match self.engine.snapshot() {
            Ok(snapshot) => WriteTx::knowing(snapshot, self.memory.directory()),
            Err(error) => return self.latch(&error),
        };
        let mut effects = Effects::default();
        let mut answers = Vec::with_capacity(batch.len());
        for closure in batch {
            // A closure that panics is a bug in it: its caller sees the answer dropped, the others go on.
            if let Ok(ran) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| closure(&mut tx))) {
                effects.extend(ran.effects);
                answers.push(ran.answer);
            }
        }
        // Whatever could be refused comes before the commit: after it, memory learns in any case.
        let directory = effects.has_directory.then(|| tx.directory()).transpose();
        self.memory.roster.begin_commit(&effects.users);
        let outcome = directory.and_then(|directory| {
            self.make_durable(&tx)?;
            self.memory.learn(effects, directory);
            Ok(())
        });
        self.memory.roster.end_commit();
        for answer in answers {
            answer(outcome.as_ref().map_err(StoreError::repeat).copied());
        }
        if let Err(error @ StoreError::Failed(_)) = outcome {
            self.latch(&error);
        }
    }

    fn make_durable(&self, tx: &WriteTx) -> Result<(), StoreError> {
        if tx.writes().is_empty() {
            return Ok(());
        }
        if !has_space(&self.engine, tx.writes().len()) {
            tracing::error!("the disk is full: writes are refused until there is space");
            return Err(StoreError::DiskFull);
        }
        self.engine.commit(tx.writes())
    }

    fn latch(&self, error: &StoreError) {
        tracing::error!(%error, "the store stops: what the disk holds is unknown until the next start");
        self.fail.send_replace(true);
    }
}

/// Whether the disk has room for a commit of so many rows.
pub(super) fn has_space(engine: &Engine, rows: usize) -> bool {
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    let needed = SPARE_DISK_BYTES.saturating_add(rows.saturating_mul(DISK_BYTES_PER_ROW));
    engine.free_disk_bytes().is_none_or(|free| free >= needed)
}

impl StoreError {
    /// The same failure of one commit, for each caller whose closure was in it.
    fn repeat(&self) -> Self {
        match self {
            Self::DiskFull => Self::DiskFull,
            other => Self::Failed(other.to_string()),
        }
    }
}
