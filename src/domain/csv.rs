//! Tables as text (RFC 4180) that a spreadsheet reads and does not run.
//!
//! Must never: let a cell, or what a spreadsheet with another separator takes for one, begin as a formula.

/// Appends a row. Each cell stands in quotes.
pub(crate) fn append_row<'a>(text: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            text.push(b',');
        }
        text.push(b'"');
        text.extend(defused(cell).replace('"', "\"\"").bytes());
        text.push(b'"');
    }
    text.extend(b"\r\n");
}

/// The text with a `'` before each place where a formula would begin (OWASP, "CSV injection"): at the start, and after
/// whatever some spreadsheet parts cells by, be there blanks between or not.
fn defused(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    // Where the cell began that a spreadsheet may see, while nothing but blanks came since.
    let mut start = Some(0);
    for c in text.chars() {
        if let Some(at) = start
            && begins_formula(c)
        {
            safe.insert(at, '\'');
            start = None;
        }
        safe.push(c);
        if parts_cells(c) {
            start = Some(safe.len());
        } else if !is_blank(c) {
            start = None;
        }
    }
    safe
}

/// Full-width and small forms too: some spreadsheets take them for the plain ones.
const fn begins_formula(c: char) -> bool {
    matches!(
        c,
        '=' | '+'
            | '-'
            | '@'
            | '\t'
            | '\r'
            | '\n'
            | '＝'
            | '＋'
            | '－'
            | '＠'
            | '﹦'
            | '﹢'
            | '﹣'
            | '﹫'
            | '−'
    )
}

const fn parts_cells(c: char) -> bool {
    matches!(c, ',' | ';' | '|' | '\t' | '\r' | '\n' | '"')
}

/// White space, and what is not seen at all.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> String {
        let mut text = Vec::new();
        append_row(&mut text, cells.iter().copied());
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn cells_are_quoted_and_rows_end_as_the_rfc_says() {
        assert_eq!(row(&["1", "", "a \"b\"", "c,d"]), "\"1\",\"\",\"a \"\"b\"\"\",\"c,d\"\r\n");
        assert_eq!(row(&["Ünï", "one\ntwo"]), "\"Ünï\",\"one\ntwo\"\r\n");
        assert_eq!(row(&[]), "\r\n");
    }

    #[test]
    fn no_cell_begins_as_a_formula() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "﹦", "−"] {
            for before in ["", " ", "\u{a0}", "\u{3000}  ", "\u{feff}", "\u{200b}"] {
                let cell = format!("{before}{start}cmd|' /C calc'!A0");
                assert!(defused(&cell).starts_with('\''), "{cell:?}");
            }
        }
        for cell in
            ["ada", "ada-lovelace", "a=b", "ada@example.com", "Ada + Bob", "2026-11-22T00:00:00.000Z", "'"]
        {
            assert_eq!(defused(cell), cell);
        }
    }

    #[test]
    fn no_part_of_a_cell_begins_as_one_where_another_separator_holds() {
        assert_eq!(defused("a;=1+1"), "a;'=1+1");
        assert_eq!(defused("a, =1"), "a,' =1");
        assert_eq!(defused("Editors;Authors;-x"), "Editors;Authors;'-x");
        assert_eq!(defused("a\",=1"), "a\",'=1");
        assert_eq!(defused("=1;=2"), "'=1;'=2");
        assert_eq!(defused("\t=1"), "'\t'=1");
        // The one that is added is no new beginning.
        assert_eq!(defused("=+1"), "'=+1");
    }
}
