//! The descriptors and threads of this process, from /proc/self.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::Rig;

/// How long what has ended may take to be gone: a thread outlives its work, and a runtime its last task, a little.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a process had at a time: how often each descriptor's kind, and each thread's name.
#[derive(Debug)]
pub(super) struct ProcessCensus {
    descriptors: BTreeMap<String, usize>,
    threads: BTreeMap<String, usize>,
}

/// What may be left where something can't be given up.
#[derive(Debug)]
pub(super) struct Left {
    /// Threads of this name: so many.
    pub(super) threads: (&'static str, usize),
    /// Sockets.
    pub(super) sockets: usize,
}

impl ProcessCensus {
    /// Counts.
    pub(super) fn take() -> Self {
        Self { descriptors: count(descriptors()), threads: count(threads()) }
    }

    /// Waits until there is as much as there was then, and no task.
    pub(super) fn is_again<R: Rig>(&self, rig: &R) {
        self.is_again_but_for(rig, &Left { threads: ("", 0), sockets: 0 });
    }

    /// The same, but that this much more is left.
    pub(super) fn is_again_but_for<R: Rig>(&self, rig: &R, left: &Left) {
        let start = Instant::now();
        loop {
            let (now, tasks) = (Self::take(), rig.tasks());
            if tasks == 0 && now.without(left).is_some_and(|now| now.is_as_many_as(self)) {
                return;
            }
            let waited = start.elapsed();
            assert!(waited < PATIENCE, "left: {tasks} tasks; was {self:#?}, is {now:#?}, should be but for {left:?}");
            rig.turn(Duration::from_millis(1));
            thread::yield_now();
        }
    }

    /// This, less what may be left; none where that is not there.
    fn without(&self, left: &Left) -> Option<Self> {
        let (mut descriptors, mut threads) = (self.descriptors.clone(), self.threads.clone());
        let (name, count) = left.threads;
        if threads.remove(name).unwrap_or_default() != count {
            return None;
        }
        if left.sockets > 0 {
            let sockets = descriptors.get_mut("socket:")?;
            *sockets = sockets.checked_sub(left.sockets)?;
        }
        descriptors.retain(|_, count| *count > 0);
        Some(Self { descriptors, threads })
    }

    /// A thread that has just begun may not have its name yet, so names do not count.
    fn is_as_many_as(&self, other: &Self) -> bool {
        let threads = |census: &Self| census.threads.values().sum::<usize>();
        self.descriptors == other.descriptors && threads(self) == threads(other)
    }
}

fn count(kinds: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    kinds.for_each(|kind| *counts.entry(kind).or_default() += 1);
    counts
}

/// What each descriptor is, without the number of the particular one. The one that lists them is gone by the time it
/// is looked at.
fn descriptors() -> impl Iterator<Item = String> {
    let all: Vec<_> = fs::read_dir("/proc/self/fd").expect("/proc").map(|entry| entry.expect("/proc").path()).collect();
    let targets = all.into_iter().filter_map(|path| fs::read_link(path).ok());
    targets.map(|target| target.to_string_lossy().split('[').next().unwrap_or_default().to_owned())
}

/// The name of each thread.
fn threads() -> impl Iterator<Item = String> {
    let all: Vec<_> =
        fs::read_dir("/proc/self/task").expect("/proc").map(|entry| entry.expect("/proc").path()).collect();
    // One may end while it is looked at.
    all.into_iter().filter_map(|path| fs::read_to_string(path.join("comm")).ok()).map(|name| name.trim().to_owned())
}
