//! Which file a path leads to, to notice that it was replaced or changed.

use std::fs::Metadata;
use std::time::SystemTime;

/// A file, at one state of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    /// The device and the number on it; zero where the system has none.
    node: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl FileIdentity {
    pub(super) fn of(file: &Metadata) -> Self {
        Self { node: node(file), length: file.len(), modified: file.modified().ok() }
    }

    /// Whether both are one file, whatever its content was each time.
    pub(super) fn is_same_file(self, other: Self) -> bool {
        self.node == other.node
    }
}

#[cfg(unix)]
fn node(file: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

#[cfg(not(unix))]
const fn node(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
