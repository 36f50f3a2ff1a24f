//! Places in the tables: who gets one, who makes room, who moves.
//!
//! A source reaches few buckets, and a group one of those, so that nobody fills a table who has few groups. Within a
//! bucket every free position may be used: Core leaves it to chance whether two addresses meet, and then loses one, but
//! a small network may have all its addresses from one seed. Read first: `AddrManImpl` in Bitcoin Core.

use super::Book;
use super::buckets::{Buckets, Place};
use super::entry::Entry;
use super::key::{Key, ShortKey};
use super::marks::Marks;
use super::neighbours::Side;
use super::secret::{BUCKETS_OF_OWN, Hash};
use crate::config::BookRule;
use crate::mechanisms::rng::Rng;
use crate::types::{NewBuckets, SourceGroup, Time};

/// How many addresses compete when one must make room. The worst of 16 is among the worst 4 % in half of the cases.
const COMPETITORS: usize = 16;

/// An address that is about to be known.
pub(super) struct Newcomer {
    pub(super) key: Key,
    pub(super) hash: Hash,
    pub(super) group: Hash,
    pub(super) source: SourceGroup,
}

/// Room in the table of new addresses.
#[derive(Clone, Copy, Debug)]
enum Room {
    Free(Place),
    /// The address that is there gives way.
    Taken(Place),
}

impl Room {
    const fn place(self) -> Place {
        match self {
            Self::Free(place) | Self::Taken(place) => place,
        }
    }
}

impl Book {
    /// Makes an address known, as a new one. Returns its slot; `None` if there is no room for it.
    pub(super) fn settle_new(
        &mut self,
        newcomer: &Newcomer,
        entry: impl Fn(ShortKey) -> Entry,
        now: Time,
        rng: &mut Rng,
    ) -> Option<u32> {
        let (hash, group, source) = (newcomer.hash, newcomer.group, newcomer.source);
        let mut room = self.room_in_new(hash, group, source, false, now)?;
        let is_full = self.len() >= self.max_addresses;
        if is_full && !self.makes_room_itself(room) {
            // The worth of an address does not depend on how its key is stored.
            let worth = entry(newcomer.key.shortened(|_| 0)).worth(now);
            if !self.make_room(worth, now, rng) {
                return None;
            }
            room = self.room_in_new(hash, group, source, false, now)?;
        }
        if let Room::Taken(place) = room {
            self.displace_new(place);
        }
        let slot = self.insert(newcomer, entry);
        self.put_first(slot, Side::New, room.place());
        Some(slot)
    }

    /// Stores an entry, still without a place.
    pub(super) fn insert(&mut self, newcomer: &Newcomer, entry: impl FnOnce(ShortKey) -> Entry) -> u32 {
        let slot = self.store.insert(&newcomer.key, newcomer.hash, self.secret, entry);
        self.groups.join(&mut self.store, slot, newcomer.group);
        let source_hash = self.secret.of_source(newcomer.source);
        let number = self.sources.join(newcomer.source, source_hash, self.secret);
        let entry = self.store.entry_mut(slot);
        entry.set_source(number);
        entry.classify(self.services);
        self.known.add(self.marks_of(slot));
        slot
    }

    /// Whether room is made by an address that has no other place.
    fn makes_room_itself(&self, room: Room) -> bool {
        match room {
            Room::Free(_) => false,
            Room::Taken(place) => self.new.get(place).is_some_and(|slot| self.store.entry(slot).more_places() == 0),
        }
    }

    /// Removes the least worthy of a few addresses if a newcomer is worth more. Of those that are tried one goes only
    /// where all of these few are. Returns whether it did.
    fn make_room(&mut self, newcomer: super::entry::Worth, now: Time, rng: &mut Rng) -> bool {
        let slots = self.store.slot_count();
        let least = (0..COMPETITORS)
            .filter_map(|_| u32::try_from(rng.index(slots)).ok())
            .filter_map(|slot| self.store.get(slot).map(|entry| (slot, entry)))
            .filter(|(_, entry)| !entry.is_in_use(now))
            .map(|(slot, entry)| (entry.is_tried(), entry.worth(now), slot))
            .min_by_key(|(is_tried, worth, _)| (*is_tried, *worth));
        match least {
            Some((_, worth, slot)) if worth < newcomer => {
                self.remove(slot);
                true
            }
            Some(_) | None => false,
        }
    }

    /// The buckets for a new address by its source; the first is preferred.
    fn new_buckets(&self, address: Hash, group: Hash, source: SourceGroup) -> ([u16; BUCKETS_OF_OWN as usize], usize) {
        let mut buckets = [0; BUCKETS_OF_OWN as usize];
        if is_own(source) {
            (0..).zip(&mut buckets).for_each(|(nth, bucket)| *bucket = self.secret.own_bucket(address, nth));
            return (buckets, buckets.len());
        }
        let source = self.secret.of_source(source);
        buckets[0] = self.secret.new_bucket(address, group, source, self.without);
        (buckets, 1)
    }

    /// Room for an address that `source` announces; `has_places` if it has some already.
    fn room_in_new(
        &self,
        address: Hash,
        group: Hash,
        source: SourceGroup,
        has_places: bool,
        now: Time,
    ) -> Option<Room> {
        let place = match self.free_in_new(address, group, source) {
            Ok(free) => return Some(Room::Free(free)),
            Err(taken) => taken,
        };
        let incumbent = self.store.entry(self.new.get(place).expect("a full bucket has no free position"));
        let yields = self.without == Some(BookRule::Incumbents)
            || (incumbent.is_terrible(now) && !incumbent.is_in_use(now))
            || (incumbent.more_places() > 0 && !has_places);
        yields.then_some(Room::Taken(place))
    }

    /// A free place among the new addresses, or the one it would take from another.
    pub(super) fn free_in_new(&self, address: Hash, group: Hash, source: SourceGroup) -> Result<Place, Place> {
        let (buckets, count) = self.new_buckets(address, group, source);
        let start = |bucket| self.secret.position(Side::New as u64, bucket, address);
        let free = buckets[..count].iter().find_map(|bucket| self.new.free_from(*bucket, start(*bucket)));
        free.ok_or_else(|| Place::new(buckets[0], start(buckets[0])))
    }

    /// A known new address was announced by another source: it may get one more place, each half as likely as the one
    /// before.
    pub(super) fn add_place(&mut self, slot: u32, address: Hash, source: SourceGroup, now: Time, rng: &mut Rng) {
        let entry = self.store.entry(slot);
        let places = 1 + u32::from(entry.more_places());
        // What counts as its own source has said it before.
        let may = !entry.is_tried() && !is_own(source) && (places as usize) < NewBuckets::MAX;
        if !may || rng.below(1 << places) != 0 {
            return;
        }
        let group = self.groups.hash(entry.group());
        let ([bucket, ..], _) = self.new_buckets(address, group, source);
        if self.places(slot).any(|place| place.bucket() == bucket) {
            return;
        }
        let Some(room) = self.room_in_new(address, group, source, true, now) else { return };
        if let Room::Taken(place) = room {
            self.displace_new(place);
        }
        self.put_more(slot, room.place());
    }

    /// A connection was ready: a new address becomes a tried one, unless its bucket is full. Then it waits for a test of
    /// the address that has its place.
    pub(super) fn make_good(&mut self, slot: u32, now: Time) {
        let entry = self.store.entry(slot);
        if entry.is_tried() {
            return;
        }
        let address = self.secret.of_address(&self.store.key(slot));
        match self.room_in_tried(address, self.groups.hash(entry.group())) {
            Ok(place) => self.make_tried(slot, place),
            Err(place) if self.without == Some(BookRule::TestBeforeEvict) => self.replace_tried(place, slot),
            Err(place) => self.wait_for_test(slot, place, now),
        }
    }

    /// A free place for a tried address, or the one it would take from another.
    pub(super) fn room_in_tried(&self, address: Hash, group: Hash) -> Result<Place, Place> {
        let bucket = self.secret.tried_bucket(address, group);
        let start = self.secret.position(Side::Tried as u64, bucket, address);
        self.tried.free_from(bucket, start).ok_or_else(|| Place::new(bucket, start))
    }

    /// Moves a new address to a free place among the tried ones.
    pub(super) fn make_tried(&mut self, slot: u32, place: Place) {
        self.waiting.retain(|collision| collision.slot != slot);
        self.take_places(slot);
        self.put_first(slot, Side::Tried, place);
    }

    /// The address in a place among the tried ones becomes a new one again, and another takes its place.
    pub(super) fn replace_tried(&mut self, place: Place, slot: u32) {
        let incumbent = self.tried.get(place).expect("the place is occupied");
        self.take_places(incumbent);
        self.make_tried(slot, place);
        self.make_new_again(incumbent);
    }

    /// Gives an address that lost its place among the tried ones a place by its source. The address there goes, for this
    /// one was once ready.
    fn make_new_again(&mut self, slot: u32) {
        let entry = self.store.entry(slot);
        let address = self.secret.of_address(&self.store.key(slot));
        let (group, source) = (self.groups.hash(entry.group()), self.sources.get(entry.source()));
        let place = self.free_in_new(address, group, source).unwrap_or_else(|taken| {
            self.displace_new(taken);
            taken
        });
        self.put_first(slot, Side::New, place);
    }

    /// The address at a place in the table of new addresses loses it; without another place it is forgotten.
    fn displace_new(&mut self, place: Place) {
        let slot = self.new.get(place).expect("the place is occupied");
        if self.store.entry(slot).more_places() == 0 {
            self.remove(slot);
        } else {
            self.take_place(slot, place);
        }
    }

    /// Forgets the address in a slot.
    pub(super) fn remove(&mut self, slot: u32) {
        self.waiting.retain(|collision| collision.slot != slot);
        self.known.subtract(self.marks_of(slot));
        self.take_places(slot);
        self.sources.leave(self.store.entry(slot).source(), self.secret);
        self.groups.leave(&mut self.store, slot);
        self.store.remove(slot, self.secret);
    }

    /// Puts an address without a place where it is to be.
    pub(super) fn put_first(&mut self, slot: u32, side: Side, place: Place) {
        let marks = self.marks_of(slot);
        let entry = self.store.entry_mut(slot);
        entry.put(place, side == Side::Tried);
        self.groups.add_place(entry.group(), side);
        self.table_mut(side).put(place, slot, marks);
    }

    /// Puts a new address in one more place.
    pub(super) fn put_more(&mut self, slot: u32, place: Place) {
        let marks = self.marks_of(slot);
        let entry = self.store.entry_mut(slot);
        self.more_places.insert(more(slot, entry.more_places()), place);
        entry.set_more_places(entry.more_places() + 1);
        self.groups.add_place(entry.group(), Side::New);
        self.new.put(place, slot, marks);
    }

    /// Takes a new address away from one of its places; it keeps another.
    fn take_place(&mut self, slot: u32, place: Place) {
        let marks = self.marks_of(slot);
        let entry = self.store.entry_mut(slot);
        debug_assert!(!entry.is_tried() && entry.more_places() > 0, "it keeps another place");
        entry.set_more_places(entry.more_places() - 1);
        let last = self.more_places.remove(&more(slot, entry.more_places())).expect("each further place is kept");
        if entry.place == place {
            entry.place = last;
        } else if last != place {
            let found = (0..entry.more_places()).find(|nth| self.more_places[&more(slot, *nth)] == place);
            self.more_places.insert(more(slot, found.expect("it is in this place")), last);
        }
        self.groups.subtract_place(entry.group(), Side::New);
        self.new.take(place, marks);
    }

    /// Takes an address away from every place.
    fn take_places(&mut self, slot: u32) {
        let marks = self.marks_of(slot);
        let entry = self.store.entry_mut(slot);
        let (first, side, group) = (entry.place, side_of(entry), entry.group());
        for nth in 0..entry.more_places() {
            let place = self.more_places.remove(&more(slot, nth)).expect("each further place is kept");
            self.new.take(place, marks);
            self.groups.subtract_place(group, Side::New);
        }
        self.table_mut(side).take(first, marks);
        self.groups.subtract_place(group, side);
    }

    /// All places of an address, the first one first.
    pub(super) fn places(&self, slot: u32) -> impl Iterator<Item = Place> {
        let entry = self.store.entry(slot);
        let further = (0..entry.more_places()).map(move |nth| self.more_places[&more(slot, nth)]);
        core::iter::once(entry.place).chain(further)
    }

    /// Changes an entry, and what it is to choices.
    pub(super) fn change(&mut self, slot: u32, change: impl FnOnce(&mut Entry)) {
        let services = self.services;
        let entry = self.store.entry_mut(slot);
        let before = entry.marks();
        change(entry);
        entry.classify(services);
        let after = entry.marks();
        if before == after {
            return;
        }
        self.known.subtract(before);
        self.known.add(after);
        let entry = self.store.entry(slot);
        let (first, side) = (entry.place, side_of(entry));
        for nth in 0..entry.more_places() {
            let place = self.more_places[&more(slot, nth)];
            self.new.remark(place, before, after);
        }
        self.table_mut(side).remark(first, before, after);
    }

    /// What an address is to choices.
    pub(super) fn marks_of(&self, slot: u32) -> Marks {
        self.store.entry(slot).marks()
    }

    pub(super) const fn table(&self, side: Side) -> &Buckets {
        match side {
            Side::New => &self.new,
            Side::Tried => &self.tried,
        }
    }

    const fn table_mut(&mut self, side: Side) -> &mut Buckets {
        match side {
            Side::New => &mut self.new,
            Side::Tried => &mut self.tried,
        }
    }
}

/// The table in which an address is.
pub(super) const fn side_of(entry: &Entry) -> Side {
    if entry.is_tried() { Side::Tried } else { Side::New }
}

/// Whether each address of a source counts as a source of its own. The application is trusted, and what is on file
/// without a source was known before: neither is limited.
pub(super) fn is_own(source: SourceGroup) -> bool {
    source == SourceGroup::APPLICATION || source == SourceGroup::UNKNOWN
}

/// The key of the `nth` further place of an address, of which there are at most seven.
pub(super) fn more(slot: u32, nth: u8) -> u32 {
    slot << NTH_BITS | u32::from(nth)
}

/// What the key of a further place says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Further {
    pub(super) slot: u32,
    pub(super) nth: u8,
}

impl Further {
    pub(super) fn of(key: u32) -> Self {
        let nth = u8::try_from(key & ((1 << NTH_BITS) - 1)).expect("three bits");
        Self { slot: key >> NTH_BITS, nth }
    }
}

const NTH_BITS: u32 = 3;
