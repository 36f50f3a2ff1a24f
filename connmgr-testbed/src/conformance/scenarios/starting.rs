//! Pools that do not start.

use connmgr_core::{Config, Listener, ListenerId};

use crate::conformance::{Rig, Setup, TestWorld, config};
use crate::peers::TestPeer;

fn error<R: Rig>(rig: &R, setup: Setup) -> String {
    TestWorld::try_start(rig, setup).expect_err("something is wrong").to_string()
}

/// The error has the address.
pub fn a_port_that_is_taken_is_named<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let error = error(rig, Setup::new(config()).listening_at(peer.address(), None));
    assert!(error.contains(&peer.address().to_string()), "{error}");
}

/// The error has the field.
pub fn a_configuration_that_makes_no_sense_is_refused_by_field<R: Rig>(rig: &R) {
    let mut config = config();
    config.score.max_hosts = 0;
    let error = error(rig, Setup::new(config));
    assert!(error.contains("score.max_hosts"), "{error}");
}

/// No number is left for it.
pub fn a_listener_after_the_last_number_is_refused<R: Rig>(rig: &R) {
    let listeners = [0, u32::MAX].map(ListenerId);
    let listener = |id| Listener::new(id);
    let config = Config { listeners: listeners.map(listener).into(), ..config() };
    let error = error(rig, Setup::new(config).listening());
    assert!(error.contains("listeners.id"), "{error}");
}
