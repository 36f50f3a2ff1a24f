//! Dates as they came in, for as long as the wall clock may be wrong.
//!
//! The book keeps ages, and by a wrong clock they are wrong. So the dates are kept beside it, by slot, until the clock
//! is right, and every age that this life has not earned itself is computed anew whenever the clock is set. It does not
//! know when a clock is right.

use alloc::collections::BTreeMap;

use crate::mechanisms::pages::Pages;
use crate::types::{SavedAddress, Services, SteadySecond, Time, UnixTime};

/// What was said of the addresses, by slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    first: Pages<ShortOrigin>,
    /// Those that have no short form.
    long: BTreeMap<u32, Origin>,
    /// What was said of known addresses with a date: the latest, and all services.
    told: BTreeMap<u32, ShortReport>,
    /// Those that have no short form.
    long_told: BTreeMap<u32, Report<Told>>,
    /// What was said of known addresses with an age, as by seeds: the latest, and all services.
    aged: BTreeMap<u32, Report<SteadySecond>>,
}

/// What was said of one address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) first: Origin,
    pub(super) told: Option<Report<Told>>,
    pub(super) aged: Option<Report<SteadySecond>>,
}

/// Where the last-seen of an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is an age, as that of a seed's answer: it never depends on the wall clock.
    Aged(SteadySecond),
    /// It was reported at this time.
    Told(Told, Time),
    /// The address was restored.
    Saved(SavedDates),
}

/// An origin in 16 bytes, as nearly all fit in: with dates up to the year 2106, and the services in use today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShortOrigin {
    Aged(SteadySecond),
    /// The halves of the time, the upper one first: a whole one would take 24 bytes.
    Told {
        last_seen: u32,
        is_hearsay: bool,
        at: [u32; 2],
    },
    Saved {
        services: u16,
        last_seen: u32,
        last_try: u32,
        last_success: u32,
        is_outdated: bool,
    },
    Long,
}

impl ShortOrigin {
    fn of(origin: &Origin) -> Self {
        let date = |date: UnixTime| u32::try_from(date.as_secs()).ok();
        let short = match origin {
            Origin::Aged(last_seen) => Some(Self::Aged(*last_seen)),
            Origin::Told(Told { last_seen, is_hearsay }, at) => date(*last_seen).map(|last_seen| Self::Told {
                last_seen,
                is_hearsay: *is_hearsay,
                at: halves(at.as_nanos()),
            }),
            Origin::Saved(saved) => Self::of_saved(saved),
        };
        short.unwrap_or(Self::Long)
    }

    fn of_saved(saved: &SavedDates) -> Option<Self> {
        let date = |date: UnixTime| u32::try_from(date.as_secs()).ok();
        Some(Self::Saved {
            services: u16::try_from(saved.services.bits()).ok()?,
            last_seen: date(saved.last_seen)?,
            last_try: date(saved.last_try)?,
            last_success: date(saved.last_success)?,
            is_outdated: saved.is_outdated,
        })
    }

    /// The whole origin; `None` if it has no short form.
    fn whole(self) -> Option<Origin> {
        let date = |date: u32| UnixTime::from_secs(date.into());
        match self {
            Self::Aged(last_seen) => Some(Origin::Aged(last_seen)),
            Self::Told { last_seen, is_hearsay, at } => {
                Some(Origin::Told(Told { last_seen: date(last_seen), is_hearsay }, time_of(at)))
            }
            Self::Saved { services, last_seen, last_try, last_success, is_outdated } => {
                Some(Origin::Saved(SavedDates {
                    services: Services::from_bits(services.into()),
                    last_seen: date(last_seen),
                    last_try: date(last_try),
                    last_success: date(last_success),
                    is_outdated,
                }))
            }
            Self::Long => None,
        }
    }
}

/// A report with a date in 16 bytes, as [`ShortOrigin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ShortReport {
    services: u16,
    is_hearsay: bool,
    last_seen: u32,
    at: [u32; 2],
}

impl ShortReport {
    /// The short form of a report, if it has one.
    fn of(report: &Report<Told>) -> Option<Self> {
        Some(Self {
            services: u16::try_from(report.services.bits()).ok()?,
            is_hearsay: report.last_seen.is_hearsay,
            last_seen: u32::try_from(report.last_seen.last_seen.as_secs()).ok()?,
            at: halves(report.at.as_nanos()),
        })
    }

    fn whole(self) -> Report<Told> {
        let last_seen = UnixTime::from_secs(self.last_seen.into());
        Report {
            last_seen: Told { last_seen, is_hearsay: self.is_hearsay },
            at: time_of(self.at),
            services: Services::from_bits(self.services.into()),
        }
    }
}

/// The time of these halves of its nanoseconds.
fn time_of([upper, lower]: [u32; 2]) -> Time {
    Time::from_nanos(u64::from(upper) << 32 | u64::from(lower))
}

/// The halves of a number, the upper one first.
fn halves(number: u64) -> [u32; 2] {
    [number >> 32, number & u64::from(u32::MAX)].map(|half| u32::try_from(half).expect("32 bits"))
}

/// A last-seen that was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) last_seen: UnixTime,
    /// A peer said it of another address.
    pub(super) is_hearsay: bool,
}

/// A report about a known address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report<S> {
    pub(super) last_seen: S,
    pub(super) at: Time,
    pub(super) services: Services,
}

impl<S: Copy> Report<S> {
    /// This and an earlier report as one: all services, and the last-seen of the earlier one unless it is older.
    fn after(self, before: Option<Self>, is_older: impl FnOnce(S, S) -> bool) -> Self {
        let Some(before) = before else { return self };
        let latest = if is_older(before.last_seen, self.last_seen) { self } else { before };
        Self { services: before.services | self.services, ..latest }
    }
}

/// What a file says of an address, as far as its meaning depends on the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SavedDates {
    pub(super) services: Services,
    pub(super) last_seen: UnixTime,
    pub(super) last_try: UnixTime,
    pub(super) last_success: UnixTime,
    /// A connection was ready in this life, which outdates the success and the services of the file.
    pub(super) is_outdated: bool,
}

impl SavedDates {
    pub(super) const fn of(saved: &SavedAddress) -> Self {
        let SavedAddress { services, last_seen, last_try, last_success, .. } = *saved;
        Self { services, last_seen, last_try, last_success, is_outdated: false }
    }
}

impl Claims {
    /// Nothing was said yet; allocates nothing.
    pub(super) const fn new() -> Self {
        Self {
            first: Pages::new(),
            long: BTreeMap::new(),
            told: BTreeMap::new(),
            long_told: BTreeMap::new(),
            aged: BTreeMap::new(),
        }
    }

    /// The address in a slot is new.
    pub(super) fn begin(&mut self, slot: u32, origin: Origin) {
        self.told.remove(&slot);
        self.long_told.remove(&slot);
        self.aged.remove(&slot);
        // The store fills its slots in order, so this adds one at most.
        while slot as usize >= self.first.len() {
            self.first.push(ShortOrigin::Long);
        }
        self.set_first(slot, origin);
    }

    fn set_first(&mut self, slot: u32, origin: Origin) {
        let short = ShortOrigin::of(&origin);
        self.first[slot as usize] = short;
        match short {
            ShortOrigin::Long => _ = self.long.insert(slot, origin),
            ShortOrigin::Aged(_) | ShortOrigin::Told { .. } | ShortOrigin::Saved { .. } => _ = self.long.remove(&slot),
        }
    }

    fn first(&self, slot: u32) -> Option<Origin> {
        self.first.get(slot as usize)?.whole().or_else(|| self.long.get(&slot).copied())
    }

    /// A known address was reported, with a date.
    pub(super) fn report(&mut self, slot: u32, report: Report<Told>) {
        let report = report.after(self.told(slot), |before, after| before.date() < after.date());
        if let Some(short) = ShortReport::of(&report) {
            self.told.insert(slot, short);
            self.long_told.remove(&slot);
        } else {
            self.told.remove(&slot);
            self.long_told.insert(slot, report);
        }
    }

    fn told(&self, slot: u32) -> Option<Report<Told>> {
        let short = self.told.get(&slot).map(|short| short.whole());
        short.or_else(|| self.long_told.get(&slot).copied())
    }

    /// A known address was reported, with an age.
    pub(super) fn report_aged(&mut self, slot: u32, report: Report<SteadySecond>) {
        let before = self.aged.get(&slot).copied();
        self.aged.insert(slot, report.after(before, |before, after| before < after));
    }

    /// A connection to the address got ready.
    pub(super) fn succeed(&mut self, slot: u32) {
        if let Some(Origin::Saved(saved)) = self.first(slot) {
            self.set_first(slot, Origin::Saved(SavedDates { is_outdated: true, ..saved }));
        }
    }

    /// What was said of the address in a slot.
    pub(super) fn of(&self, slot: u32) -> Option<Claim> {
        Some(Claim { first: self.first(slot)?, told: self.told(slot), aged: self.aged.get(&slot).copied() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest values that are stored as 16 bytes, the shortest that are not, and those that a file or a peer may
    /// well contain.
    #[test]
    fn every_origin_is_kept_as_it_was() {
        let dates = [0, 1_767_225_600, u64::from(u32::MAX), u64::from(u32::MAX) + 1, u64::MAX].map(UnixTime::from_secs);
        let times = [Time::ZERO, Time::from_nanos(0x1_2345_6789), Time::MAX];
        let services = [0, 1033, u64::from(u16::MAX), 1 << 16, u64::MAX].map(Services::from_bits);
        let mut all = alloc::vec![Origin::Aged(SteadySecond::NEVER), Origin::Aged(SteadySecond::at(Time::ZERO))];
        for last_seen in dates {
            let told = [true, false].map(|is_hearsay| Told { last_seen, is_hearsay });
            all.extend(told.into_iter().flat_map(|told| times.map(|at| Origin::Told(told, at))));
            for services in services {
                let saved =
                    SavedDates { services, last_seen, last_try: dates[0], last_success: dates[1], is_outdated: false };
                let (last_try, last_success) = (last_seen, last_seen);
                all.extend(
                    [saved, SavedDates { last_try, ..saved }, SavedDates { last_success, ..saved }].map(Origin::Saved),
                );
            }
        }
        let mut claims = Claims::new();
        // Twice: a slot is used again, by a short origin and by a long one.
        for origin in all.iter().chain(all.iter().rev()) {
            claims.begin(0, *origin);
            assert_eq!(claims.of(0).map(|claim| claim.first), Some(*origin));
            claims.succeed(0);
            let outdated = match *origin {
                Origin::Saved(saved) => Origin::Saved(SavedDates { is_outdated: true, ..saved }),
                Origin::Aged(_) | Origin::Told(..) => *origin,
            };
            assert_eq!(claims.of(0).map(|claim| claim.first), Some(outdated));
        }
        assert_eq!(size_of::<ShortOrigin>(), 16);
    }

    #[test]
    fn every_report_is_kept_as_it_was() {
        let [known, long] = [1033, 1 << 16].map(Services::from_bits);
        let mut claims = Claims::new();
        let mut date = 1_767_225_600;
        for (services, at) in [(known, Time::MAX), (long, Time::ZERO), (known, Time::from_secs(1))] {
            for (jump, is_hearsay) in [(7_200, true), (1, false), (1 << 32, true)] {
                date += jump;
                claims.begin(0, Origin::Aged(SteadySecond::NEVER));
                let told = |date| Told { last_seen: UnixTime::from_secs(date), is_hearsay };
                let report = Report { last_seen: told(date), at, services };
                claims.report(0, report);
                assert_eq!(claims.of(0).and_then(|claim| claim.told), Some(report));
                // A later one takes its place, with the services of both.
                let later = Report { last_seen: told(u64::MAX), services: known, at };
                claims.report(0, later);
                let both = Report { services: services | known, ..later };
                assert_eq!(claims.of(0).and_then(|claim| claim.told), Some(both));
            }
        }
        assert_eq!(size_of::<ShortReport>(), 16);
    }
}
