//! An echo network on this machine, in a few seconds. A node keeps a connection to an added peer that dies and returns,
//! lets strangers in within limits, bans the host of one that talks nonsense, and still knows the ban after a restart.
//!
//! `cargo run -p connmgr-tokio --example echo_tokio` (on macOS after `sudo ifconfig lo0 alias 127.0.0.2`)

use std::error::Error;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use connmgr_tokio::{
    Backoff, Config, Connection, InboundConfig, Mode, PeerAddress, PeerInfo, Penalty, Pool, PoolEvent, Ranges,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod others;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config {
        mode: Mode::ConnectOnly, // It dials the peers it is given, and looks for no others.
        retry: Backoff { base: Duration::from_secs(1), ..Backoff::default() },
        inbound: InboundConfig { per_host: 2, ..InboundConfig::default() },
        ranges: Ranges { loopback: true, ..Ranges::default() }, // So that hosts on this machine can be banned.
        ..Config::default()
    };
    let state = tempfile::tempdir()?;
    let builder = Pool::builder(config.clone()).state_dir(state.path()).listen("127.0.0.1:0".parse()?);
    let mut pool = builder.start().await?;
    let (node, handle) = (pool.local_addrs()[0], pool.handle());

    let peer = TcpListener::bind("127.0.0.2:0")?;
    handle.add_peer(PeerAddress::from(peer.local_addr()?)).await?;
    let others = tokio::spawn(async move {
        let played = tokio::task::spawn_blocking(move || others::play(peer, node)).await?;
        handle.shutdown().await?;
        Ok::<_, Box<dyn Error + Send + Sync>>(played?)
    });
    // It ends when the pool was shut down, its state is saved, and every event is taken.
    while let Some(event) = pool.next().await {
        match event {
            PoolEvent::Connected(connection) => drop(tokio::spawn(talk(connection))),
            PoolEvent::RetryScheduled { at, .. } => println!("node: dials again in {:?}", at.since(pool.now())),
            other => println!("node: {other}"),
        }
    }
    others.await??;

    let again = Pool::builder(config).state_dir(state.path()).start().await?;
    for ban in again.handle().bans().await {
        println!("node, after a restart: {} is banned", ban.target);
    }
    again.shutdown().await;
    Ok(())
}

/// The protocol: lower-case letters are echoed. Anything else is nonsense.
async fn talk(mut connection: Connection) -> io::Result<()> {
    connection.report_ready(PeerInfo::default()); // A real protocol shakes hands first.
    println!("node: connected, {} {}", connection.kind(), connection.address().expect("no proxy hides it"));
    let mut bytes = [0; 64];
    loop {
        let count = connection.read(&mut bytes).await?;
        match &bytes[..count] {
            [] => return Ok(()), // Dropped, the connection is given back: the pool dials the added peer again.
            word if word.iter().all(u8::is_ascii_lowercase) => connection.write_all(word).await?,
            _ => connection.report_misbehavior(Penalty { persistent: 101, transient: 0 }), // Above 100: banned.
        }
    }
}
