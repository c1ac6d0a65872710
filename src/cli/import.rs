//! `keystead import django`.
//!
//! The file is read here, by whoever may read it; the rows go to the store a few at a time, so that a server goes on in
//! between. Must never: keep all users in memory, or take a row of which the report said that it is refused.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::cli::import_report::{Report, Row};
use crate::cli::import_rows::{Aim, Doubt, ImportWish, Rows, Rules, Told, Weak};
use crate::cli::operation::Operation;
use crate::cli::outcome::{Failure, Outcome, Refusal};
use crate::cli::perform::Attached;
use crate::config::Config;
use crate::django::{Progress, Site, Source, SourceError, UserRow};
use crate::domain::{Email, EmailKey, Username, UsernameKey};

/// Bring in accounts from another system
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// Users, groups and permissions of a Django project, with their passwords
    Django(ImportDjango),
}

#[derive(Debug, Args)]
#[command(
    after_help = "FILE is the JSON (or JSON lines) of manage.py dumpdata auth contenttypes, with or without natural keys, and \
    also account.emailaddress and authtoken.token if there are; or the SQLite file of a site that is stopped. Primary keys \
    stay, and so do passwords: each is verified as Django hashed it, and hashed again at its first log-in. A row is \
    taken whole or not at all; nothing that is here already is changed, so that it may be repeated. Exit code 1: some rows were \
    refused, the others are imported."
)]
pub(super) struct ImportDjango {
    /// JSON of manage.py dumpdata, or an SQLite file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Say row by row what would become of it, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Take a user whose email address is another's without it
    #[arg(long)]
    drop_duplicate_emails: bool,
    /// Take password hashes of plain or unsalted MD5 and SHA-1 too
    #[arg(long)]
    accept_weak_hashes: bool,
    /// Take a user whose password hash cannot be used without it: they ask for a new one by mail
    #[arg(long)]
    drop_bad_hashes: bool,
    /// The model of the users, if the file has several
    #[arg(long, value_name = "APP.MODEL")]
    user_model: Option<String>,
}

/// Rows that go together, by the length of their JSON.
const CHUNK_BYTES: usize = 48 << 10;
/// No single row that is longer fits into a request.
const MAX_ROW_BYTES: usize = 200 << 10;
/// Chunks that are read ahead.
const AHEAD: usize = 2;

impl Import {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        match self {
            Self::Django(import) => import.run(config).await,
        }
    }
}

impl ImportDjango {
    async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let source = Source::open(&self.file).map_err(|error| refuse(&error))?;
        let (reader, wanted) = (source.clone(), self.user_model.clone());
        let site = spawn_blocking(move || reader.survey(wanted.as_deref())).await;
        let site = site.map_err(|error| Refusal::new(error.to_string()))?.map_err(|error| refuse(&error))?;
        let store = Attached::open(config).await?;
        let mut report = Report::new(self.rules().purpose);
        let done = self.import(&store, source, site, &mut report).await;
        store.close().await;
        report.hide_progress();
        done?;
        report.conclude()
    }

    const fn rules(&self) -> Rules {
        const fn doubt(is_dropped: bool) -> Doubt {
            if is_dropped { Doubt::Drop } else { Doubt::Refuse }
        }
        Rules {
            purpose: if self.dry_run { Aim::Rehearse } else { Aim::Import },
            weak_hashes: if self.accept_weak_hashes { Weak::Accept } else { Weak::Refuse },
            bad_hashes: doubt(self.drop_bad_hashes),
            duplicate_emails: doubt(self.drop_duplicate_emails),
        }
    }

    async fn import(
        &self,
        store: &Attached,
        source: Source,
        mut site: Site,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let rules = self.rules();
        let directory = &mut site.directory;
        for bad in std::mem::take(&mut directory.bad) {
            report.tell(&Row::bad(bad.what), Told::Refused(bad.why))?;
        }
        let permissions = std::mem::take(&mut directory.permissions);
        let mut lost = Lost::default();
        for chunk in chunks(permissions) {
            let rows: Vec<Row> = chunk.iter().map(|row| Row::of("permission", &row.name)).collect();
            let told = send(store, rules, Rows::Permissions(chunk.clone())).await?;
            lost.permissions.extend(refused(chunk.iter().map(|row| &row.name), &told));
            report.tell_all(&rows, told)?;
        }
        let mut groups = std::mem::take(&mut directory.groups);
        for (group, notes) in &mut groups {
            notes.extend(lose("permission", &lost.permissions, &mut group.permissions));
        }
        for chunk in chunks(groups) {
            let (chunk, notes): (Vec<_>, Vec<_>) = chunk.into_iter().unzip();
            let rows = chunk.iter().zip(notes).map(|(row, notes)| Row::of("group", &row.name).noting(notes));
            let rows: Vec<Row> = rows.collect();
            let told = send(store, rules, Rows::Groups(chunk.clone())).await?;
            lost.groups.extend(refused(chunk.iter().map(|row| &row.name), &told));
            report.tell_all(&rows, told)?;
        }
        for left in std::mem::take(&mut site.ignored) {
            report.say(&format!("ignored: {left}"))?;
        }
        let users = Users { site, lost, duplicate_emails: rules.duplicate_emails };
        import_users(store, rules, source, users, report).await
    }
}

/// Takes away what was refused, and says so.
fn lose(noun: &str, lost: &BTreeSet<String>, names: &mut Vec<String>) -> Vec<String> {
    let gone = names.extract_if(.., |name| lost.contains(name));
    gone.map(|name| format!("without the {noun} {name}, which is refused")).collect()
}

/// Rights that were refused, and that nobody gets therefore.
#[derive(Default)]
struct Lost {
    permissions: BTreeSet<String>,
    groups: BTreeSet<String>,
}

fn refused<'a>(names: impl Iterator<Item = &'a String>, told: &[Told]) -> Vec<String> {
    names
        .zip(told)
        .filter(|(_, told)| matches!(told, Told::Refused(_)))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Reads on a thread of its own, and sends what it has read.
async fn import_users(
    store: &Attached,
    rules: Rules,
    source: Source,
    users: Users,
    report: &mut Report,
) -> Result<(), Failure> {
    let (send_chunk, mut chunks) = mpsc::channel(AHEAD);
    let reading: JoinHandle<Result<(), SourceError>> =
        spawn_blocking(move || users.read(&source, &send_chunk));
    while let Some(Chunk { users, refused, progress }) = chunks.recv().await {
        for (row, why) in refused {
            report.tell(&row, Told::Refused(why))?;
        }
        let (rows, users): (Vec<Row>, Vec<UserRow>) = users.into_iter().unzip();
        if !users.is_empty() {
            let told = send(store, rules, Rows::Users(users)).await?;
            report.tell_all(&rows, told)?;
        }
        report.show_progress(progress);
    }
    let read = reading.await.map_err(|error| Refusal::new(error.to_string()))?;
    Ok(read.map_err(|error| refuse(&error))?)
}

/// Users that were read together.
struct Chunk {
    users: Vec<(Row, UserRow)>,
    refused: Vec<(Row, String)>,
    progress: Progress,
}

/// What is needed to read them.
struct Users {
    site: Site,
    lost: Lost,
    duplicate_emails: Doubt,
}

impl Users {
    fn read(self, source: &Source, chunks: &mpsc::Sender<Chunk>) -> Result<(), SourceError> {
        let mut seen = Seen::default();
        let mut chunk = Chunk { users: Vec::new(), refused: Vec::new(), progress: Progress::default() };
        let mut bytes = 0;
        source.rows(&mut |row, progress| {
            let Some(read) = self.site.user(&row) else { return Ok(()) };
            let number = row.number();
            match read.and_then(|(user, notes)| self.prepare(user, notes, &mut seen)) {
                Ok((row, user, length)) => {
                    bytes += length;
                    chunk.users.push((row, user));
                }
                Err(why) => chunk.refused.push((Row::user(&number, &row.label()), why)),
            }
            if bytes > CHUNK_BYTES || chunk.refused.len() > CHUNK_BYTES / 100 {
                chunk.progress = progress;
                bytes = 0;
                let empty = Chunk { users: Vec::new(), refused: Vec::new(), progress };
                return chunks
                    .blocking_send(std::mem::replace(&mut chunk, empty))
                    .map_err(|_| SourceError::Stopped);
            }
            Ok(())
        })?;
        chunk.progress = Progress { done: 1, whole: 1 };
        chunks.blocking_send(chunk).map_err(|_| SourceError::Stopped)
    }

    /// The row without what it cannot have, and how long it is.
    fn prepare(
        &self,
        mut user: UserRow,
        mut notes: Vec<String>,
        seen: &mut Seen,
    ) -> Result<(Row, UserRow, usize), String> {
        let number = user.id.map_or_else(String::new, |id| id.to_string());
        let label = user.username.clone().or_else(|| user.email.clone()).unwrap_or_default();
        notes.extend(lose("group", &self.lost.groups, &mut user.groups));
        notes.extend(lose("permission", &self.lost.permissions, &mut user.permissions));
        let row = Row::user(&number, &label).noting(notes);
        let mut notes = Vec::new();
        let me = if number.is_empty() { label.clone() } else { number.clone() };
        seen.judge(&mut user, &me, self.duplicate_emails, &mut notes)?;
        let length = serde_json::to_string(&user).map_or(usize::MAX, |json| json.len());
        if length > MAX_ROW_BYTES {
            return Err("it is too large".to_owned());
        }
        Ok((row.choosing(notes), user, length))
    }
}

/// Who came earlier in the file, by what no two may share.
#[derive(Default)]
struct Seen {
    numbers: HashSet<u64>,
    emails: HashMap<EmailKey, String>,
    usernames: HashMap<UsernameKey, String>,
}

impl Seen {
    /// What cannot be parsed is judged by the store's side.
    fn judge(
        &mut self,
        user: &mut UserRow,
        me: &str,
        duplicate_emails: Doubt,
        notes: &mut Vec<String>,
    ) -> Result<(), String> {
        let username =
            user.username.as_deref().and_then(|text| Username::parse(text).ok()).map(|name| name.key());
        let email = user.email.as_deref().and_then(|text| Email::parse(text).ok()).map(|email| email.key());
        if user.id.is_some_and(|id| self.numbers.contains(&id)) {
            return Err("its primary key is in the file twice".to_owned());
        }
        if let Some(other) = username.as_ref().and_then(|key| self.usernames.get(key)) {
            return Err(format!("user {other} of the file has this username, in canonical form"));
        }
        if let Some(other) = email.as_ref().and_then(|key| self.emails.get(key)) {
            let why = format!("user {other} of the file has this email address, in canonical form");
            match duplicate_emails {
                Doubt::Refuse => return Err(why),
                Doubt::Drop => {
                    notes.push(format!("without its email address: {why}"));
                    user.email = None;
                }
            }
        } else if let Some(key) = email {
            self.emails.insert(key, me.to_owned());
        }
        self.numbers.extend(user.id);
        self.usernames.extend(username.map(|key| (key, me.to_owned())));
        Ok(())
    }
}

async fn send(store: &Attached, rules: Rules, rows: Rows) -> Result<Vec<Told>, Failure> {
    let outcome = store.run(Operation::Import(ImportWish { rules, rows })).await?;
    let told = serde_json::from_str(&outcome.text);
    Ok(told.map_err(|error| Refusal::new(format!("no answer that makes sense: {error}")))?)
}

/// Rows in portions that fit into a request.
fn chunks<R: Serialize>(rows: Vec<R>) -> Vec<Vec<R>> {
    let mut chunks = vec![Vec::new()];
    let mut bytes = 0;
    for row in rows {
        bytes += serde_json::to_string(&row).map_or(0, |json| json.len());
        if bytes > CHUNK_BYTES {
            bytes = 0;
            chunks.push(Vec::new());
        }
        if let Some(last) = chunks.last_mut() {
            last.push(row);
        }
    }
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}

fn refuse(error: &SourceError) -> Refusal {
    Refusal::new(error.to_string())
}
