//! Makes text harmless before it meets a header, a letter or a terminal.
//!
//! Must never: know which of them it is for beyond what its function says.

use crate::domain::is_unruly;

/// One line, whatever came in: every control character, line separator and direction mark becomes a space.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_unruly(c) { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// What an error may say of another machine's words: one line, and not for ever.
pub(super) fn excerpt(text: &str) -> String {
    const MOST: usize = 300;
    one_line(text).chars().take(MOST).collect()
}

/// Lines stay lines; anything else that a terminal would obey becomes a visible mark.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if is_unruly(c) && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// A device as its owner can recognise it, and nothing else: no address to click, no sentence to believe. Whoever
/// logs in chooses this text, and the letter goes to the owner of the account.
pub(super) fn device(text: &str) -> Option<String> {
    const MOST: usize = 60;
    let words = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let short = words.chars().take(MOST).collect::<String>().trim_end().to_owned();
    (!short.is_empty()).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_cannot_survive_in_one_line() {
        assert_eq!(one_line("Hi\r\nBcc: eve@example.com\u{2028}x\u{0}"), "Hi  Bcc: eve@example.com x");
    }

    #[test]
    fn a_terminal_gets_no_commands() {
        assert_eq!(printable("a\tb\n\u{1b}[2Jc\r\u{9b}31m"), "a\tb\n\u{fffd}[2Jc\u{fffd}\u{fffd}31m");
    }

    #[test]
    fn a_device_is_a_few_plain_words() {
        assert_eq!(device("Firefox/128.0 (X11; Linux)").as_deref(), Some("Firefox 128 0 X11 Linux"));
        assert_eq!(
            device("Your account is closed:\nhttps://evil.example/?a=b").as_deref(),
            Some("Your account is closed https evil example a b"),
        );
        assert_eq!(device("\u{1b}\r\n ;"), None);
        assert!(device(&"x".repeat(500)).is_some_and(|text| text.len() == 60));
    }
}
