//! The hash functions of every table in this crate: SipHash-1-3 with keys drawn at birth, and a multiplication for our
//! own numbers.
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

/// Builds hashers for numbers that no one else chooses: ids and our nonces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnNumbers;

impl BuildHasher for OwnNumbers {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher(0)
    }
}

/// Multiplies a `u64` by an odd number, so that consecutive ids get different places.
#[derive(Clone, Debug)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio, which spreads consecutive numbers as far apart as possible.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// Not used: only `u64` is ever hashed.
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
    fn the_keys_alone_decide_the_hash() {
        let hash = |first, second| Keyed::new(first, second).hash_one(7u32);
        assert_eq!(hash(1, 2), hash(1, 2));
        assert_ne!(hash(1, 2), hash(2, 1));
    }
}
