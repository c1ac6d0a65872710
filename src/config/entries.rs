//! Lists of tables, table by table, with the place of each for messages.

use toml::{Table, Value};

use crate::config::error::{ConfigError, nearest};
use crate::config::settings::Settings;
use crate::domain::Invalid;

/// One table of a list.
pub(super) struct Entry {
    /// `auth.toml:7`
    place: String,
    /// `bootstrap.users[1]`
    name: String,
    table: Table,
}

/// All tables of a list, if they have no other keys than these.
pub(super) fn entries(
    settings: &Settings,
    list: &str,
    tables: Vec<Table>,
    keys: &[&str],
) -> Result<Vec<Entry>, ConfigError> {
    let entries = tables.into_iter().enumerate().map(|(item, table)| {
        let entry =
            Entry { place: settings.place_of_item(list, item), name: format!("{list}[{item}]"), table };
        match entry.table.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) => Err(entry.unknown(key, keys)),
            None => Ok(entry),
        }
    });
    entries.collect()
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.name)
    }
}

impl Entry {
    /// An empty text is none.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.refuse(key, "must be a string")),
        }
    }

    pub(super) fn optional<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, ConfigError> {
        let parsed =
            self.text(key)?.map(|text| parse(text).map_err(|invalid| self.refuse_value(key, text, &invalid)));
        parsed.transpose()
    }

    pub(super) fn required<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<T, ConfigError> {
        self.optional(key, parse)?.ok_or_else(|| self.refuse(key, "is missing"))
    }

    pub(super) fn boolean(&self, key: &str) -> Result<bool, ConfigError> {
        let value = self
            .table
            .get(key)
            .map(|value| value.as_bool().ok_or_else(|| self.refuse(key, "must be true or false")));
        Ok(value.transpose()?.unwrap_or_default())
    }

    pub(super) fn list<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, ConfigError> {
        let must_be = || self.refuse(key, "must be a list of strings");
        let Some(value) = self.table.get(key) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(must_be)?.iter().map(|item| {
            let text = item.as_str().ok_or_else(must_be)?;
            parse(text).map_err(|invalid| self.refuse_value(key, text, &invalid))
        });
        items.collect()
    }

    pub(super) fn refuse(&self, key: &str, reason: &str) -> ConfigError {
        ConfigError::new(&self.place, &format!("{}.{key}: {reason}", self.name))
    }

    fn refuse_value(&self, key: &str, text: &str, invalid: &Invalid) -> ConfigError {
        self.refuse(key, &format!("{text:?} is refused: {}", invalid.message))
    }

    fn unknown(&self, key: &str, keys: &[&str]) -> ConfigError {
        let reason = match nearest(key, keys.iter().copied()) {
            _ if key == "password" && keys.contains(&"password_file") => {
                "no password is written here: use password_file or password_hash".to_owned()
            }
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("there are {}", keys.join(", ")),
        };
        ConfigError::new(&self.place, &format!("unknown key {}.{key}: {reason}", self.name))
    }
}
