//! The JSON of `manage.py dumpdata`: one array of rows, or a row on each line. Read as a stream.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserializer as _;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde_json::Deserializer;

use crate::django::error::{Progress, ReadError, SourceError};
use crate::django::row::Row;

const BUFFER: usize = 64 << 10;

/// Shows every row to `take`.
pub(super) fn read(
    source: impl Read,
    whole: u64,
    take: &mut dyn FnMut(Row, Progress) -> Result<(), SourceError>,
) -> Result<(), ReadError> {
    let done = Arc::new(AtomicU64::new(0));
    let counted = Counted { source, done: Arc::clone(&done) };
    let mut source = BufReader::with_capacity(BUFFER, counted);
    let is_array = first_sign(&mut source)? == Some(b'[');
    let mut refusal = None;
    let mut show = |mut row: Row| {
        row.model.make_ascii_lowercase();
        let progress = Progress { done: done.load(Ordering::Relaxed), whole };
        take(row, progress).map_err(|error| {
            refusal = Some(error);
            serde_json::Error::custom("stopped")
        })
    };
    let mut json = Deserializer::from_reader(source);
    let read = if is_array {
        json.deserialize_seq(Rows(&mut show)).and_then(|()| json.end())
    } else {
        json.into_iter::<Row>().try_for_each(|row| show(row?))
    };
    match (refusal, read) {
        (Some(error), _) => Err(ReadError::Taker(error)),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) if error.is_io() => Err(ReadError::Io(error.into())),
        (None, Err(error)) => Err(ReadError::Format(error.to_string())),
    }
}

/// The first byte that is no white space. What comes before it is gone, a byte order mark too.
fn first_sign(source: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let skipped = match source.fill_buf()? {
            [] => return Ok(None),
            [0xef, 0xbb, 0xbf, ..] => 3,
            [b' ' | b'\t' | b'\r' | b'\n', ..] => 1,
            [first, ..] => return Ok(Some(*first)),
        };
        source.consume(skipped);
    }
}

/// Counts what was read.
struct Counted<R> {
    source: R,
    done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.done.fetch_add(u64::try_from(read).unwrap_or_default(), Ordering::Relaxed);
        Ok(read)
    }
}

/// Takes an array apart without keeping it.
struct Rows<'a, F>(&'a mut F);

impl<'de, F: FnMut(Row) -> serde_json::Result<()>> Visitor<'de> for Rows<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element::<Row>()? {
            (self.0)(row).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(text: &str) -> Result<Vec<String>, String> {
        let mut models = Vec::new();
        let read = read(text.as_bytes(), 1, &mut |row, _| {
            models.push(row.model);
            Ok(())
        });
        read.map(|()| models).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn arrays_and_lines_are_read_alike() {
        for text in [
            r#"[{"model": "Auth.User", "pk": 1, "fields": {}}, {"model": "auth.group"}]"#,
            "\u{feff}\n [{\"model\": \"auth.user\", \"more\": 1}, {\"model\": \"auth.group\"}] \n",
            "{\"model\": \"auth.user\"}\n{\"model\": \"auth.group\"}\n",
        ] {
            assert_eq!(models(text), Ok(vec!["auth.user".to_owned(), "auth.group".to_owned()]), "{text}");
        }
        assert_eq!((models("[]"), models("")), (Ok(Vec::new()), Ok(Vec::new())));
    }

    #[test]
    fn what_is_cut_short_or_goes_on_is_refused() {
        for text in ["[", "[{\"model\": \"a.b\"}", "[] []", "hello", "{\"pk\": 1}", "[1]"] {
            assert!(models(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whoever_takes_the_rows_may_end_the_reading() {
        let mut seen = 0;
        let read = read(&br#"[{"model": "a.b"}, {"model": "a.b"}]"#[..], 1, &mut |_, _| {
            seen += 1;
            Err(SourceError::Stopped)
        });
        assert!(matches!(read, Err(ReadError::Taker(SourceError::Stopped))) && seen == 1);
    }
}
