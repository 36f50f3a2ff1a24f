//! A record of one manager: its birth, its inputs with replies, and its actions.

use connmgr_core::driver::Observer;
use connmgr_core::{Action, Birth, Input, Reply, Time};

/// Entries that are kept of one run of a process; later ones are dropped.
const MOST: usize = 20_000_000;

/// One entry of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordEntry {
    /// An input.
    Told {
        /// When.
        now: Time,
        /// What.
        input: Input,
        /// The reply.
        reply: Reply,
    },
    /// An action.
    Did {
        /// When.
        now: Time,
        /// What.
        action: Action,
    },
}

impl RecordEntry {
    /// When.
    pub const fn now(&self) -> Time {
        match self {
            Self::Told { now, .. } | Self::Did { now, .. } => *now,
        }
    }
}

/// The record of one run of a process.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// What it was born with.
    pub birth: Birth,
    /// What followed, in order.
    pub entries: Vec<RecordEntry>,
}

/// Writes a record.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    record: Option<RunRecord>,
}

impl Recorder {
    /// A process starts: the record of the run before is dropped.
    pub(crate) fn born(&mut self, birth: &Birth) {
        self.record = Some(RunRecord { birth: birth.clone(), entries: Vec::new() });
    }

    /// The record so far; none before the process has started.
    pub const fn record(&self) -> Option<&RunRecord> {
        self.record.as_ref()
    }

    /// Takes the record.
    pub fn take(&mut self) -> Option<RunRecord> {
        self.record.take()
    }

    fn write(&mut self, entry: RecordEntry) {
        if let Some(record) = self.record.as_mut().filter(|record| record.entries.len() < MOST) {
            record.entries.push(entry);
        }
    }
}

impl Observer for Recorder {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.write(RecordEntry::Told { now, input: input.clone(), reply: reply.clone() });
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.write(RecordEntry::Did { now, action: action.clone() });
    }
}
