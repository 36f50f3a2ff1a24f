//! The state of each DNS seed.
//!
//! This file knows no names and no clock: seeds have the numbers of their order in the configuration, and the manager
//! decides when to ask.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::types::{LookupId, Time};

/// The state of every seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    states: Vec<SeedState>,
    /// Failures in a row of each seed.
    failures: Vec<u32>,
    /// Whether the last result of each seed was an answer; `None` before the first. A new attempt and a change of the
    /// machine's network leave it as it is.
    answered: Vec<Option<bool>>,
    /// Which seeds are asked by their bare name, though they are said to filter by services: the lookup with the filter
    /// failed last.
    bare: Vec<bool>,
    /// Since when fixed seeds are wanted.
    fixed_since: Option<Time>,
    /// Seeds to dial by name as addr-fetch, in order, each once.
    fetches: VecDeque<usize>,
    /// The proxy has refused a lookup as unsupported: seeds are dialed by name.
    refused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeedState {
    /// Not asked yet.
    Idle,
    /// A lookup is under way.
    Asking {
        /// Which.
        lookup: LookupId,
        /// When it began.
        since: Time,
    },
    /// To be dialed by name, or being dialed.
    Fetching,
    /// It answered.
    Answered {
        /// When it answered.
        at: Time,
    },
    /// It failed.
    Failed {
        /// When it may be asked again.
        again: Time,
    },
}

impl Seeds {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            states: vec![SeedState::Idle; count],
            failures: vec![0; count],
            answered: vec![None; count],
            bare: vec![false; count],
            fixed_since: None,
            fetches: VecDeque::new(),
            refused: false,
        }
    }

    /// The seeds that may be asked now, in order of preference.
    pub(crate) fn askable(&self, again_after: Duration, now: Time) -> impl Iterator<Item = usize> {
        let ready = move |state: &SeedState| askable_at(state, again_after).is_some_and(|at| at <= now);
        self.states.iter().enumerate().filter(move |(_, state)| ready(state)).map(|(seed, _)| seed)
    }

    /// When the next seed may be asked; `None` while all are being asked.
    pub(crate) fn next_askable(&self, again_after: Duration) -> Option<Time> {
        self.states.iter().filter_map(|state| askable_at(state, again_after)).min()
    }

    pub(crate) fn begin(&mut self, seed: usize, lookup: LookupId, now: Time) {
        self.states[seed] = SeedState::Asking { lookup, since: now };
    }

    pub(crate) fn begin_fetch(&mut self, seed: usize) {
        self.states[seed] = SeedState::Fetching;
        self.fetches.push_back(seed);
    }

    /// Whether a seed is asked by its bare name.
    pub(crate) fn is_bare(&self, seed: usize) -> bool {
        self.bare[seed]
    }

    /// The name by which a seed that filters was asked has failed: the other one has the next turn. Returns whether that
    /// should come at once: the filter failed, and the seed has not failed before.
    pub(crate) fn turn_name(&mut self, seed: usize) -> bool {
        self.bare[seed] = !self.bare[seed];
        self.bare[seed] && self.failures[seed] == 0
    }

    /// Since when fixed seeds are wanted, if they were not already: since `now`.
    pub(crate) fn want_fixed(&mut self, now: Time) -> Time {
        *self.fixed_since.get_or_insert(now)
    }

    /// Fixed seeds are used now.
    pub(crate) const fn use_fixed(&mut self) {
        self.fixed_since = None;
    }

    /// The next seed to dial by name.
    pub(crate) fn next_fetch(&mut self) -> Option<usize> {
        self.fetches.pop_front()
    }

    /// The proxy does not support lookups.
    pub(crate) const fn refuse_lookups(&mut self) {
        self.refused = true;
    }

    /// The proxy may be another one now.
    pub(crate) const fn allow_lookups(&mut self) {
        self.refused = false;
    }

    /// Whether the proxy has refused lookups as unsupported.
    pub(crate) const fn are_refused(&self) -> bool {
        self.refused
    }

    /// The seed that a lookup asks.
    pub(crate) fn asked_by(&self, lookup: LookupId) -> Option<usize> {
        let asks = |state: &SeedState| matches!(state, SeedState::Asking { lookup: other, .. } if *other == lookup);
        self.states.iter().position(asks)
    }

    /// For how long a seed has been asked; zero if it isn't being asked.
    pub(crate) fn asked_for(&self, seed: usize, now: Time) -> Duration {
        match self.states[seed] {
            SeedState::Asking { since, .. } => now.since(since),
            SeedState::Idle | SeedState::Fetching | SeedState::Answered { .. } | SeedState::Failed { .. } => {
                Duration::ZERO
            }
        }
    }

    /// Whether a seed is to be dialed or is being dialed by name.
    pub(crate) fn is_fetching(&self, seed: usize) -> bool {
        self.states[seed] == SeedState::Fetching
    }

    pub(crate) fn record_answer(&mut self, seed: usize, now: Time) {
        self.failures[seed] = 0;
        self.answered[seed] = Some(true);
        self.states[seed] = SeedState::Answered { at: now };
    }

    /// A seed failed. `again` gets its number of failures in a row, and returns when it may be asked again.
    pub(crate) fn record_failure(&mut self, seed: usize, again: impl FnOnce(u32) -> Time) {
        self.failures[seed] = self.failures[seed].saturating_add(1);
        self.answered[seed] = Some(false);
        self.states[seed] = SeedState::Failed { again: again(self.failures[seed]) };
    }

    /// Whether the last result of any seed is an answer.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered.contains(&Some(true))
    }

    /// Whether the last result of every seed is a failure. Then the way to them is closed, or names can't be resolved:
    /// seeds are run by different people, and hardly fail together.
    pub(crate) fn have_all_failed(&self) -> bool {
        self.answered.iter().all(|answered| *answered == Some(false))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    /// Seeds that failed count as not asked yet.
    pub(crate) fn forgive(&mut self) {
        for (state, failures) in self.states.iter_mut().zip(&mut self.failures) {
            if let SeedState::Failed { .. } = state {
                (*state, *failures) = (SeedState::Idle, 0);
            }
        }
    }

    /// A lookup was dropped. It says nothing about the seed.
    pub(crate) fn abandon(&mut self, lookup: LookupId) {
        if let Some(seed) = self.asked_by(lookup) {
            self.states[seed] = SeedState::Idle;
        }
    }

    /// Hashes the state of each seed, with times relative to `now`.
    pub(crate) fn fingerprint<H: Hasher>(&self, again_after: Duration, now: Time, to: &mut H) {
        for state in &self.states {
            core::mem::discriminant(state).hash(to);
            askable_at(state, again_after).map(|at| at.since(now)).hash(to);
            if let SeedState::Asking { since, .. } = state {
                now.since(*since).hash(to);
            }
        }
        (&self.failures, &self.answered, &self.bare, &self.fetches, self.refused).hash(to);
        self.fixed_since.map(|since| now.since(since)).hash(to);
    }
}

fn askable_at(state: &SeedState, again_after: Duration) -> Option<Time> {
    match state {
        SeedState::Idle => Some(Time::ZERO),
        SeedState::Asking { .. } | SeedState::Fetching => None,
        SeedState::Answered { at } => Some(at.after(again_after)),
        SeedState::Failed { again } => Some(*again),
    }
}
