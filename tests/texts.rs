//! Every text of the pages has its Spanish, and no Spanish is left over from a text that is gone.
//!
//! Reads `t("...")` in templates and modules. A text that is put together at run time is not seen: write it whole.

#![expect(clippy::expect_used, reason = "a test stops where its ground gives way")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The folders that have words of their own. Those of `pages` are everybody's.
const FOLDERS: [&str; 5] = ["pages", "account", "admin", "docs", "dev"];
const EVERYBODYS: &str = "pages";

#[test]
fn every_text_is_there_in_spanish_and_none_is_left_over() {
    let shared = Folder::read(EVERYBODYS);
    let mut wrong = Vec::new();
    for name in FOLDERS {
        let folder = Folder::read(name);
        for text in &folder.used {
            if !folder.spanish.contains_key(text) && !shared.spanish.contains_key(text) {
                wrong.push(format!("{name}/es.json lacks {text:?}"));
            }
        }
        for (text, spanish) in &folder.spanish {
            let is_said =
                if name == EVERYBODYS { is_used_anywhere(text) } else { folder.used.contains(text) };
            if !is_said {
                wrong.push(format!("{name}/es.json has {text:?}, which nobody says"));
            }
            if name != EVERYBODYS && shared.spanish.contains_key(text) {
                wrong.push(format!("{name}/es.json has {text:?}, and so has {EVERYBODYS}/es.json"));
            }
            if places_in(text) != places_in(spanish) {
                wrong.push(format!("{name}/es.json fills {spanish:?} in otherwise than {text:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the API says about a field is told on the pages.
#[test]
fn what_is_wrong_with_a_field_is_said_in_spanish_too() {
    let file = fs::read_to_string("assets/pages/messages.es.json").expect("readable");
    let spanish: BTreeMap<String, String> = serde_json::from_str(&file).expect("an object of texts");
    let told =
        ["src/domain", "src/flows", "src/http"].into_iter().flat_map(|folder| files_in(Path::new(folder)));
    let told = told.filter(|file| !UNTOLD.iter().any(|folder| file.starts_with(folder)));

    let missing: Vec<String> = told
        .flat_map(|file| messages_of(&file))
        .filter(|text| !spanish.contains_key(&counted(text)))
        .collect();

    assert!(missing.is_empty(), "assets/pages/messages.es.json lacks {missing:#?}");
}

/// What no page shows.
const UNTOLD: [&str; 3] = ["src/http/compat", "src/http/dev", "src/flows/develop.rs"];

/// What stands in `Invalid::new("code", "...")`, but for what is put together at run time.
fn messages_of(file: &Path) -> Vec<String> {
    let source = fs::read_to_string(file).expect("text");
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let texts = source.split("Invalid::new(").skip(1).filter_map(|rest| {
        let mut parts = rest.split('"').skip(1);
        let (_code, between, text) = (parts.next()?, parts.next()?, parts.next()?);
        (between.trim() == ",").then(|| text.to_owned())
    });
    texts.collect()
}

/// With `{n}` for each number, as the files of texts have it.
fn counted(text: &str) -> String {
    let mut counted = String::new();
    for c in text.chars() {
        if !c.is_ascii_digit() {
            counted.push(c);
        } else if !counted.ends_with("{n}") {
            counted.push_str("{n}");
        }
    }
    counted
}

struct Folder {
    used: BTreeSet<String>,
    spanish: BTreeMap<String, String>,
}

impl Folder {
    fn read(name: &str) -> Self {
        let folder = Path::new("assets").join(name);
        let spanish = fs::read_to_string(folder.join("es.json")).unwrap_or_else(|_| "{}".to_owned());
        Self {
            used: files_in(&folder).iter().flat_map(|file| texts_of(file)).collect(),
            spanish: serde_json::from_str(&spanish).expect("an object of texts"),
        }
    }
}

fn is_used_anywhere(text: &str) -> bool {
    FOLDERS.iter().any(|folder| Folder::read(folder).used.contains(text))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// What stands in `t("...")`, in either kind of quotes.
fn texts_of(file: &Path) -> Vec<String> {
    let is_source = file.extension().is_some_and(|extension| extension == "html" || extension == "js");
    let source = if is_source { fs::read_to_string(file).expect("text") } else { String::new() };
    let mut texts = Vec::new();
    for (at, _) in source.match_indices("t(") {
        let before = source[..at].chars().next_back();
        let rest = source[at + 2..].trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let is_call =
            before.is_none_or(|before| !before.is_alphanumeric() && !matches!(before, '_' | '.' | '$'));
        if let (true, Some(quote)) = (is_call, quote) {
            let end = rest[1..].find(quote).expect("a text ends");
            texts.push(rest[1..=end].to_owned());
        }
    }
    texts
}

/// The `{names}` that are filled in.
fn places_in(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}
