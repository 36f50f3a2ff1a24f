//! Who looks up what: the book-keeping of the resolver's threads, without a thread or a clock in it.
//!
//! A lookup is queued, then busy on a thread, then gone. A busy one past its deadline is lost: its thread is not
//! counted among those that work any more, so that another may take its place. At most [`MAX_THREADS`] are lost at a
//! time; further ones keep their place until one comes back.

use std::collections::VecDeque;
use std::time::Instant;

use connmgr_core::{HostName, LookupError, LookupId};

use super::{MAX_QUEUED, MAX_THREADS};

/// What waits, and which threads there are.
#[derive(Debug, Default)]
pub(super) struct Desk {
    queue: VecDeque<Job>,
    busy: Vec<Busy>,
    /// Threads that wait for work, those just started included.
    idle: usize,
    /// A thread watches the deadlines.
    pub(super) watched: bool,
    /// The pool was dropped: nothing is begun any more.
    closed: bool,
}

/// A lookup to be made.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) lookup: LookupId,
    pub(super) name: HostName,
    pub(super) deadline: Instant,
}

/// A lookup that a thread is making.
#[derive(Debug)]
struct Busy {
    thread: u64,
    deadline: Instant,
    lost: bool,
}

/// A lookup that ends without having been made, and why.
pub(super) type Unanswered = (LookupId, LookupError);

impl Desk {
    /// Queues a lookup; hands it back when the queue is full.
    pub(super) fn queue(&mut self, job: Job) -> Result<(), Job> {
        if self.queue.len() >= MAX_QUEUED {
            return Err(job);
        }
        self.queue.push_back(job);
        Ok(())
    }

    /// Ends it all: nothing is begun any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.queue.clear();
    }

    /// A thread was started, and will ask for work.
    pub(super) fn thread_started(&mut self) {
        self.idle += 1;
    }

    /// An idle thread takes the next lookup, if there is one.
    pub(super) fn take(&mut self, thread: u64) -> Option<Job> {
        let job = self.queue.pop_front()?;
        self.idle -= 1;
        self.busy.push(Busy { thread, deadline: job.deadline, lost: false });
        Some(job)
    }

    /// An idle thread leaves.
    pub(super) fn leave(&mut self) {
        self.idle -= 1;
    }

    /// A busy thread is done; whether it stays, as an idle one. One that was lost may have been replaced.
    pub(super) fn done(&mut self, thread: u64) -> bool {
        self.busy.retain(|busy| busy.thread != thread);
        let stays = !self.closed && self.working() < MAX_THREADS;
        self.idle += usize::from(stays);
        stays
    }

    /// Gives up what is past its deadline: marks busy threads as lost, takes queued lookups out.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Unanswered> {
        let room = MAX_THREADS - self.lost();
        for busy in self.busy.iter_mut().filter(|busy| !busy.lost && busy.deadline <= now).take(room) {
            busy.lost = true;
        }
        let mut expired = Vec::new();
        self.queue.retain(|job| {
            let waits = job.deadline > now;
            if !waits {
                expired.push((job.lookup, LookupError::TimedOut));
            }
            waits
        });
        expired
    }

    /// No thread can be started: what is queued fails, unless some thread will come to it.
    pub(super) fn give_up(&mut self) -> Vec<Unanswered> {
        if self.working() > 0 {
            return Vec::new();
        }
        self.queue.drain(..).map(|job| (job.lookup, LookupError::Failed)).collect()
    }

    /// When to look again whether something is past its deadline; none while every queued lookup has its thread.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        if self.closed || !self.is_short_of_threads() {
            return None;
        }
        // A thread that can't be marked as lost, because enough are, is not worth waking for.
        let may_lose = self.lost() < MAX_THREADS;
        let busy = self.busy.iter().filter(|busy| may_lose && !busy.lost).map(|busy| busy.deadline);
        self.queue.iter().map(|job| job.deadline).chain(busy).min()
    }

    /// Whether a thread should be started.
    pub(super) fn wants_thread(&self) -> bool {
        !self.closed && self.is_short_of_threads() && self.working() < MAX_THREADS
    }

    /// Whether a watch should be started.
    pub(super) fn wants_watch(&self) -> bool {
        !self.watched && self.next_deadline().is_some()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn is_short_of_threads(&self) -> bool {
        self.queue.len() > self.idle
    }

    fn lost(&self) -> usize {
        self.busy.iter().filter(|busy| busy.lost).count()
    }

    /// Threads that are not lost.
    fn working(&self) -> usize {
        self.idle + self.busy.len() - self.lost()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A desk, the threads started on it so far, and the lookups.
    struct World {
        desk: Desk,
        born: Instant,
        threads: u64,
        lookups: u64,
    }

    impl World {
        fn new() -> Self {
            Self { desk: Desk::default(), born: Instant::now(), threads: 0, lookups: 0 }
        }

        fn at(&self, secs: u64) -> Instant {
            self.born + Duration::from_secs(secs)
        }

        /// Queues a lookup, starts the threads wanted, and lets idle ones work.
        fn ask(&mut self, deadline: u64) {
            self.lookups += 1;
            let job = Job {
                lookup: LookupId::from_u64(self.lookups),
                name: HostName::new("seed.example").unwrap(),
                deadline: self.at(deadline),
            };
            self.desk.queue(job).unwrap();
            self.staff();
        }

        fn staff(&mut self) {
            while self.desk.wants_thread() {
                self.desk.thread_started();
                self.threads += 1;
                self.desk.take(self.threads);
            }
        }

        fn expire(&mut self, secs: u64) -> Vec<Unanswered> {
            let expired = self.desk.expire(self.at(secs));
            self.staff();
            expired
        }
    }

    #[test]
    fn four_lookups_run_and_the_fifth_waits() {
        let mut world = World::new();
        (0..5).for_each(|_| world.ask(30));
        assert_eq!((world.threads, world.desk.queue.len()), (4, 1));
    }

    #[test]
    fn a_lost_thread_is_replaced_when_its_deadline_comes() {
        let mut world = World::new();
        (0..4).for_each(|_| world.ask(30));
        world.ask(60);
        assert_eq!(world.desk.next_deadline(), Some(world.at(30)));
        assert_eq!(world.expire(30), []);
        assert_eq!((world.threads, world.desk.lost(), world.desk.queue.len()), (5, 4, 0));
    }

    #[test]
    fn never_are_there_more_than_four_lost_and_four_working() {
        let mut world = World::new();
        for n in 0..20 {
            world.ask(30 + 30 * n);
            world.expire(30 * n);
        }
        assert_eq!((world.threads, world.desk.lost(), world.desk.working()), (8, 4, 4));
    }

    #[test]
    fn with_all_threads_lost_the_watch_waits_for_the_queue_alone() {
        let mut world = World::new();
        (0..8).for_each(|n| world.ask(30 + n));
        world.expire(100);
        (0..4).for_each(|_| world.ask(150));
        world.expire(200);
        world.ask(300);
        assert_eq!((world.threads, world.desk.queue.len()), (8, 1));
        assert_eq!(world.desk.next_deadline(), Some(world.at(300)));
        assert_eq!(world.expire(300).len(), 1);
        assert_eq!(world.desk.next_deadline(), None);
    }

    #[test]
    fn a_lost_thread_that_comes_back_works_again_or_leaves() {
        let mut world = World::new();
        (0..4).for_each(|_| world.ask(30));
        world.expire(30);
        assert!(world.desk.done(1), "nobody has replaced it");
        (0..4).for_each(|_| world.ask(60));
        world.desk.take(1);
        assert_eq!(world.desk.working(), 4);
        assert!(!world.desk.done(2), "four work already");
    }

    #[test]
    fn when_no_thread_can_be_started_what_waits_fails() {
        let mut world = World::new();
        let job =
            Job { lookup: LookupId::from_u64(1), name: HostName::new("seed.example").unwrap(), deadline: world.at(9) };
        world.desk.queue(job).unwrap();
        assert_eq!(world.desk.give_up(), [(LookupId::from_u64(1), LookupError::Failed)]);
    }
}
