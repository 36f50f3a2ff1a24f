//! One file of the state: read, replaced or set aside as a whole.
//!
//! To replace it, a temporary file in the same directory is written and synced, renamed over the old one, and the
//! directory synced. The temporary name is always the same, so a crash leaves at most one. A link is followed to its
//! file, and stays.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::identity::FileIdentity;
use super::place::real_file;
use super::{DamageCause, StateError};
use crate::errors::{is_bad_disk, is_full_disk};

/// The most that is read of a file: over twice what a book of a million onion addresses takes.
const MAX_BYTES: u64 = 256 << 20;

/// How many damaged files of one name are kept; the oldest make room.
const MAX_SET_ASIDE: usize = 5;

/// One file of the state.
#[derive(Debug)]
pub(super) struct StateFile {
    dir: PathBuf,
    path: PathBuf,
    holds: Option<Content>,
    hasher: RandomState,
}

/// What a file is known to hold, to skip a write that changes nothing.
#[derive(Debug)]
struct Content {
    /// The keyed hash of all bytes.
    hash: u64,
    /// The file, to notice that somebody else has changed it; none if that is unknown.
    file: Option<FileIdentity>,
}

impl StateFile {
    /// The file of this name, which need not exist. Fails if it could not be replaced: a link that points nowhere, a
    /// directory in place of the temporary file, a directory that takes no files. A full disk is no failure, for it may
    /// have room later.
    pub(super) fn open(dir: &Path, name: &str) -> Result<Self, StateError> {
        let path = real_file(&dir.join(name))?;
        let dir = path.parent().unwrap_or(dir).to_path_buf();
        let temporary = with_suffix(&path, ".tmp");
        match write_synced(&temporary, b"").and_then(|()| fs::remove_file(&temporary)) {
            Err(error) if !is_full_disk(&error) => Err(StateError::io("write", &temporary, error)),
            Ok(()) | Err(_) => Ok(Self { dir, path, holds: None, hasher: RandomState::new() }),
        }
    }

    /// Reads it; none if there is no file.
    ///
    /// The inner error is damage: what the disk gives is wrong or can't be read. Any other failure may be mended (no
    /// permission, out of descriptors), and the file may be good: it is the outer error, and the file is not to be set
    /// aside.
    pub(super) fn read(&mut self) -> Result<Result<Option<Vec<u8>>, DamageCause>, StateError> {
        match read_bounded(&self.path) {
            Ok(Ok(bytes)) => {
                self.remember(&bytes);
                Ok(Ok(Some(bytes)))
            }
            Ok(Err(why)) => Ok(Err(why)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Ok(None)),
            Err(error) if is_bad_disk(&error) => Ok(Err(DamageCause::Unreadable(error.to_string()))),
            Err(error) => Err(StateError::io("read", &self.path, error)),
        }
    }

    /// Replaces its content, unless it is the same.
    pub(super) fn save(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(StateError::TooLarge { path: self.path.clone(), bytes: bytes.len() as u64 });
        }
        if self.has(bytes) {
            return Ok(());
        }
        self.holds = None;
        self.replace(bytes).map_err(|error| StateError::io("write", &self.path, error))?;
        self.remember(bytes);
        Ok(())
    }

    fn has(&self, bytes: &[u8]) -> bool {
        let is_same = |held: &Content| held.hash == self.hasher.hash_one(bytes) && held.file == self.identity();
        self.holds.as_ref().is_some_and(|held| held.file.is_some() && is_same(held))
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.holds = Some(Content { hash: self.hasher.hash_one(bytes), file: self.identity() });
    }

    fn identity(&self) -> Option<FileIdentity> {
        fs::symlink_metadata(&self.path).ok().map(|file| FileIdentity::of(&file))
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let temporary = with_suffix(&self.path, ".tmp");
        let written = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, &self.path));
        if written.is_err() {
            // The disk may be full.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        sync_dir(&self.dir)
    }

    /// Renames it to an unused name, `<name>.damaged-<UNIX time>`, and returns that name.
    pub(super) fn set_aside(&mut self) -> Result<PathBuf, StateError> {
        self.aside(|path, aside| fs::rename(path, aside))
    }

    /// The same for a file of which a part is used: it also stays, where the file system can give a file two names, until
    /// it is saved. A crash before that loses nothing.
    pub(super) fn keep_aside(&mut self) -> Result<PathBuf, StateError> {
        self.aside(|path, aside| fs::hard_link(path, aside).or_else(|_| fs::rename(path, aside)))
    }

    fn aside(&mut self, name: impl FnOnce(&Path, &Path) -> io::Result<()>) -> Result<PathBuf, StateError> {
        self.holds = None;
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.name_aside(unix, name).map_err(|error| StateError::io("set aside", &self.path, error))
    }

    fn name_aside(&self, unix: u64, name: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<PathBuf> {
        let asides = self.asides()?;
        let same_second = asides.iter().filter(|(age, _)| age.0 == unix).map(|(age, _)| age.1).max();
        let suffix = match same_second {
            None => format!(".damaged-{unix}"),
            Some(nth) => format!(".damaged-{unix}-{}", nth.saturating_add(1)),
        };
        let aside = with_suffix(&self.path, &suffix);
        make_room(asides);
        name(&self.path, &aside)?;
        sync_dir(&self.dir)?;
        Ok(aside)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The files that were set aside, with their ages.
    fn asides(&self) -> io::Result<Vec<(Age, PathBuf)>> {
        let prefix = damaged_prefix(&self.path);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if let Some(age) = age(&path, &prefix) {
                found.push((age, path));
            }
        }
        Ok(found)
    }
}

/// When a file was set aside, according to its name: UNIX time, and its number within that second.
type Age = (u64, u64);

/// Removes the oldest files that were set aside, to make room for one more.
fn make_room(mut asides: Vec<(Age, PathBuf)>) {
    asides.sort();
    let surplus = (asides.len() + 1).saturating_sub(MAX_SET_ASIDE);
    for (_, path) in asides.into_iter().take(surplus) {
        // One that can't be removed (a directory) stays: that must not prevent a start.
        let _ = fs::remove_file(path);
    }
}

/// Options for a file that only its owner may read.
#[cfg(unix)]
pub(crate) fn private_options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Options for a file that only its owner may read. On this system the directory's permissions apply.
#[cfg(not(unix))]
pub(crate) fn private_options() -> OpenOptions {
    OpenOptions::new()
}

fn read_bounded(path: &Path) -> io::Result<Result<Vec<u8>, DamageCause>> {
    // Opening a pipe would block for ever.
    if !fs::metadata(path)?.is_file() {
        return Ok(Err(DamageCause::NotAFile));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Ok(Err(DamageCause::TooLarge));
    }
    Ok(Ok(bytes))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = private_options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename durable. Some network and user-space file systems can't sync a directory.
#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    match File::open(dir)?.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// On this system directories can't be opened as files; the file system's journal makes the rename durable.
#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn damaged_prefix(path: &Path) -> OsString {
    let mut prefix = path.file_name().unwrap_or(OsStr::new("")).to_owned();
    prefix.push(".damaged-");
    prefix
}

/// The age in a name, if it is one of a file set aside.
fn age(path: &Path, prefix: &OsStr) -> Option<Age> {
    let suffix = path.file_name()?.to_str()?.strip_prefix(prefix.to_str()?)?;
    let (unix, nth) = suffix.split_once('-').unwrap_or((suffix, "0"));
    Some((unix.parse().ok()?, nth.parse().ok()?))
}
