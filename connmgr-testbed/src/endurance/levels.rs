//! Resources that must not grow from rest to rest.

use std::fmt;

use crate::process;

/// After this part of the rests, memory must be flat: maps and the allocator have reached their size.
const WARM_UP: usize = 5;

/// How much memory may grow after that, in KiB: what an allocator keeps or returns between two rests. A leak of 16
/// bytes for each of 200 000 connections is more.
const MEMORY_SLACK: u64 = 1024;

/// The amounts of resources that may leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResourceLevels {
    connections: u64,
    descriptors: usize,
    threads: usize,
    tasks: usize,
    /// In KiB.
    memory: u64,
}

impl ResourceLevels {
    pub(super) fn read(connections: u64, tasks: usize) -> Self {
        let (descriptors, threads) = (process::descriptors(), process::threads());
        Self { connections, descriptors, threads, tasks, memory: process::memory() }
    }
}

/// What has grown. The first is from before the first wave.
pub(super) fn compare(levels: &[ResourceLevels]) -> Vec<String> {
    let (Some(first), Some(last)) = (levels.first(), levels.last()) else { return vec!["no rest".into()] };
    let mut faults = Vec::new();
    for rest in levels {
        for (what, before, after) in [
            ("descriptors", first.descriptors, rest.descriptors),
            ("threads", first.threads, rest.threads),
            ("tasks", first.tasks, rest.tasks),
        ] {
            if before != after {
                faults.push(format!("{what}: {before} before all, {after} after {}", rest.connections));
            }
        }
    }
    let warm = levels.get(levels.len() / WARM_UP).map_or(first.memory, |rest| rest.memory);
    if last.memory > warm + MEMORY_SLACK {
        faults.push(format!("memory: {warm} KiB when warm, {} KiB at the end", last.memory));
    }
    faults
}

impl fmt::Display for ResourceLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, descriptors, threads, tasks, memory } = self;
        write!(
            f,
            "{connections:7} connections: {descriptors} descriptors, {threads} threads, {tasks} tasks, {memory} KiB"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests(change: impl Fn(usize, &mut ResourceLevels)) -> Vec<ResourceLevels> {
        let level = ResourceLevels { connections: 0, descriptors: 9, threads: 2, tasks: 1, memory: 5000 };
        let mut levels = [level; 21];
        levels.iter_mut().enumerate().for_each(|(at, rest)| change(at, rest));
        levels.to_vec()
    }

    #[test]
    fn a_level_run_is_flat() {
        assert_eq!(compare(&rests(|_, _| ())), Vec::<String>::new());
    }

    #[test]
    fn memory_may_rise_while_it_warms_up() {
        assert_eq!(compare(&rests(|at, rest| rest.memory += 2000 * at.min(3) as u64)), Vec::<String>::new());
    }

    #[test]
    fn one_descriptor_that_stays_is_a_fault() {
        assert_eq!(compare(&rests(|at, rest| rest.descriptors += at / 20)).len(), 1);
    }

    #[test]
    fn memory_that_goes_on_rising_is_a_fault() {
        assert_eq!(compare(&rests(|at, rest| rest.memory += 100 * at as u64)).len(), 1);
    }
}
