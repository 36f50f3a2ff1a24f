//! Reads a trace line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::TraceError;
use super::line::{self, Line};
use connmgr_core::{AsnTable, Birth, TRACE_VERSION};

/// The longest line that is read: a birth with a book of a million addresses.
const MAX_LINE: u64 = 512 << 20;

/// The lines of a trace after its birth, which is read first. Ends after the first error.
#[derive(Debug)]
pub struct TraceReader<R> {
    input: R,
    birth: Birth,
    /// Lines read so far.
    count: u64,
    failed: bool,
}

impl TraceReader<BufReader<File>> {
    /// Opens a file and reads the birth.
    ///
    /// # Errors
    /// As [`TraceReader::new`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TraceError> {
        Self::new(BufReader::new(File::open(path)?))
    }
}

impl<R: BufRead> TraceReader<R> {
    /// Reads the birth.
    ///
    /// # Errors
    /// [`TraceError::Version`] for the trace of another release, [`TraceError::NoBirth`] for a file that is no trace.
    pub fn new(mut input: R) -> Result<Self, TraceError> {
        let text = next_line(&mut input, 1)?.ok_or(TraceError::NoBirth)?;
        match line::birth_version(&text) {
            None => return Err(TraceError::NoBirth),
            Some(TRACE_VERSION) => {}
            Some(found) => return Err(TraceError::Version { found, known: TRACE_VERSION }),
        }
        match line::parse(&text) {
            Ok(Line::Birth(birth)) => Ok(Self { input, birth: *birth, count: 1, failed: false }),
            Ok(Line::Step { .. } | Line::Action(_)) => Err(TraceError::NoBirth),
            Err(why) => Err(TraceError::Line { line: 1, why }),
        }
    }

    /// What the manager was born with.
    pub fn birth(&self) -> &Birth {
        &self.birth
    }

    /// Supplies the table of autonomous systems that the trace was made with, for a replay: the trace has only its digest, in
    /// [`GroupRule::asn`](connmgr_core::GroupRule::asn) of the birth's configuration.
    ///
    /// # Errors
    /// [`TraceError::OtherAsnTable`] if it is not that table, or the trace was made without one.
    pub fn supply_asn_table(&mut self, table: AsnTable) -> Result<(), TraceError> {
        let named = &mut self.birth.config.groups.asn;
        if named.as_ref() != Some(&table) {
            return Err(TraceError::OtherAsnTable { named: named.clone(), supplied: table });
        }
        *named = Some(table);
        Ok(())
    }

    /// The number of the last line that was read; the birth is line 1.
    pub fn line_number(&self) -> u64 {
        self.count
    }

    fn read(&mut self) -> Result<Option<Line>, TraceError> {
        let Some(text) = next_line(&mut self.input, self.count + 1)? else {
            return Ok(None);
        };
        self.count += 1;
        match line::parse(&text) {
            Ok(Line::Birth(_)) => Err(TraceError::Line { line: self.count, why: "a second birth".into() }),
            Ok(line @ (Line::Step { .. } | Line::Action(_))) => Ok(Some(line)),
            Err(why) => Err(TraceError::Line { line: self.count, why }),
        }
    }
}

impl<R: BufRead> Iterator for TraceReader<R> {
    type Item = Result<Line, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let line = self.read().transpose();
        self.failed = matches!(line, Some(Err(_)));
        line
    }
}

/// The next line without its line break; none at the end of the trace. `number`: its number, for errors.
fn next_line(input: &mut impl BufRead, number: u64) -> Result<Option<Vec<u8>>, TraceError> {
    let mut text = Vec::new();
    input.by_ref().take(MAX_LINE).read_until(b'\n', &mut text)?;
    match text.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(text)),
        Some(_) if text.len() as u64 + 1 == MAX_LINE => {
            Err(TraceError::Line { line: number, why: format!("longer than {MAX_LINE} bytes") })
        }
        Some(_) => Err(TraceError::CutOff { line: number }),
    }
}
