//! A trace that a real node recorded, run again with every checker looking on.
//!
//! It stops where the manager acts otherwise than recorded. The first broken promise is noted, and the
//! replay goes on.

use std::io::BufRead;

use connmgr_check::Violation;
use connmgr_core::driver::Observer;
use connmgr_core::{Action, ConnManager, Input, Reply, Time};
use connmgr_std::{ReplayError, ReplaySummary, TraceReader};

use crate::watch::Watchers;
use crate::world::subject::Onlooker;

/// A trace that was run again.
#[derive(Debug)]
pub struct Replayed {
    /// The manager, as it stands at the end.
    pub manager: ConnManager,
    /// What was told and done.
    pub summary: ReplaySummary,
    /// The first promise that was broken.
    pub broken: Option<Violation>,
}

/// Runs a trace again, to its end or up to a time, and shows `seen` all inputs and actions.
///
/// # Errors
/// [`ReplayError`] names the line where the manager acts otherwise, or what is wrong with the trace.
pub fn replay(
    trace: TraceReader<impl BufRead>,
    until: Option<Time>,
    seen: &mut impl Observer,
) -> Result<Replayed, ReplayError> {
    let mut checked = CheckedReplay { watch: Watchers::default(), seen, inputs: 0, broken: None };
    checked.watch.born(trace.birth(), true);
    let (manager, summary) = connmgr_std::replay(trace, until, &mut checked)?;
    Ok(Replayed { manager, summary, broken: checked.broken })
}

/// Everything is recounted after so many inputs.
const RECOUNT_EVERY: u64 = 4096;

/// The checkers, and another observer.
struct CheckedReplay<'a, O> {
    watch: Watchers,
    seen: &'a mut O,
    inputs: u64,
    broken: Option<Violation>,
}

impl<O: Observer> Observer for CheckedReplay<'_, O> {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.inputs += 1;
        self.watch.input(now, input, reply);
        self.seen.input(now, input, reply);
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.watch.action(now, action);
        self.seen.action(now, action);
    }

    fn settled(&mut self, now: Time, manager: &ConnManager) {
        self.seen.settled(now, manager);
        if self.broken.is_none() {
            self.broken = self.watch.judge(now, manager, self.inputs % RECOUNT_EVERY == 0).err();
        }
    }
}
