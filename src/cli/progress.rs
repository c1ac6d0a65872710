//! How far a long command is: a line on stderr that is written over, if a person is there to see it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

const WIDTH: u64 = 30;
/// Oftener would only flicker.
const PAUSE: Duration = Duration::from_millis(100);

/// A line that is on the terminal, or will be.
pub(super) struct ProgressBar {
    is_seen: bool,
    shown_at: Option<Instant>,
}

impl ProgressBar {
    /// Nothing is ever shown if stderr is no terminal.
    pub(super) fn new() -> Self {
        Self { is_seen: io::stderr().is_terminal(), shown_at: None }
    }

    pub(super) fn show(&mut self, done: u64, whole: u64, what: &str) {
        if !self.is_seen || self.shown_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        self.shown_at = Some(Instant::now());
        // It is a courtesy: nobody misses it if stderr is gone.
        write!(io::stderr(), "\r\x1b[K{}", line(done, whole, what)).ok();
    }

    /// Makes room for something else.
    pub(super) fn hide(&mut self) {
        if self.shown_at.take().is_some() {
            write!(io::stderr(), "\r\x1b[K").ok();
        }
    }
}

fn line(done: u64, whole: u64, what: &str) -> String {
    let whole = whole.max(1);
    let done = done.min(whole);
    let filled = done * WIDTH / whole;
    let bar: String = (0..WIDTH).map(|at| if at < filled { '#' } else { '.' }).collect();
    format!("[{bar}] {:3} % {what}", done * 100 / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        assert_eq!(line(0, 0, "users"), "[..............................]   0 % users");
        assert_eq!(line(5, 10, "5 users"), "[###############...............]  50 % 5 users");
        assert_eq!(line(11, 10, "users"), "[##############################] 100 % users");
    }
}
