//! What follows when a network answers, fails or comes back.

use alloc::collections::BTreeSet;

use crate::conn::Conn;
use crate::mechanisms::health::{Change, DialOutcome, Health, Surroundings};
use crate::types::{ConnId, Event, NetworkKind, NetworkSet, PeerAddress};

use super::{ConnManager, Timer};

/// How many known addresses are examined to count the groups among them.
const GROUPS_LOOKED_FOR: usize = 1000;

impl ConnManager {
    /// A dial to this address was answered; it tells of this network, if of one.
    pub(super) fn record_answer(&mut self, address: &PeerAddress, tells_of: Option<NetworkKind>) {
        let (Some(network), now) = (tells_of, self.now()) else { return };
        if self.health[network.index()].record_answer(address, now) {
            self.network_came_up(network);
        }
    }

    /// A connection has shown life. If we dialed it, dials are answered; if it came in, only the network carries
    /// traffic.
    pub(super) fn record_life_of(&mut self, conn: ConnId) {
        let Some(conn) = self.table.get(conn) else { return };
        let (Some(network), inbound, now) = (conn.notes.tells_of, conn.kind().is_inbound(), self.now()) else { return };
        if inbound {
            self.health[network.index()].record_visit(now);
        } else if self.health[network.index()].record_life(now) {
            self.network_came_up(network);
        }
    }

    /// A dial failed without any answer, or on our side.
    pub(super) fn record_network_failure(
        &mut self,
        outcome: DialOutcome,
        address: &PeerAddress,
        tells_of: Option<NetworkKind>,
    ) {
        let (Some(network), now) = (tells_of, self.now()) else { return };
        let config = &self.config.health;
        let alive = self.table.open_in(network) > 0 && self.health[network.index()].showed_life(config, now);
        // Counting the groups is expensive, and silence does not count against a network that is alive.
        let groups = if alive { config.silent_groups } else { self.groups_to_hear(network) };
        let known = u32::try_from(self.book.len_of(network)).unwrap_or(u32::MAX);
        let group = self.groups.of(address.host());
        let health = &mut self.health[network.index()];
        let around = Surroundings { alive, groups, known, group };
        match health.record_failure(outcome, address, around, config, now) {
            Change::None => {}
            Change::Up => self.network_came_up(network),
            Change::Down(forgiven) => {
                for address in forgiven {
                    self.book.forgive(&address);
                }
                self.tell(Event::NetworkDown { network });
                self.arm_probe(network);
            }
        }
    }

    /// How many groups silence must cover before the network is suspected: the configured number, or all known ones if
    /// they are fewer, but at least two. A single silent group may just be gone.
    fn groups_to_hear(&self, network: NetworkKind) -> u32 {
        let config = &self.config.health;
        if !self.health[network.index()].is_nearly_suspicious(config) {
            return config.silent_groups;
        }
        let added = self.peers.iter().flat_map(|peer| peer.addresses().iter().cloned());
        let known = added.chain(self.book().iter().map(|entry| entry.address)).take(GROUPS_LOOKED_FOR);
        let mut groups = BTreeSet::new();
        // An address with an open connection is not dialed, so it cannot be silent.
        let is_open = |address: &PeerAddress| {
            self.table.dialed(address).and_then(|id| self.table.get(id)).is_some_and(Conn::is_open)
        };
        for address in known.filter(|address| address.network() == Some(network) && !is_open(address)) {
            groups.extend(self.groups.of(address.host()));
            if groups.len() >= config.silent_groups as usize {
                break;
            }
        }
        let known = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        known.max(2).min(config.silent_groups)
    }

    /// The network is up again: what the outage held up goes on at full speed, and other suspected networks are probed
    /// now.
    pub(super) fn network_came_up(&mut self, network: NetworkKind) {
        self.disarm(Timer::Probe(network));
        self.tell(Event::NetworkUp { network });
        self.paces[network.index()].record_up();
        // Recent failures may have been caused by the outage.
        self.forgive_rests(network);
        self.release_peers(network);
        let now = self.now();
        for other in NetworkKind::ALL {
            if self.health[other.index()].hurry(now) {
                self.disarm(Timer::Probe(other));
            }
        }
        // Where a proxy refused lookups, another may listen now.
        self.seeds.allow_lookups();
    }

    pub(super) fn arm_probe(&mut self, network: NetworkKind) {
        let Some(wait) = self.health[network.index()].next_probe(&self.config.health) else { return };
        self.arm(Timer::Probe(network), self.now().after(wait));
    }

    pub(super) const fn probe_timer_fired(&mut self, network: NetworkKind) {
        self.health[network.index()].owe_probe();
    }

    /// The enabled networks that are not down, or in which a host may be that an outage does not concern.
    pub(super) fn networks_up(&self) -> NetworkSet {
        // Mostly none is down, and this is asked many times.
        if !self.health.iter().any(Health::is_down) {
            return self.config.networks;
        }
        let ranges = &self.config.ranges;
        let spares_some = ranges.public && (ranges.private || ranges.shared || !ranges.own.is_empty());
        let is_spared = |network: NetworkKind| spares_some && matches!(network, NetworkKind::Ipv4 | NetworkKind::Ipv6);
        let may = |network: &NetworkKind| is_spared(*network) || !self.health[network.index()].is_down();
        self.config.networks.iter().filter(may).collect()
    }
}
