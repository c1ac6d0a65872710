//! Passwords that many people use, by Django's list. It is compressed in the program and unpacked when first needed.

use std::sync::OnceLock;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// 19,640 passwords in lower case, one a line, sorted by bytes. `assets/passwords/LICENSE` says where they are from.
const COMPRESSED: &[u8] = include_bytes!("../../../assets/passwords/common.txt.gz");
/// What stands before the data in a gzip file that has no name in it (RFC 1952).
const GZIP_HEADER: usize = 10;
const MAX_BYTES: usize = 1 << 20;

/// What people would think of first here (NIST SP 800-63B asks for context words).
const OUR_NAME: &str = "keystead";

static LIST: OnceLock<Vec<u8>> = OnceLock::new();

/// Whether a lower-case text is in the list, white space around it aside.
pub(super) fn is_common(text: &str) -> bool {
    let text = text.trim_matches(is_python_space);
    text == OUR_NAME || has_line(LIST.get_or_init(unpack), text.as_bytes())
}

/// The file is a part of the program: a test holds it to be whole.
fn unpack() -> Vec<u8> {
    let deflated = COMPRESSED.get(GZIP_HEADER..).unwrap_or_default();
    decompress_to_vec_with_limit(deflated, MAX_BYTES).unwrap_or_default()
}

/// Halves sorted lines until one is left: no index, no memory but the text.
fn has_line(mut lines: &[u8], wanted: &[u8]) -> bool {
    while !lines.is_empty() {
        let (before, after) = lines.split_at(lines.len() / 2);
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = before.len() + after.iter().position(|byte| *byte == b'\n').unwrap_or(after.len());
        let line = lines.get(start..end).unwrap_or_default();
        lines = match wanted.cmp(line) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => lines.get(..start).unwrap_or_default(),
            std::cmp::Ordering::Greater => lines.get(end + 1..).unwrap_or_default(),
        };
    }
    false
}

/// What Python's `strip` takes away: four separators more than Rust's `trim`.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole_sorted_and_each_of_it_is_found() {
        let list = String::from_utf8(unpack()).expect("UTF-8");
        let lines: Vec<&str> = list.lines().collect();

        assert_eq!(lines.len(), 19_640);
        assert!(lines.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        assert!(lines.iter().all(|line| is_common(line) && line.to_lowercase() == **line));
    }

    #[test]
    fn what_is_not_a_line_is_not_found() {
        for text in ["", "passw", "password\n1234", "correct horse battery", "zzzzzzzzzzzzzzzzzzz", "\u{ff}"]
        {
            assert!(!is_common(text), "{text:?}");
        }
        assert!(is_common(" \u{1f}password\u{a0}"));
        assert!(is_common("keystead"));
    }

    #[test]
    fn few_lines_are_halved_too() {
        for (lines, there, missing) in
            [("a", "a", "b"), ("a\n", "a", ""), ("a\nc\ne\n", "e", "d"), ("a\nbb", "bb", "b")]
        {
            assert!(has_line(lines.as_bytes(), there.as_bytes()), "{lines:?}");
            assert!(!has_line(lines.as_bytes(), missing.as_bytes()), "{lines:?}");
        }
    }
}
