//! Draws candidates: from the two tables, none of whose buckets counts more than another, and no group more than its
//! share.
//!
//! An address is drawn as in Bitcoin Core: a table, a bucket of it, an address in that. But in Core one address group
//! that many sources announce fills most of the buckets. Here it gets an eighth of the draws at most, as soon as eight
//! groups are known: what it would get beyond goes to groups at random. With fewer groups, each gets the same.

use super::Book;
use super::buckets::Drawn;
use super::chance::CANDIDATES;
use super::marks::Filter;
use super::neighbours::Side;
use super::place::side_of;
use crate::config::BookRule;
use crate::mechanisms::rng::Rng;
use crate::types::Time;

/// `TRIED_PARTS` of `ALL_PARTS` draws are from the tried addresses. In Core it is half. With two thirds, who owns the
/// whole table of new addresses has a third of the draws, and the tried ones are those that an attacker cannot announce.
const TRIED_PARTS: u64 = 2;
const ALL_PARTS: u64 = 3;

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
        let groups = self.groups.len_in(filter.networks);
        if groups <= 1 || self.without == Some(BookRule::GroupShare) {
            return Some(drawn.slot);
        }
        let group = self.store.entry(drawn.slot).group;
        if groups >= SHARE && is_within_share(self.groups.places(group, side), groups, drawn, rng) {
            return Some(drawn.slot);
        }
        let other = self.groups.nth(filter.networks, rng.index(groups))?;
        Some(if other == group { drawn.slot } else { self.draw_of(other, filter, drawn.slot) })
    }

    fn draw_any(&self, filter: Filter, only_tried: bool, rng: &mut Rng) -> Option<(Side, Drawn)> {
        let side = self.draw_side(filter, only_tried, rng);
        Some((side, self.table(side).draw(filter, rng)?))
    }

    fn draw_side(&self, filter: Filter, only_tried: bool, rng: &mut Rng) -> Side {
        let [new, tried] = [Side::New, Side::Tried].map(|side| self.table(side).len_of(filter) as u64);
        let is_tried = match (tried > 0, new > 0) {
            (false, _) => false,
            (true, false) => true,
            (true, true) if only_tried => true,
            (true, true) => self.draws_tried(tried, new, rng),
        };
        if is_tried { Side::Tried } else { Side::New }
    }

    fn draws_tried(&self, tried: u64, new: u64, rng: &mut Rng) -> bool {
        if self.without == Some(BookRule::TriedShare) {
            rng.below(tried + new) < tried
        } else {
            rng.below(ALL_PARTS) < TRIED_PARTS
        }
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
    /// The drawn ones, in order, then the others: slot, group and table.
    cards: [Card; CANDIDATES],
    len: usize,
    drawn: usize,
    filter: Filter,
    /// Where the next round is.
    again: usize,
}

#[derive(Clone, Copy)]
struct Card {
    slot: u32,
    group: u32,
    side: Side,
}

impl Few {
    fn new(book: &Book, filter: Filter, now: Time) -> Self {
        let nobody = Card { slot: 0, group: 0, side: Side::New };
        let mut few = Self { cards: [nobody; CANDIDATES], len: 0, drawn: 0, filter, again: 0 };
        if book.store.slot_count() <= 2 * CANDIDATES {
            book.store
                .slots()
                .filter(|(_, entry)| filter.fits(book.marks(entry)))
                .for_each(|(slot, _)| few.add(book, slot, now));
        } else {
            for side in [Side::New, Side::Tried] {
                // One with several places counts once.
                let firsts =
                    book.table(side).places_of(filter).filter(|(place, slot)| book.store.entry(*slot).place == *place);
                firsts.for_each(|(_, slot)| few.add(book, slot, now));
            }
        }
        few
    }

    /// A tried one that seems to be connected has no precedence: it can't be dialed.
    fn add(&mut self, book: &Book, slot: u32, now: Time) {
        let entry = book.store.entry(slot);
        let side = if entry.seems_busy(now) { Side::New } else { side_of(entry) };
        self.cards[self.len] = Card { slot, group: entry.group, side };
        self.len += 1;
    }

    fn step(&mut self, book: &Book, rng: &mut Rng) -> Option<u32> {
        if self.drawn == self.len {
            let card = self.cards[..self.len].get(self.again)?;
            self.again = (self.again + 1) % self.len;
            return Some(card.slot);
        }
        let at = self.draw(book, rng);
        self.cards.swap(self.drawn, at);
        self.drawn += 1;
        Some(self.cards[self.drawn - 1].slot)
    }

    /// The next one that was not drawn yet, by the rules for many.
    fn draw(&self, book: &Book, rng: &mut Rng) -> usize {
        let at = self.draw_by_side(book, rng);
        let groups = book.groups.len_in(self.filter.networks);
        if groups <= 1 || book.without == Some(BookRule::GroupShare) {
            return at;
        }
        if groups >= SHARE {
            let Card { group, side, .. } = self.cards[at];
            let all = self.cards[..self.len].iter().filter(|card| card.side == side);
            let (all, here) = all.fold((0, 0), |(all, here), card| (all + 1, here + u32::from(card.group == group)));
            if is_within_share(here, groups, Drawn { slot: 0, buckets: 1, rivals: all }, rng) {
                return at;
            }
        }
        for _ in 0..LOOKS {
            let other = book.groups.nth(self.filter.networks, rng.index(groups));
            if let Some(at) = other.and_then(|other| self.one_of(|card| card.group == other, rng)) {
                return at;
            }
        }
        at
    }

    fn draw_by_side(&self, book: &Book, rng: &mut Rng) -> usize {
        let left = &self.cards[self.drawn..self.len];
        let tried = left.iter().filter(|card| card.side == Side::Tried).count();
        let any = self.drawn + rng.index(left.len());
        if tried == 0 || tried == left.len() {
            return any;
        }
        let side =
            if book.draws_tried(tried as u64, (left.len() - tried) as u64, rng) { Side::Tried } else { Side::New };
        self.one_of(|card| card.side == side, rng).unwrap_or(any)
    }

    /// A random one of those that were not drawn yet.
    fn one_of(&self, is: impl Fn(&Card) -> bool, rng: &mut Rng) -> Option<usize> {
        let left = self.cards[..self.len].iter().enumerate().skip(self.drawn).filter(|(_, card)| is(card));
        let count = left.clone().count();
        let mut nth = left.skip(rng.index(count));
        nth.next().map(|(at, _)| at)
    }
}
