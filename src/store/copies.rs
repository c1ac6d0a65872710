//! Backups: a verified copy of one moment, and one that is put back.
//!
//! Must never: leave half a file under the name that was asked for, put back what is not proved whole, or let a token
//! from before count after a restore.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek};
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::domain::{ApiKeyId, CodePurpose, Event, MailId, MailStatus, SessionId, UserId};
use crate::store::codec::Key;
use crate::store::draft::{Draft, Existing};
use crate::store::engine::{Engine, Order};
use crate::store::meta::Numbers;
use crate::store::records::{ApiKeyRecord, CodeRecord, EmailChangeRecord, MailRecord, SessionRecord};
use crate::store::revocations::EVERYBODY;
use crate::store::table::{Row, damaged};
use crate::store::tx::{ReadTx, WriteTx};
use crate::store::{CheckReport, StoreError, migrations, schema};

/// What becomes of the API keys of a backup: one that was revoked since would count again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiKeys {
    Revoke,
    Keep,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error("{path} exists: give --force to replace it", path = .0.display())]
    Exists(PathBuf),
    #[error("{path} is a link to a file that is not there: mend the link, or remove it", path = .0.display())]
    Dangling(PathBuf),
    #[error("{path} is the store itself: name another file", path = .0.display())]
    Itself(PathBuf),
    #[error("{path} is no file: name another one", path = .0.display())]
    NotAFile(PathBuf),
    #[error("{path} is in use: stop the server, or whatever has it open, first", path = .0.display())]
    InUse(PathBuf),
    #[error("cannot write {path}: {why}; nothing is there that was not before", path = .0.display(), why = .1)]
    Write(PathBuf, String),
    #[error("cannot read {path}: {why}", path = .0.display(), why = .1)]
    Read(PathBuf, io::Error),
    #[error("the store is damaged and is not copied: {0}; run keystead check")]
    Damaged(String),
    #[error("cannot restore {path}: {why}; nothing was written", path = .0.display(), why = .1)]
    NotABackup(PathBuf, String),
}

/// So many rows go in one transaction; with their index entries three times as many.
const ROUND: usize = 100;

/// Writes all that is committed at this moment to `file`, and says how many rows that is.
pub(super) fn back_up(engine: &Engine, file: &Path, existing: Existing) -> Result<u64, CopyError> {
    may_be_written(file, existing)?;
    if is_same_file(file, engine.path()) {
        return Err(CopyError::Itself(file.to_owned()));
    }
    let failed = |error: &dyn std::fmt::Display| CopyError::Write(file.to_owned(), error.to_string());
    let draft = Draft::beside(file).map_err(|error| failed(&error))?;
    let copied = engine
        .snapshot()
        .and_then(|snapshot| snapshot.copy_to(draft.path(), &schema::tables()))
        .map_err(|error| match error {
            StoreError::DiskFull => failed(&"its disk is full"),
            StoreError::Damaged(what) => CopyError::Damaged(what),
            error => failed(&error),
        })?;
    let (_, report) = verified(draft.path()).map_err(CopyError::Damaged)?;
    if report.counts.values().sum::<u64>() != copied {
        return Err(failed(&"the copy has other rows than the store"));
    }
    draft.place(existing).map_err(|error| not_placed(file, &error))?;
    Ok(report.rows)
}

/// How far the numbers go on if nobody can say how many were given out since the backup: more than that was not.
const SKIPPED_NUMBERS: u64 = 1_000_000;

/// Puts the backup `file` in the place of `store`, which nobody may have open. Sessions, links to new passwords and
/// signing keys of it are gone, API keys too unless they are kept: the next start makes new keys, and no token from before
/// counts. No number that was given out since is given out again, and no mail that waited is sent unasked. Says how many
/// rows there are. Blocks for as long as that takes.
pub(crate) fn restore(
    file: &Path,
    store: &Path,
    existing: Existing,
    api_keys: ApiKeys,
    event: &Event,
) -> Result<u64, CopyError> {
    // By whatever link the configuration names it.
    let store = &fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    if is_same_file(file, store) {
        return Err(CopyError::Itself(file.to_owned()));
    }
    let held = hold(store)?;
    may_be_written(store, existing)?;
    let failed = |error: &dyn std::fmt::Display| CopyError::Write(store.clone(), error.to_string());
    let refused = |why: String| CopyError::NotABackup(file.to_owned(), why);
    let draft = Draft::beside(store).map_err(|error| failed(&error))?;
    copy_bytes(file, &draft)?;
    let (engine, _) = verified(draft.path()).map_err(refused)?;
    let replaced = held.as_ref().and_then(|held| numbers_of(held, store));
    skip_numbers(&engine, replaced.as_ref()).map_err(|error| failed(&error))?;
    end_what_was_issued(&engine, api_keys, event).map_err(|error| failed(&error))?;
    drop(engine);
    let (engine, report) = verified(draft.path()).map_err(|why| failed(&why))?;
    drop(engine);
    // What was not there is not replaced: it would be a server's that started meanwhile.
    let existing = if held.is_some() { existing } else { Existing::Keep };
    draft.place(existing).map_err(|error| not_placed(store, &error))?;
    Ok(report.rows)
}

/// Said before the work, and not relied upon after it.
fn may_be_written(file: &Path, existing: Existing) -> Result<(), CopyError> {
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CopyError::Read(file.to_owned(), error)),
        Ok(metadata) if metadata.is_dir() => Err(CopyError::NotAFile(file.to_owned())),
        Ok(_) if existing == Existing::Keep => Err(CopyError::Exists(file.to_owned())),
        Ok(_) => match fs::metadata(file) {
            Ok(metadata) if !metadata.is_file() => Err(CopyError::NotAFile(file.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(CopyError::Dangling(file.to_owned()))
            }
            _ => Ok(()),
        },
    }
}

fn not_placed(file: &Path, error: &io::Error) -> CopyError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(file.to_owned()),
        _ => CopyError::Write(file.to_owned(), error.to_string()),
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// Keeps everybody from opening a store, be it whole or not, by the lock that the engine takes too. None: there is none.
fn hold(store: &Path) -> Result<Option<File>, CopyError> {
    let file = match OpenOptions::new().read(true).write(true).open(store) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CopyError::Write(store.to_owned(), error.to_string())),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(CopyError::InUse(store.to_owned())),
        Err(TryLockError::Error(error)) => Err(CopyError::Write(store.to_owned(), error.to_string())),
    }
}

/// The file itself is not opened as a database, which may write to it.
fn copy_bytes(file: &Path, draft: &Draft) -> Result<(), CopyError> {
    let unreadable = |error: io::Error| CopyError::Read(file.to_owned(), error);
    if !fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(CopyError::NotABackup(file.to_owned(), "it is no file".to_owned()));
    }
    let mut source = File::open(file).map_err(unreadable)?;
    // Pages of different moments make no database.
    match source.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(CopyError::InUse(file.to_owned())),
        Err(TryLockError::Error(error)) => return Err(unreadable(error)),
    }
    let failed = |error: io::Error| CopyError::Write(draft.path().to_owned(), error.to_string());
    let mut copy = OpenOptions::new().write(true).open(draft.path()).map_err(failed)?;
    io::copy(&mut source, &mut copy).map(drop).map_err(failed)
}

/// The numbers of the store that is to be replaced, read in a copy: we hold the file itself. None: it cannot be read.
fn numbers_of(mut held: &File, store: &Path) -> Option<Numbers> {
    let draft = Draft::beside(store).ok()?;
    held.rewind().ok()?;
    io::copy(&mut held, &mut OpenOptions::new().write(true).open(draft.path()).ok()?).ok()?;
    let read = || ReadTx::new(Engine::open_verified(draft.path()).ok()?.snapshot().ok()?).numbers().ok();
    // The engine may panic on pages that something else wrote.
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

/// Goes on after the last numbers of the store that is replaced, if it is the one that the backup is of; else far after
/// those of the backup. Whoever remembers a user by number must not meet another under it.
fn skip_numbers(engine: &Engine, replaced: Option<&Numbers>) -> Result<(), StoreError> {
    let own = ReadTx::new(engine.snapshot()?).numbers()?;
    let replaced = replaced.filter(|replaced| replaced.instance == own.instance);
    let mut tx = WriteTx::new(engine.snapshot()?);
    for (kind, last) in own.last {
        let since = replaced.map(|replaced| replaced.last.get(&kind).copied().unwrap_or_default());
        tx.skip_numbers(&kind, since.unwrap_or(last.saturating_add(SKIPPED_NUMBERS)))?;
    }
    engine.commit(tx.writes())
}

/// Opens a copy of ours that is whole: every page, row and index of it. An older one is brought up to date.
fn verified(copy: &Path) -> Result<(Engine, CheckReport), String> {
    let verify = || {
        let engine = Engine::open_verified(copy)?;
        migrations::run(&engine, copy)?;
        let report = ReadTx::new(engine.snapshot()?).check()?;
        Ok((engine, report))
    };
    // The engine may panic on pages that something else wrote.
    let (engine, report) = match catch_unwind(AssertUnwindSafe(verify)) {
        Ok(Ok(verified)) => verified,
        Ok(Err(StoreError::NotAStore(_, why) | StoreError::Damaged(why))) => return Err(why),
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_panic) => return Err("its pages make no sense".to_owned()),
    };
    match report.problems.first() {
        None => Ok((engine, report)),
        Some(first) => {
            Err(format!("{} problems, the first: {}", report.problems.len(), first.escape_debug()))
        }
    }
}

/// Takes away what would let somebody in who holds a token, a key or a link from before, and holds back the mails that
/// were sent since.
fn end_what_was_issued(engine: &Engine, api_keys: ApiKeys, event: &Event) -> Result<(), StoreError> {
    let read = ReadTx::new(engine.snapshot()?);
    let sessions: Vec<SessionId> = keys::<SessionRecord>(&read)?;
    let codes: Vec<(UserId, CodePurpose)> = keys::<CodeRecord>(&read)?;
    let email_changes: Vec<UserId> = keys::<EmailChangeRecord>(&read)?;
    let revoked: Vec<ApiKeyId> = match api_keys {
        ApiKeys::Revoke => keys::<ApiKeyRecord>(&read)?,
        ApiKeys::Keep => Vec::new(),
    };
    let mails: Vec<MailId> = keys::<MailRecord>(&read)?;
    drop(read);
    in_rounds(engine, &sessions, |tx, id| match tx.session(*id)? {
        Some(session) => tx.end_session(&session),
        None => Ok(()),
    })?;
    in_rounds(engine, &codes, |tx, (user, purpose)| match purpose {
        CodePurpose::ResetPassword => tx.remove_code(*user, *purpose),
        // Whoever never confirmed their address still has to.
        CodePurpose::VerifyEmail => Ok(()),
    })?;
    in_rounds(engine, &email_changes, |tx, user| tx.remove_email_change(*user))?;
    in_rounds(engine, &revoked, |tx, id| tx.remove_api_key(*id))?;
    in_rounds(engine, &mails, |tx, id| match tx.mail(*id)? {
        Some(mut mail) if mail.status == MailStatus::Waiting => {
            mail.held_back("restored from a backup: it may have been sent since".to_owned());
            tx.save_mail(&mail)
        }
        _ => Ok(()),
    })?;

    let mut tx = WriteTx::new(engine.snapshot()?);
    // Whose were ended since the backup is not in it.
    tx.end_old_tokens(EVERYBODY)?;
    for key in tx.signing_keys()? {
        tx.remove_signing_key(key.id)?;
    }
    tx.append_event(event)?;
    engine.commit(tx.writes())
}

fn keys<R: Row>(read: &ReadTx) -> Result<Vec<R::Key>, StoreError> {
    let pairs = read.scan(R::TABLE.name, None, Order::Ascending)?;
    pairs
        .map(|pair| {
            let (key, _) = pair?;
            R::Key::from_bytes(&key).map_err(|error| damaged(R::TABLE.name, &error))
        })
        .collect()
}

fn in_rounds<T>(
    engine: &Engine,
    all: &[T],
    change: impl Fn(&mut WriteTx, &T) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for round in all.chunks(ROUND) {
        let mut tx = WriteTx::new(engine.snapshot()?);
        for one in round {
            change(&mut tx, one)?;
        }
        engine.commit(tx.writes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventId, EventKind, EventResult, Origin, Timestamp};
    use crate::store::Store;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn event() -> Event {
        Event {
            id: EventId::new(NOW, [0; 10]),
            time: NOW,
            kind: EventKind::KeysRotated,
            result: EventResult::Success,
            actor: None,
            subject: None,
            session: None,
            origin: Origin::default(),
            detail: String::new(),
        }
    }

    #[tokio::test]
    async fn a_backup_of_a_newer_keystead_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, file) = (folder.path().join("k.redb"), folder.path().join("b"));
        let store = Store::open(&home, [1; 16], NOW).expect("the store opens");
        store.write(|tx| tx.set_schema(99)).await.expect("written");
        let mut tx = WriteTx::new(store.engine.snapshot().expect("readable"));
        tx.append_event(&event()).expect("noted");
        store.engine.commit(tx.writes()).expect("written");
        store.close().await;
        drop(store);
        fs::rename(&home, &file).expect("moved");

        let refused = restore(&file, &home, Existing::Keep, ApiKeys::Revoke, &event()).expect_err("refused");

        let said = refused.to_string();
        assert!(said.contains("schema 99") && said.ends_with("nothing was written"), "{said}");
        assert!(!home.exists());
    }
}
