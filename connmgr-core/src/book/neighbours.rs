//! The address groups of the book, and the addresses of each: to limit a group's share of the choices.
//!
//! A group is counted once in each network. Its addresses form a ring, linked in their entries; those who draw from it
//! take turns, so that each has the same share.

use alloc::vec::Vec;

use super::entry::Entry;
use super::index::Index;
use super::marks::Filter;
use super::secret::Hash;
use super::short::Short;
use super::store::Store;
use crate::mechanisms::frugal;
use crate::mechanisms::pages::Pages;
use crate::types::{NetworkKind, NetworkSet};

/// The groups of which addresses are known, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Neighbours {
    groups: Pages<KnownGroup>,
    free: Vec<u32>,
    index: Index,
    /// The numbers of the groups of each network.
    lists: [Vec<Short>; NetworkKind::ALL.len()],
}

/// A group in one network. 21 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed)]
struct KnownGroup {
    hash: Hash,
    /// The slot of the address whose turn is next.
    turn: Short,
    /// Its places in the tables of new and of tried addresses.
    places: [Short; 2],
    /// Its place in the list of its network.
    listed: Short,
    network: NetworkKind,
}

/// The table of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    New,
    Tried,
}

impl Neighbours {
    /// No group; allocates nothing.
    pub(super) const fn new() -> Self {
        Self {
            groups: Pages::new(),
            free: Vec::new(),
            index: Index::new(),
            lists: [const { Vec::new() }; NetworkKind::ALL.len()],
        }
    }

    /// Adds the address in a slot to its group. Returns the number of the group.
    pub(super) fn join(&mut self, store: &mut Store, slot: u32, hash: Hash) -> u32 {
        let network = store.entry(slot).network();
        let known = self.find(hash, network);
        let number = known.unwrap_or_else(|| self.found(hash, network, slot));
        // The first address is its own neighbour.
        let first = self.groups[number as usize].turn.get();
        let last = if known.is_none() { slot } else { store.entry(first).neighbours()[0] };
        store.entry_mut(last).set_next(slot);
        store.entry_mut(first).set_prev(slot);
        let entry = store.entry_mut(slot);
        entry.set_group(number);
        entry.set_next(first);
        entry.set_prev(last);
        number
    }

    /// Takes the address in a slot out of its group, which ends with its last address.
    pub(super) fn leave(&mut self, store: &mut Store, slot: u32) {
        let entry = store.entry(slot);
        let (number, [prev, next]) = (entry.group(), entry.neighbours());
        store.entry_mut(prev).set_next(next);
        store.entry_mut(next).set_prev(prev);
        let group = &mut self.groups[number as usize];
        if group.turn.get() == slot {
            group.turn = Short::of(next);
        }
        if next == slot {
            debug_assert!(group.places == [Short::ZERO; 2], "what is not known has no place");
            self.end(number);
        }
    }

    fn find(&self, hash: Hash, network: NetworkKind) -> Option<u32> {
        let is = |number: u32| {
            let KnownGroup { hash: other, network: its, .. } = self.groups[number as usize];
            other == hash && its == network
        };
        self.index.find(index_hash(hash, network), is)
    }

    /// A group begins, with the address in a slot.
    fn found(&mut self, hash: Hash, network: NetworkKind, slot: u32) -> u32 {
        let list = &mut self.lists[network.index()];
        let listed = Short::of(number(list.len()));
        let group = KnownGroup { hash, turn: Short::of(slot), places: [Short::ZERO; 2], listed, network };
        let new = match self.free.pop() {
            Some(new) => {
                self.groups[new as usize] = group;
                new
            }
            None => {
                self.groups.push(group);
                number(self.groups.len() - 1)
            }
        };
        frugal::push(list, Short::of(new));
        let groups = &self.groups;
        self.index.insert(index_hash(hash, network), new, |other| groups[other as usize].index_hash());
        new
    }

    fn end(&mut self, number: u32) {
        let group = self.groups[number as usize];
        self.index.remove(group.index_hash(), number);
        let list = &mut self.lists[group.network.index()];
        list.swap_remove(group.listed.index());
        if let Some(moved) = list.get(group.listed.index()) {
            self.groups[moved.index()].listed = group.listed;
        }
        frugal::push(&mut self.free, number);
    }

    /// The group has a place more in a table.
    pub(super) fn add_place(&mut self, number: u32, side: Side) {
        self.groups[number as usize].places[side as usize].add_one();
    }

    /// The group has a place less in a table.
    pub(super) fn subtract_place(&mut self, number: u32, side: Side) {
        self.groups[number as usize].places[side as usize].subtract_one();
    }

    /// The places of a group in a table.
    pub(super) fn places(&self, number: u32, side: Side) -> u32 {
        self.groups[number as usize].places[side as usize].get()
    }

    /// The hash of a group.
    pub(super) fn hash(&self, number: u32) -> Hash {
        self.groups[number as usize].hash
    }

    /// The number of groups in these networks.
    pub(super) fn len_in(&self, filter: Filter) -> usize {
        filter.sum(|network| self.lists[network.index()].len())
    }

    /// Group number `n` in these networks, counted from 0.
    pub(super) fn nth(&self, networks: NetworkSet, mut n: usize) -> Option<u32> {
        for network in networks.iter() {
            let list = &self.lists[network.index()];
            if let Some(number) = list.get(n) {
                return Some(number.get());
            }
            n -= list.len();
        }
        None
    }

    /// The address of a group whose turn it is; the next time it is another's.
    pub(super) fn take_turn(&mut self, store: &Store, number: u32) -> u32 {
        let group = &mut self.groups[number as usize];
        let slot = group.turn.get();
        group.turn = Short::of(store.entry(slot).neighbours()[1]);
        slot
    }

    /// Recounts everything. `places` are those of a slot in both tables.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn check(&self, store: &Store, places: impl Fn(u32) -> [u32; 2]) -> Result<(), &'static str> {
        let mut counts = alloc::vec![(0, [0, 0]); self.groups.len()];
        for (slot, entry) in store.slots() {
            let (count, of_both) =
                counts.get_mut(entry.group() as usize).ok_or("book: an address has a group that is not known")?;
            *count += 1;
            let here = places(slot);
            (of_both[0], of_both[1]) = (of_both[0] + here[0], of_both[1] + here[1]);
            let [_, next] = entry.neighbours();
            let is_linked = |next: &Entry| next.neighbours()[0] == slot && next.group() == entry.group();
            let linked = store.get(next).is_some_and(is_linked);
            if !linked || self.groups[entry.group() as usize].network != entry.network() {
                return Err("book: the ring of a group is broken");
            }
        }
        for (at, group) in self.groups.iter().enumerate() {
            let (count, places) = counts[at];
            let is_empty = count == 0;
            let turn = is_empty || store.get(group.turn.get()).is_some_and(|entry| entry.group() as usize == at);
            if group.places.map(Short::get) != places || !turn {
                return Err("book: the places of a group are counted wrong");
            }
            let is_listed = self.lists[group.network.index()].get(group.listed.index()) == Some(&Short::of(number(at)));
            let is_found = self.find(group.hash, group.network) == Some(number(at));
            if !(is_empty || is_listed && is_found) {
                return Err("book: a group is not where it is listed");
            }
        }
        let taken = counts.iter().filter(|(count, _)| *count > 0).count();
        let is_counted = taken == self.index.len() && taken == self.len_in(Filter::ANY);
        if !is_counted || taken + self.free.len() != self.groups.len() {
            return Err("book: the groups are counted wrong");
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let listed = self.lists.iter().map(Vec::capacity).sum::<usize>();
        self.groups.heap_bytes()
            + listed * size_of::<Short>()
            + self.free.capacity() * size_of::<u32>()
            + self.index.heap_bytes()
    }
}

impl KnownGroup {
    const fn index_hash(&self) -> u64 {
        index_hash(self.hash, self.network)
    }
}

const fn index_hash(hash: Hash, network: NetworkKind) -> u64 {
    hash.0 ^ (network.index() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("no more groups than addresses")
}
