//! Chooses an address to dial: up to a hundred random candidates, tested less and less strictly.
//!
//! It knows no connections and bans; the caller's `allowed` does. Where the candidates come from is the business of
//! [`draw`](super::draw). It never scans: a candidate costs the same whatever the size of the book. Read first: `AddrMan::Select` and `ThreadOpenConnections` in Bitcoin Core.

use core::time::Duration;

use super::Book;
use super::chance::{CANDIDATES, LENIENCY, POINT, chance_of};
use super::draw::Path;
use super::entry::Entry;
use super::marks::{Class, Filter};
use super::numbered::AddressId;
use crate::mechanisms::rng::Rng;
use crate::types::{NetworkSet, PeerAddress, Services, Time};

/// The first 30 candidates must not have been tried lately, as in btcd.
const RESTED_UNTIL: usize = 30;
/// The first 50 candidates must be on the default port, as in btcd.
const DEFAULT_PORT_UNTIL: usize = 50;
/// Candidates 50 to 80: spacing applies again, the port preference does not. Without this phase, a book in which no one
/// uses the default port would never honour spacing.
const RESTED_AGAIN_UNTIL: usize = 80;

/// One choice in this many tests an address that may have to give its place up.
const TESTS_ONE_IN: u64 = 8;

/// What to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The networks to choose from.
    pub(crate) networks: NetworkSet,
    /// The services it must have, as far as known.
    pub(crate) services: Services,
    /// The preferred port; 0: no preference.
    pub(crate) default_port: u16,
    /// The preferred time since the last dial; exactly this is enough. [`DialConfig::spacing`](crate::DialConfig).
    pub(crate) spacing: Duration,
    /// The least time since the last dial, doubled for each failure up to `longest_rest`; exactly this is enough.
    /// [`DialConfig::min_spacing`](crate::DialConfig).
    pub(crate) min_spacing: Duration,
    /// No address rests longer than this, however often it has failed, except for `min_spacing`.
    pub(crate) longest_rest: Duration,
    /// Only addresses that were ready before.
    pub(crate) only_ready_before: bool,
}

/// An address that was chosen, with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picked {
    pub(crate) address: PeerAddress,
    pub(crate) id: AddressId,
}

impl Book {
    /// Chooses an address to dial. `None`: no candidate passes now; a later choice may succeed, so the caller waits.
    ///
    /// Calls `allowed` last, at most 101 times, only for addresses that pass everything else. With at most 100
    /// addresses in these networks, every one is a candidate.
    pub(crate) fn pick(
        &mut self,
        rng: &mut Rng,
        choice: &Choice,
        now: Time,
        mut allowed: impl FnMut(&PeerAddress) -> bool,
    ) -> Option<Picked> {
        self.settle_collisions(now);
        if let Some(picked) = self.pick_tested(rng, choice, now, &mut allowed) {
            return Some(picked);
        }
        let filter = self.filter_of(choice);
        let known = self.known.of(filter);
        let mut path = Path::new(self, filter, choice.only_ready_before, now);
        for phase in &PHASES {
            // Counts candidates in a row that this phase rejects. Once all known addresses are rejected, the phase
            // ends.
            let (mut passed, mut some_may_later) = (0, false);
            for leniency in &LENIENCY[phase.candidates.0..phase.candidates.1] {
                if passed == known {
                    break;
                }
                let slot = path.step(self, rng, now)?;
                let entry = self.store.entry(slot);
                passed += 1;
                match test_candidate(entry, self.is_forgiven(entry), choice, phase, now) {
                    Verdict::Never => {}
                    Verdict::NotInThisPhase => some_may_later = true,
                    Verdict::WithChance(chance) if is_lucky((chance * leniency) >> POINT, rng) => {
                        let address = self.store.address(entry);
                        if allowed(&address) {
                            return Some(Picked { address, id: AddressId(slot) });
                        }
                    }
                    Verdict::WithChance(_) => passed = 0,
                }
            }
            if passed == known && !some_may_later {
                return None;
            }
        }
        None
    }

    /// One choice in eight tests an address whose place another waits for, if it can be dialed. Whatever its port: it was
    /// ready there before.
    fn pick_tested(
        &self,
        rng: &mut Rng,
        choice: &Choice,
        now: Time,
        mut allowed: impl FnMut(&PeerAddress) -> bool,
    ) -> Option<Picked> {
        if self.waiting.is_empty() || rng.below(TESTS_ONE_IN) != 0 {
            return None;
        }
        let slot = self.draw_tested(rng)?;
        let entry = self.store.entry(slot);
        let is_asked_for = self.filter_of(choice).fits(entry.marks());
        let passes = || match test_candidate(entry, self.is_forgiven(entry), choice, &RESTED_ON_ANY_PORT, now) {
            Verdict::Never | Verdict::NotInThisPhase => false,
            Verdict::WithChance(_) => true,
        };
        let address = self.store.address(entry);
        (is_asked_for && passes() && allowed(&address)).then_some(Picked { address, id: AddressId(slot) })
    }

    fn filter_of(&self, choice: &Choice) -> Filter {
        let [full, block_relay] = self.services;
        let class = match choice.services {
            Services::NONE => Class::Any,
            services if services == full => Class::Full,
            services if services == block_relay => Class::BlockRelay,
            // Candidates are tested for any others.
            _ => Class::Any,
        };
        Filter::new(choice.networks, class)
    }
}

/// Why no choice takes an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is known to lack services.
    LacksServices,
    /// It was dialed lately.
    Rests,
    /// It was never ready.
    NeverReady,
}

impl Book {
    /// Why a choice does not take this address; `None` if it may, or if the address is unknown.
    pub(crate) fn unfit(&self, address: &PeerAddress, choice: &Choice, now: Time) -> Option<Unfit> {
        let entry = self.store.entry(self.find(address)?);
        unfit(entry, self.is_forgiven(entry), choice, now)
    }

    /// Until when an address rests for a choice; `None` if it was never dialed or is unknown.
    pub(crate) fn rests_until(&self, address: &PeerAddress, choice: &Choice) -> Option<Time> {
        let entry = self.store.entry(self.find(address)?);
        entry.after_try(rest_of(entry, self.is_forgiven(entry), choice))
    }
}

/// Whether a candidate with this chance, in units of 2^-32, is taken.
fn is_lucky(chance: u64, rng: &mut Rng) -> bool {
    chance >= 1 << 32 || rng.below(1 << 32) < chance
}

/// A range of candidates, and what they must satisfy.
struct PickPhase {
    /// From the first to before the second.
    candidates: (usize, usize),
    /// Not tried lately.
    rested: bool,
    /// On the default port.
    default_port: bool,
}

const RESTED_ON_ANY_PORT: PickPhase =
    PickPhase { candidates: (DEFAULT_PORT_UNTIL, RESTED_AGAIN_UNTIL), rested: true, default_port: false };

const PHASES: [PickPhase; 4] = [
    PickPhase { candidates: (0, RESTED_UNTIL), rested: true, default_port: true },
    PickPhase { candidates: (RESTED_UNTIL, DEFAULT_PORT_UNTIL), rested: false, default_port: true },
    RESTED_ON_ANY_PORT,
    PickPhase { candidates: (RESTED_AGAIN_UNTIL, CANDIDATES), rested: false, default_port: false },
];

/// The test of a candidate.
enum Verdict {
    /// Rejected in every phase.
    Never,
    /// Rejected in this phase.
    NotInThisPhase,
    /// Passes with this chance, in units of 2^-32.
    WithChance(u64),
}

fn test_candidate(entry: &Entry, is_forgiven: bool, choice: &Choice, phase: &PickPhase, now: Time) -> Verdict {
    if unfit(entry, is_forgiven, choice, now).is_some() {
        return Verdict::Never;
    }
    let recent = !is_forgiven && entry.was_tried_within(choice.spacing, now);
    if (phase.rested && recent) || (phase.default_port && !entry.key().is_on_port(choice.default_port)) {
        return Verdict::NotInThisPhase;
    }
    Verdict::WithChance(chance_of(entry, recent))
}

/// Why no phase takes an entry, if none does.
fn unfit(entry: &Entry, is_forgiven: bool, choice: &Choice, now: Time) -> Option<Unfit> {
    if !entry.may_offer(choice.services) {
        Some(Unfit::LacksServices)
    } else if entry.was_ever_tried() && entry.was_tried_within(rest_of(entry, is_forgiven, choice), now) {
        Some(Unfit::Rests)
    } else if choice.only_ready_before && !entry.ever_succeeded() {
        Some(Unfit::NeverReady)
    } else {
        None
    }
}

/// The rest after the last dial. It doubles with each failure, so that addresses that refuse at once are not dialed
/// over and over.
fn rest_of(entry: &Entry, is_forgiven: bool, choice: &Choice) -> Duration {
    let failures = if is_forgiven { 0 } else { entry.failures() };
    let longest = choice.longest_rest.max(choice.min_spacing);
    choice.min_spacing.saturating_mul(1 << failures.min(16)).min(longest)
}
