//! Slots by number: where the entry with an id, or with a nonce, is kept.
//!
//! An open-addressed table of slots. It stores no numbers: the caller says which number is in a slot. Our numbers count
//! up or are drawn by us, so a multiplication spreads them, and most look-ups end at the first place. Its size follows
//! the largest number of entries at once; how long one of them lives does not matter.

use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use crate::mechanisms::hasher::OwnNumbers;

/// No slot is here.
const FREE: u32 = u32::MAX;

/// The smallest table that is not empty.
const SMALLEST: usize = 8;

/// Slots by number. At most half of its places are taken.
///
/// Each method takes `number_in`, which returns the number that is in a slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    /// A power of two, or empty. A slot stands at the place of its number, or behind it with no free place between.
    places: Vec<u32>,
    count: usize,
}

impl Ids {
    /// No slots; allocates nothing.
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), count: 0 }
    }

    /// Adds a number that is in no slot yet. `number_in` must know it already.
    pub(crate) fn insert(&mut self, number: u64, slot: u32, number_in: impl Fn(u32) -> u64) {
        debug_assert!(slot != FREE && self.find(number, &number_in).is_none(), "a number is in one slot");
        if (self.count + 1) * 2 > self.places.len() {
            self.grow(&number_in);
        }
        self.put(number, slot);
        self.count += 1;
    }

    /// The slot of a number.
    #[inline]
    pub(crate) fn find(&self, number: u64, number_in: impl Fn(u32) -> u64) -> Option<u32> {
        self.place(number, number_in).and_then(|place| self.places.get(place).copied())
    }

    /// Removes a number. Returns its slot, which must still hold the number.
    pub(crate) fn remove(&mut self, number: u64, number_in: impl Fn(u32) -> u64) -> Option<u32> {
        let mut gap = self.place(number, &number_in)?;
        let slot = self.places[gap];
        self.count -= 1;
        let mask = self.mask();
        let mut next = (gap + 1) & mask;
        // What stands behind its place moves up, so that no gap comes before it.
        while self.places[next] != FREE {
            let home = self.home(number_in(self.places[next]));
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(gap) & mask {
                self.places[gap] = self.places[next];
                gap = next;
            }
            next = (next + 1) & mask;
        }
        self.places[gap] = FREE;
        Some(slot)
    }

    /// How many numbers there are.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    #[inline]
    fn place(&self, number: u64, number_in: impl Fn(u32) -> u64) -> Option<usize> {
        let mut place = self.home(number);
        // Without places there is none to look at.
        while let Some(slot) = self.places.get(place).copied().filter(|slot| *slot != FREE) {
            if number_in(slot) == number {
                return Some(place);
            }
            place = (place + 1) & self.mask();
        }
        None
    }

    /// Puts a slot at the first free place for its number. There is one.
    fn put(&mut self, number: u64, slot: u32) {
        let mut place = self.home(number);
        while self.places[place] != FREE {
            place = (place + 1) & self.mask();
        }
        self.places[place] = slot;
    }

    fn grow(&mut self, number_in: impl Fn(u32) -> u64) {
        let size = (self.places.len() * 2).max(SMALLEST);
        let old = core::mem::replace(&mut self.places, alloc::vec![FREE; size]);
        for slot in old.into_iter().filter(|slot| *slot != FREE) {
            self.put(number_in(slot), slot);
        }
    }

    #[inline]
    fn mask(&self) -> usize {
        self.places.len().wrapping_sub(1)
    }

    /// Where a number belongs: the highest bits of its hash, which depend on all of its bits.
    #[allow(clippy::cast_possible_truncation, reason = "fewer than 32 bits are left")]
    #[inline]
    fn home(&self, number: u64) -> usize {
        (OwnNumbers.hash_one(number) >> 32) as usize & self.mask()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;
    use crate::mechanisms::rng::Rng;

    /// What an owner of slots does.
    #[derive(Default)]
    struct Owner {
        numbers: Vec<u64>,
        free: Vec<u32>,
        ids: Ids,
    }

    impl Owner {
        fn insert(&mut self, number: u64) -> u32 {
            let slot = self.free.pop().unwrap_or_else(|| {
                self.numbers.push(0);
                u32::try_from(self.numbers.len() - 1).expect("few")
            });
            self.numbers[slot as usize] = number;
            self.ids.insert(number, slot, |slot| self.numbers[slot as usize]);
            slot
        }

        fn remove(&mut self, number: u64) -> Option<u32> {
            let slot = self.ids.remove(number, |slot| self.numbers[slot as usize])?;
            self.free.push(slot);
            Some(slot)
        }

        fn find(&self, number: u64) -> Option<u32> {
            self.ids.find(number, |slot| self.numbers[slot as usize])
        }
    }

    #[test]
    fn any_mix_of_operations_agrees_with_a_plain_map() {
        for seed in 0..20 {
            let mut rng = Rng::new([seed; 32], 0);
            let (mut owner, mut plain, mut next) = (Owner::default(), BTreeMap::new(), 0);
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
                assert_eq!(owner.ids.len(), plain.len(), "seed {seed}");
                assert!(plain.iter().all(|(number, slot)| owner.find(*number) == Some(*slot)), "seed {seed}");
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
        assert_eq!((owner.find(1), owner.ids.places.len()), (Some(first), SMALLEST));
    }

    #[test]
    fn numbers_that_count_up_are_found_at_once() {
        let mut owner = Owner::default();
        (1..=1000).for_each(|number| _ = owner.insert(number));
        let looked_at = core::cell::Cell::new(0);
        for number in 1..=1000 {
            let number_in = |slot: u32| {
                looked_at.set(looked_at.get() + 1);
                owner.numbers[slot as usize]
            };
            assert!(owner.ids.find(number, number_in).is_some());
        }
        assert!(looked_at.get() < 1200, "{} looks for 1000 numbers", looked_at.get());
    }
}
