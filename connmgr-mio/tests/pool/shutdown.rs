//! A pool that has stopped.

use connmgr_core::CommandError;

use crate::support::{World, builder, config, peer};

#[test]
fn a_pool_that_has_stopped_lends_nothing_refuses_commands_and_waits_for_nothing() {
    let (_listener, address) = peer();
    let mut world = World::start(builder(config()));
    world.add(address);
    let ours = world.connected().conn;
    let problems = world.shutdown();
    assert!(problems.is_empty(), "{problems:?}");
    assert!(world.pool.stream(ours).is_none());
    assert_eq!(world.pool.disconnect(ours), Err(CommandError::ShuttingDown));
    assert!(world.pool.poll_timeout().is_none());
}
