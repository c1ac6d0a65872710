//! A Keystead for the tests of a program that uses it.
//!
//! [`Server::start`] runs the whole service inside the test's process: the same HTTP API as `keystead serve`, on a port of
//! its own, with a database, a mailbox and a clock that nobody else sees. It takes a few milliseconds, so every test can
//! have its own. The service has a thread of its own: it answers while the test blocks, and it needs no async runtime, nor
//! minds which one the test has.
//!
//! ```
//! use std::time::Duration;
//!
//! use keystead::testing::Server;
//!
//! # use http_body_util::Empty;
//! # use hyper::body::Bytes;
//! # use hyper_util::client::legacy::Client;
//! # use hyper_util::rt::TokioExecutor;
//! # /// Stands for the HTTP client that your program has.
//! # async fn get(url: &str, token: &str) -> u16 {
//! #     let client = Client::builder(TokioExecutor::new()).build_http();
//! #     let request = hyper::Request::get(url).header("authorization", format!("Bearer {token}"));
//! #     client.request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap().status().as_u16()
//! # }
//! #
//! #[tokio::main(flavor = "current_thread")] // In a test: #[tokio::test].
//! async fn main() {
//!     let server = Server::start().await;
//!     let profile = format!("{}/auth/profile/", server.url());
//!
//!     // Somebody who is logged in.
//!     server.create_user("ada@example.com", "correct horse battery").await;
//!     let token = server.access_token("ada@example.com").await;
//!     assert_eq!(get(&profile, &token).await, 200);
//!
//!     // Time goes by when the test says so: the token lives for 12 hours.
//!     server.advance(Duration::from_secs(13 * 60 * 60)).await;
//!     assert_eq!(get(&profile, &token).await, 401);
//! }
//! ```
//!
//! What the service writes to people is in [`Server::mail_to`], with the code and the link picked out. In other languages
//! `keystead dev` does the same for any program that speaks HTTP.

use std::fmt;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::app::App;
use crate::config::Config;
use crate::dev::DevServer;
use crate::domain::{Email, Name, NewPassword, Origin, Password};
use crate::flows::{self, Activation, CreateUser, FlowError, Identifier, KeptMail, Rank, Wanted};

/// A service that runs until it is dropped.
///
/// The methods panic where the test cannot go on: their messages say what was wrong.
pub struct Server {
    url: String,
    app: Arc<ArcSwap<App>>,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A mail that the service wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The address it is to.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// Its plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// The digits in it that are typed into a form.
    pub code: Option<String>,
    /// The link in it.
    pub link: Option<String>,
}

/// How long a mail may take to come.
const MAIL_PATIENCE: Duration = Duration::from_secs(5);
/// What still runs when the service is dropped may take so long.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// A test has few clients, and there may be as many services as tests.
const WORKERS: usize = 2;

impl Server {
    /// Starts a service with the defaults, without anybody in it, and without limits on how often one may ask.
    ///
    /// # Panics
    ///
    /// If there is no free port, or no place for temporary files.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same with settings as `auth.toml` has them: `"registration.verification = \"none\""`.
    ///
    /// # Panics
    ///
    /// Also if the settings are no configuration.
    pub async fn start_with(settings: &str) -> Self {
        let config = sure("start the service", Config::for_test(settings));
        let (told, started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread =
            thread::Builder::new().name("keystead".to_owned()).spawn(move || serve(config, told, stopped));
        let thread = sure("start the service", thread);
        let started = started.await.unwrap_or_else(|_| Err("its thread ended".to_owned()));
        let Started { url, app, runtime } = sure("start the service", started);
        Self { url, app, runtime, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it is: `http://127.0.0.1:41234`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a user who can log in at once, and returns their id. The rules for passwords do not hold here.
    ///
    /// # Panics
    ///
    /// If the address is none, or is taken.
    pub async fn create_user(&self, email: &str, password: &str) -> u64 {
        self.create(email, password, Rank::User).await
    }

    /// Makes a user who may do everything, and returns their id.
    ///
    /// # Panics
    ///
    /// If the address is none, or is taken.
    pub async fn create_superuser(&self, email: &str, password: &str) -> u64 {
        self.create(email, password, Rank::Superuser).await
    }

    /// Logs in as somebody, by their address or username, and returns an access token that lives for 12 hours.
    ///
    /// # Panics
    ///
    /// If there is no such user, or they may not log in.
    pub async fn access_token(&self, user: &str) -> String {
        let who = Identifier::parse(user);
        let logged_in =
            self.run(async move |app| flows::log_in_as(&app, &Origin::default(), &who).await).await;
        sure(&format!("log in as {user}"), logged_in).tokens.access
    }

    /// The newest mail to an address. One that was promised is waited for.
    ///
    /// # Panics
    ///
    /// If none comes within five seconds.
    pub async fn mail_to(&self, email: &str) -> Mail {
        let what = format!("read mail to {email}");
        let to = sure(&what, Email::parse(email).map_err(|invalid| invalid.message)).key();
        let wanted = Wanted { to: Some(to), after: None, wait: MAIL_PATIENCE };
        let newest = self.run(async move |app| flows::newest_mail(&app, &wanted).await).await;
        let newest = sure(&what, newest).ok_or("none came within five seconds");
        Mail::from(sure(&what, newest).as_ref())
    }

    /// All mails, the newest first; those that were promised by now are among them.
    ///
    /// # Panics
    ///
    /// If the store cannot be read.
    pub async fn mails(&self) -> Vec<Mail> {
        let all = self.run(async |app| {
            flows::newest_mail(&app, &Wanted::default()).await?;
            Ok(flows::mailbox(&app)?.all())
        });
        sure("read mails", all.await).iter().map(|kept| Mail::from(kept.as_ref())).collect()
    }

    /// Lets time go by: what has expired then is expired.
    ///
    /// # Panics
    ///
    /// If the clock would be more than a hundred years ahead.
    pub async fn advance(&self, span: Duration) {
        sure("advance the clock", self.run(async move |app| flows::advance_clock(&app, span).await).await);
    }

    /// Brings back the start: no users, no mails, the time that it really is. Tokens from before are worth nothing.
    ///
    /// # Panics
    ///
    /// If there is no place for temporary files.
    pub async fn reset(&self) {
        sure("start again", self.run(async |app| flows::start_again(&app).await).await);
    }

    async fn create(&self, email: &str, password: &str, rank: Rank) -> u64 {
        let what = format!("create {email}");
        let parsed = Email::parse(email).and_then(|email| Ok((email, Password::parse(password)?)));
        let (email, password) = sure(&what, parsed.map_err(|invalid| invalid.message));
        let wish = CreateUser {
            email: Some(email),
            username: None,
            first_name: Name::default(),
            last_name: Name::default(),
            password: Some(NewPassword::weak(password)),
            rank,
            activation: Activation::Now,
        };
        let made = self.run(async move |app| flows::create_user(&app, &Origin::default(), wish).await);
        sure(&what, made.await).id.0
    }

    /// Runs it where the service runs: the caller's runtime may be of any kind.
    async fn run<T, W>(&self, work: impl FnOnce(Arc<App>) -> W) -> Result<T, String>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, FlowError>> + Send + 'static,
    {
        let done = self.runtime.spawn(work(self.app.load_full())).await;
        done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Hung up on, the thread ends.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

impl From<&KeptMail> for Mail {
    fn from(kept: &KeptMail) -> Self {
        Self {
            to: kept.mail.to.as_str().to_owned(),
            subject: kept.mail.subject.clone(),
            text: kept.content.text.expose().clone(),
            html: kept.content.html.as_ref().map(|html| html.expose().clone()),
            code: kept.code().map(str::to_owned),
            link: kept.link().map(str::to_owned),
        }
    }
}

/// What a test needs of a service that runs.
struct Started {
    url: String,
    app: Arc<ArcSwap<App>>,
    runtime: Handle,
}

/// Serves until `stopped` is hung up on. Nobody waits for what is in flight then.
fn serve(config: Config, started: oneshot::Sender<Result<Started, String>>, stopped: oneshot::Receiver<()>) {
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return drop(started.send(Err(error.to_string()))),
    };
    runtime.block_on(async {
        let server = match DevServer::start(config).await {
            Ok(server) => server,
            Err(error) => return drop(started.send(Err(error.to_string()))),
        };
        let url = format!("http://{}", server.address());
        started.send(Ok(Started { url, app: server.app(), runtime: Handle::current() })).ok();
        tokio::select! {
            _ = server.run(std::future::pending()) => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_timeout(END_PATIENCE);
}

/// The test goes on, or says why it cannot.
fn sure<T, E: fmt::Display>(what: &str, outcome: Result<T, E>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("keystead::testing cannot {what}: {error}"),
    }
}
