//! Which slot an address is in: a hash table of slot numbers, keyed so that nobody can aim at one bucket.
//!
//! It holds no addresses: the store tells it what is in a slot. Nothing ever walks through it, so its order never
//! reaches an output.

use core::fmt;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use super::key::Key;

/// Slot numbers, found by key.
#[derive(Clone)]
pub(super) struct Index {
    keys: (u64, u64),
    table: HashTable<u32>,
}

impl Index {
    /// An empty index; allocates nothing. `keys` are secret and never change.
    pub(super) const fn new(keys: (u64, u64)) -> Self {
        Self { keys, table: HashTable::new() }
    }

    /// Notes that `key`, which is in no slot yet, is in `slot`. `key_of` tells what is in the other slots.
    pub(super) fn insert<'a>(&mut self, key: &Key, slot: u32, key_of: impl Fn(u32) -> &'a Key) {
        let keys = self.keys;
        self.table.insert_unique(hash(keys, key), slot, |slot| hash(keys, key_of(*slot)));
    }

    /// Forgets where `key` is, and tells it.
    pub(super) fn remove<'a>(&mut self, key: &Key, key_of: impl Fn(u32) -> &'a Key) -> Option<u32> {
        let found = self.table.find_entry(hash(self.keys, key), |slot| key_of(*slot) == key);
        found.ok().map(|found| found.remove().0)
    }

    /// Where `key` is.
    pub(super) fn find<'a>(&self, key: &Key, key_of: impl Fn(u32) -> &'a Key) -> Option<u32> {
        self.table.find(hash(self.keys, key), |slot| key_of(*slot) == key).copied()
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

fn hash((k0, k1): (u64, u64), key: &Key) -> u64 {
    SipHasher13::new_with_keys(k0, k1).hash(&key.bytes())
}

/// Indexes of the same slots are equal: all that may differ is how the table is laid out.
impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys && self.table.len() == other.table.len()
    }
}

impl Eq for Index {}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("len", &self.table.len()).finish_non_exhaustive()
    }
}
