//! What is refused, and what a refusal says.

use super::{refused, with_file, with_var};

#[test]
fn unknown_keys_are_refused_with_file_line_and_suggestion() {
    for (text, message) in [
        (
            "[registration]\n# soon\ncode_tll = \"1m\"\n",
            "auth.toml:3: unknown key registration.code_tll: did you mean registration.code_ttl?",
        ),
        ("[registraton]\n", "auth.toml:1: unknown section [registraton]: did you mean [registration]?"),
        (
            "[metrics]\nx = 1\n",
            "auth.toml:1: unknown section [metrics]: \
             there are server, store, mail, registration, passwords, tokens, cookies, forward, limits, \
             compat, compat.dj-rest-auth, compat.simplejwt, compat.dj-auth-api, events, bootstrap, site, admin, log",
        ),
        (
            "[tokens]\ncode_ttl = 1\n",
            "auth.toml:2: unknown key tokens.code_ttl: did you mean registration.code_ttl?",
        ),
        ("[log]\ncolour = 1\n", "auth.toml:2: unknown key log.colour: [log] has format, level"),
        ("listen = \"a:1\"\n", "auth.toml:1: listen stands outside of its section: put it under [server]"),
        ("colour = 1\n", "auth.toml:1: unknown key colour outside of a section: see auth.toml.example"),
    ] {
        assert_eq!(with_file(text).refused(), message);
    }
}

#[test]
fn bad_values_are_refused_with_file_key_and_reason() {
    for (text, message) in [
        (
            "[registration]\ncode_ttl = \"10 minuts\"\n",
            "auth.toml:2: registration.code_ttl: \"10 minuts\" is not a duration: write 10m, 2h or 30d",
        ),
        (
            "[registration]\ncode_attempts = \"5\"\n",
            "auth.toml:2: registration.code_attempts: must be an integer, not a string: \
             write it like code_attempts = 5",
        ),
        (
            "[server]\nallowed_hosts = \"a\"\n",
            "auth.toml:2: server.allowed_hosts: must be a list of strings, not a string: \
             write it like allowed_hosts = []",
        ),
        (
            "[mail]\ntransport = \"smpt\"\n",
            "auth.toml:2: mail.transport: \"smpt\" is not one of console, directory, smtp",
        ),
        (
            "[mail]\ntransport = \"smtp\"\n",
            "auth.toml:2: mail.transport: \"smtp\" needs a mail server: set mail.smtp_host to its name",
        ),
        (
            "[mail]\nfrom = \"a@example.com\\nBcc: b@example.com\"\n",
            "auth.toml:2: mail.from: has a line end or another control character in it: leave that out",
        ),
        ("[mail]\nsmtp_port = 0\n", "auth.toml:2: mail.smtp_port: 0 is not between 1 and 65535"),
        (
            "[server]\npublic_url = \"https://a/auth\"\n",
            "auth.toml:2: server.public_url: \"https://a/auth\" has more than scheme, host and port in it: \
             write https://auth.example.com",
        ),
        (
            "[passwords]\nvalidators = [\"length\", \"numerical\"]\n",
            "auth.toml:2: passwords.validators: \"numerical\" is not one of length, similarity, common, numeric, digit",
        ),
        (
            "[passwords]\nvalidators = [\"common\", \"common\"]\n",
            "auth.toml:2: passwords.validators: \"common\" is there twice",
        ),
        (
            "[passwords]\nreset_ttl = \"0s\"\n",
            "auth.toml:2: passwords.reset_ttl: \"0s\" is too short: write 1s or more",
        ),
        (
            "[passwords]\nmax_length = 7\n",
            "auth.toml:2: passwords.max_length: min_length 8 is more than max_length 7: no password would do",
        ),
        (
            "[passwords]\nparallelism = 4\nmemory_kib = 31\n",
            "auth.toml:3: passwords.memory_kib: 4 lanes need at least 32 KiB of memory: \
             raise memory_kib or lower parallelism",
        ),
        (
            "[tokens]\nsession_ttl = \"5m\"\n",
            "auth.toml:2: tokens.session_ttl: access_ttl 15m is longer than session_ttl 5m: \
             no token outlives its session",
        ),
        (
            "[tokens]\naccess_ttl = \"0s\"\n",
            "auth.toml:2: tokens.access_ttl: \"0s\" is too short: write 1s or more",
        ),
        (
            "[tokens]\nalgorithm = \"HS256\"\n",
            "auth.toml:2: tokens.algorithm: \"HS256\" needs a secret of at least 32 bytes: \
             set KEYSTEAD_TOKENS__HS256_SECRET",
        ),
        ("[store]\npath = \"\"\n", "auth.toml:2: store.path: is empty: write a path"),
    ] {
        assert_eq!(with_file(text).refused(), message);
    }
}

#[test]
fn cookies_that_no_browser_would_keep_are_refused() {
    let no_name = |line: &str, key: &str, name: &str| {
        let reason = "is no name for a cookie here: write letters, digits, - and _";
        (line.to_owned(), format!("auth.toml:2: cookies.{key}: {name:?} {reason}"))
    };
    let needs_tls = "browsers take \"none\" only with TLS: set cookies.secure, or an https public_url";
    let same_name = "is the name of the other cookie too: write another";
    let mut cases = vec![
        ("same_site = \"none\"".to_owned(), format!("auth.toml:2: cookies.same_site: {needs_tls}")),
        (
            "secure = \"never\"\nsame_site = \"none\"".to_owned(),
            format!("auth.toml:3: cookies.same_site: {needs_tls}"),
        ),
        (
            "access_name = \"keystead-refresh\"".to_owned(),
            format!("auth.toml:2: cookies.access_name: {same_name}"),
        ),
        (
            "access_name = \"a\"\nrefresh_name = \"a\"".to_owned(),
            format!("auth.toml:3: cookies.refresh_name: {same_name}"),
        ),
        (
            "same_site = \"Lax\"".to_owned(),
            "auth.toml:2: cookies.same_site: \"Lax\" is not one of lax, strict, none".to_owned(),
        ),
        (
            "secure = \"yes\"".to_owned(),
            "auth.toml:2: cookies.secure: \"yes\" is not one of auto, always, never".to_owned(),
        ),
    ];
    for name in ["", "a b", "a;b", "a=b", "a,b", "\u{e9}", "a\"b", "keystead-device"] {
        cases.push(no_name(&format!("access_name = {name:?}"), "access_name", name));
        cases.push(no_name(&format!("refresh_name = {name:?}"), "refresh_name", name));
    }
    for (lines, message) in cases {
        assert_eq!(with_file(&format!("[cookies]\n{lines}\n")).refused(), message);
    }

    let over_tls = with_file("[cookies]\nsame_site = \"none\"\n");
    assert!(over_tls.var("KEYSTEAD_SERVER__PUBLIC_URL", "https://auth.example.com").load().is_ok());
    assert!(with_file("[cookies]\nsame_site = \"none\"\nsecure = \"always\"\n").load().is_ok());
}

#[test]
fn the_source_of_a_bad_value_is_named_wherever_it_came_from() {
    assert_eq!(
        with_var("KEYSTEAD_LOG__FORMAT", "xml").refused(),
        "environment KEYSTEAD_LOG__FORMAT: log.format: \"xml\" is not one of text, json"
    );
    assert_eq!(
        with_var("KEYSTEAD_LOG__FORMAT_FILE", "format").write("format", "xml\n").refused(),
        "file format (KEYSTEAD_LOG__FORMAT_FILE): log.format: \"xml\" is not one of text, json"
    );
}

#[test]
fn broken_toml_is_refused_with_its_line() {
    let message = refused("[server]\nlisten = \n");

    assert!(message.starts_with("configuration:2: "), "{message}");
    assert!(!message.contains('\n'));
    assert!(refused("[log]\nlevel = \"info\"\nlevel = \"warn\"\n").starts_with("configuration:3: "));
}

#[test]
fn no_message_shows_a_secret() {
    let text = "[tokens]\nalgorithm = \"HS256\"\nhs256_secret = \"hunter2\"\n";
    assert_eq!(
        refused(text),
        "configuration:3: tokens.hs256_secret: \"HS256\" needs a secret of at least 32 bytes: \
         set KEYSTEAD_TOKENS__HS256_SECRET"
    );

    let setup = with_var("KEYSTEAD_MAIL__SMTP_PASSWORD", "hunter2");
    assert!(!format!("{:?}", setup.loaded()).contains("hunter2"));
}

#[test]
fn a_page_that_could_not_be_shown_stops_the_start() {
    for (text, message) in [
        (
            "[site]\naccent = \"blue\"\n",
            "auth.toml:2: site.accent: \"blue\" is not a colour: write it as \"#1f5fbf\"",
        ),
        (
            "[site]\nlogo = \"a.gif\"\n",
            "auth.toml:2: site.logo: a.gif is not an .svg, .png, .webp or .jpg file",
        ),
        (
            "[site]\nnext_origins = [\"https://a.example/b\"]\n",
            "auth.toml:2: site.next_origins: \"https://a.example/b\" has more than scheme, host and port in it: \
             write https://auth.example.com",
        ),
    ] {
        assert_eq!(with_file(text).refused(), message);
    }
}
