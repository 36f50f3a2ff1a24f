//! The state directory.
//!
//! `peers.dat` holds the book and the anchors, `bans.json` the bans. The process that holds the lock on the empty file
//! `lock` owns the directory. A file that can't be read never stops the node and is never overwritten: it is set aside
//! under another name. The manager checks the values.

mod bans;
mod damage;
mod date;
mod file;
mod lock;
mod peers;
mod saver;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use connmgr_core::{SavedBan, Snapshot};

use self::damage::Loaded;
use self::file::StateFile;
use self::lock::DirLock;

pub use damage::{Damage, DamageCause};
pub(crate) use file::private_options;
pub(crate) use saver::Saver;

/// A state directory, which this process alone owns until the value is dropped.
#[derive(Debug)]
pub struct StateDir {
    peers: StateFile,
    bans: StateFile,
    /// Dropped last, when nothing is written any more.
    _lock: DirLock,
}

impl StateDir {
    /// Opens the directory, creating it (mode 0700) if need be, and reads its files. Returns no snapshot if neither
    /// file could be used, and each file that was set aside.
    ///
    /// Blocks on the disk: to be called before the event loop starts.
    ///
    /// # Errors
    /// [`StateError::Locked`] if another process, or another part of this one, has the directory open;
    /// [`StateError::Io`] if the directory can't be created or written to.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, Option<Snapshot>, Vec<Damage>), StateError> {
        let path = path.as_ref();
        create_private(path).map_err(|error| StateError::io("create the directory", path, error))?;
        let lock = DirLock::take(path)?;
        let mut dir =
            Self { peers: StateFile::new(path, "peers.dat"), bans: StateFile::new(path, "bans.json"), _lock: lock };
        let mut damages = Vec::new();
        let peers = load(&mut dir.peers, peers::decode, &mut damages)?;
        let bans = load(&mut dir.bans, bans::decode, &mut damages)?;
        if let (Some(kept), true) = (&bans, dir.bans.is_missing()) {
            // A file with a bad entry was set aside: write the good entries before a crash loses them. If that fails,
            // so does the next save, which reports it.
            let _ = dir.bans.save(&bans::encode(kept));
        }
        let found = peers.is_some() || bans.is_some();
        let (addresses, anchors) = peers.unwrap_or_default();
        let snapshot = Snapshot { addresses, anchors, bans: bans.unwrap_or_default() };
        Ok((dir, found.then_some(snapshot), damages))
    }

    /// Writes the files that have changed, each atomically: after a crash the old or the new content is there. Blocks
    /// on the disk; a pool has a thread for it. Files edited while the node runs are overwritten.
    ///
    /// # Errors
    /// [`StateError`] of the first file that failed. The other is written all the same.
    pub fn save(&mut self, snapshot: &Snapshot) -> Result<(), StateError> {
        let Snapshot { addresses, anchors, bans } = snapshot;
        let bans = self.save_bans(bans);
        let peers = self.peers.save(&peers::encode(addresses, anchors));
        bans.and(peers)
    }

    /// The same for the bans alone.
    pub(crate) fn save_bans(&mut self, bans: &[SavedBan]) -> Result<(), StateError> {
        self.bans.save(&bans::encode(bans))
    }
}

/// Why the state could not be opened or saved.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process, or another part of this one, has the directory open.
    #[error("the state directory {} is in use by another process", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
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
    #[error("can't {what} {}: {error}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system reports. It is part of this error's message, and not its source.
        error: io::Error,
    },
    /// A bug of this library while it was saved.
    #[error("saving has panicked: {0}")]
    Panicked(String),
}

impl StateError {
    fn io(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { what, path: path.to_path_buf(), error }
    }
}

/// Reads and decodes a file. A damaged one is set aside and reported.
fn load<T>(
    file: &mut StateFile,
    decode: impl FnOnce(&[u8]) -> Loaded<T>,
    damages: &mut Vec<Damage>,
) -> Result<Option<T>, StateError> {
    let (kept, why) = match file.read()? {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => match decode(&bytes) {
            Loaded::Whole(value) => return Ok(Some(value)),
            Loaded::Part(value, why) => (Some(value), why),
            Loaded::Nothing(why) => (None, why),
        },
        Err(why) => (None, why),
    };
    let set_aside = file.set_aside()?;
    damages.push(Damage { file: file.path().to_path_buf(), set_aside, why });
    Ok(kept)
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
