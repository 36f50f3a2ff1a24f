//! Which states have the same fingerprint, and which do not.

use connmgr_core::*;

use crate::support::{Bench, addr, addresses, dials, millis, secs, with_listener};

/// A manager with one added peer, without jitter.
fn bench() -> Bench {
    let mut config = Config { mode: Mode::ConnectOnly, ..with_listener(Config::default()) };
    config.retry.jitter = false;
    let mut bench = Bench::new(config);
    bench.tell(Input::Timeout);
    bench
}

fn print(bench: &Bench) -> u128 {
    bench.manager.fingerprint(bench.now)
}

#[test]
fn ids_counters_and_the_queue_do_not_count() {
    let (mut one, mut other) = (bench(), bench());
    // The other has had more inputs, with the same result.
    let (peer, _) = other.add_peer("1.2.3.4:8333", Keep::Always);
    other.tell(Input::RemovePeer { peer });
    other.tell(Input::Closed { conn: ConnId::from_u64(99), cause: CloseCause::Eof });
    one.add_peer("5.6.7.8:8333", Keep::Always);
    other.apply(&Input::AddPeer { peer: AddedPeer::new(addr("5.6.7.8:8333")) });
    assert_ne!(one.manager.stats(), other.manager.stats());
    assert_ne!(one.manager.connections()[0].conn, other.manager.connections()[0].conn);
    assert_eq!(print(&one), print(&other));
}

#[test]
fn the_time_of_birth_does_not_count() {
    let at = |wait| {
        let mut bench = bench();
        bench.pass(wait);
        bench.add_peer("1.2.3.4:8333", Keep::Always);
        bench.pass(secs(1));
        print(&bench)
    };
    assert_eq!(at(secs(1000)), at(secs(12_345)));
}

#[test]
fn time_counts_while_something_is_due() {
    let mut bench = bench();
    bench.add_peer("1.2.3.4:8333", Keep::Always);
    let before = print(&bench);
    bench.pass(millis(1));
    assert_ne!(print(&bench), before);
}

/// Two managers with different last inputs have different fingerprints.
fn check_differ(what: &str, one: Bench, other: Bench) {
    assert_ne!(print(&one), print(&other), "{what}");
}

#[test]
fn what_decides_the_future_counts() {
    let with = |change: &dyn Fn(&mut Bench)| {
        let mut bench = bench();
        bench.add_peer("1.2.3.4:8333", Keep::Always);
        bench.accept("9.9.9.9:1").expect("the first stranger comes in");
        bench.pass(secs(100));
        change(&mut bench);
        bench
    };
    let accept = |bench: &mut Bench| bench.accept("9.9.8.9:1").expect("comes in");
    let visit = |bench: &mut Bench| {
        let conn = accept(bench);
        bench.close(conn);
    };
    check_differ("a token used up", with(&visit), with(&|_| {}));
    check_differ(
        "a host's score",
        with(&|bench| {
            let conn = accept(bench);
            bench.tell(Input::Misbehavior { conn, penalty: Penalty { persistent: 60, transient: 0 } });
            bench.close(conn);
        }),
        with(&visit),
    );
    check_differ(
        "a ban",
        with(&|bench| {
            let target = BanTarget::Host("7.7.7.7".parse().expect("a host"));
            bench.tell(Input::Ban { target, duration: secs(10) });
        }),
        with(&|_| {}),
    );
    check_differ(
        "a pause",
        with(&|bench| drop(bench.tell(Input::AcceptError { listener: ListenerId(0) }))),
        with(&|_| {}),
    );
    check_differ("rest", with(&|bench| drop(bench.tell(Input::SetActive { active: false }))), with(&|_| {}));
    check_differ(
        "a peer",
        with(&|bench| drop(bench.add_peer("1.2.3.4:8334", Keep::Always))),
        with(&|bench| drop(bench.add_peer("1.2.3.4:8334", Keep::Once))),
    );
}

#[test]
fn what_is_known_of_addresses_counts() {
    let after = |error| {
        let mut config = Config::default();
        config.limits.full = 1;
        let mut bench = Bench::new(config);
        let conn = dials(&bench.learn(&addresses(1)))[0];
        bench.fail(conn, error);
        print(&bench)
    };
    assert_ne!(after(DialError::Refused), after(DialError::Cancelled));
}

/// Enough failures, of whichever peers, release all that wait, also those that are added later.
#[test]
fn failed_attempts_count_though_their_peer_is_gone() {
    let after = |failures| {
        let mut bench = bench();
        let (peer, mut actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
        for _ in 0..failures {
            bench.fail(dials(&actions)[0], DialError::Refused);
            actions = Vec::new();
            while dials(&actions).is_empty() {
                actions = bench.pass(secs(1));
            }
        }
        bench.tell(Input::RemovePeer { peer });
        // The last answer is long ago, too.
        bench.pass(secs(1000));
        print(&bench)
    };
    let most = Limits::default().added;
    assert_eq!(after(most), after(most + 1), "no more are ever needed");
    assert_ne!(after(1), after(2));
}

#[test]
fn what_has_lost_its_slot_counts_and_so_does_a_peer_met_twice() {
    let pool = |max_hedged| {
        let mut config = Config::default();
        (config.limits.full, config.dial.max_hedged) = (1, Some(max_hedged));
        let mut bench = Bench::new(config);
        let conn = dials(&bench.learn(&addresses(1)))[0];
        bench.connect(conn);
        bench.pass(secs(2));
        bench
    };
    check_differ("a handshake without a slot", pool(1), pool(0));
    let met = |identity| {
        let mut config = Config::default();
        config.limits.full = 2;
        let mut bench = Bench::new(config);
        let conns = dials(&bench.learn(&addresses(2)));
        for (conn, identity) in conns.into_iter().zip([1, identity]) {
            bench.connect(conn);
            let info = PeerInfo { identity: Some(Identity([identity; 32])), ..PeerInfo::default() };
            bench.tell(Input::Ready { conn, info });
            if identity == 2 {
                bench.tell(Input::Disconnect { conn });
            }
        }
        bench
    };
    assert_eq!(met(1).manager.connections().len(), met(2).manager.connections().len());
    check_differ("a peer met twice", met(1), met(2));
}

#[test]
fn when_the_network_changed_counts_for_a_minute() {
    let after = |wait| {
        let mut bench = bench();
        bench.pass(secs(wait));
        assert_eq!(bench.tell(Input::NetworkChanged), []);
        [59, 65].map(|at| {
            bench.pass(Time::from_secs(at).since(bench.now));
            print(&bench)
        })
    };
    let (early, late) = (after(0), after(5));
    assert_ne!(early[0], late[0]);
    assert_eq!(early[1], late[1]);
}
