//! How an older file becomes a present one: an ordered, numbered list. A new file walks it from the start.
//!
//! A migration never changes once it was released. A new shape of a record is a new version of it in `records/`,
//! a migration here if rows must be rewritten, and a file of the last release in `tests/fixtures` that a test opens.

mod m0001_numbers;
mod m0002_groups;

use std::path::Path;

use crate::store::engine::Engine;
use crate::store::tx::{ReadTx, WriteTx};
use crate::store::{StoreError, meta};

/// One step, in one transaction with the note that it was done.
struct Migration {
    title: &'static str,
    /// What has to be done before in transactions of its own, and may be done twice.
    prepare: fn(&Engine) -> Result<(), StoreError>,
    run: fn(&mut WriteTx) -> Result<(), StoreError>,
}

/// The n-th (from 1) leads from schema n - 1 to schema n.
const MIGRATIONS: &[Migration] = &[
    Migration { title: "users are numbered from 1", prepare: |_| Ok(()), run: m0001_numbers::run },
    Migration { title: "groups and permissions", prepare: m0002_groups::prepare, run: m0002_groups::run },
];

/// Brings the file to the schema that this program writes; refuses one that a newer program wrote.
pub(super) fn run(engine: &Engine, path: &Path) -> Result<(), StoreError> {
    let found = meta::schema_of(&ReadTx::new(engine.snapshot()?), path)?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (schema, migration) in (1..).zip(MIGRATIONS).filter(|(schema, _)| *schema > found) {
        tracing::debug!(schema, "migrating the store: {}", migration.title);
        (migration.prepare)(engine)?;
        let mut tx = WriteTx::new(engine.snapshot()?);
        (migration.run)(&mut tx)?;
        tx.set_schema(schema)?;
        engine.commit(tx.writes())?;
    }
    Ok(())
}
