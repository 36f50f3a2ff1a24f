//! Where the state is: its directory, and the files that links in it point to.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::StateError;

/// Creates the directory (mode 0700) if need be.
pub(super) fn make_dir(path: &Path) -> Result<(), StateError> {
    match create_private(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            // A file, or a link that points nowhere.
            fs::canonicalize(path).map_err(|error| StateError::io("follow the link", path, error))?;
            Err(StateError::NotADirectory { path: path.to_path_buf() })
        }
        Err(error) => Err(StateError::io("create the directory", path, error)),
    }
}

/// The path itself, or what it points to if it is a link. Never follows a link to anything but a file: what is set aside
/// or replaced must be ours.
pub(super) fn real_file(path: &Path) -> Result<PathBuf, StateError> {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Ok(path.to_path_buf());
    }
    let real = fs::canonicalize(path).map_err(|error| StateError::io("follow the link", path, error))?;
    let found = fs::metadata(&real).map_err(|error| StateError::io("follow the link", path, error))?;
    if found.is_file() { Ok(real) } else { Err(StateError::NotAFile { path: path.to_path_buf() }) }
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).create(path)
}
