//! The future events in a total order: by time, then by the order in which they were planned.
//!
//! A hierarchical timing wheel (Varghese and Lauck, 1987). The 64 bits of an instant are eleven digits of six bits. An
//! event waits on the level of the highest digit in which it differs from the last event taken, in the slot of that
//! digit. So the soonest event is in the first slot in use of the lowest level in use. When time enters a slot, its
//! events move to lower levels. A slot of level 0 is one instant.
//!
//! A heap would compare and move each event once per doubling of the queue, far apart in memory: with ten thousand
//! managers that was a fifth of all time.

use std::collections::VecDeque;

use crate::types::Instant;

/// Bits of a digit.
const DIGIT: u32 = 6;
const SLOTS: usize = 1 << DIGIT;
const LEVELS: usize = u64::BITS.div_ceil(DIGIT) as usize;
/// A slot that held at most so many events keeps its memory for the next ones.
const KEPT: usize = 64;

/// A queue of future events. Events planned for the same instant happen in the order in which they were planned.
#[derive(Clone, Debug)]
pub struct WorldQueue<T> {
    levels: Vec<Level<T>>,
    /// The levels in use, a bit each.
    in_use: u16,
    /// When the last event was taken.
    now: Instant,
    len: usize,
}

#[derive(Clone, Debug)]
struct Level<T> {
    /// The slots in use, a bit each.
    in_use: u64,
    slots: Vec<Slot<T>>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    soonest: Instant,
    events: VecDeque<(Instant, T)>,
}

impl<T> WorldQueue<T> {
    /// Plans an event. One that is planned for the past happens next, at the instant of the last event taken.
    pub fn push(&mut self, at: Instant, what: T) {
        debug_assert!(at >= self.now, "nothing is planned for the past");
        self.len += 1;
        self.place(at.max(self.now), what);
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Instant> {
        let (level, slot) = self.first()?;
        Some(self.levels[level].slots[slot].soonest)
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        let (level, slot) = self.first()?;
        self.len -= 1;
        let place = &mut self.levels[level].slots[slot];
        self.now = place.soonest;
        // A single event need not move on the way out.
        if level == 0 || place.events.len() == 1 {
            return self.take(level, slot);
        }
        self.enter(level, slot);
        self.take(0, digit(self.now, 0))
    }

    /// How many events are planned.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no event is planned.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slot of the soonest event.
    fn first(&self) -> Option<(usize, usize)> {
        let level = self.in_use.trailing_zeros() as usize;
        let slots = self.levels.get(level)?.in_use;
        Some((level, slots.trailing_zeros() as usize))
    }

    fn place(&mut self, at: Instant, what: T) {
        let differs = at.as_nanos() ^ self.now.as_nanos();
        let level = differs.checked_ilog2().map_or(0, |bit| (bit / DIGIT) as usize);
        let slot = digit(at, level);
        self.in_use |= 1 << level;
        let Level { in_use, slots } = &mut self.levels[level];
        let place = &mut slots[slot];
        let is_first = *in_use & 1 << slot == 0;
        *in_use |= 1 << slot;
        place.soonest = if is_first { at } else { place.soonest.min(at) };
        place.events.push_back((at, what));
    }

    /// Time enters a slot: its events move to lower levels, in their order.
    fn enter(&mut self, level: usize, slot: usize) {
        let mut events = std::mem::take(&mut self.levels[level].slots[slot].events);
        self.free(level, slot);
        for (at, what) in events.drain(..) {
            self.place(at, what);
        }
        if events.capacity() <= KEPT {
            self.levels[level].slots[slot].events = events;
        }
    }

    fn take(&mut self, level: usize, slot: usize) -> Option<(Instant, T)> {
        let events = &mut self.levels[level].slots[slot].events;
        let next = events.pop_front();
        if events.is_empty() {
            self.free(level, slot);
        }
        next
    }

    /// A slot has no events left.
    fn free(&mut self, level: usize, slot: usize) {
        let in_use = &mut self.levels[level].in_use;
        *in_use &= !(1 << slot);
        if *in_use == 0 {
            self.in_use &= !(1 << level);
        }
    }
}

/// A digit of an instant.
fn digit(at: Instant, level: usize) -> usize {
    let shifted = at.as_nanos() >> (DIGIT * u32::try_from(level).expect("at most eleven"));
    usize::try_from(shifted % SLOTS as u64).expect("below 64")
}

impl<T> Default for WorldQueue<T> {
    fn default() -> Self {
        let slot = || Slot { soonest: Instant::ZERO, events: VecDeque::new() };
        let level = || Level { in_use: 0, slots: (0..SLOTS).map(|_| slot()).collect() };
        Self { levels: (0..LEVELS).map(|_| level()).collect(), in_use: 0, now: Instant::ZERO, len: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Dice, DrawPurpose};

    #[test]
    fn what_is_planned_for_one_instant_happens_in_the_order_of_planning() {
        let mut queue = WorldQueue::default();
        for number in 0..100 {
            queue.push(Instant::from_secs(number % 3), number);
        }
        let order: Vec<(Instant, u64)> = std::iter::from_fn(|| queue.pop()).collect();
        assert!(order.is_sorted() && order.len() == 100, "{order:?}");
    }

    /// Plans and takes at random, with waits of all magnitudes and many equal instants, and compares with a sorted list.
    #[test]
    fn events_come_in_the_order_of_their_instants_however_far_ahead_they_were_planned() {
        let mut dice = Dice::new(1, DrawPurpose::Session, 0);
        let (mut queue, mut sorted, mut now) = (WorldQueue::default(), std::collections::BTreeSet::new(), 0u64);
        for number in 0..100_000u64 {
            let [magnitude, coarse] = [64, 8].map(|bound| dice.below(bound));
            let wait = dice.below(1 << magnitude) >> coarse << coarse;
            let at = now.saturating_add(wait);
            queue.push(Instant::from_nanos(at), number);
            sorted.insert((at, number));
            for _ in 0..dice.below(3) {
                let expected = sorted.pop_first();
                assert_eq!(queue.next_at().map(Instant::as_nanos), expected.map(|(at, _)| at));
                assert_eq!(queue.pop().map(|(at, number)| (at.as_nanos(), number)), expected);
                now = expected.map_or(now, |(at, _)| at);
            }
            assert_eq!((queue.len(), queue.is_empty()), (sorted.len(), sorted.is_empty()));
            // Begin anew before all instants are at the end of time.
            if now > u64::MAX / 2 {
                (queue, now) = (WorldQueue::default(), 0);
                sorted.clear();
            }
        }
    }

    #[test]
    fn the_end_of_time_can_be_planned_for() {
        let mut queue = WorldQueue::default();
        queue.push(Instant::MAX, 2);
        queue.push(Instant::from_secs(1), 1);
        queue.push(Instant::MAX, 3);
        let order: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|(_, number)| number).collect();
        assert_eq!((order, queue.next_at()), (vec![1, 2, 3], None));
    }
}
