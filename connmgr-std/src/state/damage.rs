//! What is wrong with a file, and what became of it.

use std::path::PathBuf;

/// A file that was set aside, because it can't be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}; set aside as {}", file.display(), set_aside.display())]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Where it is now.
    pub set_aside: PathBuf,
    /// What is wrong with it.
    pub why: DamageCause,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DamageCause {
    /// It can't be read at all.
    #[error("can't be read: {0}")]
    Unreadable(String),
    /// It is a directory, a pipe, a device.
    #[error("is no ordinary file")]
    NotAFile,
    /// It has more than the 256 MiB that are read.
    #[error("is too large")]
    TooLarge,
    /// Something else wrote it.
    #[error("is not a file of this program")]
    Foreign,
    /// Another release wrote it.
    #[error("has format {found}, this release knows {known}")]
    Version {
        /// The format it has.
        found: u32,
        /// The format that this release reads and writes.
        known: u32,
    },
    /// It ends too early, or too late.
    #[error("has {found} bytes of content and should have {expected}")]
    Length {
        /// What is there.
        found: u64,
        /// What its header says.
        expected: u64,
    },
    /// A byte of it has changed.
    #[error("has a wrong checksum")]
    Checksum,
    /// It has the right frame around the wrong content.
    #[error("makes no sense: {0}")]
    Content(String),
    /// Some of its entries make no sense; the others are kept.
    #[error("{count} entries make no sense, the first is number {first} ({why}); the others are kept")]
    Entries {
        /// How many.
        count: usize,
        /// The first of them, counted from 1.
        first: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// What a decoder made of a file.
#[derive(Debug)]
pub(super) enum Loaded<T> {
    /// All is well.
    Whole(T),
    /// A part of it can be used.
    Part(T, DamageCause),
    /// Nothing of it can be used.
    Nothing(DamageCause),
}
