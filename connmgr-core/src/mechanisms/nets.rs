//! Subnets of one address family, each with the time until which it is in force.
//!
//! One hash table for all prefix lengths, and a list of the lengths in use: a look-up costs one probe for each length
//! in use, whatever the number of subnets. This file does not know what the subnets are for, nor the time.

use alloc::vec::Vec;
use core::hash::Hash;
use core::ops::RangeInclusive;

use hashbrown::HashMap;

use crate::mechanisms::hasher::Folding;
use crate::types::Time;

/// The bits of an address: `u32` for IPv4, `u128` for IPv6.
pub(crate) trait Bits: Copy + Eq + Hash {
    /// The first `length` bits, the others zero. A length beyond the type's keeps all bits.
    fn prefix(self, length: u8) -> Self;
}

impl Bits for u32 {
    fn prefix(self, length: u8) -> Self {
        self & Self::MAX.checked_shl(Self::BITS.saturating_sub(length.into())).unwrap_or(0)
    }
}

impl Bits for u128 {
    fn prefix(self, length: u8) -> Self {
        self & Self::MAX.checked_shl(Self::BITS.saturating_sub(length.into())).unwrap_or(0)
    }
}

/// Subnets and their ends. The caller bounds their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nets<B: Bits> {
    ends: HashMap<(B, u8), Time, Folding>,
    lengths: Vec<Length>,
}

/// How many subnets have a prefix of this length. Sorted, without zeros, so there are at most 129.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Length {
    bits: u8,
    count: usize,
}

impl<B: Bits> Nets<B> {
    /// No subnets.
    pub(crate) const fn new(keyed: Folding) -> Self {
        Self { ends: HashMap::with_hasher(keyed), lengths: Vec::new() }
    }

    /// Adds a subnet, or replaces its end.
    pub(crate) fn insert(&mut self, address: B, length: u8, end: Time) {
        if self.ends.insert((address.prefix(length), length), end).is_some() {
            return;
        }
        match self.find(length) {
            Ok(index) => self.lengths[index].count += 1,
            Err(index) => self.lengths.insert(index, Length { bits: length, count: 1 }),
        }
    }

    /// Removes a subnet. Returns its end.
    pub(crate) fn remove(&mut self, address: B, length: u8) -> Option<Time> {
        let end = self.ends.remove(&(address.prefix(length), length))?;
        let index = self.find(length).expect("the length of every subnet is counted");
        self.lengths[index].count -= 1;
        if self.lengths[index].count == 0 {
            self.lengths.remove(index);
        }
        Some(end)
    }

    /// The end of exactly this subnet.
    pub(crate) fn end(&self, address: B, length: u8) -> Option<Time> {
        self.ends.get(&(address.prefix(length), length)).copied()
    }

    /// The latest end among the subnets that contain an address.
    pub(crate) fn latest_end(&self, address: B) -> Option<Time> {
        self.lengths.iter().filter_map(|length| self.end(address, length.bits)).max()
    }

    /// The latest end among the subnets that contain an address and whose prefix has one of these lengths.
    pub(crate) fn latest_end_of(&self, address: B, lengths: RangeInclusive<u8>) -> Option<Time> {
        let within = self.lengths.iter().filter(|known| lengths.contains(&known.bits));
        within.filter_map(|known| self.end(address, known.bits)).max()
    }

    /// The prefix lengths of the subnets that contain an address, the shortest first.
    pub(crate) fn lengths_around(&self, address: B) -> impl DoubleEndedIterator<Item = u8> {
        self.lengths.iter().map(|known| known.bits).filter(move |bits| self.end(address, *bits).is_some())
    }

    /// How many subnets there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Recounts the prefix lengths.
    ///
    /// # Errors
    /// They are miscounted.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let is_right = |length: &Length| self.ends.keys().filter(|net| net.1 == length.bits).count() == length.count;
        let total: usize = self.lengths.iter().map(|length| length.count).sum();
        let is_sorted = self.lengths.is_sorted_by(|a, b| a.bits < b.bits);
        if is_sorted
            && total == self.ends.len()
            && self.lengths.iter().all(|length| length.count > 0 && is_right(length))
        {
            Ok(())
        } else {
            Err("nets: the prefix lengths are miscounted")
        }
    }

    fn find(&self, length: u8) -> Result<usize, usize> {
        self.lengths.binary_search_by_key(&length, |known| known.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_keeps_its_bits_and_no_more() {
        assert_eq!([0, 1, 31, 32, 200].map(|length| u32::MAX.prefix(length)), [0, 1 << 31, !1, !0, !0]);
        assert_eq!([0, 1, 127, 128, 200].map(|length| u128::MAX.prefix(length)), [0, 1 << 127, !1, !0, !0]);
    }

    #[test]
    fn a_length_no_longer_in_use_is_forgotten() {
        let mut nets = Nets::<u32>::new(Folding::new(1, 2));
        for end in [1, 2] {
            nets.insert(0x0102_0304, 16, Time::from_secs(end));
            nets.insert(0x0102_0304, 8, Time::from_secs(end));
            assert_eq!((nets.len(), nets.check()), (2, Ok(())));
        }
        assert_eq!(nets.remove(0x0102_ffff, 16), Some(Time::from_secs(2)));
        assert_eq!(nets.lengths, [Length { bits: 8, count: 1 }]);
        assert_eq!(nets.check(), Ok(()));
    }
}
