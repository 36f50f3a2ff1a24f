//! Draws candidates: from the two tables, none of whose buckets counts more than another, and no group more than its
//! share.
//!
//! An address is drawn as in Bitcoin Core: a table, a bucket of it, an address in that. But in Core one address group
//! that many sources announce fills most of the buckets. Here it gets an eighth of the draws at most, as soon as eight
//! groups are known: what it would get beyond goes to groups at random. With fewer groups, each gets the same.

use super::Book;
use super::buckets::Drawn;
use super::chance::CANDIDATES;
use super::entry::Entry;
use super::marks::Filter;
use super::neighbours::Side;
use super::numbered::Numbered;
use crate::config::BookRule;
use crate::mechanisms::rng::Rng;
use crate::types::Time;

/// Of the draws, `TRIED_PARTS` are from the tried addresses for `NEW_PARTS` from the new ones. In Core it is half. With two
/// thirds, an attacker who owns the whole table of new addresses has a third of the draws, and cannot announce tried
/// ones.
///
/// After months offline the tried ones may all be gone, while new ones are alive. So each failed dial to a tried address
/// since one was ready adds a part for the new ones: an attacker can announce, but cannot make other nodes fail.
const TRIED_PARTS: usize = 4;
const NEW_PARTS: usize = 2;
/// More failures in a row change nothing: one choice in eight stays with the tried addresses.
pub(super) const MOST_FAILURES: u8 = 26;

/// The most that one group may have of the draws is one part in this many, if at least so many groups are known.
const SHARE: usize = 8;

/// One that seems to be dialed or connected is drawn again this often.
const REDRAWS: usize = 7;

/// So many addresses of a group are looked at for one that passes the filter.
const LOOKS: usize = 8;

/// Where candidates come from. Lives on the stack for one choice.
#[allow(clippy::large_enum_variant)]
pub(super) enum Path {
    /// There are many: each is drawn by itself.
    Many {
        filter: Filter,
        /// Only from the tried addresses, if some are.
        only_tried: bool,
    },
    /// There are few: all of them, in random order, over and over.
    Few(Few),
}

impl Path {
    pub(super) fn new(book: &Book, filter: Filter, only_ready_before: bool, now: Time) -> Self {
        if book.known.of(filter) > CANDIDATES {
            return Self::Many { filter, only_tried: only_ready_before };
        }
        Self::Few(Few::new(book, filter, now))
    }

    /// The slot of the next candidate; `None` if there is none.
    pub(super) fn step(&mut self, book: &mut Book, rng: &mut Rng, now: Time) -> Option<u32> {
        match self {
            Self::Many { filter, only_tried } => book.draw(*filter, *only_tried, rng, now),
            Self::Few(few) => few.step(book, rng),
        }
    }
}

impl Book {
    fn draw(&mut self, filter: Filter, only_tried: bool, rng: &mut Rng, now: Time) -> Option<u32> {
        let (mut side, mut drawn) = self.draw_any(filter, only_tried, rng)?;
        // Most of the tried ones may be connected.
        for _ in 0..REDRAWS {
            if !self.store.entry(drawn.slot).seems_busy(now) {
                break;
            }
            (side, drawn) = self.draw_any(filter, only_tried, rng)?;
        }
        let groups = self.groups.len_in(filter);
        if groups <= 1 || self.without == Some(BookRule::GroupShare) {
            return Some(drawn.slot);
        }
        let group = self.store.entry(drawn.slot).group();
        if groups >= SHARE && is_within_share(self.groups.places(group, side), groups, drawn, rng) {
            return Some(drawn.slot);
        }
        let other = self.groups.nth(filter.networks, rng.index(groups))?;
        Some(if other == group { drawn.slot } else { self.draw_of(other, filter, drawn.slot) })
    }

    fn draw_any(&self, filter: Filter, only_tried: bool, rng: &mut Rng) -> Option<(Side, Drawn)> {
        let [new, tried] = [Side::New, Side::Tried].map(|side| self.table(side).len_of(filter));
        let random = rng.next_u64();
        let is_tried = tried > 0 && (new == 0 || only_tried || self.draws_tried(tried, new, random >> 42));
        let side = if is_tried { Side::Tried } else { Side::New };
        Some((side, self.table(side).draw(filter, random, rng)?))
    }

    /// Whether a draw is from the tried addresses, where there are both. `random` has 22 random bits.
    fn draws_tried(&self, tried: usize, new: usize, random: u64) -> bool {
        let below = |bound: usize| ((random & ((1 << 22) - 1)) * bound as u64) >> 22;
        if self.without == Some(BookRule::TriedShare) {
            below(tried + new) < tried as u64
        } else {
            below(TRIED_PARTS + NEW_PARTS + usize::from(self.tried_failures)) < TRIED_PARTS as u64
        }
    }

    /// A dial to an address that was chosen has failed. If it is a tried one, the others may be gone as well.
    pub(crate) fn doubt_tried<'a>(&mut self, address: impl Into<Numbered<'a>>) {
        if self.entry(address).is_some_and(Entry::is_tried) {
            self.tried_failures = self.tried_failures.saturating_add(1).min(MOST_FAILURES);
        }
    }

    /// One of them says nothing after all.
    pub(super) const fn doubt_tried_less(&mut self) {
        self.tried_failures = self.tried_failures.saturating_sub(1);
    }

    /// An address that was chosen is ready. If it is a tried one, the others are as good as ever.
    pub(crate) fn trust_tried<'a>(&mut self, address: impl Into<Numbered<'a>>) {
        if self.entry(address).is_some_and(Entry::is_tried) {
            self.tried_failures = 0;
        }
    }

    /// Failed dials to tried addresses since one was ready: they decide the next choices.
    pub(crate) const fn tried_failures(&self) -> u8 {
        self.tried_failures
    }

    /// An address of a group whose turn it is; `instead` if no address of it passes the filter.
    fn draw_of(&mut self, group: u32, filter: Filter, instead: u32) -> u32 {
        for _ in 0..LOOKS {
            let slot = self.groups.take_turn(&self.store, group);
            if filter.fits(self.marks_of(slot)) {
                return slot;
            }
        }
        instead
    }
}

/// Whether a draw of a group with so many places stands. Of `B` buckets, an address at one of `r` in its bucket is drawn
/// with a chance of 1 / (B r). If it stands with a chance of at most t B r / places, the group has t at most, wherever its
/// places are. With t = 1/8 - 1/G, and each of the G groups getting an equal part of what does not stand, no group gets
/// more than 1/8.
fn is_within_share(places: u32, groups: usize, drawn: Drawn, rng: &mut Rng) -> bool {
    let [beyond, groups] = [groups - SHARE, groups].map(|count| count as u64);
    let stands = beyond * drawn.buckets as u64 * drawn.rivals as u64;
    let of = SHARE as u64 * groups * u64::from(places);
    stands >= of || rng.below(of) < stands
}

/// All addresses that pass a filter, where they are few.
pub(super) struct Few {
    /// The slots: of the tried addresses from the front, of the new ones from the back. In each part the drawn ones come
    /// first.
    slots: [u32; CANDIDATES],
    /// The drawn ones, in order.
    order: [u32; CANDIDATES],
    /// How many are tried …
    tried: usize,
    /// … and new; of these, those drawn.
    new: usize,
    drawn: [usize; 2],
    filter: Filter,
    /// Where the next round is.
    again: usize,
}

impl Few {
    fn new(book: &Book, filter: Filter, now: Time) -> Self {
        let slots = [0; CANDIDATES];
        let mut few = Self { slots, order: slots, tried: 0, new: 0, drawn: [0; 2], filter, again: 0 };
        if book.store.slot_count() <= 2 * CANDIDATES {
            for (slot, entry) in book.store.slots() {
                if filter.fits(entry.marks()) {
                    few.add(slot, entry, now);
                }
            }
            return few;
        }
        for side in [Side::New, Side::Tried] {
            for (place, slot) in book.table(side).places_of(filter) {
                let entry = book.store.entry(slot);
                // One with several places counts once.
                if entry.place == place {
                    few.add(slot, entry, now);
                }
            }
        }
        few
    }

    /// A tried one that seems to be connected has no precedence: it can't be dialed.
    fn add(&mut self, slot: u32, entry: &Entry, now: Time) {
        if entry.is_tried() && !entry.seems_busy(now) {
            self.slots[self.tried] = slot;
            self.tried += 1;
        } else {
            self.new += 1;
            self.slots[CANDIDATES - self.new] = slot;
        }
    }

    fn len(&self) -> usize {
        self.tried + self.new
    }

    /// The part of the slots that is of a table.
    fn part(&self, side: Side) -> core::ops::Range<usize> {
        match side {
            Side::New => CANDIDATES - self.new..CANDIDATES,
            Side::Tried => 0..self.tried,
        }
    }

    /// The places of those that were not drawn yet.
    fn left(&self, side: Side) -> core::ops::Range<usize> {
        let part = self.part(side);
        part.start + self.drawn[side as usize]..part.end
    }

    fn step(&mut self, book: &Book, rng: &mut Rng) -> Option<u32> {
        let drawn = self.drawn[0] + self.drawn[1];
        if drawn < self.len() {
            let (side, at) = self.draw(book, rng);
            let first = self.left(side).start;
            self.slots.swap(first, at);
            self.drawn[side as usize] += 1;
            self.order[drawn] = self.slots[first];
            return Some(self.order[drawn]);
        }
        // In the same order: then as many in a row as there are look at each of them.
        let slot = *self.order[..drawn].get(self.again)?;
        self.again = (self.again + 1) % drawn;
        Some(slot)
    }

    /// The next one that was not drawn yet, by the rules for many.
    fn draw(&self, book: &Book, rng: &mut Rng) -> (Side, usize) {
        let side = self.draw_side(book, rng);
        let left = self.left(side);
        let at = left.start + rng.index(left.len());
        let groups = book.groups.len_in(self.filter);
        if groups <= 1 || book.without == Some(BookRule::GroupShare) {
            return (side, at);
        }
        if groups >= SHARE {
            let group = book.store.entry(self.slots[at]).group();
            let drawn = Drawn { slot: self.slots[at], buckets: 1, rivals: self.part(side).len() };
            if is_within_share(book.groups.places(group, side), groups, drawn, rng) {
                return (side, at);
            }
        }
        for _ in 0..LOOKS {
            let other = book.groups.nth(self.filter.networks, rng.index(groups));
            if let Some(found) = other.and_then(|other| self.one_of(book, other, rng)) {
                return found;
            }
        }
        (side, at)
    }

    fn draw_side(&self, book: &Book, rng: &mut Rng) -> Side {
        let [new, tried] = [Side::New, Side::Tried].map(|side| self.left(side).len());
        let is_tried = tried > 0 && (new == 0 || book.draws_tried(tried, new, rng.next_u64()));
        if is_tried { Side::Tried } else { Side::New }
    }

    /// A random one of a group that was not drawn yet.
    fn one_of(&self, book: &Book, group: u32, rng: &mut Rng) -> Option<(Side, usize)> {
        let of = |side: Side| self.left(side).map(move |at| (side, at));
        let is_it = |(_, at): &(Side, usize)| book.store.entry(self.slots[*at]).group() == group;
        let all = of(Side::New).chain(of(Side::Tried)).filter(is_it);
        let count = all.clone().count();
        all.clone().nth(rng.index(count))
    }
}
