//! Where in a list an entry is kept, by the hash of its key.
//!
//! An open-addressed table of positions. It stores half of each hash beside the position, so that most look-ups end at
//! the first place, and a removal looks at no other entry. The keys stay with the caller, who compares them. Its size
//! follows the largest number of entries at once; how long one of them lives does not matter.

use alloc::vec::Vec;

/// No position is here.
const FREE: u32 = u32::MAX;

/// The smallest table that is not empty.
const SMALLEST: usize = 8;

/// Positions by hash. At most half of the places are taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct HashIndex {
    /// A power of two, or empty. An entry stands at the place of its hash, or behind it with no free place between.
    places: Vec<IndexPlace>,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct IndexPlace {
    hash: u32,
    at: u32,
}

impl HashIndex {
    /// No entries; allocates nothing.
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), count: 0 }
    }

    /// Adds the entry at this position, whose key has this hash. The position is not in the index yet.
    pub(crate) fn insert(&mut self, hash: u64, at: u32) {
        debug_assert!(at != FREE && self.place_of(hash, at).is_none(), "an entry is in the index once");
        if (self.count + 1) * 2 > self.places.len() {
            self.grow();
        }
        self.put(IndexPlace { hash: upper(hash), at });
        self.count += 1;
    }

    /// The position of the entry with this hash that `is_it` selects.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (hash, mask) = (upper(hash), self.mask());
        let mut next = hash as usize & mask;
        // Without places there is none to look at.
        while let Some(place) = self.places.get(next).filter(|place| place.at != FREE) {
            if place.hash == hash && is_it(place.at) {
                return Some(place.at);
            }
            next = (next + 1) & mask;
        }
        None
    }

    /// The positions of all entries with this hash, and of very few others.
    pub(crate) fn all(&self, hash: u64) -> impl Iterator<Item = u32> {
        let (hash, mask) = (upper(hash), self.mask());
        let mut next = hash as usize & mask;
        core::iter::from_fn(move || {
            while let Some(place) = self.places.get(next).filter(|place| place.at != FREE) {
                next = (next + 1) & mask;
                if place.hash == hash {
                    return Some(place.at);
                }
            }
            None
        })
    }

    /// Removes the entry at this position, whose key has this hash. Returns whether it was in the index.
    pub(crate) fn remove(&mut self, hash: u64, at: u32) -> bool {
        let Some(mut gap) = self.place_of(hash, at) else { return false };
        self.count -= 1;
        let mask = self.mask();
        let mut next = (gap + 1) & mask;
        // What stands behind its place moves up, so that no gap comes before it.
        while self.places[next].at != FREE {
            let home = self.places[next].hash as usize & mask;
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(gap) & mask {
                self.places[gap] = self.places[next];
                gap = next;
            }
            next = (next + 1) & mask;
        }
        self.places[gap].at = FREE;
        true
    }

    /// The entry at `from`, whose key has this hash, is at `to` from now on.
    pub(crate) fn renumber(&mut self, hash: u64, from: u32, to: u32) {
        let place = self.place_of(hash, from);
        debug_assert!(place.is_some(), "an entry that moves is in the index");
        if let Some(place) = place {
            self.places[place].at = to;
        }
    }

    /// How many entries there are.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// How many places there are.
    #[cfg(test)]
    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    #[inline]
    fn place_of(&self, hash: u64, at: u32) -> Option<usize> {
        let mut place = upper(hash) as usize & self.mask();
        while let Some(found) = self.places.get(place).filter(|found| found.at != FREE) {
            if found.at == at {
                return Some(place);
            }
            place = (place + 1) & self.mask();
        }
        None
    }

    /// Puts an entry at the first free place for its hash. There is one.
    fn put(&mut self, entry: IndexPlace) {
        let mut place = entry.hash as usize & self.mask();
        while self.places[place].at != FREE {
            place = (place + 1) & self.mask();
        }
        self.places[place] = entry;
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.places.len() * 2).max(SMALLEST);
        let old = core::mem::replace(&mut self.places, alloc::vec![IndexPlace { hash: 0, at: FREE }; size]);
        for entry in old.into_iter().filter(|place| place.at != FREE) {
            self.put(entry);
        }
    }

    #[inline]
    fn mask(&self) -> usize {
        self.places.len().wrapping_sub(1)
    }
}

/// The half of a hash that depends on all bits of a key.
#[allow(clippy::cast_possible_truncation, reason = "32 bits are left")]
#[inline]
const fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use core::hash::BuildHasher as _;

    use super::*;
    use crate::mechanisms::hasher::OwnNumbers;
    use crate::mechanisms::rng::Rng;

    /// What an owner of a list does.
    #[derive(Default)]
    struct Owner {
        numbers: Vec<u64>,
        free: Vec<u32>,
        index: HashIndex,
        /// All hashes are equal.
        is_poor: bool,
    }

    impl Owner {
        fn hash(&self, number: u64) -> u64 {
            if self.is_poor { 7 << 32 } else { OwnNumbers.hash_one(number) }
        }

        fn insert(&mut self, number: u64) -> u32 {
            let at = self.free.pop().unwrap_or_else(|| {
                self.numbers.push(0);
                u32::try_from(self.numbers.len() - 1).expect("few")
            });
            self.numbers[at as usize] = number;
            self.index.insert(self.hash(number), at);
            at
        }

        fn remove(&mut self, number: u64) -> Option<u32> {
            let at = self.find(number)?;
            assert!(self.index.remove(self.hash(number), at) && !self.index.remove(self.hash(number), at));
            self.free.push(at);
            Some(at)
        }

        fn find(&self, number: u64) -> Option<u32> {
            self.index.find(self.hash(number), |at| self.numbers[at as usize] == number)
        }
    }

    #[test]
    fn any_mix_of_operations_agrees_with_a_plain_map() {
        for seed in 0..20 {
            let mut rng = Rng::new([seed; 32], 0);
            let (mut owner, mut plain, mut next) = (Owner::default(), BTreeMap::new(), 0);
            owner.is_poor = seed % 5 == 4;
            for _ in 0..1000 {
                if rng.below(2) == 0 || plain.is_empty() {
                    // Ids count up; nonces are drawn.
                    next += 1;
                    let number = if seed % 2 == 0 { next } else { rng.next_u64() };
                    plain.insert(number, owner.insert(number));
                } else {
                    let number = *plain.keys().nth(rng.index(plain.len())).expect("not empty");
                    assert_eq!(owner.remove(number), plain.remove(&number), "seed {seed}");
                    assert_eq!(owner.remove(number), None, "seed {seed}");
                }
                assert_eq!(owner.index.len(), plain.len(), "seed {seed}");
                assert!(plain.iter().all(|(number, at)| owner.find(*number) == Some(*at)), "seed {seed}");
            }
        }
    }

    /// One number stays while a million others come and go.
    #[test]
    fn a_number_that_stays_does_not_make_it_grow() {
        let mut owner = Owner::default();
        let first = owner.insert(1);
        for number in 2..1_000_000 {
            owner.insert(number);
            assert!(number < 4 || owner.remove(number - 1).is_some());
        }
        assert_eq!((owner.find(1), owner.index.places.len()), (Some(first), SMALLEST));
    }

    #[test]
    fn numbers_that_count_up_are_found_at_once() {
        let mut owner = Owner::default();
        (1..=1000).for_each(|number| _ = owner.insert(number));
        let looked_at = core::cell::Cell::new(0);
        for number in 1..=1000 {
            let is_it = |at: u32| {
                looked_at.set(looked_at.get() + 1);
                owner.numbers[at as usize] == number
            };
            assert!(owner.index.find(OwnNumbers.hash_one(number), is_it).is_some());
        }
        assert_eq!(looked_at.get(), 1000);
    }

    #[test]
    fn an_entry_that_moves_is_found_where_it_is() {
        let mut owner = Owner::default();
        let from = owner.insert(5);
        owner.numbers.push(5);
        owner.index.renumber(owner.hash(5), from, 1);
        owner.numbers[from as usize] = 9;
        assert_eq!((owner.find(5), owner.find(9)), (Some(1), None));
    }
}
