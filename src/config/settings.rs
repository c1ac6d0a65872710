//! Every key with its value and where the value came from, before anything is parsed into types.
//!
//! Must never: know what a key means. Which keys there are, and of what kind, `auth.toml.example` says alone.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::config::error::{ConfigError, nearest};
use crate::config::toml_file::{self, Entry};

/// The defaults, and this file's list of the keys that exist.
const EXAMPLE: &str = include_str!("../../auth.toml.example");
const EXAMPLE_NAME: &str = "auth.toml.example";

const SECRETS: [&str; 3] = ["mail.smtp_password", "tokens.hs256_secret", "tokens.accept"];
const PATHS: [&str; 4] = ["store.path", "mail.directory", "mail.templates", "site.logo"];

/// Lists of tables, which a file alone can say, and what in them is a secret or a path.
const TABLES: [&str; 4] = ["forward.rules", "bootstrap.permissions", "bootstrap.groups", "bootstrap.users"];
const SECRET_IN_TABLE: &str = "password_hash";
const PATH_IN_TABLE: &str = "password_file";

/// All settings, in the order of the example.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    settings: Vec<Setting>,
}

/// One key.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// `section.key`
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) source: Source,
}

/// Where a value came from, weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Default,
    File {
        path: PathBuf,
        line: usize,
        /// Where the items of a list stand.
        items: Vec<usize>,
    },
    /// A name that the services before Keystead used, like `EMAIL_HOST`.
    Seed {
        name: String,
        origin: Origin,
    },
    /// `KEYSTEAD_SECTION__KEY`
    Variable {
        name: String,
        origin: Origin,
    },
    /// The file that `KEYSTEAD_SECTION__KEY_FILE` names.
    VariableFile {
        name: String,
        path: PathBuf,
    },
}

/// Where a variable was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Environment,
    DotEnv,
}

impl Settings {
    pub(super) fn defaults() -> Result<Self, ConfigError> {
        let mut settings = Vec::new();
        for entry in toml_file::read(EXAMPLE, EXAMPLE_NAME)? {
            if let Entry::Key { section, key, value, .. } = entry {
                settings.push(Setting { name: format!("{section}.{key}"), value, source: Source::Default });
            }
        }
        Ok(Self { settings })
    }

    /// Lays a configuration file over what is there.
    pub(super) fn merge_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let place = path.display().to_string();
        for entry in toml_file::read(text, &place)? {
            let refuse =
                |line: usize, reason: &str| Err(ConfigError::new(&format!("{place}:{line}"), reason));
            match entry {
                Entry::Stray { key, line } => return refuse(line, &self.explain_stray(&key)),
                Entry::Section { section, line } if !self.sections().contains(&section.as_str()) => {
                    return refuse(line, &self.explain_section(&section));
                }
                Entry::Section { .. } => {}
                Entry::Key { section, key, value, line, items } => {
                    let name = format!("{section}.{key}");
                    if self.setting(&name).is_none() {
                        return refuse(line, &self.explain_key(&section, &key));
                    }
                    self.put(&name, value, Source::File { path: path.to_owned(), line, items })?;
                }
            }
        }
        Ok(())
    }

    /// Sets a key that exists. The value must be of the kind that the example shows.
    pub(super) fn put(&mut self, name: &str, value: Value, source: Source) -> Result<(), ConfigError> {
        let Some(setting) = self.settings.iter_mut().find(|setting| setting.name == name) else {
            return Err(ConfigError::new(&source.place(), &format!("unknown key {name}")));
        };
        let refuse = |reason: &str| Err(ConfigError::new(&source.place(), &format!("{name}: {reason}")));
        if let Some(found) = setting.misfit(&value) {
            return refuse(&setting.explain_misfit(found));
        }
        if !setting.is_secret() && texts(&value).any(|text| text.contains(char::is_control)) {
            return refuse("has a line end or another control character in it: leave that out");
        }
        setting.value = value;
        setting.source = source;
        Ok(())
    }

    /// Makes the relative paths start at a folder; an empty one is the current directory.
    pub(super) fn anchor(&mut self, folder: &Path) -> Result<(), ConfigError> {
        for setting in &mut self.settings {
            if PATHS.contains(&setting.name.as_str()) {
                anchor(&mut setting.value, folder)?;
            }
            for path in setting.in_tables(PATH_IN_TABLE) {
                anchor(path, folder)?;
            }
        }
        Ok(())
    }

    /// The same with `***` for every secret that is set.
    pub(super) fn masked(mut self) -> Self {
        for setting in &mut self.settings {
            if setting.is_secret() {
                mask(&mut setting.value);
            }
            setting.in_tables(SECRET_IN_TABLE).for_each(mask);
        }
        self
    }

    pub(super) fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// The values as one table of sections.
    pub(super) fn to_table(&self) -> Table {
        let mut table = Table::new();
        for setting in &self.settings {
            let section = setting.section().split('.').try_fold(&mut table, |table, part| {
                table.entry(part).or_insert_with(|| Value::Table(Table::new())).as_table_mut()
            });
            if let Some(section) = section {
                section.insert(setting.key().to_owned(), setting.value.clone());
            }
        }
        table
    }

    /// A value that cannot be used: says where it was set.
    pub(super) fn refuse(&self, name: &str, reason: &str) -> ConfigError {
        let place = self.setting(name).map_or_else(String::new, |setting| setting.source.place());
        ConfigError::new(&place, &format!("{name}: {reason}"))
    }

    /// Where an item of a list was set.
    pub(super) fn place_of_item(&self, name: &str, item: usize) -> String {
        self.setting(name).map_or_else(String::new, |setting| setting.source.place_of_item(item))
    }

    /// Two values that do not go together: names the first of them that somebody set.
    pub(super) fn refuse_pair(&self, names: [&str; 2], reason: &str) -> ConfigError {
        let [first, second] = names;
        let is_default = self.setting(first).is_some_and(|setting| setting.source == Source::Default);
        self.refuse(if is_default { second } else { first }, reason)
    }

    fn sections(&self) -> Vec<&str> {
        let mut sections: Vec<&str> = self.settings.iter().map(Setting::section).collect();
        sections.dedup();
        sections
    }

    fn explain_stray(&self, key: &str) -> String {
        match self.settings.iter().find(|setting| setting.key() == key) {
            Some(setting) => {
                format!("{key} stands outside of its section: put it under [{}]", setting.section())
            }
            None => format!("unknown key {key} outside of a section: see {EXAMPLE_NAME}"),
        }
    }

    fn explain_section(&self, section: &str) -> String {
        if let Some(setting) = self.setting(section) {
            return format!("{section}: {}", setting.explain_misfit("a section"));
        }
        match nearest(section, self.sections().into_iter()) {
            Some(meant) => format!("unknown section [{section}]: did you mean [{meant}]?"),
            None => format!("unknown section [{section}]: there are {}", self.sections().join(", ")),
        }
    }

    fn explain_key(&self, section: &str, key: &str) -> String {
        let of_section =
            || self.settings.iter().filter(|setting| setting.section() == section).map(Setting::key);
        let elsewhere = || self.settings.iter().find(|setting| setting.key() == key);
        if let Some(meant) = nearest(key, of_section()) {
            format!("unknown key {section}.{key}: did you mean {section}.{meant}?")
        } else if let Some(meant) = elsewhere() {
            format!("unknown key {section}.{key}: did you mean {}?", meant.name)
        } else {
            let keys: Vec<&str> = of_section().collect();
            format!("unknown key {section}.{key}: [{section}] has {}", keys.join(", "))
        }
    }
}

impl Setting {
    pub(super) fn section(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(section, _)| section)
    }

    pub(super) fn key(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(_, key)| key)
    }

    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("KEYSTEAD_{}", self.name.replace('.', "__").replace('-', "_").to_uppercase())
    }

    /// Whether it is a list of tables.
    pub(super) fn is_tables(&self) -> bool {
        TABLES.contains(&self.name.as_str())
    }

    fn explain_misfit(&self, found: &str) -> String {
        if self.is_tables() {
            return format!("must be a list of tables, not {found}: write [[{}]]", self.name);
        }
        let (key, wanted, sample) = (self.key(), kind(&self.value), &self.value);
        format!("must be {wanted}, not {found}: write it like {key} = {sample}")
    }

    fn is_secret(&self) -> bool {
        SECRETS.contains(&self.name.as_str())
    }

    /// What each of its tables has under a key, if it is a list of tables.
    fn in_tables<'a>(&'a mut self, key: &'a str) -> impl Iterator<Item = &'a mut Value> {
        let tables = if self.is_tables() { self.value.as_array_mut() } else { None };
        tables.into_iter().flatten().filter_map(move |table| table.as_table_mut()?.get_mut(key))
    }

    /// What kind of value was found, if it is another than the example's. Lists are lists of strings, or of tables.
    fn misfit(&self, found: &Value) -> Option<&'static str> {
        if !found.same_type(&self.value) {
            return Some(kind(found));
        }
        let is_item = if self.is_tables() { Value::is_table } else { Value::is_str };
        let is_mixed = found.as_array().is_some_and(|list| !list.iter().all(is_item));
        is_mixed.then_some("a list of other things")
    }
}

impl Source {
    /// How an error message says it: with the line.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Default => EXAMPLE_NAME.to_owned(),
            Self::File { path, line, .. } => format!("{}:{line}", path.display()),
            _ => self.to_string(),
        }
    }

    fn place_of_item(&self, item: usize) -> String {
        match self {
            Self::File { path, line, items } => {
                format!("{}:{}", path.display(), items.get(item).unwrap_or(line))
            }
            _ => self.place(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Seed { name, origin } | Self::Variable { name, origin } => write!(f, "{origin} {name}"),
            Self::VariableFile { name, path } => write!(f, "file {} ({name})", path.display()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::DotEnv => ".env",
        })
    }
}

/// Lets a relative path start at a folder; an empty one is unset.
fn anchor(value: &mut Value, folder: &Path) -> Result<(), ConfigError> {
    let Some(path) = value.as_str().filter(|path| !path.is_empty()) else { return Ok(()) };
    let anchored = folder.join(path).into_os_string().into_string().map_err(|path| {
        let reason = "has a folder whose name is not UTF-8: write the whole path";
        ConfigError::new(&path.to_string_lossy(), reason)
    })?;
    *value = Value::String(anchored);
    Ok(())
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) if text.is_empty() => {}
        Value::Array(list) => list.iter_mut().for_each(mask),
        value => *value = Value::String("***".to_owned()),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "an integer",
        Value::Float(_) => "a number with a point",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list of strings",
        Value::Table(_) => "a section",
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    value.as_str().into_iter().chain(list.iter().filter_map(Value::as_str))
}
