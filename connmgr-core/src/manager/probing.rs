//! What is done about networks that answer or don't.

use alloc::collections::BTreeSet;
use core::time::Duration;

use crate::config::{Mode, Split};
use crate::conn::Conn;
use crate::mechanisms::groups::Group;
use crate::mechanisms::health::{Change, Outcome, Surroundings};
use crate::peer::AddedPeer;
use crate::types::{ConnId, Event, Host, Kind, NetworkKind, PeerAddress, PeerId, nanos};

use super::{ConnManager, Obstacle, PeerState, Timer};

/// The kinds a probe may be dialed as, in order of preference. A feeler proves as much as any.
const PROBE_KINDS: [Kind; 3] = [Kind::Full, Kind::BlockRelay, Kind::Feeler];

/// Where probes take their addresses from; they take turns.
const SOURCES: u32 = 3;

/// Added peers that are released together are dialed so long after one another, …
const RELEASE_STRIDE: Duration = Duration::from_millis(150);
/// … and all of them within this.
const RELEASED_WITHIN: Duration = Duration::from_secs(15);

/// How many known addresses are looked at to find out whether there are enough groups among them.
const GROUPS_LOOKED_FOR: usize = 1000;

impl ConnManager {
    /// Somebody answered our dial to this address.
    pub(super) fn record_answer(&mut self, address: &PeerAddress) {
        let (Some(network), now) = (self.rules().judged_network(address.host()), self.now()) else { return };
        if self.health[network.index()].record_answer(address, now) {
            self.network_is_up(network);
        }
    }

    /// A connection has shown life. One that we dialed proves that dials are answered; one that came in, only that
    /// the network is there.
    pub(super) fn record_life_of(&mut self, conn: ConnId) {
        let Some(conn) = self.table.get(conn) else { return };
        let network = match conn.host() {
            Some(host) => self.rules().judged_network(&host),
            None => conn.network(),
        };
        let (Some(network), inbound, now) = (network, conn.kind().is_inbound(), self.now()) else { return };
        if inbound {
            self.health[network.index()].record_visit(now);
        } else if self.health[network.index()].record_life(now) {
            self.network_is_up(network);
        }
    }

    /// A dial failed without any answer, or on our side.
    pub(super) fn record_network_failure(&mut self, outcome: Outcome, address: &PeerAddress) {
        let (Some(network), now) = (self.rules().judged_network(address.host()), self.now()) else { return };
        let config = &self.config.health;
        let alive = self.table.open_in(network) > 0 && self.health[network.index()].showed_life(config, now);
        // Counting them costs something, and a network that is alive is not suspected for silence anyway.
        let groups = if alive { config.silent_groups } else { self.groups_to_hear(network) };
        let known = u32::try_from(self.book.len_of(network)).unwrap_or(u32::MAX);
        let health = &mut self.health[network.index()];
        let around = Surroundings { alive, groups, known };
        match health.record_failure(outcome, address, around, config, now) {
            Change::None => {}
            Change::Up => self.network_is_up(network),
            Change::Down(forgiven) => {
                for address in forgiven {
                    self.book.forgive(&address);
                }
                self.tell(Event::NetworkDown { network });
                self.arm_probe(network);
            }
        }
    }

    /// The groups that silence must be spread over before the network is suspected: the configured number, or all
    /// that are known where they are fewer. One silent group alone is no sign: it may just be gone.
    fn groups_to_hear(&self, network: NetworkKind) -> u32 {
        let config = &self.config.health;
        if !self.health[network.index()].is_nearly_suspicious(config) {
            return config.silent_groups;
        }
        let added = self.peers.iter().map(|peer| peer.address().clone());
        let known = added.chain(self.book().iter().map(|entry| entry.address)).take(GROUPS_LOOKED_FOR);
        let mut groups = BTreeSet::new();
        // Where a connection is open nobody is dialed.
        let is_open = |address: &PeerAddress| {
            self.table.dialed(address).and_then(|id| self.table.get(id)).is_some_and(Conn::is_open)
        };
        for address in known.filter(|address| address.network() == Some(network) && !is_open(address)) {
            groups.extend(Group::of(address.host()));
            if groups.len() >= config.silent_groups as usize {
                break;
            }
        }
        let known = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        known.max(2).min(config.silent_groups)
    }

    /// The network answers again: everything that its silence held up goes on at full speed, and the other
    /// suspected networks are probed at once.
    pub(super) fn network_is_up(&mut self, network: NetworkKind) {
        self.disarm(Timer::Probe(network));
        self.tell(Event::NetworkUp { network });
        self.paces[network.index()].record_up();
        // Whatever failed lately may have failed for that.
        self.forgive_rests(network);
        self.release_peers(network);
        let now = self.now();
        for other in NetworkKind::ALL {
            if self.health[other.index()].hurry(now) {
                self.disarm(Timer::Probe(other));
            }
        }
    }

    /// Added peers that the outage held up are dialed soon. A name may lead anywhere.
    fn release_peers(&mut self, network: NetworkKind) {
        self.release_held_up(|address| address.network().is_none_or(|other| other == network));
    }

    /// The same, for those that meet a condition.
    pub(super) fn release_held_up(&mut self, concerns: impl Fn(&PeerAddress) -> bool) {
        self.release(|peer| concerns(peer.address()) && is_held_up(peer));
    }

    /// An added peer is ready. If every other one has failed since one was last ready, what kept them all away is
    /// over: they need not sit out their back-off.
    pub(super) fn added_is_ready(&mut self) {
        let (failed, now) = (core::mem::take(&mut self.fruitless_attempts), self.now());
        // Not more often than each may be dialed anyway: peers that get ready and go would else have all others dialed
        // again and again.
        let may = self.released_at.is_none_or(|at| at.after(self.config.retry.cap) <= now);
        if may && failed >= self.peers.len().max(2) {
            self.released_at = Some(now);
            self.release(|peer| peer.state() == PeerState::Waiting);
        }
    }

    /// Added peers of a sort are dialed soon, one after the other, so that no second sees more than a tenth of many.
    fn release(&mut self, sort: impl Fn(&AddedPeer) -> bool) {
        let mut ids = self.peers.ids();
        ids.retain(|id| self.peers.get(*id).is_some_and(&sort));
        let Ok(count) = u32::try_from(ids.len()) else { return };
        let stride = RELEASE_STRIDE.min(RELEASED_WITHIN / count.max(1));
        for (place, id) in (0..).zip(ids) {
            if place == 0 {
                self.disarm(Timer::Peer(id));
                self.peers.enqueue(id);
                continue;
            }
            let jitter = Duration::from_nanos(self.rng.below(nanos(stride)));
            self.arm_earlier(Timer::Peer(id), self.now().after(stride.saturating_mul(place) + jitter));
        }
    }

    fn arm_probe(&mut self, network: NetworkKind) {
        let Some(wait) = self.health[network.index()].next_probe(&self.config.health) else { return };
        self.arm(Timer::Probe(network), self.now().after(wait));
    }

    pub(super) const fn probe_is_due(&mut self, network: NetworkKind) {
        self.health[network.index()].owe_probe();
    }

    /// Makes the probes that are due. One that finds no slot or no address stays due.
    pub(super) fn dial_probes(&mut self, split: &Split) {
        for network in NetworkKind::ALL {
            let Some(turn) = self.health[network.index()].owed_probe() else { continue };
            if self.must_pause() {
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

    /// One of those that answered last, each in its turn.
    fn probe_answered(&mut self, network: NetworkKind, turn: u32, split: &Split) -> bool {
        let Some(kind) = self.probe_kind(split) else { return false };
        let rules = self.rules();
        // Added peers have their own turn, and one that was removed must not come back by this door.
        let allowed = |address: &&PeerAddress| {
            self.book.contains(address)
                && rules.standing_obstacle(address).is_none()
                && rules.group_is_free(kind, address)
        };
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
        let ids = self.peers.ids();
        let (earlier, later) = ids.split_at(ids.partition_point(|id| *id <= last));
        let target = |id: &PeerId| self.probe_target(*id, network).map(|address| (*id, address));
        let Some((id, address)) = later.iter().chain(earlier).find_map(target) else { return false };
        self.last_probed[network.index()] = id;
        self.disarm(Timer::Peer(id));
        if let Some(peer) = self.peers.get_mut(id) {
            peer.drop_candidate(address.host().ip());
        }
        self.dial_for_peer(id, address);
        true
    }

    /// Where in this network an added peer may be probed, if the outage is all that holds it up. One that gave no
    /// answer need not sit out its back-off: the probes' own pace is slow enough.
    fn probe_target(&self, id: PeerId, network: NetworkKind) -> Option<PeerAddress> {
        let peer = self.peers.get(id).filter(|peer| is_held_up(peer))?;
        let rules = self.rules();
        let may = |address: &PeerAddress| {
            rules.judged_network(address.host()) == Some(network) && rules.standing_obstacle(address).is_none()
        };
        if peer.address().name().is_none() {
            return Some(peer.address().clone()).filter(may);
        }
        peer.candidates().map(|ip| PeerAddress::new(Host::from(ip), peer.address().port())).find(may)
    }

    fn probe_book(&mut self, network: NetworkKind, split: &Split) -> bool {
        let Some(kind) = self.probe_kind(split) else { return false };
        let found = self.choose(kind, network, self.rested(), |rules, address| rules.standing_obstacle(address));
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

/// Whether an outage, or what looked like one, holds an added peer up.
fn is_held_up(peer: &AddedPeer) -> bool {
    match peer.state() {
        PeerState::Blocked(obstacle) => obstacle == Obstacle::NetworkDown,
        PeerState::Waiting => peer.is_unanswered(),
        PeerState::Queued | PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_) => false,
    }
}
