//! Samples the book for an answer to getaddr: random addresses, each at most once.
//!
//! It knows nothing about who asks, or how often. One answer holds at most 23 % of the book, as in Bitcoin Core,
//! but rounded up: a network of a few nodes must be able to gossip, too.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::Book;
use super::marks::{Class, Filter};
use crate::mechanisms::rng::Rng;
use crate::types::{AddressInfo, NetworkKind, NetworkSet, PeerAddress, Time, UnixTime};

/// The share of the book in one answer, in percent, as in Core.
const MAX_PERCENT: usize = 23;
/// Addresses examined for each one returned: enough if three quarters are terrible or banned, and a bound if all are.
const LOOKS_PER_ADDRESS: usize = 4;
/// A network with less than one in this many of the slots is rare.
const RARE: usize = 4;

impl Book {
    /// Random different addresses, only of `network` if given, without terrible ones and those not `allowed`: at most
    /// `count`, and at most 23 % of those known there, rounded up. Dates follow a wall clock that shows `unix` at `now`.
    pub(crate) fn sample(
        &self,
        rng: &mut Rng,
        network: Option<NetworkKind>,
        count: u32,
        unix: UnixTime,
        now: Time,
        allowed: impl Fn(&PeerAddress) -> bool,
    ) -> Vec<AddressInfo> {
        let networks = network.map_or(NetworkSet::ALL, |network| NetworkSet::EMPTY.with(network));
        let filter = Filter { networks, class: Class::Any };
        let known = self.known.of(filter);
        let wanted = (known * MAX_PERCENT).div_ceil(100).min(count as usize);
        // A rare network is gathered; otherwise most looks at any slot find it.
        let slots = self.store.slot_count();
        let gathered = (known * RARE < slots).then(|| self.gather(filter));
        let (len, looks) = match &gathered {
            Some(all) => (all.len(), LOOKS_PER_ADDRESS),
            None => (slots, LOOKS_PER_ADDRESS * slots.div_ceil(known.max(1))),
        };
        let mut deck = Deck::new(len);
        let mut told = Vec::with_capacity(wanted);
        for _ in 0..wanted * looks {
            if told.len() == wanted {
                break;
            }
            let Some(card) = deck.draw(rng) else { break };
            let slot = gathered.as_ref().map_or_else(|| u32::try_from(card).ok(), |all| all.get(card).copied());
            let Some(entry) = slot.and_then(|slot| self.store.get(slot)) else { continue };
            if !networks.contains(entry.network()) || entry.is_terrible(now) {
                continue;
            }
            let address = self.store.address(entry);
            if allowed(&address) {
                let (services, last_seen) = (entry.services(), entry.last_seen().unix(unix, now));
                told.push(AddressInfo::new(address).services(services).last_seen(last_seen));
            }
        }
        told
    }

    /// The slots of all addresses that pass a filter.
    fn gather(&self, filter: Filter) -> Vec<u32> {
        let tables = [&self.new, &self.tried].into_iter().flat_map(|table| table.places_of(filter));
        // One with several places counts once.
        tables.filter(|(place, slot)| self.store.entry(*slot).place == *place).map(|(_, slot)| slot).collect()
    }
}

/// The numbers below `len`, shuffled (Fisher and Yates). Stores only the cards that have moved, so drawing few of many
/// is cheap.
struct Deck {
    len: usize,
    drawn: usize,
    /// (place, card), for places whose card is not their own number.
    moved: HashTable<(usize, usize)>,
}

impl Deck {
    const fn new(len: usize) -> Self {
        Self { len, drawn: 0, moved: HashTable::new() }
    }

    /// The next card; `None` if all are drawn.
    fn draw(&mut self, rng: &mut Rng) -> Option<usize> {
        let left = self.len - self.drawn;
        if left == 0 {
            return None;
        }
        let place = self.drawn + rng.index(left);
        let top = self.card_at(self.drawn);
        self.drawn += 1;
        match self.moved.find_mut(spread(place), |(at, _)| *at == place) {
            Some((_, card)) => Some(core::mem::replace(card, top)),
            None => {
                self.moved.insert_unique(spread(place), (place, top), |(at, _)| spread(*at));
                Some(place)
            }
        }
    }

    fn card_at(&self, place: usize) -> usize {
        self.moved.find(spread(place), |(at, _)| *at == place).map_or(place, |(_, card)| *card)
    }
}

/// Places are random and our own, so this simple hash suffices: 2^64 divided by the golden ratio.
const fn spread(place: usize) -> u64 {
    (place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
