//! A story: the birth and the inputs of one manager, without a world. Told again, it gives the same
//! actions, so that it breaks the same promise. Failures shrink to stories, and regression tests hold them.
//!
//! Its text is that of a trace without version, replies and actions, which a fix may change:
//! ```json
//! {"birth":{"config":{},"snapshot":null,"rng_seed":"00…","unix":"1700000000","now":"0"}}
//! {"now":"1000000000","input":"timeout"}
//! ```

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use connmgr_check::{Property, Violation};
use connmgr_core::driver::Observer;
use connmgr_core::{Birth, ConnManager, Input, Time};
use serde::{Deserialize, Serialize};

use crate::run::failure::{PANIC, panic_text};
use crate::watch::Watchers;
use crate::watch::canary::Canary;
use crate::world::subject::Onlooker;

/// The birth and the inputs of one manager.
#[derive(Clone, Debug)]
pub struct Story {
    /// What it was born with.
    pub birth: Birth,
    /// Its inputs, and their times.
    pub told: Vec<(Time, Input)>,
}

/// How to tell a story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Timeouts are told whenever the manager asks for them, not only where the story has them.
    pub wakes: bool,
    /// With the canary, which fails though nothing is wrong.
    pub canary: bool,
}

/// A promise that was broken while a story was told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}, after {after} inputs: {what}")]
pub struct BrokenStory {
    /// Which property, by its name, or [`PANIC`].
    pub rule: String,
    /// After how many inputs.
    pub after: usize,
    /// What happened, as text.
    pub what: String,
}

/// Why a text is not a story.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NoStory {
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Timeouts between two inputs, at most: a manager that spins must not run for ever.
const MOST_WAKES: u32 = 100_000;
/// Everything is recounted after so many inputs, and at the end.
const RECOUNT_EVERY: usize = 256;

impl Story {
    /// Tells it to a new manager, with every checker.
    ///
    /// # Errors
    /// The first promise that was broken.
    pub fn tell(&self, manner: Manner) -> Result<(), BrokenStory> {
        let mut telling = Telling::new(&self.birth, manner)?;
        self.told.iter().try_for_each(|(now, input)| telling.tell(input, *now, &mut ()))?;
        telling.end()
    }
}

/// A story being told.
pub(crate) struct Telling {
    manager: ConnManager,
    watch: Watchers,
    wakes: bool,
    told: usize,
    now: Time,
}

impl Telling {
    pub(crate) fn new(birth: &Birth, manner: Manner) -> Result<Self, BrokenStory> {
        let mut watch = Watchers::default();
        watch.born(birth, true);
        watch.canary = manner.canary.then(Canary::default);
        let broken = |what: String| BrokenStory { rule: PANIC.to_owned(), after: 0, what };
        let born = catch_unwind(|| ConnManager::new(birth.clone()));
        let manager = born.map_err(|payload| broken(panic_text(payload.as_ref())))?;
        let manager =
            manager.map_err(|error| BrokenStory { rule: "configuration".to_owned(), ..broken(error.to_string()) })?;
        Ok(Self { manager, watch, wakes: manner.wakes, told: 0, now: birth.now })
    }

    /// Tells the next input. `seen` observes it and its actions.
    pub(crate) fn tell(&mut self, input: &Input, now: Time, seen: &mut dyn Observer) -> Result<(), BrokenStory> {
        let mut wakes = if self.wakes { MOST_WAKES } else { 0 };
        while let Some(due) = self.manager.poll_timeout().filter(|due| *due < now && wakes > 0) {
            wakes -= 1;
            self.step(&Input::Timeout, due, false, &mut ())?;
        }
        self.told += 1;
        self.step(input, now, self.told % RECOUNT_EVERY == 0, seen)
    }

    /// Ends the story with a recount of everything.
    pub(crate) fn end(mut self) -> Result<(), BrokenStory> {
        let audited = self.watch.audit(self.now, &self.manager);
        audited.map_err(|violation| self.broken(&violation))
    }

    fn step(&mut self, input: &Input, now: Time, thoroughly: bool, seen: &mut dyn Observer) -> Result<(), BrokenStory> {
        let stepped = catch_unwind(AssertUnwindSafe(|| self.step_unguarded(input, now, thoroughly, seen)));
        match stepped {
            Ok(judged) => judged.map_err(|violation| self.broken(&violation)),
            Err(payload) => {
                Err(BrokenStory { rule: PANIC.to_owned(), after: self.told, what: panic_text(payload.as_ref()) })
            }
        }
    }

    fn step_unguarded(
        &mut self,
        input: &Input,
        now: Time,
        thoroughly: bool,
        seen: &mut dyn Observer,
    ) -> Result<(), Violation> {
        self.now = now;
        let reply = self.manager.apply(input, now);
        self.watch.input(now, input, &reply);
        seen.input(now, input, &reply);
        while let Some(action) = self.manager.poll_action() {
            self.watch.action(now, &action);
            seen.action(now, &action);
        }
        self.watch.judge(now, &self.manager, thoroughly)
    }

    fn broken(&self, violation: &Violation) -> BrokenStory {
        let property: Property = violation.property;
        BrokenStory { rule: property.name().to_owned(), after: self.told, what: violation.what.clone() }
    }
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BirthLine {
    birth: Birth,
}

/// Each other line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldLine {
    now: Time,
    input: Input,
}

impl Story {
    /// Reads a story.
    ///
    /// # Errors
    /// [`NoStory`] names the line.
    pub fn parse(text: &str) -> Result<Self, NoStory> {
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let no_story = |line, why: String| NoStory { line, why };
        let (line, first) = lines.next().ok_or_else(|| no_story(1, "there is nothing".to_owned()))?;
        let BirthLine { birth } = serde_json::from_str(first).map_err(|error| no_story(line, error.to_string()))?;
        let told = lines.map(|(line, text)| {
            let told: ToldLine = serde_json::from_str(text).map_err(|error| no_story(line, error.to_string()))?;
            Ok((told.now, told.input))
        });
        Ok(Self { birth, told: told.collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = serde_json::to_string(&BirthLine { birth: self.birth.clone() }).map_err(|_| fmt::Error)?;
        writeln!(f, "{line}")?;
        for (now, input) in &self.told {
            let told = ToldLine { now: *now, input: input.clone() };
            writeln!(f, "{}", serde_json::to_string(&told).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use connmgr_core::{Config, UnixTime};

    use super::*;

    fn story(told: Vec<(Time, Input)>) -> Story {
        let (config, unix) = (Config::default(), UnixTime::from_secs(1_767_225_600));
        Story { birth: Birth { config, snapshot: None, rng_seed: [7; 32], unix, now: Time::ZERO }, told }
    }

    fn shutdown() -> Vec<(Time, Input)> {
        vec![(Time::from_nanos(5), Input::SetActive { active: false }), (Time::from_nanos(9), Input::Shutdown)]
    }

    #[test]
    fn what_is_written_is_read_again() {
        let story = story(shutdown());
        let again = Story::parse(&story.to_string()).expect("a story");
        assert_eq!((again.birth, again.told), (story.birth, story.told));
    }

    #[test]
    fn an_error_names_the_line() {
        let text = story(shutdown()).to_string();
        let line = |text: &str| Story::parse(text).expect_err("no story").line;
        assert_eq!(line(""), 1);
        assert_eq!(line(&text.replace("shutdown", "shutup")), 3);
        assert_eq!(line(&text.replacen("0707", "07g7", 1)), 1);
    }

    #[test]
    fn a_promise_kept_is_no_failure() {
        let manner = Manner { wakes: true, canary: true };
        assert_eq!(story(shutdown()).tell(manner), Ok(()));
    }

    #[test]
    fn a_configuration_that_is_refused_breaks_the_story() {
        let mut story = story(Vec::new());
        story.birth.config.limits.total = u32::MAX;
        assert_eq!(story.tell(Manner::default()).expect_err("refused").rule, "configuration");
    }
}
