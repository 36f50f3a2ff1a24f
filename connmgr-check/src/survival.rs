//! Saved bans survive a restart.

use connmgr_core::{SavedBan, Snapshot, UnixTime};
use core::time::Duration;

use super::checker::{RuleResult, hold};
use super::ledger::Ledger;
use super::ledger::bans::BanKey;

/// Wall clocks count in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// Every ban that was saved and has not ended at `unix` must be in the snapshot, with an end no earlier.
pub(crate) fn check(ledger: &Ledger, snapshot: &Snapshot, unix: UnixTime) -> RuleResult {
    for (until, key) in ledger.bans.iter() {
        let ends = ledger.unix_at(*until);
        let stands = ledger.bans.get(key).is_some_and(|ban| ban.is_saved) && ends > unix.after(ROUNDING);
        let is_it = |saved: &&SavedBan| BanKey::of(&saved.target) == *key && saved.until.after(ROUNDING) >= ends;
        let lost = stands && !snapshot.bans.iter().any(|saved| is_it(&saved));
        hold(!lost, || format!("the ban of {key:?} until {ends} was saved, and is not in the snapshot"))?;
    }
    Ok(())
}
