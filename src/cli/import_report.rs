//! What an import says: row by row while it runs, and a sum at its end.

use std::fmt::Write;

use crate::cli::import_rows::{Aim, Told};
use crate::cli::outcome::{self, Failure, Outcome, Refusal};
use crate::cli::progress::ProgressBar;
use crate::django::Progress;

/// A row, as the report calls it.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    noun: &'static str,
    name: String,
    /// What is to be said about it, whatever becomes of it.
    notes: Vec<String>,
    /// It lacks something that the file has, and that nobody chose to leave out.
    is_incomplete: bool,
}

/// Tells, and counts.
pub(super) struct Report {
    aim: Aim,
    bar: ProgressBar,
    imported: Counts,
    unchanged: Counts,
    refused: u64,
    incomplete: u64,
}

/// Of permissions, groups and users.
#[derive(Default)]
struct Counts {
    permissions: u64,
    groups: u64,
    users: u64,
}

impl Row {
    pub(super) fn of(noun: &'static str, name: &str) -> Self {
        Self { noun, name: name.to_owned(), ..Self::default() }
    }

    /// One that says what it is itself.
    pub(super) fn bad(what: String) -> Self {
        Self { name: what, ..Self::default() }
    }

    pub(super) fn user(number: &str, label: &str) -> Self {
        let name = match (number, label) {
            ("", label) => label.to_owned(),
            (number, "") => number.to_owned(),
            (number, label) => format!("{number} ({label})"),
        };
        Self { noun: "user", name, ..Self::default() }
    }

    /// With what the row lacks of what the file has.
    pub(super) fn noting(self, notes: Vec<String>) -> Self {
        Self { is_incomplete: !notes.is_empty(), notes, ..self }
    }

    /// With what it lacks because somebody chose so.
    pub(super) fn choosing(mut self, notes: Vec<String>) -> Self {
        self.notes.extend(notes);
        self
    }
}

impl Report {
    pub(super) fn new(aim: Aim) -> Self {
        Self {
            aim,
            bar: ProgressBar::new(),
            imported: Counts::default(),
            unchanged: Counts::default(),
            refused: 0,
            incomplete: 0,
        }
    }

    pub(super) fn tell_all(&mut self, rows: &[Row], told: Vec<Told>) -> Result<(), Failure> {
        if rows.len() != told.len() {
            return Err(Refusal::new("the store did not say what became of each row: repeat it").into());
        }
        rows.iter().zip(told).try_for_each(|(row, told)| self.tell(row, told))
    }

    /// One line for a row that is refused or has something to it; in a rehearsal for every row.
    pub(super) fn tell(&mut self, row: &Row, told: Told) -> Result<(), Failure> {
        let (what, said) = match told {
            Told::Imported(said) => {
                self.imported.add(row);
                (if self.aim == Aim::Import { "imported" } else { "to import" }, said)
            }
            Told::Unchanged(said) => {
                self.unchanged.add(row);
                ("unchanged", said)
            }
            Told::Refused(reason) => {
                self.refused += 1;
                ("refused", vec![reason])
            }
        };
        if what != "refused" && row.is_incomplete {
            self.incomplete += 1;
        }
        let said: Vec<String> = row.notes.iter().chain(&said).cloned().collect();
        if said.is_empty() && self.aim == Aim::Import {
            return Ok(());
        }
        let mut line = [row.noun, &row.name].join(" ").trim_start().to_owned();
        write!(line, ": {what}").ok(); // Writing to a String never fails.
        if !said.is_empty() {
            write!(line, ": {}", said.join("; ")).ok();
        }
        self.say(&line)
    }

    /// The file's text in it is shown escaped.
    pub(super) fn say(&mut self, line: &str) -> Result<(), Failure> {
        self.bar.hide();
        let mut text = String::with_capacity(line.len() + 1);
        for c in line.chars() {
            if c.is_control() { text.extend(c.escape_default()) } else { text.push(c) }
        }
        text.push('\n');
        outcome::print(&text)
            .map_err(|error| Refusal::new(format!("cannot write the report: {error}")).into())
    }

    pub(super) fn show_progress(&mut self, progress: Progress) {
        let users = self.imported.users + self.unchanged.users;
        self.bar.show(progress.done, progress.whole, &format!("{users} users, {} refused", self.refused));
    }

    pub(super) fn hide_progress(&mut self) {
        self.bar.hide();
    }

    /// The sum; an error if something was refused.
    pub(super) fn conclude(self) -> Result<Outcome, Failure> {
        let verb = if self.aim == Aim::Import { "imported" } else { "to import" };
        let mut text = String::new();
        for (what, counts) in [(verb, &self.imported), ("unchanged", &self.unchanged)] {
            let Counts { permissions, groups, users } = counts;
            writeln!(text, "{what}: {users} users, {groups} groups, {permissions} permissions").ok();
        }
        writeln!(text, "refused: {} rows", self.refused).ok();
        let others = if self.aim == Aim::Import { "the others are imported" } else { "nothing was changed" };
        let reason = match (self.refused, self.incomplete) {
            (0, 0) => return Ok(Outcome::saying(text)),
            (0, incomplete) => {
                format!("{incomplete} users lack rights that the file does not explain; {others}")
            }
            (refused, _) => format!("{refused} rows are refused, with the reasons above; {others}"),
        };
        Err(Refusal { reason, details: text }.into())
    }
}

impl Counts {
    fn add(&mut self, row: &Row) {
        match row.noun {
            "permission" => self.permissions += 1,
            "group" => self.groups += 1,
            _ => self.users += 1,
        }
    }
}
