//! The queue of events for the application, and what is dropped when the application is slow.
//!
//! A connection that ends before the application took it is removed together with its stream: the application sees
//! neither `Connected` nor `Disconnected`. One may be taken out of turn. Of a peer's retry notices only the latest stays.
//! The queue always keeps `Connected`, the `Disconnected` of a connection that was taken (at most one for each
//! connection), and `Stopped`. Any other event is dropped and counted if the queue is full.

use alloc::collections::VecDeque;

use hashbrown::HashMap;

use super::PoolEvent;
use crate::mechanisms::hasher::OwnNumbers;
use crate::types::{ConnId, Connected, Event, PeerId, Time};

/// The least limit: with fewer, an application that is never late would miss events of a single step.
const LEAST_LIMIT: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct EventQueue<S> {
    /// A removed event leaves `None`.
    waiting: VecDeque<Option<PoolEvent<S>>>,
    holes: usize,
    /// The position of the first waiting event, counted from the first event ever.
    first: u64,
    connected: HashMap<ConnId, u64, OwnNumbers>,
    retries: HashMap<PeerId, u64, OwnNumbers>,
    limit: usize,
    missed: u64,
}

impl<S> EventQueue<S> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            holes: 0,
            first: 0,
            connected: HashMap::with_hasher(OwnNumbers),
            retries: HashMap::with_hasher(OwnNumbers),
            limit,
            missed: 0,
        }
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit.max(LEAST_LIMIT);
    }

    pub(super) fn push_connected(&mut self, info: Connected, stream: S) {
        self.connected.insert(info.conn, self.end());
        self.push(PoolEvent::Connected { info, stream });
    }

    /// Takes a connection out of turn. `None` if it does not wait.
    pub(super) fn take_connected(&mut self, conn: ConnId) -> Option<(Connected, S)> {
        let position = self.connected.remove(&conn)?;
        match self.withdraw(position)? {
            PoolEvent::Connected { info, stream } => Some((info, stream)),
            PoolEvent::RetryScheduled { .. } | PoolEvent::Event(_) => None,
        }
    }

    pub(super) fn push_retry(&mut self, peer: PeerId, tag: Option<u64>, at: Time, attempt: u32) {
        if let Some(position) = self.retries.remove(&peer) {
            drop(self.withdraw(position));
        }
        if self.is_full() {
            self.missed += 1;
            return;
        }
        self.retries.insert(peer, self.end());
        self.push(PoolEvent::RetryScheduled { peer, tag, at, attempt });
    }

    pub(super) fn push_event(&mut self, event: Event) {
        if let Event::Disconnected { conn, .. } = &event {
            match self.connected.remove(conn) {
                Some(position) => drop(self.withdraw(position)),
                None => self.push(PoolEvent::Event(event)),
            }
        } else if self.is_full() && event != Event::Stopped {
            self.missed += 1;
        } else {
            self.push(PoolEvent::Event(event));
        }
    }

    pub(super) fn pop(&mut self) -> Option<PoolEvent<S>> {
        while let Some(slot) = self.waiting.pop_front() {
            self.first += 1;
            let Some(event) = slot else {
                self.holes -= 1;
                continue;
            };
            match &event {
                PoolEvent::Connected { info, .. } => {
                    self.connected.remove(&info.conn);
                }
                PoolEvent::RetryScheduled { peer, .. } => {
                    self.retries.remove(peer);
                }
                PoolEvent::Event(_) => {}
            }
            return Some(event);
        }
        None
    }

    pub(super) const fn missed(&self) -> u64 {
        self.missed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.len() == self.holes
    }

    fn is_full(&self) -> bool {
        self.waiting.len() - self.holes >= self.limit
    }

    fn end(&self) -> u64 {
        self.first + self.waiting.len() as u64
    }

    fn push(&mut self, event: PoolEvent<S>) {
        self.waiting.push_back(Some(event));
    }

    fn withdraw(&mut self, position: u64) -> Option<PoolEvent<S>> {
        let index = usize::try_from(position - self.first).expect("a position in the queue");
        let withdrawn = self.waiting[index].take();
        self.holes += 1;
        if self.holes > 64 && self.holes > self.waiting.len() / 2 {
            self.close_holes();
        }
        withdrawn
    }

    fn close_holes(&mut self) {
        self.waiting.retain(Option::is_some);
        self.holes = 0;
        for (position, event) in (self.first..).zip(self.waiting.iter().flatten()) {
            match event {
                PoolEvent::Connected { info, .. } => {
                    self.connected.insert(info.conn, position);
                }
                PoolEvent::RetryScheduled { peer, .. } => {
                    self.retries.insert(*peer, position);
                }
                PoolEvent::Event(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CloseCause, EndReason, Kind, Transport};
    use alloc::rc::Rc;
    use alloc::vec::Vec;

    fn connected(number: u64) -> Connected {
        Connected {
            conn: ConnId::from_u64(number),
            kind: Kind::Full,
            address: None,
            peer: None,
            wanted: None,
            listener: None,
            transport: Transport::V1,
            nonce: 0,
            tag: None,
        }
    }

    fn disconnected(number: u64) -> Event {
        let reason = EndReason::Theirs(CloseCause::Eof);
        Event::Disconnected { conn: ConnId::from_u64(number), peer: None, reason, tag: None }
    }

    #[test]
    fn a_connection_that_ends_untaken_is_withdrawn_with_its_stream() {
        let (mut queue, stream) = (EventQueue::new(16), Rc::new(()));
        queue.push_connected(connected(1), stream.clone());
        queue.push_event(disconnected(1));
        assert_eq!((queue.pop(), Rc::strong_count(&stream)), (None, 1));
    }

    #[test]
    fn a_queue_of_withdrawn_events_is_empty() {
        let mut queue = EventQueue::new(16);
        assert!(queue.is_empty());
        queue.push_connected(connected(1), ());
        assert!(!queue.is_empty());
        queue.push_event(disconnected(1));
        assert!(queue.is_empty());
    }

    #[test]
    fn a_connection_that_was_taken_gets_its_end() {
        let mut queue = EventQueue::new(16);
        queue.push_connected(connected(1), ());
        queue.pop();
        queue.push_event(disconnected(1));
        assert_eq!(queue.pop(), Some(PoolEvent::Event(disconnected(1))));
    }

    #[test]
    fn a_connection_that_is_taken_out_of_turn_is_no_event_and_gets_its_end() {
        let mut queue = EventQueue::new(16);
        (1..=3).for_each(|number| queue.push_connected(connected(number), number));
        assert_eq!(queue.take_connected(ConnId::from_u64(2)), Some((connected(2), 2)));
        assert_eq!(queue.take_connected(ConnId::from_u64(2)), None);
        queue.push_event(disconnected(2));
        let left: Vec<_> = core::iter::from_fn(|| queue.pop()).collect();
        let event = |number| PoolEvent::Connected { info: connected(number), stream: number };
        assert_eq!(left, [event(1), event(3), PoolEvent::Event(disconnected(2))]);
    }

    #[test]
    fn of_a_peers_retries_the_latest_stays() {
        let (mut queue, peer) = (EventQueue::<()>::new(16), PeerId::from_u64(1));
        for attempt in 1..=3 {
            queue.push_retry(peer, Some(7), Time::from_secs(5), attempt);
        }
        let latest = PoolEvent::RetryScheduled { peer, tag: Some(7), at: Time::from_secs(5), attempt: 3 };
        assert_eq!(queue.pop(), Some(latest));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn an_application_that_never_takes_anything_costs_bounded_memory() {
        let mut queue = EventQueue::new(16);
        for number in 0..10_000 {
            queue.push_connected(connected(number), ());
            queue.push_event(disconnected(number));
            queue.push_event(Event::NetworkUp { network: crate::types::NetworkKind::Ipv4 });
        }
        assert!(queue.waiting.len() <= 16 + 130 && queue.connected.is_empty());
        assert_eq!(queue.missed(), 10_000 - 16);
    }

    #[test]
    fn holes_closed_keep_the_order_and_the_pairs() {
        let mut queue = EventQueue::new(1000);
        queue.push_connected(connected(1_000), ());
        for number in 0..200 {
            queue.push_connected(connected(number), ());
            queue.push_event(disconnected(number));
        }
        queue.push_connected(connected(2_000), ());
        queue.push_event(disconnected(1_000));
        let next = queue.pop();
        assert!(matches!(next, Some(PoolEvent::Connected { info, .. }) if info.conn == ConnId::from_u64(2_000)));
    }
}
