//! A world: a new store with its people, its clock and its mailbox, and the jobs that look after it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::app::{App, Dev, Order, Persona};
use crate::clock::Clock;
use crate::config::Config;
use crate::dev::error::DevError;
use crate::dev::folder::Folder;
use crate::domain::Origin;
use crate::flows::{self, FlowError, Identifier};
use crate::{jobs, server};

pub(super) struct World {
    app: Arc<App>,
    jobs: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

/// No request is answered for longer.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(20);
/// For a job's round that has begun.
const JOBS_LIMIT: Duration = Duration::from_secs(5);

impl World {
    /// Makes it from what is configured: the same one every time, but for its keys.
    pub(super) async fn make(
        config: &Config,
        address: SocketAddr,
        orders: &mpsc::Sender<Order>,
    ) -> Result<Self, DevError> {
        let folder = Folder::make()?;
        let placed = config.placed(address, folder.path().join("keystead.redb"));
        let app = server::open(placed, Clock::movable()).await?;
        // The store is open: nothing is left of it when the process ends, however it ends.
        drop(folder);
        let dev = Dev { personas: personas(&app).await?, orders: orders.clone() };
        // Nobody else has it yet, so nobody was faster.
        app.dev.set(dev).ok();
        let stop = watch::Sender::new(false);
        let jobs = tokio::spawn(server::keep_jobs_running(Arc::clone(&app), stop.subscribe()));
        Ok(Self { app, jobs, stop })
    }

    pub(super) fn app(&self) -> &Arc<App> {
        &self.app
    }

    pub(super) fn personas(&self) -> &[Persona] {
        self.app.dev.get().map_or(&[], |dev| &dev.personas)
    }

    /// Does what is due after time went by.
    pub(super) async fn catch_up(&self) -> Result<(), String> {
        jobs::catch_up(&self.app).await.map_err(|error| error.to_string())
    }

    /// Ends once the requests in it are answered: each of them has the App.
    pub(super) async fn end(self) {
        flows::close_mailbox(&self.app);
        self.stop.send_replace(true);
        let answered = async {
            while Arc::strong_count(&self.app) > 1 {
                sleep(PAUSE).await;
            }
        };
        timeout(PATIENCE, answered).await.ok();
        self.close().await;
    }

    pub(super) async fn close(self) {
        self.stop.send_replace(true);
        timeout(JOBS_LIMIT, self.jobs).await.ok();
        self.app.close().await;
    }
}

async fn personas(app: &App) -> Result<Vec<Persona>, FlowError> {
    let mut personas = Vec::new();
    for declared in app.config.dev.iter().flat_map(|dev| &dev.personas) {
        let who = Identifier::parse(declared.email.as_str());
        let logged_in = flows::log_in_as(app, &Origin::default(), &who).await?;
        personas.push(Persona {
            user: logged_in.user,
            password: declared.password.clone(),
            access: logged_in.tokens.access,
            access_expires_at: logged_in.tokens.access_expires_at,
        });
    }
    Ok(personas)
}
