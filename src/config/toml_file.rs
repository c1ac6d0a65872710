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
    /// `[section]`
    Section { section: String, line: usize },
    /// `key = value` in a section, or all of `[[section.key]]`, with the lines of a list's items.
    Key { section: String, key: String, value: Value, line: usize, items: Vec<usize> },
    /// `key = value` before the first section.
    Stray { key: String, line: usize },
}

/// Reads TOML in the order of its lines.
pub(super) fn read(text: &str, place: &str) -> Result<Vec<Entry>, ConfigError> {
    let at = |line: usize| format!("{place}:{line}");
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        ConfigError::new(&at(line), error.message())
    })?;

    let mut entries = Vec::new();
    for (section, body) in table.into_inner() {
        let (start, section) = (section.span().start, section.into_inner().into_owned());
        let Some(keys) = body.get_ref().as_table() else {
            entries.push((start, Entry::Stray { key: section, line: line_of(text, start) }));
            continue;
        };
        entries.push((start, Entry::Section { section: section.clone(), line: line_of(text, start) }));
        for (key, value) in keys {
            let (start, key) = (key.span().start, key.get_ref().to_string());
            let line = line_of(text, start);
            let items = value
                .get_ref()
                .as_array()
                .map(|list| list.iter().map(|item| line_of(text, item.span().start)).collect());
            let items: Vec<usize> = items.unwrap_or_default();
            let value = Value::deserialize(value.clone().into_deserializer()).map_err(|error| {
                ConfigError::new(&at(line), &format!("{section}.{key}: {}", error.message()))
            })?;
            entries.push((start, Entry::Key { section: section.clone(), key, value, line, items }));
        }
    }
    entries.sort_by_key(|(start, _)| *start);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
