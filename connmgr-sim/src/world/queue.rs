//! The future events in a total order: by time, then by the order in which they were planned.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::types::Instant;

/// A queue of future events. Events planned for the same instant happen in the order in which they were planned.
#[derive(Clone, Debug)]
pub struct WorldQueue<T> {
    heap: BinaryHeap<Planned<T>>,
    planned: u64,
}

#[derive(Clone, Debug)]
struct Planned<T> {
    at: Instant,
    sequence: u64,
    what: T,
}

impl<T> WorldQueue<T> {
    /// Plans an event.
    pub fn push(&mut self, at: Instant, what: T) {
        self.planned += 1;
        self.heap.push(Planned { at, sequence: self.planned, what });
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|next| next.at)
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        self.heap.pop().map(|next| (next.at, next.what))
    }

    /// How many events are planned.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether no event is planned.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<T> Default for WorldQueue<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), planned: 0 }
    }
}

impl<T> PartialEq for Planned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Planned<T> {}

impl<T> PartialOrd for Planned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Reversed: a `BinaryHeap` pops the greatest first, and the soonest event must come first.
impl<T> Ord for Planned<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planned_for_one_instant_happens_in_the_order_of_planning() {
        let mut queue = WorldQueue::default();
        for number in 0..100 {
            queue.push(Instant::from_secs(number % 3), number);
        }
        let order: Vec<(Instant, u64)> = std::iter::from_fn(|| queue.pop()).collect();
        assert!(order.is_sorted() && order.len() == 100, "{order:?}");
    }
}
