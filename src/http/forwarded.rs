//! Whose request a proxy passes on, and whether it came over TLS: `X-Forwarded-For` and `X-Forwarded-Proto`, as far as
//! the hops are trusted (`server.trusted_proxies`).
//!
//! Must never: believe what somebody says who is not a trusted proxy, or what another header says. `Forwarded` and
//! `X-Real-IP` come through many proxies just as a client sent them.

use std::net::{IpAddr, SocketAddr};

use warp::http::header::{FORWARDED, VIA};
use warp::http::{HeaderMap, HeaderName};

use crate::config::ServerConfig;
use crate::http::head::{Head, Host};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Each of them says that somebody passed the request on, whoever wrote it.
const TRACES: [HeaderName; 6] = [
    X_FORWARDED_FOR,
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
    FORWARDED,
    VIA,
];

/// Nobody has as many proxies in a row: the rest of a longer list is not looked at.
const MAX_HOPS: usize = 32;

/// The client's address: the peer's, or, walked from the right, the first in the list that is no trusted proxy. What
/// cannot be read ends the walk at the last address that could be.
pub(crate) fn client_address(
    config: &ServerConfig,
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
) -> Option<IpAddr> {
    let mut client = peer?.ip().to_canonical();
    if !config.is_trusted_proxy(client) {
        return Some(client);
    }
    // Several lines are one list (RFC 9110, section 5.3). Taken apart as bytes: what a client wrote that is no text must
    // not make the rest of the line unreadable, or it would hide behind the proxy's own address.
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    for entry in entries.take(MAX_HOPS) {
        let Some(address) = std::str::from_utf8(entry).ok().and_then(address_of) else { break };
        client = address;
        if !config.is_trusted_proxy(client) {
            break;
        }
    }
    Some(client)
}

/// Whether nobody between the client and us can read along: it is on this machine and asks for this machine, or a trusted
/// proxy took the request over TLS for a `public_url` that is https.
pub(crate) fn is_private(config: &ServerConfig, head: &Head) -> bool {
    let Some(peer) = head.peer.map(|peer| peer.ip().to_canonical()) else { return false };
    if TRACES.iter().any(|name| head.headers.contains_key(name)) {
        let is_https = config.public_url.scheme() == "https" && came_over_tls(&head.headers);
        return is_https && config.is_trusted_proxy(peer);
    }
    // A proxy on this machine that leaves no trace asks for what its clients asked for, if it is set up at all well.
    peer.is_loopback() && matches!(head.host(), Host::Named(host) if names_loopback(host.host()))
}

/// Each hop that says what it was asked over says `https`.
fn came_over_tls(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(X_FORWARDED_PROTO).iter();
    let mut hops = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).peekable();
    hops.peek().is_some() && hops.all(|hop| hop.trim_ascii().eq_ignore_ascii_case(b"https"))
}

fn names_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.to_canonical().is_loopback())
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address_of(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    let in_brackets = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address: Option<IpAddr> = entry.parse().ok().or_else(in_brackets).or_else(with_port);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use warp::http::HeaderValue;

    fn client(peer: &str, lines: &[&[u8]]) -> String {
        let proxies = r#"server.trusted_proxies = ["10.0.0.0/8", "2001:db8:ffff::/48", "127.0.0.1"]"#;
        let config = Config::from_toml(proxies).expect("a configuration");
        let peer = SocketAddr::new(peer.parse().expect(peer), 4000);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).expect("a value"));
        }
        for ignored in ["forwarded", "x-real-ip", "x-client-ip", "true-client-ip"] {
            headers.append(ignored, HeaderValue::from_static("203.0.113.99"));
        }
        client_address(&config.server, Some(peer), &headers).expect("an address").to_string()
    }

    #[test]
    fn the_client_is_the_last_hop_that_is_not_trusted() {
        for (peer, lines, expected) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.3,10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7 ,\t10.0.0.3", "10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["10.0.0.3, 127.0.0.1"], "10.0.0.3"),
            ("127.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("2001:db8:ffff::1", &["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", &["[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", &["[2001:db8::7]:80"], "2001:db8::7"),
            ("10.0.0.1", &["[::ffff:198.51.100.7]:80, [2001:db8:ffff::2]:9"], "198.51.100.7"),
        ] {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            assert_eq!(client(peer, &lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk() {
        for garbage in [
            "",
            " ",
            ",",
            "unknown",
            "_hidden",
            "198.51.100.7.1",
            "198.51.100",
            "0198.51.100.7",
            "1.2.3.4:99999",
            "[::1",
            "::1]",
            "fe80::1%eth0",
            "198.51.100.7 10.0.0.3",
            "\"198.51.100.7\"",
            "for=198.51.100.7",
            "\u{e9}",
        ] {
            let line = format!("198.51.100.7, {garbage}, 10.0.0.2");
            assert_eq!(client("10.0.0.1", &[line.as_bytes()]), "10.0.0.2", "{garbage:?}");
            let line = format!("198.51.100.7, {garbage}");
            assert_eq!(client("10.0.0.1", &[line.as_bytes()]), "10.0.0.1", "{garbage:?}");
        }
        assert_eq!(client("10.0.0.1", &[b"198.51.100.7", b"\xff"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[b"\xff, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
    }

    #[test]
    fn a_list_without_end_is_not_read_to_its_end() {
        let line = format!("198.51.100.7{}", ", 10.0.0.2".repeat(500));

        assert_eq!(client("10.0.0.1", &[line.as_bytes()]), "10.0.0.2");
    }

    fn private(url: &str, peer: &str, headers: &[(&str, &str)]) -> bool {
        let settings =
            format!("server.public_url = {url:?}\nserver.trusted_proxies = [\"10.0.0.1\", \"127.0.0.2\"]");
        let config = Config::from_toml(&settings).expect("a configuration");
        let mut head =
            Head { peer: Some(SocketAddr::new(peer.parse().expect(peer), 4000)), ..Head::default() };
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).expect("a name");
            head.headers.append(name, HeaderValue::try_from(*value).expect("a value"));
        }
        is_private(&config.server, &head)
    }

    #[test]
    fn loopback_is_private_unless_somebody_passed_the_request_on() {
        let http = "http://127.0.0.1:8000";
        for host in ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000"] {
            for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
                assert!(private(http, peer, &[("host", host)]), "{host} {peer}");
            }
            assert!(!private(http, "192.0.2.1", &[("host", host)]), "{host}");
            for trace in TRACES.iter().map(HeaderName::as_str) {
                assert!(!private(http, "127.0.0.1", &[("host", host), (trace, "")]), "{trace}");
                assert!(!private(http, "127.0.0.1", &[("host", host), (trace, "127.0.0.1")]), "{trace}");
            }
        }
        for host in ["id.example", "localhost.example", "127.0.0.1.example", "0.0.0.0", "192.0.2.1"] {
            assert!(!private(http, "127.0.0.1", &[("host", host)]), "{host}");
        }
        assert!(!private(http, "127.0.0.1", &[]));
    }

    #[test]
    fn tls_is_private_if_a_trusted_proxy_says_so_and_it_is_how_people_come() {
        let (https, http) = ("https://id.example", "http://id.example");
        let host = ("host", "id.example");
        let proto = |value| [host, ("x-forwarded-proto", value)];

        for peer in ["10.0.0.1", "127.0.0.2", "::ffff:10.0.0.1"] {
            assert!(private(https, peer, &proto("https")), "{peer}");
            assert!(private(https, peer, &proto("HTTPS, https")), "{peer}");
            assert!(!private(http, peer, &proto("https")), "{peer}");
            for value in ["", "http", "https, http", "http,https", "https,", "httpss", "wss"] {
                assert!(!private(https, peer, &proto(value)), "{peer} {value:?}");
            }
            let two = [host, ("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
            assert!(!private(https, peer, &two), "{peer}");
            assert!(!private(https, peer, &[host, ("x-forwarded-for", "127.0.0.1")]), "{peer}");
            assert!(!private(https, peer, &[host, ("forwarded", "proto=https")]), "{peer}");
        }
        for peer in ["10.0.0.2", "127.0.0.1", "192.0.2.1"] {
            assert!(!private(https, peer, &proto("https")), "{peer}");
        }
    }
}
