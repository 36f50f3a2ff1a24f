//! The hashes of all tables in this crate: SipHash-1-3 under keys given at birth, and a multiplication for numbers of
//! our own.
//!
//! The keys are secret, so that nobody can choose addresses that fall together; they come from the seed, so that a
//! replay does the same work. Ids count up and nonces are drawn by us: of those nobody chooses any. Tables are for
//! looking up only: nothing ever depends on the order inside one.

use core::hash::{BuildHasher, Hasher};

use siphasher::sip::SipHasher13;

/// Makes hashers, all under the same two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keyed {
    keys: (u64, u64),
}

impl Keyed {
    /// Hashers under these keys.
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

/// Makes hashers for numbers that nobody else chooses: ids and our nonces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnNumbers;

impl BuildHasher for OwnNumbers {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher(0)
    }
}

/// Multiplies a `u64` by an odd number: ids that count up all get a place of their own.
#[derive(Clone, Debug)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio, which spreads neighbours as far apart as can be.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// Nothing but a `u64` is ever hashed by this; other things would be, byte by byte.
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
