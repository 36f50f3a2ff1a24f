//! What "full again" means: a world in which nobody is left never is, whatever it looked like at the moment of healing.

use connmgr_sim::scenario::{FaultKind, FaultSpec, HostBehavior, HostTurn, catalogue};
use connmgr_sim::types::Share;
use connmgr_sim::{Instant, RunOutcome, Scenario, Terms, run};

/// Every scenario of one manager that promises a recovery, and when that is to begin.
fn promising() -> impl Iterator<Item = (Scenario, Instant)> {
    let promising = |scenario: &Scenario| scenario.node.count == 1 && scenario.expect.full_within.is_some();
    catalogue::all().into_iter().filter(promising).map(|mut scenario| {
        let healed = scenario.healed_at().expect("a promise that is judged");
        scenario.expect.healed_at = Some(healed.span());
        (scenario.expect.bounds, scenario.expect.probes) = (Vec::new(), Vec::new());
        (scenario, healed)
    })
}

fn rules(outcome: &RunOutcome) -> Vec<&str> {
    outcome.failures.iter().map(|failure| failure.rule.as_str()).collect()
}

#[test]
fn a_world_whose_hosts_leave_as_it_heals_does_not_recover() {
    let mut tried = 0;
    for (mut scenario, healed) in promising().filter(|(scenario, _)| !scenario.node.connect_only) {
        let gone = || HostTurn { at: healed.span(), into: HostBehavior::BlackHole, hang_up: true };
        scenario.hosts.iter_mut().for_each(|spec| spec.turns = Some(gone()));
        assert_eq!(rules(&run(&scenario, 1, Terms::default())), ["recovery"], "{}", scenario.name);
        tried += 1;
    }
    assert!(tried >= 20, "{tried}");
}

#[test]
fn a_world_that_falls_silent_as_it_heals_does_not_recover() {
    let mut tried = 0;
    for (mut scenario, healed) in promising() {
        scenario.faults.push(FaultSpec {
            fault: FaultKind::Partition(Share::ALL),
            at: healed.span(),
            lasts: None,
            every: None,
            times: None,
            share: Share::ALL,
            chance: Share::ALL,
        });
        assert_eq!(rules(&run(&scenario, 1, Terms::default())), ["recovery"], "{}", scenario.name);
        tried += 1;
    }
    assert!(tried >= 20, "{tried}");
}
