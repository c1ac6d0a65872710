//! How the service is doing, as far as somebody may know: what an administrator looks at first.

use std::sync::Arc;

use crate::app::App;
use crate::domain::{Census, LoginBucket, LoginCount, MailCount, Timestamp, User};
use crate::flows::FlowError;
use crate::store::ReadTx;

/// What is missing is not for the one who asks.
#[derive(Debug)]
pub(crate) struct Overview {
    pub(crate) users: Option<Census>,
    pub(crate) groups: Option<usize>,
    pub(crate) registrations: Option<u64>,
    pub(crate) sessions: Option<u64>,
    pub(crate) logins: Option<Logins>,
    pub(crate) mails: Option<MailCount>,
    pub(crate) backup: Option<Backup>,
    pub(crate) started_at: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) database_bytes: Option<u64>,
}

/// Log-ins over time, the oldest first; the last column is not over yet.
#[derive(Debug)]
pub(crate) struct Logins {
    pub(crate) hours: Vec<LoginBucket>,
    pub(crate) days: Vec<LoginBucket>,
}

/// When a copy of the store was made last, if ever.
#[derive(Debug)]
pub(crate) struct Backup {
    pub(crate) last_at: Option<Timestamp>,
}

const HOURS: u32 = 24;
const DAYS: u32 = 30;

/// Tells what a member of staff may view of it. Nothing is counted for it row by row: what there is has a length, users are
/// in the roster, and log-ins were counted when they happened.
pub(crate) async fn overview(app: &Arc<App>, viewer: &Arc<User>) -> Result<Overview, FlowError> {
    let (app, viewer) = (Arc::clone(app), Arc::clone(viewer));
    let made = tokio::task::spawn_blocking(move || look(&app, &viewer));
    made.await.map_err(|error| FlowError::Internal(error.to_string()))?
}

fn look(app: &App, viewer: &User) -> Result<Overview, FlowError> {
    let now = app.clock.now();
    let directory = app.store.directory();
    let if_may = |permission| directory.has_permission(viewer, permission).then_some(());
    let read = app.store.read()?;
    let (users, events) = (if_may("users.view_user"), if_may("audit.view_event"));
    Ok(Overview {
        users: users.map(|()| app.store.census(now)).transpose()?,
        groups: if_may("users.view_group").map(|()| directory.groups().count()),
        registrations: users.map(|()| read.count_registrations()).transpose()?,
        sessions: users.map(|()| read.count_sessions()).transpose()?,
        logins: events.map(|()| logins(&read, now)).transpose()?,
        mails: if_may("mail.view_message").map(|()| read.count_mails()).transpose()?,
        backup: events.map(|()| Ok::<_, FlowError>(Backup { last_at: read.last_backup()? })).transpose()?,
        started_at: app.started_at,
        now,
        database_bytes: app.store.file_bytes()?,
    })
}

fn logins(read: &ReadTx, now: Timestamp) -> Result<Logins, FlowError> {
    let hours = read.login_counts(now.beginning_of(LoginCount::DAY).before(LoginCount::DAY * (DAYS - 1)))?;
    Ok(Logins {
        hours: LoginCount::in_buckets(&hours, LoginCount::HOUR, HOURS, now),
        days: LoginCount::in_buckets(&hours, LoginCount::DAY, DAYS, now),
    })
}
