//! The `.env` file: `KEY=value` lines, with quotes, comments and `export`.
//!
//! Must never: refuse a line that is not for Keystead. The file often belongs to another program too.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use crate::config::env::is_ours;
use crate::config::error::ConfigError;

/// The variables for Keystead in the file; none if there is no file. A folder of that name is somebody's Python.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            Ok(BTreeMap::new())
        }
        Err(error) => Err(ConfigError::unreadable(path, &error)),
    }
}

fn parse(text: &str, path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut variables = BTreeMap::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
        let name = name.trim();
        if !is_ours(name) {
            continue;
        }
        let refuse = |reason: &str| {
            let place = format!("{}:{}", path.display(), index + 1);
            ConfigError::new(&place, &format!("{name}: {reason}"))
        };
        let value = value.ok_or_else(|| refuse("has no value: write NAME=value"))?;
        let value = unquote(value.trim())
            .ok_or_else(|| refuse("the quotes do not match: write NAME=\"value\" on one line"))?;
        variables.insert(name.to_owned(), value);
    }
    Ok(variables)
}

/// As a shell reads it, without `$` expansion: nothing is special in single quotes, the usual escapes in double ones,
/// and a comment begins at a `#` after white space. None: the quotes do not match.
fn unquote(text: &str) -> Option<String> {
    let mut chars = text.chars();
    let (value, rest) = match chars.next() {
        Some('\'') => {
            let (value, rest) = chars.as_str().split_once('\'')?;
            (value.to_owned(), rest)
        }
        Some('"') => {
            let mut value = String::new();
            loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => value.extend(unescape(chars.next()?)),
                    c => value.push(c),
                }
            }
            (value, chars.as_str())
        }
        _ => return Some(without_comment(text).to_owned()),
    };
    without_comment(rest).is_empty().then_some(value)
}

fn unescape(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'n' => ('\n', None),
        'r' => ('\r', None),
        't' => ('\t', None),
        '"' | '\\' | '$' | '`' => (c, None),
        _ => ('\\', Some(c)),
    };
    std::iter::once(first).chain(second)
}

fn without_comment(text: &str) -> &str {
    if text.starts_with('#') {
        return "";
    }
    let comment = [" #", "\t#"].iter().filter_map(|mark| text.find(mark)).min();
    comment.and_then(|start| text.get(..start)).unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> String {
        let name = "EMAIL_HOST";
        let text = format!("{name}={line}");
        parse(&text, Path::new(".env")).expect(line).remove(name).expect(line)
    }

    #[test]
    fn reads_values_as_a_shell_would() {
        assert_eq!(value("plain"), "plain");
        assert_eq!(value("  spaced out  "), "spaced out");
        assert_eq!(value("a#b # comment"), "a#b");
        assert_eq!(value("# comment"), "");
        assert_eq!(value(""), "");
        assert_eq!(value("a=b="), "a=b=");
        assert_eq!(value("' # $x \\n '"), " # $x \\n ");
        assert_eq!(value("\"a\\n\\\"b\\\" \\q\" # comment"), "a\n\"b\" \\q");
    }

    #[test]
    fn takes_export_and_spaces_and_windows_line_ends() {
        let text = "\u{feff}# comment\r\n\r\nexport SECRET_KEY = \"a\"\r\nDEBUG=True\r\nDEBUG=False\r\n";

        let variables = parse(text, Path::new(".env")).expect("valid");

        assert_eq!(variables.get("SECRET_KEY").map(String::as_str), Some("a"));
        assert_eq!(variables.get("DEBUG").map(String::as_str), Some("False"));
    }

    #[test]
    fn lines_of_other_programs_are_passed_over() {
        let text = "DATABASE_URL=\"open\nPEM='-----BEGIN\nabc==\nnot a line at all\n";

        assert_eq!(parse(text, Path::new(".env")), Ok(BTreeMap::new()));
    }

    #[test]
    fn a_broken_line_of_ours_is_named() {
        let refused = |text: &str| parse(text, Path::new("/etc/.env")).expect_err(text).to_string();

        assert_eq!(
            refused("A=1\nSECRET_KEY=\"abc"),
            "/etc/.env:2: SECRET_KEY: the quotes do not match: write NAME=\"value\" on one line"
        );
        assert_eq!(
            refused("KEYSTEAD_LOG__LEVEL"),
            "/etc/.env:1: KEYSTEAD_LOG__LEVEL: has no value: write NAME=value"
        );
        assert!(refused("SECRET_KEY='a' b").contains("quotes"));
    }
}
