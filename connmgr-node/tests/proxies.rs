//! The node behind SOCKS5 proxies of any sort, as its user runs it.

#![cfg(unix)]

#[macro_use]
mod support;

use std::net::SocketAddr;

use connmgr_node::world::behavior::PeerBehavior;
use connmgr_node::world::{LoopbackWorld, WorldConfig};
use support::Runtime;
use support::program::Program;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

on_each_runtime! {
    what_is_wrong_with_a_proxy_is_told_of_each_seed,
    a_plain_proxy_carries_the_node_and_does_not_isolate,
    where_isolation_is_required_a_plain_proxy_is_refused,
}

/// A proxy without authentication, with lookups refused by code, on a free port.
async fn plain_proxy() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client));
        }
    });
    address
}

/// Serves one client, which asks for an IPv4 address.
async fn serve(mut client: TcpStream) -> std::io::Result<()> {
    let [_, count] = read(&mut client).await?;
    let mut methods = vec![0; usize::from(count)];
    client.read_exact(&mut methods).await?;
    if !methods.contains(&0) {
        return client.write_all(&[5, 0xff]).await;
    }
    client.write_all(&[5, 0]).await?;
    let [_, command, _, kind] = read(&mut client).await?;
    if (command, kind) != (1, 1) {
        return client.write_all(&[5, 7, 0, 1, 0, 0, 0, 0, 0, 0]).await;
    }
    let ip = read::<4>(&mut client).await?;
    let port = u16::from_be_bytes(read(&mut client).await?);
    let mut peer = TcpStream::connect(SocketAddr::from((ip, port))).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut peer).await.map(drop)
}

async fn read<const N: usize>(client: &mut TcpStream) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn what_is_wrong_with_a_proxy_is_told_of_each_seed(runtime: Runtime) {
    let plain = plain_proxy().await;
    for (words, error) in [
        // Nobody listens on the port of TCPMUX.
        ("--proxy 127.0.0.1:1".to_owned(), "proxy_unreachable"),
        ("--proxy nowhere.invalid:9050".to_owned(), "proxy_not_found"),
        (format!("--proxy {plain} --isolation required"), "proxy_auth"),
    ] {
        let mut program = Program::start(runtime, &format!("--chain signet {words}"));
        assert_eq!(program.hear_event("seed_failed").await["error"], error, "{words}");
        program.interrupt();
        program.end().await;
    }
}

async fn a_plain_proxy_carries_the_node_and_does_not_isolate(runtime: Runtime) {
    let world = LoopbackWorld::start(&WorldConfig::default()).expect("a world");
    let peer = world.addresses(PeerBehavior::Good).next().expect("there are some");
    // By name, as in a network of containers.
    let port = plain_proxy().await.port();
    let words = format!("--chain regtest --connect {peer} --proxy localhost:{port}");
    let mut program = Program::start(runtime, &words);
    let told = program.hear_text("the proxy 127.0.0.1").await;
    assert!(told.contains("not isolated"), "{told}");
    program.hear_text("target reached: 1 of 1").await;
    program.interrupt();
    assert_eq!(program.end().await.code, Some(0));
}

async fn where_isolation_is_required_a_plain_proxy_is_refused(runtime: Runtime) {
    let proxy = plain_proxy().await;
    let words = format!("--chain regtest --connect 127.0.0.2:1 --proxy {proxy} --isolation required");
    let mut program = Program::start(runtime, &words);
    let failed = program.hear_event("dial_failed").await;
    assert_eq!(failed["error"]["failed"], "proxy_method", "{failed}");
    program.interrupt();
    program.end().await;
}
