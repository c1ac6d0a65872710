//! Where a request came from, for sessions and events.

use std::net::IpAddr;

use crate::domain::{Language, is_unruly};

/// Who knocked: kept with each session and each event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    /// None for the command line.
    pub(crate) ip: Option<IpAddr>,
    /// At most 256 characters, none of them unruly.
    pub(crate) user_agent: Option<String>,
    pub(crate) request_id: Option<String>,
    /// What the one who asks reads, the most liked first. Not kept with events.
    pub(crate) languages: Vec<Language>,
}

const MAX_USER_AGENT: usize = 256;

impl Origin {
    /// Keeps a bounded, printable part of a `User-Agent` header.
    pub(crate) fn clean_user_agent(header: &str) -> Option<String> {
        let text: String = header.chars().filter(|c| !is_unruly(*c)).take(MAX_USER_AGENT).collect();
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_what_can_be_shown() {
        let clean = |header: &str| Origin::clean_user_agent(header);
        assert_eq!(clean("Fire\u{202e}fox\u{1b}[2J 128\u{2028}").as_deref(), Some("Firefox[2J 128"));
        assert_eq!(clean("\u{200f}\n"), None);
        assert_eq!(clean(&"é".repeat(300)).map(|text| text.chars().count()), Some(256));
    }
}
