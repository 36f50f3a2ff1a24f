//! A bounded map that forgets the key touched least recently.
//!
//! A dense `Vec` of entries, linked from the newest to the oldest, with a hash table of positions. Every operation is
//! O(1). It knows no time: the caller touches what is to be kept.

use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash};

use crate::mechanisms::hash_index::HashIndex;
use crate::mechanisms::hasher::Folding;

/// At most `capacity` keys with their values. Beyond that, the key least recently touched is forgotten.
///
/// Nothing is allocated before the first key, nor once the map has reached its largest size.
#[derive(Clone, Debug)]
pub(crate) struct Lru<K, V, S = Folding> {
    capacity: usize,
    keyed: S,
    /// Positions in `entries`, by the hash of the key.
    index: HashIndex,
    entries: Vec<LruEntry<K, V>>,
    newest: Link,
    oldest: Link,
}

type Link = Option<u32>;

#[derive(Clone, Debug)]
struct LruEntry<K, V> {
    key: K,
    value: V,
    newer: Link,
    older: Link,
}

impl<K: Clone + Eq + Hash, V, S: BuildHasher> Lru<K, V, S> {
    /// An empty map for at most `capacity` keys; 0 counts as 1.
    pub(crate) fn new(capacity: u32, keyed: S) -> Self {
        let capacity = capacity.max(1) as usize;
        Self { capacity, keyed, index: HashIndex::new(), entries: Vec::new(), newest: None, oldest: None }
    }

    /// The value of `key`, or `fresh` if it had none. Touches the key. May forget the oldest one.
    #[inline]
    pub(crate) fn touch_or_insert(&mut self, key: &K, fresh: V) -> &mut V {
        let slot = match self.find(key) {
            // What is touched is often touched again soon.
            Some(slot) if self.newest == Some(slot) => slot,
            Some(slot) => {
                self.unlink(slot);
                self.link_newest(slot);
                slot
            }
            None => {
                self.make_room();
                let slot = self.push(key, fresh);
                self.link_newest(slot);
                slot
            }
        };
        &mut self.entries[slot as usize].value
    }

    /// Removes a key. Returns its value.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.find(key).map(|slot| self.take(slot))
    }

    /// The value of a key. Does not touch it.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.find(key).map(|slot| &self.entries[slot as usize].value)
    }

    /// The value of a key, to change. Does not touch it.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.find(key).map(|slot| &mut self.entries[slot as usize].value)
    }

    /// The number of keys.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All keys with their values, the most recently touched first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        core::iter::successors(self.at(self.newest), |entry| self.at(entry.older))
            .take(self.entries.len())
            .map(|entry| (&entry.key, &entry.value))
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken: the number of keys, the list, or the index.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.entries.len() > self.capacity {
            return Err("lru: more entries than allowed");
        }
        let (mut count, mut newer, mut next) = (0, None, self.newest);
        while let Some(slot) = next {
            let entry = self.at(next).ok_or("lru: a link leads nowhere")?;
            if entry.newer != newer || count == self.entries.len() {
                return Err("lru: the list is not the same both ways");
            }
            if self.find(&entry.key) != Some(slot) {
                return Err("lru: an entry is not where the index says");
            }
            (count, newer, next) = (count + 1, next, entry.older);
        }
        let is_whole = count == self.entries.len() && newer == self.oldest && self.index.len() == count;
        if is_whole { Ok(()) } else { Err("lru: an entry is lost") }
    }

    #[inline]
    fn find(&self, key: &K) -> Link {
        let hash = self.keyed.hash_one(key);
        self.index.find(hash, |slot| self.entries[slot as usize].key == *key)
    }

    fn at(&self, link: Link) -> Option<&LruEntry<K, V>> {
        self.entries.get(link? as usize)
    }

    fn make_room(&mut self) {
        if let Some(oldest) = self.oldest.filter(|_| self.entries.len() == self.capacity) {
            self.take(oldest);
        }
    }

    /// Adds an entry to the index, but not yet to the list.
    fn push(&mut self, key: &K, value: V) -> u32 {
        if self.entries.len() == self.entries.capacity() {
            self.grow();
        }
        let slot = u32::try_from(self.entries.len()).expect("the capacity is a u32");
        self.entries.push(LruEntry { key: key.clone(), value, newer: None, older: None });
        let hash = self.keyed.hash_one(key);
        self.index.insert(hash, slot);
        slot
    }

    /// Doubles the room for entries, up to the capacity.
    fn grow(&mut self) {
        let len = self.entries.len();
        self.entries.reserve_exact((len * 2).max(4).min(self.capacity) - len);
    }

    /// Removes an entry; the last entry moves to its place.
    fn take(&mut self, slot: u32) -> V {
        self.unlink(slot);
        let hash = self.keyed.hash_one(&self.entries[slot as usize].key);
        let was_indexed = self.index.remove(hash, slot);
        debug_assert!(was_indexed, "every entry is in the index");
        let last = u32::try_from(self.entries.len() - 1).expect("the capacity is a u32");
        if slot != last {
            self.renumber(last, slot);
        }
        self.entries.swap_remove(slot as usize).value
    }

    /// Renumbers entry `from` to `to` in the index and the list.
    fn renumber(&mut self, from: u32, to: u32) {
        let entry = &self.entries[from as usize];
        let (hash, newer, older) = (self.keyed.hash_one(&entry.key), entry.newer, entry.older);
        self.index.renumber(hash, from, to);
        self.set_older(newer, Some(to));
        self.set_newer(older, Some(to));
    }

    fn unlink(&mut self, slot: u32) {
        let entry = &self.entries[slot as usize];
        let (newer, older) = (entry.newer, entry.older);
        self.set_older(newer, older);
        self.set_newer(older, newer);
    }

    fn link_newest(&mut self, slot: u32) {
        let second = self.newest;
        self.set_newer(second, Some(slot));
        self.newest = Some(slot);
        let entry = &mut self.entries[slot as usize];
        (entry.newer, entry.older) = (None, second);
    }

    /// Says what follows `slot`, or what the list begins with.
    fn set_older(&mut self, slot: Link, older: Link) {
        match slot {
            Some(slot) => self.entries[slot as usize].older = older,
            None => self.newest = older,
        }
    }

    /// Says what precedes `slot`, or what the list ends with.
    fn set_newer(&mut self, slot: Link, newer: Link) {
        match slot {
            Some(slot) => self.entries[slot as usize].newer = newer,
            None => self.oldest = newer,
        }
    }
}

/// Equal when they know the same in the same order; where in memory that lies does not matter.
impl<K: Clone + Eq + Hash, V: PartialEq, S: BuildHasher + PartialEq> PartialEq for Lru<K, V, S> {
    fn eq(&self, other: &Self) -> bool {
        self.capacity == other.capacity && self.keyed == other.keyed && self.iter().eq(other.iter())
    }
}

impl<K: Clone + Eq + Hash, V: Eq, S: BuildHasher + Eq> Eq for Lru<K, V, S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanisms::rng::Rng;

    fn lru(capacity: u32) -> Lru<u64, u64> {
        Lru::new(capacity, Folding::new(1, 2))
    }

    fn keys(lru: &Lru<u64, u64>) -> Vec<u64> {
        lru.iter().map(|(key, _)| *key).collect()
    }

    #[test]
    fn the_key_least_recently_touched_makes_room() {
        let mut lru = lru(3);
        for key in [1, 2, 3, 1, 4] {
            lru.touch_or_insert(&key, key);
        }
        assert_eq!(keys(&lru), [4, 1, 3]);
    }

    #[test]
    fn looking_does_not_touch() {
        let mut lru = lru(2);
        lru.touch_or_insert(&1, 10);
        lru.touch_or_insert(&2, 20);
        assert_eq!(lru.get(&1), Some(&10));
        lru.touch_or_insert(&3, 30);
        assert_eq!(lru.get(&1), None);
    }

    #[test]
    fn a_known_key_keeps_its_value() {
        let mut lru = lru(2);
        *lru.touch_or_insert(&1, 10) += 1;
        assert_eq!(*lru.touch_or_insert(&1, 99), 11);
    }

    #[test]
    fn any_mix_of_operations_agrees_with_a_plain_list() {
        for seed in 0..20 {
            let mut rng = Rng::new([seed; 32], 0);
            let (mut lru, mut list) = (lru(8), Vec::new());
            for _ in 0..500 {
                let key = rng.below(16);
                list.retain(|known| *known != key);
                if rng.below(3) == 0 {
                    lru.remove(&key);
                } else {
                    lru.touch_or_insert(&key, key);
                    list.insert(0, key);
                    list.truncate(8);
                }
                assert_eq!((keys(&lru), lru.len()), (list.clone(), list.len()), "seed {seed}");
                assert_eq!(lru.check(), Ok(()), "seed {seed}");
            }
        }
    }

    #[test]
    fn maps_that_know_the_same_are_equal_whatever_happened_before() {
        let (mut straight, mut roundabout) = (lru(4), lru(4));
        for key in [1, 2] {
            straight.touch_or_insert(&key, key);
        }
        for key in [7, 2, 1, 2] {
            roundabout.touch_or_insert(&key, key);
        }
        roundabout.remove(&7);
        assert_eq!(straight, roundabout);
        roundabout.touch_or_insert(&1, 1);
        assert_ne!(straight, roundabout);
    }

    #[test]
    fn a_full_map_never_allocates_again() {
        let mut lru = lru(100);
        for key in 0..100 {
            lru.touch_or_insert(&key, 0);
        }
        let memory = |lru: &Lru<u64, u64>| (lru.entries.capacity(), lru.index.places());
        let full = memory(&lru);
        for key in 100..100_000 {
            lru.touch_or_insert(&key, 0);
            if key % 7 == 0 {
                lru.remove(&(key - 50));
            }
            assert_eq!(memory(&lru), full, "at key {key}");
        }
    }

    #[test]
    fn an_empty_map_takes_no_memory() {
        assert_eq!(lru(1_000_000).index.places(), 0);
    }
}
