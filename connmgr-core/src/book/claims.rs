//! Dates as they came in, for as long as the wall clock may be wrong.
//!
//! The book keeps ages, and by a wrong clock they are wrong. So the dates are kept beside it, by slot, until the clock
//! is right, and every age that this life has not earned itself is computed anew whenever the clock is set. It does not
//! know when a clock is right.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::types::{SavedAddress, Services, SteadySecond, Time, UnixTime};

/// What was said of the addresses, by slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    first: Vec<Origin>,
    /// What was said of known addresses with a date: the latest, and all services.
    told: BTreeMap<u32, Report<Told>>,
    /// What was said of known addresses with an age, as by seeds: the latest, and all services.
    aged: BTreeMap<u32, Report<SteadySecond>>,
}

/// What was said of one address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub(super) first: &'a Origin,
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
        Self { first: Vec::new(), told: BTreeMap::new(), aged: BTreeMap::new() }
    }

    /// So many addresses are about to be restored.
    pub(super) fn expect(&mut self, addresses: usize) {
        self.first.reserve(addresses);
    }

    /// The address in a slot is new.
    pub(super) fn begin(&mut self, slot: u32, origin: Origin) {
        self.told.remove(&slot);
        self.aged.remove(&slot);
        let slot = slot as usize;
        if slot >= self.first.len() {
            // The store fills its slots in order, so this adds one.
            self.first.resize(slot + 1, origin);
        }
        self.first[slot] = origin;
    }

    /// A known address was reported, with a date.
    pub(super) fn report(&mut self, slot: u32, report: Report<Told>) {
        let before = self.told.get(&slot).copied();
        self.told.insert(slot, report.after(before, |before, after| before.date() < after.date()));
    }

    /// A known address was reported, with an age.
    pub(super) fn report_aged(&mut self, slot: u32, report: Report<SteadySecond>) {
        let before = self.aged.get(&slot).copied();
        self.aged.insert(slot, report.after(before, |before, after| before < after));
    }

    /// A connection to the address got ready.
    pub(super) fn succeed(&mut self, slot: u32) {
        if let Some(Origin::Saved(saved)) = self.first.get_mut(slot as usize) {
            saved.is_outdated = true;
        }
    }

    /// What was said of the address in a slot.
    pub(super) fn of(&self, slot: u32) -> Option<Claim<'_>> {
        let first = self.first.get(slot as usize)?;
        Some(Claim { first, told: self.told.get(&slot).copied(), aged: self.aged.get(&slot).copied() })
    }
}
