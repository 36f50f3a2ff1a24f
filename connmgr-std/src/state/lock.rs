//! One process at a time: an advisory lock on a file that stays empty.
//!
//! The operating system drops the lock with the process, however it dies, so there is nothing stale to clean up.

use std::fs::File;
use std::path::Path;

use fs4::{FileExt, TryLockError};

use super::StateError;
use super::file::private_options;

/// The lock on a directory, held until dropped.
#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock, or says at once that somebody has it.
    pub(super) fn take(dir: &Path) -> Result<Self, StateError> {
        let path = dir.join("lock");
        let failed = |error| StateError::io("lock", &path, error);
        // Never removed: whoever removed it could leave two processes with a lock on two files of the same name.
        let file = private_options().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StateError::Locked { dir: dir.to_path_buf() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
