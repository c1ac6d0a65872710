//! Why a configuration was refused, in one line that an operator can act on.
//!
//! Must never: carry the value of a secret.

use std::path::Path;

use thiserror::Error;

/// A configuration that cannot be used: the place, then the key and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {reason}")]
pub struct ConfigError {
    place: String,
    reason: String,
}

impl ConfigError {
    /// Names and paths come from outside: line ends in them are shown escaped, so that the message stays one line.
    pub(super) fn new(place: &str, reason: &str) -> Self {
        Self { place: one_line(place), reason: one_line(reason) }
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new(&path.display().to_string(), &format!("cannot be read: {error}"))
    }
}

/// The text with its control characters escaped.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_debug());
        } else {
            line.push(c);
        }
    }
    line
}

/// The candidate that was probably meant, if one is close.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let close = 3.min(word.chars().count() / 3);
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= close)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, left out or replaced to make one word the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut costs: Vec<usize> = (0..=to.chars().count()).collect();
    for (row, a) in from.chars().enumerate() {
        let mut diagonal = row;
        let mut left = row + 1;
        for (cost, b) in costs.iter_mut().skip(1).zip(to.chars()) {
            let above = *cost;
            *cost = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            diagonal = above;
            left = *cost;
        }
        if let Some(first) = costs.first_mut() {
            *first = row + 1;
        }
    }
    costs.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        let error = ConfigError::new("/a\nb", "unknown key \u{1b}[2J");

        assert_eq!(error.to_string(), "/a\\nb: unknown key \\u{1b}[2J");
    }

    #[test]
    fn counts_the_letters_that_differ() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn suggests_only_what_is_close() {
        let words = ["server", "store", "tokens"];
        assert_eq!(nearest("sever", words.into_iter()), Some("server"));
        assert_eq!(nearest("metrics", words.into_iter()), None);
        assert_eq!(nearest("x", words.into_iter()), None);
    }
}
