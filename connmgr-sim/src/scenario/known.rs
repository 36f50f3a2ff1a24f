//! What a manager knows when the world begins, as if an earlier run had saved it.

use std::time::Duration;

use connmgr_core::{PeerAddress, Placement, SavedAddress, Services, Snapshot, SourceGroup, UnixTime};
use rustc_hash::FxHashMap;

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
        let sources = sources(plan, number, &acquaintance.of);
        addresses.extend(chosen.into_iter().map(|at| {
            let saved = remembered(plan, acquaintance, whole[at], dice.part(at as u64));
            SavedAddress { source: sources(dice.part(at as u64).part(0)), ..saved }
        }));
    }
    let own = &plan.nodes[node as usize];
    addresses.retain(|saved| saved.address != *own);
    (!addresses.is_empty()).then(|| Snapshot { addresses, ..Snapshot::default() })
}

/// Who announced the hosts of a population, drawn for each: no two populations share a source group.
fn sources(plan: &WorldMap, number: u64, of: &str) -> impl Fn(Dice) -> SourceGroup {
    let spec = plan.scenario.hosts.iter().find(|spec| spec.name == of);
    let count = spec.and_then(|spec| spec.sources);
    move |mut dice| {
        let source = |count| SourceGroup::imported(number << 32 | dice.below(u64::from(count)));
        count.map_or(SourceGroup::UNKNOWN, source)
    }
}

/// `wanted` of `len` places, by a partial shuffle; all of them in order if all are wanted. It costs what is wanted, not
/// what there is: each of ten thousand managers chooses among all of them.
fn choose(len: usize, wanted: usize, dice: &Dice) -> Vec<usize> {
    if wanted >= len {
        return (0..len).collect();
    }
    let mut dice = *dice;
    // What was swapped to a place that is not its own.
    let mut swapped: FxHashMap<usize, usize> = FxHashMap::default();
    let one = |place: usize| {
        let other = place + dice.index(len - place);
        let here = swapped.remove(&place).unwrap_or(place);
        if other == place { here } else { swapped.insert(other, here).unwrap_or(other) }
    };
    (0..wanted).map(one).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_the_beginning_of_a_shuffle() {
        for (len, wanted) in [(1, 0), (2, 1), (50, 49), (1000, 300), (7, 7)] {
            let dice = Dice::new(3, DrawPurpose::Acquaintance, len as u64);
            let (mut whole, mut draws): (Vec<usize>, Dice) = ((0..len).collect(), dice);
            if wanted < len {
                (0..wanted).for_each(|place| whole.swap(place, place + draws.index(len - place)));
            }
            assert_eq!(choose(len, wanted, &dice), whole[..wanted], "{wanted} of {len}");
        }
    }
}
