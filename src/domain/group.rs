//! Groups: a name for a set of permissions that users have together.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use crate::domain::email::canonical;
use crate::domain::{GroupId, Invalid, Name, PermissionId, is_invisible, is_unruly};

/// A group that administrators made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) name: GroupName,
    pub(crate) description: Name,
    /// Some may be gone meanwhile; numbers are never given out twice.
    pub(crate) permissions: BTreeSet<PermissionId>,
}

/// Up to 150 characters in NFKC, as Django has it but for the form; two names differ if any character does.
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
        // Counted first: normalising a long text is slow.
        if text.chars().count() > MAX_CHARS {
            return Err(Invalid::too_long(MAX_CHARS));
        }
        let name: String = text.nfkc().collect();
        if name.chars().count() > MAX_CHARS {
            return Err(Invalid::too_long(MAX_CHARS));
        }
        if name.chars().any(|c| is_unruly(c) || is_invisible(c)) {
            return Err(Invalid::new("type", "Characters that control or hide something are not allowed."));
        }
        Ok(Self(name.trim().to_owned()))
    }

    /// Reads back what [`GroupName::parse`] once accepted.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this names the live view of the superusers, however it is written.
    pub(crate) fn is_root(&self) -> bool {
        canonical(&self.0) == canonical(Self::ROOT)
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
        assert_eq!(GroupName::parse(&"ﷺ".repeat(150)).map_err(|refused| refused.code), Err("max_length"));
        assert_eq!(GroupName::parse("Ｅditors").map(|name| name.0), Ok("Editors".to_owned()));
        for hidden in ["Ro\u{200b}ot", "Root\u{fe0f}", "\u{202e}tooR", "Ro\u{ad}ot"] {
            assert_eq!(GroupName::parse(hidden).map_err(|refused| refused.code), Err("type"), "{hidden:?}");
        }
        for same in ["ROOT", "ｒｏｏｔ", "ʀoot"] {
            let is_root = GroupName::parse(same).expect(same).is_root();
            assert_eq!(is_root, same != "ʀoot", "{same}");
        }
        assert!(GroupName::parse("root").is_ok_and(|name| name.is_root()));
    }
}
