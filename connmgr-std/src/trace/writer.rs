//! Writes a trace. A failure does not stop the node: it is reported once, and then nothing more is written.
//!
//! It writes on the event loop, through a buffer of 64 KiB: a trace is for debugging, not for everyday use.

use std::fmt;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use connmgr_core::{Action, Input, Reply, Time};

use super::TraceError;
use super::line::WriteLine;
use crate::state::private_options;
use connmgr_core::Birth;

const BUFFER: usize = 64 << 10;

/// Writes a trace, buffered; flushed when dropped.
pub struct TraceWriter {
    /// None once it has failed or is full.
    out: Option<BufWriter<Box<dyn Write + Send>>>,
    /// The present line, kept to reuse its memory.
    line: Vec<u8>,
    written: u64,
    max_bytes: Option<u64>,
    /// The file, to be removed on drop as long as it holds only a birth.
    unused: Option<PathBuf>,
}

impl TraceWriter {
    /// Creates the file (mode 0600) and writes the birth. `max_bytes`: the largest size of the file. The first line
    /// that would exceed it, and all later ones, are left out.
    ///
    /// # Errors
    /// When the file exists (it is not overwritten), can't be written, or has no room for the birth.
    pub fn create(path: impl AsRef<Path>, birth: &Birth, max_bytes: Option<u64>) -> Result<Self, TraceError> {
        let path = path.as_ref();
        let file = private_options().write(true).create_new(true).open(path)?;
        // A file without a birth is useless, and would make the next attempt fail.
        Self::to(Box::new(file), birth, max_bytes).inspect_err(|_| remove(path))
    }

    /// The same for a start that may still fail. If it is dropped before the first step, it removes the file, which
    /// would make the next attempt fail.
    pub(crate) fn create_for_start(path: &Path, birth: &Birth) -> Result<Self, TraceError> {
        let mut writer = Self::create(path, birth, None)?;
        writer.unused = Some(path.to_path_buf());
        Ok(writer)
    }

    /// Writes to any writer, as [`TraceWriter::create`] to a file.
    ///
    /// # Errors
    /// When the birth can't be written, or is larger than `max_bytes`.
    pub fn to(out: Box<dyn Write + Send>, birth: &Birth, max_bytes: Option<u64>) -> Result<Self, TraceError> {
        let out = Some(BufWriter::with_capacity(BUFFER, out));
        let mut writer = Self { out, line: Vec::new(), written: 0, max_bytes, unused: None };
        writer.put(&WriteLine::Birth { birth: birth.into() })?;
        writer.flush()?;
        // A birth can be large, with a snapshot in it; other lines are not.
        writer.line = Vec::new();
        Ok(writer)
    }

    /// Records one call of the manager.
    ///
    /// # Errors
    /// Only the first failure.
    pub fn step(&mut self, now: Time, input: &Input, reply: &Reply) -> Result<(), TraceError> {
        self.unused = None;
        self.put(&WriteLine::Step { now, input, reply })
    }

    /// Records one action, as it is taken from the manager's queue.
    ///
    /// # Errors
    /// Only the first failure.
    pub fn action(&mut self, action: &Action) -> Result<(), TraceError> {
        self.put(&WriteLine::Action { action })
    }

    /// Flushes the buffer to the operating system.
    ///
    /// # Errors
    /// Only the first failure.
    pub fn flush(&mut self) -> Result<(), TraceError> {
        let flushed = self.out.as_mut().map_or(Ok(()), Write::flush);
        self.off_if_failed(flushed.map_err(TraceError::Io))
    }

    /// Whether it still writes.
    pub fn is_on(&self) -> bool {
        self.out.is_some()
    }

    fn put(&mut self, line: &WriteLine<'_>) -> Result<(), TraceError> {
        if self.out.is_none() {
            return Ok(());
        }
        let put = self.try_put(line);
        self.off_if_failed(put)
    }

    fn try_put(&mut self, line: &WriteLine<'_>) -> Result<(), TraceError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).map_err(std::io::Error::from)?;
        self.line.push(b'\n');
        let after = self.written.saturating_add(self.line.len() as u64);
        if let Some(max) = self.max_bytes.filter(|max| after > *max) {
            // All lines so far are complete, and nothing flushes the buffer later.
            self.flush()?;
            return Err(TraceError::Full(max));
        }
        self.written = after;
        self.out.as_mut().map_or(Ok(()), |out| out.write_all(&self.line)).map_err(TraceError::Io)
    }

    fn off_if_failed(&mut self, result: Result<(), TraceError>) -> Result<(), TraceError> {
        if result.is_err() {
            if let Some(out) = self.out.take() {
                // Taken apart, because dropping it would try to write again.
                let _ = out.into_parts();
            }
        }
        result
    }
}

impl Drop for TraceWriter {
    fn drop(&mut self) {
        if let Some(path) = self.unused.take() {
            // Closed first: not every system removes a file that is open.
            self.out = None;
            remove(&path);
        }
    }
}

/// Ignores a failure: the next attempt reports it.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

impl fmt::Debug for TraceWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { out, line: _, written, max_bytes, unused: _ } = self;
        f.debug_struct("TraceWriter")
            .field("is_on", &out.is_some())
            .field("written", written)
            .field("max_bytes", max_bytes)
            .finish_non_exhaustive()
    }
}
