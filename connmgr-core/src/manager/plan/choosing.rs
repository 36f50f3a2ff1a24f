//! Whom to dial next: the networks take turns, and in each the book chooses.
//!
//! The network with the least under way, for what dials into it yield, comes first. So one that is dead, or answers
//! slowly, costs one that is alive next to nothing, from the first dial on. Where a slot can't be taken back from a dial
//! that makes no progress, chance decides instead, by how many addresses are known in each: a turn for a network of ten
//! dead addresses might else hold a slot up for as long as a dial may take. Each network has a pace of its own.

use core::time::Duration;

use crate::book::Choice;
use crate::types::{Kind, NetworkKind, NetworkSet, PeerAddress, Time};

use super::ConnManager;
use crate::manager::Obstacle;
use crate::manager::rules::Rules;
use crate::manager::slots::AUTOMATIC;

/// Where nobody else is left, an address that rests is dialed all the same after this.
const LONGEST_REST_WHERE_SCARCE: Duration = Duration::from_secs(60);

/// Of those that may go on without a slot, a network from which nothing came so far takes so many parts of [`PARTS`] at
/// the most, if another may do better: there is always room to hedge for the last slot.
const DOUBTFUL_PARTS: u32 = 3;
const PARTS: u32 = 4;
/// What yields less than one in so many parts of another does not do better.
const MUCH_LESS: u64 = 16;

/// Who is dialed next.
pub(super) enum Chosen {
    /// This address.
    Address(PeerAddress),
    /// Somebody, but not before this.
    Later(Time),
    /// Nobody that is known.
    Nobody,
}

/// Whose turn it is.
struct Turns {
    /// The first `count` may be dialed.
    order: [NetworkKind; NetworkKind::ALL.len()],
    count: usize,
    /// Another would be among them, and has its share under way.
    some_wait: bool,
}

/// Among whom an address is chosen.
#[derive(Clone, Copy)]
pub(super) struct Among {
    /// No address rests longer than this.
    longest_rest: Duration,
    /// Only where a connection was ready before.
    only_met: bool,
}

/// A network's claim to be next.
#[derive(Clone, Copy)]
struct Claim {
    network: NetworkKind,
    /// Dials and connections that are not ready; what makes no progress counts three times.
    load: u64,
    under_way: u64,
    yields: u64,
    is_proven: bool,
    last_turn: u64,
}

impl Claim {
    /// Less under way, for what it yields, comes first; then what is proven; then what was chosen longest ago.
    fn order(&self, other: &Self) -> core::cmp::Ordering {
        let load = (self.load + 1) * other.yields;
        load.cmp(&((other.load + 1) * self.yields))
            .then(other.is_proven.cmp(&self.is_proven))
            .then(self.last_turn.cmp(&other.last_turn))
    }
}

impl ConnManager {
    /// Chooses whom to dial next; if `only_proven`, in networks from which something has come.
    pub(super) fn choose_next(&mut self, kind: Kind, only_proven: bool) -> Chosen {
        let Turns { mut order, count, some_wait } = self.networks_in_turn(only_proven);
        if count > 1 && !self.can_take_slots_back(kind) {
            let first = self.draw_network(&order[..count]);
            order[..=first].rotate_right(1);
        }
        // One that has its share under way goes on when something of that has ended: that is told.
        let mut later = some_wait.then(|| self.now().after(crate::mechanisms::pace::SLOWEST));
        for network in order.into_iter().take(count) {
            let at = self.pace(network).next_at();
            if at > self.now() {
                later = Some(later.map_or(at, |other: Time| other.min(at)));
            } else if let Some(address) = self.choose_up(kind, network, self.rested()) {
                return Chosen::Address(address);
            }
        }
        later.map_or(Chosen::Nobody, Chosen::Later)
    }

    /// Chooses in a network of which nobody is connected, if one may have a trial: where the last slot of a kind is free,
    /// and all others are held by stable connections.
    pub(super) fn choose_for_trial(&mut self, kind: Kind) -> Option<PeerAddress> {
        if !self.is_last_slot_free(kind) {
            return None;
        }
        let (now, up) = (self.now(), self.networks_up());
        let may = |network: &NetworkKind| {
            self.trials[network.index()].is_due(now)
                && self.book.len_of(*network) > 0
                && self.pace(*network).next_at() <= now
                && self.table.under_way_in(*network) == 0
                && self.ready_in(*network).next().is_none()
        };
        let network = up.iter().filter(may).min_by_key(|network| self.pace(*network).last_turn())?;
        if !self.ready_ones(kind).all(|conn| self.was_stable(conn)) {
            return None;
        }
        let address = self.choose_up(kind, network, self.rested())?;
        self.trials[network.index()].begin(now);
        Some(address)
    }

    /// Whether a kind has one slot free, and all others, two at the least, are held by what is ready.
    fn is_last_slot_free(&self, kind: Kind) -> bool {
        let ready = self.table.ready(kind);
        ready >= 2 && self.table.slots_held(kind) == ready && self.split().of(kind) == ready + 1
    }

    /// Chooses among those that rest, where there is nobody else: at the slowest pace.
    pub(super) fn choose_resting(&mut self, kind: Kind) -> Option<PeerAddress> {
        let Turns { order, count, .. } = self.networks_in_turn(false);
        let now = self.now();
        order.into_iter().take(count).find_map(|network| {
            let is_ready = self.pace(network).next_scarce_at() <= now;
            if is_ready { self.choose_resting_in(kind, network) } else { None }
        })
    }

    /// Every other time one who was once ready: a world that broke all connections for a while is then soon well again,
    /// and those who do nothing but get ready and go don't take every turn.
    fn choose_resting_in(&mut self, kind: Kind, network: NetworkKind) -> Option<PeerAddress> {
        let anybody = Among { longest_rest: LONGEST_REST_WHERE_SCARCE, only_met: false };
        let prefers_met = self.rng.below(2) == 0;
        let met = if prefers_met { self.choose_up(kind, network, Among { only_met: true, ..anybody }) } else { None };
        met.or_else(|| self.choose_up(kind, network, anybody))
    }

    /// All who have rested for as long as is usual.
    pub(super) fn rested(&self) -> Among {
        Among { longest_rest: self.config.dial.spacing, only_met: false }
    }

    fn choose_up(&mut self, kind: Kind, network: NetworkKind, among: Among) -> Option<PeerAddress> {
        self.choose(kind, network, among, |rules, address| rules.obstacle(address))
    }

    /// Chooses whom to dial in a network, where no obstacle of this sort is met.
    pub(super) fn choose(
        &mut self,
        kind: Kind,
        network: NetworkKind,
        among: Among,
        obstacle: impl Fn(&Rules<'_>, &PeerAddress) -> Option<Obstacle>,
    ) -> Option<PeerAddress> {
        let choice = Choice {
            networks: NetworkSet::EMPTY.with(network),
            services: self.config.required.of(kind),
            default_port: self.config.default_port,
            spacing: self.config.dial.spacing,
            min_spacing: self.config.dial.min_spacing,
            longest_rest: among.longest_rest,
            only_met: among.only_met,
        };
        let (rules, book, rng) = self.rules_and_book();
        let now = rules.now;
        let allowed = |address: &PeerAddress| {
            obstacle(&rules, address).is_none() && !rules.is_alias(address) && rules.group_is_free(kind, address)
        };
        book.pick(rng, &choice, now, allowed)
    }

    /// The networks that may be dialed now, the one whose turn it is first.
    fn networks_in_turn(&self, only_proven: bool) -> Turns {
        let mut claims = NetworkKind::ALL.map(|network| self.claim(network));
        let up = self.networks_up();
        let (mut count, mut some_wait) = (0, false);
        for at in 0..claims.len() {
            let claim = claims[at];
            let may =
                up.contains(claim.network) && self.book.len_of(claim.network) > 0 && (claim.is_proven || !only_proven);
            let waits = !claim.is_proven && self.takes_its_share(claim) && self.another_may_do_better(claim, up);
            some_wait |= may && waits;
            if may && !waits {
                claims.swap(count, at);
                count += 1;
            }
        }
        claims[..count].sort_unstable_by(Claim::order);
        Turns { order: claims.map(|claim| claim.network), count, some_wait }
    }

    /// Whether at least half of a kind's slots could be taken back from dials that make no progress.
    fn can_take_slots_back(&self, kind: Kind) -> bool {
        let split = self.split();
        let room = self.limits.total.saturating_sub(split.reserved());
        self.max_hedged(kind).min(room) >= split.of(kind).div_ceil(2)
    }

    /// Draws one of the networks, by how many addresses are known there and what dials yield. Returns its place.
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

    /// Whether another network is known of which somebody has answered, and which yields not much less.
    fn another_may_do_better(&self, claim: Claim, up: NetworkSet) -> bool {
        let may = |network: NetworkKind| {
            network != claim.network
                && self.book.len_of(network) > 0
                && self.health[network.index()].ever_answered()
                && self.pace(network).yields().saturating_mul(MUCH_LESS) >= claim.yields
        };
        up.iter().any(may)
    }

    /// Whether a network has as much under way as one may from which nothing comes.
    fn takes_its_share(&self, claim: Claim) -> bool {
        let split = self.split();
        // Where hedging is off, of the slots.
        let of = |kind| self.max_hedged(kind).max(split.of(kind));
        let all = AUTOMATIC.into_iter().fold(0u32, |all, kind| all.saturating_add(of(kind)));
        claim.under_way >= u64::from((all / PARTS * DOUBTFUL_PARTS).max(1))
    }
}
