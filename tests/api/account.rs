//! The hosted pages as a browser without JavaScript meets them: forms, cookies, where they lead.

use std::collections::BTreeMap;

use hyper::Method;

use crate::harness::{Answer, PASSWORD, TestServer, minutes};

const ADA: &str = "ada@example.com";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The whole of a browser that matters here: its cookies, and what it says of where a form came from.
struct Browser<'a> {
    server: &'a TestServer,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a TestServer) -> Self {
        Self { server, cookies: BTreeMap::new() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, "same-origin").await
    }

    async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, Some(fields), "same-origin").await
    }

    /// What a page of another site makes the browser send.
    async fn submit_from_elsewhere(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, Some(fields), "cross-site").await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        fields: Option<&[(&str, &str)]>,
        site: &str,
    ) -> Answer {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie = pairs.join("; ");
        let mut headers = vec![("sec-fetch-site", site), ("cookie", &cookie)];
        let mut body = None;
        if let Some(fields) = fields {
            headers.push(FORM);
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            body = Some(form.into_bytes());
        }
        let answer = self.server.anon().send(method, path, &headers, body).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().expect("text");
            let (name, rest) = line.split_once('=').expect("a pair");
            let value = rest.split(';').next().expect("a value");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn log_in(&mut self) -> Answer {
        self.submit("/account/login/", &[("identifier", ADA), ("password", PASSWORD)]).await
    }

    /// Forgets the access token, as a browser does when its time is over.
    fn lose_access(&mut self) {
        self.cookies.remove("keystead-access");
    }
}

impl Answer {
    fn leads_to(&self, place: &str) {
        assert_eq!((self.status.as_u16(), self.header("location")), (303, Some(place)), "{}", self.text);
    }

    fn shows(&self, status: u16, text: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert!(self.text.contains(text), "{text:?} is not in {}", self.text);
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }
}

const MEMBERS: [&str; 10] = [
    "/account/",
    "/account/logout/",
    "/account/password/",
    "/account/email/",
    "/account/email/confirm/",
    "/account/sessions/",
    "/account/sessions/end/",
    "/account/sessions/end-all/",
    "/account/api-keys/",
    "/account/delete/",
];

#[tokio::test]
async fn a_visitor_registers_with_the_mailed_code_and_goes_on_to_where_they_wanted() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server);
    let fields = [("email", ADA), ("password", PASSWORD), ("username", ""), ("next", "/docs/")];

    let asked = browser.submit("/account/register/", &fields).await;
    let place = asked.header("location").expect("it leads on").to_owned();
    let page = browser.get(&place).await;
    let registration = page.text.split("name=\"registration\" value=\"").nth(1).expect("a handle");
    let registration = registration.split('"').next().expect("it ends").to_owned();
    let code = server.mail_to(ADA).await.code();
    let (one, two) = code.split_at(4);
    let spaced = format!(" {one} {two} ");
    let fields = [("registration", registration.as_str()), ("code", &spaced), ("next", "/docs/")];
    browser.submit("/account/verify/", &fields).await.leads_to("/docs/");

    browser.get("/account/").await.shows(200, ADA);
}

#[tokio::test]
async fn the_page_of_a_registration_is_the_same_for_an_address_that_is_taken() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);

    let mut places = Vec::new();
    for email in [ADA, "new@example.com"] {
        let answer = browser.submit("/account/register/", &[("email", email), ("password", PASSWORD)]).await;
        let place = answer.header("location").expect("it leads on").to_owned();
        places.push((answer.status, place.len(), place.split('=').next().map(str::to_owned)));
    }

    assert_eq!(places[0], places[1]);
}

#[tokio::test]
async fn a_log_in_leads_to_next_only_where_it_may() {
    let server = TestServer::start_with("site.next_origins = [\"https://app.example.com\"]").await;
    server.registered(ADA).await;

    for (next, place) in [
        ("/admin/", "/admin/"),
        ("https://app.example.com/x?y=1", "https://app.example.com/x?y=1"),
        ("https://evil.example/", "/account/"),
        ("//evil.example/", "/account/"),
        ("/\\evil.example/", "/account/"),
        ("/.//evil.example/", "/account/"),
        ("javascript:alert(1)", "/account/"),
        ("", "/account/"),
    ] {
        let mut browser = Browser::new(&server);
        let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let fields = [("identifier", ADA), ("password", PASSWORD), ("next", next)];

        browser.submit("/account/login/", &fields).await.leads_to(place);
        // Whoever is logged in is not asked again.
        browser.get(&format!("/account/login/?next={query}")).await.leads_to(place);
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_on_the_page_and_shown_nowhere() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);

    let mut texts = Vec::new();
    for identifier in [ADA, "nobody@example.com"] {
        let fields = [("identifier", identifier), ("password", "wrong \"><b> battery")];
        let answer = browser.submit("/account/login/", &fields).await;
        answer.shows(400, "No active account has these credentials.");
        assert!(!answer.text.contains("wrong"), "{}", answer.text);
        texts.push(answer.text.replace(identifier, "SOMEBODY"));
    }

    assert_eq!(texts[0], texts[1]);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
}

#[tokio::test]
async fn a_living_log_in_outlives_its_access_token() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);
    browser.log_in().await.leads_to("/account/");
    let before = browser.cookies.clone();

    server.advance(minutes(20));
    browser.get("/account/sessions/").await.shows(200, "here");
    assert_ne!(browser.cookies["keystead-access"], before["keystead-access"]);
    assert_ne!(browser.cookies["keystead-refresh"], before["keystead-refresh"]);

    browser.lose_access();
    browser.get("/account/login/?next=/docs/").await.leads_to("/docs/");
    assert!(browser.cookies.contains_key("keystead-access"));
}

#[tokio::test]
async fn nobody_else_sees_a_page_of_an_account() {
    let server = TestServer::start().await;
    let ada = server.registered(ADA).await;

    for path in MEMBERS {
        let mut stranger = Browser::new(&server);
        let mut forger = Browser::new(&server);
        forger.cookies.insert("keystead-access".into(), "eyJ.eyJ.xx".into());
        forger.cookies.insert("keystead-refresh".into(), "eyJ.eyJ.xx".into());
        for browser in [&mut stranger, &mut forger] {
            for answer in [browser.get(path).await, browser.submit(path, &[]).await] {
                let place = answer.header("location").unwrap_or_default();
                let is_refused = answer.status == 303
                    && (place.starts_with("/account/login/?next=%2Faccount%2F")
                        || place.starts_with("/account/login/?done=lost&next=%2Faccount%2F")
                        || place == "/account/login/?done=logout");
                assert!(is_refused || answer.status == 405, "{path}: {} {place}", answer.status);
            }
        }
        // Pages are for browsers: a token in the header opens none.
        let by_header = ada.get(path).await;
        assert!([303, 405].contains(&by_header.status.as_u16()), "{path}");
    }
}

#[tokio::test]
async fn another_sites_page_changes_nothing() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);
    browser.log_in().await;
    let others = ["/account/login/", "/account/register/", "/account/verify/", "/account/forgot/"];
    let events = server.events().len();

    for path in MEMBERS.iter().chain(&others) {
        let fields = [("password", PASSWORD), ("identifier", ADA), ("email", ADA)];
        let answer = browser.submit_from_elsewhere(path, &fields).await;
        assert!([403, 405].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
    }
    // Neither does one that hides where it is from, nor a client that says nothing.
    let cookie = format!("keystead-access={}", browser.cookies["keystead-access"]);
    for headers in [vec![("origin", "null")], vec![]] {
        let headers = [headers, vec![FORM, ("cookie", &cookie)]].concat();
        for path in ["/account/sessions/end-all/", "/account/logout/"] {
            let answer = server.anon().send(Method::POST, path, &headers, Some(vec![])).await;
            answer.shows(403, "not sent from our own page");
        }
    }

    assert_eq!(server.events().len(), events);
    browser.get("/account/").await.shows(200, ADA);
}

/// Browsers say where a form is from; what says nothing has nobody's cookies either.
#[tokio::test]
async fn a_program_may_send_what_needs_no_log_in() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let send = async |path: &str, form: &str| {
        server.anon().send(Method::POST, path, &[FORM], Some(form.as_bytes().to_vec())).await
    };

    send("/account/forgot/", "email=ada%40example.com").await.leads_to("/account/forgot/?done=sent");
    let form = format!("identifier=ada%40example.com&password={}", PASSWORD.replace(' ', "+"));
    send("/account/login/", &form).await.leads_to("/account/");
}

#[tokio::test]
async fn a_visitor_does_everything_with_their_account() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);
    browser.log_in().await;

    let names = [("username", "ada"), ("first_name", "Ada"), ("last_name", "<b>L"), ("avatar", "")];
    browser.submit("/account/", &names).await.leads_to("/account/?done=profile");
    browser.get("/account/?done=profile").await.shows(200, "Ada &lt;b&gt;L");
    let wrong = [("old_password", "not it at all"), ("new_password", "short")];
    let answer = browser.submit("/account/password/", &wrong).await;
    answer.shows(400, "aria-invalid=\"true\"");
    let new = "a better horse battery";
    let right = [("old_password", PASSWORD), ("new_password", new)];
    browser.submit("/account/password/", &right).await.leads_to("/account/?done=password");

    let fields = [("new_email", "countess@example.com"), ("password", new)];
    browser.submit("/account/email/", &fields).await.leads_to("/account/email/confirm/");
    let code = server.mail_to("countess@example.com").await.code();
    browser.submit("/account/email/confirm/", &[("code", &code)]).await.leads_to("/account/?done=email");
    browser.get("/account/").await.shows(200, "countess@example.com");

    let made = browser.submit("/account/api-keys/", &[("name", "Backup"), ("days", "30")]).await;
    made.shows(200, "ksk_");
    let listed = browser.get("/account/api-keys/").await;
    listed.shows(200, "Backup");
    let id =
        listed.text.split("name=\"id\" value=\"").nth(1).expect("a key").split('"').next().expect("its id");
    browser
        .submit("/account/api-keys/revoke/", &[("id", id)])
        .await
        .leads_to("/account/api-keys/?done=revoked");

    browser
        .submit("/account/delete/", &[("password", "wrong battery")])
        .await
        .shows(400, "not your password");
    browser.submit("/account/delete/", &[("password", new)]).await.leads_to("/account/login/?done=closed");
    browser.get("/account/").await.leads_to("/account/login/?next=%2Faccount%2F");
}

#[tokio::test]
async fn sessions_end_one_by_one_or_all_at_once() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut here = Browser::new(&server);
    let mut there = Browser::new(&server);
    here.log_in().await;
    there.log_in().await;

    here.submit("/account/sessions/end-others/", &[]).await.leads_to("/account/sessions/?done=ended");
    there.get("/account/").await.leads_to("/account/login/?next=%2Faccount%2F");
    here.get("/account/").await.shows(200, ADA);

    here.submit("/account/sessions/end/", &[("id", "nonsense")]).await.shows(404, "nothing here");
    here.submit("/account/sessions/end-all/", &[]).await.leads_to("/account/login/?done=logout");
    assert!(!here.cookies.contains_key("keystead-refresh"));
}

#[tokio::test]
async fn logging_out_ends_the_session_at_once() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);
    browser.log_in().await;
    let mut thief = Browser::new(&server);
    thief.cookies = browser.cookies.clone();

    browser.get("/account/logout/").await.shows(200, "Log out");
    thief.get("/account/").await.shows(200, ADA);
    browser.submit("/account/logout/", &[]).await.leads_to("/account/login/?done=logout");

    thief.get("/account/").await.leads_to("/account/login/?next=%2Faccount%2F");
    thief.lose_access();
    thief.get("/account/").await.leads_to("/account/login/?next=%2Faccount%2F");
}

#[tokio::test]
async fn logging_in_again_ends_what_the_browser_was_logged_in_with() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);
    browser.log_in().await;
    let mut earlier = Browser::new(&server);
    earlier.cookies = browser.cookies.clone();
    let mut elsewhere = Browser::new(&server);
    elsewhere.log_in().await;

    browser.log_in().await.leads_to("/account/");

    earlier.get("/account/").await.leads_to("/account/login/?next=%2Faccount%2F");
    earlier.lose_access();
    earlier.get("/account/").await.leads_to("/account/login/?next=%2Faccount%2F");
    browser.get("/account/").await.shows(200, ADA);
    elsewhere.get("/account/").await.shows(200, ADA);
}

#[tokio::test]
async fn a_temporary_password_opens_only_the_page_that_ends_it() {
    let (server, root) = TestServer::with_superuser().await;
    server.registered(ADA).await;
    let id = root.get("/auth/admin/users/?search=ada").await.body["results"][0]["id"].to_string();
    let body = serde_json::json!({ "password": "given by the office" });
    root.put(&format!("/auth/admin/users/{id}/password/"), &body).await.expect(204);
    let mut browser = Browser::new(&server);

    let fields = [("identifier", ADA), ("password", "given by the office"), ("next", "/docs/")];
    browser.submit("/account/login/", &fields).await.leads_to("/account/password/?next=%2Fdocs%2F");
    for path in MEMBERS.iter().filter(|path| !["/account/password/", "/account/logout/"].contains(path)) {
        let answer = browser.get(path).await;
        assert!(answer.status == 405 || answer.header("location") == Some("/account/password/"), "{path}");
    }
    browser.get("/account/password/").await.shows(200, "set by an administrator");
    let fields =
        [("old_password", "given by the office"), ("new_password", "chosen by myself"), ("next", "/docs/")];
    browser.submit("/account/password/", &fields).await.leads_to("/docs/");

    browser.get("/account/").await.shows(200, ADA);
}

#[tokio::test]
async fn a_forgotten_password_is_mailed_for_and_the_answer_tells_nothing() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);

    for email in [ADA, "nobody@example.com"] {
        browser.submit("/account/forgot/", &[("email", email)]).await.leads_to("/account/forgot/?done=sent");
    }

    assert!(server.mail_to(ADA).await.text.contains("/account/reset/?uid="));
    browser.submit("/account/forgot/", &[("email", "no address")]).await.shows(400, "valid email address");
}

#[tokio::test]
async fn too_many_log_ins_are_told_on_a_page() {
    let server = TestServer::start_with("limits.enabled = true\nlimits.login = \"2/m/ip\"").await;
    let mut browser = Browser::new(&server);
    browser.log_in().await;
    browser.log_in().await;

    let answer = browser.log_in().await;

    answer.shows(429, "try again in");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn what_was_typed_outlives_a_moment_in_which_nothing_can_be_done() {
    let busy = TestServer::start_with("passwords.max_wait = \"0s\"").await;
    let guarded =
        TestServer::start_with("limits.enabled = true\nlimits.login = \"1000/m/ip, 1/m/account\"").await;
    for (server, status) in [(&busy, 503), (&guarded, 429)] {
        let mut browser = Browser::new(server);
        let fields = [("identifier", "nobody@example.com"), ("password", PASSWORD), ("next", "/docs/")];
        browser.submit("/account/login/", &fields).await;

        let answer = browser.submit("/account/login/", &fields).await;

        answer.shows(status, "nobody@example.com");
        answer.shows(status, "name=\"next\" value=\"&#x2f;docs&#x2f;\"");
        answer.shows(status, "try again in");
        assert!(answer.header("retry-after").is_some() && !answer.text.contains(PASSWORD));
    }
}

#[tokio::test]
async fn a_form_that_came_after_the_log_in_was_over_says_that_it_is_lost() {
    let server = TestServer::start().await;
    server.registered(ADA).await;
    let mut browser = Browser::new(&server);

    let answer = browser.submit("/account/", &[("first_name", "Ada")]).await;

    answer.leads_to("/account/login/?done=lost&next=%2Faccount%2F");
    browser.get("/account/login/?done=lost&next=%2Faccount%2F").await.shows(200, "nothing of it is saved");
}

#[tokio::test]
async fn whoever_opens_a_page_that_is_none_is_told_on_one() {
    let server = TestServer::start().await;
    let get = async |path, accept| server.anon().send(Method::GET, path, &[("accept", accept)], None).await;

    for path in ["/account/nope/", "/accoun/", "/docs/x/y"] {
        get(path, "text/html,application/xhtml+xml,*/*;q=0.8").await.shows(404, "There is nothing here.");
        get(path, "*/*").await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn so_is_too_much_of_what_a_mailed_link_opens() {
    let server = TestServer::start_with(
        "limits.enabled = true\nlimits.reset = \"1/m/ip\"\nlimits.verify = \"1/m/ip\"",
    )
    .await;
    let mut browser = Browser::new(&server);

    for path in ["/account/reset/", "/auth/register/verify/", "/account/setup/"] {
        let fields = [("code", "x"), ("token", "x"), ("uid", "MQ")];
        if path != "/account/setup/" {
            browser.submit(path, &fields).await.expect(400);
        }
        browser.submit(path, &fields).await.shows(429, "try again in");
    }

    browser.get("/account/setup/?token=x").await.shows(429, "try again in");
    // A program is told as before.
    let body = serde_json::json!({ "code": "12345678", "email": ADA });
    server.anon().post("/auth/register/verify/", &body).await.expect_problem(429, "rate_limited");
}

#[tokio::test]
async fn a_page_speaks_spanish_about_what_is_wrong_too() {
    let server = TestServer::start().await;
    let headers = [("accept-language", "es"), ("sec-fetch-site", "same-origin"), FORM];
    let form = b"email=nothing&password=abc".to_vec();

    let answer = server.anon().send(Method::POST, "/account/register/", &headers, Some(form)).await;

    answer.shows(400, "Escribe una dirección de correo válida.");
    answer.shows(400, "Debe tener al menos 8 caracteres.");
}

#[tokio::test]
async fn where_they_wanted_to_go_outlives_a_forgotten_password() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server);

    browser.get("/account/login/?next=/docs/").await.shows(200, "/account/forgot/?next=&#x2f;docs&#x2f;");
    browser.get("/account/forgot/?next=/docs/").await.shows(200, "name=\"next\" value=\"&#x2f;docs&#x2f;\"");
    let sent = browser.submit("/account/forgot/", &[("email", ADA), ("next", "/docs/")]).await;
    sent.leads_to("/account/forgot/?done=sent&next=%2Fdocs%2F");
    let sent = browser.get("/account/forgot/?done=sent&next=%2Fdocs%2F").await;
    sent.shows(200, "/account/login/?next=&#x2f;docs&#x2f;");
}

#[tokio::test]
async fn registration_that_is_closed_says_so() {
    let server = TestServer::start_with("registration.mode = \"closed\"").await;
    let mut browser = Browser::new(&server);

    browser.get("/account/register/").await.shows(403, "Registration is closed here.");
    assert!(!browser.get("/account/login/").await.text.contains("/account/register/"));
}
