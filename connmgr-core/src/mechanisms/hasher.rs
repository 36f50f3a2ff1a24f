//! The hash functions of every table in this crate.
//!
//! - [`Keyed`], SipHash-1-3, where many addresses are kept: the book.
//! - [`Folding`], a keyed multiplication, where few are, and often looked up: connections, bans, limits.
//! - [`OwnNumbers`], a multiplication without keys, for our own ids and nonces.
//!
//! The keys are secret, so that no one can choose addresses with equal hashes; they come from the seed, so that a
//! replay does the same work. No one else chooses our ids and nonces. Tables are only looked up: nothing depends on the
//! order in one.

use core::hash::{BuildHasher, Hasher};

use siphasher::sip::SipHasher13;

/// Builds hashers with the same two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keyed {
    keys: (u64, u64),
}

impl Keyed {
    /// Hashers with these keys.
    pub(crate) const fn new(first: u64, second: u64) -> Self {
        Self { keys: (first, second) }
    }
}

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.keys.0, self.keys.1)
    }
}

/// Builds hashers that cost a tenth of SipHash for an IPv4 address.
///
/// Without the keys no one can tell which addresses have equal hashes. Hashes that are seen would tell the keys; no hash
/// leaves this crate, and the tables are too small for their look-ups to be timed through a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Folding {
    start: u64,
    factor: u64,
}

impl Folding {
    /// Hashers with these keys.
    pub(crate) const fn new(first: u64, second: u64) -> Self {
        // An even factor would lose the highest bits.
        Self { start: first, factor: second | 1 }
    }
}

impl BuildHasher for Folding {
    type Hasher = FoldingHasher;

    fn build_hasher(&self) -> FoldingHasher {
        FoldingHasher { state: self.start, factor: self.factor }
    }
}

/// Multiplies each word by a secret factor, and folds the upper half of the product into the lower.
#[derive(Clone, Debug)]
pub(crate) struct FoldingHasher {
    state: u64,
    factor: u64,
}

impl Hasher for FoldingHasher {
    fn write_u64(&mut self, word: u64) {
        self.state = fold(self.state ^ word, self.factor);
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u128(&mut self, number: u128) {
        let (low, high) = halves(number);
        self.write_u64(low);
        self.write_u64(high);
    }

    /// Folds once more: after a single fold, keys at equal distances would have hashes at nearly equal distances.
    fn finish(&self) -> u64 {
        fold(self.state, GOLDEN)
    }
}

/// The two halves of a product, one over the other.
const fn fold(number: u64, factor: u64) -> u64 {
    let (low, high) = halves(number as u128 * factor as u128);
    low ^ high
}

#[allow(clippy::cast_possible_truncation, reason = "each half has 64 bits")]
const fn halves(number: u128) -> (u64, u64) {
    (number as u64, (number >> 64) as u64)
}

/// 2^64 divided by the golden ratio, which spreads consecutive numbers as far apart as possible.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Builds hashers for numbers that no one else chooses: ids and our nonces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnNumbers;

impl BuildHasher for OwnNumbers {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher(0)
    }
}

/// Multiplies a number by an odd one, so that consecutive ids get different places.
#[derive(Clone, Debug)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(GOLDEN);
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    /// Not used: only `u64` and `u32` are ever hashed.
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_count_up_fall_apart() {
        let places: alloc::collections::BTreeSet<u64> =
            (1..=1024u64).map(|id| OwnNumbers.hash_one(id) % 1024).collect();
        assert_eq!(places.len(), 1024);
    }

    #[test]
    fn addresses_in_a_row_fall_apart_as_chance_would_have_it() {
        let folding = Folding::new(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);
        for step in [1, 1 << 8, 1 << 16, 1 << 24] {
            let places = |shift: u32| {
                let hashes = (0..1024u64).map(|number| folding.hash_one(number.wrapping_mul(step)) >> shift);
                hashes.map(|hash| hash % 1024).collect::<alloc::collections::BTreeSet<u64>>().len()
            };
            // Of 1024 places, 1024 throws hit 647, give or take 15.
            assert!([0, 20, 54].into_iter().all(|shift| places(shift) > 560), "a step of {step}");
        }
    }

    #[test]
    fn every_byte_of_a_long_key_counts() {
        let folding = Folding::new(3, 5);
        for at in 0..32 {
            let mut key = [7u8; 32];
            let before = folding.hash_one(key);
            key[at] ^= 1;
            assert_ne!(folding.hash_one(key), before, "byte {at}");
        }
    }

    #[test]
    fn the_keys_alone_decide_the_hash() {
        let hash = |first, second| Keyed::new(first, second).hash_one(7u32);
        assert_eq!(hash(1, 2), hash(1, 2));
        assert_ne!(hash(1, 2), hash(2, 1));
        let folded = |first, second| Folding::new(first, second).hash_one(7u32);
        assert_eq!(folded(1, 3), folded(1, 3));
        assert_ne!(folded(1, 3), folded(3, 1));
    }
}
