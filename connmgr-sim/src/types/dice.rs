//! The world's chances, each drawn from (seed, purpose, entity, counter).
//!
//! A draw depends on nothing but its key: taking one host out of a world changes nothing for the others, which is what
//! makes failures shrink. Integers only, so that all platforms draw the same. A manager draws from its own rng, not
//! from here.

use std::time::Duration;

use super::Share;

/// What a draw decides. Draws for different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DrawPurpose {
    /// Where a host lives.
    Address = 1,
    /// Whether a host is reachable and whether it is full.
    Character,
    /// The round trip to a host.
    Latency,
    /// When a host comes and goes.
    Churn,
    /// The result of a dial.
    Dial,
    /// What happens on one connection.
    Session,
    /// What a host tells of others.
    Gossip,
    /// Which addresses a manager knows at the start.
    Acquaintance,
    /// The answers of name servers.
    Names,
    /// Inbound connections from outside the world.
    Arrival,
    /// The rng seed of a manager.
    Birth,
    /// Faults.
    Fault,
    /// Which faults with a `chance` occur.
    Swarm,
    /// When a host leaves for good.
    Departure,
    /// The grammar of random worlds.
    Grammar,
    /// Attacks on the address book.
    Attack,
    /// Where a model of a book places addresses.
    Placement,
}

/// A stream of draws with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dice {
    key: u64,
    drawn: u64,
}

impl Dice {
    /// The stream of an entity's draws for a purpose.
    pub const fn new(seed: u64, purpose: DrawPurpose, entity: u64) -> Self {
        Self { key: mix(mix(seed ^ ((purpose as u64) << 56)) ^ entity), drawn: 0 }
    }

    /// The stream of the `part`-th thing within this stream's key. It does not depend on what was drawn.
    #[must_use]
    pub const fn part(&self, part: u64) -> Self {
        Self { key: mix(self.key ^ mix(part ^ GOLDEN)), drawn: 0 }
    }

    /// Any number.
    pub const fn next_u64(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(GOLDEN);
        mix(self.key ^ mix(self.drawn))
    }

    /// A number below `bound`, or 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("a product of two 64-bit numbers, shifted by 64")
    }

    /// The same for small numbers.
    pub fn below_u32(&mut self, bound: u32) -> u32 {
        u32::try_from(self.below(bound.into())).expect("below a u32")
    }

    /// An index below `len`; 0 for a `len` of 0.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a usize")
    }

    /// True `share` times in a million.
    pub fn happens(&mut self, share: Share) -> bool {
        if share == Share::NONE {
            // It counts as drawn, whatever the number would be.
            self.drawn = self.drawn.wrapping_add(GOLDEN);
            return false;
        }
        self.below(1_000_000) < u64::from(share.0)
    }

    /// A wait with this mean, exponentially distributed and cut off at ten times the mean: von Neumann's comparison
    /// of uniform draws, which needs no logarithm.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        for whole in 0..10u32 {
            let first = self.next_u64();
            let (mut last, mut falling) = (first, 1u32);
            loop {
                let next = self.next_u64();
                if next >= last {
                    break;
                }
                (last, falling) = (next, falling + 1);
            }
            if falling % 2 == 1 {
                return mean.saturating_mul(whole).saturating_add(fraction(mean, first));
            }
        }
        mean.saturating_mul(10)
    }

    /// A duration in `[from, to]`, all equally likely.
    pub fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let width = to.saturating_sub(from);
        from.saturating_add(fraction(width, self.next_u64()))
    }
}

/// `of` × `part` / 2^64.
fn fraction(of: Duration, part: u64) -> Duration {
    let nanos = u64::try_from(of.as_nanos()).unwrap_or(u64::MAX);
    let wide = (u128::from(nanos) * u128::from(part)) >> 64;
    Duration::from_nanos(u64::try_from(wide).expect("a product of two 64-bit numbers, shifted by 64"))
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64: every bit of the input reaches every bit of the output.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dice() -> Dice {
        Dice::new(1, DrawPurpose::Dial, 2)
    }

    #[test]
    fn the_same_key_draws_the_same() {
        let (mut a, mut b) = (dice(), dice());
        assert!((0..100).all(|_| a.next_u64() == b.next_u64()));
    }

    #[test]
    fn each_part_of_the_key_matters() {
        let firsts = [
            dice().next_u64(),
            Dice::new(2, DrawPurpose::Dial, 2).next_u64(),
            Dice::new(1, DrawPurpose::Churn, 2).next_u64(),
            Dice::new(1, DrawPurpose::Dial, 3).next_u64(),
            dice().part(0).next_u64(),
            dice().part(1).next_u64(),
        ];
        let mut distinct = firsts.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), firsts.len());
    }

    #[test]
    fn an_exponential_wait_has_its_mean() {
        let (mut dice, mean) = (dice(), Duration::from_secs(100));
        let sum: Duration = (0..100_000).map(|_| dice.exponential(mean)).sum();
        let seen = sum / 100_000;
        assert!((Duration::from_secs(98)..Duration::from_secs(102)).contains(&seen), "{seen:?}");
    }

    #[test]
    fn a_share_happens_so_often() {
        let mut dice = dice();
        let hits = (0..100_000).filter(|_| dice.happens(Share::percent(11))).count();
        assert!((10_500..11_500).contains(&hits), "{hits}");
        assert!(!dice.happens(Share::NONE) && dice.happens(Share::ALL));
    }
}
