//! The search. It is breadth-first, so that the first failure found is a shortest one.

use std::collections::{BTreeSet, HashSet};

use connmgr_core::*;

use crate::heal::heal;
use crate::world::{Setup, World};

/// The bounds of a search.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// The most inputs in a row.
    pub(crate) depth: usize,
    /// The most different states.
    pub(crate) states: usize,
    /// Recovery is tried from every so many-th state; 1: from all.
    pub(crate) heal_every: usize,
}

/// How a state was first reached: from which state, by which input.
struct Step {
    from: usize,
    input: Input,
}

/// The environment variable that overrides [`Bounds::states`], for a deeper search.
const STATES: &str = "CONNMGR_SEARCH_STATES";

/// Searches all short histories of a world, and prints how far it came.
pub(crate) fn explore(setup: &Setup, mut bounds: Bounds) {
    let states = std::env::var(STATES).ok();
    bounds.states = states.map_or(bounds.states, |states| states.parse().expect("a number of states"));
    let mut search =
        Search { setup, bounds, steps: Vec::new(), seen: HashSet::new(), stages: BTreeSet::new(), healed: 0 };
    let mut level = vec![(0, World::new(setup))];
    search.visit(&level[0].1, 0, Input::Timeout);
    let mut depth = 0;
    while depth < bounds.depth && !level.is_empty() {
        level = level.iter().flat_map(|(number, world)| search.follow(*number, world)).collect();
        if !search.has_room() {
            break;
        }
        depth += 1;
    }
    let all =
        if level.is_empty() { "every history there is".into() } else { format!("every history of {depth} inputs") };
    let (name, states) = (setup.name, search.steps.len());
    println!("{name}: {all}, {states} states in all, recovery from {} of them", search.healed);
    let missed: Vec<&ConnState> = setup.stages.iter().filter(|stage| !search.stages.contains(stage)).collect();
    assert!(missed.is_empty(), "world \"{name}\": no connection was ever {missed:?}");
}

struct Search<'a> {
    setup: &'a Setup,
    bounds: Bounds,
    steps: Vec<Step>,
    seen: HashSet<u128>,
    /// The states of connections that were reached.
    stages: BTreeSet<ConnState>,
    /// From how many states recovery was tried.
    healed: usize,
}

impl Search<'_> {
    fn has_room(&self) -> bool {
        self.steps.len() < self.bounds.states
    }

    /// The new states after one more input.
    fn follow(&mut self, from: usize, world: &World) -> Vec<(usize, World)> {
        let mut found = Vec::new();
        for input in world.inputs(self.setup) {
            if !self.has_room() {
                break;
            }
            let mut next = world.clone();
            if let Err(broken) = next.step(&input) {
                self.fail(from, Some(&input), &broken);
            }
            if let Some(number) = self.visit(&next, from, input) {
                found.push((number, next));
            }
        }
        found
    }

    /// Checks a state, unless it is known. Returns its number.
    fn visit(&mut self, world: &World, from: usize, input: Input) -> Option<usize> {
        if !self.seen.insert(world.manager.fingerprint(world.now)) {
            return None;
        }
        let number = self.steps.len();
        self.steps.push(Step { from, input });
        self.stages.extend(world.manager.connections().iter().map(|conn| conn.state));
        if let Err(broken) = world.check_echoes() {
            self.fail(number, None, &broken);
        }
        if number % self.bounds.heal_every == 0 {
            if let Err(broken) = heal(world.clone(), self.setup) {
                self.fail(number, None, &broken);
            }
            self.healed += 1;
        }
        Some(number)
    }

    /// Panics with the inputs that led to the failure.
    fn fail(&self, mut number: usize, last: Option<&Input>, broken: &str) -> ! {
        let mut path: Vec<&Input> = last.into_iter().collect();
        while number != 0 {
            path.push(&self.steps[number].input);
            number = self.steps[number].from;
        }
        let path: Vec<String> = path.iter().rev().map(|input| format!("  {input:?}")).collect();
        panic!(
            "world \"{}\": {broken}\nafter these inputs, each timeout at its deadline:\n{}",
            self.setup.name,
            path.join("\n")
        );
    }
}
