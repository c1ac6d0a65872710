//! A password that comes on stdin (`--password-stdin`).

use std::io::{self, BufRead};

use crate::cli::outcome::Refusal;
use crate::domain::Secret;

/// No password is longer; what is longer is refused by its rules.
const MAX_LINE: u64 = 16 << 10;

/// The first line, without its end.
pub(super) fn password_line() -> Result<Secret<String>, Refusal> {
    first_line(io::stdin().lock())
}

fn first_line(input: impl BufRead) -> Result<Secret<String>, Refusal> {
    let mut line = String::new();
    let read = input.take(MAX_LINE).read_line(&mut line);
    read.map_err(|error| Refusal::new(format!("no password on stdin: {error}")))?;
    let line = line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err(Refusal::new("no password on stdin: its first line is empty"));
    }
    Ok(Secret::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn the_password_is_the_first_line_without_its_end() {
        for (text, password) in [
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            ("secret", "secret"),
            (" se cret \nmore\n", " se cret "),
            ("secret\r", "secret\r"),
        ] {
            assert_eq!(first_line(text.as_bytes()).expect(text).expose(), password);
        }
        assert!(first_line(b"".as_slice()).is_err());
        assert!(first_line(b"\n".as_slice()).is_err());
        assert!(first_line(b"\xff\n".as_slice()).is_err());
    }
}
