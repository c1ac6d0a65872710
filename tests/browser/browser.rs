//! Speaks as somebody in front of a browser does: opens, fills in, presses, sees.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::elements::{Element, ElementRef};
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::TestServer;

/// How long somebody looks for something before they say that it is not there.
const PATIENCE: Duration = Duration::from_secs(15);

/// axe-core 4.14.1, as published. What it finds is weighed by its `impact`.
static AXE: LazyLock<String> = LazyLock::new(|| {
    const GZIP_HEADER: usize = 10;
    let deflated = &include_bytes!("axe.min.js.gz")[GZIP_HEADER..];
    let bytes = miniz_oxide::inflate::decompress_to_vec(deflated).expect("whole");
    String::from_utf8(bytes).expect("text")
});

/// A host that browsers do not take for this machine: without TLS they trust it less.
pub const ELSEWHERE: &str = "auth.lan.test";

/// A server that is where its `public_url` says: links can be followed, and a browser's `Origin` is its own.
pub async fn served(settings: &str) -> TestServer {
    served_as("127.0.0.1", settings).await
}

/// The same under another name of this machine.
pub async fn served_as(host: &str, settings: &str) -> TestServer {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("it has one");
    drop(free);
    let place =
        format!("server.listen = \"{address}\"\nserver.public_url = \"http://{host}:{}\"", address.port());
    TestServer::start_with(&format!("{place}\n{settings}")).await
}

/// Whether there is no browser here. Whoever checks everything has to have one.
pub fn lacks_browser() -> bool {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let is_missing = !runs("chromedriver") || !runs("chromium");
    if is_missing {
        #[expect(clippy::disallowed_methods, reason = "asks who runs the tests")]
        let is_checked = std::env::var_os("CI").is_some();
        assert!(!is_checked, "chromium and chromedriver do not run here");
        eprintln!("passed over: chromium and chromedriver do not run here");
    }
    is_missing
}

/// Somebody at a browser of their own, with nothing in it yet.
pub struct Browser {
    client: Client,
    driver: Child,
    base: String,
    /// What is asked for in vain on purpose: `401`, `400`.
    expected: Vec<String>,
    _profile: TempDir,
}

/// The sizes of the pictures: a desk, and a telephone.
const WIDTHS: [(u32, u32); 2] = [(1280, 800), (390, 844)];

impl Browser {
    /// A browser whose language is English.
    pub async fn start(server: &TestServer) -> Self {
        Self::start_in("en", server).await
    }

    /// A browser of this language.
    pub async fn start_in(language: &str, server: &TestServer) -> Self {
        Self::start_at(language, format!("http://{}", server.address)).await
    }

    /// A browser of this language, before a service that something else started.
    pub async fn start_at(language: &str, base: String) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed");
        let said = BufReader::new(driver.stdout.take().expect("piped"));
        let port = port_in(said).expect("the driver says where it listens");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(language, &profile));
        let client = builder.connect(&format!("http://127.0.0.1:{port}")).await.expect("a browser");
        let browser = Self { client, driver, base, expected: Vec::new(), _profile: profile };
        browser.resize(WIDTHS[0]).await;
        browser
    }

    /// Opens a path of the service, or a link.
    pub async fn open(&self, path: &str) {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.client.goto(&url).await.expect("it opens");
    }

    /// The path of the page that is open, with its query.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("a page is open");
        url.as_str().strip_prefix(&self.base).unwrap_or(url.as_str()).to_owned()
    }

    /// Waits until the page that is open has this path.
    pub async fn arrives_at(&self, path: &str) {
        let is_there = async || (self.path().await == path).then_some(());
        let arrived = wait(is_there).await;
        assert!(arrived.is_some(), "not at {path} but at {}: {}", self.path().await, self.text().await);
    }

    /// All that the page says.
    pub async fn text(&self) -> String {
        let script = "return document.body ? document.body.innerText : ''";
        let text = self.client.execute(script, Vec::new()).await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Waits until the page says this.
    pub async fn sees(&self, text: &str) {
        let says_so = async || self.text().await.contains(text).then_some(());
        assert!(wait(says_so).await.is_some(), "{text:?} is not in: {}", self.text().await);
    }

    /// Waits until the page does not say this any more.
    pub async fn sees_no(&self, text: &str) {
        let is_gone = async || (!self.text().await.contains(text)).then_some(());
        assert!(wait(is_gone).await.is_some(), "{text:?} is in: {}", self.text().await);
    }

    /// Writes into the field of this label, in the place of what was there.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("it takes keys");
    }

    /// Chooses from the list of this label.
    pub async fn choose(&self, label: &str, option: &str) {
        self.field(label).await.select_by_label(option).await.expect("an option");
    }

    /// Clicks into the box of this label.
    pub async fn tick(&self, label: &str) {
        self.field(label).await.click().await.expect("it can be clicked");
    }

    /// What stands in the field of this label.
    pub async fn value(&self, label: &str) -> String {
        self.field(label).await.prop("value").await.expect("a field").unwrap_or_default()
    }

    /// The field of this label.
    pub async fn field(&self, label: &str) -> Element {
        let script = "
            const named = (field) =>
                field.getAttribute('aria-label') ?? [...(field.labels ?? [])].map((one) => one.innerText.trim()).join(' ');
            const fields = [...document.querySelectorAll('input, select, textarea')];
            const shown = fields.filter((field) => field.checkVisibility() && named(field).startsWith(arguments[0]));
            return (document.querySelector('dialog[open]') ? shown.filter((one) => one.closest('dialog[open]')) : shown)[0]";
        self.found(script, label).await
    }

    /// Presses the button, or follows the link, of this name.
    pub async fn press(&self, name: &str) {
        let script = "
            const named = (one) => (one.getAttribute('aria-label') ?? one.innerText).trim();
            const all = [...document.querySelectorAll('button, a, summary, [role=button], [role=tab], [role=menuitem]')];
            const shown = all.filter((one) => one.checkVisibility() && !one.disabled && named(one) === arguments[0]);
            return (document.querySelector('dialog[open]') ? shown.filter((one) => one.closest('dialog[open]')) : shown)[0]";
        // What is being drawn anew may be gone between the look and the click.
        for attempt in 0.. {
            let button = self.found(script, name).await;
            match button.click().await {
                Ok(()) => return,
                Err(error) if attempt == 3 => panic!("{name:?} cannot be pressed: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    /// Presses a key: `Key::Tab`.
    pub async fn key(&self, key: fantoccini::key::Key) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(&char::from(key).to_string()).await.expect("it takes keys");
    }

    /// Waits until an element of this kind has the focus.
    pub async fn focuses(&self, tag: &str) {
        let script = "return document.activeElement.tagName";
        let is_there = async || (self.run(script).await == tag).then_some(());
        assert!(wait(is_there).await.is_some(), "{} has the focus", self.run(script).await);
    }

    /// The text of whatever has the focus.
    pub async fn focused(&self) -> String {
        let script = "const one = document.activeElement; return one.getAttribute('aria-label') ?? one.innerText ?? ''";
        let text = self.client.execute(script, Vec::new()).await.expect("it runs");
        text.as_str().unwrap_or_default().trim().to_owned()
    }

    /// Runs a script of the test's own; its `return` comes back.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("it runs")
    }

    /// From here on the browser may complain of answers with this status: the page asks for something in vain.
    pub fn expect_status(&mut self, status: u16) {
        self.expect_complaint(&format!("the server responded with a status of {status}"));
    }

    /// From here on the browser may complain of this.
    pub fn expect_complaint(&mut self, part: &str) {
        self.expected.push(part.to_owned());
    }

    /// Holds what is shown to WCAG 2.2 AA, and takes its picture: wide and narrow, light and dark.
    pub async fn show(&self, name: &str) {
        let folder = PathBuf::from("target/screens");
        fs::create_dir_all(&folder).expect("a folder");
        for scheme in ["light", "dark"] {
            self.devtools(
                "Emulation.setEmulatedMedia",
                json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
            )
            .await;
            for size in WIDTHS {
                self.resize(size).await;
                self.is_accessible(&format!("{name}, {scheme}, {}", size.0)).await;
                self.fits(name, size.0).await;
                let picture = json!({ "format": "png", "captureBeyondViewport": true });
                let picture = self.devtools("Page.captureScreenshot", picture).await;
                let bytes = STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64");
                fs::write(folder.join(format!("{name}-{}-{scheme}.png", size.0)), bytes).expect("writable");
            }
        }
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
        self.resize(WIDTHS[0]).await;
    }

    /// Closes the browser; it must have had nothing to complain of, neither errors nor breaches of the policy.
    pub async fn end(mut self) {
        let complaints = self.complaints().await;
        self.client.clone().close().await.expect("it closes");
        self.driver.kill().expect("it runs");
        self.driver.wait().expect("it ends");
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    async fn complaints(&self) -> Vec<String> {
        let log = Devtools { path: "se/log", body: json!({ "type": "browser" }) };
        let entries = self.client.issue_cmd(log).await.expect("a log");
        let said = entries.as_array().expect("entries").iter();
        let said = said.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        let said = said.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned());
        said.filter(|message| !self.expected.iter().any(|expected| message.contains(expected))).collect()
    }

    async fn is_accessible(&self, what: &str) {
        self.client.execute(&AXE, Vec::new()).await.expect("axe loads");
        let script = "
            const done = arguments[arguments.length - 1];
            const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
            axe.run(document, { runOnly: tags, resultTypes: ['violations'] }).then((found) => done(found.violations.map(
                (one) => `${one.impact}: ${one.id}: ${one.help}: ${one.nodes.map((node) => node.html).join(' ')}`)))";
        let found = self.client.execute_async(script, Vec::new()).await.expect("axe runs");
        let found = found.as_array().expect("a list").clone();
        assert!(found.is_empty(), "{what}: {found:#?}");
    }

    /// Nobody has to scroll sideways to read a page.
    async fn fits(&self, name: &str, width: u32) {
        let script = "return document.documentElement.scrollWidth";
        let needed = self.run(script).await.as_u64().expect("a number");
        assert!(needed <= u64::from(width), "{name} is {needed} wide where there is {width}");
    }

    async fn resize(&self, (width, height): (u32, u32)) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.client.issue_cmd(Devtools { path: "goog/cdp/execute", body }).await.expect("a command")
    }

    /// What a script finds that looks for something of this name.
    async fn found(&self, script: &str, name: &str) -> Element {
        let look = async || {
            let found = self.client.execute(script, vec![json!(name)]).await.ok()?;
            reference(&found)
        };
        let Some(element) = wait(look).await else {
            panic!("there is no {name:?} at {}: {}", self.path().await, self.text().await);
        };
        Element::from_element_id(self.client.clone(), element)
    }

    /// The first element of a selector, for what has no name.
    pub async fn element(&self, selector: &str) -> Result<Element, CmdError> {
        self.client.find(Locator::Css(selector)).await
    }
}

impl Drop for Browser {
    /// A test that failed leaves no browser behind: the driver and what it started are one group. One that ended well
    /// has none any more.
    fn drop(&mut self) {
        let group = i32::try_from(self.driver.id()).ok().and_then(rustix::process::Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
    }
}

/// Looks again and again until there is something.
async fn wait<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.ok()
}

/// How `WebDriver` says which element it means.
fn reference(found: &Value) -> Option<ElementRef> {
    let id = found.as_object()?.values().next()?.as_str()?;
    Some(ElementRef::from(id.to_owned()))
}

fn capabilities(language: &str, profile: &TempDir) -> serde_json::Map<String, Value> {
    let arguments = [
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-features=PasswordLeakDetection,OptimizationHints,Translate".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"),
        format!("--user-data-dir={}", profile.path().display()),
    ];
    let options = json!({
        "args": arguments,
        "prefs": { "intl.accept_languages": language, "credentials_enable_service": false },
    });
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    capabilities.as_object().expect("an object").clone()
}

fn port_in(said: impl BufRead) -> Option<u16> {
    let mut lines = said.lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("started successfully on port"))?;
    line.trim_end_matches('.').rsplit(' ').next()?.parse().ok()
}

/// A command that only Chromium's driver knows.
#[derive(Debug)]
struct Devtools {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
