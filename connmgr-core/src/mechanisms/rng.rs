//! Random numbers from a seed: the same seed gives the same numbers on every platform.
//!
//! ChaCha8 is a published stream that no release of a library changes. For the same reason the mapping of its numbers
//! to a range is written here.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng};

/// A stream of random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rng(ChaCha8Rng);

impl Rng {
    /// The stream with this number; the streams of one seed are independent.
    pub(crate) fn new(seed: [u8; 32], stream: u64) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A random number, all 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A random number below `bound`, uniform up to a bias of at most `bound` / 2^64; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("a product of two 64-bit numbers, shifted by 64")
    }

    /// A random index below `len`; 0 for a `len` of 0.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a usize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First block of ChaCha8 for a key of zeros, as in the estreamt test vectors (TC1).
        assert_eq!(Rng::new([0; 32], 0).next_u64().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut rng = Rng::new([1; 32], 0);
        for bound in [1, 2, 3, 1000, u64::MAX] {
            assert!((0..1000).all(|_| rng.below(bound) < bound));
        }
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn streams_differ() {
        assert_ne!(Rng::new([0; 32], 0).next_u64(), Rng::new([0; 32], 1).next_u64());
    }
}
