//! Speaks the domain: a server, callers of each kind, the mail that came.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use keystead::{Clock, Config, Handle, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The password of everybody in these tests.
pub const PASSWORD: &str = "correct horse battery";

/// The superuser of those that have one.
pub const ROOT: &str = "root@example.com";

/// A running service of its own: its store, its mailbox, its clock.
pub struct TestServer {
    pub address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    clock: Clock,
    handle: Handle,
    folder: TempDir,
    settings: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// Starts with these lines of TOML over the defaults: `registration.mode = "closed"`.
    pub async fn start_with(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, settings, Clock::movable()).await
    }

    /// Starts on this database file.
    pub async fn start_on(store: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("keystead.redb"), store).expect("writable");
        Self::start_in(folder, "", Clock::movable()).await
    }

    async fn start_in(folder: TempDir, settings: &str, clock: Clock) -> Self {
        let config = Config::from_toml(&configuration(&folder, settings)).expect("a configuration");
        let server = Server::bind_with(config, clock.clone()).await.expect("the server starts");
        let (address, handle) = (server.local_addr(), server.handle());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            server.run_without_jobs(shutdown).await.expect("a clean end");
        });
        let client = Client::builder(TokioExecutor::new()).build_http();
        let settings = settings.to_owned();
        Self { address, client, clock, handle, folder, settings, stop, running }
    }

    /// Stops, and starts again on the same store, with the same clock.
    pub async fn restart(self) -> Self {
        let settings = self.settings.clone();
        self.restart_with(&settings).await
    }

    /// The same with other settings.
    pub async fn restart_with(self, settings: &str) -> Self {
        let (folder, _, clock) = self.stop().await;
        Self::start_in(folder, settings, clock).await
    }

    /// What an operator does while the service is down: a command, and what it reads.
    pub async fn operated(self, arguments: &[&str], input: &str) -> Self {
        let (folder, settings, clock) = self.stop().await;
        let file = folder.path().join("auth.toml");
        fs::write(&file, configuration(&folder, &settings)).expect("writable");
        let mut child = Command::new(env!("CARGO_BIN_EXE_keystead"))
            .env_clear()
            .current_dir(folder.path())
            .arg("--config")
            .arg(&file)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it listens");
        assert!(child.wait().expect("it ends").success(), "{arguments:?}");
        Self::start_in(folder, &settings, clock).await
    }

    /// Stops, and lets go of the store.
    async fn stop(self) -> (TempDir, String, Clock) {
        self.stop.send(()).expect("running");
        self.running.await.expect("a clean end");
        drop(self.handle);
        (self.folder, self.settings, self.clock)
    }

    /// The bytes of the database file.
    pub fn store_bytes(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("keystead.redb")).expect("readable")
    }

    /// Moves time.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Sets the clock back, at most to the system's time.
    pub fn set_back(&self, span: Duration) {
        self.clock.set_back(span);
    }

    pub async fn run_jobs(&self) {
        self.handle.run_jobs().await.expect("the jobs run");
    }

    /// The kinds of all events, the oldest first.
    pub fn events(&self) -> Vec<&'static str> {
        self.handle.events().expect("readable")
    }

    /// A new link to the first administrator, if one is offered.
    pub fn setup_link(&self) -> Option<String> {
        self.handle.offer_setup().expect("readable")
    }

    /// The mails that came to an address, the oldest first.
    pub async fn mails_to(&self, email: &str) -> Vec<Mail> {
        self.run_jobs().await;
        let Ok(entries) = fs::read_dir(self.mail_folder()) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
        names.sort();
        let mails = names.iter().map(|name| Mail::parse(&fs::read_to_string(name).expect("UTF-8")));
        mails.filter(|mail| mail.to == email).collect()
    }

    /// How many mails there are.
    pub async fn count_mails(&self) -> usize {
        self.run_jobs().await;
        fs::read_dir(self.mail_folder()).map_or(0, Iterator::count)
    }

    /// Where its mails go.
    pub fn mail_folder(&self) -> PathBuf {
        self.folder.path().join("mail")
    }

    /// The newest mail to an address.
    pub async fn mail_to(&self, email: &str) -> Mail {
        self.mails_to(email).await.pop().expect("a mail")
    }

    /// Nobody in particular.
    pub fn anon(&self) -> Caller {
        Caller {
            address: self.address,
            client: self.client.clone(),
            token: None,
            forwarded_for: None,
            tokens: Value::Null,
        }
    }

    /// Somebody at this address, if a proxy on this machine is trusted.
    pub fn at(&self, address: &str) -> Caller {
        Caller { forwarded_for: Some(address.to_owned()), ..self.anon() }
    }

    /// Somebody who shows this token.
    pub fn holder(&self, token: &str) -> Caller {
        Caller { token: Some(token.to_owned()), ..self.anon() }
    }

    /// A user who registered and confirmed their address.
    pub async fn registered(&self, email: &str) -> Caller {
        self.registered_as(json!({ "email": email, "password": PASSWORD })).await
    }

    /// The same with more to say.
    pub async fn registered_as(&self, body: Value) -> Caller {
        let anon = self.anon();
        anon.post("/auth/register/", &body).await.expect(202);
        let email = body["email"].as_str().expect("an address").to_owned();
        let code = self.mail_to(&email).await.code();
        let verified = anon.post("/auth/register/verify/", &json!({ "email": email, "code": code })).await;
        self.caller(verified.expect(200).body)
    }

    /// A new API key of this caller, and what is told of it.
    pub async fn api_key(&self, caller: &Caller, body: &Value) -> (Caller, Value) {
        let made = caller.post("/auth/api-keys/", body).await.expect(201).body;
        (self.holder(made["key"].as_str().expect("a key")), made)
    }

    pub async fn logged_in(&self, identifier: &str) -> Caller {
        let body = json!({ "identifier": identifier, "password": PASSWORD });
        self.caller(self.anon().post("/auth/login/", &body).await.expect(200).body)
    }

    /// Everything that the tokens of this caller are for works.
    pub async fn expect_alive(&self, caller: &Caller) {
        caller.get("/auth/profile/").await.expect(200);
        for token in [caller.access(), caller.refresh()] {
            self.anon().post("/auth/token/verify/", &json!({ "token": token })).await.expect(200);
        }
    }

    /// No token of this caller is good for anything.
    pub async fn expect_dead(&self, caller: &Caller) {
        caller.get("/auth/profile/").await.expect_problem(401, "invalid_token");
        for token in [caller.access(), caller.refresh()] {
            let verified = self.anon().post("/auth/token/verify/", &json!({ "token": token })).await;
            verified.expect_problem(401, "invalid_token");
        }
        let refreshed =
            self.anon().post("/auth/token/refresh/", &json!({ "refresh": caller.refresh() })).await;
        refreshed.expect_problem(401, "invalid_token");
    }

    /// Whoever a token object makes.
    pub fn caller(&self, tokens: Value) -> Caller {
        let token = tokens["access"].as_str().map(str::to_owned);
        Caller { token, tokens, ..self.anon() }
    }

    /// Starts with a superuser: `root@example.com`.
    pub async fn with_superuser() -> (Self, Caller) {
        let arguments = ["createsuperuser", "--email", ROOT, "--no-input", "--password-stdin"];
        let server = Self::start().await.operated(&arguments, &format!("{PASSWORD}\n")).await;
        let root = server.logged_in(ROOT).await;
        (server, root)
    }

    /// A member of staff with these permissions, made by a superuser.
    pub async fn staff_with(&self, root: &Caller, email: &str, permissions: &[&str]) -> Caller {
        let body =
            json!({ "email": email, "password": PASSWORD, "is_staff": true, "permissions": permissions });
        root.post("/auth/admin/users/", &body).await.expect(201);
        self.logged_in(email).await
    }
}

fn configuration(folder: &TempDir, settings: &str) -> String {
    let path = folder.path().display();
    // Cheap hashes, unless a test is about their cost.
    // And no limits: these tests are one client that does in a second what people do in a day.
    let ours: String = [
        "server.listen = \"127.0.0.1:0\"\n",
        "passwords.memory_kib = 64\n",
        "passwords.iterations = 1\n",
        "limits.enabled = false\n",
    ]
    .into_iter()
    .filter(|line| line.split(" = ").next().is_some_and(|key| !settings.contains(key)))
    .collect();
    // Dotted keys first: a table would swallow what comes after it.
    format!(
        "store.path = \"{path}/keystead.redb\"\n\
         mail.transport = \"directory\"\n\
         mail.directory = \"{path}/mail\"\n\
         {ours}\
         {settings}\n"
    )
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Caller {
    address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    token: Option<String>,
    /// What a proxy says of where they are.
    forwarded_for: Option<String>,
    /// The token object they hold.
    pub tokens: Value,
}

impl Caller {
    /// Nobody in particular, who sends requests to a service that something else started.
    pub fn to(url: &str) -> Self {
        let address = url.strip_prefix("http://").and_then(|address| address.parse().ok());
        let client = Client::builder(TokioExecutor::new()).build_http();
        let address = address.expect("an address");
        Self { address, client, token: None, forwarded_for: None, tokens: Value::Null }
    }

    /// The same, as whoever a token object makes.
    pub fn with_tokens(&self, tokens: Value) -> Self {
        Self { token: tokens["access"].as_str().map(str::to_owned), tokens, ..self.clone() }
    }

    pub fn access(&self) -> &str {
        self.tokens["access"].as_str().expect("an access token")
    }

    pub fn refresh(&self) -> &str {
        self.tokens["refresh"].as_str().expect("a refresh token")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], Some(body.to_string().into())).await
    }

    /// Anything at all, with the caller's token if they have one.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(address) = &self.forwarded_for {
            request = request.header("x-forwarded-for", address);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.unwrap_or_default())).expect("a request");
        let response = self.client.request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, text, body }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// A problem of RFC 9457 with this code, in every part of it.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.body["code"], code, "{}", answer.text);
        assert_eq!(answer.body["status"], status);
        assert_eq!(answer.body["request_id"].as_str(), answer.header("x-request-id"));
        assert!(answer.body["title"].is_string() && answer.body["detail"].is_string());
        answer
    }

    /// A refused body whose members have these codes.
    #[track_caller]
    pub fn expect_invalid(self, expected: &[(&str, &str)]) -> Self {
        let answer = self.expect_problem(400, "invalid");
        let errors = answer.body["errors"].as_object().expect("errors");
        let mut found: Vec<(&str, &str)> = errors
            .iter()
            .flat_map(|(field, broken)| {
                let codes = broken.as_array().expect("a list").iter();
                codes.map(|one| (field.as_str(), one["code"].as_str().expect("a code")))
            })
            .collect();
        let mut expected = expected.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", answer.text);
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    /// What the browser is to keep, a line for each.
    pub fn cookies(&self) -> Vec<&str> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.map(|line| line.to_str().expect("ASCII")).collect()
    }

    /// The answer without what differs from one request to the next.
    pub fn anonymous(&self) -> (StatusCode, Value) {
        let mut body = self.body.clone();
        if let Some(members) = body.as_object_mut() {
            members.remove("request_id");
            members.remove("registration");
        }
        (self.status, body)
    }
}

/// A mail as its reader sees it.
#[derive(Debug)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    /// All of it.
    pub eml: String,
}

/// What stands in the first part of a message of several, or all that stands in it.
fn text_part<'a>(head: &str, body: &'a str) -> &'a str {
    let Some((_, boundary)) = head.split_once("boundary=\"") else { return body };
    let boundary = format!("--{}", boundary.split('"').next().expect("an end"));
    let part = body.split(&boundary).nth(1).expect("a part");
    let (head, text) = part.split_once("\n\n").expect("a body");
    assert!(head.contains("text/plain"), "{head}");
    text
}

impl Mail {
    fn parse(eml: &str) -> Self {
        let eml = eml.replace("\r\n", "\n");
        let (head, text) = eml.split_once("\n\n").expect("a body");
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
        };
        let text = text_part(head, text);
        Self { to: header("To"), subject: header("Subject"), text: text.to_owned(), eml: eml.clone() }
    }

    /// The eight digits that stand alone on a line.
    pub fn code(&self) -> String {
        let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit());
        self.text.lines().find(is_code).unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }

    /// The link that stands alone on a line.
    pub fn link(&self) -> String {
        let is_link = |line: &&str| line.starts_with("http") && !line.contains(' ');
        self.text.lines().find(is_link).unwrap_or_else(|| panic!("no link in {}", self.text)).to_owned()
    }

    /// The link to a new password, taken apart.
    pub fn reset_link(&self) -> ResetLink {
        let link = self.link();
        let (_, query) = link.split_once("/account/reset/?uid=").expect("the page");
        let (uid, token) = query.split_once("&token=").expect("a token");
        ResetLink { uid: uid.to_owned(), token: token.to_owned() }
    }

    /// The long code in the link.
    pub fn long_code(&self) -> String {
        self.link().split_once("?code=").expect("a code").1.to_owned()
    }
}

/// What the link to a new password is made of.
#[derive(Debug, Clone)]
pub struct ResetLink {
    pub uid: String,
    pub token: String,
}

impl ResetLink {
    pub fn page(&self) -> String {
        format!("/account/reset/?uid={}&token={}", self.uid, self.token)
    }

    pub async fn check(&self, server: &TestServer) -> Answer {
        server.anon().get(&format!("/auth/password/verify/{}/{}/", self.uid, self.token)).await
    }

    pub async fn reset(&self, server: &TestServer, password: &str) -> Answer {
        let body = json!({ "uid": self.uid, "token": self.token, "new_password": password });
        server.anon().post("/auth/password/reset/", &body).await
    }
}

/// One part of a JWT, decoded: 0 is the header, 1 the claims.
pub fn part_of(token: &str, part: usize) -> Value {
    let text = token.split('.').nth(part).expect("a part");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
}

/// A JWT with another part in place of one of its own; its signature stays.
pub fn with_part(token: &str, part: usize, value: &Value) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[part] = URL_SAFE_NO_PAD.encode(value.to_string());
    parts.join(".")
}

pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

pub const fn days(n: u64) -> Duration {
    Duration::from_secs(86_400 * n)
}
