//! When the reader of the report stalls, the node goes on; when it reads again, the report says what is missing.

#![cfg(unix)]

#[macro_use]
mod support;

use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use connmgr_node::world::behavior::PeerBehavior;
use connmgr_node::world::{LoopbackWorld, WorldConfig};
use support::program::{command, interrupt};
use support::{Runtime, settled, soon};
use tokio::io::AsyncReadExt;
use tokio::process::Child;

on_each_runtime! {
    a_reader_who_never_reads_holds_up_nothing,
    a_reader_who_comes_back_is_told_what_is_missing,
}

/// Each causes three lines, together more than may wait.
const PEERS: u16 = 1000;

async fn a_reader_who_never_reads_holds_up_nothing(runtime: Runtime) {
    let world = world();
    let (node, _reader) = start(runtime, &world).await;
    let output = soon("the end", node.wait_with_output()).await.expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "warning: nobody reads the report; its end is lost\n");
    settled(&world, PeerBehavior::Good, |row| row.live == 0).await;
}

async fn a_reader_who_comes_back_is_told_what_is_missing(runtime: Runtime) {
    let world = world();
    let (mut node, reader) = start(runtime, &world).await;
    let mut report = String::new();
    reader.set_nonblocking(true).expect("a socket");
    let mut reader = tokio::net::UnixStream::from_std(reader).expect("a socket");
    soon("the end", reader.read_to_string(&mut report)).await.expect("text");
    assert_eq!(soon("the end", node.wait()).await.expect("it ends").code(), Some(0));

    let lines: Vec<&str> = report.trim().lines().collect();
    let missing = lines.iter().position(|line| line.contains("lines are missing here")).expect("it is told");
    assert!(missing >= connmgr_node::pen::MAX_WAITING, "after {missing} lines");
    let summary = lines.iter().position(|line| line.starts_with("after ")).expect("there is always room for it");
    assert!(summary > missing);
    assert!(lines.last().expect("some").starts_with("  outbound "), "{:?}", lines.last());
}

fn world() -> LoopbackWorld {
    LoopbackWorld::start(&WorldConfig::default()).expect("loopback")
}

/// A node with much to report and a stalled reader. It is connected to the one good peer it knows, and was stopped.
async fn start(runtime: Runtime, world: &LoopbackWorld) -> (Child, UnixStream) {
    let (reader, mut out) = UnixStream::pair().expect("two sockets");
    out.set_nonblocking(true).expect("a socket");
    let full = loop {
        if let Err(error) = out.write(b"\n") {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    out.set_nonblocking(false).expect("a socket");

    let refusing: String = (1..=PEERS).map(|port| format!(" --add 127.0.0.1:{port}")).collect();
    let good = world.addresses(PeerBehavior::Good).next().expect("on stage");
    let words = format!("--chain regtest --outbound 0 --max-peers 2000 {refusing} --add {good}");
    let node = command(runtime, &words).stdout(OwnedFd::from(out)).spawn().expect("it starts");
    settled(world, PeerBehavior::Good, |row| row.ready == 1).await;
    interrupt(node.id().expect("it runs"));
    (node, reader)
}
