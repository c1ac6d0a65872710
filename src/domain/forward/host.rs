//! Hosts as proxies name them, in the one form in which they are compared.

use url::Host;

/// A host in lower case and ASCII (IDNA), without port and without the dot at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestHost(String);

/// Which hosts a rule is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPattern {
    Exactly(RequestHost),
    /// `*.example.com`: every host below this one, but not the host itself. Kept with its dot in front.
    Below(String),
}

impl RequestHost {
    /// With or without a port.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let host = match text.rsplit_once(':') {
            // The colons in an IPv6 address are in brackets.
            Some((host, port)) if !port.ends_with(']') => {
                let is_port = !port.is_empty() && port.parse::<u16>().is_ok() && !port.starts_with('+');
                is_port.then_some(host)?
            }
            _ => text,
        };
        Self::canonical(host)
    }

    fn canonical(host: &str) -> Option<Self> {
        let host = match Host::parse(host.strip_suffix('.').unwrap_or(host)).ok()? {
            Host::Domain(name) => Some(name).filter(|name| is_name(name))?,
            address => address.to_string(),
        };
        Some(Self(host))
    }
}

/// Nothing that could be two hosts, or another one, to somebody else.
fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && name.split('.').all(|label| !label.is_empty())
}

impl HostPattern {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(domain) => Some(Self::Below(format!(".{}", RequestHost::canonical(domain)?.0))),
            None => RequestHost::canonical(text).map(Self::Exactly),
        }
    }

    pub(super) fn takes(&self, host: &RequestHost) -> bool {
        match self {
            Self::Exactly(own) => own == host,
            Self::Below(domain) => host.0.ends_with(domain) && host.0.len() > domain.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Option<String> {
        RequestHost::parse(text).map(|host| host.0)
    }

    #[test]
    fn spellings_of_one_host_are_one_host() {
        for text in [
            "app.example.com",
            "APP.Example.COM",
            "app.example.com:8443",
            "app.example.com.",
            "App.example.com.:1",
        ] {
            assert_eq!(host(text).as_deref(), Some("app.example.com"), "{text}");
        }
        assert_eq!(host("bücher.example"), host("XN--BCHER-KVA.example"));
        assert_eq!(host("ａpp.example"), host("app.example"));
        assert_eq!(host("127.1:80").as_deref(), Some("127.0.0.1"));
        assert_eq!(host("[::1]:8000"), host("[0:0::1]"));
    }

    #[test]
    fn what_is_no_host_or_two_is_none() {
        for text in [
            "",
            ".",
            "..",
            "app..example",
            ".example.com",
            "app.example,evil.example",
            "app.example, evil.example",
            "app.example:",
            "app.example:99999",
            "app.example:80:80",
            "app.example:+8",
            "user@app.example",
            "app.example/x",
            "app.example?x",
            "app.example#x",
            "app example",
            "app\\example",
            "*.example.com",
            "::1",
            "[::1",
            "a\0b",
        ] {
            assert_eq!(host(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_pattern_takes_a_host_or_all_below_one() {
        let takes = |pattern: &str, host: &str| {
            let (pattern, host) = (HostPattern::parse(pattern), RequestHost::parse(host));
            pattern.expect("a pattern").takes(&host.expect("a host"))
        };
        assert!(takes("App.example.com", "app.example.com:443"));
        assert!(!takes("app.example.com", "b.app.example.com"));
        for below in ["app.example.com", "a.b.example.com", "A.EXAMPLE.COM."] {
            assert!(takes("*.Example.com", below), "{below}");
        }
        for other in ["example.com", "badexample.com", "example.com.evil.net"] {
            assert!(!takes("*.example.com", other), "{other}");
        }
        for text in ["", "*", "*.", ".example.com", "a.*.com", "app.example.com:80", "http://app.example.com"]
        {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }
}
