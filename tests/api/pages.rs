//! What all pages share: the files they load, their colours, their language, their policy.

use hyper::Method;

use crate::harness::{Answer, TestServer};

const RESET: &str = "/account/reset/?uid=MQ&token=no";

async fn get(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    server.anon().send(Method::GET, path, headers, None).await
}

/// Where a page of this server says that the style sheet is.
async fn style_sheet(server: &TestServer) -> String {
    let page = get(server, RESET, &[]).await.text;
    let (_, link) = page.split_once("rel=\"stylesheet\" href=\"").expect("it loads one");
    link.split_once('"').expect("it ends").0.to_owned()
}

#[tokio::test]
async fn a_file_of_a_page_is_loaded_once_and_compressed() {
    let server = TestServer::start().await;
    let path = style_sheet(&server).await;

    let plain = get(&server, &path, &[]).await;
    let gzipped = server.anon().send(Method::HEAD, &path, &[("accept-encoding", "gzip, br")], None).await;
    let etag = plain.header("etag").expect("it has one").to_owned();
    let known = get(&server, &path, &[("if-none-match", &etag)]).await;

    assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(plain.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(plain.text, include_str!("../../assets/pages/style.css"));
    assert_eq!((plain.header("content-encoding"), gzipped.header("content-encoding")), (None, Some("gzip")));
    assert_eq!(
        (plain.header("vary"), gzipped.header("etag")),
        (Some("accept-encoding"), Some(etag.as_str()))
    );
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    assert_eq!(known.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn the_page_of_another_version_gets_what_there_is_for_now() {
    let server = TestServer::start().await;

    let answer = get(&server, "/assets/0000/pages/style.css", &[]).await;

    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-cache")));
}

#[tokio::test]
async fn only_what_the_pages_load_is_given_out() {
    let server = TestServer::start().await;

    for file in [
        "nothing.css",
        "pages/",
        "pages",
        "pages/base.html",
        "lib/LICENSE",
        "../auth.toml.example",
        "pages/../pages/style.css",
        "pages/..%2fpages%2fstyle.css",
        "%2e%2e/mail/en/layout.html",
        "mail/en/layout.html",
        "passwords/common.txt.gz",
        "build.rs",
        "pages/style.css%00",
        "PAGES/STYLE.CSS",
    ] {
        get(&server, &format!("/assets/0/{file}"), &[]).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_page_is_in_the_readers_language() {
    let server = TestServer::start().await;

    for (header, language) in [
        ("es-MX,es;q=0.9", "es"),
        ("de, es;q=0.5, en;q=0.4", "es"),
        ("en-GB", "en"),
        ("de", "en"),
        ("", "en"),
        ("\"><script>", "en"),
    ] {
        let page = get(&server, RESET, &[("accept-language", header)]).await;

        assert!(page.text.contains(&format!("<html lang=\"{language}\">")), "{header}");
        assert_eq!(page.header("vary"), Some("accept-language"));
    }
}

#[tokio::test]
async fn the_pages_look_as_they_are_configured() {
    let folder = tempfile::tempdir().expect("a folder");
    let logo = folder.path().join("logo.svg");
    std::fs::write(&logo, "<svg xmlns='http://www.w3.org/2000/svg'/>").expect("writable");
    let settings = format!("site.name = \"<Acme>\"\nsite.accent = \"#aa0055\"\nsite.logo = {logo:?}");
    let server = TestServer::start_with(&settings).await;

    let page = get(&server, RESET, &[]).await.text;
    let theme = get(&server, "/account/theme.css", &[]).await;
    let picture = get(&server, "/account/logo", &[]).await;

    assert!(page.contains("&lt;Acme&gt;</title>") && page.contains("src=\"/account/logo\""), "{page}");
    assert!(theme.text.starts_with(":root { --accent: #aa0055; --on-accent: #ffffff;"), "{}", theme.text);
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    assert!(picture.header("content-security-policy").expect("a policy").contains("sandbox"));
    assert_eq!(picture.text, "<svg xmlns='http://www.w3.org/2000/svg'/>");
}

#[tokio::test]
async fn without_a_logo_there_is_our_own_for_the_tab_alone() {
    let server = TestServer::start().await;

    let page = get(&server, RESET, &[]).await.text;
    let picture = get(&server, "/account/logo", &[]).await;

    assert_eq!(picture.text, include_str!("../../assets/pages/logo.svg"));
    assert!(page.contains("rel=\"icon\" href=\"/account/logo\"") && !page.contains("<img"), "{page}");
}

#[tokio::test]
async fn a_page_runs_only_our_own_scripts_and_leads_only_where_it_may() {
    let server = TestServer::start_with("site.next_origins = [\"https://app.example.com\"]").await;

    let page = get(&server, RESET, &[]).await;

    let policy = page.header("content-security-policy").expect("a policy");
    for part in [
        "default-src 'none';",
        "script-src 'self';",
        "form-action 'self' https://app.example.com;",
        "frame-ancestors 'none';",
        "base-uri 'none';",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
}
