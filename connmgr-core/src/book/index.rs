//! Numbers found by hash: where an address, a group or a source is.
//!
//! It stores no keys: the caller says what a number stands for. The hashes are keyed with a secret, so that no one can
//! choose addresses with equal ones. It is never iterated, so its order never reaches an output.

use core::fmt;

use hashbrown::HashTable;

use super::short::Short;

/// Numbers by hash.
#[derive(Clone)]
pub(super) struct Index(HashTable<Short>);

impl Index {
    /// An empty index; allocates nothing.
    pub(super) const fn new() -> Self {
        Self(HashTable::new())
    }

    /// Adds a number that is not in it. `hash_of` returns the hash of a number.
    pub(super) fn insert(&mut self, hash: u64, number: u32, hash_of: impl Fn(u32) -> u64) {
        self.0.insert_unique(hash, Short::of(number), |number| hash_of(number.get()));
    }

    /// Removes a number.
    pub(super) fn remove(&mut self, hash: u64, number: u32) {
        if let Ok(found) = self.0.find_entry(hash, |other| other.get() == number) {
            found.remove();
        }
    }

    /// The number with this hash that `is` the one.
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.0.find(hash, |number| is(number.get())).map(|number| number.get())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.allocation_size()
    }
}

/// Indexes of the same numbers are equal; only the layout of the table may differ.
impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
    }
}

impl Eq for Index {}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("len", &self.0.len()).finish_non_exhaustive()
    }
}
