//! Sockets of dials that the application prepares.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use connmgr_core::{IsolationMode, Proxy};
use socket2::SockRef;

use crate::conformance::{Rig, Setup, TestWorld, config};
use crate::peers::{TestPeer, socks};

/// The source address is the application's choice. On Linux all of 127.0.0.0/8 is this machine's.
#[cfg(target_os = "linux")]
pub fn a_dial_comes_from_the_address_that_the_hook_binds<R: Rig>(rig: &R) {
    let (peer, source) = (TestPeer::listen(), SocketAddr::from(([127, 0, 0, 2], 0)));
    let setup = Setup::new(config()).preparing(move |socket, _| SockRef::from(&socket).bind(&source.into()));
    let mut world = TestWorld::start(rig, setup);
    world.add(peer.address());
    let mut theirs = world.accept(&peer);
    assert_eq!(theirs.other_end().ip(), source.ip());
    let conn = world.connected().conn;
    world.write(conn, b"ping");
    assert_eq!(&theirs.hear(), b"ping");
    world.end();
}

/// It is told the address that the socket connects to.
pub fn every_socket_is_prepared_also_one_to_a_proxy<R: Rig>(rig: &R) {
    let (peer, proxy) = (TestPeer::listen(), TestPeer::listen());
    let by = Proxy::new(proxy.address().into()).isolation(IsolationMode::Off).resolves(false);
    for (setup, expected) in
        [(Setup::new(config()), peer.address()), (Setup::new(config()).by_proxy(by), proxy.address())]
    {
        let (tell, told) = mpsc::channel();
        let setup = setup.preparing(move |socket, address| {
            SockRef::from(&socket).set_keepalive(true)?;
            tell.send(address).map_err(std::io::Error::other)
        });
        let mut world = TestWorld::start(rig, setup);
        world.add(peer.address());
        if expected == proxy.address() {
            let mut line = world.accept(&proxy);
            world.meanwhile("the proxy is asked", || {
                socks::serve(&mut line, Duration::ZERO);
                line.say(&socks::DONE);
            });
        }
        let conn = world.connected().conn;
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [expected]);
        #[cfg(unix)]
        assert!(is_kept_alive(&mut world, conn));
        #[cfg(not(unix))]
        let _ = conn;
        world.end();
    }
}

#[cfg(unix)]
fn is_kept_alive<R: Rig>(world: &mut TestWorld<R>, conn: connmgr_core::ConnId) -> bool {
    use crate::conformance::RigPool;

    SockRef::from(&world.pool.socket(conn)).keepalive().expect("a socket")
}

/// The fault is ours, whatever the hook's error is, and the peer is dialed again.
pub fn a_hook_that_fails_is_not_the_peers_fault<R: Rig>(rig: &R) {
    let (peer, failed) = (TestPeer::listen(), AtomicBool::new(false));
    let setup = Setup::new(config()).preparing(move |_, _| {
        if failed.swap(true, Ordering::SeqCst) { Ok(()) } else { Err(ErrorKind::ConnectionRefused.into()) }
    });
    let mut world = TestWorld::start(rig, setup);
    world.add(peer.address());
    world.tells(&["dial failed: the application could not prepare the socket", "connected added"]);
    world.end();
}
