//! The resolver's queue, and what its threads are doing; without threads or clocks of its own.
//!
//! A lookup is queued, then busy on a thread, then gone. A name is never busy on two threads: a second lookup of it
//! waits for the first. So a name that hangs, however often it is tried, holds one of [`MAX_RESOLVER_THREADS`].

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

use connmgr_core::{HostName, LookupId};

use super::{MAX_QUEUED, MAX_RESOLVER_THREADS};

/// The lookups that wait, and the names that are being looked up.
#[derive(Debug, Default)]
pub(super) struct LookupQueue {
    queue: VecDeque<QueuedLookup>,
    /// Names that are being looked up, each by a thread of its own.
    busy: Vec<HostName>,
    /// Threads that wait for work, those just started included.
    idle: usize,
    /// The pool was dropped: no lookup is begun any more.
    closed: bool,
}

/// A lookup that waits for a thread.
#[derive(Debug)]
pub(super) struct QueuedLookup {
    pub(super) lookup: LookupId,
    pub(super) name: HostName,
    pub(super) deadline: Instant,
}

impl LookupQueue {
    /// Queues a lookup; hands it back when the queue is full.
    pub(super) fn push(&mut self, job: QueuedLookup) -> Result<(), QueuedLookup> {
        if self.queue.len() >= MAX_QUEUED {
            return Err(job);
        }
        self.queue.push_back(job);
        Ok(())
    }

    /// Drops the lookups that wait, and begins no more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.queue.clear();
    }

    /// A thread was started. It will take a lookup.
    pub(super) fn thread_started(&mut self) {
        self.idle += 1;
    }

    /// An idle thread takes the next lookup, if there is one.
    pub(super) fn take(&mut self) -> Option<QueuedLookup> {
        let next = self.queue.iter().position(|job| !self.busy.contains(&job.name))?;
        let job = self.queue.remove(next)?;
        self.idle -= 1;
        self.busy.push(job.name.clone());
        Some(job)
    }

    /// An idle thread leaves.
    pub(super) fn leave(&mut self) {
        self.idle -= 1;
    }

    /// The lookup of this name has ended; its thread is idle.
    pub(super) fn done(&mut self, name: &HostName) {
        self.busy.retain(|busy| busy != name);
        self.idle += 1;
    }

    /// Removes the lookups that are past their deadline.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<LookupId> {
        let queue = std::mem::take(&mut self.queue);
        let (expired, waiting): (VecDeque<_>, VecDeque<_>) = queue.into_iter().partition(|job| job.deadline <= now);
        self.queue = waiting;
        expired.into_iter().map(|job| job.lookup).collect()
    }

    /// No thread can be started: removes every lookup, unless there is a thread that may take it later.
    pub(super) fn give_up(&mut self) -> Vec<LookupId> {
        if self.threads() > 0 {
            return Vec::new();
        }
        self.queue.drain(..).map(|job| job.lookup).collect()
    }

    /// Whether a thread should be started.
    pub(super) fn wants_thread(&self) -> bool {
        self.threads() < MAX_RESOLVER_THREADS && self.ready_names() > self.idle
    }

    /// How many names wait that no thread is looking up.
    fn ready_names(&self) -> usize {
        let names: HashSet<_> = self.queue.iter().map(|job| &job.name).collect();
        names.into_iter().filter(|name| !self.busy.contains(name)).count()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn threads(&self) -> usize {
        self.idle + self.busy.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A queue whose threads take lookups at once, and the numbers of those asked for and begun.
    struct Lookups {
        queue: LookupQueue,
        born: Instant,
        asked: u64,
        begun: Vec<u64>,
    }

    impl Lookups {
        fn new() -> Self {
            Self { queue: LookupQueue::default(), born: Instant::now(), asked: 0, begun: Vec::new() }
        }

        fn at(&self, secs: u64) -> Instant {
            self.born + Duration::from_secs(secs)
        }

        /// The next lookup, due at 30 s.
        fn job(&mut self, name: &str) -> QueuedLookup {
            self.asked += 1;
            QueuedLookup {
                lookup: LookupId::from_u64(self.asked),
                name: HostName::new(name).unwrap(),
                deadline: self.at(30),
            }
        }

        /// Queues a lookup, starts the threads that are wanted, and lets idle ones take it.
        fn ask(&mut self, name: &str) {
            let job = self.job(name);
            self.queue.push(job).unwrap();
            while self.queue.wants_thread() {
                self.queue.thread_started();
            }
            self.work();
        }

        fn done(&mut self, name: &str) {
            self.queue.done(&HostName::new(name).unwrap());
            self.work();
        }

        fn work(&mut self) {
            while self.queue.idle > 0 {
                let Some(job) = self.queue.take() else { break };
                self.begun.push(job.lookup.as_u64());
            }
        }
    }

    #[test]
    fn four_lookups_run_and_the_fifth_waits_for_one_of_them() {
        let mut world = Lookups::new();
        ["a", "b", "c", "d", "e"].into_iter().for_each(|name| world.ask(name));
        assert_eq!((world.queue.threads(), &world.begun[..]), (4, &[1, 2, 3, 4][..]));
        world.done("c");
        assert_eq!((world.queue.threads(), world.begun.last()), (4, Some(&5)));
    }

    #[test]
    fn a_name_is_on_one_thread_at_a_time_and_holds_up_no_other() {
        let mut world = Lookups::new();
        ["a", "a", "a", "b"].into_iter().for_each(|name| world.ask(name));
        assert_eq!((world.queue.threads(), &world.begun[..]), (2, &[1, 4][..]));
        world.done("b");
        assert_eq!(world.begun, [1, 4], "still looked up by another");
        world.done("a");
        assert_eq!(world.begun, [1, 4, 2]);
    }

    #[test]
    fn a_name_that_hangs_does_not_fill_the_queue() {
        let mut world = Lookups::new();
        (0..=MAX_QUEUED).for_each(|_| world.ask("a"));
        let job = world.job("b");
        let job = world.queue.push(job).unwrap_err();
        assert_eq!(world.queue.expire(world.at(30)).len(), MAX_QUEUED);
        assert!(world.queue.push(job).is_ok());
    }

    #[test]
    fn when_no_thread_can_be_started_waiting_lookups_are_given_up() {
        let mut world = Lookups::new();
        let job = world.job("a");
        world.queue.push(job).unwrap();
        assert_eq!(world.queue.give_up(), [LookupId::from_u64(1)]);
    }

    #[test]
    fn a_lookup_that_some_thread_may_take_is_not_given_up() {
        for waiting in ["a", "b"] {
            let mut world = Lookups::new();
            world.ask("a");
            let job = world.job(waiting);
            world.queue.push(job).unwrap();
            assert_eq!(world.queue.give_up(), []);
        }
    }
}
