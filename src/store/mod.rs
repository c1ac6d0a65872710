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
mod draft;
mod email_changes;
mod engine;
mod error;
mod events;
mod groups;
mod guesses;
mod memory;
mod meta;
mod migrations;
mod outbox;
mod permissions;
mod records;
mod registrations;
mod revocations;
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

use crate::domain::{ApiKeyId, Directory, SessionId, Timestamp, User, UserId};

pub(crate) use check::CheckReport;
pub(crate) use copies::{CopyError, restore};
pub(crate) use draft::Existing;
pub(crate) use error::{StoreError, Unique};
pub(crate) use tx::{ReadTx, WriteTx};

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

impl ReadTx {
    pub(crate) fn directory(&self) -> Result<Directory, StoreError> {
        Ok(Directory::new(self.groups()?, self.permissions()?))
    }
}
