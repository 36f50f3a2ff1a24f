//! The world: managers, hosts, and the network between them, in virtual time.
//!
//! One queue holds all future events. Each event tells at most one manager one thing, and its actions are carried out
//! at once. A world can be cloned at any moment, and both continue alike. It checks nothing but the promised recovery;
//! the checkers check the rest.

mod arrivals;
mod bans;
mod dials;
mod faults;
mod gossip;
mod happening;
mod identity;
pub mod links;
mod lives;
mod names;
mod node;
pub mod queue;
mod scrutiny;
mod sessions;
pub mod subject;
pub mod tally;
mod turns;

use std::sync::Arc;

use connmgr_check::Violation;
use connmgr_core::{Config, ConfigError, NetworkKind};

use crate::scenario::Scenario;
use crate::scenario::map::WorldMap;
use crate::types::{Dice, DrawPurpose, Instant};
use crate::world::links::Links;
use crate::world::queue::WorldQueue;
use crate::world::subject::{Onlooker, Outbox, Subject};
use crate::world::tally::Traffic;
use happening::Happening;

pub use node::WorldNode;
pub use scrutiny::Scrutiny;

/// The beginning or end of a fault, for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Instant,
    /// Which fault of the scenario.
    pub fault: u16,
    /// Whether it began; else it ended.
    pub begins: bool,
}

/// A broken promise.
#[derive(Clone, Debug)]
pub struct Broken {
    /// When, in the world.
    pub at: Instant,
    /// At which manager.
    pub node: u32,
    /// In which step, counted from the beginning.
    pub step: u64,
    /// What.
    pub violation: Violation,
}

/// Managers, hosts, and the network between them.
#[derive(Clone, Debug)]
pub struct World<S: Subject> {
    plan: Arc<WorldMap>,
    config: Arc<Config>,
    scrutiny: Scrutiny,
    watch: S::Watch,
    watched: u32,
    birth: u32,
    now: Instant,
    end: Instant,
    queue: WorldQueue<Happening>,
    nodes: Vec<WorldNode<S>>,
    links: Links,
    hosts: Vec<lives::Presence>,
    steps: u64,
    healed: bool,
    marks: Vec<Mark>,
    broken: Option<Box<Broken>>,
    outbox: Outbox,
}

impl<S: Subject> World<S> {
    /// A world at its beginning.
    ///
    /// # Errors
    /// When the configuration of the managers is refused. [`Scenario::check`] finds the rest.
    pub fn new(scenario: Scenario, seed: u64, scrutiny: Scrutiny) -> Result<Self, ConfigError> {
        Self::watched(scenario, seed, scrutiny, S::Watch::default())
    }

    /// A world with an onlooker at its first manager, beside the checkers.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn watched(scenario: Scenario, seed: u64, scrutiny: Scrutiny, watch: S::Watch) -> Result<Self, ConfigError> {
        let config = crate::scenario::config::of(&scenario);
        Self::on(Arc::new(WorldMap::new(scenario, seed)), config, scrutiny, watch)
    }

    /// A world on an existing map, with its own configuration: the same hosts and draws for several subjects.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn on(plan: Arc<WorldMap>, config: Config, scrutiny: Scrutiny, watch: S::Watch) -> Result<Self, ConfigError> {
        config.check()?;
        let mut world = Self {
            hosts: vec![lives::Presence::default(); plan.residents.len()],
            config: Arc::new(config),
            end: Instant::ZERO.after(plan.scenario.duration.0),
            plan,
            scrutiny,
            watch,
            watched: 0,
            birth: 0,
            now: Instant::ZERO,
            queue: WorldQueue::default(),
            nodes: Vec::new(),
            links: Links::default(),
            steps: 0,
            healed: false,
            marks: Vec::new(),
            broken: None,
            outbox: Outbox::new(),
        };
        world.begin();
        Ok(world)
    }

    /// The onlooker watches this manager instead of the first. Call before the first step.
    #[must_use]
    pub fn watching(mut self, node: u32) -> Self {
        self.watched = node;
        self
    }

    /// The managers get the `birth`-th of several rng seeds; the draws of the world stay the same. Call before the
    /// first step. Default: 0.
    #[must_use]
    pub fn born(mut self, birth: u32) -> Self {
        self.birth = birth;
        self
    }

    /// The onlooker of the watched manager, to take what it recorded.
    pub fn watch_mut(&mut self) -> &mut S::Watch {
        let subject = self.nodes.get_mut(self.watched as usize).and_then(|node| node.subject.as_mut());
        subject.map_or(&mut self.watch, Subject::watch_mut)
    }

    fn begin(&mut self) {
        let plan = Arc::clone(&self.plan);
        self.watch.beware(plan.adversaries());
        let spec = &plan.scenario.node;
        self.nodes.reserve_exact(spec.count as usize);
        for number in 0..spec.count {
            self.nodes.push(WorldNode::new(number, self.config.limits, self.config.mode));
            let wait = self.dice(DrawPurpose::Birth, number).between(std::time::Duration::ZERO, spec.start_within.0);
            self.queue.push(Instant::ZERO.after(wait), Happening::Start { node: number });
        }
        self.plan_arrivals();
        self.plan_faults();
        self.plan_bans();
        for (number, spec) in (0..).zip(&plan.scenario.hosts) {
            if let Some(turn) = &spec.turns {
                self.queue.push(Instant::ZERO.after(turn.at.0), Happening::Turns { population: number });
            }
        }
    }

    /// Processes the next event. False if there is none before the end of the scenario.
    ///
    /// # Errors
    /// The promise that was broken; the world stays as it is then.
    pub fn step(&mut self) -> Result<bool, Box<Broken>> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        match self.queue.next_at() {
            Some(at) if at <= self.end => {}
            Some(_) | None => return Ok(false),
        }
        let (at, happening) = self.queue.pop().expect("the next was just seen");
        self.now = at;
        self.steps += 1;
        self.happen(happening);
        self.broken.clone().map_or(Ok(true), Err)
    }

    /// Processes all events before an instant.
    ///
    /// # Errors
    /// As [`World::step`].
    pub fn run_until(&mut self, instant: Instant) -> Result<(), Box<Broken>> {
        while self.queue.next_at().is_some_and(|at| at < instant) && self.step()? {}
        self.now = self.now.max(instant.min(self.end()));
        Ok(())
    }

    /// Processes all events up to the end of the scenario.
    ///
    /// # Errors
    /// As [`World::step`].
    pub fn run(&mut self) -> Result<(), Box<Broken>> {
        while self.step()? {}
        self.now = self.end();
        self.nodes.iter_mut().for_each(|node| node.tally.note_full(node.now_full, self.now));
        Ok(())
    }

    /// The world's time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// When the scenario ends.
    pub const fn end(&self) -> Instant {
        self.end
    }

    /// How many events were processed.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The managers.
    pub fn nodes(&self) -> &[WorldNode<S>] {
        &self.nodes
    }

    /// A manager, to change.
    pub fn node_mut(&mut self, number: u32) -> Option<&mut WorldNode<S>> {
        self.nodes.get_mut(number as usize)
    }

    /// The traffic of each manager by network, up to `at`; no event may lie between now and then.
    pub fn traffic(&self, at: Instant) -> Vec<[Traffic; NetworkKind::ALL.len()]> {
        let after = self.config.stable_after;
        self.nodes.iter().map(|node| node.traffic(&self.links, after, at)).collect()
    }

    /// When the next event is due; `None` if there is none before the end of the scenario.
    pub fn next_at(&self) -> Option<Instant> {
        self.queue.next_at().filter(|at| *at <= self.end())
    }

    /// The map of a world.
    pub fn plan(&self) -> &WorldMap {
        &self.plan
    }

    /// The beginnings and ends of faults so far.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether all faults are over.
    pub const fn is_healed(&self) -> bool {
        self.healed
    }

    /// A digest of all inputs and actions of all managers: equal runs have equal digests.
    pub fn digest(&self) -> u64 {
        let digests = self.nodes.iter().map(lives::digest);
        digests.fold(self.steps, |all, one| (all.rotate_left(9) ^ one).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Start { node } => self.start(node),
            Happening::Wake { node } => self.wake(node),
            Happening::DialEnds { link, result } => self.dial_ends(link, result),
            Happening::DialEndsAgain { of, conn, result } => self.dial_ends_again(of, conn, result),
            Happening::Reaches { link } => self.reaches(link),
            Happening::Handshake { link } => self.handshake(link),
            Happening::Closes { link, cause } => self.closes(link, cause),
            Happening::Ping { link } => self.ping(link),
            Happening::Gossip { link, asked } => self.gossip(link, asked),
            Happening::Misbehaves { link } => self.misbehaves(link),
            Happening::Answer { of, lookup, from } => self.answer(of, lookup, from),
            Happening::Arrives { sort, node } => self.arrives(sort, node),
            Happening::Adds { spec, node } => self.adds(spec, node),
            Happening::Removes { spec, node } => self.removes(spec, node),
            Happening::Bans { spec, node } => self.bans(spec, node),
            Happening::Lifts { spec, node } => self.lifts(spec, node),
            Happening::Tells { node } => self.tells(node),
            Happening::Saved { of, snapshot } => self.saved(of, snapshot),
            Happening::Begins { fault } => self.begins(fault),
            Happening::Ends { fault } => self.ends(fault),
            Happening::Turns { population } => self.turns(population),
            Happening::Healed => self.heal(),
            Happening::MustBeFull => self.must_be_full(),
        }
    }

    fn later(&mut self, wait: std::time::Duration, happening: Happening) {
        self.queue.push(self.now.after(wait), happening);
    }

    /// The draws of an entity.
    fn dice(&self, purpose: DrawPurpose, entity: u32) -> Dice {
        Dice::new(self.plan.seed, purpose, entity.into())
    }
}
