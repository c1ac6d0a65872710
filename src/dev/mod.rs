//! A service that is thrown away at its end: the same service, over a store that nobody sees, for `keystead dev` and
//! for tests.
//!
//! Must never: serve anybody but this machine, leave a file behind, or answer otherwise than the service that lasts.
//! What it has beside that is under `/dev/` (`http/dev`).

mod error;
mod folder;
mod switch;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::app::{App, Order, Persona};
use crate::config::Config;
use crate::server::{Entrance, ServeError};
use crate::{flows, http};
pub(crate) use error::DevError;
use switch::Switch;
use world::World;

/// A bound address on this machine, and what is behind it.
pub(crate) struct DevServer {
    entrance: Entrance,
    stage: Stage,
    orders: mpsc::Receiver<Order>,
}

/// Where one world comes after the other.
struct Stage {
    config: Config,
    address: SocketAddr,
    world: World,
    /// The App of that world, for who is not part of it.
    app: Arc<ArcSwap<App>>,
    orders: mpsc::Sender<Order>,
    /// Worlds in which requests are still answered.
    ending: JoinSet<()>,
}

/// How many may wait for something to be done.
const ORDERS: usize = 16;

impl DevServer {
    /// Binds the address and makes the first world behind it.
    pub(crate) async fn start(config: Config) -> Result<Self, DevError> {
        let entrance = Entrance::open(&config.server.listen).await?;
        let address = entrance.address();
        if !address.ip().is_loopback() {
            return Err(DevError::Elsewhere(address));
        }
        let (sender, orders) = mpsc::channel(ORDERS);
        let world = World::make(&config, address, &sender).await?;
        let app = Arc::new(ArcSwap::new(Arc::clone(world.app())));
        let stage = Stage { config, address, world, app, orders: sender, ending: JoinSet::new() };
        Ok(Self { entrance, stage, orders })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.stage.address
    }

    /// Who is there from the start.
    pub(crate) fn personas(&self) -> &[Persona] {
        self.stage.world.personas()
    }

    /// What is behind the address at any moment.
    pub(crate) fn app(&self) -> Arc<ArcSwap<App>> {
        Arc::clone(&self.stage.app)
    }

    /// Serves until `shutdown` resolves, and finishes the requests in flight.
    pub(crate) async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { entrance, mut stage, mut orders } = self;
        let server = stage.config.server.clone();
        let switch = Switch::to(http::service(Arc::clone(stage.world.app())));
        let end = async {
            let replace = |app: &Arc<App>| switch.turn(http::service(Arc::clone(app)));
            tokio::select! {
                () = shutdown => {}
                () = stage.obey(&mut orders, replace) => {}
            }
            // Whoever waits for a mail must not hold up the end.
            flows::close_mailbox(stage.world.app());
            Ok(())
        };
        let ended = entrance.serve(&server, switch.clone(), end, watch::Sender::new(false)).await;
        stage.world.close().await;
        ended
    }
}

impl Stage {
    /// Does what is asked for, one after the other; `replace` lets requests into the next world.
    async fn obey(&mut self, orders: &mut mpsc::Receiver<Order>, replace: impl Fn(&Arc<App>)) {
        while let Some(order) = orders.recv().await {
            // Who does not wait for the answer any more has gone away, and is not missed.
            match order {
                Order::StartAgain(done) => done.send(self.start_again(&replace).await).ok(),
                Order::CatchUp(done) => done.send(self.world.catch_up().await).ok(),
            };
        }
    }

    async fn start_again(&mut self, replace: impl Fn(&Arc<App>)) -> Result<(), String> {
        let next = World::make(&self.config, self.address, &self.orders).await;
        let next = next.map_err(|error| error.to_string())?;
        replace(next.app());
        self.app.store(Arc::clone(next.app()));
        let last = std::mem::replace(&mut self.world, next);
        while self.ending.try_join_next().is_some() {}
        self.ending.spawn(last.end());
        Ok(())
    }
}
