//! Clause 6: every dial ends once, by the driver's result or our `Close`, whichever is first.

use connmgr_core::*;

use crate::chaos::Mood;
use crate::support::*;

/// The checkers follow every dial; the counters agree with them.
#[test]
fn every_dial_ends_once() {
    crate::live(6, 1, Mood::Living, |manager, _, _, _, _| {
        let stats = manager.stats();
        let dialing = |conn: &ConnView| !conn.state.is_open();
        let under_way = manager.connections().iter().filter(|conn| dialing(conn)).count() as u64;
        let over = stats.dials_succeeded + stats.dials_failed + stats.dials_given_up;
        assert_eq!(stats.dials, over + under_way, "dials are made and over");
    });
}

#[test]
fn a_dial_that_nobody_answers_is_given_up_at_its_deadline() {
    let mut bench = Bench::new(Config::default());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    assert_eq!(closes(&bench.pass(secs(5))), [(conn, CloseReason::DialTimeout)]);
}

#[test]
fn a_late_dial_result_is_closed() {
    let mut bench = Bench::new(Config::default());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    bench.pass(secs(5));
    assert_eq!(bench.connect(conn), [Action::Close { conn, reason: CloseReason::Late }]);
}

#[test]
fn a_late_failure_is_ignored() {
    let mut bench = Bench::new(Config::default());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.pass(secs(5));
    assert_eq!(bench.fail(dials(&actions)[0], DialError::TimedOut), []);
}

#[test]
fn a_silent_dial_that_succeeds_too_late_is_surplus_and_never_connected() {
    let mut config = Config::default();
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    let first = dials(&bench.learn(&addresses(50)))[0];
    let second = dials(&bench.pass(secs(1)))[0];
    bench.connect(second);
    bench.ready(second);
    let actions = bench.connect(first);
    assert_eq!(closes(&actions), [(first, CloseReason::Surplus)]);
    assert!(!events(&actions).iter().any(|event| matches!(event, Event::Connected(_))));
}

/// An attempt that lost its slot, because the limits were lowered while its name was resolved, makes no dial.
#[test]
fn a_name_that_is_resolved_when_no_slot_is_left_waits_for_one() {
    let mut bench = Bench::new(Config::default());
    let (peer, actions) = bench.add_peer("node.example:8333", Keep::Always);
    let Some(Action::ResolveHost { lookup, .. }) = actions.first() else { panic!("not resolved: {actions:?}") };
    let few = Limits { total: 0, ..Limits::default() };
    bench.tell(Input::SetLimits { limits: few });
    let result = Ok(vec!["1.2.3.4".parse().expect("an address")]);
    let actions = bench.tell(Input::LookupResult { lookup: *lookup, result });
    assert_eq!(dials(&actions), []);
    assert_eq!(bench.manager.added_peer(peer).map(|peer| peer.state), Some(PeerState::Queued));
}
