//! Two runs side by side: what is measured of both, and where their first managers part.

use connmgr_core::ConfigError;

use crate::figures::Figures;
use crate::record::{Entry, Record, Recorder};
use crate::run::finish;
use crate::subject::{Real, Subject};
use crate::watch::Watch;
use crate::world::{Scrutiny, World};
use crate::{Outcome, Scenario};

/// One side.
#[derive(Clone, Debug)]
pub struct Side {
    /// What came of it.
    pub outcome: Outcome,
    record: Option<Record>,
}

/// Where two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// How many entries they have in common.
    pub common: usize,
    /// The next of the one; none if it ends there.
    pub one: Option<Entry>,
    /// The next of the other.
    pub other: Option<Entry>,
}

impl Side {
    /// Runs a scenario with a seed, and writes down what its first manager was told and did in the last run of its
    /// process.
    ///
    /// # Errors
    /// When the configuration of the managers is refused.
    pub fn run(scenario: &Scenario, seed: u64) -> Result<Self, ConfigError> {
        let mut watch = Watch::default();
        watch.recorder = Some(Recorder::default());
        let mut world: World<Real> = World::watched(scenario.clone(), seed, Scrutiny::USUAL, watch)?;
        let outcome = finish(&mut world);
        let subject = world.node_mut(0).and_then(|node| node.subject.as_mut());
        let record = subject.and_then(|subject| subject.watch_mut().recorder.as_mut()?.take());
        Ok(Self { outcome, record })
    }

    /// What was measured.
    pub const fn figures(&self) -> &Figures {
        &self.outcome.figures
    }

    /// Where the two part; none if they are the same.
    pub fn parts_from(&self, other: &Self) -> Option<Parting> {
        let entries = |side: &Self| side.record.as_ref().map_or(Vec::new(), |record| record.entries.clone());
        let (one, two) = (entries(self), entries(other));
        let common = one.iter().zip(&two).take_while(|(a, b)| a == b).count();
        let parting = Parting { common, one: one.get(common).cloned(), other: two.get(common).cloned() };
        (parting.one != parting.other).then_some(parting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_does_not_part_from_itself_and_parts_from_that_of_another_seed() {
        let scenario = crate::catalogue::find("cold-start").expect("in the catalogue");
        let side = |seed| Side::run(&scenario, seed).expect("a good configuration");
        let (one, same, other) = (side(1), side(1), side(2));
        assert_eq!(one.parts_from(&same), None);
        let parting = one.parts_from(&other).expect("another seed");
        assert_ne!(parting.one, parting.other);
        assert_ne!(one.outcome.digest, other.outcome.digest);
    }
}
