//! Checkers of `connmgr-core`: after every step they check that a manager keeps its contract and its policy.
//!
//! A checker sees inputs, replies and actions (as an [`Observer`]) and the public view. It knows neither the inside of the
//! manager nor the world around it, so the simulator, the fuzz targets and the core's tests can all use it.
//!
//! Each rule has its own file under `rules/`. Its cost per step does not grow with what is known: past facts are in
//! tables of the rule, or in the ledger that all rules share. Checks that cost more are in [`Suite::audit`]. Nothing
//! depends on the iteration order of a hash table, so a replay gives the same result.
//!
//! A step may leave work for the next tick (`max_actions_per_input`); then its next deadline is at most a tick away. What
//! the step should have done is checked at the first later step that leaves no work.
//!
//! ```
//! use connmgr_check::Suite;
//! use connmgr_core::{Birth, Config, ConnManager, Input, Time, UnixTime};
//!
//! let (config, unix) = (Config::default(), UnixTime::from_secs(1_767_225_600));
//! let birth = Birth { config: config.clone(), snapshot: None, rng_seed: [7; 32], unix, now: Time::ZERO };
//! let mut manager = ConnManager::new(birth)?;
//! let mut suite = Suite::new(&config, None, unix, Time::ZERO);
//! let (_reply, _actions, checked) = suite.step(&mut manager, Time::ZERO, &Input::NetworkChanged);
//! checked?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod bucket;
mod checker;
mod concern;
mod ledger;
mod probe;
mod property;
mod reach;
mod recent;
mod rule_set;
mod rules;
mod step;
mod survival;
mod violation;
mod wait;
mod watcher;
mod words;

use connmgr_core::driver::Observer;
use connmgr_core::{Action, Config, ConnManager, Input, Kind, Reply, Snapshot, Time, UnixTime};

use checker::RuleContext;
use ledger::Ledger;
use rule_set::RuleSet;
use step::StepRecord;

pub use bucket::TokenBucket;
pub use ledger::routable::is_routable;
pub use probe::{Probe, Probes, UnknownProbe};
pub use property::{Nature, Property, UnknownProperty};
pub use violation::Violation;
pub use watcher::Watcher;

/// All checkers of one manager.
///
/// [`Suite::step`] does everything. A caller with a loop of its own feeds every input and action in order (see
/// [`Observer`]), and calls [`Suite::after`] when the actions of an input are drained.
#[derive(Clone, Debug)]
pub struct Suite {
    ledger: Ledger,
    step: StepRecord,
    rules: RuleSet,
    probes: Probes,
    /// The first violation of this step.
    found: Option<Violation>,
}

impl Suite {
    /// The checkers of a manager that was just made from the same arguments and had no input yet.
    pub fn new(config: &Config, snapshot: Option<&Snapshot>, unix: UnixTime, now: Time) -> Self {
        let ledger = Ledger::new(config, snapshot, unix, now);
        let rules = RuleSet::new(&ledger);
        Self { rules, ledger, step: StepRecord::new(now), probes: Probes::default(), found: None }
    }

    /// The manager crashed or stopped, and another was made from these arguments: `snapshot` is what the last `Save`
    /// stored, or none if that was lost; `now` is the new manager's clock. Only the probes are kept.
    ///
    /// # Errors
    /// [`Property::BansSurvive`]: a ban that was saved and has not ended is missing from the snapshot.
    pub fn restarted(
        &mut self,
        config: &Config,
        snapshot: Option<&Snapshot>,
        unix: UnixTime,
        now: Time,
    ) -> Result<(), Violation> {
        let survived = snapshot.map_or(Ok(()), |snapshot| survival::check(&self.ledger, snapshot, unix));
        let at = self.step.now;
        let probes = core::mem::take(&mut self.probes);
        *self = Self { probes, ..Self::new(config, snapshot, unix, now) };
        self.probes.reach(Probe::Restarted);
        survived.map_err(|what| Violation { property: Property::BansSurvive, at, what })
    }

    /// Feeds an input to the manager, drains its actions, and checks the step. Returns the reply, the actions, and the
    /// first violation, if any.
    pub fn step(
        &mut self,
        manager: &mut ConnManager,
        now: Time,
        input: &Input,
    ) -> (Reply, Vec<Action>, Result<(), Violation>) {
        let reply = manager.apply(input, now);
        self.input(now, input, &reply);
        let actions: Vec<Action> = core::iter::from_fn(|| manager.poll_action()).collect();
        for action in &actions {
            self.action(now, action);
        }
        let checked = self.after(now, manager);
        (reply, actions, checked)
    }

    /// Checks the step. Call it once for each input, after all its actions.
    ///
    /// # Errors
    /// The first violation of the step.
    pub fn after(&mut self, now: Time, manager: &ConnManager) -> Result<(), Violation> {
        debug_assert!(now <= self.step.now, "the input of the step was seen");
        self.step.end(manager.poll_timeout());
        self.ledger.settle(&mut self.step, manager);
        let seen = RuleContext { ledger: &self.ledger, step: &self.step };
        let checked = self.rules.after(seen, manager);
        self.probes.after(seen);
        self.step.close();
        match self.found.take() {
            Some(violation) => Err(violation),
            None => checked,
        }
    }

    /// Compares everything with the public view, and calls [`ConnManager::check`]. Its cost is proportional to all that
    /// is known, so call it every few thousand steps, or in a small world after each. Only right after [`Suite::after`].
    ///
    /// # Errors
    /// The first violation found.
    pub fn audit(&mut self, now: Time, manager: &ConnManager) -> Result<(), Violation> {
        debug_assert!(now <= self.step.now, "the input of the step was seen");
        self.rules.audit(RuleContext { ledger: &self.ledger, step: &self.step }, manager)
    }

    /// How often each notable state was reached.
    pub const fn probes(&self) -> &Probes {
        &self.probes
    }

    /// The same, to count what only the caller sees.
    pub const fn probes_mut(&mut self) -> &mut Probes {
        &mut self.probes
    }

    /// The number of ready connections of a kind.
    pub fn ready(&self, kind: Kind) -> u32 {
        self.ledger.count(kind).ready
    }

    fn note(&mut self, checked: Result<(), Violation>) {
        if let (None, Err(violation)) = (&self.found, checked) {
            self.found = Some(violation);
        }
    }
}

impl Observer for Suite {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.step.begin(now, input, reply);
        let seen = RuleContext { ledger: &self.ledger, step: &self.step };
        self.probes.input(seen, input, reply);
        let checked = self.rules.input(seen, input, reply);
        self.note(checked);
        self.ledger.input(&self.step, input, reply);
    }

    fn action(&mut self, _: Time, action: &Action) {
        self.step.actions += 1;
        let seen = RuleContext { ledger: &self.ledger, step: &self.step };
        self.probes.action(seen, action);
        let checked = self.rules.action(seen, action);
        self.note(checked);
        if let Action::Dial { conn, .. } = action {
            self.step.dials.push(*conn);
        }
        self.ledger.action(&self.step, action);
    }
}
