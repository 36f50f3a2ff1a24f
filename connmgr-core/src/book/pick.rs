//! Choosing whom to dial: up to a hundred candidates, drawn by chance and judged more and more leniently.
//!
//! It knows nothing of connections, bans or groups: the caller's `allowed` does. Never a scan: each candidate costs
//! the same however much is known. Read first: `AddrMan::Select` and `ThreadOpenConnections` in Bitcoin Core.

use core::time::Duration;

use super::Book;
use super::entry::Entry;
use crate::mechanisms::rng::Rng;
use crate::types::{NetworkSet, PeerAddress, Services, Time};

/// Addresses looked at in one choice, as in btcd and Core.
const CANDIDATES: usize = 100;
/// The first so many candidates must not have been tried lately, as in btcd.
const PATIENT_FOR: usize = 30;
/// The first so many candidates must be on the default port, as in btcd.
const CHOOSY_FOR: usize = 50;
/// Candidates 50 to 80: spacing applies again, the port preference does not. Without this phase, a book in which no one
/// uses the default port would never honour spacing.
const PATIENT_AGAIN_FOR: usize = 80;

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
    /// Never dialed again before this, doubled for each failure up to `longest_rest`; exactly this is fine.
    /// [`DialConfig::min_spacing`](crate::DialConfig).
    pub(crate) min_spacing: Duration,
    /// However often it has failed, an address rests no longer than this; `min_spacing` holds all the same.
    pub(crate) longest_rest: Duration,
    /// Only where a connection was ready before.
    pub(crate) only_met: bool,
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
        for phase in &PHASES {
            // Candidates in a row that cannot be taken in this phase; a lap of them, in a small book, ends it.
            let (mut passed, mut some_may_later) = (0, false);
            for leniency in &LENIENCY[phase.candidates.0..phase.candidates.1] {
                if passed == known {
                    break;
                }
                let entry = self.store.nth(choice.networks, path.step(rng))?;
                passed += 1;
                match judge(entry, self.is_forgiven(entry), choice, phase, now) {
                    Verdict::Never => {}
                    Verdict::NotInThisPhase => some_may_later = true,
                    Verdict::By(chance) if rng.below(1 << 32) < (chance * leniency) >> POINT => {
                        let address = entry.address();
                        if allowed(&address) {
                            return Some(address);
                        }
                    }
                    Verdict::By(_) => passed = 0,
                }
            }
            if passed == known && !some_may_later {
                return None;
            }
        }
        None
    }
}

/// A stretch of the candidates, and what is asked of them.
struct Phase {
    /// From the first to before the second.
    candidates: (usize, usize),
    /// Not tried lately.
    rested: bool,
    /// On the default port.
    usual_port: bool,
}

const PHASES: [Phase; 4] = [
    Phase { candidates: (0, PATIENT_FOR), rested: true, usual_port: true },
    Phase { candidates: (PATIENT_FOR, CHOOSY_FOR), rested: false, usual_port: true },
    Phase { candidates: (CHOOSY_FOR, PATIENT_AGAIN_FOR), rested: true, usual_port: false },
    Phase { candidates: (PATIENT_AGAIN_FOR, CANDIDATES), rested: false, usual_port: false },
];

/// What to think of a candidate.
enum Verdict {
    /// Not in this choice.
    Never,
    /// Not before a laxer phase.
    NotInThisPhase,
    /// By this chance, in parts of 2^32.
    By(u64),
}

fn judge(entry: &Entry, is_forgiven: bool, choice: &Choice, phase: &Phase, now: Time) -> Verdict {
    let failures = if is_forgiven { 0 } else { entry.failures() };
    let is_met = entry.ever_succeeded() || !choice.only_met;
    if entry.was_tried_within(rest(failures, choice), now) || !entry.may_offer(choice.services) || !is_met {
        return Verdict::Never;
    }
    let recent = !is_forgiven && entry.was_tried_within(choice.spacing, now);
    if (phase.rested && recent) || (phase.usual_port && !entry.key().is_on_port(choice.default_port)) {
        return Verdict::NotInThisPhase;
    }
    let chance = CHANCE_AFTER_FAILURES[usize::from(entry.failures()).min(CHANCE_AFTER_FAILURES.len() - 1)];
    Verdict::By(if recent { chance / 100 } else { chance })
}

/// How long an address rests in any case: twice as long after each failure, so that a world that refuses at once is
/// not walked through again and again.
fn rest(failures: u8, choice: &Choice) -> Duration {
    let longest = choice.longest_rest.max(choice.min_spacing);
    choice.min_spacing.saturating_mul(1 << failures.min(16)).min(longest)
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

/// By how much the chance of each candidate is raised: 1 for the first, 1.2 times as much for each one after it (as
/// in Core), so that of bad candidates only, one is taken in the end. Capped where the smallest chance there is
/// (0.01 × 0.66^8) has become a certainty.
const LENIENCY: [u64; CANDIDATES] = {
    let mut table = [1 << POINT; CANDIDATES];
    let mut i = 1;
    while i < CANDIDATES {
        let raised = table[i - 1] * 6 / 5;
        table[i] = if raised < 4096 << POINT { raised } else { 4096 << POINT };
        i += 1;
    }
    table
};

/// Where the point is in [`LENIENCY`]: 1.0 has so many bits behind it.
const POINT: u32 = 16;

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
