//! Checkers of what `connmgr-core` promises: whether one manager keeps its contract and its policy, judged after every
//! step.
//!
//! They see what is told and asked (as an [`Observer`]) and the public view, never the inside, and know nothing of the
//! world around the manager: the simulator, the fuzz targets and the core's own tests all show them their steps.
//!
//! Every rule has a file of its own under `rules/` and costs the same however much is known: what a rule must know of
//! the past it keeps in tables of its own, or finds in the ledger that all share. What costs more than a step may is
//! left to [`Suite::audit`]. Nothing here depends on the order inside a hash table, so that a replay finds the same.
//!
//! A rule is kept exactly where the contract and the policy are exact. Where a step may leave work for the next tick
//! (`max_actions_per_input`), the step shows it: its next deadline is at most a tick away. Then what the step should
//! have brought about is judged at the first later step that leaves nothing.
//!
//! ```
//! use connmgr_check::Suite;
//! use connmgr_core::{Birth, Config, ConnManager, Input, Time, UnixTime};
//!
//! let (config, unix) = (Config::default(), UnixTime::from_secs(1_767_225_600));
//! let birth = Birth { config: config.clone(), snapshot: None, rng_seed: [7; 32], unix, now: Time::ZERO };
//! let mut manager = ConnManager::new(birth)?;
//! let mut suite = Suite::new(&config, None, unix, Time::ZERO);
//! let (_reply, _actions, judged) = suite.step(&mut manager, Time::ZERO, &Input::NetworkChanged);
//! judged?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod bucket;
mod checker;
mod ledger;
mod probe;
mod property;
mod reach;
mod recent;
mod rules;
mod step;
mod survival;
mod violation;
mod wait;
mod watcher;
mod words;

use connmgr_core::driver::Observer;
use connmgr_core::{Action, Config, ConnManager, Input, Kind, Reply, Snapshot, Time, UnixTime};

use checker::{Rules, Seen};
use ledger::Ledger;
use step::Step;

pub use bucket::Bucket;
pub use ledger::routable::is_routable;
pub use probe::{Probe, Probes, UnknownProbe};
pub use property::{Nature, Property, UnknownProperty};
pub use violation::Violation;
pub use watcher::Watcher;

/// All checkers of one manager.
///
/// Show it every input and action, in order, and ask [`Suite::after`] when the actions of an input are drained.
#[derive(Clone, Debug)]
pub struct Suite {
    ledger: Ledger,
    step: Step,
    rules: Rules,
    probes: Probes,
    /// The first thing found broken in this step.
    found: Option<Violation>,
}

impl Suite {
    /// The checkers of a manager that was born of these a moment ago and was told nothing yet.
    pub fn new(config: &Config, snapshot: Option<&Snapshot>, unix: UnixTime, now: Time) -> Self {
        let ledger = Ledger::new(config, snapshot, unix, now);
        let rules = Rules::new(&ledger);
        Self { rules, ledger, step: Step::new(now), probes: Probes::default(), found: None }
    }

    /// The manager crashed, or was stopped, and another was born of these: `snapshot` is what the last `Save` stored, or
    /// none if that was lost. `now` is the new manager's clock. Probes are kept; all else begins anew.
    ///
    /// # Errors
    /// [`Property::BansSurvive`]: a ban that was saved, and did not end since, is not in the snapshot.
    pub fn restarted(
        &mut self,
        config: &Config,
        snapshot: Option<&Snapshot>,
        unix: UnixTime,
        now: Time,
    ) -> Result<(), Violation> {
        let survived = snapshot.map_or(Ok(()), |snapshot| survival::judge(&self.ledger, snapshot, unix));
        let at = self.step.now;
        let probes = core::mem::take(&mut self.probes);
        *self = Self { probes, ..Self::new(config, snapshot, unix, now) };
        self.probes.reach(Probe::Restarted);
        survived.map_err(|what| Violation { property: Property::BansSurvive, at, what })
    }

    /// Tells a manager an input, drains all its actions, and judges the step. Returns the reply, the actions, and the
    /// first property that the step broke, if any.
    pub fn step(
        &mut self,
        manager: &mut ConnManager,
        now: Time,
        input: &Input,
    ) -> (Reply, Vec<Action>, Result<(), Violation>) {
        let reply = manager.apply(input, now);
        self.input(now, input, &reply);
        let actions: Vec<Action> = core::iter::from_fn(|| manager.poll_action()).collect();
        actions.iter().for_each(|action| self.action(now, action));
        let judged = self.after(now, manager);
        (reply, actions, judged)
    }

    /// Judges the step. To be asked once for each input, when all its actions were seen.
    ///
    /// # Errors
    /// The first property that the step broke.
    pub fn after(&mut self, now: Time, manager: &ConnManager) -> Result<(), Violation> {
        debug_assert!(now <= self.step.now, "the step was told of");
        self.step.end(manager.poll_timeout());
        self.ledger.settle(&mut self.step, manager);
        let seen = Seen { ledger: &self.ledger, step: &self.step };
        let judged = self.rules.after(seen, manager);
        self.probes.after(seen);
        self.step.close();
        match self.found.take() {
            Some(violation) => Err(violation),
            None => judged,
        }
    }

    /// Compares everything with the public view, and asks [`ConnManager::check`]. Costs time proportional to all that
    /// is known: to be asked every few thousand steps, and in small worlds after each. Only right after
    /// [`Suite::after`].
    ///
    /// # Errors
    /// The first property found broken.
    pub fn audit(&mut self, now: Time, manager: &ConnManager) -> Result<(), Violation> {
        debug_assert!(now <= self.step.now, "the step was told of");
        self.rules.audit(Seen { ledger: &self.ledger, step: &self.step }, manager)
    }

    /// Which notable states were reached, and how often.
    pub const fn probes(&self) -> &Probes {
        &self.probes
    }

    /// The same, to note what only the caller sees.
    pub const fn probes_mut(&mut self) -> &mut Probes {
        &mut self.probes
    }

    /// Ready connections of a kind.
    pub fn ready(&self, kind: Kind) -> u32 {
        self.ledger.count(kind).ready
    }

    fn note(&mut self, judged: Result<(), Violation>) {
        if let (None, Err(violation)) = (&self.found, judged) {
            self.found = Some(violation);
        }
    }
}

impl Observer for Suite {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.step.begin(now, input, reply);
        let seen = Seen { ledger: &self.ledger, step: &self.step };
        self.probes.input(seen, input, reply);
        let judged = self.rules.input(seen, input, reply);
        self.note(judged);
        self.ledger.input(&self.step, input, reply);
    }

    fn action(&mut self, _: Time, action: &Action) {
        self.step.actions += 1;
        let seen = Seen { ledger: &self.ledger, step: &self.step };
        self.probes.action(seen, action);
        let judged = self.rules.action(seen, action);
        self.note(judged);
        if let Action::Dial { conn, .. } = action {
            self.step.dials.push(*conn);
        }
        self.ledger.action(&self.step, action);
    }
}
