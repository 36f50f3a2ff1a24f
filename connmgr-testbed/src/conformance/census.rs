//! The descriptors and threads of this process, from /proc/self.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::Rig;

/// How long to wait until everything is gone: a thread outlives its work a little, and a runtime its last task.
const PATIENCE: Duration = Duration::from_secs(5);

/// The descriptors of a process by type, and its threads by name.
#[derive(Debug)]
pub(super) struct ProcessCensus {
    descriptors: BTreeMap<String, usize>,
    threads: BTreeMap<String, usize>,
}

/// What may be left, where something can't be given up.
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

    /// Waits until the counts are the same as then, and there is no task.
    pub(super) fn is_again<R: Rig>(&self, rig: &R) {
        self.is_again_but_for(rig, &Left { threads: ("", 0), sockets: 0 });
    }

    /// The same, except that this is left.
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

    /// Without what may be left; none if that is not there.
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

    // A thread that has just started may not have its name yet, so names are not compared.
    fn is_as_many_as(&self, other: &Self) -> bool {
        let threads = |census: &Self| census.threads.values().sum::<usize>();
        self.descriptors == other.descriptors && threads(self) == threads(other)
    }
}

fn count(kinds: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

/// The type of each descriptor. The one that lists them is closed by the time it is read.
fn descriptors() -> impl Iterator<Item = String> {
    let all: Vec<_> = fs::read_dir("/proc/self/fd").expect("/proc").map(|entry| entry.expect("/proc").path()).collect();
    let targets = all.into_iter().filter_map(|path| fs::read_link(path).ok());
    targets.map(|target| target.to_string_lossy().split('[').next().unwrap_or_default().to_owned())
}

/// The name of each thread.
fn threads() -> impl Iterator<Item = String> {
    let all: Vec<_> =
        fs::read_dir("/proc/self/task").expect("/proc").map(|entry| entry.expect("/proc").path()).collect();
    // A thread may end meanwhile.
    all.into_iter().filter_map(|path| fs::read_to_string(path.join("comm")).ok()).map(|name| name.trim().to_owned())
}
