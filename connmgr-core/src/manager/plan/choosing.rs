//! Chooses the next address to dial: the networks take turns, and the book chooses within each.
//!
//! The network with the least under way, relative to what its dials yield, comes first. So a dead or slow network
//! hardly delays a good one, from the first dial on. Where a slot cannot be taken back from a dial without progress, a
//! turn for ten dead addresses could hold the slot for as long as a dial may take; there, the networks are drawn at
//! random, weighted by their known addresses. Each network has its own pace.

use core::time::Duration;

use crate::book::{AddressId, Choice, Picked, Unfit};
use crate::mechanisms::groups::Group;
use crate::types::{DialRule, Hindrance, Kind, NetworkKind, NetworkSet, PeerAddress, Time};

use super::ConnManager;
use crate::manager::Obstacle;
use crate::manager::rules::Rules;
use crate::manager::slots::AUTOMATIC;

/// The longest rest of an address where no other is left.
const LONGEST_REST_WHERE_SCARCE: Duration = Duration::from_secs(60);

/// A network that has yielded nothing gets at most `DOUBTFUL_PARTS` / `PARTS` of what may go on without a slot, if
/// another network may do better: so there is always room to hedge the last slot.
const DOUBTFUL_PARTS: u32 = 3;
const PARTS: u32 = 4;
/// A network that yields less than one part in this many of another does not do better.
const MUCH_LESS: u64 = 16;

/// An address to dial.
pub(super) struct Chosen {
    pub(super) address: PeerAddress,
    /// Its number, if the book chose it.
    pub(super) id: Option<AddressId>,
    /// The group that the dial takes, if its kind takes one.
    pub(super) group: Option<Group>,
}

/// The result of a choice among all networks.
pub(super) enum NextDial {
    /// Dial this address.
    To(Chosen),
    /// An address will be ready at this time.
    Later(Time),
    /// No known address can be dialed.
    Nobody,
}

/// The networks that may be dialed, in order.
struct NetworkTurns {
    /// The first `count` of them may be dialed.
    order: [NetworkKind; NetworkKind::ALL.len()],
    count: usize,
    /// Another network could be dialed, but has its share under way.
    some_wait: bool,
}

/// Which addresses are considered.
#[derive(Clone, Copy)]
pub(super) struct Eligible {
    /// Addresses rest at most this long.
    longest_rest: Duration,
    /// Only addresses at which a connection was ready before.
    only_ready_before: bool,
}

/// What decides the turn of a network.
#[derive(Clone, Copy)]
struct Claim {
    network: NetworkKind,
    /// Dials and handshakes under way; one without progress counts three times.
    load: u64,
    under_way: u64,
    yields: u64,
    is_proven: bool,
    last_turn: u64,
}

impl Claim {
    /// The smallest load relative to the yield comes first; then a proven network; then the one dialed longest ago.
    fn order(&self, other: &Self) -> core::cmp::Ordering {
        let load = (self.load + 1) * other.yields;
        load.cmp(&((other.load + 1) * self.yields))
            .then(other.is_proven.cmp(&self.is_proven))
            .then(self.last_turn.cmp(&other.last_turn))
    }
}

impl ConnManager {
    /// Chooses the next address to dial. `only_proven`: only in networks that have lately yielded a ready connection.
    pub(super) fn choose_next(&mut self, kind: Kind, only_proven: bool) -> NextDial {
        let NetworkTurns { mut order, count, some_wait } = self.networks_in_turn(only_proven);
        if count > 1 && !self.can_take_slots_back(kind) {
            let first = self.draw_network(&order[..count]);
            order[..=first].rotate_right(1);
        }
        // A network with its share under way continues when one of its dials ends; that is an input.
        let mut later = some_wait.then(|| self.now().after(crate::mechanisms::pace::SLOWEST));
        for network in order.into_iter().take(count) {
            let at = self.pace(network).next_at();
            if at > self.now() {
                later = Some(later.map_or(at, |other: Time| other.min(at)));
            } else if let Some(chosen) = self.choose_up(kind, network, self.rested()) {
                return NextDial::To(chosen);
            }
        }
        later.map_or(NextDial::Nobody, NextDial::Later)
    }

    /// Chooses an address in a network without a connection, if it may have a trial: the last slot of the kind is free,
    /// and stable connections hold the others.
    pub(super) fn choose_for_trial(&mut self, kind: Kind) -> Option<Chosen> {
        if !self.is_last_slot_free(kind) {
            return None;
        }
        let (now, candidates) = (self.now(), self.known_networks_up());
        let may = |network: &NetworkKind| {
            self.trials[network.index()].is_due(now)
                && self.pace(*network).next_at() <= now
                && self.table.under_way_in(*network) == 0
                && self.ready_in(*network).next().is_none()
        };
        let network = candidates.iter().filter(may).min_by_key(|network| self.pace(*network).last_turn())?;
        if !self.ready_ones(kind).all(|conn| self.was_stable(conn)) {
            return None;
        }
        let chosen = self.choose_up(kind, network, self.rested())?;
        self.trials[network.index()].begin(now);
        Some(chosen)
    }

    /// Whether the kind has exactly one free slot, and ready connections hold the others, at least two.
    fn is_last_slot_free(&self, kind: Kind) -> bool {
        let ready = self.table.ready(kind);
        ready >= 2 && self.table.slots_held(kind) == ready && self.split().of(kind) == ready + 1
    }

    /// Chooses an address that rests, where there is no other: at the slowest pace.
    pub(super) fn choose_resting(&mut self, kind: Kind) -> Option<Chosen> {
        let NetworkTurns { order, count, .. } = self.networks_in_turn(false);
        let now = self.now();
        order.into_iter().take(count).find_map(|network| {
            let is_ready = self.pace(network).next_scarce_at() <= now;
            if is_ready { self.choose_resting_in(kind, network) } else { None }
        })
    }

    /// Prefers, every other time, an address that was ready before. After a time in which every connection broke, this
    /// restores the pool soon; and addresses that get ready and leave do not take every turn.
    fn choose_resting_in(&mut self, kind: Kind, network: NetworkKind) -> Option<Chosen> {
        let anybody = Eligible { longest_rest: LONGEST_REST_WHERE_SCARCE, only_ready_before: false };
        let prefers_met = self.rng.below(2) == 0;
        let met = if prefers_met {
            self.choose_up(kind, network, Eligible { only_ready_before: true, ..anybody })
        } else {
            None
        };
        met.or_else(|| self.choose_up(kind, network, anybody))
    }

    /// Addresses that have rested for the usual time.
    pub(super) fn rested(&self) -> Eligible {
        Eligible { longest_rest: self.config.dial.spacing, only_ready_before: false }
    }

    fn choose_up(&mut self, kind: Kind, network: NetworkKind, eligible: Eligible) -> Option<Chosen> {
        self.choose(kind, network, eligible, |rules, address| rules.obstacle(address))
    }

    /// Chooses an address in a network to which `obstacle` has no objection.
    pub(super) fn choose(
        &mut self,
        kind: Kind,
        network: NetworkKind,
        eligible: Eligible,
        obstacle: impl Fn(&Rules<'_>, &PeerAddress) -> Option<Obstacle>,
    ) -> Option<Chosen> {
        let choice = self.choice(kind, network, eligible);
        let (rules, book, rng) = self.rules_and_book();
        let mut group = None;
        let allowed = |address: &PeerAddress| match rules.automatic_rule(kind, address, &obstacle) {
            Ok(free) => {
                group = free;
                true
            }
            Err(_) => false,
        };
        let Picked { address, id } = book.pick(rng, &choice, rules.now, allowed)?;
        Some(Chosen { address, id: Some(id), group })
    }

    /// What a dial of this kind wants of an address in the book.
    fn choice(&self, kind: Kind, network: NetworkKind, eligible: Eligible) -> Choice {
        // Where dials have led nowhere for long, the living may all be on other ports.
        let prefers_a_port = !self.pace(network).is_slowed();
        Choice {
            networks: NetworkSet::EMPTY.with(network),
            services: self.config.required.of(kind),
            default_port: if prefers_a_port { self.config.default_port } else { 0 },
            spacing: self.config.dial.spacing,
            min_spacing: self.config.dial.min_spacing,
            longest_rest: eligible.longest_rest,
            only_ready_before: eligible.only_ready_before,
        }
    }

    /// What the book has against an address for this kind; `None` if nothing, or if it does not know the address.
    pub(in crate::manager) fn book_rule(&self, kind: Kind, address: &PeerAddress, now: Time) -> Option<Hindrance> {
        let network = address.network()?;
        let choice = self.choice(kind, network, self.rested());
        match self.book.unfit(address, &choice, now)? {
            Unfit::LacksServices => Some(Hindrance { rule: DialRule::LacksServices, until: None }),
            Unfit::Rests => {
                let scarce =
                    self.choice(kind, network, Eligible { longest_rest: LONGEST_REST_WHERE_SCARCE, ..self.rested() });
                let usually = self.book.rests_until(address, &choice)?;
                // Where no other address is left, rests are shorter.
                let at_least = self.book.rests_until(address, &scarce)?.max(self.pace(network).next_scarce_at());
                Some(Hindrance { rule: DialRule::Resting, until: Some(usually.min(at_least).max(now)) })
            }
            // Only asked for where some were.
            Unfit::NeverReady => None,
        }
    }

    /// Whether dials into a network wait: for its pace, or for the share of others.
    pub(in crate::manager) fn network_rule(&self, network: NetworkKind, now: Time) -> Option<Hindrance> {
        let at = self.pace(network).next_at();
        if at > now {
            return Some(Hindrance { rule: DialRule::NetworkPace, until: Some(at) });
        }
        let waits = self.must_wait(network, self.known_networks_up());
        waits.then_some(Hindrance { rule: DialRule::NetworkShare, until: None })
    }

    /// The networks that may be dialed now, in order of their turn.
    fn networks_in_turn(&self, only_proven: bool) -> NetworkTurns {
        let candidates = self.known_networks_up();
        let mut turns = NetworkTurns { order: NetworkKind::ALL, count: 0, some_wait: false };
        for network in candidates.iter().filter(|network| !only_proven || self.is_proven(*network)) {
            if self.must_wait(network, candidates) {
                turns.some_wait = true;
            } else {
                turns.order[turns.count] = network;
                turns.count += 1;
            }
        }
        // Mostly there is one.
        if turns.count > 1 {
            let order = |one: &NetworkKind, other: &NetworkKind| self.claim(*one).order(&self.claim(*other));
            turns.order[..turns.count].sort_unstable_by(order);
        }
        turns
    }

    /// The networks that are up and of which addresses are known.
    fn known_networks_up(&self) -> NetworkSet {
        self.networks_up().and(self.book.networks())
    }

    /// Whether dials without progress could give back at least half of the kind's slots.
    fn can_take_slots_back(&self, kind: Kind) -> bool {
        let split = self.split();
        let room = self.limits.total.saturating_sub(split.reserved());
        self.max_hedged(kind).min(room) >= split.of(kind).div_ceil(2)
    }

    /// Draws one of the networks, weighted by its known addresses and its yield. Returns its index.
    fn draw_network(&mut self, networks: &[NetworkKind]) -> usize {
        let weight = |manager: &Self, network: NetworkKind| {
            manager.book.len_of(network) as u64 * manager.pace(network).yields().isqrt()
        };
        let all = networks.iter().map(|network| weight(self, *network)).sum();
        let mut left = self.rng.below(all);
        for (place, network) in networks.iter().enumerate() {
            let weight = weight(self, *network);
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    fn claim(&self, network: NetworkKind) -> Claim {
        let pace = self.pace(network);
        Claim {
            network,
            load: u64::from(self.table.under_way_in(network)) + 2 * u64::from(self.table.stuck_in(network)),
            under_way: self.table.under_way_in(network).into(),
            yields: pace.yields(),
            is_proven: pace.is_proven(),
            last_turn: pace.last_turn(),
        }
    }

    /// Whether a network leaves the next dial to other candidates.
    fn must_wait(&self, network: NetworkKind, candidates: NetworkSet) -> bool {
        if self.is_proven(network) || candidates.without(network).is_empty() {
            return false;
        }
        let claim = self.claim(network);
        self.another_may_do_better(claim, candidates) && self.takes_its_share(claim)
    }

    /// Whether another candidate has answered a dial before, and yields not much less.
    fn another_may_do_better(&self, claim: Claim, candidates: NetworkSet) -> bool {
        let may = |network: NetworkKind| {
            network != claim.network
                && self.health[network.index()].ever_answered()
                && self.pace(network).yields().saturating_mul(MUCH_LESS) >= claim.yields
        };
        candidates.iter().any(may)
    }

    /// Whether a network has as much under way as one may that yields nothing.
    fn takes_its_share(&self, claim: Claim) -> bool {
        let split = self.split();
        // With hedging off, the share is of the slots.
        let of = |kind| self.max_hedged(kind).max(split.of(kind));
        let all = AUTOMATIC.into_iter().fold(0u32, |all, kind| all.saturating_add(of(kind)));
        claim.under_way >= u64::from((all / PARTS * DOUBTFUL_PARTS).max(1))
    }
}
