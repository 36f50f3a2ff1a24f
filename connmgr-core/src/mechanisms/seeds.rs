//! Where the asking of DNS seeds stands.
//!
//! This file knows neither names nor clocks of its own: seeds are numbered as configured, and the manager decides
//! when to ask.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::types::{LookupId, Time};

/// Where the asking of each seed stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    states: Vec<SeedState>,
    /// How often in a row each has failed.
    failures: Vec<u32>,
    /// Seeds to be dialed by name as addr-fetch, in turn. A seed stands here once.
    fetches: VecDeque<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SeedState {
    /// Never asked.
    Idle,
    /// Being looked up.
    Asking(LookupId),
    /// To be dialed, or being dialed, by name.
    Fetching,
    /// It answered.
    Answered {
        /// When.
        at: Time,
    },
    /// It did not answer.
    Failed {
        /// When it may be asked again.
        again: Time,
    },
}

impl Seeds {
    pub(crate) fn new(count: usize) -> Self {
        Self { states: vec![SeedState::Idle; count], failures: vec![0; count], fetches: VecDeque::new() }
    }

    /// The seeds that may be asked now, in order of preference.
    pub(crate) fn askable(&self, again_after: Duration, now: Time) -> impl Iterator<Item = usize> {
        let ready = move |state: &SeedState| askable_at(state, again_after).is_some_and(|at| at <= now);
        self.states.iter().enumerate().filter(move |(_, state)| ready(state)).map(|(seed, _)| seed)
    }

    /// When the next seed may be asked; none while all are being asked.
    pub(crate) fn next_askable(&self, again_after: Duration) -> Option<Time> {
        self.states.iter().filter_map(|state| askable_at(state, again_after)).min()
    }

    pub(crate) fn begin(&mut self, seed: usize, lookup: LookupId) {
        self.states[seed] = SeedState::Asking(lookup);
    }

    pub(crate) fn begin_fetch(&mut self, seed: usize) {
        self.states[seed] = SeedState::Fetching;
        self.fetches.push_back(seed);
    }

    /// The next seed to be dialed by name.
    pub(crate) fn next_fetch(&mut self) -> Option<usize> {
        self.fetches.pop_front()
    }

    /// The seed that a lookup is for.
    pub(crate) fn asked_by(&self, lookup: LookupId) -> Option<usize> {
        self.states.iter().position(|state| *state == SeedState::Asking(lookup))
    }

    /// Whether a seed is being dialed by name.
    pub(crate) fn is_fetching(&self, seed: usize) -> bool {
        self.states[seed] == SeedState::Fetching
    }

    pub(crate) fn record_answer(&mut self, seed: usize, now: Time) {
        self.failures[seed] = 0;
        self.states[seed] = SeedState::Answered { at: now };
    }

    /// A seed failed. `again` is told how often in a row, and says when it may be asked again.
    pub(crate) fn record_failure(&mut self, seed: usize, again: impl FnOnce(u32) -> Time) {
        self.failures[seed] = self.failures[seed].saturating_add(1);
        self.states[seed] = SeedState::Failed { again: again(self.failures[seed]) };
    }

    /// Whether any seed's last answer was one.
    pub(crate) fn has_answered(&self) -> bool {
        self.states.iter().any(|state| matches!(state, SeedState::Answered { .. }))
    }

    /// Seeds that failed may be asked as if they never had.
    pub(crate) fn forgive(&mut self) {
        for (state, failures) in self.states.iter_mut().zip(&mut self.failures) {
            if let SeedState::Failed { .. } = state {
                (*state, *failures) = (SeedState::Idle, 0);
            }
        }
    }

    /// The asking came to nothing that says anything about the seed.
    pub(crate) fn abandon(&mut self, lookup: LookupId) {
        if let Some(seed) = self.asked_by(lookup) {
            self.states[seed] = SeedState::Idle;
        }
    }

    /// Hashes where each seed stands, with times relative to `now`.
    pub(crate) fn fingerprint<H: Hasher>(&self, again_after: Duration, now: Time, to: &mut H) {
        for state in &self.states {
            core::mem::discriminant(state).hash(to);
            askable_at(state, again_after).map(|at| at.since(now)).hash(to);
        }
        (&self.failures, &self.fetches).hash(to);
    }
}

fn askable_at(state: &SeedState, again_after: Duration) -> Option<Time> {
    match state {
        SeedState::Idle => Some(Time::ZERO),
        SeedState::Asking(_) | SeedState::Fetching => None,
        SeedState::Answered { at } => Some(at.after(again_after)),
        SeedState::Failed { again } => Some(*again),
    }
}
