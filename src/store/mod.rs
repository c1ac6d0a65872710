//! What is remembered: transactions, tables, indexes, migrations.
//!
//! A write is a closure over a transaction, pure and retryable: time, ids and random bytes are passed in. One writer
//! thread takes all closures that wait, runs them one after the other, commits once, and answers them all. When
//! `write` returns, what it wrote is on the disk, and memory knows of it.
//!
//! Must never: answer before the commit, go on after a commit that failed, or take a file without `meta` for new.

mod api_keys;
mod check;
mod codec;
mod codes;
mod copies;
mod counts;
mod draft;
mod email_changes;
mod engine;
mod error;
mod events;
mod groups;
mod guesses;
mod login_counts;
mod memory;
mod meta;
mod migrations;
mod outbox;
mod permissions;
mod places;
mod records;
mod registrations;
mod revocations;
mod rights;
mod roster;
mod schema;
mod sessions;
mod signing_keys;
mod table;
#[cfg(test)]
mod tests;
mod tx;
mod users;
mod users_page;
mod write_set;
mod writer;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Notify, watch};

use crate::domain::{ApiKeyId, Directory, SessionId, Timestamp, User, UserId, UserQuery};

pub(crate) use check::CheckReport;
pub(crate) use copies::{ApiKeys, CopyError, restore};
pub(crate) use draft::{Draft, Existing};
pub(crate) use error::{StoreError, Unique};
pub(crate) use tx::{ReadTx, WriteTx};
pub(crate) use users_page::UsersPage;

use engine::Engine;
use memory::Memory;
use revocations::EVERYBODY;
use writer::Writer;

/// The open store. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    engine: Arc<Engine>,
    memory: Arc<Memory>,
    writer: Writer,
}

impl Store {
    /// Opens or creates the file, brings its schema up to date, and loads what is kept in memory. `instance` names a
    /// new store for good.
    pub(crate) fn open(path: &Path, instance: [u8; 16], now: Timestamp) -> Result<Self, StoreError> {
        let engine = Arc::new(Engine::open(path, &schema::tables(), &meta::first_rows(instance, now)?)?);
        migrations::run(&engine, path)?;
        let memory = Arc::new(Memory::default());
        let writer = Writer::start(Arc::clone(&engine), Arc::clone(&memory))
            .map_err(|error| StoreError::open(path, &error))?;
        let read = ReadTx::new(engine.snapshot()?);
        memory.revoke(read.revocations()?);
        memory.set_directory(read.directory()?);
        Ok(Self { engine, memory, writer })
    }

    pub(crate) fn read(&self) -> Result<ReadTx, StoreError> {
        Ok(ReadTx::new(self.engine.snapshot()?))
    }

    /// Runs `closure` in a write transaction and returns once its effect is durable and visible to every reader. An
    /// error from it leaves no trace. It may run more than once.
    pub(crate) async fn write<T, E>(
        &self,
        closure: impl Fn(&mut WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.submit(closure)?.await.unwrap_or_else(|_| {
            Err(StoreError::Failed("the writer stopped before it answered".to_owned()).into())
        })
    }

    /// A user, from memory if they were asked for lately. Never older than the last acknowledged write.
    pub(crate) fn user(&self, id: UserId) -> Result<Option<Arc<User>>, StoreError> {
        self.memory.user(id, || self.read()?.user(id))
    }

    /// One page of users, of one moment not before this one. None: the place to go on after is none of this ordering. Blocks,
    /// for long if somebody filters or searches for the first time.
    pub(crate) fn users_page(
        &self,
        query: &UserQuery,
        now: Timestamp,
    ) -> Result<Option<UsersPage>, StoreError> {
        if !users_page::is_sound(query) {
            return Ok(None);
        }
        if let Some(page) = self.read()?.users_page_by_index(query)? {
            return Ok(Some(page));
        }
        let page = |read: &ReadTx, roster: &_| read.users_page_by_roster(query, roster);
        self.memory.roster.ask(now, || self.read(), page).map(Some)
    }

    /// Has everything ready for who filters or searches users next.
    pub(crate) fn want_roster(&self) {
        self.memory.roster.want();
    }

    /// Rung when somebody wants that.
    pub(crate) fn roster_wanted(&self) -> &Notify {
        &self.memory.roster.wanted
    }

    /// Makes what is ready for it, keeps it so, or lets go of it if nobody has listed users since `idle_since`. Blocks.
    pub(crate) fn keep_roster(&self, now: Timestamp, idle_since: Timestamp) -> Result<(), StoreError> {
        self.memory.roster.keep(now, idle_since, || self.read())
    }

    /// All groups and permissions. Never older than the last acknowledged write.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.memory.directory()
    }

    /// Whether a session was ended while tokens of it may still be about.
    pub(crate) fn is_revoked(&self, session: SessionId) -> bool {
        self.memory.is_revoked(session)
    }

    /// Whether the old tokens of a user are over.
    pub(crate) fn has_no_old_tokens(&self, user: UserId) -> bool {
        [user, EVERYBODY].into_iter().any(|whose| self.is_revoked(SessionId::of_old_tokens(whose)))
    }

    /// Notes, in memory, that an API key was used.
    pub(crate) fn note_api_key_use(&self, id: ApiKeyId, at: Timestamp) {
        self.memory.note_api_key_use(id, at);
    }

    /// When an API key was used last, if that is not written down yet.
    pub(crate) fn noted_api_key_use(&self, id: ApiKeyId) -> Option<Timestamp> {
        self.memory.api_key_use(id)
    }

    /// Hands over the uses of API keys that are not written down yet.
    pub(crate) fn take_api_key_uses(&self) -> Vec<(ApiKeyId, Timestamp)> {
        self.memory.take_api_key_uses()
    }

    /// Rung when a mail is in the outbox.
    pub(crate) fn mail_waiting(&self) -> &Notify {
        &self.memory.mail_waiting
    }

    /// Rung when a group or a permission is gone.
    pub(crate) fn rights_lost(&self) -> &Notify {
        &self.memory.rights_lost
    }

    /// True from the moment a commit failed: then the process has to start again.
    pub(crate) fn failure(&self) -> watch::Receiver<bool> {
        self.writer.failure()
    }

    /// Whether the disk has room for the next write.
    pub(crate) fn has_space(&self) -> bool {
        writer::has_space(&self.engine, 1)
    }

    /// Writes all that is committed at this moment to `file`, and says how many rows that is. Writes go on meanwhile.
    /// Blocks for as long as that takes.
    pub(crate) fn back_up(&self, file: &Path, existing: Existing) -> Result<u64, CopyError> {
        copies::back_up(&self.engine, file, existing)
    }

    /// Takes no more writes, finishes those that wait, and lets go of the file with the last clone.
    pub(crate) async fn close(&self) {
        self.writer.stop().await;
    }
}
