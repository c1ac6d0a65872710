//! A Keystead in this process, on threads of its own, and users in it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use keystead::{Config, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Client, drive, post};

const PASSWORD: &str = "correct horse battery";

/// Settings that make users cheap: no mail, and hashes that cost nothing.
pub(crate) const CHEAP: &str = "registration.verification = \"none\"\npasswords.memory_kib = 8\npasswords.iterations = 1\npasswords.queue = 128\n";

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Service {
    /// Serves the store in `folder` on `threads` threads of the name `name`.
    pub(crate) fn start(folder: &Path, settings: &str, threads: usize, name: &str) -> Self {
        Self::start_as(folder, settings, threads, name, async |server, shutdown| {
            server.run(async { drop(shutdown.await) }).await.expect("a clean end");
        })
    }

    pub(crate) fn start_as<F>(
        folder: &Path,
        settings: &str,
        threads: usize,
        name: &str,
        run: impl FnOnce(Server, oneshot::Receiver<()>) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name(name)
            .enable_all()
            .build()
            .expect("threads");
        let path = folder.join("keystead.redb").display().to_string();
        // One address does here in a second what many do in an hour.
        let config = format!(
            "server.listen = \"127.0.0.1:0\"\nstore.path = \"{path}\"\nlimits.enabled = false\n{settings}"
        );
        let config = Config::from_toml(&config).expect("a configuration");
        let server = runtime.block_on(Server::bind(config)).expect("starts");
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let running = runtime.spawn(run(server, stopped));
        Self { address, runtime, stop, running }
    }

    pub(crate) fn stop(self) {
        self.stop.send(()).expect("running");
        self.runtime.block_on(self.running).expect("a clean end");
    }

    /// Makes this many users at least, 64 at a time; `settings` must let them in without a code.
    pub(crate) fn register(&self, count: usize) {
        let mut numbers = 0..;
        let next = Rc::new(RefCell::new(move || {
            let email = email(numbers.next().expect("enough numbers"));
            post("/auth/register/", &format!(r#"{{"email": "{email}", "password": "{PASSWORD}"}}"#))
        }));
        let client = |_| {
            let request = next.borrow_mut()();
            let next = Rc::clone(&next);
            Client::new(self.address, request).then(move |_| next.borrow_mut()())
        };
        drive(&mut (0..count.min(64)).map(client).collect::<Vec<_>>(), count, || (), || ());
    }

    /// A client that logs in as one of the users.
    pub(crate) fn log_in(&self, number: usize) -> Client {
        let email = email(number);
        let body = format!(r#"{{"email": "{email}", "password": "{PASSWORD}"}}"#);
        Client::new(self.address, post("/auth/login/", &body))
    }
}

fn email(number: usize) -> String {
    format!("somebody.{number}@example.com")
}
