//! Whom we may dial. Nobody else decides it.

use crate::book::Book;
use crate::config::{Config, Proxy};
use crate::mechanisms::aliases::Aliases;
use crate::mechanisms::bans::Bans;
use crate::mechanisms::groups::{Group, is_routable};
use crate::mechanisms::health::Health;
use crate::mechanisms::own::OwnAddresses;
use crate::mechanisms::rng::Rng;
use crate::table::Table;
use crate::types::{Host, Kind, NetworkKind, PeerAddress, Time};

use super::{ConnManager, Obstacle};

/// All that the rules look at.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    config: &'a Config,
    table: &'a Table,
    bans: &'a Bans,
    own: &'a OwnAddresses,
    health: &'a [Health; NetworkKind::ALL.len()],
    aliases: &'a Aliases,
    pub(super) now: Time,
}

/// Borrows what the rules look at, and leaves the rest of the manager free.
macro_rules! rules_of {
    ($manager:expr) => {
        Rules {
            config: &$manager.config,
            table: &$manager.table,
            bans: &$manager.bans,
            own: &$manager.own,
            health: &$manager.health,
            aliases: &$manager.aliases,
            now: $manager.clocks.now(),
        }
    };
}

impl Rules<'_> {
    /// What forbids to dial this address now, if anything does.
    pub(super) fn obstacle(&self, address: &PeerAddress) -> Option<Obstacle> {
        self.standing_obstacle(address).or_else(|| self.is_down(address).then_some(Obstacle::NetworkDown))
    }

    /// The same, but for the health of its network: what forbids even a probe.
    pub(super) fn standing_obstacle(&self, address: &PeerAddress) -> Option<Obstacle> {
        if !self.is_reachable(address) {
            Some(Obstacle::Unreachable)
        } else if self.own.contains(address) {
            Some(Obstacle::OwnAddress)
        } else if self.is_banned(address.host()) {
            Some(Obstacle::Banned)
        } else if self.table.has_address(address) {
            Some(Obstacle::AddressInUse)
        } else {
            None
        }
    }

    /// Whether the address's network is enabled, and a route leads there.
    pub(super) fn is_reachable(&self, address: &PeerAddress) -> bool {
        match address.network() {
            None => self.may_resolve(),
            Some(network) if !self.config.networks.contains(network) => false,
            Some(NetworkKind::Ipv4 | NetworkKind::Ipv6) => address.port() != 0,
            Some(NetworkKind::Cjdns) => address.port() != 0,
            Some(network @ (NetworkKind::Onion | NetworkKind::I2p)) => {
                self.config.proxies.for_network(network).is_some()
            }
        }
    }

    fn is_down(&self, address: &PeerAddress) -> bool {
        self.judged_network(address.host()).is_some_and(|network| self.health[network.index()].is_down())
    }

    /// Whether names are of use: through the proxy for everything, or for the IP networks. Elsewhere a lookup would
    /// only tell the local resolver what we are up to.
    pub(super) fn may_resolve(&self) -> bool {
        let networks = self.config.networks;
        self.config.proxies.all.is_some()
            || networks.contains(NetworkKind::Ipv4)
            || networks.contains(NetworkKind::Ipv6)
    }

    /// The network whose health a host says something of. One on this machine or in a private network is reached
    /// whether the internet is up or not: it proves nothing, and no outage holds it up.
    pub(super) fn judged_network(&self, host: &Host) -> Option<NetworkKind> {
        host.network().filter(|_| is_routable(host, self.config.loopback_is_public))
    }

    /// Whether the host is banned. Loopback and proxies never are, whatever subnet a ban names.
    pub(super) fn is_banned(&self, host: &Host) -> bool {
        self.bans.is_banned(host, self.now) && self.is_bannable(host)
    }

    /// Whether a ban of this host bans but this host: behind loopback and behind a proxy are many. Where no ban may
    /// stand, nobody is bannable.
    pub(super) fn is_bannable(&self, host: &Host) -> bool {
        let is_proxy = |proxy: core::net::SocketAddr| host.ip() == Some(proxy.ip().to_canonical());
        let spared_loopback = host.is_loopback() && !self.config.loopback_is_public;
        self.config.max_bans > 0 && !spared_loopback && !self.config.proxies.addresses().any(is_proxy)
    }

    /// Whether a peer was met at this address that is still connected by another.
    pub(super) fn is_alias(&self, address: &PeerAddress) -> bool {
        self.aliases.connection(address).is_some_and(|conn| self.table.get(conn).is_some())
    }

    /// The group that a dial of this kind takes.
    pub(super) fn group(&self, kind: Kind, address: &PeerAddress) -> Option<Group> {
        let exempt = self.config.groups.exempt_overlays && address.network().is_some_and(NetworkKind::is_overlay);
        if kind.takes_group() && !exempt { Group::of(address.host()) } else { None }
    }

    /// Whether the group that a dial would take is free.
    pub(super) fn group_is_free(&self, kind: Kind, address: &PeerAddress) -> bool {
        match (self.config.groups.max_per_group, self.group(kind, address)) {
            (Some(max), Some(group)) => self.table.in_group(group) < max,
            (None, _) | (_, None) => true,
        }
    }

    /// The proxy by which an address is reached.
    pub(super) fn proxy(&self, address: &PeerAddress) -> Option<Proxy> {
        match address.network() {
            Some(network) => self.config.proxies.for_network(network),
            None => self.config.proxies.all,
        }
    }
}

impl ConnManager {
    pub(super) fn rules(&self) -> Rules<'_> {
        rules_of!(self)
    }

    /// The rules, with what chooses among those whom they allow.
    pub(super) fn rules_and_book(&mut self) -> (Rules<'_>, &mut Book, &mut Rng) {
        (rules_of!(self), &mut self.book, &mut self.rng)
    }
}
