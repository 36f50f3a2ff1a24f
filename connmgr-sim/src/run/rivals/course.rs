//! One run and when its pool was full, run to the end or as far as needed.

use std::time::Duration;

use super::budget::Meter;
use crate::types::Instant;
use crate::world::subject::Subject;
use crate::world::{Broken, World};

/// When something was reached, and with how many dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// After so long.
    pub(super) after: Duration,
    /// With so many dials.
    pub(super) dials: u64,
}

/// When the pool was full in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RunCourse {
    /// The pool was first full.
    pub(super) fill: Option<Reached>,
    /// It was full again after the world was healed, counted from then.
    pub(super) again: Option<Reached>,
}

/// How long to wait for something, and for how many dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cap {
    pub(super) within: Duration,
    pub(super) dials: u64,
}

impl Cap {
    /// As long as the world lasts.
    pub(super) const NONE: Self = Self { within: Duration::MAX, dials: u64::MAX };

    const fn is_spent(self, after: Duration, dials: u64) -> bool {
        after.as_nanos() > self.within.as_nanos() || dials > self.dials
    }
}

/// What a run must find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunGoal {
    /// When the pool is first full, if wanted.
    pub(super) fill: Option<Cap>,
    /// When it is full again after this moment, if wanted.
    pub(super) again: Option<(Instant, Cap)>,
}

/// A run under way.
struct CourseRunner {
    goal: RunGoal,
    course: RunCourse,
    /// Dials until the world was healed.
    healed: Option<u64>,
}

impl CourseRunner {
    fn note<S: Subject>(&mut self, world: &World<S>) {
        let tallies = || world.nodes().iter().map(|node| &node.tally);
        let dials = || tallies().map(|tally| tally.dials).max().unwrap_or(0);
        if self.course.fill.is_none() && tallies().all(|tally| tally.first_full.is_some()) {
            self.course.fill = Some(Reached { after: world.now().since(Instant::ZERO), dials: dials() });
        }
        let Some((healed, _)) = self.goal.again.filter(|(healed, _)| world.now() >= *healed) else { return };
        let before = *self.healed.get_or_insert_with(dials);
        if self.course.again.is_none() && tallies().all(|tally| tally.full_after_healing.is_some()) {
            self.course.again = Some(Reached { after: world.now().since(healed), dials: dials() - before });
        }
    }

    fn is_done<S: Subject>(&self, world: &World<S>) -> bool {
        let dials = || world.nodes().iter().map(|node| node.tally.dials).max().unwrap_or(0);
        let fill = self.goal.fill.filter(|_| self.course.fill.is_none());
        let is_filling = fill.is_some_and(|cap| !cap.is_spent(world.now().since(Instant::ZERO), dials()));
        let again = self.goal.again.filter(|_| self.course.again.is_none());
        let is_healing = again.is_some_and(|(healed, cap)| {
            let since = dials() - self.healed.unwrap_or_else(dials);
            !cap.is_spent(world.now().since(healed), since)
        });
        !is_filling && !is_healing
    }
}

/// Runs a world until the goal is decided; with `to_the_end`, to its end.
///
/// # Errors
/// The promise that was broken, if checkers watch.
pub(super) fn run<S: Subject>(
    world: &mut World<S>,
    goal: RunGoal,
    meter: &mut Meter,
    to_the_end: bool,
) -> Result<RunCourse, Box<Broken>> {
    let mut runner = CourseRunner { goal, course: RunCourse::default(), healed: None };
    loop {
        runner.note(world);
        if !to_the_end && runner.is_done(world) {
            return Ok(runner.course);
        }
        let Some(at) = world.next_at() else { return Ok(runner.course) };
        meter.read_until(world, at);
        world.step()?;
    }
}
