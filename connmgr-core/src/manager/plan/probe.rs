//! Probes: one dial at a time into a network that is down, to learn whether it is up again.

use crate::config::{Mode, Split};
use crate::mechanisms::turns::Candidate;
use crate::types::{Kind, NetworkKind, PeerAddress, PeerId};

use super::choosing::Chosen;
use super::{ConnManager, Timer};

/// The kinds a probe may have, in order of preference. Any kind proves that the network answers.
const PROBE_KINDS: [Kind; 3] = [Kind::Full, Kind::BlockRelay, Kind::Feeler];

/// The number of sources of addresses for probes. They take turns.
const SOURCES: u32 = 3;

impl ConnManager {
    /// Makes the probes that are due. A probe without a slot or an address stays due.
    pub(super) fn dial_probes(&mut self, split: &Split) {
        // Mostly none is due, and this runs after every input.
        if self.health.iter().all(|health| health.owed_probe().is_none()) {
            return;
        }
        for network in NetworkKind::ALL {
            let Some(turn) = self.health[network.index()].owed_probe() else { continue };
            if self.pause_if_needed() {
                return;
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

    /// Dials one of the addresses that answered last; they take turns.
    fn probe_answered(&mut self, network: NetworkKind, turn: u32, split: &Split) -> bool {
        let Some(kind) = self.probe_kind(split) else { return false };
        let rules = self.rules();
        // Only addresses in the book: added peers have a turn of their own, and a removed one must not be dialed again.
        let allowed = |address: &&PeerAddress| {
            self.book.contains(address)
                && rules.standing_obstacle(address).is_none()
                && rules.group_is_free(kind, address)
        };
        let found = self.health[network.index()].answered(turn / SOURCES).find(allowed).cloned();
        found.is_some_and(|address| {
            let group = self.rules().group(kind, &address);
            self.dial_from_book(kind, Chosen { address, id: None, group }, false);
            true
        })
    }

    /// Dials the next added peer that the outage holds up, after the one probed last.
    fn probe_added(&mut self, network: NetworkKind, split: &Split) -> bool {
        if !self.has_slot(Kind::Added, split) {
            return false;
        }
        let last = self.last_probed[network.index()];
        let ids = self.peers.ids();
        let (earlier, later) = ids.split_at(ids.partition_point(|id| *id <= last));
        let target = |id: &PeerId| self.probe_target(*id, network).map(|at| (*id, at));
        let Some((id, at)) = later.iter().chain(earlier).find_map(target) else { return false };
        self.last_probed[network.index()] = id;
        self.disarm(Timer::Peer(id));
        self.dial_for_peer(id, at);
        true
    }

    /// The address in this network at which an added peer may be probed, if only the outage holds the peer up. A peer
    /// that gave no answer need not wait for its back-off: probes are rare enough.
    fn probe_target(&self, id: PeerId, network: NetworkKind) -> Option<Candidate> {
        let peer = self.peers.get(id).filter(|peer| peer.is_held_up())?;
        let rules = self.rules();
        let may = |address: &PeerAddress| {
            rules.health_network(address.host()) == Some(network) && rules.standing_obstacle(address).is_none()
        };
        let own = peer.addresses().iter().enumerate().find(|(_, address)| may(address));
        let own = || own.map(|(of, address)| Candidate { of, address: address.clone() });
        peer.to_try().find(|one| may(&one.address)).or_else(own)
    }

    fn probe_book(&mut self, network: NetworkKind, split: &Split) -> bool {
        let Some(kind) = self.probe_kind(split) else { return false };
        let found = self.choose(kind, network, self.rested(), |rules, address| rules.probe_obstacle(address));
        found.is_some_and(|chosen| {
            self.dial_from_book(kind, chosen, false);
            true
        })
    }

    /// The kind of a probe of an address from the book or of one that answered; `None` if there is no slot.
    fn probe_kind(&self, split: &Split) -> Option<Kind> {
        match self.config.mode {
            Mode::Automatic => PROBE_KINDS.into_iter().find(|kind| self.has_slot(*kind, split)),
            Mode::ConnectOnly => None,
        }
    }
}
