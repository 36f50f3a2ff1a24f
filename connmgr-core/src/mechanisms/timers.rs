//! A set of timers, ordered by time.
//!
//! An indexed heap in a `Vec`, ordered by time and then by the order of setting. It knows no clock and not what its
//! keys mean. It allocates only until its two `Vec`s have reached the largest number of timers set at once; a
//! `BTreeSet` would allocate as timers come and go.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::types::Time;

/// The children of an entry. Four lie side by side in memory, and a moved entry passes half as many others as with two
/// children; each passed one costs a write to its slot elsewhere.
const CHILDREN: usize = 4;

/// A timer. Valid until it fires or is cancelled; its number is then reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerId(NonZeroU32);

impl TimerId {
    /// Counted from one, so that an owner's `Option` takes no more memory.
    fn of(slot: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(slot))
    }

    const fn slot(self) -> u32 {
        self.0.get() - 1
    }
}

/// Timers, each with a key that says what it is for.
///
/// Timers for the same instant fire in the order in which they were set. Every operation takes O(log n) or less. The
/// caller bounds the number of timers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timers<K: Copy> {
    /// The heap: no entry is before its parent.
    heap: Vec<HeapEntry>,
    /// By `TimerId`: the place in the heap.
    slots: Vec<TimerSlot<K>>,
    /// The head of the list of free slots.
    free: Option<u32>,
    /// The sequence number of the next timer set; 64 bits last.
    sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HeapEntry {
    at: Time,
    sequence: u64,
    slot: u32,
}

impl HeapEntry {
    /// The order of firing as one number: a comparison without a branch, which could not be predicted.
    const fn rank(&self) -> u128 {
        (self.at.as_nanos() as u128) << 64 | self.sequence as u128
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimerSlot<K> {
    Set { key: K, place: usize },
    Free { next: Option<u32> },
}

const ID_IS_SET: &str = "a TimerId is used only while its timer is set";

impl<K: Copy> Timers<K> {
    /// No timers.
    pub(crate) const fn new() -> Self {
        Self { heap: Vec::new(), slots: Vec::new(), free: None, sequence: 0 }
    }

    /// Sets a timer for `at`.
    #[inline]
    pub(crate) fn insert(&mut self, at: Time, key: K) -> TimerId {
        let place = self.heap.len();
        let slot = self.occupy(TimerSlot::Set { key, place });
        let sequence = self.next_sequence();
        self.heap.push(HeapEntry { at, sequence, slot });
        self.sift_up(place);
        TimerId::of(slot)
    }

    /// Moves a timer to `at`, earlier or later; it then counts as the last one set.
    ///
    /// # Panics
    /// If the timer is not set.
    #[inline]
    pub(crate) fn reset(&mut self, id: TimerId, at: Time) {
        let place = self.place(id);
        let sequence = self.next_sequence();
        self.heap[place] = HeapEntry { at, sequence, slot: id.slot() };
        self.settle(place);
    }

    /// Cancels a timer. Returns its key.
    ///
    /// # Panics
    /// If the timer is not set.
    #[inline]
    pub(crate) fn cancel(&mut self, id: TimerId) -> K {
        let place = self.place(id);
        self.heap.swap_remove(place);
        if let Some(last) = self.heap.get(place).copied() {
            self.put(place, last);
            self.settle(place);
        }
        self.vacate(id)
    }

    /// Removes the first timer if it is due at `now`. Its id may be reused then.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<K> {
        let first = self.heap.first().filter(|entry| entry.at <= now)?;
        Some(self.cancel(TimerId::of(first.slot)))
    }

    /// When the next timer fires.
    pub(crate) fn peek(&self) -> Option<Time> {
        self.heap.first().map(|entry| entry.at)
    }

    /// When this timer fires.
    ///
    /// # Panics
    /// If the timer is not set.
    pub(crate) fn at(&self, id: TimerId) -> Time {
        self.heap[self.place(id)].at
    }

    /// How many timers are set.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken: the order of the heap, the links between heap and slots, or the list of free slots.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let in_order = |place: usize| self.heap[parent(place)].rank() < self.heap[place].rank();
        if !(1..self.heap.len()).all(in_order) {
            return Err("timers: a timer is before an earlier one");
        }
        let is_linked = |(place, entry): (usize, &HeapEntry)| match self.slots.get(entry.slot as usize) {
            Some(TimerSlot::Set { place: known, .. }) => *known == place,
            Some(TimerSlot::Free { .. }) | None => false,
        };
        if !self.heap.iter().enumerate().all(is_linked) {
            return Err("timers: a timer is not where its slot says");
        }
        if self.heap.iter().any(|entry| entry.sequence >= self.sequence) {
            return Err("timers: a sequence number would be reused");
        }
        match self.count_free() {
            Some(free) if free + self.heap.len() == self.slots.len() => Ok(()),
            Some(_) | None => Err("timers: a slot is lost, or free and set at once"),
        }
    }

    /// The length of the list of free slots; `None` if it is broken.
    fn count_free(&self) -> Option<usize> {
        let (mut count, mut next) = (0, self.free);
        while let Some(slot) = next {
            next = match self.slots.get(slot as usize)? {
                TimerSlot::Free { next } => *next,
                TimerSlot::Set { .. } => return None,
            };
            count += 1;
            if count > self.slots.len() {
                return None;
            }
        }
        Some(count)
    }

    fn next_sequence(&mut self) -> u64 {
        let sequence = self.sequence;
        self.sequence += 1;
        sequence
    }

    fn place(&self, id: TimerId) -> usize {
        match self.slots.get(id.slot() as usize) {
            Some(TimerSlot::Set { place, .. }) => Some(*place),
            Some(TimerSlot::Free { .. }) | None => None,
        }
        .expect(ID_IS_SET)
    }

    fn occupy(&mut self, content: TimerSlot<K>) -> u32 {
        let Some(slot) = self.free else {
            self.slots.push(content);
            return u32::try_from(self.slots.len() - 1).expect("memory ends before 2^32 timers");
        };
        match core::mem::replace(&mut self.slots[slot as usize], content) {
            TimerSlot::Free { next } => self.free = next,
            TimerSlot::Set { .. } => unreachable!("the free list holds free slots only"),
        }
        slot
    }

    fn vacate(&mut self, id: TimerId) -> K {
        let free = TimerSlot::Free { next: self.free };
        self.free = Some(id.slot());
        match core::mem::replace(&mut self.slots[id.slot() as usize], free) {
            TimerSlot::Set { key, .. } => Some(key),
            TimerSlot::Free { .. } => None,
        }
        .expect(ID_IS_SET)
    }

    /// Moves an entry to its place in the heap, up or down.
    fn settle(&mut self, place: usize) {
        let place = self.sift_up(place);
        self.sift_down(place);
    }

    fn sift_up(&mut self, from: usize) -> usize {
        let (entry, mut place) = (self.heap[from], from);
        while place > 0 {
            let parent = parent(place);
            if self.heap[parent].rank() < entry.rank() {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        if place != from {
            self.put(place, entry);
        }
        place
    }

    fn sift_down(&mut self, from: usize) {
        let (entry, mut place) = (self.heap[from], from);
        while let Some(child) = self.earlier_child(place).filter(|child| self.heap[*child].rank() < entry.rank()) {
            self.put(place, self.heap[child]);
            place = child;
        }
        if place != from {
            self.put(place, entry);
        }
    }

    fn earlier_child(&self, place: usize) -> Option<usize> {
        let first = CHILDREN * place + 1;
        let children = first..self.heap.len().min(first + CHILDREN);
        children.min_by_key(|child| self.heap[*child].rank())
    }

    fn put(&mut self, place: usize, entry: HeapEntry) {
        self.heap[place] = entry;
        match &mut self.slots[entry.slot as usize] {
            TimerSlot::Set { place: known, .. } => *known = place,
            TimerSlot::Free { .. } => unreachable!("an entry of the heap has a slot"),
        }
    }
}

/// The place of an entry's parent; the first has none.
const fn parent(place: usize) -> usize {
    (place - 1) / CHILDREN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanisms::rng::Rng;

    fn secs(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    /// Takes every timer due at `now`, checking after each.
    fn drain(timers: &mut Timers<u32>, now: Time) -> Vec<u32> {
        let mut rung = Vec::new();
        while let Some(key) = timers.pop_due(now) {
            rung.push(key);
            assert_eq!(timers.check(), Ok(()));
        }
        rung
    }

    #[test]
    fn timers_ring_in_order_of_time() {
        let mut timers = Timers::new();
        for (key, at) in [(1, 5), (2, 3), (3, 9), (4, 1)] {
            timers.insert(secs(at), key);
        }
        assert_eq!(timers.peek(), Some(secs(1)));
        assert_eq!(drain(&mut timers, secs(5)), [4, 2, 1]);
        assert_eq!((timers.peek(), timers.len()), (Some(secs(9)), 1));
    }

    #[test]
    fn timers_of_one_instant_ring_in_the_order_of_setting_and_none_is_lost() {
        let mut timers = Timers::new();
        for key in 0..1000 {
            timers.insert(secs(7), key);
        }
        assert!(drain(&mut timers, secs(7)).into_iter().eq(0..1000));
    }

    #[test]
    fn a_timer_does_not_ring_early() {
        let mut timers = Timers::new();
        timers.insert(secs(2), ());
        assert_eq!(timers.pop_due(Time::from_nanos(1_999_999_999)), None);
        assert_eq!(timers.pop_due(secs(2)), Some(()));
    }

    #[test]
    fn a_moved_timer_rings_last_among_its_instant() {
        let mut timers = Timers::new();
        let first = timers.insert(secs(1), 1);
        timers.insert(secs(2), 2);
        timers.reset(first, secs(2));
        assert_eq!(timers.at(first), secs(2));
        assert_eq!(drain(&mut timers, secs(2)), [2, 1]);
    }

    #[test]
    fn a_cancelled_timer_never_rings_and_its_slot_is_used_again() {
        let mut timers = Timers::new();
        let first = timers.insert(secs(1), 1);
        timers.insert(secs(2), 2);
        assert_eq!(timers.cancel(first), 1);
        assert_eq!(timers.insert(secs(3), 3), first);
        assert_eq!(drain(&mut timers, Time::MAX), [2, 3]);
    }

    #[test]
    fn check_sees_a_broken_heap() {
        let mut timers = Timers::new();
        timers.insert(secs(1), 1);
        timers.insert(secs(2), 2);
        timers.heap.swap(0, 1);
        assert!(timers.check().is_err());
    }

    /// A plain list does the same, slowly.
    #[test]
    fn any_mix_of_operations_agrees_with_a_plain_list() {
        for seed in 0..20 {
            let mut rng = Rng::new([seed; 32], 0);
            let (mut timers, mut list, mut sequence) = (Timers::new(), Vec::<(Time, u32, TimerId)>::new(), 0);
            for _ in 0..500 {
                let at = secs(rng.below(30));
                let pick = (!list.is_empty()).then(|| rng.index(list.len()));
                match (rng.below(4), pick) {
                    (0, Some(pick)) => {
                        let (_, key, id) = list.remove(pick);
                        assert_eq!(timers.cancel(id), key, "seed {seed}");
                    }
                    (1, Some(pick)) => {
                        let (_, key, id) = list.remove(pick);
                        timers.reset(id, at);
                        list.push((at, key, id));
                    }
                    (2, _) => {
                        let first = list.iter().enumerate().min_by_key(|(_, timer)| timer.0).map(|(index, _)| index);
                        let due = first.filter(|first| list[*first].0 <= at).map(|first| list.remove(first).1);
                        assert_eq!(timers.pop_due(at), due, "seed {seed}");
                    }
                    _ => {
                        sequence += 1;
                        list.push((at, sequence, timers.insert(at, sequence)));
                    }
                }
                assert_eq!(timers.check(), Ok(()), "seed {seed}");
                assert_eq!(timers.len(), list.len(), "seed {seed}");
            }
        }
    }
}
