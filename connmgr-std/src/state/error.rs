//! Why the state could not be opened or saved.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::causes::with_causes;

/// Why the state could not be opened, or a file of it not saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another process, or another part of this one, has the directory open.
    #[error("the state directory {} is in use by another pool or process", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// A directory, a pipe or a device is where a file must be. A link counts as what it points to.
    #[error("{} is no ordinary file; remove it", path.display())]
    NotAFile {
        /// What is in the way.
        path: PathBuf,
    },
    /// Something that is no directory is where the directory must be.
    #[error("{} is no directory", path.display())]
    NotADirectory {
        /// What is in the way.
        path: PathBuf,
    },
    /// The file would be larger than what is read back: 256 MiB.
    #[error("{} would have {bytes} bytes, more than can be read again", path.display())]
    TooLarge {
        /// The file, which is left as it was.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The operating system reports an error.
    #[error("can't {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system reports.
        #[source]
        error: io::Error,
    },
    /// A bug of this library while it was saved.
    #[error("saving has panicked: {0}")]
    Panicked(String),
}

impl StateError {
    pub(super) fn io(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { what, path: path.to_path_buf(), error }
    }

    /// The file or directory it is about; none for a bug.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Locked { dir: path }
            | Self::NotAFile { path }
            | Self::NotADirectory { path }
            | Self::TooLarge { path, .. }
            | Self::Io { path, .. } => Some(path),
            Self::Panicked(_) => None,
        }
    }
}

/// Why a state was not saved as a whole: one error for each file that was not. Its text has all of them, with their causes.
#[derive(Debug)]
#[non_exhaustive]
pub struct SaveError {
    /// At least one.
    pub errors: Vec<StateError>,
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.errors.iter().map(|error| with_causes(error).to_string()).collect();
        f.write_str(&texts.join("; "))
    }
}

impl std::error::Error for SaveError {}
