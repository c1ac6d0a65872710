//! Who may hold how many connections.
//!
//! Must never: grow beyond the connections that are open, or count one that has ended.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::ServerConfig;
use crate::limiter::neighbourhood;
use crate::server::limits::Limits;

/// Hands out one place a connection.
#[derive(Clone)]
pub(super) struct Places {
    limits: Limits,
    config: Arc<ServerConfig>,
    taken: Arc<Mutex<Taken>>,
}

/// Why a connection gets no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Every place is taken.
    Full,
    /// The peer's network holds its share.
    NetworkFull,
}

/// A connection's place, free again when dropped.
pub(super) struct Place {
    /// Its IPv4 address, or IPv6 /64.
    network: Option<IpAddr>,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

impl Places {
    pub(super) fn new(limits: Limits, config: &ServerConfig) -> Self {
        Self { limits, config: Arc::new(config.clone()), taken: Arc::default() }
    }

    pub(super) fn take(&self, peer: SocketAddr) -> Result<Place, Refusal> {
        let network = self.network(peer.ip());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.limits.connections {
            return Err(Refusal::Full);
        }
        if let Some(network) = network {
            let share = taken.by_network.entry(network).or_default();
            if *share >= self.limits.connections_per_network {
                return Err(Refusal::NetworkFull);
            }
            *share += 1;
        }
        taken.all += 1;
        Ok(Place { network, taken: Arc::clone(&self.taken) })
    }

    /// Whose share a connection counts to. None for this machine itself and for the proxies that are trusted: they bring
    /// everybody's connections from one address.
    fn network(&self, peer: IpAddr) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        let is_shared = peer.is_loopback() || self.config.is_trusted_proxy(peer);
        (!is_shared).then(|| neighbourhood(peer))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(network) = self.network
            && let Some(share) = taken.by_network.get_mut(&network)
        {
            *share = share.saturating_sub(1);
            if *share == 0 {
                taken.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn places(connections: usize, connections_per_network: usize) -> Places {
        let limits = Limits { connections, connections_per_network, ..Limits::of_process() };
        let config = Config::from_toml("server.trusted_proxies = [\"10.0.0.0/24\"]").unwrap();
        Places::new(limits, &config.server)
    }

    fn peer(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 4000)
    }

    #[test]
    fn a_network_has_its_share_and_no_more() {
        let places = places(100, 2);
        let first = places.take(peer("192.0.2.1")).unwrap();
        let _second = places.take(peer("::ffff:192.0.2.1")).unwrap();
        assert_eq!(places.take(peer("192.0.2.1")).err(), Some(Refusal::NetworkFull));
        assert!(places.take(peer("192.0.2.2")).is_ok(), "another address is another network");
        drop(first);
        assert!(places.take(peer("192.0.2.1")).is_ok());
    }

    #[test]
    fn an_ipv6_network_is_the_first_64_bits() {
        let places = places(100, 1);
        let _place = places.take(peer("2001:db8:0:1::1")).unwrap();
        assert_eq!(places.take(peer("2001:db8:0:1:ffff::2")).err(), Some(Refusal::NetworkFull));
        assert!(places.take(peer("2001:db8:0:2::1")).is_ok());
    }

    #[test]
    fn the_total_holds_for_all_and_the_share_not_for_this_machine() {
        let places = places(3, 1);
        let taken: Vec<_> = (0..3).map(|_| places.take(peer("127.0.0.1")).unwrap()).collect();
        assert_eq!(places.take(peer("127.0.0.1")).err(), Some(Refusal::Full));
        assert_eq!(places.take(peer("192.0.2.1")).err(), Some(Refusal::Full));
        drop(taken);
        assert!(places.take(peer("192.0.2.1")).is_ok());
    }

    #[test]
    fn a_trusted_proxy_has_no_share_of_its_own() {
        let places = places(100, 1);
        let _taken: Vec<_> =
            ["10.0.0.7", "::ffff:10.0.0.7", "10.0.0.7"].map(|proxy| places.take(peer(proxy)).unwrap()).into();
        let _place = places.take(peer("10.0.1.7")).unwrap();
        assert_eq!(places.take(peer("10.0.1.7")).err(), Some(Refusal::NetworkFull));
    }

    #[test]
    fn nothing_is_left_of_connections_that_ended() {
        let places = places(10, 5);
        drop((places.take(peer("192.0.2.1")), places.take(peer("2001:db8::1"))));
        let taken = places.taken.lock().unwrap();
        assert_eq!((taken.all, taken.by_network.len()), (0, 0));
    }
}
