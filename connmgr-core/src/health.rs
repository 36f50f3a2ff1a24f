//! Whether a network is up, judged by the answers to our dials.
//!
//! btcd tries eight dials every five seconds into a dead network, and takes a healthy one for dead when most
//! addresses are. Here a network is suspected down after a run of failures in which nobody answered at all, and is
//! then probed after 1, 2, 4, 8, 16, then every 32 s: at most 120 dials in any hour. The first answer ends it.
//!
//! This file knows no dial and no timer: it is told outcomes, and says when to probe.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::address::PeerAddress;
use crate::config::HealthConfig;
use crate::groups::Group;
use crate::time::Time;

/// How many of the latest addresses that answered are remembered for probing.
const ANSWERED: usize = 8;
/// How many addresses of a silent run are remembered, so that their failures can be forgiven.
const RUN_ADDRESSES: usize = 128;
/// As many groups as a configuration can ask for.
const GROUPS: usize = 16;

/// The health of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    state: State,
    /// When the network last showed life: an answer, a connection, traffic.
    last_life: Time,
    /// Addresses that answered last, latest last.
    answered: Vec<PeerAddress>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Up(Run),
    Down(Probing),
}

/// Failures in a row, since the last sign of life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Run {
    /// In a row, ours or the route's.
    own: u32,
    /// Without any answer.
    silent: u32,
    /// When the first of them was reported.
    began: Time,
    groups: Vec<Group>,
    addresses: Vec<PeerAddress>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Probing {
    /// Probes made.
    made: u32,
    /// A probe is due, and waits for a slot and an address.
    owed: bool,
    /// When an answer elsewhere last brought a probe forward.
    hurried: Option<Time>,
}

/// What became of a dial, as far as the network is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nobody answered.
    Silence,
    /// It failed on our side or on the route.
    Own,
}

/// No probe is brought forward twice within this, so that an hour never sees more than 120.
const HURRY_SPACING: Duration = Duration::from_secs(30 * 60);

impl Health {
    pub(crate) fn new(now: Time) -> Self {
        Self { state: State::Up(Run::default()), last_life: now, answered: Vec::new() }
    }

    pub(crate) const fn is_down(&self) -> bool {
        matches!(self.state, State::Down(_))
    }

    /// Whether the network showed life lately enough for an open connection to be proof of it.
    pub(crate) fn showed_life(&self, config: &HealthConfig, now: Time) -> bool {
        now.since(self.last_life) < config.traffic_within
    }

    /// Somebody came to us, or goes on speaking who did: the network carries something. It ends no outage, because
    /// that costs a stranger nothing.
    pub(crate) const fn record_visit(&mut self, now: Time) {
        self.last_life = now;
    }

    /// There was life: failures before it mean nothing. Returns whether the network was suspected down until now.
    pub(crate) fn record_life(&mut self, now: Time) -> bool {
        self.last_life = now;
        self.restore()
    }

    /// Somebody answered a dial. Returns whether the network was suspected down until now.
    pub(crate) fn record_answer(&mut self, address: &PeerAddress, now: Time) -> bool {
        if self.answered.last() != Some(address) {
            self.answered.retain(|other| other != address);
            if self.answered.len() == ANSWERED {
                self.answered.remove(0);
            }
            self.answered.push(address.clone());
        }
        self.record_life(now)
    }

    /// Takes the network for up again. Returns whether it was suspected down until now.
    pub(crate) fn restore(&mut self) -> bool {
        let was_down = self.is_down();
        match &mut self.state {
            State::Up(run) => run.clear(),
            State::Down(_) => self.state = State::Up(Run::default()),
        }
        was_down
    }

    /// Whether one more silent dial may be enough, as far as their number goes.
    pub(crate) const fn is_nearly_suspicious(&self, config: &HealthConfig) -> bool {
        match &self.state {
            State::Up(run) => run.silent.saturating_add(1) >= config.silent_dials,
            State::Down(_) => false,
        }
    }

    /// A dial failed. `alive`: an open connection with traffic proves the network up; `groups`: silence must be
    /// spread over so many. Returns the addresses whose failures are to be forgiven, when this failure makes the
    /// network suspected.
    pub(crate) fn record_failure(
        &mut self,
        outcome: Outcome,
        address: &PeerAddress,
        alive: bool,
        groups: u32,
        config: &HealthConfig,
        now: Time,
    ) -> Option<Vec<PeerAddress>> {
        let State::Up(run) = &mut self.state else { return None };
        run.record(outcome, address, now);
        if alive || !run.is_suspicious(groups, config, now) {
            return None;
        }
        let addresses = core::mem::take(&mut run.addresses);
        self.state = State::Down(Probing { made: 0, owed: false, hurried: None });
        Some(addresses)
    }

    /// The wait until the next probe; none while the network is up.
    pub(crate) fn next_probe(&self, config: &HealthConfig) -> Option<Duration> {
        let State::Down(probing) = &self.state else { return None };
        let factor = 1u32.checked_shl(probing.made).unwrap_or(u32::MAX);
        Some(config.first_probe.saturating_mul(factor).min(config.max_probe))
    }

    /// A probe is due.
    pub(crate) const fn owe_probe(&mut self) {
        if let State::Down(probing) = &mut self.state {
            probing.owed = true;
        }
    }

    /// Another network has come back: probe this one now too, unless that was done lately. Returns whether to.
    pub(crate) fn hurry(&mut self, now: Time) -> bool {
        let State::Down(probing) = &mut self.state else { return false };
        let lately = probing.hurried.is_some_and(|at| now.since(at) < HURRY_SPACING);
        if lately {
            return false;
        }
        probing.hurried = Some(now);
        probing.owed = true;
        true
    }

    /// Which probe is due, counted from 0: sources take turns by it.
    pub(crate) const fn owed_probe(&self) -> Option<u32> {
        match &self.state {
            State::Down(Probing { owed: true, made, .. }) => Some(*made),
            State::Down(Probing { owed: false, .. }) | State::Up(_) => None,
        }
    }

    /// The owed probe was made.
    pub(crate) const fn record_probe(&mut self) {
        if let State::Down(probing) = &mut self.state {
            probing.owed = false;
            probing.made = probing.made.saturating_add(1);
        }
    }

    /// Whether anybody in the network answered a dial in this life.
    pub(crate) fn ever_answered(&self) -> bool {
        !self.answered.is_empty()
    }

    /// Addresses that answered last, latest first; with each turn beginning one further on.
    pub(crate) fn answered(&self, turn: u32) -> impl Iterator<Item = &PeerAddress> {
        let count = self.answered.len();
        let skipped = (turn as usize).checked_rem(count).unwrap_or(0);
        self.answered.iter().rev().cycle().skip(skipped).take(count)
    }

    /// Hashes where the judgement stands, with times relative to `now`: what decides its future.
    pub(crate) fn fingerprint<H: Hasher>(&self, config: &HealthConfig, now: Time, to: &mut H) {
        now.since(self.last_life).min(config.traffic_within).hash(to);
        self.answered.hash(to);
        match &self.state {
            State::Up(run) => {
                let began = if run.silent == 0 { Duration::ZERO } else { now.since(run.began).min(config.silent_for) };
                (false, run.own, run.silent, began, &run.groups, &run.addresses).hash(to);
            }
            State::Down(Probing { made, owed, hurried }) => {
                let hurried = hurried.map(|at| now.since(at).min(HURRY_SPACING));
                (true, made, owed, hurried).hash(to);
            }
        }
    }
}

impl Run {
    fn clear(&mut self) {
        self.own = 0;
        self.silent = 0;
        self.groups.clear();
        self.addresses.clear();
    }

    fn record(&mut self, outcome: Outcome, address: &PeerAddress, now: Time) {
        match outcome {
            Outcome::Own => self.own = self.own.saturating_add(1),
            Outcome::Silence => self.record_silence(address, now),
        }
    }

    fn record_silence(&mut self, address: &PeerAddress, now: Time) {
        self.own = 0;
        if self.silent == 0 {
            self.began = now;
        }
        self.silent = self.silent.saturating_add(1);
        if let Some(group) = Group::of(address.host()) {
            if self.groups.len() < GROUPS && !self.groups.contains(&group) {
                self.groups.push(group);
            }
        }
        if self.addresses.len() < RUN_ADDRESSES {
            self.addresses.push(address.clone());
        }
    }

    fn is_suspicious(&self, groups: u32, config: &HealthConfig, now: Time) -> bool {
        let silent = self.silent >= config.silent_dials
            && self.groups.len() >= groups as usize
            && now.since(self.began) >= config.silent_for;
        silent || self.own >= config.own_failures
    }
}
