//! Replays a trace, and finds the first difference.
//!
//! Actions may be taken from the manager's queue at any time, so they are compared one by one where the trace has
//! them, not by call.

use std::io::BufRead;

use connmgr_core::driver::Observer;
use connmgr_core::{Action, AsnTable, ConfigError, ConnManager, Input, Reply, Time};

use super::line::Line;
use super::{TraceError, TraceReader};

/// The result of a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplaySummary {
    /// Calls made.
    pub inputs: u64,
    /// Actions compared.
    pub actions: u64,
    /// Actions left in the queue when the trace ended: the process stopped before it took them.
    pub waiting: u64,
    /// The last line was cut off, and ignored.
    pub cut_off: bool,
    /// When the last call was made.
    pub last: Time,
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The trace can't be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The trace was made with this table of autonomous systems, of which it has only the digest. It is to be supplied:
    /// [`TraceReader::supply_asn_table`].
    #[error("made with a table of autonomous systems that is not in the trace, and was not supplied: {0}")]
    NeedsAsnTable(AsnTable),
    /// The configuration of the birth is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The manager's reply differs.
    #[error("line {line}: replied {found:?}, the trace has {expected:?}")]
    Reply {
        /// The line's number, counted from 1.
        line: u64,
        /// As in the trace.
        expected: Box<Reply>,
        /// The manager's reply.
        found: Box<Reply>,
    },
    /// The manager's action differs.
    #[error("line {line}: did {found:?}, the trace has {expected:?}")]
    Action {
        /// The line's number, counted from 1.
        line: u64,
        /// As in the trace.
        expected: Box<Action>,
        /// The manager's action; none if its queue was empty.
        found: Option<Box<Action>>,
    },
}

/// Replays a trace on a fresh manager, to its end, up to a time (`until`, included), or to the first difference. The
/// observer sees each input and each action in order, as it would in the [`Driver`](connmgr_core::driver::Driver); its
/// [`settled`](Observer::settled) is called once the trace has no more actions of an input. A last line that was cut
/// off is ignored.
///
/// Returns the manager and a summary.
///
/// # Errors
/// [`ReplayError`] names the line.
pub fn replay<O: Observer>(
    mut trace: TraceReader<impl BufRead>,
    until: Option<Time>,
    observer: &mut O,
) -> Result<(ConnManager, ReplaySummary), ReplayError> {
    let mut replay = Replay::born(&trace, observer)?;
    while let Some(line) = trace.next() {
        match line {
            Ok(Line::Step { now, .. }) if until.is_some_and(|until| now > until) => break,
            Ok(line) => replay.line(line, trace.line_number())?,
            Err(TraceError::CutOff { .. }) => replay.summary.cut_off = true,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(replay.end())
}

/// A replay under way.
struct Replay<'a, O> {
    manager: ConnManager,
    summary: ReplaySummary,
    observer: &'a mut O,
    /// An input was applied whose actions may not all have been taken.
    is_open: bool,
}

impl<'a, O: Observer> Replay<'a, O> {
    fn born(trace: &TraceReader<impl BufRead>, observer: &'a mut O) -> Result<Self, ReplayError> {
        if let Some(table) = trace.birth().config.groups.asn.as_ref().filter(|table| !table.is_loaded()) {
            return Err(ReplayError::NeedsAsnTable(table.clone()));
        }
        let summary = ReplaySummary { last: trace.birth().now, ..ReplaySummary::default() };
        let manager = ConnManager::new(trace.birth().clone())?;
        Ok(Self { manager, summary, observer, is_open: false })
    }

    fn line(&mut self, line: Line, number: u64) -> Result<(), ReplayError> {
        match line {
            Line::Birth(_) => Err(TraceError::Line { line: number, why: "a second birth".into() }.into()),
            Line::Step { now, input, reply } => self.step(now, &input, reply, number),
            Line::Action(action) => self.action(action, number),
        }
    }

    fn step(&mut self, now: Time, input: &Input, expected: Reply, line: u64) -> Result<(), ReplayError> {
        self.settle();
        let found = self.manager.apply(input, now);
        if found != expected {
            return Err(ReplayError::Reply { line, expected: Box::new(expected), found: Box::new(found) });
        }
        self.summary.inputs += 1;
        self.summary.last = now;
        self.is_open = true;
        self.observer.input(now, input, &found);
        Ok(())
    }

    fn action(&mut self, expected: Action, line: u64) -> Result<(), ReplayError> {
        let found = self.manager.poll_action();
        if found.as_ref() != Some(&expected) {
            return Err(ReplayError::Action { line, expected: Box::new(expected), found: found.map(Box::new) });
        }
        self.summary.actions += 1;
        self.observer.action(self.summary.last, &expected);
        Ok(())
    }

    fn settle(&mut self) {
        if std::mem::take(&mut self.is_open) {
            self.observer.settled(self.summary.last, &self.manager);
        }
    }

    fn end(mut self) -> (ConnManager, ReplaySummary) {
        let mut rest = self.manager.clone();
        while rest.poll_action().is_some() {
            self.summary.waiting += 1;
        }
        // Actions that wait were never taken, so the last input has not settled.
        if self.summary.waiting == 0 {
            self.settle();
        }
        (self.manager, self.summary)
    }
}
