//! The application's side of a pool.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;

use connmgr_core::{Connected, Time};

use super::Shared;
use crate::answer::{Answer, answer};
use crate::{Handle, PoolEvent, Problem};

/// What the application has of a pool that is kept by a task. Dropped, it has the pool shut down.
#[derive(Debug)]
pub struct Front<S> {
    pub(super) shared: Arc<Shared<S>>,
    handle: Handle,
    /// The end of the task; none before it is there, and once it has been seen.
    ended: Option<Answer<thread::Result<()>>>,
}

impl<S> Front<S> {
    pub(super) const fn new(shared: Arc<Shared<S>>, handle: Handle) -> Self {
        Self { shared, handle, ended: None }
    }

    /// The body of the task: this, with its end told here. A task that its runtime drops has ended, which is no fault.
    pub fn keep<F: Future<Output = ()> + Send>(&mut self, task: F) -> impl Future<Output = ()> + Send + use<S, F> {
        let (ending, ended) = answer();
        self.ended = Some(ended);
        async move { ending.tell(catch(task).await) }
    }

    /// The next thing that the application is to know, its stream made into a connection; none when the task has ended,
    /// and all is taken. Dropped before, it loses nothing.
    ///
    /// # Panics
    /// When the task has panicked, with its panic.
    pub async fn next<C>(&mut self, connect: impl Fn(Connected, S) -> C) -> Option<PoolEvent<C>> {
        poll_fn(|cx| self.poll_next(cx, &connect)).await
    }

    /// Commands and views.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The time, as [`Handle::now`] tells it.
    pub fn now(&self) -> Time {
        self.handle.now()
    }

    /// Has the pool shut down, and waits for the end of the task: the problems that nobody has taken.
    ///
    /// # Panics
    /// When the task has panicked, with its panic.
    pub async fn shutdown(mut self) -> Vec<Problem> {
        self.abandon();
        if let Some(ended) = self.ended.take() {
            pass_on_panic(ended.take().await);
        }
        let mut engine = self.shared.engine();
        std::iter::from_fn(|| engine.poll_problem()).collect()
    }

    fn poll_next<C>(
        &mut self,
        cx: &mut Context<'_>,
        connect: impl Fn(Connected, S) -> C,
    ) -> Poll<Option<PoolEvent<C>>> {
        loop {
            if let Some(event) = self.take(&connect) {
                return Poll::Ready(Some(event));
            }
            let Some(ended) = &mut self.ended else { return Poll::Ready(None) };
            if self.shared.news.poll_heard(cx).is_pending() {
                pass_on_panic(ready!(ended.poll_take(cx)));
                self.ended = None;
            }
        }
    }

    fn take<C>(&self, connect: impl FnOnce(Connected, S) -> C) -> Option<PoolEvent<C>> {
        let mut engine = self.shared.engine();
        if let Some(problem) = engine.poll_problem() {
            return Some(PoolEvent::Problem(problem));
        }
        let event = engine.poll_event()?;
        drop(engine);
        Some(PoolEvent::from_driver(event, connect))
    }

    fn abandon(&self) {
        let notes = self.shared.engine().notes();
        notes.abandon();
    }
}

impl<S> Drop for Front<S> {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// The future, with its panic caught: it goes on to whoever waits for the end, where nothing half done can be seen but
/// through locks.
async fn catch(task: impl Future<Output = ()>) -> thread::Result<()> {
    let mut task = pin!(task);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx))) {
        Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

fn pass_on_panic(ended: Option<thread::Result<()>>) {
    if let Some(Err(panic)) = ended {
        resume_unwind(panic);
    }
}
