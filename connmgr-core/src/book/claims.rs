//! Dates as they came in, for as long as the wall clock may be wrong.
//!
//! The book keeps ages, and by a wrong clock they are wrong. So the dates are kept beside it, by slot, until the clock
//! is right, and every age that this life has not earned itself is computed anew whenever the clock is set. It does not
//! know when a clock is right.

use alloc::vec::Vec;

use crate::types::{SavedAddress, Services, Time, UnixTime};

/// What was said of the addresses, by slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    list: Vec<Claim>,
}

/// What was said of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) first: Origin,
    /// What was said later, if anything: the latest date, and all services.
    pub(super) later: Option<Report>,
}

/// Where the last-seen of an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is an age by itself, as that of a seed's answer: there is nothing to compute anew.
    Aged,
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
pub(super) struct Report {
    pub(super) told: Told,
    pub(super) at: Time,
    pub(super) services: Services,
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
        Self { list: Vec::new() }
    }

    /// The address in a slot is new.
    pub(super) fn begin(&mut self, slot: u32, first: Origin) {
        let slot = slot as usize;
        if slot >= self.list.len() {
            self.list.resize(slot + 1, Claim { first: Origin::Aged, later: None });
        }
        self.list[slot] = Claim { first, later: None };
    }

    /// A known address was reported.
    pub(super) fn report(&mut self, slot: u32, report: Report) {
        let Some(claim) = self.list.get_mut(slot as usize) else { return };
        claim.later = Some(claim.later.map_or(report, |before| {
            let latest = if before.told.last_seen < report.told.last_seen { report } else { before };
            Report { services: before.services | report.services, ..latest }
        }));
    }

    /// A connection to the address got ready.
    pub(super) fn succeed(&mut self, slot: u32) {
        if let Some(Claim { first: Origin::Saved(saved), .. }) = self.list.get_mut(slot as usize) {
            saved.is_outdated = true;
        }
    }

    /// What was said of the address in a slot.
    pub(super) fn of(&self, slot: u32) -> Option<&Claim> {
        self.list.get(slot as usize)
    }
}
