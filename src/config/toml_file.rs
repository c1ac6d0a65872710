//! A configuration file as a list of sections and keys, each with its line.
//!
//! Must never: know which keys there are.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Value;
use toml::de::DeTable;

use crate::config::error::ConfigError;

/// Something that a file says.
#[derive(Debug)]
pub(super) enum Entry {
    /// `[section]` or `[section.part]`
    Section { section: String, line: usize },
    /// `key = value` in a section, or all of `[[section.key]]`, with the lines of a list's items.
    Key { section: String, key: String, value: Value, line: usize, items: Vec<usize> },
    /// `key = value` before the first section.
    Stray { key: String, line: usize },
}

/// Reads TOML in the order of its lines.
pub(super) fn read(text: &str, place: &str) -> Result<Vec<Entry>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        ConfigError::new(&format!("{place}:{line}"), error.message())
    })?;
    let mut reader = Reader { text, place, entries: Vec::new() };
    for (name, body) in table.get_ref() {
        let (start, name) = (name.span().start, name.get_ref().to_string());
        if let Some(keys) = body.get_ref().as_table() {
            reader.read_section(name, start, keys)?;
        } else {
            reader.entries.push((start, Entry::Stray { key: name, line: line_of(text, start) }));
        }
    }
    reader.entries.sort_by_key(|(start, _)| *start);
    Ok(reader.entries.into_iter().map(|(_, entry)| entry).collect())
}

struct Reader<'a> {
    text: &'a str,
    place: &'a str,
    /// Each with the byte it starts at.
    entries: Vec<(usize, Entry)>,
}

impl Reader<'_> {
    /// A section, and the sections in it.
    fn read_section(&mut self, section: String, start: usize, keys: &DeTable<'_>) -> Result<(), ConfigError> {
        for (key, value) in keys {
            let (start, key) = (key.span().start, key.get_ref().to_string());
            if let Some(keys) = value.get_ref().as_table() {
                self.read_section(format!("{section}.{key}"), start, keys)?;
                continue;
            }
            let line = line_of(self.text, start);
            let items = value.get_ref().as_array().into_iter().flat_map(|list| list.iter());
            let items = items.map(|item| line_of(self.text, item.span().start)).collect();
            let value = Value::deserialize(value.clone().into_deserializer()).map_err(|error| {
                let reason = format!("{section}.{key}: {}", error.message());
                ConfigError::new(&format!("{}:{line}", self.place), &reason)
            })?;
            self.entries.push((start, Entry::Key { section: section.clone(), key, value, line, items }));
        }
        let line = line_of(self.text, start);
        self.entries.push((start, Entry::Section { section, line }));
        Ok(())
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
