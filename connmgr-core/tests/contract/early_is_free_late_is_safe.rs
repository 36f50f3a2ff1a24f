//! Clause 3: `handle_timeout` before the deadline does nothing; hours late it does what is due once.

use connmgr_core::*;

use crate::chaos::{Mood, birth, configs, drain};
use crate::support::*;

/// A manager that is also called too early at every instant does the same as one that is called only when due.
#[test]
fn early_is_free_late_is_safe() {
    for seed in crate::seeds(3, 1) {
        for (name, config) in configs() {
            let (mut calm, mut nervous) = (birth(&config, seed), birth(&config, seed));
            let mut latest = Time::ZERO;
            for (now, input) in crate::script(&config, seed, Mood::Mortal) {
                latest = latest.max(now);
                if let Some(due) = nervous.poll_timeout().filter(|due| *due > latest) {
                    nervous.apply(&Input::Timeout, now);
                    let after = (nervous.poll_action(), nervous.poll_timeout());
                    assert_eq!(after, (None, Some(due)), "`{name}`, CHAOS_SEED={seed}");
                }
                calm.apply(&input, now);
                nervous.apply(&input, now);
                assert_eq!(drain(&mut calm), drain(&mut nervous), "`{name}`, CHAOS_SEED={seed}");
            }
        }
    }
}

/// A pool of 8 and 8 added peers, all connected for an hour.
fn settled() -> Bench {
    let mut bench = Bench::new(Config::default());
    let mut actions = bench.learn(&addresses(200));
    for n in 0..8 {
        actions.extend(bench.add_peer(&format!("20{n}.1.1.1:8333"), Keep::Always).1);
    }
    for conn in dials(&actions) {
        bench.connect(conn);
        bench.ready(conn);
    }
    bench.pass(secs(3600));
    bench
}

#[test]
fn a_laptop_that_slept_for_a_week_wakes_without_a_burst() {
    let mut bench = settled();
    for conn in bench.manager.connections() {
        bench.close(conn.conn);
    }
    bench.now = bench.now.after(secs(7 * 86_400));
    let actions = bench.tell(Input::Timeout);
    // One dial per slot, one end per dial: what a single call in time could have emitted.
    assert!(dials(&actions).len() <= 16, "{} dials", dials(&actions).len());
    assert!(retries(&actions).len() <= 8);
    assert_eq!(events(&actions).iter().filter(|event| **event == Event::Stopped).count(), 0);
}

#[test]
fn a_retry_that_is_hours_late_is_made_once() {
    let mut bench = Bench::new(Config::default());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.fail(dials(&actions)[0], DialError::Refused);
    bench.now = Time::from_secs(5 * 3600);
    assert_eq!(dials(&bench.tell(Input::Timeout)).len(), 1);
    assert_eq!(dials(&bench.tell(Input::Timeout)).len(), 0);
}
