//! The bounded queue of requests from handles to the pool's task. A sender waits while it is full.
//!
//! Its own, because `futures-channel` admits one message more for each sender, so that handles, which may be cloned for
//! every call, would have no bound; and `async-channel` would bring six more crates to every adapter.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use connmgr_core::{AddedPeer, ConnManager, Input, Reply};
use futures_channel::oneshot;

use crate::adapter::engine::ConnectOutcome;
use crate::bell::WakeBell;
use crate::sync::lock;

/// How many requests may wait for the task. The sender of one more waits for room.
pub(super) const MAX_WAITING: usize = 64;

/// A request to the pool's task. `S` is a stream that waits for the application.
pub(super) enum Request<S> {
    /// Apply this input, and send the reply.
    Apply { input: Input, reply: oneshot::Sender<Reply> },
    /// Dial this peer once, now, and send what comes of it.
    Connect { peer: AddedPeer, caller: oneshot::Sender<ConnectOutcome<S>> },
    /// Show the manager to this, which sends what it saw.
    View(Box<dyn FnOnce(&ConnManager) + Send>),
}

/// The queue. Clones share it.
pub(super) struct Requests<S>(Arc<RequestChannel<S>>);

struct RequestChannel<S> {
    queue: Mutex<RequestQueue<S>>,
    /// Rings when a request was queued.
    bell: WakeBell,
}

struct RequestQueue<S> {
    waiting: VecDeque<Request<S>>,
    /// Senders that wait for room, by number.
    blocked: BTreeMap<u64, Waker>,
    next_number: u64,
    closed: bool,
}

impl<S> Requests<S> {
    /// An empty queue, which rings this bell for each request.
    pub(super) fn new(bell: WakeBell) -> Self {
        let (waiting, blocked) = Default::default();
        let queue = Mutex::new(RequestQueue { waiting, blocked, next_number: 0, closed: false });
        Self(Arc::new(RequestChannel { queue, bell }))
    }

    /// Wakes the task: the sender of a request waits for it no longer.
    pub(super) fn ring(&self) {
        self.0.bell.ring();
    }

    /// Queues a request as soon as there is room. False if the queue is closed.
    pub(super) async fn push(&self, request: Request<S>) -> bool {
        let (mut request, mut place) = (Some(request), Push { requests: self, number: None });
        poll_fn(|cx| place.poll_push(&mut request, cx)).await
    }

    /// The next request.
    pub(super) fn pop(&self) -> Option<Request<S>> {
        let mut queue = lock(&self.0.queue);
        let request = queue.waiting.pop_front();
        if request.is_some() && !queue.blocked.is_empty() {
            let blocked = std::mem::take(&mut queue.blocked);
            drop(queue);
            wake_all(blocked);
        }
        request
    }

    /// Drops the requests that wait, and refuses all others from now on.
    pub(super) fn close(&self) {
        let mut queue = lock(&self.0.queue);
        queue.closed = true;
        let (waiting, blocked) = (std::mem::take(&mut queue.waiting), std::mem::take(&mut queue.blocked));
        drop(queue);
        // Dropped without the lock: it wakes callers that wait for an answer, and they may use the queue at once.
        drop(waiting);
        wake_all(blocked);
    }
}

fn wake_all(blocked: BTreeMap<u64, Waker>) {
    for waker in blocked.into_values() {
        waker.wake();
    }
}

/// A sender that queues a request.
struct Push<'a, S> {
    requests: &'a Requests<S>,
    /// Its number in `blocked`.
    number: Option<u64>,
}

impl<S> Push<'_, S> {
    fn poll_push(&mut self, request: &mut Option<Request<S>>, cx: &mut Context<'_>) -> Poll<bool> {
        let mut queue = lock(&self.requests.0.queue);
        if queue.closed {
            return Poll::Ready(false);
        }
        if queue.waiting.len() >= MAX_WAITING {
            let number = *self.number.get_or_insert(queue.next_number);
            queue.next_number = queue.next_number.max(number + 1);
            queue.blocked.insert(number, cx.waker().clone());
            return Poll::Pending;
        }
        if let Some(request) = request.take() {
            queue.waiting.push_back(request);
        }
        drop(queue);
        self.requests.0.bell.ring();
        Poll::Ready(true)
    }
}

impl<S> Drop for Push<'_, S> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            lock(&self.requests.0.queue).blocked.remove(&number);
        }
    }
}

impl<S> Clone for Requests<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Requests<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("waiting", &lock(&self.0.queue).waiting.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::tests::{Count, block_on};

    fn view() -> Request<()> {
        Request::View(Box::new(|_| ()))
    }

    fn full() -> Requests<()> {
        let requests = Requests::new(WakeBell::default());
        (0..MAX_WAITING).for_each(|_| assert!(block_on(requests.push(view()))));
        requests
    }

    #[test]
    fn a_sender_that_finds_no_room_is_woken_when_there_is_some() {
        let (requests, count) = (full(), Count::default());
        let waker = count.waker();
        let mut push = pin!(requests.push(view()));
        assert!(push.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(requests.pop().is_some());
        assert_eq!(count.get(), 1);
        assert_eq!(push.poll(&mut Context::from_waker(&waker)), Poll::Ready(true));
        assert_eq!(lock(&requests.0.queue).waiting.len(), MAX_WAITING);
    }

    #[test]
    fn a_sender_that_gives_up_waiting_leaves_nothing_behind() {
        let requests = full();
        for _ in 0..3 {
            let mut push = Box::pin(requests.push(view()));
            assert!(push.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert!(lock(&requests.0.queue).blocked.is_empty());
    }

    #[test]
    fn a_closed_queue_refuses_requests_that_wait_and_those_that_come() {
        let requests = Requests::<()>::new(WakeBell::default());
        let (reply, answer) = oneshot::channel();
        assert!(block_on(requests.push(Request::Apply { input: Input::Shutdown, reply })));
        requests.close();
        assert!(block_on(answer).is_err());
        assert!(!block_on(requests.push(view())));
    }
}
