//! Groups: a name for a set of permissions that users have together.

use std::collections::BTreeSet;

use crate::domain::{GroupId, Invalid, Name, PermissionId};

/// A group that administrators made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) name: GroupName,
    pub(crate) description: Name,
    /// Some may be gone meanwhile; numbers are never given out twice.
    pub(crate) permissions: BTreeSet<PermissionId>,
}

/// Up to 150 characters, as Django has it; two names differ if any character does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupName(String);

const MAX_CHARS: usize = 150;

impl GroupName {
    /// The live view of all superusers and all permissions: no group of the store, and nobody makes one.
    pub(crate) const ROOT: &'static str = "Root";

    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::blank());
        }
        if text.chars().count() > MAX_CHARS {
            return Err(Invalid::too_long(MAX_CHARS));
        }
        if text.chars().any(char::is_control) {
            return Err(Invalid::new("type", "Control characters are not allowed."));
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads back what [`GroupName::parse`] once accepted.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this names the live view of the superusers, in whatever case.
    pub(crate) fn is_root(&self) -> bool {
        self.0.eq_ignore_ascii_case(Self::ROOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(GroupName::parse(" Editors ").map(|name| name.0), Ok("Editors".to_owned()));
        assert_eq!(GroupName::parse("  ").map_err(|refused| refused.code), Err("blank"));
        assert_eq!(GroupName::parse(&"é".repeat(151)).map_err(|refused| refused.code), Err("max_length"));
        assert_eq!(GroupName::parse("a\nb").map_err(|refused| refused.code), Err("type"));
        assert!(GroupName::parse("root").is_ok_and(|name| name.is_root()));
    }
}
