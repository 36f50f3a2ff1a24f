//! Which seeds answered last. A seed that answers when the last result of all was a failure shows that the way to them is
//! open again, which counts as a change of the machine's network.

use connmgr_core::{HostName, Seed};

/// Whether the last result of each seed was an answer; `None` before the first.
#[derive(Clone, Debug)]
pub(crate) struct SeedResults(Vec<Option<bool>>);

impl SeedResults {
    pub(crate) fn new(seeds: &[Seed]) -> Self {
        Self(vec![None; seeds.len()])
    }

    /// A lookup of a seed has ended. Returns whether it is an answer after all had failed.
    pub(crate) fn record(&mut self, seeds: &[Seed], name: &HostName, answered: bool) -> bool {
        let had_all_failed = self.0.iter().all(|result| *result == Some(false));
        if let Some(at) = seeds.iter().position(|seed| seed.name == *name) {
            self.0[at] = Some(answered);
        }
        answered && had_all_failed
    }
}
