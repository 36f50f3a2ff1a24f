//! What the book keeps on disk, and what the wall clock has to do with it.

use alloc::vec::Vec;

use super::Book;
use super::buckets::Place;
use super::claims::{Claims, Origin, SavedDates};
use super::entry::Entry;
use super::key::{Key, ShortKey};
use super::neighbours::Side;
use super::place::{Newcomer, is_own};
use super::secret::{BUCKETS_OF_OWN, NEW_BUCKETS, Secret};
use crate::mechanisms::groups::Groups;
use crate::types::{
    BookCursor, BookSecret, NewBuckets, PeerAddress, Placement, SavedAddress, Services, Time, UnixTime,
};

impl Book {
    /// The secret of the tables.
    pub(crate) fn secret(&self) -> BookSecret {
        self.secret.saved()
    }

    /// Adds saved addresses, as far as there is room; where there are too many, first those that were ready before. Of
    /// duplicates and known addresses the first stays. Implausible values are corrected.
    ///
    /// With the `secret` of the life that saved them, they are put where they were, as far as their groups and sources
    /// still lead there. The others get a place anew. Those that were ready before are tried.
    pub(crate) fn restore(
        &mut self,
        saved: &[SavedAddress],
        secret: Option<BookSecret>,
        groups: &Groups,
        unix: UnixTime,
        now: Time,
    ) {
        if let Some(secret) = secret.filter(|_| self.is_empty()) {
            self.secret = Secret::restored(secret);
        }
        let are_too_many = saved.len() > self.max_addresses;
        let comes_first = |saved: &&SavedAddress| !are_too_many || was_ready(saved);
        for address in saved.iter().filter(comes_first).chain(saved.iter().filter(|saved| !comes_first(saved))) {
            if self.len() >= self.max_addresses {
                return;
            }
            self.restore_one(address, secret.is_some(), groups, unix, now);
        }
    }

    /// Restores an address. Its buckets say something only if the secret `is_known`.
    fn restore_one(&mut self, saved: &SavedAddress, is_known: bool, groups: &Groups, unix: UnixTime, now: Time) {
        let (Some(key), Some(group)) = (Key::of(&saved.address), groups.of(saved.address.host())) else { return };
        let hash = self.secret.of_address(&key);
        if self.store.find(&key, hash).is_some() {
            return;
        }
        let newcomer = Newcomer { key, hash, group: self.secret.of_group(group), source: saved.source };
        let is_tried = was_ready(saved) && !matches!(saved.placement, Placement::New(_));
        let entry = |key| Entry::restored(key, saved, unix, now);
        let slot = match (self.room_in_tried(hash, newcomer.group), self.kept_buckets(saved, &newcomer, is_known)) {
            (Ok(place), _) if is_tried => {
                let slot = self.insert(&newcomer, entry);
                self.put_first(slot, Side::Tried, place);
                Some(slot)
            }
            (Ok(_) | Err(_), Some(buckets)) => self.settle_again(&newcomer, &buckets, entry),
            (Ok(_) | Err(_), None) => self.settle_restored(&newcomer, entry),
        };
        if let (Some(slot), Some(claims)) = (slot, &mut self.claims) {
            claims.begin(slot, Origin::Saved(SavedDates::of(saved)));
        }
    }

    /// The buckets in which a new address was, if the first of them is one to which its source and group lead.
    fn kept_buckets(&self, saved: &SavedAddress, newcomer: &Newcomer, is_known: bool) -> Option<NewBuckets> {
        let Placement::New(buckets) = saved.placement else { return None };
        let first = *buckets.as_slice().first().filter(|_| is_known)?;
        let leads_there = if is_own(saved.source) {
            (0..BUCKETS_OF_OWN).any(|nth| self.secret.own_bucket(newcomer.hash, nth) == first)
        } else {
            let source = self.secret.of_source(saved.source);
            self.secret.new_bucket(newcomer.hash, newcomer.group, source, self.without) == first
        };
        leads_there.then_some(buckets)
    }

    /// Puts an address back into its buckets, as far as they have room.
    fn settle_again(
        &mut self,
        newcomer: &Newcomer,
        buckets: &NewBuckets,
        entry: impl FnOnce(ShortKey) -> Entry,
    ) -> Option<u32> {
        let mut slot = None;
        let mut entry = Some(entry);
        for bucket in buckets.as_slice().iter().filter(|bucket| **bucket < NEW_BUCKETS) {
            let start = self.secret.position(Side::New as u64, *bucket, newcomer.hash);
            let Some(place) = self.new.free_from(*bucket, start) else { continue };
            match (slot, entry.take()) {
                (None, Some(entry)) => {
                    let new = self.insert(newcomer, entry);
                    self.put_first(new, Side::New, place);
                    slot = Some(new);
                }
                (Some(slot), _) if self.places(slot).all(|other| other.bucket() != *bucket) => {
                    self.put_more(slot, place);
                }
                (Some(_) | None, _) => {}
            }
        }
        slot
    }

    /// Puts an address where its source and group lead, if there is room.
    fn settle_restored(&mut self, newcomer: &Newcomer, entry: impl Fn(ShortKey) -> Entry) -> Option<u32> {
        let place = self.free_in_new(newcomer.hash, newcomer.group, newcomer.source).ok()?;
        let slot = self.insert(newcomer, entry);
        self.put_first(slot, Side::New, place);
        Some(slot)
    }

    /// The wall clock may be wrong: from now on, dates that come in are kept as they are. Call it at birth, before
    /// anything is known.
    pub(crate) fn doubt_dates(&mut self) {
        debug_assert!(self.is_empty(), "the dates of what is known are lost");
        self.claims = Some(Claims::new());
    }

    /// The doubtful wall clock was set: at any time since `born` it would have shown `unix_at`. Ages of dates that came
    /// in are computed anew. Takes time proportional to the book; does nothing if the clock was in no doubt.
    pub(crate) fn judge_anew(&mut self, born: Time, unix_at: impl Fn(Time) -> UnixTime) {
        let Some(claims) = self.claims.take() else { return };
        for slot in (0..self.store.slot_count()).filter_map(|slot| u32::try_from(slot).ok()) {
            if let (true, Some(claim)) = (self.store.get(slot).is_some(), claims.of(slot)) {
                self.change(slot, |entry| entry.judge_anew(claim, born, &unix_at));
            }
        }
        self.claims = Some(claims);
    }

    /// The wall clock is in no doubt any more: from now on, ages stay whatever it shows.
    pub(crate) fn trust_dates(&mut self) {
        self.claims = None;
    }

    /// What is worth saving in the next `most` slots, at least 1, and where to go on; by a wall clock that shows `unix`
    /// at `now`; if `as_told`, with the dates that came in by a doubtful clock as they were.
    pub(crate) fn save(
        &self,
        from: BookCursor,
        most: usize,
        as_told: bool,
        unix: UnixTime,
        now: Time,
    ) -> (Vec<SavedAddress>, Option<BookCursor>) {
        let claims = self.claims.as_ref().filter(|_| as_told);
        let save = |(slot, entry): (u32, &Entry)| {
            let blank = self.saved_place(slot, entry, self.store.address(entry));
            match claims.and_then(|claims| claims.of(slot)) {
                Some(claim) => entry.save_as_told(blank, claim, unix, now),
                None => entry.save_to(blank, unix, now),
            }
        };
        let slots = u32::try_from(self.store.slot_count()).expect("a book has at most 81 920 addresses");
        let most = u32::try_from(most.max(1)).unwrap_or(u32::MAX);
        let end = from.0.saturating_add(most).min(slots);
        let saved = self.store.slots_in(from.0..end).map(save).collect();
        (saved, (end < slots).then_some(BookCursor(end)))
    }

    /// An address with its source and place, and nothing else yet.
    fn saved_place(&self, slot: u32, entry: &Entry, address: PeerAddress) -> SavedAddress {
        let placement = if entry.is_tried() {
            Placement::Tried
        } else {
            Placement::New(self.places(slot).map(Place::bucket).collect())
        };
        SavedAddress {
            address,
            services: Services::NONE,
            last_seen: UnixTime::default(),
            last_try: UnixTime::default(),
            last_success: UnixTime::default(),
            failures: 0,
            v1_only: false,
            source: self.sources.get(entry.source()),
            placement,
        }
    }
}

/// Whether a connection to a saved address was ever ready.
fn was_ready(saved: &SavedAddress) -> bool {
    saved.last_success != UnixTime::default()
}
