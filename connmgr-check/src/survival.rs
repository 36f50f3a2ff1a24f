//! What must outlive the process: bans that were saved and did not end.

use connmgr_core::{SavedBan, Snapshot, UnixTime};
use core::time::Duration;

use super::checker::{Verdict, hold};
use super::ledger::Ledger;
use super::ledger::bans::Key;

/// Wall clocks count in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// Whether every ban that was saved and stands at this wall-clock time is in the snapshot, and ends no earlier there.
pub(crate) fn judge(ledger: &Ledger, snapshot: &Snapshot, unix: UnixTime) -> Verdict {
    for (until, key) in ledger.bans.iter() {
        let ends = ledger.unix_at(*until);
        let stands = ledger.bans.get(key).is_some_and(|ban| ban.is_saved) && ends > unix.after(ROUNDING);
        let is_it = |saved: &&SavedBan| Key::of(&saved.target) == *key && saved.until.after(ROUNDING) >= ends;
        let lost = stands && !snapshot.bans.iter().any(|saved| is_it(&saved));
        hold(!lost, || format!("the ban of {key:?} until {ends} was saved, and is not in the snapshot"))?;
    }
    Ok(())
}
