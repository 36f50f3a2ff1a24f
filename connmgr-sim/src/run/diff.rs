//! Two runs side by side: their outcomes, and the first difference in what one manager was told and did.

use connmgr_core::ConfigError;

use crate::run::outcome::{RunOutcome, Terms, finish};
use crate::scenario::Scenario;
use crate::watch::record::{RecordEntry, RunRecord};

/// Entries shown before the first difference.
const BEFORE: usize = 5;

/// Two runs side by side.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Their outcomes.
    pub outcomes: [RunOutcome; 2],
    /// Whether the manager's births differ.
    pub births_differ: bool,
    /// The first difference; `None` if there is none.
    pub first: Option<Parting>,
}

/// The first difference of two records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The number of equal entries before it.
    pub after: usize,
    /// The last equal entries.
    pub before: Vec<RecordEntry>,
    /// The next entry of each; `None` where a record has ended.
    pub next: [Option<RecordEntry>; 2],
}

/// Runs two scenarios, each with its seed, and compares what the `node`-th manager of each was told and did. Of a
/// process that starts again, its last run is compared.
///
/// # Errors
/// When the configuration of the managers is refused.
pub fn diff(runs: [(&Scenario, u64); 2], terms: Terms, node: u32) -> Result<Difference, ConfigError> {
    let [(left, left_record), (right, right_record)] =
        [recorded(runs[0], terms, node)?, recorded(runs[1], terms, node)?];
    let entries = |record: &Option<RunRecord>| record.as_ref().map_or(Vec::new(), |record| record.entries.clone());
    let births_differ = match (&left_record, &right_record) {
        (Some(left), Some(right)) => left.birth != right.birth,
        (left, right) => left.is_some() != right.is_some(),
    };
    let first = parting(&entries(&left_record), &entries(&right_record));
    Ok(Difference { outcomes: [left, right], births_differ, first })
}

fn recorded(
    (scenario, seed): (&Scenario, u64),
    terms: Terms,
    node: u32,
) -> Result<(RunOutcome, Option<RunRecord>), ConfigError> {
    let mut world = terms.recorded(scenario.clone(), seed, node)?;
    let outcome = finish(&mut world);
    Ok((outcome, world.watch_mut().take_record()))
}

fn parting(left: &[RecordEntry], right: &[RecordEntry]) -> Option<Parting> {
    let after = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    let next = [left.get(after).cloned(), right.get(after).cloned()];
    let before = left[after.saturating_sub(BEFORE)..after].to_vec();
    next.iter().any(Option::is_some).then_some(Parting { after, before, next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{HostSpec, PeerSpec, Span};

    fn small() -> Scenario {
        let mut scenario = Scenario::new("small", Span::minutes(5));
        scenario.hosts.push(HostSpec::new("honest", 5));
        let of = "honest".to_owned();
        scenario.peers.push(PeerSpec::new(of, 2));
        scenario
    }

    #[test]
    fn the_same_run_has_no_difference() {
        let difference = diff([(&small(), 1), (&small(), 1)], Terms::default(), 0).expect("sound");
        assert_eq!((difference.births_differ, difference.first), (false, None));
    }

    /// The first hour of `all-seeds-dead` differs whichever of its seeds fails in another way.
    #[test]
    fn each_dead_seed_is_dead_in_its_own_way() {
        let whole = crate::scenario::catalogue::find("all-seeds-dead").expect("in the catalogue");
        let hour = Scenario { duration: Span::hours(1), expect: Default::default(), ..whole };
        for (place, seed) in hour.seeds.iter().enumerate() {
            for way in hour.seeds.iter().map(|other| other.behavior).filter(|way| *way != seed.behavior) {
                let mut other = hour.clone();
                other.seeds[place].behavior = way;
                let difference = diff([(&hour, 1), (&other, 1)], Terms::default(), 0).expect("sound");
                assert!(difference.first.is_some(), "{} might as well be {way:?}", seed.name);
            }
        }
    }

    #[test]
    fn one_peer_less_parts_where_it_would_have_been_added() {
        let mut other = small();
        other.peers[0].count = 1;
        let difference = diff([(&small(), 1), (&other, 1)], Terms::default(), 0).expect("sound");
        let parting = difference.first.expect("they part");
        assert!(!difference.births_differ);
        let is_added = |entry: &Option<RecordEntry>| {
            matches!(entry, Some(RecordEntry::Told { input: connmgr_core::Input::AddPeer { .. }, .. }))
        };
        assert!(is_added(&parting.next[0]) && !is_added(&parting.next[1]), "{parting:?}");
    }
}
