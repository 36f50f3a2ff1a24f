//! Counts by key: how many connections a host, a neighbourhood or a group has.
//!
//! It does not know what is counted. A key whose count falls to zero is forgotten, so it holds no more keys than the
//! caller has counted things.

use alloc::vec::Vec;
use core::hash::{BuildHasher as _, Hash};

use crate::mechanisms::hash_index::HashIndex;
use crate::mechanisms::hasher::Folding;

/// A count for each key; zero for most.
#[derive(Clone, Debug)]
pub(crate) struct Tally<K> {
    keyed: Folding,
    /// A count of zero is a free place; its key means nothing.
    counts: Vec<(K, u32)>,
    free: Vec<u32>,
    index: HashIndex,
}

impl<K: Clone + Eq + Hash> Tally<K> {
    /// All zero; allocates nothing.
    pub(crate) const fn new(keyed: Folding) -> Self {
        Self { keyed, counts: Vec::new(), free: Vec::new(), index: HashIndex::new() }
    }

    /// One more.
    pub(crate) fn up(&mut self, key: &K) {
        let hash = self.keyed.hash_one(key);
        match self.find(hash, key) {
            Some(at) => self.counts[at as usize].1 += 1,
            None => self.insert(hash, key),
        }
    }

    /// One less. There must be one.
    pub(crate) fn down(&mut self, key: &K) {
        let hash = self.keyed.hash_one(key);
        let found = self.find(hash, key);
        debug_assert!(found.is_some(), "what was never counted is taken out");
        let Some(at) = found else { return };
        let count = &mut self.counts[at as usize].1;
        *count -= 1;
        if *count == 0 {
            self.index.remove(hash, at);
            self.free.push(at);
        }
    }

    /// How many.
    #[inline]
    pub(crate) fn get(&self, key: &K) -> u32 {
        if self.index.len() == 0 {
            return 0;
        }
        self.find(self.keyed.hash_one(key), key).map_or(0, |at| self.counts[at as usize].1)
    }

    fn insert(&mut self, hash: u64, key: &K) {
        let first = (key.clone(), 1);
        let at = match self.free.pop() {
            Some(at) => {
                self.counts[at as usize] = first;
                at
            }
            None => {
                self.counts.push(first);
                u32::try_from(self.counts.len() - 1).expect("limits keep what is counted under 2^32")
            }
        };
        self.index.insert(hash, at);
    }

    #[inline]
    fn find(&self, hash: u64, key: &K) -> Option<u32> {
        self.index.find(hash, |at| self.has(at, key))
    }

    /// Not inlined, because one comparison is usually enough.
    #[inline(never)]
    fn has(&self, at: u32, key: &K) -> bool {
        self.counts[at as usize].0 == *key
    }
}

/// Equal if every key has the same count.
impl<K: Clone + Eq + Hash> PartialEq for Tally<K> {
    fn eq(&self, other: &Self) -> bool {
        let is_same = |(key, count): &(K, u32)| *count == 0 || other.get(key) == *count;
        self.index.len() == other.index.len() && self.counts.iter().all(is_same)
    }
}

impl<K: Clone + Eq + Hash> Eq for Tally<K> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_up_and_down_is_forgotten() {
        let mut tally = Tally::new(Folding::new(1, 2));
        [7u32, 8, 7].iter().for_each(|key| tally.up(key));
        assert_eq!([7, 8, 9].map(|key| tally.get(&key)), [2, 1, 0]);
        [8, 7].iter().for_each(|key| tally.down(key));
        assert_eq!([7, 8].map(|key| tally.get(&key)), [1, 0]);
        tally.down(&7);
        assert_eq!(tally, Tally::new(Folding::new(1, 2)));
    }

    #[test]
    fn tallies_are_equal_whatever_the_order_of_counting() {
        let (mut one, mut other) = (Tally::new(Folding::new(1, 2)), Tally::new(Folding::new(1, 2)));
        (0..100u32).for_each(|key| one.up(&key));
        (0..100u32).rev().for_each(|key| other.up(&key));
        assert_eq!(one, other);
        other.up(&7);
        assert_ne!(one, other);
    }
}
