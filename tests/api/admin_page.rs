//! The shell of the admin page: who gets it, and what is in it. What it does is in tests/browser.

use hyper::Method;

use crate::harness::{Answer, TestServer};

async fn page(server: &TestServer, path: &str) -> Answer {
    server.anon().send(Method::GET, path, &[], None).await
}

#[tokio::test]
async fn every_path_below_is_the_same_page_for_everybody() {
    let (server, root) = TestServer::with_superuser().await;

    let shell = page(&server, "/admin/").await.expect(200);

    assert_eq!(shell.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(shell.header("cache-control"), Some("no-store"));
    assert!(shell.header("content-security-policy").expect("a policy").contains("script-src 'self';"));
    for path in
        ["/admin", "/admin/users/", "/admin/users/1/", "/admin/no/such/screen/", "/admin/%3Cscript%3E/"]
    {
        assert_eq!(page(&server, path).await.expect(200).text, shell.text, "{path}");
        assert_eq!(root.get(path).await.expect(200).text, shell.text, "{path}");
    }
}

#[tokio::test]
async fn every_module_that_it_names_is_there() {
    let (server, _root) = TestServer::with_superuser().await;

    let shell = page(&server, "/admin/").await.text;

    let named: Vec<&str> = shell.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(named.iter().any(|path| path.ends_with("/admin/components/table.js")), "{named:?}");
    for path in named {
        page(&server, path).await.expect(200);
    }
}

#[tokio::test]
async fn it_can_be_switched_off_and_the_api_stays() {
    let server = TestServer::start_with("admin.enabled = false").await;

    for path in ["/admin/", "/admin/users/"] {
        page(&server, path).await.expect_problem(404, "not_found");
    }
    page(&server, "/auth/admin/users/").await.expect_problem(401, "not_authenticated");
}

#[tokio::test]
async fn without_an_administrator_it_says_where_the_link_is_and_not_what_it_is() {
    let server = TestServer::start().await;
    let link = server.setup_link().expect("a link");

    let nobody = page(&server, "/admin/users/").await.expect(200).text;

    let (_, token) = link.split_once("token=").expect("it has one");
    assert!(nobody.contains("There is no administrator yet") && !nobody.contains(token), "{nobody}");
    assert!(!nobody.contains("<script"), "{nobody}");
}
