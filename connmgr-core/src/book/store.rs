//! The entries of the book, by slot and by address.
//!
//! Its collections change together, only here: the slots, the free slots, the index by address, and the hosts that are
//! too wide for an entry. It decides nothing.

use alloc::vec::Vec;
use core::ops::Range;

use super::entry::Entry;
use super::index::Index;
use super::key::{Key, ShortKey, WideHost};
use super::secret::{Hash, Secret};
use crate::mechanisms::frugal;
use crate::mechanisms::pages::Pages;
use crate::types::PeerAddress;

/// The entries. An entry keeps its slot number for as long as it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Store {
    slots: Pages<Option<Entry>>,
    free: Vec<u32>,
    index: Index,
    wide: Pages<WideHost>,
    free_wide: Vec<u32>,
}

impl Store {
    /// An empty store; allocates nothing.
    pub(super) const fn new() -> Self {
        Self { slots: Pages::new(), free: Vec::new(), index: Index::new(), wide: Pages::new(), free_wide: Vec::new() }
    }

    /// Adds an entry, whose address is not there yet. Returns its slot.
    pub(super) fn insert(
        &mut self,
        key: &Key,
        hash: Hash,
        secret: Secret,
        entry: impl FnOnce(ShortKey) -> Entry,
    ) -> u32 {
        debug_assert!(self.find(key, hash).is_none(), "the address is new");
        let (wide, free_wide) = (&mut self.wide, &mut self.free_wide);
        let entry = entry(key.shortened(|host| match free_wide.pop() {
            Some(number) => {
                wide[number as usize] = *host;
                number
            }
            None => {
                wide.push(*host);
                number(wide.len() - 1)
            }
        }));
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            number(self.slots.len() - 1)
        });
        let (slots, wide) = (&self.slots, &self.wide);
        self.index.insert(hash.0, slot, |other| secret.of_address(&key_in(slots, wide, other)).0);
        self.slots[slot as usize] = Some(entry);
        slot
    }

    /// Removes the entry in a slot.
    pub(super) fn remove(&mut self, slot: u32, secret: Secret) {
        let hash = secret.of_address(&self.key(slot));
        self.index.remove(hash.0, slot);
        let entry = self.slots[slot as usize].take().expect("the slot is taken");
        if let Some(number) = entry.key().wide() {
            frugal::push(&mut self.free_wide, number);
        }
        frugal::push(&mut self.free, slot);
    }

    /// The slot of an address.
    pub(super) fn find(&self, key: &Key, hash: Hash) -> Option<u32> {
        let is = |slot: u32| self.slots[slot as usize].as_ref().is_some_and(|entry| entry.key().is(key, &self.wide));
        self.index.find(hash.0, is)
    }

    /// Whether a slot holds this address.
    #[inline]
    pub(super) fn is_at(&self, slot: u32, address: &PeerAddress) -> bool {
        self.get(slot).is_some_and(|entry| entry.key().is_of(address, &self.wide))
    }

    /// The entry in a slot, if it is taken.
    pub(super) fn get(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// The entry in a slot that is taken.
    pub(super) fn entry(&self, slot: u32) -> &Entry {
        self.slots[slot as usize].as_ref().expect("the slot is taken")
    }

    /// The same, mutable.
    pub(super) fn entry_mut(&mut self, slot: u32) -> &mut Entry {
        self.slots[slot as usize].as_mut().expect("the slot is taken")
    }

    /// The key of the entry in a slot that is taken.
    pub(super) fn key(&self, slot: u32) -> Key {
        key_in(&self.slots, &self.wide, slot)
    }

    /// The address of an entry.
    pub(super) fn address(&self, entry: &Entry) -> PeerAddress {
        entry.key().address(&self.wide)
    }

    /// The number of entries.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The number of slots, free ones included.
    pub(super) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// All entries with their slots, by slot.
    pub(super) fn slots(&self) -> impl Iterator<Item = (u32, &Entry)> {
        self.slots.iter().enumerate().filter_map(|(slot, entry)| entry.as_ref().map(|entry| (number(slot), entry)))
    }

    /// The entries in these slots, with the slots.
    pub(super) fn slots_in(&self, slots: Range<u32>) -> impl Iterator<Item = (u32, &Entry)> {
        slots.filter_map(|slot| self.get(slot).map(|entry| (slot, entry)))
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn check(&self, secret: Secret) -> Result<(), &'static str> {
        let require = |holds: bool, broken: &'static str| if holds { Ok(()) } else { Err(broken) };
        let taken = self.slots().count();
        require(self.index.len() == taken, "book: the index does not count as many addresses as there are")?;
        require(self.free.len() + taken == self.slots.len(), "book: a slot is neither taken nor free")?;
        let is_free = |slot: &u32| self.slots.get(*slot as usize).is_some_and(Option::is_none);
        require(self.free.iter().all(is_free), "book: a slot is taken and free")?;
        let mut wide: Vec<u32> = self.slots().filter_map(|(_, entry)| entry.key().wide()).collect();
        wide.extend(&self.free_wide);
        wide.sort_unstable();
        let every = (0..self.wide.len()).map(number);
        require(wide.into_iter().eq(every), "book: a wide host is not of one address")?;
        for (slot, _) in self.slots() {
            let key = self.key(slot);
            let found = self.find(&key, secret.of_address(&key));
            require(found == Some(slot), "book: the index does not find an address in its slot")?;
        }
        Ok(())
    }

    /// The bytes of the collections on the heap, spare room included.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let numbers = self.free.capacity() + self.free_wide.capacity();
        self.slots.heap_bytes() + self.wide.heap_bytes() + numbers * size_of::<u32>() + self.index.heap_bytes()
    }
}

fn key_in(slots: &Pages<Option<Entry>>, wide: &Pages<WideHost>, slot: u32) -> Key {
    slots[slot as usize].as_ref().expect("the slot is taken").key().lengthened(wide)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a book has at most 81 920 addresses")
}
