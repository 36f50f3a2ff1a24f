//! A pool behind `ssh -D`, which takes no credentials and supports no lookups.
//!
//! Run by `.ci/interop-ssh`, which installs OpenSSH: see [`Ssh`].

use connmgr_core::{Config, Event, IsolationMode, Kind, Mode, Seed};
use connmgr_std::{PoolEvent, Problem};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{Ssh, TestPeer};

/// The next problem and the next connection, in whatever order.
fn told_and_connected<R: Rig>(world: &mut TestWorld<R>) -> (bool, Kind) {
    let (mut is_told, mut kind) = (false, None);
    while !is_told || kind.is_none() {
        world.event("a problem and a connection", |event| match event {
            PoolEvent::Problem(Problem::NotIsolated { .. }) => {
                is_told = true;
                Some(())
            }
            PoolEvent::Connected(info) => {
                kind = Some(info.kind);
                Some(())
            }
            PoolEvent::Event(Event::SeedFailed { error, .. }) => panic!("the seed has failed: {error}"),
            _ => None,
        });
    }
    (is_told, kind.expect("the loop ends with both"))
}

/// And the application is told that it is not isolated.
pub fn a_peer_is_connected_through_ssh<R: Rig>(rig: &R) {
    let (ssh, peer) = (Ssh::start(), TestPeer::listen());
    let mut world = TestWorld::start(rig, Setup::new(config()).by_proxy(ssh.proxy(IsolationMode::Preferred)));
    world.add(peer.address());
    let mut line = world.accept(&peer);
    assert_eq!(told_and_connected(&mut world), (true, Kind::Added));
    line.say(b"hello");
    let conn = world.pool.connections()[0].conn;
    assert_eq!(world.read(conn, 5), b"hello");
    world.end();
}

/// It does not answer a lookup, so the seed itself is asked for addresses. The name that the server resolves is
/// `localhost.`: see `.ci/interop-ssh`.
pub fn a_seed_is_dialed_by_name_through_ssh<R: Rig>(rig: &R) {
    let (ssh, seed) = (Ssh::start(), TestPeer::listen());
    let mut config = Config { mode: Mode::Automatic, default_port: seed.address().port(), ..config() };
    config.seeds.names = vec![Seed::new("localhost".parse().expect("a name")).filters_services(true)];
    let mut world = TestWorld::start(rig, Setup::new(config).by_proxy(ssh.proxy(IsolationMode::Preferred)));
    let _line = world.accept(&seed);
    assert_eq!(told_and_connected(&mut world), (true, Kind::AddrFetch));
    world.end();
}

/// The error says that it is the method, not the peer.
pub fn where_isolation_is_required_ssh_is_of_no_use<R: Rig>(rig: &R) {
    let (ssh, peer) = (Ssh::start(), TestPeer::listen());
    let mut world = TestWorld::start(rig, Setup::new(config()).by_proxy(ssh.proxy(IsolationMode::Required)));
    world.add_once(peer.address());
    world.tells(&["dial failed: the proxy accepts none of our authentication methods"]);
    world.end();
}
