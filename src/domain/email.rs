//! Email addresses: what is accepted, and when two spellings are one address.

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use crate::domain::Invalid;

/// An address as its owner wrote it. Mail always goes to the stored spelling, never to one that a stranger
/// typed (CVE-2019-19844).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email(String);

/// The canonical form: NFKC, case-folded, the domain in its IDNA form. Two spellings with one key are one address.
/// Only [`Email::key`] makes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EmailKey(String);

const MAX_CHARS: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_LABEL: usize = 63;

impl Email {
    /// Django's rule: a dot-atom or quoted local part of ASCII, then a domain of labels (Unicode allowed), or
    /// `localhost`, or a bracketed IP address. White space around it is dropped.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.is_empty() {
            return Err(Invalid::blank());
        }
        if text.chars().count() > MAX_CHARS {
            return Err(Invalid::too_long(MAX_CHARS));
        }
        match text.rsplit_once('@') {
            Some((local, domain)) if is_local_part(local) && is_domain(domain) => Ok(Self(text.to_owned())),
            _ => Err(Invalid::new("invalid_email", "Enter a valid email address.")),
        }
    }

    /// Reads back what [`Email::parse`] once accepted.
    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn key(&self) -> EmailKey {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
        EmailKey(format!("{}@{domain}", canonical(&unquoted(local))))
    }
}

impl EmailKey {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A quoted local part without what it need not have: `"ada"` and `"\\ada"` are `ada` (RFC 5321, section 4.1.2).
fn unquoted(local: &str) -> String {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return local.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    // What has to be quoted is, in one way.
    if is_dot_atom(&plain) { plain } else { format!("{plain:?}") }
}

/// NFKC, case-folded, and NFKC again: folding can make text that NFKC composes.
pub(super) fn canonical(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase(); // All that this is for ASCII.
    }
    let once: String = UniCase::unicode(text.nfkc().collect::<String>()).to_folded_case();
    once.nfkc().collect()
}

fn is_local_part(local: &str) -> bool {
    if local.len() > MAX_LOCAL {
        return false;
    }
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    quoted.map_or_else(|| is_dot_atom(local), is_quoted)
}

fn is_dot_atom(local: &str) -> bool {
    let is_atom_char = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{}|~-".contains(&c);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_char))
}

fn is_quoted(inner: &str) -> bool {
    let mut escaped = false;
    for c in inner.bytes() {
        let printable = (b' '..0x7f).contains(&c);
        if !printable || (!escaped && c == b'"') {
            return false;
        }
        escaped = !escaped && c == b'\\';
    }
    !escaped
}

fn is_domain(domain: &str) -> bool {
    if domain.eq_ignore_ascii_case("localhost") {
        return true;
    }
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return literal.parse::<std::net::IpAddr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().count() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || (!c.is_ascii() && !c.is_control()))
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let top_is_name = labels.last().is_some_and(|top| {
        top.chars().count() >= 2 && (top.starts_with("xn--") || !top.chars().any(|c| c.is_ascii_digit()))
    });
    labels.len() >= 2
        && top_is_name
        && labels.into_iter().all(is_label)
        && idna::domain_to_ascii(domain).is_ok_and(|ascii| ascii.len() <= 253)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        Email::parse(text).expect(text).key().as_str().to_owned()
    }

    #[test]
    fn accepts_what_django_accepts() {
        for text in [
            "ada@example.com",
            " Ada.Lovelace+tag@Example.COM ",
            "a@localhost",
            "a@[127.0.0.1]",
            "\"quoted @ part\"@example.com",
            "o'neil@bücher.example",
            "x@xn--bcher-kva.example",
        ] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_one_address() {
        for text in [
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "a b@example.com",
            "a@b@example.com",
            "a..b@example.com",
            "a@example.com,b@example.com",
            "a@example.com\nBcc: b@example.com",
            "ädä@example.com",
            "a@-example.com",
            "a@exa_mple.com",
            "a@example.c",
            "a@exam\u{0}ple.com",
            "\"a\"b\"@example.com",
        ] {
            assert_eq!(Email::parse(text).map_err(|refused| refused.code), Err("invalid_email"), "{text:?}");
        }
        assert_eq!(Email::parse("  ").map_err(|refused| refused.code), Err("blank"));
        let long = format!("a@{}.com", "b".repeat(260));
        assert_eq!(Email::parse(&long).map_err(|refused| refused.code), Err("max_length"));
    }

    #[test]
    fn spellings_of_one_address_have_one_key() {
        assert_eq!(key("ADA@Example.COM"), key("ada@example.com"));
        assert_eq!(key("a@BÜCHER.example"), key("a@xn--bcher-kva.example"));
        assert_ne!(key("a.da@example.com"), key("ada@example.com"));
        for text in ["\"ada\"@example.com", "\"\\ada\"@example.com", "\"a\\D\\a\"@example.com"] {
            assert_eq!(key(text), key("ada@example.com"), "{text}");
        }
        assert_eq!(key("\"a b\"@example.com"), key("\"\\a b\"@example.com"));
        assert_ne!(key("\"a b\"@example.com"), key("ab@example.com"));
    }
}
