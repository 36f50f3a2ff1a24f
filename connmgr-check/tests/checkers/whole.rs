//! The view of the whole, and what is counted.

use std::time::Duration;

use connmgr_check::{Probe, Property};
use connmgr_core::*;

use crate::bench::*;

#[test]
fn a_connection_that_the_view_does_not_show() {
    let mut bench = full(&pool());
    bench.manager = Bench::new(&pool()).manager;
    breaks(Property::ViewAgrees, bench.audit());
}

#[test]
fn slots_that_are_given_away_and_taken_back_are_counted() {
    let mut bench = dialing(&pool(), &pool());
    bench.connect().and_then(|()| bench.pass(secs(2))).expect("eight more are dialed");
    let probes = bench.suite.probes();
    assert_eq!([Probe::StalledHandshake, Probe::SlotTakenBack].map(|probe| probes.count(probe)), [1, 0]);
    let late = bench.in_state(ConnState::Stalled)[0];
    let services = Services::NETWORK | Services::WITNESS;
    bench.ready(late, PeerInfo { services, ..PeerInfo::default() }).expect("it is welcome");
    assert_eq!(bench.suite.probes().count(Probe::SlotTakenBack), 1);
}

#[test]
fn a_pace_that_slows_down_and_is_restored_is_counted() {
    let mut bench = Bench::new(&pool());
    bench.learn(&addresses(1000)).expect("nothing is broken");
    for _ in 0..200 {
        bench.fail(DialError::Refused).and_then(|()| bench.pass(secs(1))).expect("nothing is broken");
    }
    while bench.in_state(ConnState::Dialing).is_empty() {
        bench.pass(Duration::from_millis(100)).expect("the next one is dialed soon");
    }
    bench.connect().and_then(|()| bench.ready_all()).expect("nothing is broken");
    let probes = bench.suite.probes();
    assert_eq!([Probe::PaceSlowed, Probe::PaceRestored].map(|probe| probes.count(probe)), [1, 1]);
}

#[test]
fn a_full_pool_reached_its_target() {
    let bench = full(&pool());
    assert_eq!(bench.suite.probes().count(Probe::TargetReached), 1);
    let missed: Vec<Probe> = bench.suite.probes().missed(&[Probe::TargetReached, Probe::Ban]).collect();
    assert_eq!(missed, [Probe::Ban]);
}
