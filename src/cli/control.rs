//! The control socket: how a command reaches the process that has the store open. One line of JSON each way.
//!
//! Must never: serve another user than ours or root, tell a password to a process that is not the store's owner, or
//! remove a socket while another process could be behind it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::app::App;
use crate::cli::operation::{self, Operation};
use crate::cli::outcome::{Outcome, Refusal};

/// What answers a command.
pub(super) type Reply = Result<Outcome, Refusal>;

/// The listening end. Its file goes when this is dropped.
#[derive(Debug)]
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    /// No socket, or nobody behind it.
    #[error("nobody listens on the control socket")]
    Nobody,
    #[error("another user than the store's owner listens on the control socket")]
    Stranger,
    #[error("no answer on the control socket: {0}")]
    Broken(String),
}

const MAX_REQUEST: u64 = 256 << 10;
const MAX_REPLY: u64 = 4 << 20;
/// Conversations at a time; more wait in the socket's backlog.
const AT_ONCE: usize = 8;
/// A request is a few hundred bytes that are written at once.
const TALK: Duration = Duration::from_secs(5);
/// How long a command waits for what it asked for.
const PATIENCE: Duration = Duration::from_secs(60);
/// For what reads the whole store.
const PATIENCE_LONG: Duration = Duration::from_secs(3600);
/// What runs when the server stops has this long to finish.
const DRAIN: Duration = Duration::from_secs(5);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// `sun_path` holds 108 bytes, the last one zero.
const MAX_ADDRESS: usize = 107;

impl Control {
    /// Listens beside the store. Only for the process that holds the store's lock: what is left there from before
    /// belongs to nobody then.
    pub(super) fn open(store: &Path) -> io::Result<Self> {
        let path = socket_path(store);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.file_type().is_socket() => fs::remove_file(&path)?,
            Ok(_) => return Err(io::Error::other(format!("{} is not a socket", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let address = Address::of(&path)?;
        let listener = UnixListener::bind(&address.path)?;
        let control = Self { listener, path };
        // Whoever connects in the moment before is turned away by their uid.
        fs::set_permissions(&control.path, Permissions::from_mode(0o600))?;
        Ok(control)
    }

    /// Answers until `stop` says so, then finishes what has begun.
    pub(super) async fn serve(self, app: Arc<App>, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut talks = JoinSet::new();
        let mut stopped = std::pin::pin!(async move {
            stop.wait_for(|stop| *stop).await.ok();
        });
        loop {
            tokio::select! {
                () = &mut stopped => break,
                Some(_) = talks.join_next() => {}
                caller = self.next(&places) => match caller {
                    Ok((place, stream)) => {
                        let app = Arc::clone(&app);
                        talks.spawn(async move {
                            let _place = place;
                            if let Err(error) = talk(&app, stream).await {
                                tracing::warn!(%error, "a command on the control socket got no answer");
                            }
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the control socket takes no caller");
                        tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                    }
                },
            }
        }
        drop(self);
        timeout(DRAIN, async { while talks.join_next().await.is_some() {} }).await.ok();
    }

    async fn next(&self, places: &Arc<Semaphore>) -> io::Result<(OwnedSemaphorePermit, UnixStream)> {
        let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
        Ok((place, self.listener.accept().await?.0))
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

/// Whether there is a process that takes operations for `store`.
pub(super) async fn is_answered(store: &Path) -> bool {
    match Address::of(&socket_path(store)) {
        Ok(address) => UnixStream::connect(&address.path).await.is_ok(),
        Err(_) => false,
    }
}

/// Lets the process that has `store` open run `operation`.
pub(super) async fn ask(store: &Path, operation: &Operation) -> Result<Reply, Silence> {
    let address = Address::of(&socket_path(store)).map_err(|_| Silence::Nobody)?;
    let stream = UnixStream::connect(&address.path).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Silence::Nobody,
        _ => Silence::Broken(error.to_string()),
    })?;
    if !is_owner(&stream, store).map_err(|error| Silence::Broken(error.to_string()))? {
        return Err(Silence::Stranger);
    }
    let patience = if operation.takes_long() { PATIENCE_LONG } else { PATIENCE };
    match timeout(patience, exchange(stream, operation)).await {
        Ok(reply) => reply.map_err(|error| Silence::Broken(error.to_string())),
        Err(_) => Err(Silence::Broken("it takes too long".to_owned())),
    }
}

async fn exchange(mut stream: UnixStream, operation: &Operation) -> io::Result<Reply> {
    send(&mut stream, operation).await?;
    let line = receive(&mut stream, MAX_REPLY).await?;
    Ok(serde_json::from_slice(&line)?)
}

async fn talk(app: &Arc<App>, mut stream: UnixStream) -> io::Result<()> {
    if !is_ours(&stream)? {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the caller is another user"));
    }
    let line = timeout(TALK, receive(&mut stream, MAX_REQUEST)).await??;
    // What serde has to say may quote a password.
    let reply: Reply = match serde_json::from_slice::<Operation>(&line) {
        Ok(operation) => {
            if operation.is_a_part() {
                tracing::debug!(operation = operation.name(), "run for the command line");
            } else {
                tracing::info!(operation = operation.name(), "run for the command line");
            }
            Box::pin(operation::run(app, operation)).await
        }
        Err(_) => Err(Refusal::new(
            "the server that has the store open does not know this command: use the same keystead as it does",
        )),
    };
    timeout(TALK, send(&mut stream, &reply)).await?
}

async fn send(stream: &mut UnixStream, message: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

/// One whole line. An end before its newline is an error, and so is a line that is too long.
async fn receive(stream: &mut UnixStream, limit: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(stream.take(limit)).read_until(b'\n', &mut line).await?;
    if line.pop() == Some(b'\n') {
        Ok(line)
    } else {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side went away before it was done"))
    }
}

/// Root may open the store as well.
fn is_ours(stream: &UnixStream) -> io::Result<bool> {
    let caller = stream.peer_cred()?.uid();
    Ok(caller == 0 || caller == rustix::process::geteuid().as_raw())
}

/// Before a password goes out: whoever owns the store knows its passwords' hashes anyway.
fn is_owner(stream: &UnixStream, store: &Path) -> io::Result<bool> {
    Ok(is_ours(stream)? || stream.peer_cred()?.uid() == fs::metadata(store)?.uid())
}

/// Beside the file itself, by whatever link the configuration names it.
fn socket_path(store: &Path) -> PathBuf {
    let mut path = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned()).into_os_string();
    path.push(".control");
    path.into()
}

/// A path that the kernel takes as a socket's address.
struct Address {
    path: PathBuf,
    /// Open for as long as the path leads through its descriptor.
    _folder: Option<File>,
}

impl Address {
    /// A long path is shortened by going through the descriptor of its folder.
    fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= MAX_ADDRESS {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of the store names no file"));
        };
        let folder = File::open(folder)?;
        let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _folder: Some(folder) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::operation::Account;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::Secret;
    use crate::flows::{Activation, Rank};

    /// A server's control socket beside a real store.
    struct Served {
        _folder: tempfile::TempDir,
        store: PathBuf,
        stop: watch::Sender<bool>,
        serving: tokio::task::JoinHandle<()>,
    }

    async fn serve_in(below: &str) -> Served {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join(below);
        fs::create_dir_all(&home).expect("folders");
        let store = home.join("k.redb");
        let text = format!(
            "[store]\npath = {store:?}\n[passwords]\nmemory_kib = 64\niterations = 1\nthreads = 1\nmax_wait = \"1m\"\n"
        );
        let config = Config::from_toml(&text).expect("a configuration");
        let app = Arc::new(App::open(config, Clock::system()).await.expect("the store opens"));
        let (stop, stopped) = watch::channel(false);
        let control = Control::open(&store).expect("the socket opens");
        let serving = tokio::spawn(control.serve(app, stopped));
        Served { _folder: folder, store, stop, serving }
    }

    fn create(email: &str) -> Operation {
        Operation::CreateUser(Account {
            email: Some(email.to_owned()),
            username: None,
            first_name: None,
            last_name: None,
            password: Some(Secret::new("correct horse".to_owned())),
            allow_weak_password: false,
            rank: Rank::User,
            activation: Activation::Now,
        })
    }

    fn said(reply: Result<Reply, Silence>) -> String {
        reply.expect("an answer").expect("done").text
    }

    #[tokio::test]
    async fn a_command_runs_in_the_process_that_has_the_store() {
        let served = serve_in("").await;

        let wishes = (create("ada@x.example"), create("bob@x.example"));
        let (ada, bob) = tokio::join!(ask(&served.store, &wishes.0), ask(&served.store, &wishes.1));

        assert_eq!(said(ada), "User ada@x.example created\n");
        assert_eq!(said(bob), "User bob@x.example created\n");
        let again = ask(&served.store, &create("ADA@x.example")).await.expect("an answer");
        assert_eq!(again.expect_err("refused").reason, "email is refused: another account has this address");
        assert!(said(ask(&served.store, &Operation::Check).await).ends_with("sound\n"));
        let listed = said(ask(&served.store, &Operation::ListKeys).await);
        assert_eq!(listed.lines().count(), 3, "{listed}");
        let rotated = said(ask(&served.store, &Operation::RotateKeys).await);
        assert!(rotated.starts_with("refresh tokens are signed by key "), "{rotated}");
    }

    #[tokio::test]
    async fn the_socket_is_private_and_goes_with_the_server() {
        let served = serve_in("").await;
        let socket = socket_path(&served.store);
        assert_eq!(fs::metadata(&socket).expect("the socket").mode() & 0o7777, 0o600);

        served.stop.send_replace(true);
        served.serving.await.expect("no panic");

        assert!(!socket.exists());
        assert!(matches!(ask(&served.store, &Operation::Check).await, Err(Silence::Nobody)));
    }

    #[tokio::test]
    async fn a_socket_left_by_a_crash_is_replaced_and_a_file_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("k.redb");
        drop(std::os::unix::net::UnixListener::bind(socket_path(&store)).expect("a socket"));
        assert!(matches!(ask(&store, &Operation::Check).await, Err(Silence::Nobody)));

        drop(Control::open(&store).expect("the left one is replaced"));

        fs::write(socket_path(&store), "mine").expect("a file");
        assert!(Control::open(&store).is_err());
        assert_eq!(fs::read(socket_path(&store)).expect("still there"), b"mine");
    }

    #[tokio::test]
    async fn a_deep_folder_is_reached_all_the_same() {
        let served = serve_in(&"deep/".repeat(40)).await;

        assert!(said(ask(&served.store, &Operation::Check).await).ends_with("sound\n"));
    }

    #[tokio::test]
    async fn what_is_no_operation_is_refused_and_not_repeated() {
        let served = serve_in("").await;
        let send_raw = async |bytes: Vec<u8>| {
            let mut stream = UnixStream::connect(socket_path(&served.store)).await.expect("connected");
            stream.write_all(&bytes).await.ok();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).await.ok();
            reply
        };

        let unknown = send_raw(b"{\"operation\":\"dance\",\"password\":\"hunter2\"}\n".to_vec()).await;
        assert!(unknown.contains("does not know") && !unknown.contains("hunter2"), "{unknown}");
        assert_eq!(send_raw(vec![b' '; 300_000]).await, "");
        assert!(said(ask(&served.store, &Operation::Check).await).ends_with("sound\n"));
    }
}
