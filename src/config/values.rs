//! From one plain value to its type, or a refusal that names its key.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::error::ConfigError;
use crate::config::parse;
use crate::config::settings::Settings;

/// Names the browser, not a person: nobody needs to choose another.
pub(super) const DEVICE_COOKIE: &str = "keystead-device";

pub(super) fn cookie_name(settings: &Settings, key: &str, name: &str) -> Result<String, ConfigError> {
    if name == DEVICE_COOKIE || !parse::is_token(name) {
        let reason = format!("{name:?} is no name for a cookie here: write letters, digits, - and _");
        return Err(settings.refuse(key, &reason));
    }
    Ok(name.to_owned())
}

/// An empty text is how the file writes that there is none.
pub(super) fn set(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(super) fn path(settings: &Settings, name: &str, text: &str) -> Result<PathBuf, ConfigError> {
    if text.is_empty() {
        return Err(settings.refuse(name, "is empty: write a path"));
    }
    Ok(PathBuf::from(text))
}

pub(super) fn choice<T: Copy>(
    settings: &Settings,
    name: &str,
    text: &str,
    choices: &[(&str, T)],
) -> Result<T, ConfigError> {
    choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        settings.refuse(name, &format!("{text:?} is not one of {}", words.join(", ")))
    })
}

pub(super) fn number<T: TryFrom<i64>>(
    settings: &Settings,
    name: &str,
    number: i64,
    least: i64,
    most: i64,
) -> Result<T, ConfigError> {
    Some(number)
        .filter(|number| (least..=most).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| settings.refuse(name, &format!("{number} is not between {least} and {most}")))
}

pub(super) fn span(settings: &Settings, name: &str, text: &str) -> Result<Duration, ConfigError> {
    parse::duration(text).map_err(|reason| settings.refuse(name, &reason))
}

/// A span after which something expires. Tokens count whole seconds: less than one would be none.
pub(super) fn lifetime(settings: &Settings, name: &str, text: &str) -> Result<Duration, ConfigError> {
    let span = span(settings, name, text)?;
    if span < Duration::from_secs(1) {
        return Err(settings.refuse(name, &format!("{text:?} is too short: write 1s or more")));
    }
    Ok(span)
}
