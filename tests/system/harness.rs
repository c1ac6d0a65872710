//! Speaks of processes: a service that starts and is killed, a command that ends, and a client on a plain socket.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The password of everybody in these tests.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Waits end as soon as there is something to see; only what never comes takes this long.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// What a passer-by's environment could change in a test.
const SEED_NAMES: [&str; 11] = [
    "SECRET_KEY",
    "DEFAULT_ADMIN_EMAIL",
    "DEFAULT_ADMIN_PASSWORD",
    "EMAIL_HOST",
    "EMAIL_PORT",
    "EMAIL_USE_TLS",
    "EMAIL_HOST_USER",
    "EMAIL_HOST_PASSWORD",
    "ALLOWED_HOSTS",
    "CORS_ALLOWED_ORIGINS",
    "DEBUG",
];

pub(crate) fn empty_folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Writes `auth.toml`: a free port, cheap hashing, mail into `mail/`, and these lines, such as
/// `registration.verification = "none"`.
pub(crate) fn configure(folder: &Path, settings: &str) {
    let text = format!(
        "server.listen = \"127.0.0.1:0\"\n\
         mail.transport = \"directory\"\n\
         passwords.memory_kib = 64\n\
         passwords.iterations = 1\n\
         passwords.max_wait = \"1m\"\n\
         limits.enabled = false\n\
         {settings}\n"
    );
    // A later line wins over one of those above.
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let key = line.split('=').next();
        lines.retain(|earlier| earlier.split('=').next() != key);
        lines.push(line);
    }
    fs::write(folder.join("auth.toml"), lines.join("\n")).expect("writable");
}

/// A folder with a configuration in it.
pub(crate) fn configured(settings: &str) -> TempDir {
    let folder = empty_folder();
    configure(folder.path(), settings);
    folder
}

/// A command that is about to run.
pub(crate) struct Keystead {
    command: Command,
    stdin: Option<String>,
}

/// `keystead` with these arguments, in this folder.
pub(crate) fn keystead(folder: &Path, arguments: &[&str]) -> Keystead {
    program(folder, env!("CARGO_BIN_EXE_keystead"), arguments)
}

/// Another program, which may run `keystead`.
pub(crate) fn program(folder: &Path, name: &str, arguments: &[&str]) -> Keystead {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(folder);
    for name in names_of_environment() {
        if name.starts_with("KEYSTEAD_") || name.starts_with("DJANGO_") || SEED_NAMES.contains(&&*name) {
            command.env_remove(name);
        }
    }
    Keystead { command, stdin: None }
}

#[expect(clippy::disallowed_methods, reason = "a test keeps the environment of its caller out")]
fn names_of_environment() -> Vec<String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
}

/// A variable that says what a test may use.
#[expect(clippy::disallowed_methods, reason = "names a tool, configures nothing")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Keystead {
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ended {
        self.spawn().end()
    }

    pub(crate) fn spawn(mut self) -> Process {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let spawned = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        if let Some(text) = self.stdin {
            // Who reads nothing of it may be gone already.
            child.stdin.take().expect("piped").write_all(text.as_bytes()).ok();
        }
        let stdout = Printed::by(child.stdout.take().expect("piped"));
        let stderr = Printed::by(child.stderr.take().expect("piped"));
        Process { child, stdout, stderr }
    }
}

/// A process that runs. It is killed when it goes out of sight.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Printed,
    pub(crate) stderr: Printed,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).expect("the process is there");
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let status = self.wait();
        let (stdout, stderr) = (self.stdout.whole(), self.stderr.whole());
        Ended { code: status.code(), stdout, stderr }
    }

    fn wait(&mut self) -> ExitStatus {
        let what = || self.child.try_wait().expect("a child of ours");
        eventually("the process ends", what)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// It was refused with this exit code, and stderr is one line that says why.
    #[track_caller]
    pub(crate) fn expect_complaint(self, code: i32, parts: &[&str]) -> Self {
        let ended = self.expect(code);
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(ended.stderr.starts_with("keystead: ") && ended.stderr.ends_with('\n'), "{ended:?}");
        for part in parts {
            assert!(ended.stderr.contains(part), "no {part:?} in {ended:?}");
        }
        ended
    }
}

/// What a process has printed so far.
#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<(Mutex<Text>, Condvar)>);

#[derive(Default)]
struct Text {
    text: String,
    is_whole: bool,
}

impl Printed {
    fn by(stream: impl Read + Send + 'static) -> Self {
        let printed = Self::default();
        let reader = printed.clone();
        thread::spawn(move || {
            let mut lines = BufReader::new(stream);
            loop {
                let mut line = Vec::new();
                let is_whole = lines.read_until(b'\n', &mut line).unwrap_or(0) == 0;
                let mut text = reader.lock();
                text.text.push_str(&String::from_utf8_lossy(&line));
                text.is_whole = is_whole;
                reader.0.1.notify_all();
                if is_whole {
                    return;
                }
            }
        });
        printed
    }

    pub(crate) fn text(&self) -> String {
        self.lock().text.clone()
    }

    /// Waits until it holds this.
    #[track_caller]
    pub(crate) fn wait_for(&self, part: &str) -> String {
        self.wait(&format!("{part:?} to be printed"), |text| text.text.contains(part))
    }

    fn whole(&self) -> String {
        self.wait("the end of what is printed", |text| text.is_whole)
    }

    /// None if it ends without one.
    pub(crate) fn first_line(&self) -> Option<String> {
        let text = self.wait("the first line", |text| text.is_whole || text.text.contains('\n'));
        text.lines().next().map(str::to_owned)
    }

    #[track_caller]
    fn wait(&self, what: &str, is_there: impl Fn(&Text) -> bool) -> String {
        let waited = self.0.1.wait_timeout_while(self.lock(), PATIENCE, |text| !is_there(text));
        let (text, timeout) = waited.expect("nobody panicked");
        let seen = text.text.clone();
        drop(text);
        assert!(!timeout.timed_out(), "waited for {what}: {seen}");
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Text> {
        self.0.0.lock().expect("nobody panicked")
    }
}

/// Waits until `look` sees something.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::sleep(PAUSE);
    }
}

/// A service that takes connections.
pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    folder: PathBuf,
}

impl Service {
    /// Starts in this folder, with the configuration that is there, else the one of [`configure`].
    pub(crate) fn start(folder: &Path) -> Self {
        if !folder.join("auth.toml").exists() {
            configure(folder, "");
        }
        Self::of(folder, keystead(folder, &["serve"]))
    }

    /// A service that another way of starting makes.
    pub(crate) fn of(folder: &Path, command: Keystead) -> Self {
        let process = command.spawn();
        let line = process.stdout.first_line();
        let address = line.as_deref().and_then(|line| line.strip_prefix("keystead listening on http://"));
        let Some(address) = address.and_then(|address| address.parse().ok()) else {
            panic!("{line:?} is no first line: {}", process.stderr.whole());
        };
        Self { process, address, folder: folder.to_owned() }
    }

    /// SIGKILL.
    pub(crate) fn kill(self) {
        drop(self.process);
    }

    /// SIGKILL, and another start on what is left.
    pub(crate) fn killed_and_started(self) -> Self {
        let folder = self.folder.clone();
        self.kill();
        Self::start(&folder)
    }

    /// SIGTERM, which ends in order.
    #[track_caller]
    pub(crate) fn terminate(self) -> Ended {
        self.process.signal(Signal::TERM);
        self.process.end().expect(0)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.client().get(path).expect("an answer")
    }

    pub(crate) fn get_as(&self, access: &str, path: &str) -> Answer {
        self.client().send("GET", path, Some(access), None).expect("an answer")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.client().post(path, body).expect("an answer")
    }

    pub(crate) fn client(&self) -> Client {
        Client { address: self.address }
    }

    pub(crate) fn register(&self, email: &str) -> Answer {
        self.post("/auth/register/", &json!({ "email": email, "password": PASSWORD }))
    }

    pub(crate) fn verify(&self, email: &str, code: &str) -> Answer {
        self.post("/auth/register/verify/", &json!({ "email": email, "code": code }))
    }

    pub(crate) fn try_log_in(&self, identifier: &str, password: &str) -> Answer {
        self.post("/auth/login/", &json!({ "identifier": identifier, "password": password }))
    }

    #[track_caller]
    pub(crate) fn logged_in(&self, identifier: &str) -> Tokens {
        self.try_log_in(identifier, PASSWORD).expect(200).tokens()
    }

    /// The text of a new API key.
    #[track_caller]
    pub(crate) fn api_key(&self, access: &str, name: &str) -> String {
        let body = json!({ "name": name });
        let made = self.client().send("POST", "/auth/api-keys/", Some(access), Some(&body));
        let made = made.expect("an answer").expect(201).body;
        made["key"].as_str().expect("a key").to_owned()
    }

    /// The newest mail to an address in `mail/`, once there is one.
    #[track_caller]
    pub(crate) fn mail_to(&self, email: &str) -> Mail {
        eventually("a mail", || mails(&self.folder.join("mail")).into_iter().rfind(|mail| mail.to == email))
    }
}

/// All mails in a folder, the oldest first.
pub(crate) fn mails(folder: &Path) -> Vec<Mail> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    paths.iter().map(|path| Mail::parse(&fs::read_to_string(path).expect("UTF-8"))).collect()
}

/// Whoever sends requests, a connection each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
}

impl Client {
    pub(crate) fn get(self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, None, None)
    }

    pub(crate) fn post(self, path: &str, body: &Value) -> io::Result<Answer> {
        self.send("POST", path, None, Some(body))
    }

    pub(crate) fn send(
        self,
        method: &str,
        path: &str,
        access: Option<&str>,
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        if let Some(access) = access {
            head = format!("{head}Authorization: Bearer {access}\r\n");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            head.push_str("Content-Type: application/json\r\n");
        }
        self.raw(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
    }

    /// Sends these bytes and reads until the service closes the connection.
    pub(crate) fn raw(self, bytes: &[u8]) -> io::Result<Answer> {
        let mut stream = self.connect()?;
        stream.write_all(bytes)?;
        Answer::read(&mut stream)
    }

    pub(crate) fn connect(self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// Reads to the end of the connection. A reply that was cut short is an error.
    pub(crate) fn read(stream: &mut TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Self::parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "half a reply"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8(bytes.to_vec()).ok()?;
        let (head, text) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = serde_json::from_str(text).unwrap_or(Value::Null);
        let answer = Self { status, headers, text: text.to_owned(), body };
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        (text.len() == length).then_some(answer)
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.body["code"], code, "{}", answer.text);
        answer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a cookie that the browser is to keep.
    #[track_caller]
    pub(crate) fn cookie(&self, name: &str) -> String {
        let lines = self.headers.iter().filter(|(header, _)| header == "set-cookie");
        let mut pairs = lines.filter_map(|(_, line)| line.split(';').next()?.split_once('='));
        pairs.find(|(own, _)| *own == name).expect("a cookie").1.to_owned()
    }

    pub(crate) fn tokens(&self) -> Tokens {
        let text = |name: &str| self.body[name].as_str().expect("a token").to_owned();
        Tokens { access: text("access"), refresh: text("refresh") }
    }
}

/// What a log-in gives.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// A mail as its reader sees it.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) text: String,
}

impl Mail {
    fn parse(eml: &str) -> Self {
        let eml = eml.replace("\r\n", "\n");
        let (head, text) = eml.split_once("\n\n").expect("a body");
        let to = head.lines().find_map(|line| line.strip_prefix("To: ")).expect("a reader");
        Self { to: to.to_owned(), text: text_part(head, text).to_owned() }
    }

    /// The eight digits that stand alone on a line.
    pub(crate) fn code(&self) -> String {
        code_in(&self.text).unwrap_or_else(|| panic!("no code in {}", self.text))
    }

    /// The link that stands alone on a line.
    pub(crate) fn link(&self) -> String {
        let is_link = |line: &&str| line.starts_with("http") && !line.contains(' ');
        self.text.lines().find(is_link).unwrap_or_else(|| panic!("no link in {}", self.text)).to_owned()
    }

    /// The long code in the link.
    pub(crate) fn long_code(&self) -> String {
        self.link().split_once("?code=").expect("a code").1.to_owned()
    }
}

/// What stands in the first part of a message of several, or all that stands in it.
fn text_part<'a>(head: &str, body: &'a str) -> &'a str {
    let Some((_, boundary)) = head.split_once("boundary=\"") else { return body };
    let boundary = format!("--{}", boundary.split('"').next().expect("an end"));
    let part = body.split(&boundary).nth(1).expect("a part");
    part.split_once("\n\n").expect("a body").1
}

pub(crate) fn code_in(text: &str) -> Option<String> {
    let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    text.lines().find(is_code).map(str::to_owned)
}

/// Whether a test that needs other programs has to stand back, because one of them does not run here. In CI
/// everything is there: nothing is passed over in silence.
pub(crate) fn lacks(needs: &[&[&str]]) -> bool {
    let missing = needs.iter().find(|command| {
        let (name, arguments) = command.split_first().expect("a program");
        let ran = std::process::Command::new(name).args(arguments).output();
        !ran.is_ok_and(|output| output.status.success())
    });
    if let Some(command) = missing {
        let command = command.join(" ");
        assert!(variable("CI").is_none(), "`{command}` does not run here");
        eprintln!("passed over: `{command}` does not run here");
    }
    missing.is_some()
}
