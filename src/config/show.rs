//! The effective configuration, each value with its source: as TOML, and value by value.
//!
//! Must never: see a secret. It is given settings that are masked already.

use std::fmt::Write;

use serde_json::Value;

use crate::config::error::one_line;
use crate::config::settings::{Setting, Settings};

/// One setting, as `keystead config` would print it.
#[derive(Debug)]
pub(crate) struct ShownSetting {
    /// `section.key`
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) source: String,
    /// The environment variable that sets it; none if only a file can.
    pub(crate) variable: Option<String>,
}

pub(super) fn list(settings: &Settings) -> Vec<ShownSetting> {
    let shown = |setting: &Setting| ShownSetting {
        name: setting.name.clone(),
        value: serde_json::to_value(&setting.value).unwrap_or_default(),
        source: one_line(&setting.source.to_string()),
        variable: (!setting.is_tables()).then(|| setting.variable()),
    };
    settings.iter().map(shown).collect()
}

pub(super) fn show(settings: &Settings) -> String {
    let mut text = String::new();
    let mut section = "";
    for setting in settings.iter() {
        if setting.section() != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            section = setting.section();
            let _ = writeln!(text, "{gap}[{section}]");
        }
        // A path may hold a line end, which would end the comment.
        let source = one_line(&setting.source.to_string());
        let _ = writeln!(text, "{} = {} # {source}", setting.key(), setting.value);
    }
    text
}
