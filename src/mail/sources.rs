//! Where the templates come from: `assets/mail/`, built into the binary, and the operator's folder laid over it.
//!
//! Must never: pass over a file that no letter is made of. A misspelt name would leave the letter as it was, unnoticed.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use crate::domain::{Language, MailKind};
use crate::mail::error::TemplateError;
use crate::mail::text;

/// All templates by their names: `es/verify_email.txt`.
pub(super) struct Sources {
    /// The subject stands by itself, as `es/verify_email.subject.txt`: what is in one cannot run over into the other.
    texts: HashMap<String, String>,
    /// Those of the operator, and their files.
    files: HashMap<String, PathBuf>,
    languages: Vec<Language>,
}

#[derive(RustEmbed)]
#[folder = "assets/mail/"]
struct Assets;

/// Has every file, so that there is always one to fall back to.
const COMPLETE: &str = "en";
pub(super) const LAYOUT: &str = "layout.html";

impl Sources {
    pub(super) fn read(folder: Option<&Path>) -> Result<Self, TemplateError> {
        let mut sources = Self { texts: HashMap::new(), files: HashMap::new(), languages: Vec::new() };
        for name in Assets::iter() {
            let text = Assets::get(&name).map(|file| String::from_utf8_lossy(&file.data).into_owned());
            let put = sources.put(&name, &text.unwrap_or_default());
            put.map_err(|reason| TemplateError::BuiltIn { name: name.into_owned(), reason: reason.into() })?;
        }
        if let Some(folder) = folder {
            sources.lay_over(folder)?;
        }
        Ok(sources)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    pub(super) fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// The language in which a file is there: this one, or English.
    pub(super) fn language_of(&self, language: &str, file: &str) -> Language {
        let is_there = self.texts.contains_key(&format!("{language}/{file}"));
        Language::from_stored(if is_there { language } else { COMPLETE }.to_owned())
    }

    /// What is wrong with a template, by the file that the operator can mend.
    pub(super) fn refuse(&self, name: &str, reason: &str) -> TemplateError {
        let reason = text::excerpt(reason);
        match self.files.get(name) {
            Some(path) => TemplateError::Override { path: path.clone(), reason },
            None => TemplateError::BuiltIn { name: name.to_owned(), reason },
        }
    }

    pub(super) fn is_override(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    fn put(&mut self, name: &str, text: &str) -> Result<(), &'static str> {
        let (language, file) = name.split_once('/').ok_or("must lie in a folder named by its language")?;
        if !is_template(file) {
            return Err("is not the name of a letter");
        }
        let language = Language::from_stored(language.to_owned());
        if !self.languages.contains(&language) {
            self.languages.push(language);
        }
        if let Some(stem) = name.strip_suffix(".txt") {
            let (subject, body) =
                split(text).ok_or("must start with a `Subject: ` line, a blank line, and then the text")?;
            self.texts.insert(format!("{stem}.subject.txt"), subject);
            self.texts.insert(name.to_owned(), body);
        } else {
            self.texts.insert(name.to_owned(), text.to_owned());
        }
        Ok(())
    }

    fn lay_over(&mut self, folder: &Path) -> Result<(), TemplateError> {
        for (language, path) in entries(folder)? {
            let refuse =
                |reason: &str| TemplateError::Override { path: path.clone(), reason: reason.to_owned() };
            if !path.is_dir() {
                if is_text(&language) {
                    return Err(refuse("must lie in a folder named by its language, like es"));
                }
                continue;
            }
            if Language::parse(&language).is_none_or(|known| known.as_str() != language) {
                return Err(refuse("is not a language: name the folder like es"));
            }
            for (file, path) in entries(&path)?.into_iter().filter(|(file, _)| is_text(file)) {
                self.lay(&format!("{language}/{file}"), path)?;
            }
        }
        Ok(())
    }

    fn lay(&mut self, name: &str, path: PathBuf) -> Result<(), TemplateError> {
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        // As some editors write it.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        if let Err(reason) = self.put(name, &text) {
            return Err(TemplateError::Override { path, reason: reason.to_owned() });
        }
        if let Some(stem) = name.strip_suffix(".txt") {
            self.files.insert(format!("{stem}.subject.txt"), path.clone());
        }
        self.files.insert(name.to_owned(), path);
        Ok(())
    }
}

/// What is in a folder, by name. What starts with a dot is not meant for us.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, TemplateError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

fn unreadable(path: &Path, error: &io::Error) -> TemplateError {
    TemplateError::Override { path: path.to_owned(), reason: format!("cannot be read: {error}") }
}

fn is_text(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "txt" || extension == "html")
}

fn is_template(file: &str) -> bool {
    let stem = file.strip_suffix(".txt").or(file.strip_suffix(".html"));
    file == LAYOUT || stem.is_some_and(|stem| MailKind::parse(stem).is_some())
}

/// Subject and body. The body keeps the lines of the subject as empty ones, so that an error names the right line.
fn split(source: &str) -> Option<(String, String)> {
    let (subject, body) = source.strip_prefix("Subject: ")?.split_once("\n\n")?;
    (!subject.contains('\n')).then(|| (subject.to_owned(), format!("\n\n{body}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_short_line_of_its_own() {
        let sources = Sources::read(None).unwrap();
        for (name, subject) in sources.texts.iter().filter(|(name, _)| name.ends_with(".subject.txt")) {
            assert!(subject.chars().count() < 60 && !subject.contains("{{"), "{name}: {subject}");
        }
        for broken in ["Hello\n\nbody", "Subject: a\nTo: b\n\nbody", "Subject: a\nbody", ""] {
            assert_eq!(split(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn each_letter_is_there_in_english_and_spanish_in_both_forms() {
        let sources = Sources::read(None).unwrap();

        for language in ["en", "es"] {
            assert!(sources.languages().contains(&Language::parse(language).unwrap()));
            for kind in MailKind::ALL.map(MailKind::as_str) {
                for name in [format!("{language}/{kind}.txt"), format!("{language}/{kind}.html")] {
                    assert!(sources.get(&name).is_some_and(|text| !text.is_empty()), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_text_and_its_html_say_the_same() {
        let bare = |text: &str| {
            let mut words = String::new();
            let mut is_tag = false;
            for c in text.chars() {
                is_tag = (is_tag || c == '<') && c != '>';
                words.push(if is_tag || c == '>' { ' ' } else { c });
            }
            words.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let sources = Sources::read(None).unwrap();
        for (name, text) in sources.texts.iter().filter(|(name, _)| !name.contains(".subject.")) {
            let Some(stem) = name.strip_suffix(".txt") else { continue };
            let subject = sources.get(&format!("{stem}.subject.txt")).unwrap();
            let html = sources.get(&format!("{stem}.html")).unwrap();
            assert!(html.contains(&format!("{{% block title %}}{subject}{{% endblock %}}")), "{name}");
            let html = bare(html);
            for line in text.lines().filter(|line| !line.starts_with('{')) {
                let words = bare(line);
                let is_there = words.is_empty() || html.windows(words.len()).any(|found| found == words);
                assert!(is_there, "{name} says {line:?}, its HTML does not");
            }
        }
    }
}
