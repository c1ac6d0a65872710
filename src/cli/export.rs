//! `keystead export`.
//!
//! The file is written here, by whoever asked and for them alone; the rows come from the store a few at a time.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::de::DeserializeOwned;

use crate::cli::export_file::{Contents, Format, Writer};
use crate::cli::export_rows::{ExportWish, RightsRows};
use crate::cli::operation::Operation;
use crate::cli::outcome::{Failure, Outcome, Refusal};
use crate::cli::perform::Attached;
use crate::cli::progress::ProgressBar;
use crate::config::Config;
use crate::django::UserRow;
use crate::flows::{Draft, Existing};

#[derive(Debug, Args)]
#[command(
    after_help = "The JSON is for manage.py loaddata of a project whose tables are there: users with their numbers, flags and \
    password hashes (which Django verifies as they are; argon2 needs argon2-cffi), groups, permissions. API keys and sessions \
    stay behind: only their hashes are known here. The file is for its owner alone."
)]
pub(super) struct Export {
    /// Where to; a name that is free
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What to write; told from the name (.csv, .jsonl) unless given
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Write password hashes into CSV and JSON lines too
    #[arg(long)]
    with_hashes: bool,
    /// Write confirmed email addresses as django-allauth keeps them
    #[arg(long)]
    allauth: bool,
    /// The model of the users in the project that the JSON is for
    #[arg(long, value_name = "APP.MODEL", default_value = "auth.user")]
    user_model: String,
}

impl Export {
    pub(super) async fn run(self, config: Config) -> Result<Outcome, Failure> {
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        match self.file.symlink_metadata() {
            Ok(_) if existing == Existing::Keep => return Err(exists(&self.file).into()),
            // Neither the store nor its socket, by whatever name.
            Ok(metadata) if !metadata.is_file() || is_same_file(&self.file, &config.store.path) => {
                return Err(
                    Refusal::new(format!("{} is in use: name another file", self.file.display())).into()
                );
            }
            _ => {}
        }
        let store = Attached::open_existing(config).await?;
        let draft = Draft::beside(&self.file).map_err(|error| unwritable(&self.file, &error))?;
        let written = self.write(&store, draft.path()).await;
        store.close().await;
        let users = written?;
        draft.place(existing).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.file),
            _ => unwritable(&self.file, &error),
        })?;
        Ok(Outcome::saying(format!("{users} users written to {}\n", self.file.display())))
    }

    async fn write(&self, store: &Attached, draft: &Path) -> Result<u64, Failure> {
        let failed = |error: io::Error| unwritable(&self.file, &error);
        let out = OpenOptions::new().write(true).open(draft).map_err(failed)?;
        let rights: RightsRows = ask(store, ExportWish::Rights).await?;
        let contents = Contents {
            user_model: &self.user_model,
            has_hashes: self.with_hashes,
            has_addresses: self.allauth,
        };
        let mut writer = Writer::begin(out, self.format(), contents, &rights).map_err(failed)?;
        let mut bar = ProgressBar::new();
        let (mut last, mut count) = (0, 0);
        loop {
            let users: Vec<UserRow> = ask(store, ExportWish::UsersAfter(last)).await?;
            let Some(next) = users.last().and_then(|user| user.id) else { break };
            last = next;
            for user in &users {
                writer.user(user).map_err(failed)?;
                count += 1;
            }
            bar.show(count, rights.users, &format!("{count} users"));
        }
        bar.hide();
        writer.end().map_err(failed)?;
        Ok(count)
    }

    fn format(&self) -> Format {
        let ending = self.file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        self.format.unwrap_or_else(|| match ending.to_ascii_lowercase().as_str() {
            "csv" => Format::Csv,
            "jsonl" | "ndjson" => Format::Jsonl,
            _ => Format::Django,
        })
    }
}

async fn ask<T: DeserializeOwned>(store: &Attached, wish: ExportWish) -> Result<T, Failure> {
    let outcome = store.run(Operation::Export(wish)).await?;
    let rows = serde_json::from_str(&outcome.text);
    Ok(rows.map_err(|error| Refusal::new(format!("no answer that makes sense: {error}")))?)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

fn exists(file: &Path) -> Refusal {
    Refusal::new(format!("{} exists: give --force to replace it", file.display()))
}

fn unwritable(file: &Path, error: &io::Error) -> Refusal {
    Refusal::new(format!("cannot write {}: {error}; nothing is there that was not before", file.display()))
}
