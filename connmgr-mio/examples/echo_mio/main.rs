//! An echo network on this machine, in a few seconds. A node keeps a connection to an added peer that dies and returns,
//! lets strangers in within limits, bans the host of one that talks nonsense, and still knows the ban after a restart.
//!
//! `cargo run -p connmgr-mio --example echo_mio` (on macOS after `sudo ifconfig lo0 alias 127.0.0.2`)

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use connmgr_mio::{
    Backoff, Config, ConnId, InboundConfig, Mode, PeerAddress, PeerInfo, Penalty, Pool, PoolEvent, Ranges,
};
use mio::{Events, Interest, Poll, Token};

mod others;

const CONNECTIONS: usize = 1000; // The first token of a connection; those below are the pool's own.

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config {
        mode: Mode::ConnectOnly, // It dials the peers it is given, and looks for no others.
        retry: Backoff { base: Duration::from_secs(1), ..Backoff::default() },
        inbound: InboundConfig { per_host: 2, ..InboundConfig::default() },
        ranges: Ranges { loopback: true, ..Ranges::default() }, // So that hosts on this machine can be banned.
        ..Config::default()
    };
    let state = tempfile::tempdir()?;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(64));
    let builder = Pool::builder(config.clone()).state_dir(state.path()).listen("127.0.0.1:0".parse()?);
    let mut pool = builder.start(poll.registry(), 0..CONNECTIONS)?;
    let (node, handle) = (pool.local_addrs()[0], pool.handle());

    let peer = TcpListener::bind("127.0.0.2:0")?;
    pool.add_peer(PeerAddress::from(peer.local_addr()?))?;
    let others = std::thread::spawn(move || others::play(peer, node).map(|()| handle.shutdown()));
    while !pool.is_stopped() {
        poll.poll(&mut events, pool.poll_timeout())?; // With signal handlers, go on if it is interrupted.
        for event in &events {
            if !pool.handle_event(event) {
                talk(&mut pool, ConnId::from_u64((event.token().0 - CONNECTIONS) as u64));
            }
        }
        while let Some(event) = pool.next_event() {
            match event {
                PoolEvent::Connected(info) => {
                    println!("node: connected, {} {}", info.kind, info.address.expect("no proxy hides it"));
                    let token = Token(CONNECTIONS + usize::try_from(info.conn.as_u64())?);
                    let stream = pool.stream(info.conn).expect("it is open");
                    poll.registry().register(stream, token, Interest::READABLE)?;
                    pool.report_ready(info.conn, PeerInfo::default()); // A real protocol shakes hands first.
                }
                PoolEvent::RetryScheduled { at, .. } => println!("node: dials again in {:?}", at.since(pool.now())),
                other => println!("node: {other}"),
            }
        }
    }
    others.join().expect("it does not panic")??;

    let again = Pool::builder(config).state_dir(state.path()).start(Poll::new()?.registry(), 0..CONNECTIONS)?;
    again.bans().iter().for_each(|ban| println!("node, after a restart: {} is banned", ban.target));
    Ok(())
}

/// The protocol: lower-case letters are echoed. Anything else is nonsense.
fn talk(pool: &mut Pool, conn: ConnId) {
    let mut bytes = [0; 64];
    while let Some(stream) = pool.stream(conn) {
        match stream.read(&mut bytes).map(|count| &bytes[..count]) {
            Ok([]) => pool.release(conn), // Given back: the pool dials the added peer again.
            Ok(word) if word.iter().all(u8::is_ascii_lowercase) => drop(stream.write_all(word)),
            Ok(_) => pool.report_misbehavior(conn, Penalty { persistent: 101, transient: 0 }), // Above 100: banned.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) => pool.release(conn),
        }
    }
}
