//! Proves that the store is whole: every checksum, every row, every index rebuilt and compared.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::{Target, UserId};
use crate::store::StoreError;
use crate::store::codec::Key;
use crate::store::engine::Order;
use crate::store::records::{
    ApiKeyRecord, CodeRecord, CounterRecord, EmailChangeRecord, EventRecord, GroupRecord, GuessesRecord,
    ImportedRecord, LoginCountRecord, MailRecord, MetaRecord, PermissionRecord, RegistrationRecord,
    RevocationRecord, SessionRecord, SigningKeyRecord, UserRecord,
};
use crate::store::schema;
use crate::store::table::{Row, read_row};
use crate::store::tx::ReadTx;

/// What a check found: how many rows each table and index has, and what is wrong with them.
#[derive(Debug, Default)]
pub(crate) struct CheckReport {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) problems: Vec<String>,
    /// Of all tables, without the indexes.
    pub(crate) rows: u64,
}

/// More problems than this say nothing new.
const MAX_PROBLEMS: usize = 100;

impl CheckReport {
    pub(crate) fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn problem(&mut self, table: &str, key: &[u8], what: &dyn fmt::Display) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(format!("{table} {}: {what}", key.escape_ascii()));
        }
    }
}

impl ReadTx {
    /// Reads everything there is. Blocks for as long as that takes.
    pub(crate) fn check(&self) -> Result<CheckReport, StoreError> {
        let mut check = Check { tx: self, report: CheckReport::default(), entries: BTreeMap::new() };
        check.rows::<MetaRecord>()?;
        check.rows::<CounterRecord>()?;
        check.rows::<UserRecord>()?;
        check.rows::<GroupRecord>()?;
        check.rows::<PermissionRecord>()?;
        check.rows::<RegistrationRecord>()?;
        check.rows::<CodeRecord>()?;
        check.rows::<ImportedRecord>()?;
        check.rows::<EmailChangeRecord>()?;
        check.rows::<GuessesRecord>()?;
        check.rows::<SessionRecord>()?;
        check.rows::<ApiKeyRecord>()?;
        check.rows::<RevocationRecord>()?;
        check.rows::<SigningKeyRecord>()?;
        check.rows::<MailRecord>()?;
        check.rows::<EventRecord>()?;
        check.rows::<LoginCountRecord>()?;
        check.indexes()?;
        check.owners()?;
        check.kinds()?;
        check.numbers()?;
        Ok(check.report)
    }
}

struct Check<'a> {
    tx: &'a ReadTx,
    report: CheckReport,
    /// How many entries the rows say each index has.
    entries: BTreeMap<&'static str, u64>,
}

impl Check<'_> {
    /// Decodes every row of a table, and looks up each entry that the row should have.
    fn rows<R: Row>(&mut self) -> Result<(), StoreError> {
        let table = R::TABLE.name;
        let mut count = 0;
        for pair in self.tx.scan(table, None, Order::Ascending)? {
            let (key, value) = pair?;
            count += 1;
            let row = R::Key::from_bytes(&key).and_then(|id| Ok((id, read_row::<R>(&key, &value)?)));
            match row {
                Ok((id, row)) => self.entries_of(&row, &id, &key)?,
                Err(error) => self.report.problem(table, &key, &error),
            }
        }
        self.report.counts.insert(table, count);
        self.report.rows += count;
        Ok(())
    }

    fn entries_of<R: Row>(&mut self, row: &R, id: &R::Key, key: &[u8]) -> Result<(), StoreError> {
        for entry in row.entries(id) {
            *self.entries.entry(entry.index).or_default() += 1;
            if self.tx.get(entry.index, &entry.key)? != Some(entry.value()) {
                let what = format!("its entry in {} is missing or leads elsewhere", entry.index);
                self.report.problem(R::TABLE.name, key, &what);
            }
        }
        Ok(())
    }

    /// Every entry that a row should have is there; so an index with more entries has some that lead nowhere.
    fn indexes(&mut self) -> Result<(), StoreError> {
        let indexes: Vec<&'static str> =
            schema::tables().into_iter().filter(|name| !self.report.counts.contains_key(name)).collect();
        for index in indexes {
            let stored = self.tx.stored_len(index)?;
            let expected = self.entries.get(index).copied().unwrap_or_default();
            if stored != expected {
                let what = format!("{stored} entries, but the rows have {expected}");
                self.report.problem(index, &[], &what);
            }
            self.report.counts.insert(index, stored);
        }
        Ok(())
    }

    /// What is stored by the name of its kind is of a kind that this program knows.
    fn kinds(&mut self) -> Result<(), StoreError> {
        for row in self.tx.rows::<MailRecord>(None, Order::Ascending)?.flatten() {
            self.expect_known::<MailRecord>(&row.0.0, row.1.into_mail(row.0).is_some());
        }
        for row in self.tx.rows::<EventRecord>(None, Order::Ascending)?.flatten() {
            self.expect_known::<EventRecord>(&row.0.0, row.1.into_event(row.0).is_some());
        }
        for (id, key) in self.tx.rows::<SigningKeyRecord>(None, Order::Ascending)?.flatten() {
            let is_known = if key.seals() {
                key.into_seal_key(id).is_some()
            } else {
                key.into_signing_key(id).is_some()
            };
            self.expect_known::<SigningKeyRecord>(&id.0, is_known);
        }
        Ok(())
    }

    fn expect_known<R: Row>(&mut self, key: &[u8], is_known: bool) {
        if !is_known {
            self.report.problem(R::TABLE.name, key, &"is of an unknown kind");
        }
    }

    /// No number that is in use will be given out again.
    fn numbers(&mut self) -> Result<(), StoreError> {
        let last = self.tx.row::<CounterRecord>(&"user".to_owned())?.map_or(0, |counter| counter.last);
        let newest = self.tx.rows::<UserRecord>(None, Order::Descending)?.flatten().next();
        if let Some((newest, _)) = newest.filter(|(newest, _)| newest.0 > last) {
            let what = format!("user {newest} is there, but the last number given out is {last}");
            self.report.problem(CounterRecord::TABLE.name, b"user", &what);
        }
        Ok(())
    }

    /// What belongs to a user belongs to one who is there.
    fn owners(&mut self) -> Result<(), StoreError> {
        self.owned::<SessionRecord>(|_, record| Some(UserId(record.user)))?;
        self.owned::<ApiKeyRecord>(|_, record| Some(UserId(record.user)))?;
        self.owned::<CodeRecord>(|key, _| Some(key.0))?;
        self.owned::<ImportedRecord>(|user, _| Some(*user))?;
        self.owned::<EmailChangeRecord>(|user, _| Some(*user))?;
        self.owned::<GuessesRecord>(|key, _| match key.0 {
            Target::User(user) => Some(user),
            Target::Nobody(_) => None,
        })
    }

    fn owned<R: Row>(&mut self, owner: impl Fn(&R::Key, &R) -> Option<UserId>) -> Result<(), StoreError> {
        for row in self.tx.rows::<R>(None, Order::Ascending)? {
            // One that cannot be read was told of already.
            let Ok((key, record)) = row else { continue };
            let Some(user) = owner(&key, &record) else { continue };
            if self.tx.get(UserRecord::TABLE.name, &user.to_bytes())?.is_none() {
                let what = format!("user {user} is not there");
                self.report.problem(R::TABLE.name, &key.to_bytes(), &what);
            }
        }
        Ok(())
    }
}
