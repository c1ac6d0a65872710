//! What an act changed, as the audit log tells it: what was, and what is.
//!
//! `first_name: "Ada" -> "Augusta"; is_staff: false -> true; groups: +Editors -"Old hands"; password: changed`
//!
//! Must never: show a secret, let a value pass itself off as a member or a line of its own, or grow without bound.

use std::fmt;

/// What differs, member by member. No difference is nothing to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes(Vec<(&'static str, String)>);

/// What a member was or is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    None,
    Text(&'a str),
    Flag(bool),
    Count(usize),
    /// There is one, and nobody is shown it.
    Secret,
}

/// No more of a text is told: addresses and names whole, a URL by its beginning.
const MAX_CHARS: usize = 256;
/// No more names of one member are told; the others are counted.
const MAX_NAMES_BYTES: usize = 4 << 10;
/// No more members are told; the others are counted. With all else of its event, this fits into a row of the store.
const MAX_BYTES: usize = 16 << 10;

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a member differs.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == member)
    }

    /// What a member was and is, if that differs.
    #[must_use]
    pub(crate) fn member<'a>(
        self,
        name: &'static str,
        before: impl Into<Value<'a>>,
        after: impl Into<Value<'a>>,
    ) -> Self {
        let (before, after) = (before.into(), after.into());
        if before == after { self } else { self.telling(name, format!("{before} -> {after}")) }
    }

    /// How many there were, and how many there are.
    #[must_use]
    pub(crate) fn count(self, name: &'static str, before: usize, after: usize) -> Self {
        self.member(name, Value::Count(before), Value::Count(after))
    }

    /// Something that stays as it is, and says what this is about.
    #[must_use]
    pub(crate) fn fact<'a>(self, name: &'static str, value: impl Into<Value<'a>>) -> Self {
        self.telling(name, value.into().to_string())
    }

    /// A secret: whether there is one, or another one, and no more.
    #[must_use]
    pub(crate) fn secret<T: PartialEq>(
        self,
        name: &'static str,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Self {
        let seen = |secret: Option<&T>| if secret.is_some() { Value::Secret } else { Value::None };
        if before.is_some() && after.is_some() && before != after {
            return self.telling(name, "changed".to_owned());
        }
        self.member(name, seen(before), seen(after))
    }

    /// The names that a set has now and had not, and those that it had and has not.
    #[must_use]
    pub(crate) fn names(self, member: &'static str, given: &[String], taken: &[String]) -> Self {
        let signed = |sign: char| move |name: &String| format!("{sign}{}", Name(name));
        let all = given.iter().map(signed('+')).chain(taken.iter().map(signed('-')));
        match first_of(all, " ", MAX_NAMES_BYTES) {
            (_, 0) if given.is_empty() && taken.is_empty() => self,
            (told, 0) => self.telling(member, told),
            (told, rest) => self.telling(member, format!("{told} and {rest} more")),
        }
    }

    fn telling(mut self, member: &'static str, told: String) -> Self {
        self.0.push((member, told));
        self
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.iter().map(|(member, told)| format!("{member}: {told}"));
        match first_of(all, "; ", MAX_BYTES) {
            (told, 0) => f.write_str(&told),
            (told, rest) => write!(f, "{told}; and {rest} more"),
        }
    }
}

/// As many of the texts as have room, and how many have none.
fn first_of(texts: impl Iterator<Item = String>, between: &str, room: usize) -> (String, usize) {
    let (mut told, mut rest) = (String::new(), 0);
    for text in texts {
        if rest > 0 || told.len() + text.len() > room {
            rest += 1;
            continue;
        }
        if !told.is_empty() {
            told.push_str(between);
        }
        told.push_str(&text);
    }
    (told, rest)
}

impl fmt::Display for Value<'_> {
    /// A text stands in quotes, and what is not printed (a line's end, a turn of the writing direction) is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Text(text) => match text.char_indices().nth(MAX_CHARS) {
                Some((end, _)) => {
                    let (start, rest) = text.split_at(end);
                    write!(f, "{start:?} and {} more characters", rest.chars().count())
                }
                None => write!(f, "{text:?}"),
            },
            Self::Flag(flag) => flag.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Secret => f.write_str("set"),
        }
    }
}

/// A name among others: in quotes unless it is one plain word.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_alphanumeric() || "._:-".contains(c);
        if !self.0.is_empty() && self.0.chars().all(is_plain) {
            return f.write_str(self.0);
        }
        Value::Text(self.0).fmt(f)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::None, Self::Text)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_kind_of_value_is_told_in_one_way() {
        let changes = Changes::default()
            .fact("kind", "verify_email")
            .member("first_name", "Ada", "Augusta")
            .member("username", None, Some("ada"))
            .member("is_staff", false, true)
            .count("sessions", 3, 0)
            .member("last_name", "Lovelace", "Lovelace")
            .names("groups", &owned(&["Editors", "Old hands"]), &owned(&["Authors"]))
            .names("permissions", &[], &[]);

        let told = "kind: \"verify_email\"; first_name: \"Ada\" -> \"Augusta\"; username: none -> \"ada\"; \
                    is_staff: false -> true; sessions: 3 -> 0; groups: +Editors +\"Old hands\" -Authors";
        assert_eq!(changes.to_string(), told);
        assert!(changes.has("username") && !changes.has("last_name") && !changes.has("permissions"));
        assert!(Changes::default().member("a", "", "").is_empty());
    }

    #[test]
    fn a_secret_is_never_shown() {
        let told = |before, after| Changes::default().secret("password", before, after).to_string();

        assert_eq!(told(Some(&"old"), Some(&"new")), "password: changed");
        assert_eq!(told(None, Some(&"new")), "password: none -> set");
        assert_eq!(told(Some(&"old"), None), "password: set -> none");
        assert_eq!(told(Some(&"old"), Some(&"old")), "");
    }

    #[test]
    fn no_value_looks_like_another_member_or_another_line() {
        let forged =
            "x\"; is_superuser: false -> true\n2030-01-01 user.deleted \u{202e}\u{2028}\u{0}\u{1b}[2J";
        let changes =
            Changes::default().member("first_name", "", forged).names("groups", &owned(&[forged, ""]), &[]);

        let told = changes.to_string();
        let escaped =
            r#"x\"; is_superuser: false -> true\n2030-01-01 user.deleted \u{202e}\u{2028}\0\u{1b}[2J"#;
        assert_eq!(told, format!(r#"first_name: "" -> "{escaped}"; groups: +"{escaped}" +"""#));
        assert!(!told.chars().any(char::is_control));
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let long = "é".repeat(300);
        let told = Changes::default().member("avatar", None, Some(long.as_str())).to_string();
        assert_eq!(told, format!("avatar: none -> \"{}\" and 44 more characters", "é".repeat(256)));

        let names: Vec<String> = (0..1000).map(|n| format!("group{n}")).collect();
        let told = Changes::default().names("groups", &names, &[]).to_string();
        assert!(told.starts_with("groups: +group0 +group1 ") && told.len() < 5000, "{told}");
        let shown = told.matches('+').count();
        assert!(told.ends_with(&format!(" and {} more", 1000 - shown)), "{told}");

        let hostile = "\u{10ffff}".repeat(256);
        let changes = (0..12).fold(Changes::default(), |all, _| {
            all.member("member", hostile.as_str(), None).names("names", std::slice::from_ref(&hostile), &[])
        });
        let told = changes.to_string();
        assert!(told.len() < 17 << 10 && told.ends_with(" more"), "{}", told.len());
    }
}
