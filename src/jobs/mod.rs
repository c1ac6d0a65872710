//! What happens by itself: every background task is in this list.
//!
//! Each job does one round when it is told to, so that a test can tell it; the loop here tells it again and again.

mod keep_roster;
mod note_key_uses;
mod rotate_keys;
mod send_mail;
mod sweep_expired;
mod sweep_rights;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;
use crate::flows::FlowError;
pub(crate) use sweep_expired::Swept;

/// What one round left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is more to do at once.
    More,
    Idle,
}

const MAIL_PAUSE: Duration = Duration::from_secs(5);
const SWEEP_PAUSE: Duration = Duration::from_secs(30);
const RIGHTS_PAUSE: Duration = Duration::from_secs(3_600);
const KEYS_PAUSE: Duration = Duration::from_secs(600);
const USES_PAUSE: Duration = Duration::from_secs(60);
const ROSTER_PAUSE: Duration = Duration::from_secs(10);

/// Runs all jobs until `stop` says so; a round that has begun is finished.
pub(crate) async fn run(app: Arc<App>, stop: watch::Receiver<bool>) {
    tokio::join!(
        repeat(
            "send_mail",
            MAIL_PAUSE,
            stop.clone(),
            || send_mail::run_once(&app),
            || app.store.mail_waiting().notified()
        ),
        repeat(
            "sweep_expired",
            SWEEP_PAUSE,
            stop.clone(),
            || sweep_expired::run_once(&app),
            std::future::pending
        ),
        repeat(
            "sweep_rights",
            RIGHTS_PAUSE,
            stop.clone(),
            || sweep_rights::run_once(&app),
            || app.store.rights_lost().notified()
        ),
        repeat(
            "note_key_uses",
            USES_PAUSE,
            stop.clone(),
            || note_key_uses::run_once(&app),
            std::future::pending
        ),
        repeat(
            "keep_roster",
            ROSTER_PAUSE,
            stop.clone(),
            || keep_roster::run_once(&app),
            || app.store.roster_wanted().notified()
        ),
        repeat("rotate_keys", KEYS_PAUSE, stop, || rotate_keys::run_once(&app), std::future::pending),
    );
}

/// Runs each job until it has nothing left to do now.
pub(crate) async fn run_once(app: &App) -> Result<(), FlowError> {
    while send_mail::run_once(app).await? == Progress::More {}
    while sweep_expired::run_once(app).await? == Progress::More {}
    while sweep_rights::run_once(app).await? == Progress::More {}
    note_key_uses::run_once(app).await?;
    keep_roster::run_once(app).await?;
    rotate_keys::run_once(app).await?;
    Ok(())
}

/// Sweeps now what is swept by and by anyway.
pub(crate) async fn sweep(app: &App) -> Result<Swept, FlowError> {
    let rights = sweep_rights::run_all(app).await?;
    Ok(Swept { rights, ..sweep_expired::run_all(app).await? })
}

/// Does at once what is due after much time went by at once.
pub(crate) async fn catch_up(app: &App) -> Result<(), FlowError> {
    sweep(app).await?;
    rotate_keys::run_once(app).await.map(drop)
}

/// What is still to be done when no request runs any more.
pub(crate) async fn finish(app: &App) {
    if let Err(error) = note_key_uses::run_once(app).await {
        tracing::warn!(%error, "when API keys were used in the last minute is lost");
    }
}

/// One round after the other: at once while there is more, else after a pause or when `wake` rings.
async fn repeat<R, W>(
    name: &'static str,
    pause: Duration,
    mut stop: watch::Receiver<bool>,
    round: impl Fn() -> R,
    wake: impl Fn() -> W,
) where
    R: Future<Output = Result<Progress, FlowError>>,
    W: Future<Output = ()>,
{
    while !*stop.borrow() {
        match round().await {
            Ok(Progress::More) => continue,
            Ok(Progress::Idle) => {}
            Err(error) => tracing::warn!(job = name, %error, "a background job failed and is tried again"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = wake() => {}
            _ = stop.changed() => return,
        }
    }
}
