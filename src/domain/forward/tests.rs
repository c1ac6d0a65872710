//! Which rule a request falls under, however it is spelt.

use proptest::prelude::*;

use super::*;

fn rule(hosts: &[&str], paths: &[&str], methods: &[&str], policy: ForwardPolicy) -> ForwardRule {
    ForwardRule {
        hosts: hosts.iter().map(|text| HostPattern::parse(text).expect(text)).collect(),
        paths: paths.iter().map(|text| PathPattern::parse(text).expect(text)).collect(),
        methods: methods.iter().map(|text| RequestMethod::parse(text).expect(text)).collect(),
        policy,
    }
}

fn signed_in() -> ForwardPolicy {
    ForwardPolicy::SignedIn { groups: Vec::new(), permissions: Vec::new() }
}

fn request(method: &str, host: &str, path: &str) -> Option<ForwardRequest> {
    Some(ForwardRequest {
        method: RequestMethod::parse(method)?,
        host: RequestHost::parse(host)?,
        path: RequestPath::parse(path)?,
    })
}

fn policy(rules: &ForwardRules, method: &str, host: &str, path: &str) -> ForwardPolicy {
    rules.policy(&request(method, host, path).expect("a request")).clone()
}

#[test]
fn the_first_rule_that_takes_a_request_decides_and_no_rule_denies() {
    let rules = ForwardRules::new(vec![
        rule(&["app.example.com"], &["/static/*", "/health"], &["GET"], ForwardPolicy::Public),
        rule(&[], &["/internal/*"], &[], ForwardPolicy::Deny),
        rule(&["*.example.com"], &[], &[], signed_in()),
    ]);
    for (method, host, path, expected) in [
        ("GET", "app.example.com", "/static/a.css", ForwardPolicy::Public),
        ("HEAD", "app.example.com", "/health", ForwardPolicy::Public),
        ("POST", "app.example.com", "/static/a.css", signed_in()),
        ("GET", "other.example.com", "/static/a.css", signed_in()),
        ("GET", "app.example.com", "/internal", ForwardPolicy::Deny),
        ("GET", "example.com", "/", ForwardPolicy::Deny),
        ("GET", "evil.net", "/static/a.css", ForwardPolicy::Deny),
    ] {
        assert_eq!(policy(&rules, method, host, path), expected, "{method} {host} {path}");
    }
    assert_eq!(policy(&ForwardRules::default(), "GET", "app.example.com", "/"), ForwardPolicy::Deny);
}

#[test]
fn a_path_that_may_be_read_in_two_ways_passes_only_if_both_fall_under_one_rule() {
    let rules = ForwardRules::new(vec![
        rule(&[], &["/secret/*"], &[], signed_in()),
        rule(&[], &["/*"], &[], ForwardPolicy::Public),
    ]);
    for path in [
        "/Secret/x",
        "//secret/x",
        "/secret;a/x",
        "/secret%2Fx",
        "/%2573ecret",
        "/x/..%2fsecret",
        "/ｓecret",
        "/secret%3Fx",
        "/secret%253Fx",
        "/secret%23x",
        "/x%3F/..%2Fsecret",
        "/secret./x",
        "/secret%20/x",
        "/x/..%20/secret",
    ] {
        let asked = request("GET", "app.example.com", path);
        let is_public = asked.is_some_and(|asked| *rules.policy(&asked) == ForwardPolicy::Public);
        assert!(!is_public, "{path}");
    }
    // A program that takes the whole path for a URL reads a host there, and the path behind it.
    for slashes in ["//", "/\\", "///", "/%2F", "/%5c", "/%252F", "/／", "/;/", "/%20/", "/%3F/"] {
        let path = format!("{slashes}host/secret/x");
        assert!(request("GET", "app.example.com", &path).is_none(), "{path}");
    }
    for path in ["/a//b", "/A/b", "/a;v=1", "/group%2Fproject", "/C%23/x", "/who%3F"] {
        assert_eq!(policy(&rules, "GET", "app.example.com", path), ForwardPolicy::Public, "{path}");
    }
    for path in ["/secret/A//b", "/secret/group%2Fproject"] {
        assert_eq!(policy(&rules, "GET", "app.example.com", path), signed_in(), "{path}");
    }
}

#[test]
fn a_method_is_written_in_capitals() {
    for text in ["GET", "PROPFIND", "M-SEARCH"] {
        assert!(RequestMethod::parse(text).is_some(), "{text}");
    }
    for text in ["", "get", "Get", "GET ", "GET,POST", "G\u{c9}T", &"A".repeat(33)] {
        assert_eq!(RequestMethod::parse(text), None, "{text}");
    }
}

/// One character of a path in a spelling that some program takes for the same.
fn spelling(c: char) -> impl Strategy<Value = String> {
    let encoded = |c: char, prefix: &str| format!("{prefix}{:02x}", u32::from(c));
    let slash = ["/", "//", "%2f", "%5C", "\\", "/;/", "%252F", "／"].map(str::to_owned);
    let letter = [
        c.to_string(),
        c.to_ascii_uppercase().to_string(),
        encoded(c, "%"),
        encoded(c, "%25"),
        encoded(c.to_ascii_uppercase(), "%"),
        char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c).to_string(),
    ];
    prop::sample::select(if c == '/' { slash.to_vec() } else { letter.to_vec() })
}

proptest! {
    #[test]
    fn no_spelling_leads_around_a_rule(
        slashes in prop::option::of([spelling('/'), spelling('/')]),
        spelt in "/secret/x".chars().map(spelling).collect::<Vec<_>>(),
        behind in "[a-z/.;%0-9A-F]{0,12}",
    ) {
        let rules = ForwardRules::new(vec![
            rule(&[], &["/secret/*"], &[], ForwardPolicy::Deny),
            rule(&[], &["/*"], &[], ForwardPolicy::Public),
        ]);
        // In front of the path, what a program may take for a host.
        let before = slashes.map(|slashes| slashes.concat() + "host").unwrap_or_default();
        let path = format!("{before}{}{behind}", spelt.concat());
        if let Some(request) = request("GET", "app.example.com", &path) {
            prop_assert_eq!(rules.policy(&request), &ForwardPolicy::Deny, "{}", path);
        }
    }

    #[test]
    fn a_plain_path_is_read_one_way(segments in prop::collection::vec("[a-z0-9_-]{1,8}", 0..5)) {
        let path = RequestPath::parse(&format!("/{}", segments.join("/"))).expect("a path");
        let tree = PathPattern::parse("/*").expect("a pattern");
        prop_assert!(tree.takes(&path) && tree.takes_carelessly(&path));
        let same = PathPattern::parse(&format!("/{}", segments.join("/"))).expect("a pattern");
        prop_assert!(same.takes(&path) && same.takes_carelessly(&path));
    }

    #[test]
    fn anything_at_all_is_read_or_refused(text in "\\PC{0,40}") {
        let _ = (RequestPath::parse(&format!("/{text}")), RequestHost::parse(&text), RequestMethod::parse(&text));
    }
}
