//! That a file is a Keystead store is written in it when it is made, and never guessed.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::Timestamp;
use crate::store::StoreError;
use crate::store::codec::{self, Key};
use crate::store::engine::Order;
use crate::store::records::{CounterRecord, MetaRecord};
use crate::store::table::{Row, damaged};
use crate::store::tx::{ReadTx, WriteTx};
use crate::store::write_set::{Change, WriteSet};

const SERVICE: &str = "service";
const BACKUP: &str = "backup";

/// What a new file holds from its first commit on. Schema 0: the migrations do the rest.
pub(super) fn first_rows(instance: [u8; 16], now: Timestamp) -> Result<WriteSet, StoreError> {
    let meta = MetaRecord { schema: 0, instance, created_at: now.millis() };
    let key = SERVICE.to_owned().to_bytes();
    let payload = codec::encode(&meta).map_err(|error| damaged(MetaRecord::TABLE.name, &error))?;
    let value = codec::seal(MetaRecord::TABLE.name, &key, MetaRecord::VERSION, &payload);
    let mut rows = WriteSet::default();
    rows.set(MetaRecord::TABLE.name, key, Change::Put(value));
    Ok(rows)
}

/// The schema of an open file; a file without it is no store, however empty it looks.
pub(super) fn schema_of(tx: &ReadTx, path: &Path) -> Result<u32, StoreError> {
    let refuse = |why: &str| StoreError::NotAStore(path.to_owned(), why.to_owned());
    match tx.row::<MetaRecord>(&SERVICE.to_owned()) {
        Ok(Some(meta)) => Ok(meta.schema),
        Ok(None) => Err(refuse("it is not a keystead store (no meta record)")),
        Err(error) => Err(refuse(&error.to_string())),
    }
}

/// What a store is called for good, and the last number that it gave out of each kind.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) instance: [u8; 16],
    pub(super) last: BTreeMap<String, u64>,
}

impl ReadTx {
    pub(super) fn numbers(&self) -> Result<Numbers, StoreError> {
        let meta = self.row::<MetaRecord>(&SERVICE.to_owned())?;
        let gone = || StoreError::Damaged("the meta record is gone".to_owned());
        let counters = self.rows::<CounterRecord>(None, Order::Ascending)?;
        let last = counters.map(|row| row.map(|(kind, counter)| (kind, counter.last)));
        Ok(Numbers { instance: meta.ok_or_else(gone)?.instance, last: last.collect::<Result<_, _>>()? })
    }

    /// When a copy of the store was made last, as far as is known.
    pub(crate) fn last_backup(&self) -> Result<Option<Timestamp>, StoreError> {
        let noted = self.row::<MetaRecord>(&BACKUP.to_owned())?;
        Ok(noted.map(|meta| Timestamp::from_millis(meta.created_at)))
    }

    /// The number of a kind that was given out last; 0 if none was.
    pub(super) fn last_number(&self, kind: &str) -> Result<u64, StoreError> {
        let counter = self.row::<CounterRecord>(&kind.to_owned())?;
        let lost = || StoreError::Damaged(format!("the last number of a {kind} is lost"));
        Ok(counter.ok_or_else(lost)?.last)
    }
}

impl WriteTx {
    pub(super) fn set_schema(&mut self, schema: u32) -> Result<(), StoreError> {
        let key = SERVICE.to_owned();
        match self.row::<MetaRecord>(&key)? {
            Some(meta) => self.save(&key, &MetaRecord { schema, ..meta }),
            None => Err(StoreError::Damaged("the meta record is gone".to_owned())),
        }
    }

    /// Notes that a copy was made.
    pub(crate) fn note_backup(&mut self, now: Timestamp) -> Result<(), StoreError> {
        match self.row::<MetaRecord>(&SERVICE.to_owned())? {
            Some(meta) => self.save(&BACKUP.to_owned(), &MetaRecord { created_at: now.millis(), ..meta }),
            None => Err(StoreError::Damaged("the meta record is gone".to_owned())),
        }
    }

    /// Sees to it that no number up to `last` of a kind will be given out.
    pub(super) fn skip_numbers(&mut self, kind: &String, last: u64) -> Result<(), StoreError> {
        let own = self.row::<CounterRecord>(kind)?.map_or(0, |counter| counter.last);
        self.save(kind, &CounterRecord { last: own.max(last) })
    }

    /// The next number of a kind: from 1, never given out twice.
    pub(super) fn next_number(&mut self, kind: &str) -> Result<u64, StoreError> {
        let next = CounterRecord { last: self.last_number(kind)?.saturating_add(1) };
        self.save(&kind.to_owned(), &next)?;
        Ok(next.last)
    }

    /// Lets no number of a kind up to this one be given out: something has come with it.
    pub(super) fn pass_number(&mut self, kind: &str, number: u64) -> Result<(), StoreError> {
        let key = kind.to_owned();
        match self.row::<CounterRecord>(&key)? {
            Some(counter) if counter.last >= number => Ok(()),
            _ => self.save(&key, &CounterRecord { last: number }),
        }
    }
}
