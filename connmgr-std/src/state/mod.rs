//! The state directory.
//!
//! `peers.dat` holds the book and the anchors, `bans.json` the bans. The process that holds the lock on the empty file
//! `lock` owns the directory. A damaged file never stops the node and is never overwritten: it is set aside under another
//! name. What an operator can mend (a permission, a link that points nowhere, a directory in the way) is an error at the
//! start instead, before anything is changed. The manager checks the values.

mod bans;
mod damage;
mod date;
mod error;
mod file;
mod identity;
mod lock;
mod peers;
mod place;
mod saver;

use std::path::{self, Path, PathBuf};

use connmgr_core::{PeerAddress, SavedAddress, SavedBan, Snapshot};

use self::damage::Loaded;
use self::file::StateFile;
use self::lock::DirLock;
use self::place::make_dir;

pub use damage::{Damage, DamageCause};
pub use error::{SaveError, StateError};
pub(crate) use file::private_options;
pub(crate) use saver::{SaveNews, Saver};

/// A state directory, which this process alone owns until the value is dropped.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    peers: StateFile,
    bans: StateFile,
    /// Dropped last, when nothing is written any more.
    lock: DirLock,
}

impl StateDir {
    /// Opens the directory, creating it (mode 0700) if need be, and reads its files. Returns no snapshot if neither
    /// file could be used, and each file that was set aside. Links are followed.
    ///
    /// Blocks on the disk: to be called before the event loop starts.
    ///
    /// # Errors
    /// [`StateError::Locked`] if another process, or another part of this one, has the directory open;
    /// [`StateError::Io`], [`StateError::NotAFile`] or [`StateError::NotADirectory`] if the directory can't be created or
    /// written to, or a file in it may not be read. Nothing is set aside for that: the file may be good.
    pub fn open(path: impl AsRef<Path>) -> Result<(Self, Option<Snapshot>, Vec<Damage>), StateError> {
        // The program may change its working directory later.
        let path = path::absolute(&path).map_err(|error| StateError::io("find", path.as_ref(), error))?;
        make_dir(&path)?;
        let lock = DirLock::take(&path)?;
        let (peers, bans) = (StateFile::open(&path, "peers.dat")?, StateFile::open(&path, "bans.json")?);
        let mut dir = Self { path, peers, bans, lock };
        let mut damages = Vec::new();
        let peers = load(&mut dir.peers, peers::decode, &mut damages)?;
        let bans = load(&mut dir.bans, bans::decode, &mut damages)?;
        if let (Some(kept), false) = (&bans, damages.is_empty()) {
            // If a file with a bad entry was set aside, the good entries are written before a crash loses them. If that
            // fails, so does the next save, which reports it.
            let _ = dir.bans.save(&bans::encode(kept));
        }
        let found = peers.is_some() || bans.is_some();
        let (addresses, anchors) = peers.unwrap_or_default();
        let snapshot = Snapshot { addresses, book_secret: None, anchors, bans: bans.unwrap_or_default() };
        Ok((dir, found.then_some(snapshot), damages))
    }

    /// Writes the files that have changed, each atomically: after a crash the old or the new content is there. Blocks
    /// on the disk; a pool has a thread for it. Files edited while the node runs are overwritten. A directory that was
    /// removed is made again.
    ///
    /// # Errors
    /// [`SaveError`] has an error for each file that was not saved. The other is.
    pub fn save(&mut self, snapshot: &Snapshot) -> Result<(), SaveError> {
        let Snapshot { addresses, anchors, bans, .. } = snapshot;
        let saved = [self.save_bans(bans), self.save_book(addresses, anchors)];
        let errors: Vec<StateError> = saved.into_iter().filter_map(Result::err).collect();
        if errors.is_empty() { Ok(()) } else { Err(SaveError { errors }) }
    }

    /// The same for the bans alone.
    pub(crate) fn save_bans(&mut self, bans: &[SavedBan]) -> Result<(), StateError> {
        self.keep_place()?;
        self.bans.save(&bans::encode(bans))
    }

    /// The same for the book and the anchors.
    pub(crate) fn save_book(&mut self, book: &[SavedAddress], anchors: &[PeerAddress]) -> Result<(), StateError> {
        self.keep_place()?;
        self.peers.save(&peers::encode(book, anchors))
    }

    /// A file has more bans than the configuration allows. Call it once the surplus is dropped.
    pub(crate) fn keep_bans_aside(&mut self, why: DamageCause) -> Result<Damage, StateError> {
        keep_aside(&mut self.bans, why)
    }

    /// The same for the addresses of the book.
    pub(crate) fn keep_book_aside(&mut self, why: DamageCause) -> Result<Damage, StateError> {
        keep_aside(&mut self.peers, why)
    }

    pub(crate) fn bans_path(&self) -> &Path {
        self.bans.path()
    }

    pub(crate) fn book_path(&self) -> &Path {
        self.peers.path()
    }

    /// Makes a directory again that was removed, and locks it again: another process may have done so meanwhile.
    fn keep_place(&mut self) -> Result<(), StateError> {
        if !self.lock.is_in_place() {
            make_dir(&self.path)?;
            self.lock = DirLock::take(&self.path)?;
        }
        Ok(())
    }
}

fn keep_aside(file: &mut StateFile, why: DamageCause) -> Result<Damage, StateError> {
    let set_aside = file.keep_aside()?;
    Ok(Damage { file: file.path().to_path_buf(), set_aside, why })
}

/// Reads and decodes a file. A damaged one is set aside and reported.
fn load<T>(
    file: &mut StateFile,
    decode: impl FnOnce(&[u8]) -> Loaded<T>,
    damages: &mut Vec<Damage>,
) -> Result<Option<T>, StateError> {
    let why = match file.read()? {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => match decode(&bytes) {
            Loaded::Whole(value) => return Ok(Some(value)),
            Loaded::Part(value, why) => {
                damages.push(keep_aside(file, why)?);
                return Ok(Some(value));
            }
            Loaded::Nothing(why) => why,
        },
        Err(why) => why,
    };
    let set_aside = file.set_aside()?;
    damages.push(Damage { file: file.path().to_path_buf(), set_aside, why });
    Ok(None)
}
