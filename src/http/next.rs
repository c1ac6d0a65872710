//! Where somebody goes on to after a log-in: `?next=`.
//!
//! Must never: lead anywhere but to our own pages and the origins that are configured (an open redirect, ASVS 3.7.2).

use minijinja::Value;
use url::{Position, Url};

use crate::config::Config;

/// A place that somebody may be sent to, written as browsers read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next(String);

/// Longer ones are cut by servers on the way.
const MAX_BYTES: usize = 2048;

impl Next {
    /// Takes a path of ours, or a URL of our origin or one of `site.next_origins`. Everything else leads nowhere.
    pub(crate) fn parse(config: &Config, text: &str) -> Option<Self> {
        // Browsers drop line ends and tabs and read a backslash as a slash, so what holds for the text may not for them.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if text.len() > MAX_BYTES || !is_plain {
            return None;
        }
        let own = &config.server.public_url;
        if text.starts_with('/') {
            let url = own.join(text).ok().filter(|url| url.origin() == own.origin())?;
            let path = &url[Position::BeforePath..];
            // `/.//evil.example` is a path, and `//evil.example` another host.
            return (!path.starts_with("//")).then(|| Self(path.to_owned()));
        }
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let is_welcome = url.origin() == own.origin()
            || config.site.next_origins.contains(&url.origin().ascii_serialization());
        let is_bare = url.username().is_empty() && url.password().is_none();
        (is_welcome && is_bare).then(|| Self(url.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Next> for Value {
    fn from(next: Next) -> Self {
        Self::from(next.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config() -> Config {
        let text = "[server]\npublic_url = \"https://auth.example.com\"\n\
                    [site]\nnext_origins = [\"https://app.example.com\", \"http://localhost:3000\"]\n";
        Config::from_toml(text).expect("valid")
    }

    fn next(text: &str) -> Option<String> {
        Next::parse(&config(), text).map(|next| next.0)
    }

    #[test]
    fn our_own_pages_and_listed_origins_are_taken() {
        for (text, expected) in [
            ("/", "/"),
            ("/admin/users/1/?tab=keys#top", "/admin/users/1/?tab=keys#top"),
            ("/a/../b", "/b"),
            ("/?next=//evil.example", "/?next=//evil.example"),
            ("https://auth.example.com/x", "https://auth.example.com/x"),
            ("https://app.example.com", "https://app.example.com/"),
            ("HTTPS://APP.example.com:443/x", "https://app.example.com/x"),
            ("http://localhost:3000/a?b=c", "http://localhost:3000/a?b=c"),
        ] {
            assert_eq!(next(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn nothing_leads_elsewhere() {
        for text in [
            "",
            "admin",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            " /admin",
            "/\n/evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%2e//evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https://evil.example",
            "https://evil.example/https://app.example.com",
            "https://app.example.com.evil.example",
            "https://app.example.com@evil.example",
            "https://somebody@app.example.com",
            "https://somebody:word@app.example.com",
            "https://app.example.com:8443",
            "http://app.example.com",
            "http://localhost:3001",
            "https://app.example.comevil",
            "https://xapp.example.com",
            "ftp://app.example.com",
            "javascript:alert(1)",
            "JavaScript:alert(1)//https://app.example.com",
            "data:text/html,x",
            "blob:https://app.example.com/x",
            "view-source:https://app.example.com",
            "https://ａpp.example.com",
            "/é",
            "/\u{2028}",
        ] {
            assert_eq!(next(text), None, "{text:?}");
        }
        assert_eq!(next(&format!("/{}", "a".repeat(MAX_BYTES))), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_taken_leads_where_it_may(text in "[/\\\\.%@:?#a-e\\t]{0,12}(https?:)?/{0,3}(app|evil)?[.@:/a-z]{0,16}") {
            if let Some(next) = next(&text) {
                let base = Url::parse("https://auth.example.com/account/login/").expect("a URL");
                let origin = base.join(&next).expect("a URL").origin().ascii_serialization();
                let may = ["https://auth.example.com", "https://app.example.com", "http://localhost:3000"];
                prop_assert!(may.contains(&origin.as_str()), "{text:?} leads to {origin}");
            }
        }
    }
}
