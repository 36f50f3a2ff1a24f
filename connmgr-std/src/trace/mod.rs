//! A run written down: birth, inputs, replies and actions, one JSON object a line.
//!
//! ```json
//! {"birth":{"trace_version":1,"config":{},"snapshot":null,"rng_seed":"00…","now":"0","unix":"1700000000"}}
//! {"now":"0","input":"timeout","reply":"noted"}
//! {"action":"save"}
//! ```
//! The same version, birth and inputs give the same actions, so a trace can be run again: [`replay()`]. A trace holds
//! secrets (the rng seed, peers, nonces).

mod line;
mod reader;
mod replay;
mod writer;

use std::io;

pub use connmgr_core::{Birth, TRACE_VERSION};
pub use line::Line;
pub use reader::TraceReader;
pub use replay::{ReplayError, ReplaySummary, replay};
pub use writer::TraceWriter;

/// Why a trace can't be written or read. The caller adds the trace's path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The operating system refuses.
    #[error("{0}")]
    Io(io::Error),
    /// The trace has as many bytes as it may have; nothing more is written.
    #[error("full at {0} bytes")]
    Full(u64),
    /// Another release wrote it, which may have acted otherwise.
    #[error("of version {found}, and this release runs version {known}")]
    Version {
        /// The version of the trace.
        found: u32,
        /// The version of this release: [`TRACE_VERSION`].
        known: u32,
    },
    /// The trace does not begin with a birth, or there is nothing in it.
    #[error("does not begin with a birth")]
    NoBirth,
    /// A line is not what a line may be.
    #[error("line {line}: {why}")]
    Line {
        /// Which, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The last line was not finished: the process died while it wrote. All before it is good.
    #[error("line {line}: cut off")]
    CutOff {
        /// Which, counted from 1.
        line: u64,
    },
}

/// The text holds that of the error, which therefore is no `source`: reporters would print it twice.
impl From<io::Error> for TraceError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
