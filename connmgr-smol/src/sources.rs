//! Where the driver task's news comes from.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_channel::Receiver;
use connmgr_core::{ListenerId, LookupId};
use connmgr_std::Mailbox;
use futures_lite::Stream;

use crate::alarm::Alarm;
use crate::bell::Bell;
use crate::handle::{Request, Requests};
use crate::jobs::{Finished, Lookup};
use crate::listener::{Accepted, Listeners};

/// Why the driver task woke.
#[derive(Debug)]
pub(crate) enum Wake {
    Asked(Request),
    Finished(Finished),
    Accepted(ListenerId, Accepted),
    Looked(LookupId, Lookup),
    Mail,
    Alarm,
    PoolDropped,
}

/// A channel that is listened to by one task, without an allocation for each wait.
type Inbox<T> = Pin<Box<Receiver<T>>>;

/// All but the listeners and the alarm.
#[derive(Debug)]
pub(crate) struct Sources {
    requests: Requests,
    jobs: Inbox<Finished>,
    /// Answers of the resolver threads.
    lookups: Inbox<(LookupId, Lookup)>,
    pub(crate) mailbox: Mailbox,
    /// Says that mail has come.
    pub(crate) postman: Bell,
    mail: Inbox<()>,
    /// Ends when the pool is dropped; none after that.
    pool: Option<Inbox<Infallible>>,
    /// The source that is asked first next time, so that a busy one starves none.
    first: usize,
}

/// Asks one source.
type Ask = fn(&mut Sources, &mut Listeners, &mut Alarm, &mut Context<'_>) -> Poll<Wake>;

/// The sources, by number.
const ASKS: [Ask; 7] = [
    |sources, _, _, cx| sources.requests.poll_next(cx).map(Wake::Asked),
    |sources, _, _, cx| poll_inbox(&mut sources.jobs, cx).map(Wake::Finished),
    |_, listeners, _, cx| listeners.poll_accept(cx).map(|(id, accepted)| Wake::Accepted(id, accepted)),
    |sources, _, _, cx| poll_inbox(&mut sources.lookups, cx).map(|(lookup, result)| Wake::Looked(lookup, result)),
    |sources, _, _, cx| poll_inbox(&mut sources.mail, cx).map(|()| Wake::Mail),
    |_, _, alarm, cx| alarm.poll_ring(cx).map(|()| Wake::Alarm),
    |sources, _, _, cx| sources.poll_dropped(cx).map(|()| Wake::PoolDropped),
];

impl Sources {
    /// `post` is what rings when mail has come, where that is heard, and the mailbox it comes into.
    pub(crate) fn new(
        requests: Requests,
        jobs: Receiver<Finished>,
        lookups: Receiver<(LookupId, Lookup)>,
        post: (Bell, Receiver<()>, Mailbox),
        pool: Receiver<Infallible>,
    ) -> Self {
        let (postman, mail, mailbox) = post;
        let (jobs, lookups, mail) = (Box::pin(jobs), Box::pin(lookups), Box::pin(mail));
        Self { requests, jobs, lookups, mailbox, postman, mail, pool: Some(Box::pin(pool)), first: 0 }
    }

    /// Waits for whatever comes first. Nothing that comes is lost: what does not come first is there the next time.
    pub(crate) async fn wake(&mut self, listeners: &mut Listeners, alarm: &mut Alarm) -> Wake {
        poll_fn(|cx| self.poll_wake(listeners, alarm, cx)).await
    }

    /// Hears nobody any more, but for the jobs: once they have all ended, that channel is closed.
    pub(crate) fn end(self) -> Receiver<Finished> {
        Receiver::clone(&self.jobs)
    }

    fn poll_wake(&mut self, listeners: &mut Listeners, alarm: &mut Alarm, cx: &mut Context<'_>) -> Poll<Wake> {
        for index in (self.first..ASKS.len()).chain(0..self.first) {
            if let Poll::Ready(wake) = ASKS[index](self, listeners, alarm, cx) {
                self.first = (index + 1) % ASKS.len();
                return Poll::Ready(wake);
            }
        }
        Poll::Pending
    }

    /// Ready once.
    fn poll_dropped(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pool) = &mut self.pool else { return Poll::Pending };
        // Nothing is ever sent.
        let _ = ready!(pool.as_mut().poll_next(cx));
        self.pool = None;
        Poll::Ready(())
    }
}

/// Never ready once everybody who could send is gone.
fn poll_inbox<T>(inbox: &mut Inbox<T>, cx: &mut Context<'_>) -> Poll<T> {
    match inbox.as_mut().poll_next(cx) {
        Poll::Ready(Some(received)) => Poll::Ready(received),
        Poll::Ready(None) | Poll::Pending => Poll::Pending,
    }
}
