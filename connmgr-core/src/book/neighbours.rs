//! The address groups of the book, and the addresses of each: to limit a group's share of the choices.
//!
//! A group is counted once in each network. Its addresses form a ring, linked in their entries; those who draw from it
//! take turns, so that each has the same share.

use alloc::vec::Vec;

use super::index::Index;
use super::marks::Filter;
use super::secret::Hash;
use super::store::Store;
use crate::mechanisms::frugal;
use crate::types::{NetworkKind, NetworkSet};

/// The groups of which addresses are known, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Neighbours {
    groups: Vec<KnownGroup>,
    free: Vec<u32>,
    index: Index,
    /// The numbers of the groups of each network.
    lists: [Vec<u32>; NetworkKind::ALL.len()],
}

/// A group in one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KnownGroup {
    hash: Hash,
    /// The slot of the address whose turn is next.
    turn: u32,
    /// The number of its addresses; 0: the number is free.
    len: u32,
    /// Its places in the tables of new and of tried addresses.
    places: [u32; 2],
    /// Its place in the list of its network.
    listed: u32,
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
            groups: Vec::new(),
            free: Vec::new(),
            index: Index::new(),
            lists: [const { Vec::new() }; NetworkKind::ALL.len()],
        }
    }

    /// Adds the address in a slot to its group. Returns the number of the group.
    pub(super) fn join(&mut self, store: &mut Store, slot: u32, hash: Hash) -> u32 {
        let network = store.entry(slot).network();
        let number = self.find(hash, network).unwrap_or_else(|| self.found(hash, network));
        let group = &mut self.groups[number as usize];
        let last = if group.len == 0 { slot } else { store.entry(group.turn).prev };
        let first = if group.len == 0 { slot } else { group.turn };
        store.entry_mut(last).next = slot;
        store.entry_mut(first).prev = slot;
        let entry = store.entry_mut(slot);
        (entry.group, entry.next, entry.prev) = (number, first, last);
        group.turn = first;
        group.len += 1;
        number
    }

    /// Takes the address in a slot out of its group, which ends with its last address.
    pub(super) fn leave(&mut self, store: &mut Store, slot: u32) {
        let entry = store.entry(slot);
        let (number, next, prev) = (entry.group, entry.next, entry.prev);
        store.entry_mut(prev).next = next;
        store.entry_mut(next).prev = prev;
        let group = &mut self.groups[number as usize];
        if group.turn == slot {
            group.turn = next;
        }
        group.len -= 1;
        if group.len == 0 {
            debug_assert!(group.places == [0, 0], "what is not known has no place");
            self.end(number);
        }
    }

    fn find(&self, hash: Hash, network: NetworkKind) -> Option<u32> {
        let is = |number: u32| {
            let group = &self.groups[number as usize];
            group.hash == hash && group.network == network
        };
        self.index.find(index_hash(hash, network), is)
    }

    fn found(&mut self, hash: Hash, network: NetworkKind) -> u32 {
        let list = &mut self.lists[network.index()];
        let listed = number(list.len());
        let group = KnownGroup { hash, turn: 0, len: 0, places: [0, 0], listed, network };
        let new = match self.free.pop() {
            Some(new) => {
                self.groups[new as usize] = group;
                new
            }
            None => {
                frugal::push(&mut self.groups, group);
                number(self.groups.len() - 1)
            }
        };
        frugal::push(list, new);
        let groups = &self.groups;
        self.index.insert(index_hash(hash, network), new, |other| groups[other as usize].index_hash());
        new
    }

    fn end(&mut self, number: u32) {
        let group = self.groups[number as usize];
        self.index.remove(group.index_hash(), number);
        let list = &mut self.lists[group.network.index()];
        list.swap_remove(group.listed as usize);
        if let Some(moved) = list.get(group.listed as usize) {
            self.groups[*moved as usize].listed = group.listed;
        }
        frugal::push(&mut self.free, number);
    }

    /// The group has a place more in a table.
    pub(super) fn add_place(&mut self, number: u32, side: Side) {
        self.groups[number as usize].places[side as usize] += 1;
    }

    /// The group has a place less in a table.
    pub(super) fn subtract_place(&mut self, number: u32, side: Side) {
        self.groups[number as usize].places[side as usize] -= 1;
    }

    /// The places of a group in a table.
    pub(super) fn places(&self, number: u32, side: Side) -> u32 {
        self.groups[number as usize].places[side as usize]
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
                return Some(*number);
            }
            n -= list.len();
        }
        None
    }

    /// The address of a group whose turn it is; the next time it is another's.
    pub(super) fn take_turn(&mut self, store: &Store, number: u32) -> u32 {
        let group = &mut self.groups[number as usize];
        let slot = group.turn;
        group.turn = store.entry(slot).next;
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
                counts.get_mut(entry.group as usize).ok_or("book: an address has a group that is not known")?;
            *count += 1;
            let here = places(slot);
            (of_both[0], of_both[1]) = (of_both[0] + here[0], of_both[1] + here[1]);
            let linked = store.get(entry.next).is_some_and(|next| next.prev == slot && next.group == entry.group);
            if !linked || self.groups[entry.group as usize].network != entry.network() {
                return Err("book: the ring of a group is broken");
            }
        }
        for (at, group) in self.groups.iter().enumerate() {
            let turn = group.len == 0 || store.get(group.turn).is_some_and(|entry| entry.group as usize == at);
            if (group.len, group.places) != counts[at] || !turn {
                return Err("book: the addresses of a group are counted wrong");
            }
            let is_listed = self.lists[group.network.index()].get(group.listed as usize) == Some(&number(at));
            let is_found = self.find(group.hash, group.network) == Some(number(at));
            if group.len > 0 && !(is_listed && is_found) {
                return Err("book: a group is not where it is listed");
            }
        }
        let taken = self.groups.iter().filter(|group| group.len > 0).count();
        let is_counted = taken == self.index.len() && taken == self.len_in(Filter::ANY);
        if !is_counted || taken + self.free.len() != self.groups.len() {
            return Err("book: the groups are counted wrong");
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let numbers = self.free.capacity() + self.lists.iter().map(Vec::capacity).sum::<usize>();
        self.groups.capacity() * size_of::<KnownGroup>() + numbers * size_of::<u32>() + self.index.heap_bytes()
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
