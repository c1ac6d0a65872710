//! Reads the tables of an SQLite file: its documented format (sqlite.org/fileformat2.html), and of that only what a
//! Django project writes. A library that does all of SQL would be a seventh of the program.
//!
//! Must never: write, trust a length or a page number of the file, or read one that another process is changing.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::django::error::ReadError;

/// A file whose pages are at rest.
pub(super) struct Database {
    file: File,
    page_size: usize,
    /// The page without what its end is reserved for.
    usable: usize,
    pub(super) pages: u64,
    pub(super) tables: BTreeMap<String, Table>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    root: u64,
    /// In the order of the record.
    pub(super) columns: Vec<String>,
    /// The column that is the row's number, and is not in the record.
    number: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob,
}

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER: usize = 100;
const LEAF: u8 = 0x0d;
const INTERIOR: u8 = 0x05;
/// No row of an account is larger.
const MAX_ROW: usize = 1 << 20;
/// Even a tree with two children at each page has no more levels.
const MAX_DEPTH: usize = 64;

/// Whether a file begins like a database.
pub(super) fn is_database(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

impl Database {
    fn bytes(&self) -> u64 {
        self.pages.saturating_mul(self.page_size as u64)
    }

    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path)?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0)?;
        let page_size = match be(&header, 16, 2)? {
            1 => 65_536,
            size => to_usize(size)?,
        };
        let usable = page_size.saturating_sub(to_usize(be(&header, 20, 1)?)?);
        if !page_size.is_power_of_two() || usable < 480 {
            return Err(damaged("its page size makes no sense"));
        }
        if be(&header, 56, 4)? > 1 {
            return Err(ReadError::Format("its text is not UTF-8".to_owned()));
        }
        refuse_log(path)?;
        let pages = file.metadata()?.len() / page_size as u64;
        let mut database = Self { file, page_size, usable, pages, tables: BTreeMap::new() };
        database.tables = database.schema()?;
        Ok(database)
    }

    /// Shows every row of a table, with how many pages were read so far.
    pub(super) fn rows(
        &self,
        table: &Table,
        show: &mut dyn FnMut(Vec<Cell>, u64) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut walk = Walk { database: self, seen: 0, bytes: 0 };
        walk.page(table.root, 0, &mut |number, record, seen| {
            let mut cells = cells(record, table.columns.len())?;
            if let Some(cell) = table.number.and_then(|at| cells.get_mut(at)) {
                *cell = Cell::Integer(number);
            }
            show(cells, seen)
        })
    }

    fn schema(&self) -> Result<BTreeMap<String, Table>, ReadError> {
        let columns = ["type", "name", "tbl_name", "rootpage", "sql"].map(str::to_owned).to_vec();
        let schema = Table { root: 1, columns, number: None };
        let mut tables = BTreeMap::new();
        self.rows(&schema, &mut |cells, _| {
            if let [Cell::Text(kind), Cell::Text(name), _, Cell::Integer(root), Cell::Text(sql)] =
                cells.as_slice()
                && kind == "table"
                && let Some((columns, number)) = columns_of(sql)
            {
                let root = u64::try_from(*root).map_err(|_| damaged("a table has no place"))?;
                tables.insert(name.clone(), Table { root, columns, number });
            }
            Ok(())
        })?;
        Ok(tables)
    }

    fn read(&self, number: u64) -> Result<Vec<u8>, ReadError> {
        if number == 0 || number > self.pages {
            return Err(damaged("it names a page that it does not have"));
        }
        let mut page = vec![0; self.page_size];
        self.file.read_exact_at(&mut page, (number - 1) * self.page_size as u64)?;
        page.truncate(self.usable);
        Ok(page)
    }

    /// The record of a leaf's cell, with what of it is on pages of its own.
    fn record(&self, page: &[u8], cell: usize) -> Result<(i64, Vec<u8>), ReadError> {
        let mut rest = page.get(cell..).ok_or_else(|| damaged("a row begins outside of its page"))?;
        let length = to_usize(varint(&mut rest)?)?;
        let number = varint(&mut rest)?.cast_signed();
        if length > MAX_ROW {
            return Err(damaged("a row is larger than a mebibyte"));
        }
        let here = local_bytes(length, self.usable);
        let mut record = rest.get(..here).ok_or_else(|| damaged("a row ends outside of its page"))?.to_vec();
        let mut next = if here < length { be(rest, here, 4)? } else { 0 };
        while record.len() < length {
            let page = self.read(next)?;
            let more = (length - record.len()).min(self.usable - 4);
            record.extend_from_slice(page.get(4..4 + more).unwrap_or_default());
            next = be(&page, 0, 4)?;
        }
        Ok((number, record))
    }
}

/// How much of a record is on the leaf itself (section 1.6 of the format).
const fn local_bytes(length: usize, usable: usize) -> usize {
    let most = usable - 35;
    if length <= most {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (length - least) % (usable - 4);
    if fitting <= most { fitting } else { least }
}

/// What is in the log beside the file is not in the file.
fn refuse_log(path: &Path) -> Result<(), ReadError> {
    for ending in ["-wal", "-journal"] {
        let mut log = OsString::from(path);
        log.push(ending);
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Err(ReadError::Io(io::Error::other(format!(
                "{} holds changes that are not in it yet: stop the site first, and close it once with sqlite3",
                Path::new(&log).display()
            ))));
        }
    }
    Ok(())
}

/// A way through the pages of one table.
struct Walk<'a> {
    database: &'a Database,
    seen: u64,
    /// Of the records so far. No byte of the file belongs to two of them.
    bytes: u64,
}

type Show<'s> = &'s mut dyn FnMut(i64, &[u8], u64) -> Result<(), ReadError>;

impl Walk<'_> {
    fn page(&mut self, number: u64, depth: usize, show: Show<'_>) -> Result<(), ReadError> {
        self.seen += 1;
        if depth > MAX_DEPTH || self.seen > self.database.pages {
            return Err(damaged("the pages of a table go round in a circle"));
        }
        let page = self.database.read(number)?;
        let start = if number == 1 { HEADER } else { 0 };
        let cells = to_usize(be(&page, start + 3, 2)?)?;
        match be(&page, start, 1)?.try_into() {
            Ok(LEAF) => {
                for cell in 0..cells {
                    let at = to_usize(be(&page, start + 8 + 2 * cell, 2)?)?;
                    let (number, record) = self.database.record(&page, at)?;
                    self.bytes = self.bytes.saturating_add(record.len() as u64);
                    if self.bytes > self.database.bytes() {
                        return Err(damaged("the rows of a table are more than the file"));
                    }
                    show(number, &record, self.seen)?;
                }
                Ok(())
            }
            Ok(INTERIOR) => {
                for cell in 0..cells {
                    let at = to_usize(be(&page, start + 12 + 2 * cell, 2)?)?;
                    self.page(be(&page, at, 4)?, depth + 1, show)?;
                }
                self.page(be(&page, start + 8, 4)?, depth + 1, show)
            }
            _ => Err(damaged("a page of a table is of another kind")),
        }
    }
}

/// The values of a record; a row from before a column was added has nulls there.
fn cells(record: &[u8], columns: usize) -> Result<Vec<Cell>, ReadError> {
    let mut rest = record;
    let header = to_usize(varint(&mut rest)?)?;
    let types_end = header.checked_sub(record.len() - rest.len());
    let (mut types, mut values) = types_end
        .and_then(|end| rest.split_at_checked(end))
        .ok_or_else(|| damaged("a record has no header"))?;
    let mut cells = Vec::with_capacity(columns);
    while !types.is_empty() && cells.len() < columns {
        let kind = varint(&mut types)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => to_usize(kind)?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return Err(damaged("a value is of no known kind")),
            _ => to_usize((kind - 12) / 2)?,
        };
        let (value, after) =
            values.split_at_checked(length).ok_or_else(|| damaged("a value ends outside of its record"))?;
        values = after;
        cells.push(match kind {
            0 => Cell::Null,
            1..=6 => Cell::Integer(integer(value)),
            7 => Cell::Real(f64::from_bits(be(value, 0, 8)?)),
            8 | 9 => Cell::Integer(i64::from(kind == 9)),
            _ if kind % 2 == 0 => Cell::Blob,
            _ => Cell::Text(String::from_utf8(value.to_vec()).map_err(|_| damaged("a text is not UTF-8"))?),
        });
    }
    cells.resize(columns, Cell::Null);
    Ok(cells)
}

/// Two's complement of one to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let start = if bytes.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(start, |value: i64, byte| (value << 8) | i64::from(*byte))
}

/// Seven bits of each byte, all eight of the ninth.
fn varint(bytes: &mut &[u8]) -> Result<u64, ReadError> {
    let mut value = 0;
    for count in 1..=9 {
        let (first, rest) = bytes.split_first().ok_or_else(|| damaged("a number has no end"))?;
        *bytes = rest;
        if count == 9 {
            return Ok((value << 8) | u64::from(*first));
        }
        value = (value << 7) | u64::from(first & 0x7f);
        if first & 0x80 == 0 {
            break;
        }
    }
    Ok(value)
}

fn be(bytes: &[u8], at: usize, length: usize) -> Result<u64, ReadError> {
    let bytes = bytes.get(at..at + length).ok_or_else(|| damaged("a number is outside of its page"))?;
    Ok(bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
}

fn to_usize(number: u64) -> Result<usize, ReadError> {
    usize::try_from(number).map_err(|_| damaged("a length is out of range"))
}

fn damaged(what: &str) -> ReadError {
    ReadError::Format(format!("it is damaged: {what}"))
}

/// The columns that `CREATE TABLE` declares, and which of them is the row's number. None: a table of another kind.
fn columns_of(sql: &str) -> Option<(Vec<String>, Option<usize>)> {
    let (_, body) = sql.split_once('(')?;
    let end = body.rfind(')')?;
    let (body, options) = body.split_at_checked(end)?;
    if options.to_uppercase().contains("WITHOUT") {
        return None;
    }
    let mut columns = Vec::new();
    let mut number = None;
    for definition in definitions(body) {
        let Some((name, rest)) = name_and_rest(definition.trim()) else { continue };
        let rest = rest.trim().to_uppercase();
        if rest.contains("GENERATED ALWAYS") && !rest.contains("STORED") {
            continue;
        }
        if rest.starts_with("INTEGER") && rest.contains("PRIMARY KEY") {
            number = Some(columns.len());
        }
        columns.push(name);
    }
    Some((columns, number))
}

/// What commas part, those in brackets and quotes aside.
fn definitions(body: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (at, c) in body.char_indices() {
        if let Some(end) = quote {
            quote = (c != end).then_some(end);
            continue;
        }
        match c {
            '"' | '\'' | '`' => quote = Some(c),
            '[' => quote = Some(']'),
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(body.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(body.get(start..).unwrap_or_default());
    parts
}

/// A column's name; None for a constraint of the table.
fn name_and_rest(definition: &str) -> Option<(String, &str)> {
    for (open, close) in [('"', '"'), ('`', '`'), ('[', ']')] {
        if let Some(quoted) = definition.strip_prefix(open) {
            return quoted.split_once(close).map(|(name, rest)| (name.to_owned(), rest));
        }
    }
    let (name, rest) = definition.split_once(char::is_whitespace).unwrap_or((definition, ""));
    let is_constraint = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word));
    (!is_constraint && !name.is_empty()).then(|| (name.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_table_are_those_of_its_declaration() {
        let (columns, number) = columns_of(
            "CREATE TABLE \"auth_user\" (\"id\" integer NOT NULL PRIMARY KEY AUTOINCREMENT, \"a,b\" varchar(128) \
             NOT NULL CHECK (\"x\" IN (1, 2)), plain text DEFAULT 'a, (b', \"v\" text GENERATED ALWAYS AS (plain) VIRTUAL, \
             UNIQUE (\"a,b\"), CONSTRAINT c FOREIGN KEY (plain) REFERENCES t (id))",
        )
        .expect("a table");
        assert_eq!((columns, number), (vec!["id".to_owned(), "a,b".to_owned(), "plain".to_owned()], Some(0)));
        assert_eq!(columns_of("CREATE TABLE t (a text PRIMARY KEY) WITHOUT ROWID"), None);
        assert_eq!(columns_of("CREATE VIEW v AS SELECT 1"), None);
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (bytes, value) in [
            (&[0x7f][..], 127),
            (&[0x81, 0x00], 128),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], u64::MAX),
        ] {
            assert_eq!(varint(&mut &*bytes).ok(), Some(value));
        }
        assert!(varint(&mut &[0x80][..]).is_err());
        for (bytes, value) in [(&[0xff][..], -1), (&[0x7f], 127), (&[0xff, 0x7f], -129), (&[], 0)] {
            assert_eq!(integer(bytes), value);
        }
    }

    #[test]
    fn no_bytes_of_a_file_make_it_panic() {
        let whole = include_bytes!("../../tests/fixtures/django.sqlite3");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("db.sqlite3");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("written");
            let database = Database::open(&path)?;
            database.tables.values().try_for_each(|table| database.rows(table, &mut |_, _| Ok(())))
        };
        assert!(read(whole).is_ok());
        let mut state = 7_u64;
        for _ in 0..300 {
            let mut bytes = whole.to_vec();
            for _ in 0..20 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(state >> 16).expect("64 bits") % bytes.len();
                bytes[at] = state.to_be_bytes()[0];
            }
            read(&bytes).ok();
        }
        for length in (0..whole.len()).step_by(997) {
            read(&whole[..length]).ok();
        }
    }
}
