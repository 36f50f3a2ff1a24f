//! One drawer of a table: at most 64 addresses, and for each filter which of the positions it lets pass.
//!
//! It knows numbers of addresses and their marks, and no rule.

use alloc::vec::Vec;

use super::marks::{Class, Filter, Marks};
use super::secret::POSITIONS;
use crate::types::{NetworkKind, NetworkSet};

/// The bits of the number of a network.
const NETWORK_BITS: usize = 3;

/// At most 64 addresses by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableBucket {
    /// The slots of the addresses, by position; free positions take no room.
    slots: Vec<u32>,
    occupied: u64,
    /// The networks: bit `n` of a position's network is in word `n`.
    networks: [u64; NETWORK_BITS],
    full: u64,
    block_relay: u64,
}

impl TableBucket {
    /// The slot at a position.
    pub(super) fn get(&self, position: u8) -> Option<u32> {
        (self.occupied & bit(position) != 0).then(|| self.slots[self.rank(position)])
    }

    /// The first free position from `start` on, around the end.
    pub(super) fn free_from(&self, start: u8) -> Option<u8> {
        let free = (!self.occupied).rotate_right(start.into());
        (free != 0).then(|| position(free.trailing_zeros() + u32::from(start)))
    }

    /// Puts an address at a free position.
    pub(super) fn put(&mut self, position: u8, slot: u32, marks: Marks) {
        debug_assert!(self.occupied & bit(position) == 0, "the position is free");
        let rank = self.rank(position);
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(self.slots.len().clamp(1, 8));
        }
        self.slots.insert(rank, slot);
        self.occupied |= bit(position);
        self.mark(position, marks);
    }

    /// Takes the address away from a position.
    pub(super) fn take(&mut self, position: u8) {
        debug_assert!(self.occupied & bit(position) != 0, "the position is occupied");
        self.slots.remove(self.rank(position));
        let rest = !bit(position);
        self.occupied &= rest;
        self.networks.iter_mut().for_each(|word| *word &= rest);
        self.full &= rest;
        self.block_relay &= rest;
    }

    /// Sets what the address at a position is to a choice.
    pub(super) fn mark(&mut self, position: u8, marks: Marks) {
        let set = |word: &mut u64, holds: bool| *word = *word & !bit(position) | u64::from(holds) << position;
        for (number, word) in self.networks.iter_mut().enumerate() {
            set(word, marks.network.index() >> number & 1 != 0);
        }
        set(&mut self.full, marks.full);
        set(&mut self.block_relay, marks.block_relay);
    }

    /// Whether the bitmaps say this of the address at a position.
    pub(super) fn has_marks(&self, position: u8, marks: Marks) -> bool {
        let has = |word: u64| word & bit(position) != 0;
        let number = (0..).zip(self.networks).fold(0, |number, (at, word)| number | usize::from(has(word)) << at);
        number == marks.network.index() && has(self.full) == marks.full && has(self.block_relay) == marks.block_relay
    }

    /// The positions that a filter lets pass, as bits.
    pub(super) fn passing(&self, filter: Filter) -> u64 {
        let of_class = match filter.class {
            Class::Any => self.occupied,
            Class::Full => self.occupied & self.full,
            Class::BlockRelay => self.occupied & self.block_relay,
        };
        if filter.networks == NetworkSet::ALL {
            return of_class;
        }
        of_class & filter.union(|network| self.of_network(network))
    }

    fn of_network(&self, network: NetworkKind) -> u64 {
        let number = network.index();
        let word = |(at, word): (usize, &u64)| if number >> at & 1 != 0 { *word } else { !*word };
        self.networks.iter().enumerate().map(word).fold(u64::MAX, |all, word| all & word)
    }

    /// Each occupied position with its slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, u32)> {
        bits(self.occupied).zip(self.slots.iter().copied())
    }

    /// How many slots are before a position.
    const fn rank(&self, position: u8) -> usize {
        (self.occupied & (bit(position) - 1)).count_ones() as usize
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
    }
}

/// The number of a bit as a position, around the end.
fn position(bit: u32) -> u8 {
    u8::try_from(bit % u32::from(POSITIONS)).expect("below 64")
}

const fn bit(position: u8) -> u64 {
    1 << position
}

/// The numbers of the bits that are set, in order.
pub(super) fn bits(mut word: u64) -> impl Iterator<Item = u8> {
    core::iter::from_fn(move || {
        (word != 0).then(|| {
            let lowest = position(word.trailing_zeros());
            word &= word - 1;
            lowest
        })
    })
}

/// The number of the `nth` bit that is set, counted from 0.
pub(super) fn nth_bit(mut word: u64, nth: u32) -> u8 {
    debug_assert!(nth < word.count_ones(), "that many bits are set");
    let (mut left, mut base) = (nth, 0);
    // Counting the bits of a half costs as much as clearing six.
    if nth > 12 {
        for width in [32, 16, 8] {
            let low = (word & ((1 << width) - 1)).count_ones();
            if left >= low {
                left -= low;
                word >>= width;
                base += width;
            }
        }
    }
    for _ in 0..left {
        word &= word - 1;
    }
    position(base + word.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_found_by_its_number() {
        for word in [1, u64::MAX, 1 << 63, 0x8000_0001_0000_8001, 0x0123_4567_89ab_cdef] {
            let by_number: Vec<u8> = (0..word.count_ones()).map(|nth| nth_bit(word, nth)).collect();
            assert_eq!(by_number, bits(word).collect::<Vec<_>>(), "{word:#x}");
        }
    }

    #[test]
    fn a_free_position_is_found_around_the_end() {
        let marks = Marks { network: NetworkKind::Ipv4, full: false, block_relay: false };
        let mut bucket = TableBucket::default();
        for slot in 0..64 {
            let position = bucket.free_from(60).expect("not full");
            assert_eq!(u32::from(position), (60 + slot) % 64);
            bucket.put(position, slot, marks);
        }
        assert_eq!(bucket.free_from(3), None);
        bucket.take(59);
        assert_eq!((bucket.free_from(60), bucket.get(58), bucket.get(59)), (Some(59), Some(62), None));
    }
}
