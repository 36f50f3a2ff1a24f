//! Choosing whom to dial: up to a hundred candidates, drawn by chance and judged more and more leniently.
//!
//! It knows nothing of connections, bans or groups: the caller's `allowed` does. Never a scan: each candidate costs
//! the same however much is known. Read first: `AddrMan::Select` and `ThreadOpenConnections` in Bitcoin Core.

use core::time::Duration;

use super::Book;
use super::entry::Entry;
use crate::address::{PeerAddress, Services};
use crate::network::NetworkSet;
use crate::rng::Rng;
use crate::time::Time;

/// Addresses looked at in one choice, as in btcd and Core.
const CANDIDATES: usize = 100;
/// The first so many candidates must not have been tried lately, as in btcd.
const PATIENT_FOR: usize = 30;
/// The first so many candidates must be on the default port, as in btcd.
const CHOOSY_FOR: usize = 50;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The networks it may be in.
    pub(crate) networks: NetworkSet,
    /// What it must offer, as far as is known.
    pub(crate) services: Services,
    /// The port to prefer; 0 for no preference.
    pub(crate) default_port: u16,
    /// Preferably not dialed again before this; exactly this is fine. [`DialConfig::spacing`](crate::DialConfig).
    pub(crate) spacing: Duration,
    /// Never dialed again before this; exactly this is fine. [`DialConfig::min_spacing`](crate::DialConfig).
    pub(crate) min_spacing: Duration,
}

impl Book {
    /// An address to dial, or none if no candidate will do; then a later choice may have more luck, and the caller
    /// waits a while before it.
    ///
    /// `allowed` is asked last, only about addresses that are otherwise chosen, and at most 100 times. A book of at
    /// most 100 addresses in the networks asked for is gone through completely each time.
    pub(crate) fn pick(
        &self,
        rng: &mut Rng,
        choice: &Choice,
        now: Time,
        mut allowed: impl FnMut(&PeerAddress) -> bool,
    ) -> Option<PeerAddress> {
        let known = self.store.len_in(choice.networks);
        let mut path = Path::new(known, rng);
        let mut leniency = Leniency::START;
        let mut hopeless_in_a_row = 0;
        for round in 0..CANDIDATES {
            // A whole lap of a small book without one that may do later on: further laps change nothing.
            if hopeless_in_a_row == known {
                return None;
            }
            let entry = self.store.nth(choice.networks, path.step(rng))?;
            match judge(entry, choice, round, now) {
                Verdict::Never => hopeless_in_a_row += 1,
                Verdict::NotYet => hopeless_in_a_row = 0,
                Verdict::By(chance) if leniency.accepts(chance, rng) => {
                    let address = entry.address();
                    if allowed(&address) {
                        return Some(address);
                    }
                    hopeless_in_a_row += 1;
                }
                Verdict::By(_) => hopeless_in_a_row = 0,
            }
            leniency.grow();
        }
        None
    }
}

/// What to think of a candidate.
enum Verdict {
    /// Not in this choice.
    Never,
    /// Not as one of the first candidates.
    NotYet,
    /// By this chance, in parts of 2^32.
    By(u64),
}

fn judge(entry: &Entry, choice: &Choice, round: usize, now: Time) -> Verdict {
    if entry.was_tried_within(choice.min_spacing, now) || !entry.may_offer(choice.services) {
        return Verdict::Never;
    }
    let recent = !entry.is_forgiven() && entry.was_tried_within(choice.spacing, now);
    if (recent && round < PATIENT_FOR) || (!entry.is_on_port(choice.default_port) && round < CHOOSY_FOR) {
        return Verdict::NotYet;
    }
    let chance = CHANCE_AFTER_FAILURES[usize::from(entry.failures()).min(CHANCE_AFTER_FAILURES.len() - 1)];
    Verdict::By(if recent { chance / 100 } else { chance })
}

/// 0.66^n for n failures, in parts of 2^32; more than eight count as eight.
const CHANCE_AFTER_FAILURES: [u64; 9] = [
    4_294_967_296,
    2_834_678_415,
    1_870_887_754,
    1_234_785_918,
    814_958_706,
    537_872_746,
    354_996_012,
    234_297_368,
    154_636_263,
];

/// By how much a candidate's chance is raised: 1 for the first, 1.2 times as much for each one after it (as in
/// Core), so that of bad candidates only, one is taken in the end.
struct Leniency(u64);

impl Leniency {
    /// Where the point is: 1.0 has so many bits behind it.
    const POINT: u32 = 16;
    const START: Self = Self(1 << Self::POINT);
    /// Enough to make the smallest chance (0.01 × 0.66^8) a certainty.
    const MOST: u64 = 4096 << Self::POINT;

    fn grow(&mut self) {
        self.0 = (self.0 * 6 / 5).min(Self::MOST);
    }

    fn accepts(&self, chance: u64, rng: &mut Rng) -> bool {
        let chance = (chance * self.0) >> Self::POINT;
        chance >= 1 << 32 || rng.below(1 << 32) < chance
    }
}

/// The numbers of the candidates: each anywhere in a big book; in a small one, a walk that misses nobody.
struct Path {
    known: usize,
    at: usize,
    stride: usize,
}

impl Path {
    /// Primes above [`CANDIDATES`]: none has a divisor in common with a smaller number, so a walk in such steps
    /// comes by every entry before it comes by one again. There are several so that nobody is always second to the
    /// same neighbour.
    const STRIDES: [usize; 8] = [101, 103, 107, 109, 113, 127, 131, 137];

    fn new(known: usize, rng: &mut Rng) -> Self {
        if known > CANDIDATES {
            return Self { known, at: 0, stride: 0 };
        }
        Self { known, at: rng.index(known), stride: Self::STRIDES[rng.index(Self::STRIDES.len())] }
    }

    fn step(&mut self, rng: &mut Rng) -> usize {
        if self.known > CANDIDATES {
            return rng.index(self.known);
        }
        self.at = (self.at + self.stride) % self.known;
        self.at
    }
}
