//! `[forward]`: rules in their order, the name of the cookie, and how a slip is told.

use super::{refused, with_file};
use crate::config::Config;
use crate::domain::{
    ForwardPolicy, ForwardRequest, GroupName, PermissionName, RequestHost, RequestMethod, RequestPath,
};

const PROXY: &str = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n";

fn policy(config: &Config, method: &str, host: &str, path: &str) -> ForwardPolicy {
    let request = ForwardRequest {
        method: RequestMethod::parse(method).expect(method),
        host: RequestHost::parse(host).expect(host),
        path: RequestPath::parse(path).expect(path),
    };
    config.forward.rules.policy(&request).clone()
}

#[test]
fn without_rules_nothing_passes() {
    let config = Config::from_toml("").expect("the defaults");

    assert!(config.forward.rules.is_empty());
    assert_eq!(config.forward.cookie_name, "keystead-forward");
    assert_eq!(config.forward.cookie_domain, None);
    assert_eq!(policy(&config, "GET", "app.example.com", "/"), ForwardPolicy::Deny);
}

#[test]
fn tables_become_rules_in_their_order() {
    let config = with_file(&format!(
        "{PROXY}[[forward.rules]]\nhosts = [\"a.example\", \"*.b.example\"]\npaths = [\"/x/*\"]\nmethods = [\"POST\"]\n\
         policy = \"signed_in\"\ngroups = [\"Editors\"]\npermissions = [\"blog.add_post\"]\n\
         [[forward.rules]]\nhosts = [\"a.example\"]\npolicy = \"deny\"\n\
         [[forward.rules]]\npolicy = \"public\"\n"
    ))
    .loaded();

    let editors = ForwardPolicy::SignedIn {
        groups: vec![GroupName::parse("Editors").expect("a name")],
        permissions: vec![PermissionName::parse("blog.add_post").expect("a name")],
    };
    assert_eq!(policy(&config, "POST", "a.example", "/x/y"), editors);
    assert_eq!(policy(&config, "POST", "c.b.example", "/x"), editors);
    assert_eq!(policy(&config, "GET", "a.example", "/x"), ForwardPolicy::Deny);
    assert_eq!(policy(&config, "GET", "b.example", "/x"), ForwardPolicy::Public);
}

#[test]
fn the_name_of_the_cookie_says_where_it_is_from() {
    for (url, domain, name) in [
        ("http://auth.example.com", "", "keystead-forward"),
        ("http://auth.example.com", "example.com", "keystead-forward"),
        ("https://auth.example.com", "", "__Host-keystead-forward"),
        ("https://auth.example.com", "example.com", "__Secure-keystead-forward"),
        ("https://auth.example.com", "auth.example.com", "__Secure-keystead-forward"),
    ] {
        let text = format!("[server]\npublic_url = {url:?}\n[forward]\ncookie_domain = {domain:?}\n");
        assert_eq!(with_file(&text).loaded().forward.cookie_name, name, "{url} {domain}");
    }
}

#[test]
fn a_slip_is_told_with_its_place() {
    let rule = |lines: &str| format!("{PROXY}[[forward.rules]]\n{lines}\n");
    for (text, message) in [
        (rule(""), "auth.toml:3: forward.rules[0].policy: is missing"),
        (
            rule("policy = \"singed_in\""),
            "auth.toml:3: forward.rules[0].policy: \"singed_in\" is not one of public, signed_in, deny",
        ),
        (
            rule("policy = \"public\"\ngroups = [\"Editors\"]"),
            "auth.toml:3: forward.rules[0].policy: groups and permissions are for \"signed_in\": leave them out",
        ),
        (
            rule("policy = \"public\"\nhosts = [\".example.com\"]"),
            "auth.toml:3: forward.rules[0].hosts: \".example.com\" is refused: Write app.example.com, or \
             *.example.com for all below it, without a port.",
        ),
        (
            rule("policy = \"public\"\npaths = [\"/a%20b\"]"),
            "auth.toml:3: forward.rules[0].paths: \"/a%20b\" is refused: Write /health, or /admin/* for /admin and \
             all below it, without encoding.",
        ),
        (
            rule("policy = \"public\"\nmethods = [\"get\"]"),
            "auth.toml:3: forward.rules[0].methods: \"get\" is refused: Write GET, in capital letters.",
        ),
        (
            rule("policy = \"public\"\nhosts = \"a.example\""),
            "auth.toml:3: forward.rules[0].hosts: must be a list of strings",
        ),
        (
            rule("policy = \"public\"\npath = [\"/x\"]"),
            "auth.toml:3: unknown key forward.rules[0].path: did you mean paths?",
        ),
        (
            "[[forward.rules]]\npolicy = \"public\"\n".to_owned(),
            "auth.toml:1: forward.rules: only proxies may ask: name yours in server.trusted_proxies",
        ),
        (
            "[forward]\ncookie_name = \"keystead-access\"\n".to_owned(),
            "auth.toml:2: forward.cookie_name: is the name of another cookie too: write another",
        ),
    ] {
        assert_eq!(with_file(&text).refused(), message);
    }
    for domain in
        ["com", ".example.com", "example.org", "th.example.com", "auth.example.com.", "x.auth.example.com"]
    {
        let text = format!(
            "[server]\npublic_url = \"https://auth.example.com\"\n[forward]\ncookie_domain = {domain:?}\n"
        );
        let message = refused(&text);
        assert!(
            message.contains("forward.cookie_domain: is neither the host of server.public_url"),
            "{message}"
        );
    }
    assert!(refused("forward.cookie_domain = \"0.0.1\"\n").contains("forward.cookie_domain"));
}
