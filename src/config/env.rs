//! The environment: `KEYSTEAD_SECTION__KEY`, and `KEYSTEAD_SECTION__KEY_FILE` for a value in a file.
//!
//! Must never: read the process environment but in `of_process`, or pass over a `KEYSTEAD_` name it does not know.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Value;

use crate::config::error::{ConfigError, nearest};
use crate::config::settings::{Origin, Setting, Settings, Source};

/// The names of the Django services that Keystead replaces: `seeds.rs` says what they set.
const SEED_NAMES: [&str; 11] = [
    "SECRET_KEY",
    "DEFAULT_ADMIN_EMAIL",
    "DEFAULT_ADMIN_PASSWORD",
    "EMAIL_HOST",
    "EMAIL_PORT",
    "EMAIL_USE_TLS",
    "EMAIL_HOST_USER",
    "EMAIL_HOST_PASSWORD",
    "ALLOWED_HOSTS",
    "CORS_ALLOWED_ORIGINS",
    "DEBUG",
];

const PREFIX: &str = "KEYSTEAD_";
const FILE_SUFFIX: &str = "_FILE";

/// The variables that concern Keystead, each with the place where it was set.
#[derive(Debug)]
pub(super) struct Variables {
    by_name: BTreeMap<String, (String, Origin)>,
}

impl Variables {
    /// The real environment wins over `.env`.
    pub(super) fn new(environment: BTreeMap<String, String>, dot_env: BTreeMap<String, String>) -> Self {
        let mut by_name = BTreeMap::new();
        for (variables, origin) in [(dot_env, Origin::DotEnv), (environment, Origin::Environment)] {
            let ours = variables.into_iter().filter(|(name, _)| is_ours(name));
            by_name.extend(ours.map(|(name, value)| (name, (value, origin))));
        }
        Self { by_name }
    }

    pub(super) fn find(&self, name: &str) -> Option<(&str, Origin)> {
        self.by_name.get(name).map(|(value, origin)| (value.as_str(), *origin))
    }
}

/// Whether Keystead looks at a variable of this name.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX) || SEED_NAMES.contains(&name)
}

/// The environment of this process, as far as it concerns Keystead.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub(super) fn of_process() -> Result<BTreeMap<String, String>, ConfigError> {
    let mut variables = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if !is_ours(&name) {
            continue;
        }
        match value.into_string() {
            Ok(value) => {
                variables.insert(name, value);
            }
            Err(_) if name.starts_with(PREFIX) => {
                return Err(ConfigError::new(&format!("environment {name}"), "is not UTF-8 text"));
            }
            // Somebody else's variable that happens to have the name of a seed's.
            Err(_) => {}
        }
    }
    Ok(variables)
}

/// Lays the `KEYSTEAD_` names over the settings. Files that they name are found from `folder`.
pub(super) fn apply(
    settings: &mut Settings,
    variables: &Variables,
    folder: &Path,
) -> Result<(), ConfigError> {
    let known: BTreeMap<String, String> =
        settings.iter().map(|setting| (setting.variable(), setting.name.clone())).collect();

    for (name, (value, origin)) in variables.by_name.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        let refuse = |reason: &str| ConfigError::new(&format!("{origin} {name}"), reason);
        let base = name.strip_suffix(FILE_SUFFIX);
        let (setting, other_form) = match (known.get(name), base.and_then(|base| known.get(base))) {
            (Some(setting), _) => (setting, format!("{name}{FILE_SUFFIX}")),
            (None, Some(setting)) => (setting, base.unwrap_or_default().to_owned()),
            (None, None) => return Err(refuse(&explain_unknown(name, &known))),
        };
        match variables.find(&other_form) {
            Some((_, other)) if other == *origin => {
                return Err(refuse(&format!("{other_form} is set too: keep one of the two")));
            }
            Some(_) if *origin == Origin::DotEnv => continue,
            _ => {}
        }
        let (text, source) = if known.contains_key(name) {
            (value.clone(), Source::Variable { name: name.clone(), origin: *origin })
        } else {
            let path = folder.join(value);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| refuse(&format!("{} cannot be read: {error}", path.display())))?;
            (without_line_end(&text).to_owned(), Source::VariableFile { name: name.clone(), path })
        };
        put_text(settings, setting, &text, source)?;
    }
    Ok(())
}

/// Sets a key from text, which becomes the kind of value that the key has.
fn put_text(settings: &mut Settings, name: &str, text: &str, source: Source) -> Result<(), ConfigError> {
    if settings.setting(name).is_some_and(Setting::is_tables) {
        let reason =
            format!("{name}: a variable holds no tables: write [[{name}]] in the configuration file");
        return Err(ConfigError::new(&source.place(), &reason));
    }
    let sample = settings.setting(name).map(|setting| setting.value.clone());
    let value = match &sample {
        Some(Value::Integer(_)) => text.trim().parse().ok().map(Value::Integer),
        Some(Value::Boolean(_)) => text.trim().parse().ok().map(Value::Boolean),
        Some(Value::Array(_)) => Some(Value::Array(list(text))),
        _ => Some(Value::String(text.to_owned())),
    };
    let Some(value) = value else {
        let wanted = if matches!(sample, Some(Value::Integer(_))) { "an integer" } else { "true or false" };
        let reason = format!("{name}: {text:?} is not {wanted}");
        return Err(ConfigError::new(&source.place(), &reason));
    };
    settings.put(name, value, source)
}

/// A list as the environment writes it: separated by commas.
pub(super) fn list(text: &str) -> Vec<Value> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| Value::String(item.to_owned())).collect()
}

fn explain_unknown(name: &str, known: &BTreeMap<String, String>) -> String {
    match nearest(name, known.keys().map(String::as_str)) {
        Some(meant) => format!("unknown variable: did you mean {meant}?"),
        None => {
            "unknown variable: names are KEYSTEAD_SECTION__KEY, with the keys of auth.toml.example".to_owned()
        }
    }
}

/// Editors and `echo` end a file with a newline that is no part of the value.
fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
