//! Whether a network is up, by the answers to our dials.
//!
//! btcd makes eight dials every five seconds into a dead network, and takes a healthy one for dead if most of its
//! addresses are. Here a network counts as down after a run of failures without any answer, and is then probed after 1,
//! 2, 4, 8, 16, then every 32 s: at most 120 dials an hour. The first answer ends the outage.
//!
//! Failures on our side (no route, no such address family) mean that we can't dial, even if connections live. Silence
//! means nothing while a connection in the network lives. Some networks are routed in part; failures on our side are
//! instant and cheap, so many addresses are tried before the network counts as down.
//!
//! This file makes no dials and sets no timers: it records outcomes, and says when to probe.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::config::HealthConfig;
use crate::mechanisms::answered::Answered;
use crate::mechanisms::groups::Group;
use crate::types::{PeerAddress, Time};

/// How many addresses of a silent run are kept, so that their failures can be forgiven.
const RUN_ADDRESSES: usize = 256;
/// With at least as many known addresses, this many silent dials in a row are needed: where 4 % answer, so many in a
/// row happen by chance once in 30 000 times.
const SILENT_IN_SCARCE_WORLD: u32 = 256;
/// With at least as many known addresses, this many failures on our side in a row are needed: where a tenth is routed,
/// so many happen by chance once in 800 times.
const OWN_WHERE_PARTLY_ROUTED: u32 = 64;
/// If an answer ended a run of failures on our side, a run this many times as long is needed from then on, …
const TIMES_THE_LONGEST_OWN_RUN: u32 = 4;
/// … but at most this many.
const MOST_OWN: u32 = 256;
/// The greatest number of groups that a configuration can ask for.
const GROUPS: usize = 16;

/// The health of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    state: HealthState,
    /// The last sign of life: an answer, a connection, traffic.
    last_life: Time,
    /// The addresses that answered last.
    answered: Answered,
    /// The longest run of failures on our side that an answer has ended.
    longest_own: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HealthState {
    Up(Run),
    Down(Probing),
}

/// Failures in a row since the last sign of life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Run {
    /// Failures in a row on our side or the route's; any other outcome ends them.
    own: u32,
    /// Dials in a row without any answer.
    silent: u32,
    /// When the first of these was reported.
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
    /// When another network's recovery last brought a probe forward.
    hurried: Option<Time>,
}

/// Why a network counts as down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cause {
    /// No dial is answered.
    Silence,
    /// We can't dial: failures in a row on our side or the route's.
    Own,
}

/// The outcome of a failed dial, as far as the network is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DialOutcome {
    /// No answer.
    Silence,
    /// A failure of the route: the proxy's.
    Route,
    /// A failure on our side.
    Own,
}

/// What a failed dial has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// The network is down. The failures of these addresses should be forgiven.
    Down(Vec<PeerAddress>),
    /// We could not dial, and can again.
    Up,
}

/// What else is known about a network when a dial into it has failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    /// Whether an open connection with traffic proves the network up.
    pub(crate) alive: bool,
    /// How many groups silence must cover.
    pub(crate) groups: u32,
    /// How many addresses are known.
    pub(crate) known: u32,
    /// The group of the address dialed.
    pub(crate) group: Option<Group>,
}

/// A probe is brought forward at most once in this time, so that no hour has more than 120 probes.
const HURRY_SPACING: Duration = Duration::from_secs(30 * 60);

impl Health {
    pub(crate) fn new(now: Time) -> Self {
        Self { state: HealthState::Up(Run::default()), last_life: now, answered: Answered::new(), longest_own: 0 }
    }

    pub(crate) const fn is_down(&self) -> bool {
        matches!(self.state, HealthState::Down(_))
    }

    /// Whether the network showed life recently enough for an open connection to prove that it is up.
    pub(crate) fn showed_life(&self, config: &HealthConfig, now: Time) -> bool {
        now.since(self.last_life) < config.traffic_within
    }

    /// Traffic on a connection that came in: the network carries something. It does not end an outage, because it costs
    /// a stranger nothing.
    pub(crate) const fn record_visit(&mut self, now: Time) {
        self.last_life = now;
    }

    /// Traffic on a connection that we dialed: earlier silence no longer counts. It does not prove that we can dial.
    /// Returns whether this ends an outage.
    pub(crate) fn record_life(&mut self, now: Time) -> bool {
        self.last_life = now;
        match &mut self.state {
            HealthState::Up(run) => {
                run.end_silence();
                false
            }
            HealthState::Down(Probing { cause: Cause::Own, .. }) => false,
            HealthState::Down(Probing { cause: Cause::Silence, .. }) => self.restore(),
        }
    }

    /// A dial was answered. Returns whether this ends an outage.
    pub(crate) fn record_answer(&mut self, address: &PeerAddress, now: Time) -> bool {
        self.answered.record(address);
        self.last_life = now;
        if let HealthState::Up(run) = &self.state {
            self.longest_own = self.longest_own.max(run.own);
        }
        self.restore()
    }

    /// Takes the network for up. Returns whether it was down.
    pub(crate) fn restore(&mut self) -> bool {
        let was_down = self.is_down();
        match &mut self.state {
            HealthState::Up(run) => run.clear(),
            HealthState::Down(_) => self.state = HealthState::Up(Run::default()),
        }
        was_down
    }

    /// The machine is in another network, with other routes.
    pub(crate) const fn forget_routes(&mut self) {
        self.longest_own = 0;
    }

    /// Whether one more silent dial may be enough, by their number.
    pub(crate) const fn is_nearly_suspicious(&self, config: &HealthConfig) -> bool {
        match &self.state {
            HealthState::Up(run) => run.silent.saturating_add(1) >= config.silent_dials,
            HealthState::Down(_) => false,
        }
    }

    /// Records a failed dial.
    pub(crate) fn record_failure(
        &mut self,
        outcome: DialOutcome,
        address: &PeerAddress,
        around: Surroundings,
        config: &HealthConfig,
        now: Time,
    ) -> Change {
        let longest_own = self.longest_own;
        let run = match &mut self.state {
            HealthState::Up(run) => run,
            // The dial left this machine, so we can dial again, answered or not.
            HealthState::Down(Probing { cause: Cause::Own, .. }) if outcome == DialOutcome::Silence => {
                self.restore();
                return Change::Up;
            }
            HealthState::Down(_) => return Change::None,
        };
        run.record(outcome, address, around.group, now);
        let cause = match outcome {
            DialOutcome::Silence if !around.alive && run.is_silent(around, config, now) => Cause::Silence,
            DialOutcome::Route if run.own >= config.own_failures => Cause::Own,
            DialOutcome::Own if run.own >= own_needed(around.known, longest_own, config) => Cause::Own,
            DialOutcome::Silence | DialOutcome::Route | DialOutcome::Own => return Change::None,
        };
        let addresses = core::mem::take(&mut run.addresses);
        self.state = HealthState::Down(Probing { cause, made: 0, owed: false, hurried: None });
        Change::Down(addresses)
    }

    /// The wait until the next probe; `None` while the network is up.
    pub(crate) fn next_probe(&self, config: &HealthConfig) -> Option<Duration> {
        let HealthState::Down(probing) = &self.state else { return None };
        let factor = 1u32.checked_shl(probing.made).unwrap_or(u32::MAX);
        Some(config.first_probe.saturating_mul(factor).min(config.max_probe))
    }

    /// A probe is due.
    pub(crate) const fn owe_probe(&mut self) {
        if let HealthState::Down(probing) = &mut self.state {
            probing.owed = true;
        }
    }

    /// Another network has recovered: brings a probe forward, unless that was done lately. Returns whether it did.
    pub(crate) fn hurry(&mut self, now: Time) -> bool {
        let HealthState::Down(probing) = &mut self.state else { return false };
        let lately = probing.hurried.is_some_and(|at| now.since(at) < HURRY_SPACING);
        if lately {
            return false;
        }
        probing.hurried = Some(now);
        probing.owed = true;
        true
    }

    /// The number of the due probe, counted from 0; sources of addresses take turns by it.
    pub(crate) const fn owed_probe(&self) -> Option<u32> {
        match &self.state {
            HealthState::Down(Probing { owed: true, made, .. }) => Some(*made),
            HealthState::Down(Probing { owed: false, .. }) | HealthState::Up(_) => None,
        }
    }

    /// The due probe was made.
    pub(crate) const fn record_probe(&mut self) {
        if let HealthState::Down(probing) = &mut self.state {
            probing.owed = false;
            probing.made = probing.made.saturating_add(1);
        }
    }

    /// Whether any dial into the network was answered since birth.
    pub(crate) fn ever_answered(&self) -> bool {
        self.answered.len() > 0
    }

    /// The addresses that answered last, the latest first; each turn begins one further on.
    pub(crate) fn answered(&self, turn: u32) -> impl Iterator<Item = &PeerAddress> {
        let count = self.answered.len();
        let skipped = (turn as usize).checked_rem(count).unwrap_or(0);
        self.answered.iter().cycle().skip(skipped).take(count)
    }

    /// Hashes what decides the future, with times relative to `now`.
    pub(crate) fn fingerprint<H: Hasher>(&self, config: &HealthConfig, now: Time, to: &mut H) {
        now.since(self.last_life).min(config.traffic_within).hash(to);
        (&self.answered, self.longest_own).hash(to);
        match &self.state {
            HealthState::Up(run) => {
                let began = if run.silent == 0 { Duration::ZERO } else { now.since(run.began).min(config.silent_for) };
                (false, run.own, run.silent, began, &run.groups, &run.addresses).hash(to);
            }
            HealthState::Down(Probing { cause, made, owed, hurried }) => {
                let hurried = hurried.map(|at| now.since(at).min(HURRY_SPACING));
                (true, cause, made, owed, hurried).hash(to);
            }
        }
    }
}

/// How many failures on our side in a row take a network down.
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

    fn record(&mut self, outcome: DialOutcome, address: &PeerAddress, group: Option<Group>, now: Time) {
        match outcome {
            DialOutcome::Own | DialOutcome::Route => self.own = self.own.saturating_add(1),
            DialOutcome::Silence => self.record_silence(address, group, now),
        }
    }

    fn record_silence(&mut self, address: &PeerAddress, group: Option<Group>, now: Time) {
        self.own = 0;
        if self.silent == 0 {
            self.began = now;
        }
        self.silent = self.silent.saturating_add(1);
        if let Some(group) = group {
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
