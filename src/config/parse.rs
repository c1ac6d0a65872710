//! Text of the configuration into types.
//!
//! Must never: know where a value came from. The reason it gives is completed by `Settings::refuse`.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::config::Mailbox;
use crate::domain::Email;

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| format!("{text:?} is not a duration: write 10m, 2h or 30d"))
}

/// `host:port`, the host being a name or an address (IPv6 in brackets).
pub(super) fn listen(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if is_listen_host(host) && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is not an address with a port: write 127.0.0.1:8000 or 0.0.0.0:8000")),
    }
}

/// An `http` or `https` URL that is an origin: a base to which paths are added.
pub(super) fn origin(text: &str) -> Result<Url, String> {
    let refuse = |reason: &str| format!("{text:?} {reason}: write https://auth.example.com");
    // Not quoted: what does not parse may still hold a password.
    let url = Url::parse(text).map_err(|_| "is not a URL: write https://auth.example.com".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") {
        Err(refuse("is neither http nor https"))
    } else if !url.username().is_empty() || url.password().is_some() {
        // Not quoted: the message ends up in logs.
        Err("has a user name or password in it: write https://auth.example.com".to_owned())
    } else if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        Err(refuse("has more than scheme, host and port in it"))
    } else {
        Ok(url)
    }
}

/// `Name <address>` or an address.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (name.trim(), address),
        None => ("", text),
    };
    let unquoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    let address = Email::parse(address).map_err(|_| {
        format!("{text:?} is not an address: write auth@example.com or Example <auth@example.com>")
    })?;
    Ok(Mailbox { name: (!unquoted.is_empty()).then(|| unquoted.to_owned()), address })
}

/// One level, or a list of levels and `target=level`.
pub(super) fn log_level(text: &str) -> Result<String, String> {
    let is_level = |word: &str| {
        ["off", "error", "warn", "info", "debug", "trace"]
            .iter()
            .any(|level| word.eq_ignore_ascii_case(level))
    };
    let is_target = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-'))
    };
    let is_directive = |part: &str| match part.split_once('=') {
        Some((target, level)) => is_target(target) && is_level(level),
        None => is_level(part),
    };
    if text.split(',').all(|part| is_directive(part.trim())) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is not a log level: write off, error, warn, info, debug or trace, or info,keystead=debug"
        ))
    }
}

/// Whether this can be the name of a host, or a pattern for names. Loose: what is strange matches no request.
pub(super) fn is_host(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#\"'".contains(c))
}

/// An address, or a network as `10.0.0.0/8`.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().ok().map(|network| network.trunc());
    network
        .or_else(|| text.parse::<IpAddr>().ok().map(|address| address.to_canonical().into()))
        .ok_or_else(|| format!("{text:?} is no address and no network: write 10.0.0.2 or 10.0.0.0/8"))
}

/// A `token` of RFC 9110, as the name of a cookie has to be.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_listen_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host(host) && !host.contains([':', '[', ']']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5_400)));
        for text in ["", "10", "-1s", "10 minuts"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn listens_on_a_host_and_a_port() {
        for text in ["127.0.0.1:0", "0.0.0.0:8000", "[::]:8000", "localhost:80"] {
            assert_eq!(listen(text), Ok(text.to_owned()));
        }
        for text in ["", ":8000", "8000", "localhost", "::1:80", "[::1]", "a b:80", "a:65536", "http://a:80"]
        {
            assert!(listen(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_is_an_address_or_has_a_length() {
        let read = |text: &str| network(text).expect(text).to_string();
        assert_eq!(read("10.1.2.3"), "10.1.2.3/32");
        assert_eq!(read("10.1.2.3/8"), "10.0.0.0/8");
        assert_eq!(read("fd00::1/8"), "fd00::/8");
        assert_eq!(read("::ffff:10.1.2.3"), "10.1.2.3/32");
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0/8", "*"] {
            assert!(network(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_public_url_is_an_origin() {
        for (text, base) in [
            ("https://auth.example.com", "https://auth.example.com/"),
            ("https://Auth.Example.com:443/", "https://auth.example.com/"),
            ("http://[::1]:8000", "http://[::1]:8000/"),
        ] {
            assert_eq!(origin(text).map(String::from), Ok(base.to_owned()));
        }
        for text in
            ["", "auth.example.com", "ftp://a", "https://a/b", "https://a?b", "https://a/#c", "https://u:p@a"]
        {
            assert!(origin(text).is_err(), "{text}");
        }
        assert!(!origin("https://u:hunter2@a").expect_err("refused").contains("hunter2"));
    }

    #[test]
    fn a_sender_may_have_a_name() {
        let parts = |text: &str| {
            mailbox(text).map(|sender| (sender.name.unwrap_or_default(), sender.address.as_str().to_owned()))
        };
        let is = |name: &str, address: &str| Ok((name.to_owned(), address.to_owned()));
        assert_eq!(parts("keystead@localhost"), is("", "keystead@localhost"));
        assert_eq!(parts("<a@example.com>"), is("", "a@example.com"));
        assert_eq!(parts("Ada <a@example.com>"), is("Ada", "a@example.com"));
        assert_eq!(parts("\"Lovelace, Ada\" <a@example.com>"), is("Lovelace, Ada", "a@example.com"));
        for text in ["", "Ada", "Ada <>", "Ada <a@example.com", "a@example.com, b@example.com"] {
            assert!(mailbox(text).is_err(), "{text}");
        }
    }

    #[test]
    fn log_levels_are_words_and_directives() {
        for text in ["info", "off", "WARN", "info,keystead=debug", "warn, keystead::http=trace"] {
            assert!(log_level(text).is_ok(), "{text}");
        }
        for text in ["", "inf", "info,", "keystead=", "=debug", "a b=info", "keystead=loud"] {
            assert!(log_level(text).is_err(), "{text}");
        }
    }
}
