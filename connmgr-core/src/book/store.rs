//! The entries of the book, found by address, or by number within a network.
//!
//! Its four collections change together, only here: the slots, the free slots, the index by address, and a list of
//! slots for each network. It decides nothing.

use alloc::vec::Vec;
use core::ops::Range;

use super::entry::Entry;
use super::index::Index;
use super::key::Key;
use crate::types::{NetworkKind, NetworkSet};

/// The entries. An entry keeps its slot number for as long as it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Store {
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    index: Index,
    lists: [Vec<u32>; NetworkKind::ALL.len()],
}

impl Store {
    /// An empty store; allocates nothing.
    pub(super) const fn new(keys: (u64, u64)) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: Index::new(keys),
            lists: [const { Vec::new() }; NetworkKind::ALL.len()],
        }
    }

    /// Adds an entry, unless its address is there already. Returns its slot.
    pub(super) fn insert(&mut self, mut entry: Entry) -> Option<u32> {
        if self.get(entry.key()).is_some() {
            return None;
        }
        let list = &mut self.lists[entry.key().network().index()];
        entry.place = number(list.len());
        let slot = self.free.pop().unwrap_or_else(|| {
            push(&mut self.slots, None);
            number(self.slots.len() - 1)
        });
        push(list, slot);
        let slots = &mut self.slots;
        self.index.insert(entry.key(), slot, |other| key_of(slots, other));
        slots[slot as usize] = Some(entry);
        Some(slot)
    }

    /// Removes the entry of an address. The last entry in its network's list takes its place there.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Entry> {
        let slot = self.index.remove(key, |slot| key_of(&self.slots, slot))?;
        let entry = self.slots[slot as usize].take()?;
        let list = &mut self.lists[key.network().index()];
        list.swap_remove(entry.place as usize);
        if let Some(moved) = list.get(entry.place as usize) {
            self.slots[*moved as usize].as_mut().expect("a listed slot is taken").place = entry.place;
        }
        push(&mut self.free, slot);
        Some(entry)
    }

    /// The entry of an address, mutable, and its slot.
    pub(super) fn get_mut(&mut self, key: &Key) -> Option<(u32, &mut Entry)> {
        let slot = self.index.find(key, |slot| key_of(&self.slots, slot))?;
        self.slots[slot as usize].as_mut().map(|entry| (slot, entry))
    }

    /// The entry of an address.
    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        let slot = self.index.find(key, |slot| key_of(&self.slots, slot))?;
        self.slots[slot as usize].as_ref()
    }

    /// Entry number `n` in these networks, counted from 0. Removing an entry changes the numbers.
    pub(super) fn nth(&self, networks: NetworkSet, mut n: usize) -> Option<&Entry> {
        for network in networks.iter() {
            let list = &self.lists[network.index()];
            if let Some(slot) = list.get(n) {
                return self.slots[*slot as usize].as_ref();
            }
            n -= list.len();
        }
        None
    }

    /// The number of entries in these networks.
    pub(super) fn len_in(&self, networks: NetworkSet) -> usize {
        networks.iter().map(|network| self.lists[network.index()].len()).sum()
    }

    /// The entries in these slots, with the slots.
    pub(super) fn slots_in(&self, slots: Range<u32>) -> impl Iterator<Item = (u32, &Entry)> {
        let taken = self.slots.get(slots.start as usize..slots.end as usize).unwrap_or_default();
        (slots.start..).zip(taken).filter_map(|(slot, entry)| entry.as_ref().map(|entry| (slot, entry)))
    }

    /// The first slot that was never taken.
    pub(super) fn end(&self) -> u32 {
        number(self.slots.len())
    }

    /// All entries with their slots, mutable.
    pub(super) fn slots_mut(&mut self) -> impl Iterator<Item = (u32, &mut Entry)> {
        self.slots.iter_mut().enumerate().filter_map(|(slot, entry)| entry.as_mut().map(|entry| (number(slot), entry)))
    }

    /// All entries, by slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().flatten()
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let require = |holds: bool, broken: &'static str| if holds { Ok(()) } else { Err(broken) };
        let taken = self.iter().count();
        require(self.index.len() == taken, "book: the index does not count as many addresses as there are")?;
        require(self.len_in(NetworkSet::ALL) == taken, "book: the lists do not count as many addresses as there are")?;
        require(self.free.len() + taken == self.slots.len(), "book: a slot is neither taken nor free")?;
        let is_free = |slot: &u32| self.slots.get(*slot as usize).is_some_and(Option::is_none);
        require(self.free.iter().all(is_free), "book: a slot is taken and free")?;
        for (slot, entry) in self.slots.iter().enumerate() {
            let Some(entry) = entry else { continue };
            let found = self.index.find(entry.key(), |other| key_of(&self.slots, other));
            require(found == Some(number(slot)), "book: the index does not find an address in its slot")?;
            let listed = self.lists[entry.key().network().index()].get(entry.place as usize);
            require(listed == Some(&number(slot)), "book: an address is not in its place in the list of its network")?;
        }
        Ok(())
    }

    /// The bytes of the collections on the heap, spare room included.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let numbers = self.free.capacity() + self.lists.iter().map(Vec::capacity).sum::<usize>();
        self.slots.capacity() * size_of::<Option<Entry>>() + numbers * size_of::<u32>() + self.index.heap_bytes()
    }
}

fn key_of(slots: &[Option<Entry>], slot: u32) -> &Key {
    slots[slot as usize].as_ref().expect("an indexed slot is taken").key()
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a book has at most a million addresses")
}

/// Appends with an eighth of spare room; a vector's own growth could leave half of its memory unused.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 8).max(4));
    }
    list.push(item);
}
