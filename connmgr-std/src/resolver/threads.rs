//! The resolver's threads.

use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{LookupError, LookupId, ResolvedIp};

use super::queue::{LookupQueue, QueuedLookup};
use super::{MAX_ANSWERS, Resolve};
use crate::sync::{lock, wait_timeout};

/// How long an idle thread stays.
const IDLE: Duration = Duration::from_secs(10);

/// Called with each answer.
type OnAnswer = Box<dyn Fn(LookupId, Result<Vec<ResolvedIp>, LookupError>) + Send + Sync>;

/// Shared by the pool and its threads.
pub(super) struct ResolverThreads {
    pub(super) queue: Mutex<LookupQueue>,
    /// There is work, or the pool was dropped.
    work: Condvar,
    resolver: Arc<dyn Resolve>,
    on_answer: OnAnswer,
}

impl ResolverThreads {
    pub(super) fn new(resolver: Arc<dyn Resolve>, on_answer: OnAnswer) -> Self {
        Self { queue: Mutex::default(), work: Condvar::new(), resolver, on_answer }
    }

    /// Queues a lookup, and starts a thread for it if need be.
    pub(super) fn ask(self: &Arc<Self>, job: QueuedLookup) {
        let mut queue = lock(&self.queue);
        let expired = queue.expire(Instant::now());
        let mut failed = Vec::new();
        if let Err(refused) = queue.push(job) {
            failed.push(refused.lookup);
        }
        while queue.wants_thread() {
            if self.start().is_err() {
                failed.extend(queue.give_up());
                break;
            }
            queue.thread_started();
        }
        drop(queue);
        self.work.notify_all();
        for lookup in expired {
            self.answer(lookup, Err(LookupError::TimedOut));
        }
        for lookup in failed {
            self.answer(lookup, Err(LookupError::Failed));
        }
    }

    /// Ends every idle thread, and every other once its lookup returns.
    pub(super) fn close(&self) {
        lock(&self.queue).close();
        self.work.notify_all();
    }

    fn start(self: &Arc<Self>) -> io::Result<()> {
        let shared = Arc::clone(self);
        // Detached: the thread may hang in the operating system.
        thread::Builder::new().name("connmgr-resolve".into()).spawn(move || shared.work()).map(drop)
    }

    /// The body of a thread.
    fn work(&self) {
        while let Some(job) = self.take() {
            let answer = self.look_up(&job);
            lock(&self.queue).done(&job.name);
            self.answer(job.lookup, answer);
        }
    }

    /// Waits for a lookup, as an idle thread; none when the thread is to end.
    fn take(&self) -> Option<QueuedLookup> {
        let since = Instant::now();
        let mut queue = lock(&self.queue);
        loop {
            if let Some(job) = queue.take() {
                return Some(job);
            }
            let left = IDLE.saturating_sub(since.elapsed());
            if queue.is_closed() || left.is_zero() {
                queue.leave();
                return None;
            }
            queue = wait_timeout(&self.work, queue, left);
        }
    }

    fn look_up(&self, job: &QueuedLookup) -> Result<Vec<ResolvedIp>, LookupError> {
        let is_late = || Instant::now() >= job.deadline;
        if is_late() {
            return Err(LookupError::TimedOut);
        }
        match catch_unwind(AssertUnwindSafe(|| self.resolver.resolve(&job.name))) {
            Ok(_) if is_late() => Err(LookupError::TimedOut),
            Ok(found) => found.and_then(tidy),
            // The panic hook has reported it.
            Err(_) => Err(LookupError::Failed),
        }
    }

    /// To be called without the lock: the callback may start another lookup.
    fn answer(&self, lookup: LookupId, answer: Result<Vec<ResolvedIp>, LookupError>) {
        if !lock(&self.queue).is_closed() {
            // After a panic of the callback the thread must go on, or it would be counted for ever.
            let _ = catch_unwind(AssertUnwindSafe(|| (self.on_answer)(lookup, answer)));
        }
    }
}

/// Removes duplicates and keeps the order. No address is an error.
fn tidy(found: Vec<ResolvedIp>) -> Result<Vec<ResolvedIp>, LookupError> {
    let mut seen = HashSet::new();
    let each = found.into_iter().filter(|ip| seen.insert(*ip));
    let kept: Vec<ResolvedIp> = each.take(MAX_ANSWERS).collect();
    if kept.is_empty() { Err(LookupError::NotFound) } else { Ok(kept) }
}
