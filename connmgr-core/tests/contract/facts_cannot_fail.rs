//! Clause 1: no sequence of calls panics; an unknown, late or doubled id is counted and ignored.

use connmgr_core::*;

use crate::chaos::Mood;
use crate::support::*;

#[test]
fn facts_cannot_fail() {
    for mood in [Mood::Living, Mood::Mortal, Mood::Eternal] {
        crate::live(1, 1, mood, |_, _, _, _, _| {});
    }
}

/// Every fact with an id.
fn facts(conn: ConnId) -> Vec<Input> {
    vec![
        Input::DialResult { conn, result: Ok(()) },
        Input::DialResult { conn, result: Err(DialError::Refused) },
        Input::Ready { conn, info: PeerInfo::default() },
        Input::Closed { conn, cause: CloseCause::Eof },
        Input::Misbehavior { conn, penalty: Penalty { persistent: 1, transient: 1 } },
        Input::Activity { conn, activity: Activity::default() },
    ]
}

#[test]
fn an_id_that_was_never_given_is_counted_and_ignored() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    let before = bench.manager.clone();
    let never_given = [0, 77].map(ConnId::from_u64).into_iter().flat_map(facts);
    for (fact, count) in never_given.zip(1..) {
        assert_eq!(bench.tell(fact), [], "an action");
        assert_eq!(bench.manager.stats().ignored_facts, count);
    }
    assert_eq!(bench.manager.connections(), before.connections());
}

#[test]
fn a_fact_told_twice_is_counted_and_ignored() {
    let mut bench = Bench::new(Config::default());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    for fact in [facts(conn).remove(0), facts(conn).remove(2)] {
        bench.tell(fact.clone());
        let ignored = bench.manager.stats().ignored_facts;
        assert_eq!(bench.tell(fact), [], "an action");
        assert_eq!(bench.manager.stats().ignored_facts, ignored + 1);
    }
}

#[test]
fn a_late_penalty_reaches_its_host_through_1024_ended_connections() {
    let config = Config { limits: Limits { total: 2000, ..Limits::default() }, ..Config::default() };
    let mut config = with_listener(config);
    config.listeners[0].permissions.no_limit = true;
    let mut bench = Bench::new(config);
    let remote = |n: u32| format!("11.1.{}.{}:1000", n / 250, n % 250);
    let conns: Vec<ConnId> = (0..1025).map(|n| bench.accept(&remote(n)).expect("room")).collect();
    for conn in &conns {
        bench.close(*conn);
    }
    let penalty = Penalty { persistent: 101, transient: 0 };
    bench.tell(Input::Misbehavior { conn: conns[0], penalty });
    assert!(bench.manager.bans().is_empty(), "the oldest is forgotten");
    bench.tell(Input::Misbehavior { conn: conns[1], penalty });
    assert_eq!(bench.manager.bans().len(), 1);
}
