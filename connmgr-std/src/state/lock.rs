//! An advisory lock on an empty file, for one process at a time.
//!
//! The operating system releases the lock when the process ends, however it ends, so a lock is never stale.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};

use super::StateError;
use super::file::private_options;
use super::identity::FileIdentity;
use super::place::real_file;

/// The lock on a directory, held until it is dropped.
#[derive(Debug)]
pub(super) struct DirLock {
    path: PathBuf,
    file: File,
}

impl DirLock {
    /// Takes the lock, or fails at once if it is taken.
    pub(super) fn take(dir: &Path) -> Result<Self, StateError> {
        let path = dir.join("lock");
        let failed = |error| StateError::io("lock", &path, error);
        let real = real_file(&path)?;
        // Opening a pipe to write would wait for a reader for ever.
        if fs::metadata(&real).is_ok_and(|found| !found.is_file()) {
            return Err(StateError::NotAFile { path });
        }
        // The file is never removed: otherwise two processes could hold locks on two files of the same name.
        let file = private_options().write(true).create(true).truncate(false).open(real).map_err(failed)?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Self { path, file }),
            Err(TryLockError::WouldBlock) => Err(StateError::Locked { dir: dir.to_path_buf() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Whether the file is still where it was. If it or its directory was removed, another process may take a lock on a
    /// new one.
    pub(super) fn is_in_place(&self) -> bool {
        match (self.file.metadata(), fs::metadata(&self.path)) {
            (Ok(ours), Ok(there)) => FileIdentity::of(&ours).is_same_file(FileIdentity::of(&there)),
            (_, Err(error)) if error.kind() == ErrorKind::NotFound => false,
            // What hides the file also keeps it from being replaced; the write that follows reports it.
            (_, Err(_)) | (Err(_), Ok(_)) => true,
        }
    }
}
