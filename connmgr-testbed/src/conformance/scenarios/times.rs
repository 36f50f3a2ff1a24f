//! Times, by the pool's clock.

use std::time::Duration;

use connmgr_std::PoolEvent;

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::TestPeer;

const WAIT: Duration = Duration::from_secs(60);

/// The pool's clock is the clock of its events and views: a retry that is scheduled now is one back-off later, in the
/// event and in the views.
pub fn the_time_until_a_retry_can_be_told<R: Rig>(rig: &R) {
    let mut config = config();
    (config.retry.base, config.retry.cap) = (WAIT, WAIT);
    let mut world = TestWorld::start(rig, Setup::new(config).listening());
    let before = world.pool.now();
    world.add(TestPeer::nobody());
    let at = world.event("RetryScheduled", |event| match event {
        PoolEvent::RetryScheduled { at, .. } => Some(at),
        _ => None,
    });
    let after = world.pool.now();
    assert!((before.after(WAIT)..=after.after(WAIT)).contains(&at), "{before}, {after}: {at}");
    assert_eq!(world.pool.added_peers()[0].next_retry, Some(at));
    world.end();
}
