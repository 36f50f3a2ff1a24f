//! Bitcoin Core's address book, as published: which addresses it keeps, where, and which it chooses.
//!
//! Addresses that others announce are in the table of new addresses: a source group reaches 64 of its 1024 buckets, and
//! one address group of a source group a single one. An address has at most eight places there. Addresses to which a
//! connection was ready are in the table of tried ones, where an address group reaches 8 of 256 buckets. Bucket and
//! position follow from a secret, so a place is free or taken, and what holds it yields only by the rules below.
//! Written after reading `addrman.cpp` of 2021 to 2025; it is not that program. Groups are those of public IPv4 and of
//! the overlay networks; there is no table of autonomous systems.

mod entry;
mod grid;
mod select;

use std::collections::BTreeSet;
use std::time::Duration;

use connmgr_core::{AddressInfo, PeerAddress, SourceGroup, UnixTime};
use rustc_hash::FxHashMap;

use crate::types::{Dice, DrawPurpose};
use entry::CoreEntry;
use grid::{Keys, Place, SlotGrid};

/// Places of one address in the table of new addresses.
const MAX_PLACES: u32 = 8;
/// Newcomers that wait for a test of who holds their place in the table of tried addresses.
const MAX_COLLISIONS: usize = 10;
/// Who was ready within this time keeps its place; who was dialed within it and was not has failed the test.
const TEST_COUNTS_FOR: Duration = Duration::from_secs(4 * 3600);
/// A test takes at most this long.
const TEST_TAKES: Duration = Duration::from_secs(60);
/// Who could not be tested for this long gives its place up.
const UNTESTED_FOR: Duration = Duration::from_secs(40 * 60);
/// What is seen within a day is online: its time is renewed when it is this much newer.
const RENEWED_AFTER: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A model of Bitcoin Core's address book.
#[derive(Clone, Debug)]
pub struct CoreBook {
    keys: Keys,
    dice: Dice,
    entries: Vec<CoreEntry>,
    /// Numbers of entries that are gone.
    free: Vec<u32>,
    by_address: FxHashMap<PeerAddress, u32>,
    new: SlotGrid,
    tried: SlotGrid,
    /// Numbers of new addresses that wait for a place among the tried ones.
    collisions: BTreeSet<u32>,
    len_tried: usize,
    /// When a connection was last ready. Failures count once after it, for they may be ours.
    last_good: UnixTime,
}

impl CoreBook {
    /// An empty book. The seed is its secret, and that of its choices.
    pub fn new(seed: u64) -> Self {
        Self {
            keys: Keys::new(seed),
            dice: Dice::new(seed, DrawPurpose::Placement, 1),
            entries: Vec::new(),
            free: Vec::new(),
            by_address: FxHashMap::default(),
            new: SlotGrid::of_new(),
            tried: SlotGrid::of_tried(),
            collisions: BTreeSet::new(),
            len_tried: 0,
            // One second after the epoch: a failure before any success counts once.
            last_good: UnixTime::from_secs(1),
        }
    }

    /// The same book with other chances from now on: another life.
    #[must_use]
    pub fn reborn(&self, seed: u64) -> Self {
        Self { dice: Dice::new(seed, DrawPurpose::Placement, 2), collisions: BTreeSet::new(), ..self.clone() }
    }

    /// Number of addresses.
    pub fn len(&self) -> usize {
        self.by_address.len()
    }

    /// Whether no address is known.
    pub fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    /// Number of addresses to which a connection was ready.
    pub const fn len_tried(&self) -> usize {
        self.len_tried
    }

    /// The addresses in the table of new addresses, one for each place.
    pub fn new_places(&self) -> impl Iterator<Item = &PeerAddress> {
        self.new.taken().map(|number| &self.entry(number).address)
    }

    /// The addresses in the table of tried ones.
    pub fn tried_places(&self) -> impl Iterator<Item = &PeerAddress> {
        self.tried.taken().map(|number| &self.entry(number).address)
    }

    /// A node of `source` announced an address; `penalty`: how much older it counts, as hearsay does by two hours.
    /// Returns whether it got a place.
    pub fn hear(&mut self, info: &AddressInfo, source: SourceGroup, penalty: Duration, now: UnixTime) -> bool {
        let number = match self.by_address.get(&info.address).copied() {
            Some(number) if self.renew(number, info, penalty, now) => number,
            Some(_) => return false,
            None => self.create(info, source, penalty),
        };
        let place = self.keys.new_place(&self.entry(number).address, source);
        let holder = self.new.at(place);
        if holder == Some(number) {
            return false;
        }
        let may = holder.is_none_or(|holder| self.yields(holder, number, now));
        if may {
            self.clear_new(place);
            self.entry_mut(number).places += 1;
            self.new.put(place, number);
        } else if self.entry(number).places == 0 {
            self.delete(number);
        }
        may
    }

    /// A known address was announced: it may be newer. Whether it may get one more place: every place makes the next
    /// half as likely.
    fn renew(&mut self, number: u32, info: &AddressInfo, penalty: Duration, now: UnixTime) -> bool {
        let entry = &mut self.entries[number as usize];
        let step = if now.since(info.last_seen) < DAY { RENEWED_AFTER } else { DAY };
        if entry.last_seen < info.last_seen.before(step).before(penalty) {
            entry.last_seen = info.last_seen.before(penalty);
        }
        if info.last_seen <= entry.last_seen || entry.is_tried || entry.places == MAX_PLACES {
            return false;
        }
        let places = entry.places;
        self.dice.below(1 << places) == 0
    }

    /// Who holds a place among the new yields it if it is terrible, or if it has others and the newcomer has none.
    fn yields(&self, holder: u32, newcomer: u32, now: UnixTime) -> bool {
        let holder = self.entry(holder);
        holder.is_terrible(now) || (holder.places > 1 && self.entry(newcomer).places == 0)
    }

    /// A dial began. `counts`: its failure would be the address's.
    pub fn attempt(&mut self, address: &PeerAddress, counts: bool, now: UnixTime) {
        let last_good = self.last_good;
        let Some(number) = self.by_address.get(address) else { return };
        let entry = &mut self.entries[*number as usize];
        entry.last_try = now;
        if counts && entry.last_counted < last_good {
            entry.last_counted = now;
            entry.failures += 1;
        }
    }

    /// A connection is ready: the address is tried from now on, unless another has its place. Then that one is tested
    /// first, if few others wait.
    pub fn succeed(&mut self, address: &PeerAddress, now: UnixTime) {
        self.last_good = now;
        let Some(number) = self.by_address.get(address).copied() else { return };
        let entry = self.entry_mut(number);
        (entry.last_success, entry.last_try, entry.failures) = (now, now, 0);
        if entry.is_tried {
            return;
        }
        if self.tried.at(self.tried_place(number)).is_none() {
            self.make_tried(number);
        } else if self.collisions.len() < MAX_COLLISIONS {
            self.collisions.insert(number);
        }
    }

    /// Ends the tests that are over.
    pub fn resolve_collisions(&mut self, now: UnixTime) {
        for newcomer in self.collisions.clone() {
            let Some(holder) = self.tried.at(self.tried_place(newcomer)) else {
                self.end_collision(newcomer, true);
                continue;
            };
            let (holder, waiting) = (self.entry(holder), self.entry(newcomer));
            let was_dialed = now.since(holder.last_try);
            if now.since(holder.last_success) < TEST_COUNTS_FOR {
                self.end_collision(newcomer, false);
            } else if was_dialed < TEST_COUNTS_FOR {
                if was_dialed > TEST_TAKES {
                    self.end_collision(newcomer, true);
                }
            } else if now.since(waiting.last_success) > UNTESTED_FOR {
                self.end_collision(newcomer, true);
            }
        }
    }

    fn end_collision(&mut self, newcomer: u32, replaces: bool) {
        self.collisions.remove(&newcomer);
        if replaces {
            self.make_tried(newcomer);
        }
    }

    /// From new to tried. Who has the place goes back to the new ones, to where its first source has it.
    fn make_tried(&mut self, number: u32) {
        for bucket in 0..self.new.buckets() {
            if self.entry(number).places == 0 {
                break;
            }
            let place = self.keys.position_in_new(bucket, &self.entry(number).address);
            if self.new.at(place) == Some(number) {
                self.new.free(place);
                self.entry_mut(number).places -= 1;
            }
        }
        let place = self.tried_place(number);
        if let Some(loser) = self.tried.at(place) {
            self.tried.free(place);
            self.len_tried -= 1;
            let back = self.keys.new_place(&self.entry(loser).address, self.entry(loser).source);
            self.clear_new(back);
            let loser_entry = self.entry_mut(loser);
            (loser_entry.is_tried, loser_entry.places) = (false, 1);
            self.new.put(back, loser);
        }
        self.tried.put(place, number);
        self.entry_mut(number).is_tried = true;
        self.len_tried += 1;
    }

    fn tried_place(&self, number: u32) -> Place {
        self.keys.tried_place(&self.entry(number).address)
    }

    fn clear_new(&mut self, place: Place) {
        let Some(number) = self.new.at(place) else { return };
        self.new.free(place);
        let entry = self.entry_mut(number);
        entry.places -= 1;
        if entry.places == 0 {
            self.delete(number);
        }
    }

    fn create(&mut self, info: &AddressInfo, source: SourceGroup, penalty: Duration) -> u32 {
        let entry = CoreEntry::new(info, source, penalty);
        let number = self.free.pop().unwrap_or_else(|| {
            self.entries.push(entry.clone());
            u32::try_from(self.entries.len() - 1).expect("the tables have 81 920 places")
        });
        self.entries[number as usize] = entry;
        self.by_address.insert(info.address.clone(), number);
        number
    }

    fn delete(&mut self, number: u32) {
        let address = self.entry(number).address.clone();
        self.by_address.remove(&address);
        self.collisions.remove(&number);
        self.free.push(number);
    }

    fn entry(&self, number: u32) -> &CoreEntry {
        &self.entries[number as usize]
    }

    fn entry_mut(&mut self, number: u32) -> &mut CoreEntry {
        &mut self.entries[number as usize]
    }
}
