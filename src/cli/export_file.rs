//! The forms of an exported file.

use std::io::{self, BufWriter, Write};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::cli::export_rows::RightsRows;
use crate::django::{Dump, UserRow};
use crate::domain::append_row;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// JSON for `manage.py loaddata`, password hashes included
    Django,
    /// A table for people and spreadsheets
    Csv,
    /// A JSON object on each line
    Jsonl,
}

/// What goes into the file beside what always does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contents<'a> {
    pub(super) user_model: &'a str,
    pub(super) has_hashes: bool,
    pub(super) has_addresses: bool,
}

/// A file of some form, half written.
pub(super) enum Writer<W: Write> {
    Django(Dump<BufWriter<W>>),
    Csv(BufWriter<W>, Hashes),
    Jsonl(BufWriter<W>, Hashes),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashes {
    Hide,
    Show,
}

const COLUMNS: [&str; 14] = [
    "id",
    "email",
    "username",
    "first_name",
    "last_name",
    "avatar",
    "is_active",
    "is_staff",
    "is_superuser",
    "email_verified",
    "date_joined",
    "last_login",
    "groups",
    "permissions",
];

impl<W: Write> Writer<W> {
    pub(super) fn begin(
        out: W,
        format: Format,
        contents: Contents<'_>,
        rights: &RightsRows,
    ) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        let hashes = if contents.has_hashes { Hashes::Show } else { Hashes::Hide };
        match format {
            Format::Django => {
                let mut dump = Dump::new(out, contents.user_model, contents.has_addresses);
                dump.rights(&rights.permissions, &rights.groups)?;
                Ok(Self::Django(dump))
            }
            Format::Csv => {
                let password = (hashes == Hashes::Show).then_some("password");
                write_line(&mut out, COLUMNS.into_iter().chain(password).map(str::to_owned))?;
                Ok(Self::Csv(out, hashes))
            }
            Format::Jsonl => Ok(Self::Jsonl(out, hashes)),
        }
    }

    pub(super) fn user(&mut self, user: &UserRow) -> io::Result<()> {
        match self {
            Self::Django(dump) => dump.user(user),
            Self::Csv(out, hashes) => {
                let object = object(user, *hashes);
                let password = (*hashes == Hashes::Show).then_some("password");
                let columns = COLUMNS.into_iter().chain(password);
                write_line(out, columns.map(|column| cell(object.get(column).unwrap_or(&Value::Null))))
            }
            Self::Jsonl(out, hashes) => {
                serde_json::to_writer(&mut *out, &object(user, *hashes))?;
                out.write_all(b"\n")
            }
        }
    }

    pub(super) fn end(self) -> io::Result<()> {
        match self {
            Self::Django(dump) => dump.end()?.flush(),
            Self::Csv(mut out, _) | Self::Jsonl(mut out, _) => out.flush(),
        }
    }
}

fn object(user: &UserRow, hashes: Hashes) -> Value {
    let mut object = json!({
        "id": user.id,
        "email": user.email,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "avatar": user.avatar,
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "email_verified": user.email_verified,
        "date_joined": user.date_joined,
        "last_login": user.last_login,
        "groups": user.groups,
        "permissions": user.permissions,
    });
    if let (Some(members), Hashes::Show) = (object.as_object_mut(), hashes) {
        // Django's mark for "none" says nothing to anybody else.
        let password = Some(user.password.expose().as_str()).filter(|hash| !hash.starts_with('!'));
        members.insert("password".to_owned(), password.into());
    }
    object
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(names) => names.iter().map(cell).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}

/// A line that a spreadsheet reads and does not run: users name themselves.
fn write_line(out: &mut impl Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<String> = cells.collect();
    let mut line = Vec::new();
    append_row(&mut line, cells.iter().map(String::as_str));
    out.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_csv_is_read_as_it_was_meant() {
        let mut line = Vec::new();
        let cells = ["a", "b,c", "say \"hi\"", "=1+1", "@ada", "", "é"].map(str::to_owned);
        write_line(&mut line, cells.into_iter()).expect("written");
        assert_eq!(
            String::from_utf8_lossy(&line),
            "\"a\",\"b,c\",\"say \"\"hi\"\"\",\"'=1+1\",\"'@ada\",\"\",\"é\"\r\n"
        );
    }
}
