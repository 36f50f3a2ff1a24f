//! Clause 2: an earlier `now` counts as the latest one seen; no deadline overflows.

use connmgr_core::*;

use crate::chaos::{Mood, birth, configs, drain};
use crate::support::*;

/// With the latest time in place of an earlier one, the manager does the same.
#[test]
fn time_moves_forward() {
    for seed in crate::seeds(2, 1) {
        for (name, config) in configs() {
            let (mut told, mut corrected) = (birth(&config, seed), birth(&config, seed));
            let mut latest = Time::ZERO;
            for (now, input) in crate::script(&config, seed, Mood::Eternal) {
                latest = latest.max(now);
                assert_eq!(told.apply(&input, now), corrected.apply(&input, latest), "`{name}`, CHAOS_SEED={seed}");
                assert_eq!(drain(&mut told), drain(&mut corrected), "`{name}`, CHAOS_SEED={seed}");
            }
            assert!(told == corrected, "`{name}`, CHAOS_SEED={seed}");
        }
    }
}

#[test]
fn at_the_end_of_time_nothing_is_due_any_more() {
    let mut bench = Bench::new(Config::default());
    bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.now = Time::MAX;
    for _ in 0..100 {
        bench.tell(Input::Timeout);
        bench.tell(Input::NetworkChanged);
    }
    assert_eq!(bench.manager.poll_timeout(), None);
}

#[test]
fn a_ban_for_ever_overflows_nothing() {
    let mut bench = Bench::new(Config::default());
    bench.now = Time::from_secs(5);
    let target = BanTarget::Host(addr("1.2.3.4:1").host().clone());
    bench.tell(Input::Ban { target, duration: std::time::Duration::MAX });
    bench.now = Time::from_secs(1 << 33);
    bench.tell(Input::Timeout);
    assert_eq!(bench.manager.bans().len(), 1);
}
