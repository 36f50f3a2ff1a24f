//! Clause 11: after `shutdown` every live id gets its `Close`, then `Stopped`; then nothing.

use connmgr_core::*;

use crate::chaos::{Chaos, Mood, birth, configs};
use crate::support::*;

/// A shutdown in the middle of random inputs. Timeouts alone complete it, and later inputs have no effect.
#[test]
fn shut_means_shut() {
    for seed in crate::seeds(11, 2) {
        for (name, config) in configs() {
            let mut manager = birth(&config, seed);
            let mut watcher = crate::watch(name, &config, seed);
            let mut chaos = Chaos::new(seed, Mood::Living, 400);
            for step in 0..400 {
                let (now, input) = chaos.next(&manager);
                let input = if step == 200 { Input::Shutdown } else { input };
                let (_, actions) = watcher.step(&mut manager, now, &input);
                chaos.see(&actions);
                if step == 250 {
                    while let Some(due) = manager.poll_timeout() {
                        watcher.step(&mut manager, due, &Input::Timeout);
                    }
                    assert!(manager.is_stopped(), "`{name}`, CHAOS_SEED={seed}: no deadline, and not stopped");
                }
            }
        }
    }
}

/// Everything is closed once before `Stopped`, which is last.
#[test]
fn every_live_id_is_closed_before_stopped() {
    let mut bench = Bench::new(with_listener(Config::default()));
    let mut actions = bench.learn(&addresses(100));
    actions.extend(bench.add_peer("1.2.3.4:8333", Keep::Always).1);
    bench.connect(dials(&actions)[0]);
    let inbound = bench.accept("99.1.1.1:1000").expect("room");
    bench.actions();
    let live: Vec<ConnId> = bench.manager.connections().iter().map(|conn| conn.conn).collect();
    let actions = bench.tell(Input::Shutdown);
    let closed: Vec<ConnId> = closes(&actions).into_iter().map(|(conn, _)| conn).collect();
    assert_eq!(closed, live);
    assert!(closed.contains(&inbound));
    assert_eq!(actions.last(), Some(&Action::Emit(Event::Stopped)));
    assert_eq!(retries(&actions), [], "nobody is dialed again");
}

#[test]
fn a_second_shutdown_says_nothing() {
    let mut bench = Bench::new(Config::default());
    assert_eq!(events(&bench.tell(Input::Shutdown)), [Event::Stopped]);
    assert_eq!(bench.tell(Input::Shutdown), []);
}

/// Inputs after the end have no effect.
#[test]
fn after_stopped_even_a_network_that_comes_back_is_not_told() {
    let mut bench = Bench::new(Config::default());
    let (_, mut actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    while !events(&actions).contains(&Event::NetworkDown { network: NetworkKind::Ipv4 }) {
        let conn = bench.manager.connections().first().map(|conn| conn.conn);
        actions = match conn {
            Some(conn) => bench.fail(conn, DialError::NetworkUnreachable),
            None => bench.pass(secs(1)),
        };
        assert!(bench.now < Time::from_secs(3600), "never noticed");
    }
    bench.tell(Input::Shutdown);
    assert_eq!(bench.tell(Input::NetworkChanged), []);
}

#[test]
fn after_stopped_a_late_penalty_bans_nobody() {
    let mut bench = Bench::new(with_listener(Config::default()));
    let conn = bench.accept("99.1.1.1:1000").expect("room");
    bench.tell(Input::Shutdown);
    assert_eq!(bench.tell(Input::Misbehavior { conn, penalty: Penalty { persistent: 60, transient: 0 } }), []);
    assert_eq!(bench.tell(Input::Misbehavior { conn, penalty: Penalty { persistent: 600, transient: 0 } }), []);
}
