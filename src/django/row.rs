//! A row as `manage.py dumpdata` writes it, and how its members are read.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One row of some model.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Row {
    /// `app_label.model`, in lower case.
    pub(crate) model: String,
    /// Null if the dump was made with `--natural-primary`.
    #[serde(default)]
    pub(crate) pk: Value,
    #[serde(default)]
    pub(crate) fields: Map<String, Value>,
}

impl Row {
    /// What reports call it: its number.
    pub(crate) fn number(&self) -> String {
        match &self.pk {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            pk => pk.to_string(),
        }
    }

    /// What reports call it beside that: a user's name, or the address.
    pub(crate) fn label(&self) -> String {
        let names = ["username", "email"].into_iter().filter_map(|name| self.field(name).as_str());
        names.filter(|name| !name.is_empty()).map(str::to_owned).next().unwrap_or_default()
    }

    pub(super) fn field(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Null)
    }

    /// Text; none if it is missing or null.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, String> {
        match self.field(name) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(format!("{name} is no text")),
        }
    }

    /// Text that has something in it.
    pub(super) fn filled(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// True or false, which SQLite writes as 1 and 0; `missing` if there is no such member.
    pub(super) fn flag(&self, name: &str, missing: bool) -> Result<bool, String> {
        match self.field(name) {
            Value::Null => Ok(missing),
            Value::Bool(flag) => Ok(*flag),
            Value::Number(number) if number.as_u64() == Some(0) => Ok(false),
            Value::Number(number) if number.as_u64() == Some(1) => Ok(true),
            _ => Err(format!("{name} is neither true nor false")),
        }
    }

    /// A moment in RFC 3339; one without an offset is in UTC, as Django keeps them.
    pub(super) fn moment(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.filled(name)?.map(|text| {
            let mut text = text.replacen(' ', "T", 1);
            let (_, time) = text.split_once('T').unwrap_or_default();
            if !time.is_empty() && !time.contains(['Z', 'z', '+', '-']) {
                text.push('Z');
            }
            text
        }))
    }
}

/// What a row is called in another: its number, or its natural key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Reference {
    Number(u64),
    Natural(Vec<String>),
}

impl Reference {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_u64().map(Self::Number),
            // Keys that are not numbers.
            Value::String(text) => Some(Self::Natural(vec![text.clone()])),
            Value::Array(parts) => {
                let parts = parts.iter().map(|part| part.as_str().map(str::to_owned));
                parts.collect::<Option<_>>().map(Self::Natural)
            }
            _ => None,
        }
    }
}

/// Those of a list; what is none is left as it is written.
pub(super) fn references(value: &Value) -> Result<Vec<Reference>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => values
            .iter()
            .map(|value| {
                Reference::of(value).ok_or_else(|| "a list of rights has something else in it".to_owned())
            })
            .collect(),
        _ => Err("a list of rights is no list".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(fields: &Value) -> Row {
        serde_json::from_value(json!({ "model": "auth.user", "pk": 1, "fields": fields })).expect("a row")
    }

    #[test]
    fn moments_are_in_utc_unless_they_say_otherwise() {
        for (text, moment) in [
            ("2020-01-02T03:04:05.678Z", "2020-01-02T03:04:05.678Z"),
            ("2020-01-02T03:04:05+01:00", "2020-01-02T03:04:05+01:00"),
            ("2020-01-02T03:04:05", "2020-01-02T03:04:05Z"),
            ("2020-01-02 03:04:05.678901", "2020-01-02T03:04:05.678901Z"),
            ("2020-01-02", "2020-01-02"),
        ] {
            let read = row(&json!({ "date_joined": text })).moment("date_joined");
            assert_eq!(read, Ok(Some(moment.to_owned())), "{text}");
        }
        assert_eq!(row(&json!({ "date_joined": null })).moment("date_joined"), Ok(None));
        assert!(row(&json!({ "date_joined": 5 })).moment("date_joined").is_err());
    }

    #[test]
    fn a_flag_is_a_truth_value_or_what_sqlite_makes_of_it() {
        for (value, flag) in [(json!(true), true), (json!(0), false), (json!(1), true), (Value::Null, true)] {
            assert_eq!(row(&json!({ "is_active": value })).flag("is_active", true), Ok(flag), "{value}");
        }
        for value in [json!("true"), json!(2), json!([])] {
            assert!(row(&json!({ "is_active": value })).flag("is_active", true).is_err(), "{value}");
        }
    }
}
