//! The resolver's threads: workers, and a watch while lookups wait and every worker is busy.

use std::collections::HashSet;
use std::io;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{LookupError, LookupId};

use super::desk::{Desk, Job, Unanswered};
use super::{MAX_ANSWERS, Resolve};
use crate::sync::{lock, wait_timeout};

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);

/// Called with each answer.
type OnAnswer = Box<dyn Fn(LookupId, Result<Vec<IpAddr>, LookupError>) + Send + Sync>;

/// What the pool and its threads share.
pub(super) struct Shared {
    pub(super) desk: Mutex<Desk>,
    /// There is work, or the pool was dropped.
    work: Condvar,
    /// The watch has to look again.
    watch: Condvar,
    /// The number of the next thread.
    next: AtomicU64,
    resolver: Arc<dyn Resolve>,
    on_answer: OnAnswer,
}

impl Shared {
    pub(super) fn new(resolver: Arc<dyn Resolve>, on_answer: OnAnswer) -> Self {
        let (desk, work, watch, next) = Default::default();
        Self { desk, work, watch, next, resolver, on_answer }
    }

    /// Queues a lookup and finds it a thread, as soon as may be.
    pub(super) fn ask(self: &Arc<Self>, job: Job) {
        let mut desk = lock(&self.desk);
        let refused = desk.queue(job).err();
        self.staff(desk);
        if let Some(job) = refused {
            self.answer(job.lookup, Err(LookupError::Failed));
        }
    }

    /// Sends every idle thread home, and every other when it comes back.
    pub(super) fn close(&self) {
        lock(&self.desk).close();
        self.work.notify_all();
        self.watch.notify_all();
    }

    /// Gives up what is past its deadline, and starts the threads that are missing.
    fn staff(self: &Arc<Self>, mut desk: MutexGuard<'_, Desk>) {
        let mut unanswered = desk.expire(Instant::now());
        while desk.wants_thread() {
            if self.start("connmgr-resolve", Self::work).is_err() {
                unanswered.extend(desk.give_up());
                break;
            }
            desk.thread_started();
        }
        if desk.wants_watch() {
            // Without a watch, the next lookup looks at the deadlines.
            desk.watched = self.start("connmgr-watch", Self::watch).is_ok();
        }
        drop(desk);
        self.work.notify_all();
        self.watch.notify_all();
        self.answer_all(unanswered);
    }

    fn start(self: &Arc<Self>, name: &str, life: fn(&Arc<Self>)) -> io::Result<()> {
        let shared = Arc::clone(self);
        // The handle is dropped: nobody waits for a thread that may hang in the operating system.
        thread::Builder::new().name(name.into()).spawn(move || life(&shared)).map(drop)
    }

    /// A worker's life.
    fn work(self: &Arc<Self>) {
        let thread = self.next.fetch_add(1, Ordering::Relaxed);
        while let Some(job) = self.take(thread) {
            let answer = self.look_up(&job);
            let stays = lock(&self.desk).done(thread);
            // One thread fewer is lost, perhaps.
            self.watch.notify_all();
            self.answer(job.lookup, answer);
            if !stays {
                return;
            }
        }
    }

    /// Waits for work; none when it is time to go. Whoever calls this counts as idle.
    fn take(&self, thread: u64) -> Option<Job> {
        let since = Instant::now();
        let mut desk = lock(&self.desk);
        loop {
            if let Some(job) = desk.take(thread) {
                return Some(job);
            }
            let left = IDLE.saturating_sub(since.elapsed());
            if desk.is_closed() || left.is_zero() {
                desk.leave();
                return None;
            }
            desk = wait_timeout(&self.work, desk, left);
        }
    }

    fn look_up(&self, job: &Job) -> Result<Vec<IpAddr>, LookupError> {
        match catch_unwind(AssertUnwindSafe(|| self.resolver.resolve(&job.name))) {
            Ok(_) if Instant::now() >= job.deadline => Err(LookupError::TimedOut),
            Ok(found) => found.and_then(tidy),
            // The panic hook has said what there is to say.
            Err(_) => Err(LookupError::Failed),
        }
    }

    /// The watch's life: as long as lookups wait for a thread, wakes at each deadline.
    fn watch(self: &Arc<Self>) {
        let mut desk = lock(&self.desk);
        while let Some(deadline) = desk.next_deadline() {
            let wait = deadline.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                self.staff(desk);
                desk = lock(&self.desk);
            } else {
                desk = wait_timeout(&self.watch, desk, wait);
            }
        }
        desk.watched = false;
    }

    fn answer_all(&self, unanswered: Vec<Unanswered>) {
        for (lookup, error) in unanswered {
            self.answer(lookup, Err(error));
        }
    }

    /// Called without a lock, for the callback may ask again.
    fn answer(&self, lookup: LookupId, answer: Result<Vec<IpAddr>, LookupError>) {
        if !lock(&self.desk).is_closed() {
            // A panic of the callback must not take a thread out of the books.
            let _ = catch_unwind(AssertUnwindSafe(|| (self.on_answer)(lookup, answer)));
        }
    }
}

/// Each address once, in order, IPv4 written as IPv6 folded; no address is an error.
fn tidy(found: Vec<IpAddr>) -> Result<Vec<IpAddr>, LookupError> {
    let mut seen = HashSet::new();
    let each = found.into_iter().map(|ip| ip.to_canonical()).filter(|ip| seen.insert(*ip));
    let kept: Vec<IpAddr> = each.take(MAX_ANSWERS).collect();
    if kept.is_empty() { Err(LookupError::NotFound) } else { Ok(kept) }
}
