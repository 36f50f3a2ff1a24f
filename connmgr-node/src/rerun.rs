//! Replays a recorded trace on a new manager.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use connmgr_core::Time;
use connmgr_std::{ReplayError, ReplaySummary, TraceError, TraceReader, replay};
use serde_json::{Value, json};

use crate::setup::asn_table;

/// The result of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayReport(ReplaySummary);

/// Replays a trace to its end or to the first difference. `asmap` has the table of autonomous systems of a run with one.
///
/// # Errors
/// The file can't be read, is of another release, or the manager acts differently; the error names the line.
pub fn rerun(path: &Path, asmap: Option<&Path>) -> Result<ReplayReport> {
    let wrong = |error: &TraceError| anyhow!("--replay {}: {}", path.display(), explain_trace(error));
    let mut reader = TraceReader::open(path).map_err(|error| wrong(&error))?;
    if let Some(asmap) = asmap {
        reader.supply_asn_table(asn_table(asmap)?).map_err(|error| wrong(&error))?;
    }
    let (_, summary) = replay(reader, None, &mut ()).map_err(|error| {
        let remedy = if matches!(error, ReplayError::NeedsAsnTable(_)) { "; --asmap FILE supplies it" } else { "" };
        anyhow!("--replay {}: {error}{remedy}", path.display())
    })?;
    Ok(ReplayReport(summary))
}

/// What is wrong with a trace, and the remedy if there is one.
pub fn explain_trace(error: &TraceError) -> String {
    match error {
        TraceError::Io(io) if io.kind() == ErrorKind::AlreadyExists => {
            "it exists and is not overwritten: remove it, or name another file".to_string()
        }
        TraceError::NoBirth => {
            format!("{error}: it is no trace of this program, or an empty one; --trace FILE records one")
        }
        TraceError::Version { .. } => format!("{error}: replay it with the release that wrote it"),
        other => other.to_string(),
    }
}

impl ReplayReport {
    /// The result as JSON.
    pub fn to_json(self) -> Value {
        let ReplaySummary { inputs, actions, waiting, cut_off, .. } = self.0;
        let ms = u64::try_from(self.lasted().as_millis()).unwrap_or(u64::MAX);
        json!({
            "type": "replay", "lasted_ms": ms, "inputs": inputs, "actions": actions, "waiting": waiting,
            "cut_off": cut_off,
        })
    }

    fn lasted(self) -> Duration {
        self.0.last.since(Time::ZERO)
    }
}

impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReplaySummary { inputs, actions, waiting, cut_off, .. } = self.0;
        let (seconds, millis) = (self.lasted().as_secs(), self.lasted().subsec_millis());
        write!(f, "{seconds}.{millis:03} s run again: {inputs} inputs, {actions} actions, all as recorded")?;
        if waiting > 0 {
            write!(f, "; {waiting} more actions were never taken")?;
        }
        if cut_off { f.write_str("; the last line was cut off") } else { Ok(()) }
    }
}
