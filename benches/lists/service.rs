//! A Keystead in this process, and its superuser.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use keystead::{Config, Server};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;

const ROOT: &str = "root@example.org";
const PASSWORD: &str = "correct horse battery";

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Service {
    pub(crate) fn start(folder: &Path) -> Self {
        let runtime = Builder::new_multi_thread().enable_all().build().expect("threads");
        let config = Config::from_toml(&configuration(folder)).expect("a configuration");
        let server = runtime.block_on(Server::bind(config)).expect("starts");
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let running = runtime.spawn(async move {
            // The first search has to make its roster itself, so that it shows.
            server.run_without_jobs(async { drop(stopped.await) }).await.expect("a clean end");
        });
        Self { address, runtime, stop, running }
    }

    pub(crate) fn stop(self) {
        self.stop.send(()).expect("running");
        self.runtime.block_on(self.running).expect("a clean end");
    }

    /// A connection, and a token of the superuser.
    pub(crate) fn log_in(&self) -> (Client, String) {
        let mut client = Client::new(self.address);
        let answer = client.post("/auth/login/", "", &json!({ "identifier": ROOT, "password": PASSWORD }));
        let token = answer["access"].as_str().expect("a token").to_owned();
        (client, token)
    }
}

fn configuration(folder: &Path) -> String {
    let path = folder.display();
    format!(
        "server.listen = \"127.0.0.1:0\"\nstore.path = \"{path}/keystead.redb\"\nlimits.enabled = false\ntokens.access_ttl = \"1h\"\n"
    )
}

/// What an operator does before the service runs.
pub(crate) fn create_superuser(folder: &Path) {
    fs::create_dir_all(folder).expect("writable");
    fs::write(folder.join("auth.toml"), configuration(folder)).expect("writable");
    let mut child = Command::new(env!("CARGO_BIN_EXE_keystead"))
        .env_clear()
        .current_dir(folder)
        .args(["createsuperuser", "--no-input", "--email", ROOT, "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(PASSWORD.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success());
}

/// The memory that this process has.
pub(crate) fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says");
    let kib: usize = line.trim().trim_end_matches(" kB").trim().parse().expect("a number");
    kib << 10
}
