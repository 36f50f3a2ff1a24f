//! Runs a trace again, and says where it goes another way.
//!
//! Actions may be taken from the manager's queue at any time, so they are compared one by one where the trace has
//! them, not by call.

use std::io::BufRead;

use connmgr_core::{Action, Birth, ConfigError, ConnManager, Input, Reply, Time};

use super::line::Line;
use super::{TraceError, TraceReader};

/// What can be run from a trace: a manager, bare or with somebody looking on.
pub trait Machine: Sized {
    /// A machine as it was at birth.
    ///
    /// # Errors
    /// When the configuration is refused.
    fn born(birth: Birth) -> Result<Self, ConfigError>;

    /// Tells or asks it one thing.
    fn apply(&mut self, input: &Input, now: Time) -> Reply;

    /// Takes an action from its queue.
    fn poll_action(&mut self) -> Option<Action>;
}

impl Machine for ConnManager {
    fn born(birth: Birth) -> Result<Self, ConfigError> {
        Self::new(birth)
    }

    fn apply(&mut self, input: &Input, now: Time) -> Reply {
        self.apply(input, now)
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.poll_action()
    }
}

/// A replay that went as the trace has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
pub enum ReplayError {
    /// The trace can't be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The configuration of the birth is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The machine answers otherwise.
    #[error("line {line}: replied {found:?}, the trace has {expected:?}")]
    Reply {
        /// Which line, counted from 1.
        line: u64,
        /// What the trace has.
        expected: Box<Reply>,
        /// What the machine said.
        found: Box<Reply>,
    },
    /// The machine acts otherwise.
    #[error("line {line}: did {found:?}, the trace has {expected:?}")]
    Action {
        /// Which line, counted from 1.
        line: u64,
        /// What the trace has.
        expected: Box<Action>,
        /// What the machine did; nothing, if its queue was empty.
        found: Option<Box<Action>>,
    },
}

/// Runs a trace on a fresh machine, to its end or to the first difference. A last line that was cut off is ignored.
///
/// # Errors
/// [`ReplayError`] names the line.
pub fn replay<M: Machine>(mut trace: TraceReader<impl BufRead>) -> Result<ReplaySummary, ReplayError> {
    let mut machine = M::born(trace.birth().clone())?;
    let mut summary = ReplaySummary { last: trace.birth().now, ..ReplaySummary::default() };
    while let Some(line) = trace.next() {
        match line {
            Ok(line) => step(&mut machine, line, trace.line_number(), &mut summary)?,
            Err(TraceError::CutOff { .. }) => summary.cut_off = true,
            Err(error) => return Err(error.into()),
        }
    }
    while machine.poll_action().is_some() {
        summary.waiting += 1;
    }
    Ok(summary)
}

fn step(machine: &mut impl Machine, line: Line, number: u64, summary: &mut ReplaySummary) -> Result<(), ReplayError> {
    match line {
        Line::Birth(_) => Err(TraceError::Line { line: number, why: "a second birth".into() }.into()),
        Line::Step { now, input, reply } => {
            summary.inputs += 1;
            summary.last = now;
            let found = machine.apply(&input, now);
            if found == reply { Ok(()) } else { Err(reply_differs(number, reply, found)) }
        }
        Line::Action(action) => {
            summary.actions += 1;
            let found = machine.poll_action();
            if found.as_ref() == Some(&action) { Ok(()) } else { Err(action_differs(number, action, found)) }
        }
    }
}

fn reply_differs(line: u64, expected: Reply, found: Reply) -> ReplayError {
    ReplayError::Reply { line, expected: Box::new(expected), found: Box::new(found) }
}

fn action_differs(line: u64, expected: Action, found: Option<Action>) -> ReplayError {
    ReplayError::Action { line, expected: Box::new(expected), found: found.map(Box::new) }
}
