//! Answers whose time does not tell what was found.
//!
//! What is written about somebody who is there and about nobody is not the same, and a commit of more rows takes a
//! fifth of a millisecond longer: over many questions that can be seen.

use std::thread;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

/// Much longer than the difference, and short for a person.
const STEP: Duration = Duration::from_millis(20);
/// The end of a step that is waited for exactly. The runtime's timers wake whole milliseconds after the moment at which
/// they are asked, which is when the work is done: by them alone its time would still show.
const EXACTLY: Duration = Duration::from_millis(3);

/// Something that is to end at one of the steps that are counted from its beginning.
pub(crate) struct Evenly {
    begun: Instant,
}

impl Evenly {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now() }
    }

    /// Waits for the next step.
    pub(crate) async fn end(self) {
        let steps = (self.begun.elapsed() + EXACTLY).as_millis() / STEP.as_millis() + 1;
        let end = self.begun + STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX));
        tokio::time::sleep(end.saturating_duration_since(Instant::now()).saturating_sub(EXACTLY)).await;
        // If it is not waited to its end, the answer comes sooner: no harm but to its evenness.
        spawn_blocking(move || thread::sleep(end.saturating_duration_since(Instant::now()))).await.ok();
    }
}

/// Does the work, and answers at the next step after it.
pub(crate) async fn evenly<T>(work: impl Future<Output = T>) -> T {
    let evenly = Evenly::begin();
    let outcome = work.await;
    evenly.end().await;
    outcome
}
