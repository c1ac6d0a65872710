//! Paths as proxies name them, read in two ways: as they are meant, and as a careless program may take them.
//!
//! Browsers and other clients that mean no harm resolve `.` and `..` themselves, so a path with one of them in it is none.

use percent_encoding::percent_decode_str;

use crate::domain::email::canonical;

/// A path of a request. Both readings are its segments, decoded; a slash at the end makes no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestPath {
    /// As the standard has it (RFC 3986): a slash that is encoded parts nothing.
    segments: Vec<String>,
    /// Decoded as often as can be, in NFKC and folded, `\` taken for a slash, each segment cut down to its `name`, and
    /// without those that are empty then. What stands behind a `?` or a `#` is no part of it.
    careless: Vec<String>,
}

/// Which paths a rule is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathPattern {
    segments: Vec<String>,
    careless: Vec<String>,
    /// `/admin/*`: also all that is below.
    is_tree: bool,
}

const MAX_BYTES: usize = 8 * 1024;
/// Whatever is encoded more often is meant to deceive.
const MAX_LAYERS: usize = 8;

impl RequestPath {
    /// The path alone, without a query. None: it could be read in ways that nobody foresees.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '#' | '?');
        if text.len() > MAX_BYTES || !text.starts_with('/') || !text.chars().all(is_plain) {
            return None;
        }
        let (segments, careless) = (meant(text)?, careless(text)?);
        let has_control = |segment: &String| segment.contains(char::is_control);
        let is_clear = !segments.iter().chain(&careless).any(has_control);
        is_clear.then_some(Self { segments, careless })
    }
}

impl PathPattern {
    /// `/health`, or `/admin/*` for `/admin` and all below it; written as it reads, not percent-encoded.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (path, is_tree) = match text.strip_suffix("/*") {
            Some(path) => (path, true),
            None => (text, false),
        };
        let path = if path.is_empty() && is_tree { "/" } else { path };
        if path.contains(['%', '*', ';', '\\']) || text.contains("//") {
            return None;
        }
        let RequestPath { segments, careless } = RequestPath::parse(path)?;
        Some(Self { segments, careless, is_tree })
    }

    pub(super) fn takes(&self, path: &RequestPath) -> bool {
        self.is_at(&self.segments, &path.segments)
    }

    pub(super) fn takes_carelessly(&self, path: &RequestPath) -> bool {
        self.is_at(&self.careless, &path.careless)
    }

    fn is_at(&self, own: &[String], path: &[String]) -> bool {
        if self.is_tree { path.starts_with(own) } else { path == own }
    }
}

fn meant(text: &str) -> Option<Vec<String>> {
    let text = text.strip_prefix('/')?;
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split('/').map(decoded).collect()
}

fn careless(text: &str) -> Option<Vec<String>> {
    let mut text = text.to_owned();
    for _ in 0..MAX_LAYERS {
        if names_a_host(&text) {
            return None;
        }
        let next = canonical(&percent_decode_str(&text).decode_utf8().ok()?);
        if next == text {
            return segments_of_names(&text);
        }
        text = next;
    }
    None
}

/// None: there are dots among them, if only behind a `?`.
fn segments_of_names(text: &str) -> Option<Vec<String>> {
    if text.split(SLASHES).any(is_dots) {
        return None;
    }
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let names = path.split(SLASHES).map(name).filter(|name| !name.is_empty());
    Some(names.map(str::to_owned).collect())
}

const SLASHES: [char; 2] = ['/', '\\'];

/// `//host/path`: the path is another one for programs that take it for a URL.
fn names_a_host(text: &str) -> bool {
    let mut segments = text.split(SLASHES).skip(1);
    segments.next().map(name) == Some("") && segments.next().is_some()
}

/// What some program may take a segment for, on Windows for one: no blanks and dots at its end.
fn name(segment: &str) -> &str {
    alone(segment).trim_end_matches(['.', ' '])
}

/// Without what stands behind it: parameters, a query, a fragment.
fn alone(segment: &str) -> &str {
    segment.split([';', '?', '#']).next().unwrap_or_default()
}

/// None: it is not encoded as it should be, or is no UTF-8 (an overlong form is none).
fn decoded(segment: &str) -> Option<String> {
    let mut escapes = segment.split('%').skip(1);
    let is_escape =
        |text: &str| text.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !escapes.all(is_escape) {
        return None;
    }
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// `.` and `..`, and what some program may take for them.
fn is_dots(segment: &str) -> bool {
    name(segment).is_empty() && alone(segment).contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RequestPath {
        RequestPath::parse(text).unwrap_or_else(|| panic!("{text:?} is a path"))
    }

    #[test]
    fn a_path_is_its_decoded_segments() {
        assert_eq!(path("/").segments, Vec::<String>::new());
        assert_eq!(path("/a/b"), path("/a/b/"));
        assert_eq!(path("/%61/%62"), path("/a/b"));
        assert_eq!(path("/caf%C3%A9/x%20y").segments, ["café", "x y"]);
        assert_eq!(path("/a%2Fb").segments, ["a/b"]);
        assert_eq!(path("/a//b").segments, ["a", "", "b"]);
    }

    #[test]
    fn a_careless_program_sees_less() {
        for text in [
            "/admin/users",
            "/ADMIN/Users",
            "/admin///users",
            "/admin./users%20",
            "/admin/users%3Fx/y",
            "/admin/users%2523",
            "/admin%2Fusers",
            "/admin%5Cusers",
            "/admin\\users",
            "/admin;v=1/users;x",
            "/%2561dmin/users",
            "/%252561dmin/users",
            "/ａdmin／users",
            "/adm%C4%B1n/users".replace("%C4%B1", "i").as_str(),
        ] {
            assert_eq!(path(text).careless, ["admin", "users"], "{text}");
        }
    }

    #[test]
    fn what_could_be_anything_is_no_path() {
        let deep = format!("/%{}61", "25".repeat(40));
        let long = format!("/{}", "a".repeat(MAX_BYTES));
        for text in [
            "",
            "a",
            "*",
            "http://app.example/a",
            "/.",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a/%252e%252e/b",
            "/a/..;/b",
            "/a/..;x=1/b",
            "/a/..%3B/b",
            "/a/..%2Fb",
            "/a/..\\b",
            "/a/..%5cb",
            "/a/．．/b",
            "/a/‥/b",
            "/a/.../b",
            "/a/..%20/b",
            "/a/.%20./b",
            "/a/%20../b",
            "/a%3F/%2e%2e/b",
            "/a/..%3Fb",
            "//a",
            "/%2Fa/b",
            "/;x/a",
            "/a%00b",
            "/a%0d%0ab",
            "/a%7fb",
            "/a\0b",
            "/a b",
            "/a\tb",
            "/a#b",
            "/a?b",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%+1",
            "/a%c0%afb",
            "/a%e0%80%afb",
            "/a%ff",
            "/a%ed%a0%80",
            "/a%25ff",
            deep.as_str(),
            long.as_str(),
        ] {
            assert_eq!(RequestPath::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn dots_in_names_are_no_dots() {
        for text in ["/.well-known/x", "/a..b", "/..a", "/v1.0", "/100%25", "/a%20b", "/:x/@y/~z"] {
            assert!(RequestPath::parse(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_pattern_is_a_path_or_a_tree() {
        let takes =
            |pattern: &str, text: &str| PathPattern::parse(pattern).expect(pattern).takes(&path(text));
        for (pattern, text, is_taken) in [
            ("/health", "/health", true),
            ("/health", "/health/", true),
            ("/health/", "/health", true),
            ("/health", "/health/x", false),
            ("/health", "/healthy", false),
            ("/admin/*", "/admin", true),
            ("/admin/*", "/admin/", true),
            ("/admin/*", "/admin/a/b", true),
            ("/admin/*", "/administrator", false),
            ("/admin/*", "/Admin", false),
            ("/", "/", true),
            ("/", "/a", false),
            ("/*", "/", true),
            ("/*", "/a//b%2Fc", true),
            ("/café/*", "/caf%C3%A9/x", true),
        ] {
            assert_eq!(takes(pattern, text), is_taken, "{pattern} {text}");
        }
        for text in
            ["", "*", "admin", "/ad*", "/a/*/b", "/*/*", "/a%20b", "/a//b", "/a/../b", "/a;x", "/a?x", "//*"]
        {
            assert_eq!(PathPattern::parse(text), None, "{text}");
        }
    }
}
