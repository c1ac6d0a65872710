//! Permissions: `label.codename`, as Django writes them.

use std::fmt;

use crate::domain::{Invalid, Name, PermissionId};

/// A permission that can be given to a group or to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) id: PermissionId,
    pub(crate) name: PermissionName,
    /// For people: `Can add user`.
    pub(crate) title: Name,
}

/// `label.codename`: what it is about, and what it allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PermissionName(String);

const MAX_PART: usize = 100;
const LABEL_MARKS: &str = "_-";
const CODENAME_MARKS: &str = "_-.:";

/// What Keystead itself keeps: label, noun, and the noun for people.
const OWN_TYPES: [(&str, &str, &str); 7] = [
    ("users", "user", "user"),
    ("users", "group", "group"),
    ("auth", "permission", "permission"),
    ("sessions", "session", "session"),
    ("audit", "event", "event"),
    ("mail", "message", "mail"),
    ("keys", "signingkey", "signing key"),
];
const VERBS: [&str; 4] = ["add", "change", "delete", "view"];

impl PermissionName {
    /// The first dot parts the label from the codename, which may have dots of its own.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        match text.split_once('.') {
            Some((label, codename)) if is_part(label, LABEL_MARKS) && is_part(codename, CODENAME_MARKS) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Invalid::new(
                "invalid_permission",
                "Write label.codename with letters, digits, - and _, at most 100 each.",
            )),
        }
    }

    /// Puts together what [`parse_label`] and [`parse_codename`] accepted.
    pub(crate) fn of(label: &str, codename: &str) -> Self {
        Self(format!("{label}.{codename}"))
    }

    /// Reads back what [`PermissionName::parse`] once accepted.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn label(&self) -> &str {
        self.0.split_once('.').map_or("", |(label, _)| label)
    }

    pub(crate) fn codename(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, codename)| codename)
    }

    /// Whether it is about something that Keystead itself keeps.
    pub(crate) fn has_own_label(&self) -> bool {
        OWN_TYPES.iter().any(|(label, ..)| *label == self.label())
    }

    /// Whether this is one of Keystead's own, which cannot be renamed or taken away.
    pub(crate) fn is_own(&self) -> bool {
        own_permissions().any(|(name, _)| name == *self)
    }
}

impl fmt::Display for PermissionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a permission is about: a part of a name without a dot.
pub(crate) fn parse_label(text: &str) -> Result<String, Invalid> {
    parse_part(text, LABEL_MARKS, "Write letters, digits, - and _, at most 100.")
}

/// What a permission allows.
pub(crate) fn parse_codename(text: &str) -> Result<String, Invalid> {
    parse_part(text, CODENAME_MARKS, "Write letters, digits, -, _, dots and colons, at most 100.")
}

fn parse_part(text: &str, marks: &str, message: &str) -> Result<String, Invalid> {
    if text.is_empty() {
        return Err(Invalid::blank());
    }
    let accepted = is_part(text, marks).then(|| text.to_owned());
    accepted.ok_or_else(|| Invalid::new("invalid_permission", message))
}

fn is_part(part: &str, marks: &str) -> bool {
    let is_char = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    !part.is_empty() && part.len() <= MAX_PART && part.chars().all(is_char)
}

/// The four of each of Keystead's own types, with what they are called.
pub(crate) fn own_permissions() -> impl Iterator<Item = (PermissionName, Name)> {
    OWN_TYPES.into_iter().flat_map(|(label, noun, words)| {
        VERBS.into_iter().map(move |verb| {
            let name = PermissionName(format!("{label}.{verb}_{noun}"));
            (name, Name::from_stored(format!("Can {verb} {words}")))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_label_and_a_codename() {
        let name = PermissionName::parse("billing.refund.full").expect("valid");
        assert_eq!((name.label(), name.codename()), ("billing", "refund.full"));
        for text in ["", "users", ".add", "users.", "a b.c", "users.ädd", &format!("a.{}", "b".repeat(101))]
        {
            assert_eq!(PermissionName::parse(text).map_err(|e| e.code), Err("invalid_permission"), "{text}");
        }
    }

    #[test]
    fn a_label_has_no_dot() {
        assert_eq!(parse_label("a.b").map_err(|e| e.code), Err("invalid_permission"));
        assert_eq!(parse_label("").map_err(|e| e.code), Err("blank"));
        let codename = parse_codename("b.c").expect("valid");
        assert_eq!(PermissionName::parse("a.b.c"), Ok(PermissionName::of("a", &codename)));
    }

    #[test]
    fn the_own_ones_are_names_like_others() {
        let own: Vec<_> = own_permissions().collect();
        assert_eq!(own.len(), 28);
        for (name, _) in own {
            assert_eq!(PermissionName::parse(name.as_str()), Ok(name.clone()));
            assert!(name.is_own());
        }
        let ban = PermissionName::from_stored("users.ban_user".to_owned());
        assert!(!ban.is_own() && ban.has_own_label());
        assert!(!PermissionName::from_stored("user.ban_user".to_owned()).has_own_label());
    }
}
