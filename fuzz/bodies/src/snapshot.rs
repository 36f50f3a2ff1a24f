//! Target `snapshot`: bytes that claim to be a snapshot, in JSON or in the encoding of `postcard`.
//!
//! Whatever can be read is given to a new manager, which lives for a while. What it keeps it keeps again in its next
//! life.

use connmgr_core::{ConnManager, Input, SavedAddress, SavedBan, Snapshot, Time, UnixTime};

use crate::bytes::Bytes;
use crate::configs::{birth, config, watcher};

/// The deadlines of a run.
const DEADLINES: u32 = 24;

/// The first byte chooses the encoding and the configuration; the rest is the snapshot.
///
/// # Panics
/// When the manager breaks a property with the snapshot.
pub fn snapshot(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let (is_json, number) = (bytes.flag(), bytes.byte());
    let read: Option<Snapshot> = match is_json {
        true => serde_json::from_slice(bytes.rest()).ok(),
        false => postcard::from_bytes(bytes.rest()).ok(),
    };
    if let Some(snapshot) = read {
        run(snapshot, number);
    }
}

/// Runs a manager that starts with the snapshot, and its checkers, which start with it too.
pub(crate) fn run(snapshot: Snapshot, number: u8) {
    let config = config(number);
    let mut watcher = watcher("snapshot", &config, Some(&snapshot));
    let mut manager = birth(config.clone(), Some(snapshot), number);
    watcher.audit(&manager);
    let kept = sorted(&manager);
    let again = sorted(&birth(config.clone(), Some(kept.clone()), number));
    assert_eq!(undated(&again), undated(&kept), "what was kept is not kept again");
    let was_kept = |ban: &SavedBan| kept.bans.iter().any(|kept| kept.target == ban.target);
    assert!(again.bans.iter().all(was_kept), "{:?} became {:?}", kept.bans, again.bans);
    // What is not kept, as names, duplicates and ended bans, may have spoken against the clock; without it dates and bans
    // are judged by the clock, once and for all.
    let third = sorted(&birth(config.clone(), Some(again.clone()), number));
    assert_eq!(third, again, "what was kept again is not kept a third time");
    for _ in 0..DEADLINES {
        let Some(due) = manager.poll_timeout() else { break };
        watcher.step(&mut manager, due, &Input::Timeout);
    }
    watcher.audit(&manager);
    watcher.step(&mut manager, Time::ZERO, &Input::NetworkChanged);
}

/// The addresses without what is dated.
fn undated(snapshot: &Snapshot) -> Vec<SavedAddress> {
    let never = UnixTime::default();
    let undated =
        |saved: &SavedAddress| SavedAddress { last_seen: never, last_try: never, last_success: never, ..saved.clone() };
    snapshot.addresses.iter().map(undated).collect()
}

/// What the manager would save, sorted.
fn sorted(manager: &ConnManager) -> Snapshot {
    let mut snapshot = manager.snapshot();
    snapshot.addresses.sort_by(|a, b| a.address.cmp(&b.address));
    snapshot.bans.sort_by(|a, b| a.target.cmp(&b.target));
    snapshot
}
