//! The hash of every table in this crate: SipHash-1-3 under keys given at birth.
//!
//! The keys are secret, so that nobody can choose addresses that fall together; they come from the seed, so that a
//! replay does the same work. Tables are for looking up only: nothing ever depends on the order inside one.

use core::hash::BuildHasher;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_alone_decide_the_hash() {
        let hash = |first, second| Keyed::new(first, second).hash_one(7u32);
        assert_eq!(hash(1, 2), hash(1, 2));
        assert_ne!(hash(1, 2), hash(2, 1));
    }
}
