//! An entry as a file has it: restored, dated anew when the wall clock is set, and saved.

use core::time::Duration;

use super::{CONNECTED, Dial, Entry, V1_ONLY};
use crate::book::claims::{Claim, Origin, Report, SavedDates};
use crate::book::dates::{FIRST_SENSIBLE, believed, is_believable};
use crate::book::key::ShortKey;
use crate::book::moment::Moment;
use crate::types::{SavedAddress, SteadySecond, Time, UnixTime};

impl Entry {
    /// A saved address, in which every value may be wrong. An event dated in the future counts as just now: then a dial
    /// is postponed, and never allowed early.
    pub(in crate::book) fn restored(key: ShortKey, saved: &SavedAddress, unix: UnixTime, now: Time) -> Self {
        let mut entry = Self::heard(key, saved.services, SteadySecond::NEVER);
        entry.set_failures(u8::try_from(saved.failures).unwrap_or(u8::MAX));
        entry.set(V1_ONLY, saved.v1_only);
        entry.date(&SavedDates::of(saved), unix, now);
        entry
    }

    /// Ages by the dates of a file, except what has changed since, and a wall clock that showed `unix` at `at`, the
    /// birth.
    fn date(&mut self, saved: &SavedDates, unix: UnixTime, at: Time) {
        let never = UnixTime::default();
        let last_seen = if saved.last_seen > unix { never } else { saved.last_seen };
        self.last_seen = believed(last_seen, unix, at);
        if self.dial() == Dial::None {
            let was_tried = saved.last_try != never;
            self.last_try = if was_tried { Moment::before(at, unix.since(saved.last_try)) } else { Moment::NEVER };
        }
        if !saved.is_outdated {
            let has_succeeded = saved.last_success != never;
            let last_success = SteadySecond::of(saved.last_success.min(unix), unix, at);
            self.last_success = if has_succeeded { last_success } else { SteadySecond::NEVER };
            self.services = saved.services;
        }
    }

    /// The wall clock was wrong, and was set: at any time it would have shown `unix_at`. What was said of the address
    /// since `born` is judged by that. What this life has seen itself keeps its age.
    pub(in crate::book) fn judge_anew(&mut self, claim: Claim, born: Time, unix_at: impl Fn(Time) -> UnixTime) {
        match &claim.first {
            Origin::Aged(last_seen) => self.last_seen = *last_seen,
            Origin::Told(told, at) => self.last_seen = told.judged(unix_at(*at), *at),
            Origin::Saved(saved) => self.date(saved, unix_at(born), born),
        }
        let told = claim.told.map(|Report { last_seen, at, services }| {
            let last_seen = last_seen.judged(unix_at(at), at);
            Report { last_seen, at, services }
        });
        let mut reports = [told, claim.aged];
        reports.sort_by_key(|report| report.map(|report| report.at));
        for Report { services, last_seen, at } in reports.into_iter().flatten() {
            self.refresh(services, last_seen, at);
        }
    }

    /// Writes it down. A peer that is connected is saved as if it had never been dialed, so that it needs no rest in the
    /// next life.
    pub(in crate::book) fn save_to(&self, saved: SavedAddress, unix: UnixTime, now: Time) -> SavedAddress {
        let second_of_try = |ago: Duration| SteadySecond::at(now).before(ago);
        let last_try = if self.has(CONNECTED) { Moment::NEVER } else { self.last_try };
        SavedAddress {
            services: self.services,
            last_seen: self.last_seen.unix(unix, now),
            last_try: last_try.ago(now).map_or(SteadySecond::NEVER, second_of_try).unix(unix, now),
            last_success: self.last_success.unix(unix, now),
            failures: u32::from(self.failures()),
            v1_only: self.has(V1_ONLY),
            ..saved
        }
    }

    /// The same while the wall clock may be wrong: with the dates as they came in, so that the next life loses nothing.
    pub(in crate::book) fn save_as_told(
        &self,
        saved: SavedAddress,
        claim: Claim,
        unix: UnixTime,
        now: Time,
    ) -> SavedAddress {
        let mut saved = self.save_to(saved, unix, now);
        let last_seen = match claim.first {
            Origin::Aged(_) => return saved,
            Origin::Told(told, _) => told.date(),
            Origin::Saved(dates) => {
                if self.dial() == Dial::None {
                    saved.last_try = dates.last_try;
                }
                if !dates.is_outdated {
                    saved.last_success = dates.last_success;
                }
                dates.last_seen
            }
        };
        // What no clock makes believable has been corrected for good.
        if last_seen >= FIRST_SENSIBLE {
            saved.last_seen = last_seen;
        }
        let told = claim.told.map(|told| told.last_seen);
        if let Some(told) = told.filter(|told| is_believable(told.last_seen, unix)) {
            saved.last_seen = saved.last_seen.max(told.date());
        }
        saved
    }
}
