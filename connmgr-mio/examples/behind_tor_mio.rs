//! A node behind Tor: everything it dials goes through Tor's SOCKS port, names included, each connection on a circuit of
//! its own; and it can be reached as an onion service.
//!
//! `cargo run -p connmgr-mio --example behind_tor_mio -- 127.0.0.1:9050 EXAMPLE.onion:8333`

use std::env;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use connmgr_mio::{
    AddedPeer, Config, ConnId, Event, IsolationMode, Keep, Mode, NetworkKind, PeerAddress, PeerInfo, Permissions, Pool,
    PoolEvent, Proxy,
};
use mio::{Events, Interest, Poll, Token};

const CONNECTIONS: usize = 1000; // The first token of a connection; those below are the pool's own.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (Some(proxy), Some(peer)) = (env::args().nth(1), env::args().nth(2)) else {
        println!("Start Tor. Then give its SOCKS port and a peer: an onion service, an IP address or a name.");
        println!("  cargo run -p connmgr-mio --example behind_tor_mio -- 127.0.0.1:9050 EXAMPLE.onion:8333");
        return Ok(());
    };
    let config = Config {
        mode: Mode::ConnectOnly, // It dials the peers it is given, and looks for no others.
        handshake_timeout: Duration::from_secs(30), // Tor is slow, but a peer that says nothing is dropped.
        ..Config::default()
    };
    let address = proxy.parse().map_err(|error| format!("{proxy}: {error}"))?;
    let peer: PeerAddress = peer.parse().map_err(|error| format!("{peer}: {error}"))?;
    let proxy = Proxy::new(address).isolation(IsolationMode::Required);
    // All connections to this listener come from Tor, so their address says nothing and no limits of a host apply.
    let onion = Some(NetworkKind::Onion);
    let builder = Pool::builder(config).proxy(proxy).listen_with("127.0.0.1:0".parse()?, onion, Permissions::default());
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(64));
    let mut pool = builder.start(poll.registry(), 0..CONNECTIONS)?;
    let local = pool.local_addrs()[0];
    println!("to be an onion service, put into torrc:\n  HiddenServiceDir DIR\n  HiddenServicePort 8333 {local}");

    pool.add_peer(AddedPeer::new(peer).keep(Keep::Once))?;
    while !pool.is_stopped() {
        poll.poll(&mut events, pool.poll_timeout())?; // With signal handlers, go on if it is interrupted.
        for event in &events {
            if !pool.handle_event(event) {
                hear(&mut pool, ConnId::from_u64((event.token().0 - CONNECTIONS) as u64));
            }
        }
        while let Some(event) = pool.next_event() {
            match event {
                PoolEvent::Connected(info) => {
                    println!("connected, {}", info.kind);
                    let token = Token(CONNECTIONS + usize::try_from(info.conn.as_u64())?);
                    let stream = pool.stream(info.conn).expect("it is open");
                    poll.registry().register(stream, token, Interest::READABLE)?;
                    drop(stream.write_all(b"hello")); // If it fails, so does the next read.
                }
                PoolEvent::Event(event @ Event::PeerFinished { .. }) => {
                    println!("{event}");
                    pool.shutdown()?;
                }
                other => println!("{other}"),
            }
        }
    }
    Ok(())
}

/// Is content with any answer, and gives the connection back. As it was wanted once, its peer is finished then.
fn hear(pool: &mut Pool, conn: ConnId) {
    let (Some(stream), mut bytes) = (pool.stream(conn), [0; 64]) else { return };
    let answer = match stream.read(&mut bytes) {
        Ok(count) => String::from_utf8_lossy(&bytes[..count]),
        Err(error) if error.kind() == ErrorKind::WouldBlock => return,
        Err(_) => return pool.release(conn),
    };
    println!("the answer: {answer:?}");
    pool.report_ready(conn, PeerInfo::default());
    pool.release(conn);
}
