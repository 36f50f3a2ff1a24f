//! What handles ask of the task that owns the driver: a short queue, where one who finds no room waits.
//!
//! Futures that know no runtime. What is asked means nothing here.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use connmgr_core::{ConnManager, Input, Reply};
use futures_channel::oneshot;

use crate::bell::Bell;
use crate::sync::lock;

/// Requests that may wait; whoever asks for more waits until there is room.
pub(super) const MAX_WAITING: usize = 64;

/// What the driver's task is asked.
pub(super) enum Request {
    /// Apply this input, and send the reply.
    Apply { input: Input, reply: oneshot::Sender<Reply> },
    /// Show the manager to this, which sends what it saw.
    View(Box<dyn FnOnce(&ConnManager) + Send>),
}

/// The queue. Clones are the same.
#[derive(Clone)]
pub(super) struct Requests(Arc<RequestChannel>);

struct RequestChannel {
    queue: Mutex<RequestQueue>,
    /// Rings when a request has come.
    bell: Bell,
}

#[derive(Default)]
struct RequestQueue {
    waiting: VecDeque<Request>,
    /// Those who found no room, by number.
    turned_away: BTreeMap<u64, Waker>,
    next: u64,
    closed: bool,
}

impl Requests {
    /// An empty queue; the bell rings when a request has come.
    pub(super) fn new(bell: Bell) -> Self {
        Self(Arc::new(RequestChannel { queue: Mutex::default(), bell }))
    }

    /// Queues a request, as soon as there is room; whether the queue was still open.
    pub(super) async fn push(&self, request: Request) -> bool {
        let (mut request, mut place) = (Some(request), Push { requests: self, number: None });
        poll_fn(|cx| place.poll_push(&mut request, cx)).await
    }

    /// The next request.
    pub(super) fn pop(&self) -> Option<Request> {
        let mut queue = lock(&self.0.queue);
        let request = queue.waiting.pop_front();
        if request.is_some() && !queue.turned_away.is_empty() {
            let turned_away = std::mem::take(&mut queue.turned_away);
            drop(queue);
            turned_away.into_values().for_each(Waker::wake);
        }
        request
    }

    /// Refuses those who wait, and those who come later.
    pub(super) fn close(&self) {
        let mut queue = lock(&self.0.queue);
        queue.closed = true;
        let (waiting, turned_away) = (std::mem::take(&mut queue.waiting), std::mem::take(&mut queue.turned_away));
        drop(queue);
        // Dropped without the lock: whoever waits for an answer wakes and may look here.
        drop(waiting);
        turned_away.into_values().for_each(Waker::wake);
    }
}

/// Who queues a request.
struct Push<'a> {
    requests: &'a Requests,
    /// Under which it waits for room.
    number: Option<u64>,
}

impl Push<'_> {
    fn poll_push(&mut self, request: &mut Option<Request>, cx: &mut Context<'_>) -> Poll<bool> {
        let mut queue = lock(&self.requests.0.queue);
        if queue.closed {
            return Poll::Ready(false);
        }
        if queue.waiting.len() >= MAX_WAITING {
            let number = *self.number.get_or_insert(queue.next);
            queue.next = queue.next.max(number + 1);
            queue.turned_away.insert(number, cx.waker().clone());
            return Poll::Pending;
        }
        queue.waiting.extend(request.take());
        drop(queue);
        self.requests.0.bell.ring();
        Poll::Ready(true)
    }
}

impl Drop for Push<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            lock(&self.requests.0.queue).turned_away.remove(&number);
        }
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").field("waiting", &lock(&self.0.queue).waiting.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::tests::{Count, block_on};

    fn view() -> Request {
        Request::View(Box::new(|_| ()))
    }

    fn full() -> Requests {
        let requests = Requests::new(Bell::default());
        (0..MAX_WAITING).for_each(|_| assert!(block_on(requests.push(view()))));
        requests
    }

    #[test]
    fn one_who_finds_no_room_is_woken_when_there_is_some() {
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
    fn one_who_gives_up_waiting_leaves_nothing_behind() {
        let requests = full();
        for _ in 0..3 {
            let mut push = Box::pin(requests.push(view()));
            assert!(push.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert!(lock(&requests.0.queue).turned_away.is_empty());
    }

    #[test]
    fn a_queue_that_is_closed_refuses_those_who_wait_and_those_who_come() {
        let requests = Requests::new(Bell::default());
        let (reply, answer) = oneshot::channel();
        assert!(block_on(requests.push(Request::Apply { input: Input::Shutdown, reply })));
        requests.close();
        assert!(block_on(answer).is_err());
        assert!(!block_on(requests.push(view())));
    }
}
