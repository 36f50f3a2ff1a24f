//! Which slot an address is in: a hash table of slot numbers, keyed so that nobody can aim at one bucket.
//!
//! It holds no addresses: the store tells it what is in a slot. Nothing ever walks through it, so its order never
//! reaches an output.

use core::fmt;
use core::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;

use super::key::Key;
use crate::mechanisms::hasher::Keyed;

/// Slot numbers, found by key.
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

    /// Notes that `key`, which is in no slot yet, is in `slot`. `key_of` tells what is in the other slots.
    pub(super) fn insert<'a>(&mut self, key: &Key, slot: u32, key_of: impl Fn(u32) -> &'a Key) {
        let keyed = self.keyed;
        self.table.insert_unique(hash(keyed, key), slot, |slot| hash(keyed, key_of(*slot)));
    }

    /// Forgets where `key` is, and tells it.
    pub(super) fn remove<'a>(&mut self, key: &Key, key_of: impl Fn(u32) -> &'a Key) -> Option<u32> {
        let found = self.table.find_entry(hash(self.keyed, key), |slot| key_of(*slot) == key);
        found.ok().map(|found| found.remove().0)
    }

    /// Where `key` is.
    pub(super) fn find<'a>(&self, key: &Key, key_of: impl Fn(u32) -> &'a Key) -> Option<u32> {
        self.table.find(hash(self.keyed, key), |slot| key_of(*slot) == key).copied()
    }

    /// How many keys there are.
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

/// Indexes of the same slots are equal: all that may differ is how the table is laid out.
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
