//! Clause 4: after `handle_timeout(now)` the next deadline is at least 1 ms later than `now`, or none.

use connmgr_core::*;

use crate::chaos::{Mood, configs};
use crate::support::*;

/// The checkers check each timeout. Besides, meeting every deadline for ten minutes takes a bounded number of calls.
#[test]
fn progress() {
    crate::live(4, 1, Mood::Living, |_, _, _, _, _| {});
    for (name, config) in configs() {
        let mut bench = Bench::new(config);
        bench.learn(&addresses(40));
        let end = bench.now.after(secs(600));
        let mut calls = 0;
        while let Some(due) = bench.manager.poll_timeout().filter(|due| *due <= end) {
            bench.now = due;
            bench.tell(Input::Timeout);
            calls += 1;
            assert!(calls < 5000, "`{name}` spins");
        }
    }
}

#[test]
fn due_work_beyond_the_bound_follows_a_tick_later() {
    let mut config = Config { max_actions_per_input: 16, ..Config::default() };
    config.limits = Limits { total: 125, full: 100, ..config.limits };
    config.dial.rate.interval = secs(0);
    let mut bench = Bench::new(config);
    bench.pass(secs(0));
    let first = dials(&bench.learn(&addresses(200))).len();
    assert!(first < 16, "{first} dials at once");
    assert_eq!(bench.manager.poll_timeout(), Some(bench.now.after(millis(1))));
    bench.pass(millis(20));
    assert_eq!(bench.count(ConnState::Dialing), 100);
}

/// A kind without addresses looks again by itself, also when something else wakes the planner in between.
#[test]
fn every_starved_kind_looks_again_by_itself() {
    let mut config = Config::default();
    config.limits.block_relay = 2;
    let mut bench = Bench::new(config);
    bench.pass(secs(600));
    assert!(bench.manager.poll_timeout().is_some_and(|due| due <= bench.now.after(secs(32))), "nobody looks again");
}

/// What an activity releases is done at once: the planner runs after that input too.
#[test]
fn a_sign_of_life_restores_full_speed_at_once() {
    let mut bench = Bench::new(Config::default());
    let (_, actions) = bench.add_peer("11.1.1.1:8333", Keep::Always);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    bench.pass(secs(600));
    let (_, more) = bench.add_peer("2.3.4.5:8333", Keep::Always);
    let (_, mut actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    actions.extend(more);
    let down = Event::NetworkDown { network: NetworkKind::Ipv4 };
    while !events(&actions).contains(&down) {
        actions = dials(&actions).into_iter().flat_map(|conn| bench.fail(conn, DialError::TimedOut)).collect();
        actions.extend(bench.pass(millis(100)));
        assert!(bench.now < Time::from_secs(7200), "never noticed");
    }
    let actions = bench.tell(Input::Activity { conn, activity: Activity::default() });
    assert_eq!(events(&actions), [Event::NetworkUp { network: NetworkKind::Ipv4 }]);
    assert_eq!(dials(&actions).len(), 1, "the first added peer is dialed in the same step");
}
