//! Characters that are not what they look like, or look like nothing.

/// Control characters (ANSI escapes start with one), the Unicode line and paragraph separators, and the marks that turn
/// the direction of the text around them: no terminal, log or letter gets one of them as it is.
pub(crate) fn is_unruly(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What shows nothing (Unicode's default ignorables): with it two names could look the same.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with its unruly characters escaped, so that they are seen and not obeyed.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unruly(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_obeyed_is_shown_instead() {
        assert_eq!(
            escaped("a\u{1b}[2J\n\u{202e}b\u{61c}\u{2028}"),
            "a\\u{1b}[2J\\n\\u{202e}b\\u{61c}\\u{2028}"
        );
        assert_eq!(escaped("Ådä 山田 नमस्ते"), "Ådä 山田 नमस्ते");
    }

    #[test]
    fn a_name_that_looks_the_same_is_told_by_what_it_hides() {
        for c in ['\u{ad}', '\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}'] {
            assert!(is_invisible(c), "{c:?}");
        }
        assert!(!"Ådä 山田 नमस्ते -".chars().any(is_invisible));
    }
}
