//! Traffic as proof that a network is up, without reports by the application.

use std::time::{Duration, Instant};

use connmgr_core::{Event, PeerInfo};
use connmgr_std::PoolEvent;

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{Silent, TestPeer};

/// For how long traffic proves that a network is up.
const TRAFFIC_WITHIN: Duration = Duration::from_secs(2);

/// The application never reports activity: it only reads what its peer sends, while no other peer answers. As long as
/// bytes come, the network is up; when the peer falls silent, it is down.
pub fn bytes_that_are_read_keep_a_network_up<R: Rig>(rig: &R) {
    let (silent, peer) = (Silent::listen(), TestPeer::listen());
    let mut config = config();
    config.dial.direct.timeout = Duration::from_millis(100);
    config.dial.direct.hedge_after = Duration::from_millis(50);
    config.health.traffic_within = TRAFFIC_WITHIN;
    config.health.silent_for = Duration::ZERO;
    (config.health.silent_dials, config.health.silent_groups) = (3, 1);
    let mut world = TestWorld::start(rig, Setup::new(config));
    world.add(peer.address());
    let (mut line, conn) = (world.accept(&peer), world.connected().conn);
    world.pool.reporter(conn).report_ready(PeerInfo::default());
    world.add(silent.address());
    let start = Instant::now();
    while start.elapsed() < 2 * TRAFFIC_WITHIN {
        line.say(b".");
        assert_eq!(world.read(conn, 1), b".");
        if let Some(PoolEvent::Event(event)) = world.next_event() {
            assert!(!matches!(event, Event::NetworkDown { .. }), "{event}");
        }
    }
    world.said("the silence is noticed", |event| matches!(event, Event::NetworkDown { .. }).then_some(()));
    world.end();
}
