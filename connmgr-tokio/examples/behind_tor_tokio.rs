//! A node behind Tor: everything it dials goes through Tor's SOCKS port, names included, each connection on a circuit of
//! its own; and it can be reached as an onion service.
//!
//! `cargo run -p connmgr-tokio --example behind_tor_tokio -- 127.0.0.1:9050 EXAMPLE.onion:8333`

use std::env;
use std::error::Error;
use std::io;
use std::time::Duration;

use connmgr_tokio::{
    AddedPeer, Config, Connection, Event, IsolationMode, Keep, Mode, NetworkKind, PeerAddress, PeerInfo, Permissions,
    Pool, PoolEvent, Proxy,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (Some(proxy), Some(peer)) = (env::args().nth(1), env::args().nth(2)) else {
        println!("Start Tor. Then give its SOCKS port and a peer: an onion service, an IP address or a name.");
        println!("  cargo run -p connmgr-tokio --example behind_tor_tokio -- 127.0.0.1:9050 EXAMPLE.onion:8333");
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
    let mut pool = builder.start().await?;
    let local = pool.local_addrs()[0];
    println!("to be an onion service, put into torrc:\n  HiddenServiceDir DIR\n  HiddenServicePort 8333 {local}");

    let handle = pool.handle();
    handle.add_peer(AddedPeer::new(peer).keep(Keep::Once)).await?;
    while let Some(event) = pool.next().await {
        match event {
            PoolEvent::Connected(connection) => drop(tokio::spawn(talk(connection))),
            PoolEvent::Event(event @ Event::PeerFinished { .. }) => {
                println!("{event}");
                handle.shutdown().await?;
            }
            other => println!("{other}"),
        }
    }
    Ok(())
}

/// Says hello, and is content with any answer.
async fn talk(mut connection: Connection) -> io::Result<()> {
    println!("connected, {}", connection.kind());
    connection.write_all(b"hello").await?;
    let mut bytes = [0; 64];
    let count = connection.read(&mut bytes).await?;
    println!("the answer: {:?}", String::from_utf8_lossy(&bytes[..count]));
    connection.report_ready(PeerInfo::default());
    Ok(()) // Dropped, the connection is given back. As it was wanted once, its peer is finished.
}
