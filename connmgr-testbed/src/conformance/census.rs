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
pub(super) struct Census {
    descriptors: BTreeMap<String, usize>,
    threads: BTreeMap<String, usize>,
}

impl Census {
    /// Counts.
    pub(super) fn take() -> Self {
        Self { descriptors: count(descriptors()), threads: count(threads()) }
    }

    /// Waits until there is no more than there was then, and no task.
    pub(super) fn is_again<R: Rig>(&self, rig: &R) {
        self.is_again_but_for(rig, "", 0);
    }

    /// The same, but that so many threads of this name are left as well.
    pub(super) fn is_again_but_for<R: Rig>(&self, rig: &R, name: &str, count: usize) {
        let start = Instant::now();
        loop {
            let (mut now, tasks) = (Self::take(), rig.tasks());
            let named = now.threads.remove(name).unwrap_or_default();
            if now.is_as_many_as(self) && tasks == 0 && named == count {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "left: {tasks} tasks, {named} threads {name:?}; was {self:#?}, is {now:#?}"
            );
            rig.turn(Duration::from_millis(1));
            thread::yield_now();
        }
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
pub(super) fn threads() -> impl Iterator<Item = String> {
    let all: Vec<_> =
        fs::read_dir("/proc/self/task").expect("/proc").map(|entry| entry.expect("/proc").path()).collect();
    // One may end while it is looked at.
    all.into_iter().filter_map(|path| fs::read_to_string(path.join("comm")).ok()).map(|name| name.trim().to_owned())
}
