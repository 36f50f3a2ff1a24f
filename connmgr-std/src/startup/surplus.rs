//! State that is more than the configuration allows: the manager drops the rest, so the file is kept aside and the
//! operator told.

use connmgr_core::{ConnManager, Snapshot, UnixTime};

use crate::state::{Damage, DamageCause, SavedBook, StateDir, StateError};

/// What a snapshot had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SavedCounts {
    addresses: usize,
    /// Those that have not ended.
    bans: usize,
}

impl SavedCounts {
    pub(super) fn of(snapshot: &Snapshot, unix: UnixTime) -> Self {
        let bans = snapshot.bans.iter().filter(|ban| ban.until > unix).count();
        Self { addresses: snapshot.addresses.len(), bans }
    }
}

/// Sets the files aside of which the manager that started from them could not take all, and saves what it took.
pub(super) fn set_aside(
    had: SavedCounts,
    manager: &ConnManager,
    dir: &mut StateDir,
    damages: &mut Vec<Damage>,
) -> Result<(), StateError> {
    let config = manager.config();
    if let Some(why) = surplus("max_bans", had.bans, manager.saved_bans().len(), config.max_bans) {
        damages.push(dir.keep_bans_aside(why)?);
        dir.save_bans(&manager.saved_bans())?;
    }
    let max = config.book.max_addresses;
    if let Some(why) = surplus("book.max_addresses", had.addresses, manager.book().len(), max) {
        damages.push(dir.keep_book_aside(why)?);
        let (_, book) = SavedBook::split(manager.snapshot());
        dir.save_book(&book)?;
    }
    Ok(())
}

/// Only a full list may have left some out for want of room.
fn surplus(limit: &'static str, count: usize, kept: usize, max: u32) -> Option<DamageCause> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    (count > max && kept >= max).then_some(DamageCause::TooMany { count, max, limit })
}
