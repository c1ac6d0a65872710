//! Schema 2: groups and permissions, Keystead's own permissions, and the indexes that lists of users need.

use crate::domain::{UserId, own_permissions};
use crate::store::StoreError;
use crate::store::engine::{Engine, Order};
use crate::store::records::{CounterRecord, UserRecord};
use crate::store::tx::{ReadTx, WriteTx};

/// Users of one transaction; each has a dozen index entries.
const ROUND: usize = 50;

/// Enters every user into the new indexes, in many transactions: one that is killed begins anew and changes nothing.
pub(super) fn prepare(engine: &Engine) -> Result<(), StoreError> {
    let mut next = Some(UserId(0));
    while let Some(from) = next {
        let read = ReadTx::new(engine.snapshot()?);
        let rows: Vec<(UserId, UserRecord)> =
            read.rows::<UserRecord>(Some(&from), Order::Ascending)?.take(ROUND).collect::<Result<_, _>>()?;
        next = rows.last().map(|(id, _)| UserId(id.0.saturating_add(1)));
        let mut tx = WriteTx::new(engine.snapshot()?);
        for (id, record) in &rows {
            tx.reindex(id, record)?;
        }
        if !rows.is_empty() {
            engine.commit(tx.writes())?;
        }
    }
    Ok(())
}

pub(super) fn run(tx: &mut WriteTx) -> Result<(), StoreError> {
    for kind in ["group", "permission"] {
        tx.save(&kind.to_owned(), &CounterRecord { last: 0 })?;
    }
    for (name, title) in own_permissions() {
        tx.insert_permission(name, title)?;
    }
    Ok(())
}
