//! The index of the book: a hash table of slot numbers, with secret keys, so that no one can choose addresses with
//! equal hashes.
//!
//! It stores no addresses: the store says what is in a slot. It is never iterated, so its order never reaches an
//! output.

use core::fmt;
use core::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;

use super::key::Key;
use crate::mechanisms::hasher::Keyed;

/// Slot numbers by key.
#[derive(Clone)]
pub(super) struct Index {
    keyed: Keyed,
    table: HashTable<u32>,
}

impl Index {
    /// An empty index; allocates nothing. `keys` are secret and never change.
    pub(super) const fn new(keys: (u64, u64)) -> Self {
        Self { keyed: Keyed::new(keys.0, keys.1), table: HashTable::new() }
    }

    /// Adds a new `key` in `slot`. `key_of` returns the key in a slot.
    pub(super) fn insert<'a>(&mut self, key: &Key, slot: u32, key_of: impl Fn(u32) -> &'a Key) {
        let keyed = self.keyed;
        self.table.insert_unique(hash(keyed, key), slot, |slot| hash(keyed, key_of(*slot)));
    }

    /// Removes a key. Returns its slot.
    pub(super) fn remove<'a>(&mut self, key: &Key, key_of: impl Fn(u32) -> &'a Key) -> Option<u32> {
        let found = self.table.find_entry(hash(self.keyed, key), |slot| key_of(*slot) == key);
        found.ok().map(|found| found.remove().0)
    }

    /// The slot of a key.
    pub(super) fn find<'a>(&self, key: &Key, key_of: impl Fn(u32) -> &'a Key) -> Option<u32> {
        self.table.find(hash(self.keyed, key), |slot| key_of(*slot) == key).copied()
    }

    /// The number of keys.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.table.allocation_size()
    }
}

fn hash(keyed: Keyed, key: &Key) -> u64 {
    let mut hasher = keyed.build_hasher();
    key.write_to(&mut hasher);
    hasher.finish()
}

/// Indexes of the same slots are equal; only the layout of the table may differ.
impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.keyed == other.keyed && self.table.len() == other.table.len()
    }
}

impl Eq for Index {}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("len", &self.table.len()).finish_non_exhaustive()
    }
}
