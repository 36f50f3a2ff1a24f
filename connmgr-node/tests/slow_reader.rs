//! What a peer that reads late costs in memory: the program on real sockets.

#![cfg(target_os = "linux")]

#[macro_use]
mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bitcoin::p2p::Magic;
use bitcoin::p2p::message::NetworkMessage;
use connmgr_core::Kind;
use connmgr_node::frame::encode;
use connmgr_node::handshake::Hello;
use support::Runtime;
use support::program::Program;
use support::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, timeout};

on_each_runtime! {
    a_peer_that_stays_behind_in_reading_costs_a_bounded_amount_of_memory,
    #[ignore = "takes a minute; prints the figure"]
    a_minute_of_a_peer_that_stays_behind_in_reading,
}

/// What the peer reads in 10 ms. The node could send more, so bytes always wait for the peer.
const READ_EVERY_10_MS: usize = 4 * 1024;

/// What the node may need for one such peer: 256 KiB wait for it, and some more while it is served.
const BOUND: u64 = 3_000_000;

async fn a_peer_that_stays_behind_in_reading_costs_a_bounded_amount_of_memory(runtime: Runtime) {
    stays_behind(runtime, Duration::from_secs(10)).await;
}

async fn a_minute_of_a_peer_that_stays_behind_in_reading(runtime: Runtime) {
    stays_behind(runtime, Duration::from_secs(60)).await;
}

async fn stays_behind(runtime: Runtime, lasts: Duration) {
    let mut program = Program::start(runtime, "--chain regtest --outbound 0 --listen 127.0.0.1:0");
    let text = program.hear_text("listening on ").await;
    let node = text.trim_start_matches("listening on ").parse().expect("an address");
    let stream = dial(node).await;
    program.hear_text("ready: ").await;

    let before = resident(program.pid());
    let (mut from, mut to) = stream.into_split();
    let ping = tokio::spawn(async move { while to.write_all(&pings()).await.is_ok() {} });
    let read = read_slowly(&mut from, lasts).await;
    let after = resident(program.pid());
    println!("{runtime}: {read} bytes read late in {lasts:?}: {before} bytes of memory before, {after} after");
    assert!(read > 1_000_000, "it goes on being served: {read}");
    assert!(after < before + BOUND, "{before} bytes before, {after} after");
    let heard = serde_json::Value::from(program.listen_for(Duration::from_millis(100)).await).to_string();
    assert!(!heard.contains("disconnected"), "who reads, if late, stays: {heard}");
    ping.abort();
}

/// A dialer whose handshake is done, and for whom the system keeps little.
async fn dial(node: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 * 1024).expect("a size");
    let mut wire = Wire::new(socket.connect(node).await.expect("it listens"), Magic::REGTEST);
    wire.shake_hands(Hello::new(Kind::Full, 9)).await;
    wire.into_stream()
}

/// More than the node can answer while little is read.
fn pings() -> Vec<u8> {
    (0..2000).flat_map(|nonce| encode(Magic::REGTEST, NetworkMessage::Ping(nonce))).collect()
}

/// Reads a little at a time. Returns how much was read.
async fn read_slowly(from: &mut OwnedReadHalf, lasts: Duration) -> usize {
    let (start, mut tick, mut read) = (Instant::now(), interval(Duration::from_millis(10)), 0);
    let mut space = [0; READ_EVERY_10_MS];
    while start.elapsed() < lasts {
        tick.tick().await;
        let part = timeout(Duration::from_secs(10), from.read(&mut space)).await.expect("the node goes on");
        read += part.expect("open");
    }
    read
}

/// The memory of a process, in bytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of it");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1024
}
