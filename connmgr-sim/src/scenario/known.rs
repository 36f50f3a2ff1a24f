//! What a manager knows when the world begins, as if an earlier run had saved it.

use std::time::Duration;

use connmgr_core::{PeerAddress, Placement, SavedAddress, Services, Snapshot, SourceGroup, UnixTime};

use super::Acquaintance;
use super::map::{BEGINNING, WorldMap};
use crate::types::{Dice, DrawPurpose};

/// The addresses that a manager knows when the world begins.
pub(crate) fn known_at_start(plan: &WorldMap, node: u32) -> Vec<PeerAddress> {
    let saved = saved_before(plan, node).map(|saved| saved.addresses).unwrap_or_default();
    saved.into_iter().map(|saved| saved.address).collect()
}

/// What a manager saved before the world began; `None` if it knows no addresses.
pub(crate) fn saved_before(plan: &WorldMap, node: u32) -> Option<Snapshot> {
    let mut addresses = Vec::new();
    for (number, acquaintance) in (0u64..).zip(&plan.scenario.book.knows) {
        let dice = Dice::new(plan.seed, DrawPurpose::Acquaintance, node.into()).part(number);
        let whole = plan.addresses(&acquaintance.of);
        let wanted = acquaintance.count.unwrap_or(u32::MAX) as usize;
        let chosen = choose(whole.len(), wanted, &dice);
        addresses.extend(chosen.into_iter().map(|at| remembered(plan, acquaintance, &whole[at], dice.part(at as u64))));
    }
    let own = &plan.nodes[node as usize];
    addresses.retain(|saved| saved.address != *own);
    (!addresses.is_empty()).then(|| Snapshot { addresses, ..Snapshot::default() })
}

/// `wanted` of `len` places, by a partial shuffle; all of them in order if all are wanted.
fn choose(len: usize, wanted: usize, dice: &Dice) -> Vec<usize> {
    let mut places: Vec<usize> = (0..len).collect();
    if wanted >= len {
        return places;
    }
    let mut dice = *dice;
    for place in 0..wanted {
        let other = place + dice.index(len - place);
        places.swap(place, other);
    }
    places.truncate(wanted);
    places
}

fn remembered(plan: &WorldMap, acquaintance: &Acquaintance, address: &PeerAddress, mut dice: Dice) -> SavedAddress {
    let age = dice.between(Duration::ZERO, acquaintance.seen_within.0);
    let seen = BEGINNING.before(age);
    let never = UnixTime::from_secs(0);
    let info = plan.info(address.clone(), seen);
    SavedAddress {
        address: info.address,
        services: Services::from_bits(info.services.bits()),
        last_seen: seen,
        last_try: if acquaintance.tried { seen } else { never },
        last_success: if acquaintance.tried { seen } else { never },
        failures: 0,
        v1_only: false,
        source: SourceGroup::UNKNOWN,
        placement: Placement::Anew,
    }
}
