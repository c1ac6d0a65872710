//! First and last names, and labels: short text for people.

use crate::domain::Invalid;
use crate::domain::email::canonical;

/// Up to 150 characters, possibly none, without control characters; white space around it is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Name(String);

const MAX_CHARS: usize = 150;

impl Name {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.chars().count() > MAX_CHARS {
            return Err(Invalid::too_long(MAX_CHARS));
        }
        if text.chars().any(char::is_control) {
            return Err(Invalid::new("type", "Control characters are not allowed."));
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads back what [`Name::parse`] once accepted.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The form that searches compare: NFKC, case-folded.
    pub(crate) fn folded(&self) -> String {
        canonical(&self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_and_bounds() {
        assert_eq!(Name::parse("  Ada ").map(|name| name.0), Ok("Ada".to_owned()));
        assert_eq!(Name::parse("").map(|name| name.0), Ok(String::new()));
        assert_eq!(Name::parse(&"é".repeat(151)).map_err(|refused| refused.code), Err("max_length"));
        assert_eq!(Name::parse("a\u{1b}[2Jb").map_err(|refused| refused.code), Err("type"));
    }
}
