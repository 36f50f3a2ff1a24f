//! The rules for dialing: which addresses are allowed, over which route.

use crate::book::Book;
use crate::config::{Config, Proxy};
use crate::mechanisms::aliases::Aliases;
use crate::mechanisms::bans::Bans;
use crate::mechanisms::groups::{Group, Groups, tells_of_network};
use crate::mechanisms::health::Health;
use crate::mechanisms::own::OwnAddresses;
use crate::mechanisms::rng::Rng;
use crate::table::Table;
use crate::types::{DialRule, Host, Kind, NetworkKind, PeerAddress, ProxyAddress, ResolvedIp, Time};

use super::{ConnManager, Obstacle};

/// Everything the rules depend on.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    config: &'a Config,
    groups: &'a Groups,
    table: &'a Table,
    bans: &'a Bans,
    own: &'a OwnAddresses,
    health: &'a [Health; NetworkKind::ALL.len()],
    aliases: &'a Aliases,
    pub(super) now: Time,
}

impl<'a> Rules<'a> {
    /// What forbids dialing this address now, if anything.
    #[inline]
    pub(super) fn obstacle(&self, address: &PeerAddress) -> Option<Obstacle> {
        self.standing_obstacle(address).or_else(|| self.is_down(address).then_some(Obstacle::NetworkDown))
    }

    /// Like [`obstacle`](Self::obstacle), but regardless of outages: what forbids even a probe.
    pub(super) fn standing_obstacle(&self, address: &PeerAddress) -> Option<Obstacle> {
        if let Some(why) = address.not_dialable() {
            Some(Obstacle::NotDialable(why))
        } else if !self.is_reachable(address) {
            Some(Obstacle::Unreachable)
        } else if self.own.contains(address, self.now) {
            Some(Obstacle::OwnAddress)
        } else if self.is_banned(address.host()) {
            Some(Obstacle::Banned)
        } else if self.table.has_address(address) {
            Some(Obstacle::AddressInUse)
        } else {
            None
        }
    }

    /// What forbids probing a network at this address: a host that an outage does not concern tells nothing of it.
    pub(super) fn probe_obstacle(&self, address: &PeerAddress) -> Option<Obstacle> {
        match self.health_network(address.host()) {
            Some(_) => self.standing_obstacle(address),
            None => Some(Obstacle::NetworkDown),
        }
    }

    /// Whether the address's network is enabled and has a route.
    pub(super) fn is_reachable(&self, address: &PeerAddress) -> bool {
        match address.network() {
            None => self.may_resolve(),
            Some(network) if !self.config.networks.contains(network) => false,
            // No proxy is told an interface of ours.
            Some(network @ NetworkKind::Ipv6) => {
                address.zone().is_none() || self.config.proxies.for_network(network).is_none()
            }
            Some(NetworkKind::Ipv4 | NetworkKind::Cjdns) => true,
            Some(network @ (NetworkKind::Onion | NetworkKind::I2p)) => {
                self.config.proxies.for_network(network).is_some()
            }
        }
    }

    fn is_down(&self, address: &PeerAddress) -> bool {
        // Few networks are ever down, so that is asked first.
        let is_down = address.network().is_some_and(|network| self.health[network.index()].is_down());
        is_down && self.health_network(address.host()).is_some()
    }

    /// Whether names are of use: through the proxy for everything, or for the IP networks. Otherwise a lookup would
    /// only reveal the name to the local resolver.
    pub(super) fn may_resolve(&self) -> bool {
        let networks = self.config.networks;
        self.config.proxies.all.is_some()
            || networks.contains(NetworkKind::Ipv4)
            || networks.contains(NetworkKind::Ipv6)
    }

    /// The network whose health this host affects. `None` for loopback and private addresses where peers are on the
    /// internet: they are reachable whether the internet is or not.
    pub(super) fn health_network(&self, host: &Host) -> Option<NetworkKind> {
        host.network().filter(|_| tells_of_network(host, &self.config.ranges))
    }

    /// Whether the host is banned. Loopback and proxies never are, even inside a banned subnet.
    pub(super) fn is_banned(&self, host: &Host) -> bool {
        self.bans.is_banned(host, self.now) && self.is_bannable(host)
    }

    /// Whether a ban of this host would ban only one peer: loopback and a proxy stand for many. False for every host if
    /// `max_bans` is 0.
    pub(super) fn is_bannable(&self, host: &Host) -> bool {
        let is_proxy = |proxy: &ProxyAddress| proxy.ip().is_some_and(|ip| host.ip() == Some(ip.to_canonical()));
        let spared_loopback = host.is_loopback() && !self.config.ranges.loopback;
        self.config.max_bans > 0 && !spared_loopback && !self.config.proxies.addresses().any(is_proxy)
    }

    /// The group that an automatic dial of this kind to an address takes, if its kind takes one; or what forbids the dial,
    /// apart from what the book says of the address. `obstacle` is [`obstacle`](Self::obstacle), or the [one of
    /// probes](Self::probe_obstacle).
    pub(super) fn automatic_rule(
        &self,
        kind: Kind,
        address: &PeerAddress,
        obstacle: impl Fn(&Self, &PeerAddress) -> Option<Obstacle>,
    ) -> Result<Option<Group>, DialRule> {
        if let Some(obstacle) = obstacle(self, address) {
            return Err(DialRule::Obstacle(obstacle));
        }
        if self.is_alias(address) {
            return Err(DialRule::ConnectedElsewhere);
        }
        let group = self.group(kind, address);
        if self.has_room(group) { Ok(group) } else { Err(DialRule::GroupFull) }
    }

    /// Whether the peer met at this address is still connected through another one.
    pub(super) fn is_alias(&self, address: &PeerAddress) -> bool {
        self.aliases.connection(address).is_some_and(|conn| self.table.get(conn).is_some())
    }

    /// The group that a dial of this kind takes.
    pub(super) fn group(&self, kind: Kind, address: &PeerAddress) -> Option<Group> {
        let exempt = self.config.groups.exempt_overlays && address.network().is_some_and(NetworkKind::is_overlay);
        if kind.takes_group() && !exempt { self.groups.of(address.host()) } else { None }
    }

    /// Whether the group that this dial would take has room.
    pub(super) fn group_is_free(&self, kind: Kind, address: &PeerAddress) -> bool {
        self.has_room(self.group(kind, address))
    }

    fn has_room(&self, group: Option<Group>) -> bool {
        match (self.config.groups.max_per_group, group) {
            (Some(max), Some(group)) => self.table.in_group(group) < max,
            (None, _) | (_, None) => true,
        }
    }

    /// The proxy through which an address is reached.
    pub(super) fn proxy(&self, address: &PeerAddress) -> Option<&'a Proxy> {
        match address.network() {
            Some(network) => self.config.proxies.for_network(network),
            None => self.config.proxies.all.as_ref(),
        }
    }
}

impl ConnManager {
    /// The address, as the networks in use name it ([`PeerAddress::settled`]). Every address that comes in from outside
    /// passes here, so that one host is one host.
    pub(super) fn settled(&self, address: PeerAddress) -> PeerAddress {
        address.settled(self.config.networks)
    }

    /// The address of `port` at an IP address that a name resolved to.
    pub(super) fn resolved(&self, ip: ResolvedIp, port: u16) -> PeerAddress {
        self.settled(PeerAddress::from(ip.socket_addr(port)))
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        self.rules_at(self.now())
    }

    /// The rules as they will be at `now` if nothing happens before.
    pub(super) fn rules_at(&self, now: Time) -> Rules<'_> {
        let Self { config, groups, table, bans, own, health, aliases, .. } = self;
        Rules { config, groups, table, bans, own, health, aliases, now }
    }

    /// The rules, with mutable access to the book and the generator.
    pub(super) fn rules_and_book(&mut self) -> (Rules<'_>, &mut Book, &mut Rng) {
        // `rules` would borrow the whole manager.
        let Self { config, groups, table, bans, own, health, aliases, clocks, book, rng, .. } = self;
        (Rules { config, groups, table, bans, own, health, aliases, now: clocks.now() }, book, rng)
    }
}
