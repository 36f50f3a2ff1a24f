//! A trace that a real node recorded, run again: the same manager with every checker looking on, each answer and each
//! action compared with what was recorded.
//!
//! It stops at the first difference, for what comes after is another story. A promise that is broken on the way is
//! noted, and the replay goes on.

use std::io::BufRead;

use connmgr_check::{Suite, Violation};
use connmgr_core::driver::Observer;
use connmgr_core::{ConnManager, Input, Reply, Time};
use connmgr_std::{Line, ReplayError, TraceError, TraceReader};

use crate::watch::Watchers;
use crate::watch::record::Entry;
use crate::world::subject::Onlooker;

/// A trace that was run again.
#[derive(Debug)]
pub struct Replayed {
    /// The manager, as it stands at the end.
    pub manager: ConnManager,
    /// Inputs told.
    pub inputs: u64,
    /// Actions compared.
    pub actions: u64,
    /// Actions left in the queue when the trace ended: the process stopped before it took them.
    pub waiting: u64,
    /// The last line was cut off, and left out.
    pub cut_off: bool,
    /// When the manager was last told something.
    pub last: Time,
    /// The first promise that was broken.
    pub broken: Option<Violation>,
}

/// Runs a trace again, to its end or up to a time, and shows `seen` everything that was told and done.
///
/// # Errors
/// [`ReplayError`] names the line where the manager went another way, or what is wrong with the trace.
pub fn replay(
    mut trace: TraceReader<impl BufRead>,
    until: Option<Time>,
    seen: &mut dyn FnMut(&Entry),
) -> Result<Replayed, ReplayError> {
    let mut rerun = Rerun::new(&trace)?;
    while let Some(line) = trace.next() {
        match line {
            Ok(Line::Step { now, .. }) if until.is_some_and(|until| now > until) => break,
            Ok(line) => seen(&rerun.line(line, trace.line_number())?),
            Err(TraceError::CutOff { .. }) => rerun.replayed.cut_off = true,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(rerun.end())
}

struct Rerun {
    replayed: Replayed,
    watch: Watchers,
    /// An input was told that is not judged yet: its actions come after it.
    is_open: bool,
}

impl Rerun {
    fn new(trace: &TraceReader<impl BufRead>) -> Result<Self, ReplayError> {
        let birth = trace.birth().clone();
        let mut watch = Watchers::default();
        watch.suite = Some(Box::new(Suite::new(&birth.config, birth.snapshot.as_ref(), birth.unix, birth.now)));
        let manager = ConnManager::new(birth.config, birth.snapshot, birth.rng_seed, birth.unix, birth.now)?;
        let last = birth.now;
        let replayed = Replayed { manager, inputs: 0, actions: 0, waiting: 0, cut_off: false, last, broken: None };
        Ok(Self { replayed, watch, is_open: false })
    }

    fn line(&mut self, line: Line, number: u64) -> Result<Entry, ReplayError> {
        match line {
            Line::Birth(_) => Err(TraceError::Line { line: number, why: "a second birth".into() }.into()),
            Line::Step { now, input, reply } => self.told(now, input, reply, number),
            Line::Action(expected) => {
                let found = self.replayed.manager.poll_action();
                if found.as_ref() != Some(&expected) {
                    let (expected, found) = (Box::new(expected), found.map(Box::new));
                    return Err(ReplayError::Action { line: number, expected, found });
                }
                self.replayed.actions += 1;
                self.watch.action(self.replayed.last, &expected);
                Ok(Entry::Did { now: self.replayed.last, action: expected })
            }
        }
    }

    fn told(&mut self, now: Time, input: Input, expected: Reply, line: u64) -> Result<Entry, ReplayError> {
        self.judge();
        let found = self.replayed.manager.apply(&input, now);
        if found != expected {
            return Err(ReplayError::Reply { line, expected: Box::new(expected), found: Box::new(found) });
        }
        self.replayed.inputs += 1;
        self.replayed.last = now;
        self.watch.input(now, &input, &found);
        self.is_open = true;
        Ok(Entry::Told { now, input, reply: found })
    }

    fn judge(&mut self) {
        if !std::mem::take(&mut self.is_open) || self.replayed.broken.is_some() {
            return;
        }
        let Replayed { manager, last, inputs, .. } = &self.replayed;
        self.replayed.broken = self.watch.judge(*last, manager, inputs % 4096 == 0).err();
    }

    /// What waits in the queue is left out, so that the last input is judged only if nothing does.
    fn end(mut self) -> Replayed {
        let mut rest = self.replayed.manager.clone();
        while rest.poll_action().is_some() {
            self.replayed.waiting += 1;
        }
        if self.replayed.waiting == 0 {
            self.judge();
        }
        self.replayed
    }
}
