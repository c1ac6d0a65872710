//! The effective configuration as TOML, each value with its source.
//!
//! Must never: see a secret. It is given settings that are masked already.

use std::fmt::Write;

use crate::config::error::one_line;
use crate::config::settings::Settings;

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
