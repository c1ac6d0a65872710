//! The log: where it goes and what its lines look like.
//!
//! Must never: let a logged value begin a new line or speak to the terminal, write to stdout, or panic.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal};

use tracing::Level;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt as lines};

use crate::config::{LogConfig, LogFormat};
use crate::domain::is_unruly;

/// The target of what an operator must see whatever `log.level` is.
pub(crate) const NOTICE: &str = "keystead::notice";

/// Logs to stderr from now on, times in UTC. Does nothing if a log is set up already.
pub(crate) fn init(config: &LogConfig) {
    let colours = if io::stderr().is_terminal() { Colours::On } else { Colours::Off };
    tracing_subscriber::registry().with(layer(config, colours, io::stderr)).try_init().ok();
}

/// Makes of a panic one line of the log. What it broke is answered where it was caught: a request fails, a damaged file
/// is refused, and nobody finds a stack on their terminal.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload().downcast_ref::<String>().map(String::as_str);
        let message = text.or(panic.payload().downcast_ref::<&str>().copied()).unwrap_or_default();
        if tracing::dispatcher::has_been_set() {
            tracing::error!(place, message, "a bug or a damaged file made something panic");
        }
    }));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colours {
    On,
    Off,
}

fn layer<W>(config: &LogConfig, colours: Colours, writer: W) -> impl Layer<Registry>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = lines::layer().with_ansi(colours == Colours::On).with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        // JSON has no way to write a control character but escaped.
        LogFormat::Json => lines.with_ansi(false).json().flatten_event(true).boxed(),
        LogFormat::Text => lines
            .fmt_fields(
                debug_fn(|line, field, value| match field.name() {
                    "message" => write!(OneLine(line), "{value:?}"),
                    name => write!(OneLine(line), "{name}={value:?}"),
                })
                .delimited(" "),
            )
            .boxed(),
    };
    lines.with_filter(filter(&config.level))
}

/// A single level is Keystead's own; of other crates only warnings are told then. The configuration has made sure that
/// the text is a filter.
fn filter(level: &str) -> Targets {
    let mut directives = level.to_lowercase();
    directives.retain(|c| !c.is_whitespace());
    if directives != "off" && !directives.contains(['=', ',']) {
        directives = format!("warn,keystead={directives}");
    }
    directives.parse::<Targets>().unwrap_or_default().with_target(NOTICE, Level::INFO)
}

/// Writes control characters and turns of direction escaped: a value that somebody sent stays inside its line.
struct OneLine<'a>(&'a mut dyn fmt::Write);

impl fmt::Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if is_unruly(c) {
                write!(self.0, "{}", c.escape_default())?;
            } else {
                self.0.write_char(c)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, colours: Colours) -> String {
        let lines = Lines::default();
        let config = LogConfig { format, level: "info".to_owned() };
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry().with(layer(&config, colours, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let planted = "x\n2026 ERROR forged\u{1b}[2J\u{9b}\u{202e}";
            tracing::info!(target: "keystead::test", agent = %planted, "said {planted}");
            tracing::info!(target: "hyper::conn", "not ours");
        });
        let bytes = lines.0.lock().expect("nobody panicked").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_logged_value_stays_inside_its_line() {
        let text = logged(LogFormat::Text, Colours::Off);

        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.trim_end().contains(is_unruly), "{text:?}");
        assert!(text.contains("said x\\n2026 ERROR") && text.contains("agent=x\\n2026"), "{text}");
    }

    #[test]
    fn colours_are_the_only_escapes() {
        let text = logged(LogFormat::Text, Colours::On);

        assert!(text.contains("\u{1b}[") && !text.contains("\u{1b}[2J"), "{text:?}");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged(LogFormat::Json, Colours::On);

        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["agent"], "x\n2026 ERROR forged\u{1b}[2J\u{9b}\u{202e}");
        assert!(line["timestamp"].as_str().expect("a time").ends_with('Z'));
    }

    #[test]
    fn a_single_level_is_for_keystead() {
        let plain = filter("INFO");
        assert!(plain.would_enable("keystead::store", &Level::INFO));
        assert!(!plain.would_enable("hyper", &Level::INFO));
        assert!(plain.would_enable("hyper", &Level::WARN));

        let directives = filter("info, keystead::http=trace");
        assert!(directives.would_enable("hyper", &Level::INFO));
        assert!(directives.would_enable("keystead::http::router", &Level::TRACE));
        assert!(!directives.would_enable("keystead::store", &Level::DEBUG));

        assert!(!filter("off").would_enable("keystead", &Level::ERROR));
        for level in ["off", "error", "keystead=off", "info,keystead::notice=error"] {
            assert!(filter(level).would_enable(NOTICE, &Level::INFO), "{level}");
        }
    }
}
