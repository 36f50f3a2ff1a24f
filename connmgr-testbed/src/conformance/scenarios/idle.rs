//! A pool with nothing to do.

use std::time::Duration;

use crate::conformance::{Rig, Setup, TestWorld, config};
use crate::peers::TestPeer;

/// The pool does not wake between its deadlines.
pub fn an_idle_pool_does_not_wake<R: Rig>(rig: &R) {
    let mut config = config();
    config.retry.base = Duration::from_secs(60);
    config.retry.cap = config.retry.base;
    let mut world = TestWorld::start(rig, Setup::new(config).listening());
    world.add(TestPeer::nobody());
    world.tells_all(&["dial failed: connection refused", "retry 1"]);
    world.is_quiet(Duration::from_millis(20));
    let woke = rig.wakes();
    world.is_quiet(Duration::from_secs(1));
    let woke = rig.wakes() - woke;
    assert!(woke <= 5, "woke {woke} times in a second");
    world.end();
}
