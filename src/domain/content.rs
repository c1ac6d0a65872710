//! What stands in a mail: as its reader reads it, and as it waits in the outbox.

use std::iter;

use crate::domain::Secret;

/// What the reader of a mail reads. There may be a code or a link in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) text: Secret<String>,
    /// The same for those who like it laid out.
    pub(crate) html: Option<Secret<String>>,
}

/// What a mail in the outbox has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MailContent {
    /// Opens with the key of this store, under the id of this mail.
    Sealed(Secret<Vec<u8>>),
    /// From a Keystead that did not seal. No new mail is plain.
    Plain(Content),
    /// The mail was given up, and the code that was in it is kept nowhere.
    Gone,
}

impl Content {
    /// Each form after its length, to be sealed.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for form in iter::once(&self.text).chain(&self.html) {
            bytes.extend_from_slice(&(form.expose().len() as u64).to_be_bytes());
            bytes.extend_from_slice(form.expose().as_bytes());
        }
        bytes
    }

    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let text = take_form(&mut bytes)?;
        let html = if bytes.is_empty() { None } else { Some(take_form(&mut bytes)?) };
        bytes.is_empty().then_some(Self { text, html })
    }
}

/// Takes a form from the front of `bytes`.
fn take_form(bytes: &mut &[u8]) -> Option<Secret<String>> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    let (form, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(form.to_vec()).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str, html: Option<&str>) -> Content {
        let secret = |text: &str| Secret::new(text.to_owned());
        Content { text: secret(text), html: html.map(secret) }
    }

    #[test]
    fn a_content_reads_back_from_its_bytes() {
        for content in [
            content("Adiós\n12345678\n", Some("<p>Adiós</p>\n")),
            content("12345678", None),
            content("", Some("")),
            content("", None),
        ] {
            assert_eq!(Content::from_bytes(&content.to_bytes()), Some(content));
        }
    }

    #[test]
    fn bytes_of_no_content_are_not_read() {
        let whole = content("12345678", Some("ü")).to_bytes();
        for end in (0..whole.len()).filter(|end| *end != 16) {
            assert_eq!(Content::from_bytes(&whole[..end]), None, "{end}");
        }
        assert_eq!(Content::from_bytes(&[whole.as_slice(), b"\0"].concat()), None);
        assert_eq!(Content::from_bytes(&[0xff; 9]), None, "a length beyond everything");
        assert_eq!(Content::from_bytes(&[0, 0, 0, 0, 0, 0, 0, 1, 0xff]), None, "no UTF-8");
    }

    #[test]
    fn no_form_is_printed() {
        let shown = format!("{:?}", MailContent::Plain(content("12345678", Some("<p>12345678</p>"))));
        assert!(!shown.contains("12345678"), "{shown}");
        assert_eq!(format!("{:?}", MailContent::Sealed(Secret::new(vec![77; 9]))), "Sealed([secret])");
    }
}
