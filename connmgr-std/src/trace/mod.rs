//! Traces: the birth of a manager, its inputs, replies and actions, one JSON object on each line.
//!
//! ```json
//! {"birth":{"trace_version":1,"config":{},"snapshot":null,"rng_seed":"00…","now":"0","unix":"1700000000"}}
//! {"now":"0","input":"timeout","reply":"noted"}
//! {"action":"save"}
//! ```
//! The same version, birth and inputs give the same actions, so a trace can be replayed: [`replay()`]. A trace holds
//! secrets (the rng seed, peers, nonces). Of a table of autonomous systems it has only the digest: for a replay the table is
//! supplied ([`TraceReader::supply_asn_table`]).

mod line;
mod reader;
mod replay;
mod writer;

use std::io;

use connmgr_core::AsnTable;
pub use connmgr_core::{Birth, TRACE_VERSION};
pub use line::Line;
pub use reader::TraceReader;
pub use replay::{ReplayError, ReplaySummary, replay};
pub use writer::TraceWriter;

/// Why a trace can't be written or read. The caller adds the trace's path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The operating system reports an error.
    #[error(transparent)]
    Io(io::Error),
    /// The trace has reached its largest size. Nothing more is written.
    #[error("full at {0} bytes")]
    Full(u64),
    /// It was written by another release, whose manager may act differently.
    #[error("of version {found}, and this release runs version {known}")]
    Version {
        /// The version of the trace.
        found: u32,
        /// The version of this release: [`TRACE_VERSION`].
        known: u32,
    },
    /// The trace does not begin with a birth, or is empty.
    #[error("does not begin with a birth")]
    NoBirth,
    /// The trace was made with another table of autonomous systems than the one that is supplied for its replay.
    #[error("made with {}, not with {supplied}", table_named(.named.as_ref()))]
    OtherAsnTable {
        /// The table that the trace names, if any.
        named: Option<AsnTable>,
        /// The one that is supplied.
        supplied: AsnTable,
    },
    /// A line is invalid.
    #[error("line {line}: {why}")]
    Line {
        /// Its number, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The last line is incomplete: the process died while it wrote. All lines before it are good.
    #[error("line {line}: cut off")]
    CutOff {
        /// Its number, counted from 1.
        line: u64,
    },
}

fn table_named(named: Option<&AsnTable>) -> String {
    named.map_or_else(|| "no table of autonomous systems".into(), AsnTable::to_string)
}

/// The text holds that of the error, which therefore is no `source`: reporters would print it twice.
impl From<io::Error> for TraceError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
