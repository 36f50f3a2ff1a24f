//! Counts by key: how many connections a host, a neighbourhood or a group has.
//!
//! It does not know what is counted. A key whose count falls to zero is forgotten, so it holds no more keys than the
//! caller has counted things.

use core::hash::{BuildHasher as _, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::mechanisms::hasher::Folding;

/// A count for each key; zero for most.
#[derive(Clone, Debug)]
pub(crate) struct Tally<K> {
    keyed: Folding,
    counts: HashTable<(K, u32)>,
}

impl<K: Clone + Eq + Hash> Tally<K> {
    /// All zero; allocates nothing.
    pub(crate) const fn new(keyed: Folding) -> Self {
        Self { keyed, counts: HashTable::new() }
    }

    /// One more.
    pub(crate) fn up(&mut self, key: &K) {
        let Self { keyed, counts } = self;
        let hash = keyed.hash_one(key);
        match counts.entry(hash, |(known, _)| known == key, |(known, _)| keyed.hash_one(known)) {
            Entry::Occupied(mut entry) => entry.get_mut().1 += 1,
            Entry::Vacant(entry) => _ = entry.insert((key.clone(), 1)),
        }
    }

    /// One less. There must be one.
    pub(crate) fn down(&mut self, key: &K) {
        let found = self.counts.find_entry(self.keyed.hash_one(key), |(known, _)| known == key);
        debug_assert!(found.is_ok(), "what was never counted is taken out");
        let Ok(mut entry) = found else { return };
        entry.get_mut().1 -= 1;
        if entry.get().1 == 0 {
            entry.remove();
        }
    }

    /// How many.
    pub(crate) fn get(&self, key: &K) -> u32 {
        if self.counts.is_empty() {
            return 0;
        }
        let found = self.counts.find(self.keyed.hash_one(key), |(known, _)| known == key);
        found.map_or(0, |(_, count)| *count)
    }
}

/// Equal if every key has the same count.
impl<K: Clone + Eq + Hash> PartialEq for Tally<K> {
    fn eq(&self, other: &Self) -> bool {
        let is_same = |(key, count): &(K, u32)| other.get(key) == *count;
        self.counts.len() == other.counts.len() && self.counts.iter().all(is_same)
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
