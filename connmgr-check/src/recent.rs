//! A bounded map that drops the least recently touched key.

use std::collections::VecDeque;
use std::hash::Hash;

use rustc_hash::FxHashMap;

/// A map of at most `capacity` keys. The least recently touched one is dropped for a new one.
#[derive(Clone, Debug)]
pub(crate) struct Recent<K, V> {
    capacity: usize,
    touches: u64,
    entries: FxHashMap<K, (u64, V)>,
    /// Every touch, oldest first. Only the latest of a key counts.
    order: VecDeque<(u64, K)>,
}

impl<K: Clone + Eq + Hash, V: Default> Recent<K, V> {
    /// An empty map of at most `capacity` keys (0 counts as 1).
    pub(crate) fn new(capacity: u32) -> Self {
        let capacity = capacity.max(1) as usize;
        Self { capacity, touches: 0, entries: FxHashMap::default(), order: VecDeque::new() }
    }

    /// The value of a key, which counts as touched now. The default if it had none.
    pub(crate) fn touch(&mut self, key: &K) -> &mut V {
        if !self.entries.contains_key(key) && self.entries.len() == self.capacity {
            self.forget_oldest();
        }
        if self.order.len() > 2 * self.capacity + 64 {
            let entries = &self.entries;
            self.order.retain(|(touch, other)| entries.get(other).is_some_and(|it| it.0 == *touch));
        }
        self.touches += 1;
        self.order.push_back((self.touches, key.clone()));
        let entry = self.entries.entry(key.clone()).or_default();
        entry.0 = self.touches;
        &mut entry.1
    }

    /// The value of a key. Does not touch it.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// The value of a key, to change. Does not touch it.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    fn forget_oldest(&mut self) {
        while let Some((touch, key)) = self.order.pop_front() {
            if self.entries.get(&key).is_some_and(|entry| entry.0 == touch) {
                self.entries.remove(&key);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_touched_least_recently_makes_room() {
        let mut recent = Recent::<u32, u32>::new(2);
        for key in [1, 2, 1, 3] {
            *recent.touch(&key) += 10;
        }
        assert_eq!([1, 3, 2].map(|key| *recent.touch(&key)), [20, 10, 0]);
    }

    #[test]
    fn touching_one_key_for_ever_takes_no_more_room() {
        let mut recent = Recent::<u32, u32>::new(2);
        (0..10_000).for_each(|_| *recent.touch(&7) += 1);
        assert_eq!(*recent.touch(&7), 10_000);
        assert!(recent.order.len() < 100);
    }
}
