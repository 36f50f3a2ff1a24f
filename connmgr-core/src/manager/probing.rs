//! What is done about networks that answer or don't.

use crate::address::PeerAddress;
use crate::config::{Mode, Split};
use crate::event::{Event, Kind};
use crate::health::Outcome;
use crate::id::{ConnId, PeerId};
use crate::network::{NetworkKind, NetworkSet};

use super::{ConnManager, Obstacle, PeerState, Timer};

/// The kinds a probe may be dialed as, in order of preference. A feeler proves as much as any.
const PROBE_KINDS: [Kind; 3] = [Kind::Full, Kind::BlockRelay, Kind::Feeler];

/// Where probes take their addresses from; they take turns.
const SOURCES: u32 = 3;

impl ConnManager {
    /// Somebody answered our dial to this address.
    pub(super) fn record_answer(&mut self, address: &PeerAddress) {
        let (Some(network), now) = (address.network(), self.now()) else { return };
        if self.health[network.index()].record_answer(address, now) {
            self.network_is_up(network);
        }
    }

    /// A connection has shown life.
    pub(super) fn record_life_of(&mut self, conn: ConnId) {
        let Some(network) = self.table.get(conn).and_then(|conn| conn.network()) else { return };
        let now = self.now();
        if self.health[network.index()].record_life(now) {
            self.network_is_up(network);
        }
    }

    /// A dial failed without any answer, or on our side.
    pub(super) fn record_network_failure(&mut self, outcome: Outcome, address: &PeerAddress) {
        let (Some(network), now) = (address.network(), self.now()) else { return };
        let config = &self.config.health;
        let health = &mut self.health[network.index()];
        let alive = self.table.open_in(network) > 0 && health.showed_life(config, now);
        let Some(forgiven) = health.record_failure(outcome, address, alive, config, now) else { return };
        for address in forgiven {
            self.book.forgive(&address);
        }
        self.tell(Event::NetworkDown { network });
        self.arm_probe(network);
    }

    /// The network answers again: everything that its silence held up goes on at full speed, and the other
    /// suspected networks are probed at once.
    pub(super) fn network_is_up(&mut self, network: NetworkKind) {
        if let Some(timer) = self.single.probes[network.index()].take() {
            self.timers.cancel(timer);
        }
        self.tell(Event::NetworkUp { network });
        self.feed();
        self.release_peers(network);
        let now = self.now();
        for other in NetworkKind::ALL {
            if self.health[other.index()].hurry(now) {
                if let Some(timer) = self.single.probes[other.index()].take() {
                    self.timers.cancel(timer);
                }
            }
        }
    }

    /// Added peers that the outage held up are dialed now.
    fn release_peers(&mut self, network: NetworkKind) {
        let held_up = |state, unanswered| match state {
            PeerState::Blocked(obstacle) => obstacle == Obstacle::NetworkDown,
            PeerState::Waiting => unanswered,
            PeerState::Queued | PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_) => false,
        };
        for id in self.peers.ids() {
            let Some(peer) = self.peers.get(id) else { continue };
            if peer.address.network() == Some(network) && held_up(peer.state, peer.unanswered) {
                self.disarm_peer(id);
                self.peers.enqueue(id);
            }
        }
    }

    fn arm_probe(&mut self, network: NetworkKind) {
        let Some(wait) = self.health[network.index()].next_probe(&self.config.health) else { return };
        let at = self.at_least_a_tick(self.now().after(wait));
        self.single.probes[network.index()] = Some(self.timers.insert(at, Timer::Probe(network)));
    }

    pub(super) const fn probe_is_due(&mut self, network: NetworkKind) {
        self.single.probes[network.index()] = None;
        self.health[network.index()].owe_probe();
    }

    /// Makes the probes that are due. One that finds no slot or no address stays due.
    pub(super) fn dial_probes(&mut self, split: &Split) {
        for network in NetworkKind::ALL {
            let Some(turn) = self.health[network.index()].owed_probe() else { continue };
            if !self.has_room() {
                return self.plan_at(self.now());
            }
            if self.probe(network, turn, split) {
                self.stats.probes += 1;
                self.health[network.index()].record_probe();
                self.arm_probe(network);
            }
        }
    }

    /// Dials one address of a network that is down. Returns whether there was one.
    fn probe(&mut self, network: NetworkKind, turn: u32, split: &Split) -> bool {
        (0..SOURCES).any(|next| match (turn + next) % SOURCES {
            0 => self.probe_answered(network, turn, split),
            1 => self.probe_added(network, split),
            _ => self.probe_book(network, split),
        })
    }

    /// One of those that answered last, each in its turn.
    fn probe_answered(&mut self, network: NetworkKind, turn: u32, split: &Split) -> bool {
        let Some(kind) = self.probe_kind(split) else { return false };
        let rules = self.rules();
        let allowed =
            |address: &&PeerAddress| rules.standing_obstacle(address).is_none() && rules.group_is_free(kind, address);
        let found = self.health[network.index()].answered(turn / SOURCES).find(allowed).cloned();
        found.is_some_and(|address| {
            self.dial_from_book(kind, address);
            true
        })
    }

    /// The next added peer that is held up, after the one probed last.
    fn probe_added(&mut self, network: NetworkKind, split: &Split) -> bool {
        if !self.has_slot(Kind::Added, split) {
            return false;
        }
        let last = self.last_probed[network.index()];
        let waits = |id: &PeerId| {
            self.peers.get(*id).is_some_and(|peer| {
                peer.state == PeerState::Blocked(Obstacle::NetworkDown)
                    && peer.address.network() == Some(network)
                    && self.rules().standing_obstacle(&peer.address).is_none()
            })
        };
        let ids = self.peers.ids();
        let (earlier, later) = ids.split_at(ids.partition_point(|id| *id <= last));
        let Some(id) = later.iter().chain(earlier).copied().find(waits) else { return false };
        self.last_probed[network.index()] = id;
        if let Some(address) = self.peers.get(id).map(|peer| peer.address.clone()) {
            self.dial_for_peer(id, address);
        }
        true
    }

    fn probe_book(&mut self, network: NetworkKind, split: &Split) -> bool {
        let Some(kind) = self.probe_kind(split) else { return false };
        let networks = NetworkSet::EMPTY.with(network);
        let found = self.choose(kind, networks, |rules, address| rules.standing_obstacle(address));
        found.is_some_and(|address| {
            self.dial_from_book(kind, address);
            true
        })
    }

    /// What a probe of an address that nobody asked for is dialed as.
    fn probe_kind(&self, split: &Split) -> Option<Kind> {
        match self.config.mode {
            Mode::Automatic => PROBE_KINDS.into_iter().find(|kind| self.has_slot(*kind, split)),
            Mode::ConnectOnly => None,
        }
    }
}
