//! Damaged files.

use std::path::PathBuf;

/// A file that was set aside because it could not be read, or only in part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}; set aside as {}", file.display(), set_aside.display())]
#[non_exhaustive]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Its new name.
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
    /// It is a directory, a pipe or a device.
    #[error("is no ordinary file")]
    NotAFile,
    /// It is larger than 256 MiB.
    #[error("is too large")]
    TooLarge,
    /// It was not written by this library.
    #[error("is not a file of this program")]
    Foreign,
    /// It was written by another release.
    #[error("has format {found}, this release knows {known}")]
    Version {
        /// The file's format.
        found: u32,
        /// The format that this release reads and writes.
        known: u32,
    },
    /// It ends too early, or too late.
    #[error("has {found} bytes of content and should have {expected}")]
    Length {
        /// The bytes in the file.
        found: u64,
        /// The bytes according to its header.
        expected: u64,
    },
    /// Its content has changed since it was written.
    #[error("has a wrong checksum")]
    Checksum,
    /// Its content can't be decoded.
    #[error("makes no sense: {0}")]
    Content(String),
    /// Some of its parts are damaged; what is in the others is kept.
    #[error("has damaged parts ({damaged} of 4096 bytes each, the first is number {first}); {} lost, the others are kept",
        addresses(*.lost))]
    Sections {
        /// How many are damaged or missing.
        damaged: u64,
        /// The first of them, counted from 1. Each has 4096 bytes of the file.
        first: u64,
        /// How many addresses are lost; none if even that is not known.
        lost: Option<u64>,
    },
    /// Some of its entries are invalid; the others are kept.
    #[error("{count} entries make no sense, the first is number {first} ({why}); the others are kept")]
    Entries {
        /// How many are invalid.
        count: usize,
        /// The first of them, counted from 1.
        first: usize,
        /// What is wrong with it.
        why: String,
    },
    /// It has more entries than the configuration allows; the others are kept.
    #[error("has {count} entries, and {limit} allows {max}: the rest is not used")]
    TooMany {
        /// How many could be used.
        count: usize,
        /// How many are allowed.
        max: usize,
        /// The field of the configuration that says so.
        limit: &'static str,
    },
}

fn addresses(lost: Option<u64>) -> String {
    match lost {
        Some(1) => "1 address is".to_owned(),
        Some(lost) => format!("{lost} addresses are"),
        None => "an unknown number of addresses is".to_owned(),
    }
}

/// The result of decoding a file.
#[derive(Debug)]
pub(super) enum Loaded<T> {
    /// All of it is valid.
    Whole(T),
    /// A part of it can be used.
    Part(T, DamageCause),
    /// Nothing of it can be used.
    Nothing(DamageCause),
}
