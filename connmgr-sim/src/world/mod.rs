//! The world: managers, hosts, and all that lies between them, in virtual time.
//!
//! One queue says what happens next; each turn of it tells at most one manager one thing, and carries out what it asks
//! for. A world can be cloned at any moment, and both go on alike. It judges nothing but the recovery it was promised:
//! the checkers do.

mod arrivals;
mod dials;
mod faults;
mod happening;
mod identity;
pub mod links;
mod lives;
mod names;
mod node;
pub mod queue;
mod sessions;
pub mod subject;
pub mod tally;
mod turns;

use std::sync::Arc;

use connmgr_check::Violation;
use connmgr_core::{Config, ConfigError, NetworkKind};

use crate::scenario::map::WorldMap;
use crate::scenario::{Scenario, known};
use crate::types::Instant;
use crate::types::{Dice, DrawPurpose};
use crate::world::links::Links;
use crate::world::queue::WorldQueue;
use crate::world::subject::{Onlooker, Outbox, Subject};
use crate::world::tally::Traffic;
use happening::Happening;

pub use node::WorldNode;

/// How closely the managers are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrutiny {
    /// Nobody looks.
    None,
    /// Every checker, after every step; everything that can be recounted, every so many steps.
    Every(u64),
}

impl Scrutiny {
    /// What campaigns use: a recount every 4096 steps.
    pub const USUAL: Self = Self::Every(4096);
    /// What searches use: a recount after each step.
    pub const CLOSEST: Self = Self::Every(1);
}

/// Something that befell, for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Instant,
    /// Which fault of the scenario, and whether it began.
    pub fault: u16,
    /// It began; otherwise it ended.
    pub begins: bool,
}

/// That a promise was broken.
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

/// Managers, hosts, and all that lies between them.
#[derive(Clone, Debug)]
pub struct World<S: Subject> {
    plan: Arc<WorldMap>,
    config: Arc<Config>,
    scrutiny: Scrutiny,
    watch: S::Watch,
    watched: u32,
    birth: u32,
    now: Instant,
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

    /// A world whose first manager is watched by more than checkers.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn watched(scenario: Scenario, seed: u64, scrutiny: Scrutiny, watch: S::Watch) -> Result<Self, ConfigError> {
        let config = crate::scenario::config::of(&scenario);
        Self::on(Arc::new(WorldMap::new(scenario, seed)), config, scrutiny, watch)
    }

    /// A world on a map that is there already, under a configuration of its own: the same hosts and the same chances
    /// for several subjects.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn on(plan: Arc<WorldMap>, config: Config, scrutiny: Scrutiny, watch: S::Watch) -> Result<Self, ConfigError> {
        config.check()?;
        let mut world = Self {
            hosts: vec![lives::Presence::default(); plan.residents.len()],
            config: Arc::new(config),
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

    /// Another manager than the first is watched by more than checkers. To be said before the world's first step.
    #[must_use]
    pub fn watching(mut self, node: u32) -> Self {
        self.watched = node;
        self
    }

    /// The managers are born with other chances of their own, the `birth`-th of them; those of the world stay as they
    /// are. To be said before the world's first step. Unless it is said, 0.
    #[must_use]
    pub fn born(mut self, birth: u32) -> Self {
        self.birth = birth;
        self
    }

    /// Who looks on at the manager that is watched, to take what they wrote.
    pub fn watch_mut(&mut self) -> &mut S::Watch {
        let subject = self.nodes.get_mut(self.watched as usize).and_then(|node| node.subject.as_mut());
        subject.map_or(&mut self.watch, Subject::watch_mut)
    }

    fn begin(&mut self) {
        let plan = Arc::clone(&self.plan);
        self.watch.beware(plan.adversaries());
        let spec = &plan.scenario.node;
        for number in 0..spec.count {
            let saved = known::saved_before(&plan, number).map(Arc::new);
            self.nodes.push(WorldNode::new(number, self.config.limits, self.config.mode, saved));
            let wait = self.dice(DrawPurpose::Birth, number).between(std::time::Duration::ZERO, spec.start_within.0);
            self.queue.push(Instant::ZERO.after(wait), Happening::Start { node: number });
        }
        self.plan_arrivals();
        self.plan_faults();
        for (number, spec) in (0..).zip(&plan.scenario.hosts) {
            if let Some(turn) = &spec.turns {
                self.queue.push(Instant::ZERO.after(turn.at.0), Happening::Turns { population: number });
            }
        }
    }

    /// Lets the next thing happen. False when nothing lies ahead before the end of the scenario.
    ///
    /// # Errors
    /// A promise that was broken; the world stays as it is then.
    pub fn step(&mut self) -> Result<bool, Box<Broken>> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        match self.queue.next_at() {
            Some(at) if at <= self.end() => {}
            Some(_) | None => return Ok(false),
        }
        let (at, happening) = self.queue.pop().expect("the next was just seen");
        self.now = at;
        self.steps += 1;
        self.happen(happening);
        self.broken.clone().map_or(Ok(true), Err)
    }

    /// Lets everything happen that happens before an instant.
    ///
    /// # Errors
    /// As [`World::step`].
    pub fn run_until(&mut self, instant: Instant) -> Result<(), Box<Broken>> {
        while self.queue.next_at().is_some_and(|at| at < instant) && self.step()? {}
        self.now = self.now.max(instant.min(self.end()));
        Ok(())
    }

    /// Lets everything happen.
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
    pub fn end(&self) -> Instant {
        Instant::ZERO.after(self.plan.scenario.duration.0)
    }

    /// How many things have happened.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The managers.
    pub fn nodes(&self) -> &[WorldNode<S>] {
        &self.nodes
    }

    /// A manager, to take out what watched it.
    pub fn node_mut(&mut self, number: u32) -> Option<&mut WorldNode<S>> {
        self.nodes.get_mut(number as usize)
    }

    /// What was counted of each manager by network, up to a moment before which nothing more happens.
    pub fn traffic(&self, at: Instant) -> Vec<[Traffic; NetworkKind::ALL.len()]> {
        let after = self.config.stable_after;
        self.nodes.iter().map(|node| node.traffic(&self.links, after, at)).collect()
    }

    /// When the next thing happens; none if nothing lies ahead before the end of the scenario.
    pub fn next_at(&self) -> Option<Instant> {
        self.queue.next_at().filter(|at| *at <= self.end())
    }

    /// Who lives where.
    pub fn plan(&self) -> &WorldMap {
        &self.plan
    }

    /// The faults that began and ended.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether all faults are over.
    pub const fn is_healed(&self) -> bool {
        self.healed
    }

    /// All that every manager was told and asked, folded into a number: equal runs have equal digests.
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
            Happening::Tells { node } => self.tells(node),
            Happening::Saved { of, snapshot } => self.saved(of, *snapshot),
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

    /// The chances of an entity.
    fn dice(&self, purpose: DrawPurpose, entity: u32) -> Dice {
        Dice::new(self.plan.seed, purpose, entity.into())
    }
}
