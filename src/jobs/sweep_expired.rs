//! Takes away what no longer counts: revocations that no token needs, registrations that nobody confirmed, sessions
//! that ran out, codes that are too old, wrong passwords for names that nobody has, events that nobody is to remember. In
//! small transactions, so that nobody waits for it.

use std::time::Duration;

use crate::app::App;
use crate::domain::{CodePurpose, Lane, SessionId, Target, Timestamp, UserId};
use crate::flows::{FlowError, PENDING_FOR};
use crate::jobs::Progress;
use crate::store::WriteTx;

/// Rows of each kind that one transaction takes away; with their index entries six times as many.
const ROUND: usize = 100;
/// Events have no index entries: more of them make no larger a transaction.
const EVENTS_ROUND: usize = 500;
/// Kept longer than any token needs: a clock that is set back by less brings no ended session back.
const CLOCK_STEP: Duration = Duration::from_secs(86_400);
/// The count of a name that nobody has is kept so long after the last wrong password.
const GUESSES_FOR: Duration = Duration::from_secs(7 * 86_400);

/// How many rows of each kind were taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Swept {
    pub(crate) revocations: usize,
    pub(crate) registrations: usize,
    pub(crate) sessions: usize,
    pub(crate) codes: usize,
    pub(crate) email_changes: usize,
    pub(crate) guesses: usize,
    pub(crate) events: usize,
    /// By a job of its own.
    pub(crate) rights: usize,
}

pub(super) async fn run_once(app: &App) -> Result<Progress, FlowError> {
    let swept = round(app).await?;
    Ok(if swept.is_full() { Progress::More } else { Progress::Idle })
}

/// Takes away all there is now.
pub(super) async fn run_all(app: &App) -> Result<Swept, FlowError> {
    let mut all = Swept::default();
    loop {
        let swept = round(app).await?;
        all = all.and(swept);
        if !swept.is_full() {
            return Ok(all);
        }
    }
}

impl Swept {
    /// Whether there may be more of some kind.
    fn is_full(self) -> bool {
        let Self { revocations, registrations, sessions, codes, email_changes, guesses, events, rights: _ } =
            self;
        [revocations, registrations, sessions, codes, email_changes, guesses].contains(&ROUND)
            || events == EVENTS_ROUND
    }

    fn and(self, more: Self) -> Self {
        Self {
            revocations: self.revocations + more.revocations,
            registrations: self.registrations + more.registrations,
            sessions: self.sessions + more.sessions,
            codes: self.codes + more.codes,
            email_changes: self.email_changes + more.email_changes,
            guesses: self.guesses + more.guesses,
            events: self.events + more.events,
            rights: self.rights + more.rights,
        }
    }
}

async fn round(app: &App) -> Result<Swept, FlowError> {
    let now = app.clock.now();
    let unguessed_since = now.before(GUESSES_FOR);
    let read = app.store.read()?;
    let revocations = read.spent_revocations(now.before(CLOCK_STEP), ROUND)?;
    let registrations = read.registrations_before(now.before(PENDING_FOR), ROUND)?;
    let sessions = read.ended_sessions(now, now.before(app.config.tokens.sessions.session_ttl), ROUND)?;
    let codes = read.expired_codes(now, ROUND)?;
    let email_changes = read.expired_email_changes(now, ROUND)?;
    let guesses = read.stale_guesses(unguessed_since, ROUND)?;
    let events = match app.config.events.retention {
        Some(retention) => read.events_before(now.before(retention), EVENTS_ROUND)?,
        None => Vec::new(),
    };
    drop(read);
    // Each kind in a transaction of its own: together they are too large for one, and none waits for another.
    let revocations = sweep(app, revocations, |tx, row| Ok(tx.forget_revocation(*row)?)).await;
    let registrations = sweep(app, registrations, |tx, row| Ok(tx.remove_registration(*row)?)).await;
    let sessions = sweep(app, sessions, move |tx, id| sweep_session(tx, *id, now)).await;
    let codes = sweep(app, codes, move |tx, (user, purpose)| sweep_code(tx, *user, *purpose, now)).await;
    let email_changes = sweep(app, email_changes, move |tx, user| sweep_email_change(tx, *user, now)).await;
    let guesses =
        sweep(app, guesses, move |tx, (target, lane)| sweep_guesses(tx, *target, *lane, unguessed_since))
            .await;
    let events = sweep(app, events, |tx, id| Ok(tx.forget_event(*id)?)).await;
    Ok(Swept {
        revocations: revocations?,
        registrations: registrations?,
        sessions: sessions?,
        codes: codes?,
        email_changes: email_changes?,
        guesses: guesses?,
        events: events?,
        rights: 0,
    })
}

/// Takes these away, and says how many they were.
async fn sweep<T: Send + 'static>(
    app: &App,
    rows: Vec<T>,
    remove: impl Fn(&mut WriteTx, &T) -> Result<(), FlowError> + Send + 'static,
) -> Result<usize, FlowError> {
    let count = rows.len();
    if !rows.is_empty() {
        app.store.write(move |tx| rows.iter().try_for_each(|row| remove(tx, row))).await?;
    }
    Ok(count)
}

// Each of these looks again: what was found may have been replaced meanwhile.

/// Ended like any other: if the clock that ran it out is set back, its tokens stay dead.
fn sweep_session(tx: &mut WriteTx, id: SessionId, now: Timestamp) -> Result<(), FlowError> {
    match tx.session(id)?.filter(|session| session.expires_at <= now) {
        Some(session) => Ok(tx.end_session(&session)?),
        None => Ok(()),
    }
}

/// A code that would activate its user leaves a dead one, by which they can ask for another. All others go, so that a
/// clock that is set back revives none.
fn sweep_code(tx: &mut WriteTx, id: UserId, purpose: CodePurpose, now: Timestamp) -> Result<(), FlowError> {
    let Some(mut code) = tx.code(id, purpose)?.filter(|code| !code.takes_link(now)) else { return Ok(()) };
    let is_waited_for =
        purpose == CodePurpose::VerifyEmail && tx.user(id)?.is_some_and(|user| !user.is_active);
    if is_waited_for {
        code.kill();
        return Ok(tx.save_code(id, purpose, &code)?);
    }
    Ok(tx.remove_code(id, purpose)?)
}

fn sweep_email_change(tx: &mut WriteTx, user: UserId, now: Timestamp) -> Result<(), FlowError> {
    if tx.email_change(user)?.is_some_and(|change| !change.code.takes_link(now)) {
        tx.remove_email_change(user)?;
    }
    Ok(())
}

fn sweep_guesses(tx: &mut WriteTx, target: Target, lane: Lane, before: Timestamp) -> Result<(), FlowError> {
    if tx.guesses(target, lane)?.is_some_and(|guesses| guesses.last_failed_at <= before) {
        tx.remove_guesses(target, lane)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::crypto::token::{hash_token, new_token};
    use crate::domain::{
        CodeHash, Email, EmailChange, Event, EventId, EventKind, EventResult, Guesses, NewUser, Origin,
        PlainToken,
    };

    fn code(now: Timestamp) -> CodeHash {
        let long = |token: PlainToken| hash_token(&token);
        let (short, long) = (long(new_token().0), long(new_token().0));
        CodeHash { short, long, expires_at: now, attempts_left: 5, sent_at: now }
    }

    async fn app(folder: &Path) -> App {
        let text = format!("store.path = {:?}", folder.join("k.redb"));
        let config = Config::from_toml(&text).expect("a configuration");
        App::open(config, Clock::movable()).await.expect("the store opens")
    }

    /// So many events more, all of this moment.
    async fn note(app: &App, count: usize) {
        let time = app.clock.now();
        let event = Event {
            id: EventId::new(time, [7; 10]),
            time,
            kind: EventKind::KeysRotated,
            result: EventResult::Success,
            actor: None,
            subject: None,
            session: None,
            origin: Origin::default(),
            detail: String::new(),
        };
        let noted = app.store.write(move |tx| (0..count).try_for_each(|_| tx.append_event(&event)));
        noted.await.expect("written");
    }

    #[tokio::test]
    async fn events_go_when_they_are_older_than_they_may_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let almost_a_year = Duration::from_secs(365 * 86_400 - 61);
        note(&app, EVENTS_ROUND).await;
        note(&app, EVENTS_ROUND).await;
        app.clock.advance(Duration::from_secs(60));
        note(&app, 3).await;
        let count = || app.store.read().expect("readable").count_events().expect("readable");
        let before = count();
        app.clock.advance(almost_a_year);
        assert_eq!(run_all(&app).await.expect("swept").events, 0);

        app.clock.advance(Duration::from_secs(1));
        let swept = run_all(&app).await.expect("swept").events;

        assert!(swept >= 2 * EVENTS_ROUND, "{swept}");
        assert_eq!(count(), before - u64::try_from(swept).expect("small"));
        assert_eq!(count(), 3);
        assert!(app.store.read().expect("readable").check().expect("checked").is_sound());
        app.close().await;
    }

    #[tokio::test]
    async fn a_backlog_of_every_kind_is_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path()).await;
        let now = app.clock.now();
        for _ in 0..2 * ROUND {
            let (one, two) = (code(now), code(now));
            let filled = app.store.write(move |tx| {
                let user = tx.insert_user(&NewUser { is_active: true, ..NewUser::default() }, now)?;
                tx.save_code(user.id, CodePurpose::ResetPassword, &one)?;
                let new_email = Email::from_stored("new@example.com".to_owned());
                tx.save_email_change(user.id, &EmailChange { new_email, code: two.clone() })?;
                let mut hash = [0; 16];
                hash[..8].copy_from_slice(&user.id.0.to_be_bytes());
                tx.save_guesses(
                    Target::Nobody(hash),
                    Lane::Strangers,
                    &Guesses { failures: 1, ..Guesses::NONE },
                )?;
                Ok::<_, FlowError>(())
            });
            filled.await.expect("written");
        }
        app.clock.advance(Duration::from_secs(8 * 86_400));

        while run_once(&app).await.expect("a round") == Progress::More {}

        let (read, now) = (app.store.read().expect("readable"), app.clock.now());
        let left = [
            read.expired_codes(now, 1).expect("readable").len(),
            read.expired_email_changes(now, 1).expect("readable").len(),
            read.stale_guesses(now, 1).expect("readable").len(),
        ];
        assert_eq!(left, [0; 3]);
        assert!(read.check().expect("readable").is_sound());
    }
}
