//! An advisory lock on an empty file, for one process at a time.
//!
//! The operating system releases the lock when the process ends, however it ends, so a lock is never stale.

use std::fs::File;
use std::path::Path;

use fs4::{FileExt, TryLockError};

use super::StateError;
use super::file::private_options;

/// The lock on a directory, held until it is dropped.
#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock, or fails at once if it is taken.
    pub(super) fn take(dir: &Path) -> Result<Self, StateError> {
        let path = dir.join("lock");
        let failed = |error| StateError::io("lock", &path, error);
        // The file is never removed: otherwise two processes could hold locks on two files of the same name.
        let file = private_options().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StateError::Locked { dir: dir.to_path_buf() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
