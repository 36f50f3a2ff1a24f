//! Commands, views and facts, in any order.

use std::collections::BTreeSet;
use std::time::Duration;

use connmgr_core::{ConnState, Event, Input, PeerInfo, Penalty, Services};
use connmgr_std::PoolEvent;

use crate::conformance::{NextEvent, Rig, RigPool, Setup, TestWorld, config};
use crate::peers::TestPeer;

/// A command may be awaited in the task that takes the events.
pub fn commands_are_answered_in_the_middle_of_the_event_loop<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let id = world.add(peer.address());
    let mut ended = 0;
    while ended < 3 {
        match world.next_event().expect("the pool lives") {
            PoolEvent::Connected(info) => {
                let view = world.pool.connections();
                assert_eq!((view.len(), view[0].conn), (1, info.conn));
                world.bid(Input::Disconnect { conn: info.conn });
            }
            PoolEvent::Event(Event::Disconnected { conn, peer, .. }) => {
                assert_eq!(peer, Some(id));
                world.pool.release(conn);
                world.bid(Input::DialNow { peer: id });
                ended += 1;
            }
            _ => {}
        }
    }
    world.end();
}

/// No event is lost, and none comes twice.
pub fn next_may_be_given_up_at_any_time<R: Rig>(rig: &R) {
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let peers: Vec<TestPeer> = (0..8).map(|_| TestPeer::listen()).collect();
    let wanted: BTreeSet<_> = peers.iter().map(|peer| world.add(peer.address())).collect();
    let mut seen = BTreeSet::new();
    world.until("every Connected", |pool| {
        if let NextEvent::Event(PoolEvent::Connected(info)) = pool.next(Duration::ZERO) {
            assert!(seen.insert(info.peer.expect("an added peer")), "twice");
        }
        (seen.len() == wanted.len()).then_some(())
    });
    assert_eq!(seen, wanted);
    world.end_unwatched();
}

/// Facts change the pool's views, and cause events.
pub fn facts_reach_the_manager<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    let conn = world.connected().conn;
    let reporter = world.pool.reporter(conn);
    reporter.report_ready(PeerInfo { services: Services::NETWORK, ..PeerInfo::default() });
    let view = world.until("it is ready", |pool| {
        let view = pool.connections().remove(0);
        (view.state == ConnState::Ready).then_some(view)
    });
    assert_eq!(view.services, Services::NETWORK);
    // From another thread.
    std::thread::spawn(move || reporter.report_misbehavior(Penalty { persistent: 60, transient: 0 }));
    let warned = world.said("ScoreWarning", |event| match event {
        Event::ScoreWarning { conn, score, .. } => Some((conn, score)),
        _ => None,
    });
    assert_eq!(warned, (conn, 60));
    world.end();
}

/// The host's connections end, and it is refused from then on.
pub fn a_host_that_misbehaves_is_banned<R: Rig>(rig: &R) {
    let mut world = TestWorld::start(rig, Setup::new(config()).listening());
    let mut theirs = crate::peers::PeerStream::connect(world.address()).expect("somebody listens");
    let conn = world.connected().conn;
    world.pool.reporter(conn).report_misbehavior(Penalty { persistent: 101, transient: 0 });
    assert!(world.meanwhile("they are hung up on", || theirs.hear_out()).is_empty());
    world.said("Banned", |event| matches!(event, Event::Banned { .. }).then_some(()));
    world.pool.release(conn);
    let mut again = crate::peers::PeerStream::connect(world.address()).expect("somebody listens");
    assert!(world.meanwhile("they are hung up on again", || again.hear_out()).is_empty());
    assert_eq!((world.pool.bans().len(), world.pool.connections().len()), (1, 0));
    world.end();
}
