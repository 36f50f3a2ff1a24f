//! Reads a table of autonomous systems from a file.
//!
//! Two forms: Bitcoin Core's binary "asmap", whose decoder is in `connmgr-core`; and text, a prefix and a number a line. A file
//! of nothing but text is text. Nothing here asks the network.

#[cfg(test)]
mod tests;
mod text;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use connmgr_core::{AsmapError, AsnTable, AsnTableError};

/// The longest file that is read: 64 MiB, for either form.
const MAX_FILE: usize = AsnTable::MAX_ASMAP;

/// Reads a table of autonomous systems from a file, for [`GroupRule::asn`](connmgr_core::GroupRule::asn). Blocks on the disk.
///
/// The file is Bitcoin Core's binary form ("asmap", as `-asmap` takes it; not compressed), or text:
///
/// ```text
/// # A comment. Of the prefixes that contain an address the longest counts, and of equal ones the last.
/// 1.2.0.0/16 AS64500
/// 2001:db8::/32 64501
/// 1.2.3.0/24 AS0      # No number: not AS64500, but a group by its prefix.
/// ```
///
/// The text may be up to 64 MiB with up to [`AsnTable::MAX_RANGES`] prefixes.
///
/// # Errors
/// [`AsnFileError`] names the file, and what is wrong with it. A table is whole, or there is none.
pub fn read_asn_table(path: impl AsRef<Path>) -> Result<AsnTable, AsnFileError> {
    let path = path.as_ref();
    let table = read(path).map_err(AsnFileFault::Io).and_then(|bytes| parse_asn_table(&bytes));
    table.map_err(|fault| AsnFileError { path: path.to_path_buf(), fault })
}

/// As [`read_asn_table`], from the bytes of a file.
///
/// # Errors
/// [`AsnFileFault`] says what is wrong with them.
pub fn parse_asn_table(bytes: &[u8]) -> Result<AsnTable, AsnFileFault> {
    if bytes.len() > MAX_FILE {
        return Err(AsnFileFault::TooLong);
    }
    if bytes.is_empty() {
        return Err(AsnFileFault::Empty);
    }
    match text::of(bytes) {
        Some(text) => text::parse(text),
        None => AsnTable::from_asmap(bytes).map_err(AsnFileFault::Asmap),
    }
}

/// The bytes of a file, and one more than allowed where there are more: it may be endless.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why a file gives no table of autonomous systems.
#[derive(Debug, thiserror::Error)]
#[error("can't read a table of autonomous systems from {}", path.display())]
#[non_exhaustive]
pub struct AsnFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub fault: AsnFileFault,
}

/// What is wrong with the file of a table of autonomous systems.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AsnFileFault {
    /// The operating system can't read it.
    #[error(transparent)]
    Io(io::Error),
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is longer than 64 MiB.
    #[error("it is longer than {MAX_FILE} bytes")]
    TooLong,
    /// A line of the text is wrong.
    #[error("line {line}: {why}")]
    Line {
        /// Its number, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The text has no prefix.
    #[error("it has no line with a prefix and a number")]
    NoPrefix,
    /// The text has more prefixes, or ranges, than a table may.
    #[error(transparent)]
    Table(AsnTableError),
    /// It is neither text nor an asmap of Bitcoin Core's.
    #[error("it is no text, and no asmap of Bitcoin Core's: {0}")]
    Asmap(AsmapError),
}
