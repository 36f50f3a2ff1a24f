//! Whether a network is up, judged by the answers to our dials.
//!
//! btcd tries eight dials every five seconds into a dead network, and takes a healthy one for dead when most
//! addresses are. Here a network is suspected down after a run of failures in which nobody answered at all, and is
//! then probed after 1, 2, 4, 8, 16, then every 32 s: at most 120 dials in any hour. The first answer ends it.
//!
//! Failures of our own (no route, no such address family) say that we can't dial, whoever is connected; silence says
//! nothing while a connection in the network lives. Some networks are routed in part: failures of our own come at once
//! and cost next to nothing, so that many addresses are tried before a network is suspected for them.
//!
//! This file knows no dial and no timer: it is told outcomes, and says when to probe.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::config::HealthConfig;
use crate::mechanisms::groups::Group;
use crate::types::{PeerAddress, Time};

/// How many of the latest addresses that answered are remembered for probing.
const ANSWERED: usize = 8;
/// How many addresses of a silent run are remembered, so that their failures can be forgiven.
const RUN_ADDRESSES: usize = 256;
/// As many silent dials, if so many addresses are known, are more than a scarce world explains: where 4 % answer, so
/// many in a row are silent once in 30 000 times.
const SILENT_IN_SCARCE_WORLD: u32 = 256;
/// As many failures of our own in a row, if so many addresses are known, are more than a network routed in part
/// explains: where a tenth is routed, once in 800 times.
const OWN_WHERE_PARTLY_ROUTED: u32 = 64;
/// Where an answer ended a run of failures of our own, so many times that run is needed to suspect the network, …
const TIMES_THE_LONGEST_OWN_RUN: u32 = 4;
/// … but no more than this.
const MOST_OWN: u32 = 256;
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
    /// The longest run of failures of our own that an answer has ended.
    longest_own: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Up(Run),
    Down(Probing),
}

/// Failures in a row, since the last sign of life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Run {
    /// In a row, ours or the route's. Ended by anything but another.
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
    cause: Cause,
    /// Probes made.
    made: u32,
    /// A probe is due, and waits for a slot and an address.
    owed: bool,
    /// When an answer elsewhere last brought a probe forward.
    hurried: Option<Time>,
}

/// Why a network is taken for down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cause {
    /// Nobody answers.
    Silence,
    /// We can't dial: failures in a row were ours or the route's.
    Own,
}

/// What became of a dial, as far as the network is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nobody answered.
    Silence,
    /// It failed on the route: at the proxy.
    Route,
    /// It failed on our side.
    Own,
}

/// What a failed dial has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// The network is suspected down from now on; the failures of these addresses are to be forgiven.
    Down(Vec<PeerAddress>),
    /// We could not dial, and can again.
    Up,
}

/// What is known of a network besides its health, when a dial into it has failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    /// An open connection with traffic proves the network up.
    pub(crate) alive: bool,
    /// Silence must be spread over so many groups.
    pub(crate) groups: u32,
    /// So many addresses are known in it.
    pub(crate) known: u32,
}

/// No probe is brought forward twice within this, so that an hour never sees more than 120.
const HURRY_SPACING: Duration = Duration::from_secs(30 * 60);

impl Health {
    pub(crate) fn new(now: Time) -> Self {
        Self { state: State::Up(Run::default()), last_life: now, answered: Vec::new(), longest_own: 0 }
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

    /// There was life on a connection: silence before it means nothing. That we can't dial it does not disprove.
    /// Returns whether the network was suspected down until now.
    pub(crate) fn record_life(&mut self, now: Time) -> bool {
        self.last_life = now;
        match &mut self.state {
            State::Up(run) => {
                run.end_silence();
                false
            }
            State::Down(Probing { cause: Cause::Own, .. }) => false,
            State::Down(Probing { cause: Cause::Silence, .. }) => self.restore(),
        }
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
        self.last_life = now;
        if let State::Up(run) = &self.state {
            self.longest_own = self.longest_own.max(run.own);
        }
        self.restore()
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

    /// The machine is in another network: how this one is routed is open again.
    pub(crate) const fn forget_routes(&mut self) {
        self.longest_own = 0;
    }

    /// Whether one more silent dial may be enough, as far as their number goes.
    pub(crate) const fn is_nearly_suspicious(&self, config: &HealthConfig) -> bool {
        match &self.state {
            State::Up(run) => run.silent.saturating_add(1) >= config.silent_dials,
            State::Down(_) => false,
        }
    }

    /// A dial failed.
    pub(crate) fn record_failure(
        &mut self,
        outcome: Outcome,
        address: &PeerAddress,
        around: Surroundings,
        config: &HealthConfig,
        now: Time,
    ) -> Change {
        let longest_own = self.longest_own;
        let run = match &mut self.state {
            State::Up(run) => run,
            // It went out: we can dial again. Whether anybody answers is another question.
            State::Down(Probing { cause: Cause::Own, .. }) if outcome == Outcome::Silence => {
                self.restore();
                return Change::Up;
            }
            State::Down(_) => return Change::None,
        };
        run.record(outcome, address, now);
        let cause = match outcome {
            Outcome::Silence if !around.alive && run.is_silent(around, config, now) => Cause::Silence,
            Outcome::Route if run.own >= config.own_failures => Cause::Own,
            Outcome::Own if run.own >= own_needed(around.known, longest_own, config) => Cause::Own,
            Outcome::Silence | Outcome::Route | Outcome::Own => return Change::None,
        };
        let addresses = core::mem::take(&mut run.addresses);
        self.state = State::Down(Probing { cause, made: 0, owed: false, hurried: None });
        Change::Down(addresses)
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
        (&self.answered, self.longest_own).hash(to);
        match &self.state {
            State::Up(run) => {
                let began = if run.silent == 0 { Duration::ZERO } else { now.since(run.began).min(config.silent_for) };
                (false, run.own, run.silent, began, &run.groups, &run.addresses).hash(to);
            }
            State::Down(Probing { cause, made, owed, hurried }) => {
                let hurried = hurried.map(|at| now.since(at).min(HURRY_SPACING));
                (true, cause, made, owed, hurried).hash(to);
            }
        }
    }
}

/// How many failures of our own in a row make a network suspected.
fn own_needed(known: u32, longest_own: u32, config: &HealthConfig) -> u32 {
    let usual = longest_own.saturating_mul(TIMES_THE_LONGEST_OWN_RUN).min(MOST_OWN);
    known.min(OWN_WHERE_PARTLY_ROUTED).max(usual).max(config.own_failures)
}

impl Run {
    fn clear(&mut self) {
        self.own = 0;
        self.end_silence();
    }

    fn end_silence(&mut self) {
        self.silent = 0;
        self.groups.clear();
        self.addresses.clear();
    }

    fn record(&mut self, outcome: Outcome, address: &PeerAddress, now: Time) {
        match outcome {
            Outcome::Own | Outcome::Route => self.own = self.own.saturating_add(1),
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

    fn is_silent(&self, around: Surroundings, config: &HealthConfig, now: Time) -> bool {
        self.silent >= around.known.min(SILENT_IN_SCARCE_WORLD).max(config.silent_dials)
            && self.groups.len() >= around.groups as usize
            && now.since(self.began) >= config.silent_for
    }
}
