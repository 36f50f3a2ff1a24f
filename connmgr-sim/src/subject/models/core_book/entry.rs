//! One address of the model: when it is terrible, and how likely a choice takes it.

use std::time::Duration;

use connmgr_core::{AddressInfo, PeerAddress, SourceGroup, UnixTime};

const JUST_TRIED: Duration = Duration::from_secs(60);
const CLOCK_SLACK: Duration = Duration::from_secs(600);
const HORIZON: Duration = Duration::from_secs(30 * 24 * 3600);
const FORGIVEN_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
const RECENTLY: Duration = Duration::from_secs(600);
/// Failures without any success.
const MAX_FAILURES_OF_UNTESTED: u32 = 3;
/// Failures in a row.
const MAX_FAILURES: u32 = 10;

/// 0.66^n in millionths.
const CHANCE: [u64; 9] = [1_000_000, 660_000, 435_600, 287_496, 189_747, 125_233, 82_654, 54_552, 36_004];

/// An address of the model.
#[derive(Clone, Debug)]
pub(super) struct CoreEntry {
    pub(super) address: PeerAddress,
    /// Who announced it first.
    pub(super) source: SourceGroup,
    pub(super) last_seen: UnixTime,
    /// The epoch: never.
    pub(super) last_try: UnixTime,
    pub(super) last_counted: UnixTime,
    pub(super) last_success: UnixTime,
    pub(super) failures: u32,
    /// Places among the new addresses.
    pub(super) places: u32,
    pub(super) is_tried: bool,
}

impl CoreEntry {
    pub(super) fn new(info: &AddressInfo, source: SourceGroup, penalty: Duration) -> Self {
        let never = UnixTime::default();
        Self {
            address: info.address.clone(),
            source,
            last_seen: info.last_seen.before(penalty),
            last_try: never,
            last_counted: never,
            last_success: never,
            failures: 0,
            places: 0,
            is_tried: false,
        }
    }

    pub(super) fn is_terrible(&self, now: UnixTime) -> bool {
        let never = UnixTime::default();
        if self.last_try != never && now.since(self.last_try) <= JUST_TRIED {
            return false;
        }
        self.last_seen > now.after(CLOCK_SLACK)
            || now.since(self.last_seen) > HORIZON
            || (self.last_success == never && self.failures >= MAX_FAILURES_OF_UNTESTED)
            || (now.since(self.last_success) > FORGIVEN_FOR && self.failures >= MAX_FAILURES)
    }

    /// How likely a choice takes it, in millionths.
    pub(super) fn chance(&self, now: UnixTime) -> u64 {
        let chance = CHANCE[(self.failures as usize).min(CHANCE.len() - 1)];
        if now.since(self.last_try) < RECENTLY { chance / 100 } else { chance }
    }
}
