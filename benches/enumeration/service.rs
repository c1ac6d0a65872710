//! A Keystead in this process, with accounts of every kind.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use keystead::{Config, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Every rule counts, and none refuses. And a resend sends each time: that is when it differs most from one that does
/// not.
const WIDE: &str = r#"
registration.resend_interval = "0s"
limits.login = "1000000/m/ip, 1000000/m/account"
limits.register = "1000000/m/ip"
limits.verify = "1000000/m/ip"
limits.reset = "1000000/m/ip"
limits.mail = "1000000/m/mailbox"
"#;

/// Hashes that cost nothing.
pub(crate) const CHEAP: &str = "passwords.memory_kib = 8\npasswords.iterations = 1\n";

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

/// The address of a kind that is asked about next. Nobody registers an unknown one twice.
pub(crate) fn email(kind: usize, asked: usize, addresses: usize) -> String {
    let number = if kind == 1 { 1_000_000 + asked } else { 1_000_000 + asked % addresses };
    // All of one length.
    format!("somebody.{kind}.{number}@example.com")
}

impl Service {
    pub(crate) fn with_accounts(folder: &Path, count: usize, hashing: &str) -> Self {
        let configuration = format!("{}{hashing}", configuration(folder));
        std::fs::write(folder.join("auth.toml"), &configuration).expect("writable");
        for number in 0..count {
            create(folder, &email(0, number, count), &["--active", "--password-stdin"]);
            create(folder, &email(2, number, count), &["--password-stdin"]);
            create(folder, &email(4, number, count), &["--active"]);
        }
        let service = Self::start(&configuration);
        let mut client = Client::new(service.address);
        for number in 0..count {
            let email = email(3, number, count);
            client.ask("/auth/register/", &format!(r#"{{"email": "{email}", "password": "{PASSWORD}"}}"#));
        }
        service
    }

    fn start(configuration: &str) -> Self {
        let runtime = Builder::new_multi_thread().enable_all().build().expect("threads");
        let config = Config::from_toml(&format!("{configuration}{WIDE}")).expect("a configuration");
        let server = runtime.block_on(Server::bind(config)).expect("starts");
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let running = runtime.spawn(async move {
            // Mail waits: to deliver one is work beside a request, whoever it is about.
            server.run_without_jobs(async { drop(stopped.await) }).await.expect("a clean end");
        });
        Self { address, runtime, stop, running }
    }

    pub(crate) fn stop(self) {
        self.stop.send(()).expect("running");
        self.runtime.block_on(self.running).expect("a clean end");
    }
}

fn configuration(folder: &Path) -> String {
    let path = folder.display();
    format!(
        "server.listen = \"127.0.0.1:0\"\nstore.path = \"{path}/keystead.redb\"\n\
         mail.transport = \"directory\"\nmail.directory = \"{path}/mail\"\n"
    )
}

/// What an operator does before the service runs.
fn create(folder: &Path, email: &str, options: &[&str]) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_keystead"))
        .env_clear()
        .current_dir(folder)
        .args(["--config", "auth.toml", "createuser", "--no-input", "--email", email])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    // One that asks for no password is gone before it is told.
    child.stdin.take().expect("piped").write_all(PASSWORD.as_bytes()).ok();
    assert!(child.wait().expect("it ends").success(), "{email}");
}
