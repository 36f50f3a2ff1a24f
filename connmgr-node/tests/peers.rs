//! Peers as other honest versions make them, and peers that read late or never: the program on real sockets.

#![cfg(target_os = "linux")]

#[macro_use]
mod support;

use std::net::SocketAddr;
use std::time::Duration;

use bitcoin::block::Header;
use bitcoin::consensus::serialize;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::p2p::Magic;
use bitcoin::p2p::message::NetworkMessage;
use connmgr_core::Kind;
use connmgr_node::frame::encode;
use connmgr_node::handshake::Hello;
use connmgr_node::headers::mine_regtest;
use serde_json::Value;
use support::program::Program;
use support::wire::Wire;
use support::{Runtime, soon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

on_each_runtime! {
    seven_v2_nodes_behind_one_address_are_connected_within_30_s,
    a_v2_dialer_is_let_go_without_a_word,
    a_deep_reorganisation_is_no_offence,
    an_outbound_peer_takes_the_place_of_a_silent_stranger,
    a_silent_peer_is_replaced_as_the_one_followed,
    what_core_bears_is_borne,
    versions_that_core_reads_are_read,
    a_ban_of_a_wanted_peer_is_told_with_the_way_out,
}

/// A node that listens and dials no one by itself.
async fn listening(runtime: Runtime) -> (Program, SocketAddr) {
    let mut program = Program::start(runtime, "--chain regtest --outbound 0 --listen 127.0.0.1:0");
    let text = program.hear_text("listening on ").await;
    (program, text.trim_start_matches("listening on ").parse().expect("an address"))
}

/// A dialer whose handshake with the node is done.
async fn dialer(node: SocketAddr, nonce: u64) -> Wire {
    let mut wire = Wire::new(TcpStream::connect(node).await.expect("it listens"), Magic::REGTEST);
    wire.shake_hands(Hello::new(Kind::Full, nonce)).await;
    wire
}

/// A node that was told to connect to us, and our end after the handshake.
async fn dialed(runtime: Runtime) -> (Program, Wire) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let program = Program::start(runtime, &format!("--chain regtest --connect {address}"));
    let wire = accept(&listener, 9).await;
    (program, wire)
}

async fn accept(listener: &TcpListener, nonce: u64) -> Wire {
    let (stream, _) = soon("a dial", listener.accept()).await.expect("bound");
    let mut wire = Wire::new(stream, Magic::REGTEST);
    wire.shake_hands(Hello::new(Kind::Inbound, nonce)).await;
    wire
}

/// The lines that tell of a penalty or a lost connection.
fn complaints(lines: &[Value]) -> Vec<String> {
    let is_one = |line: &&Value| {
        let text = line.to_string();
        ["misbehaves", "banned", "disconnected"].iter().any(|word| text.contains(word))
    };
    lines.iter().filter(is_one).map(Value::to_string).collect()
}

fn version(number: u32) -> bitcoin::p2p::message_network::VersionMessage {
    let nowhere = bitcoin::p2p::Address::new(&([0, 0, 0, 0], 0).into(), 0.into());
    bitcoin::p2p::message_network::VersionMessage {
        version: number,
        services: 0.into(),
        timestamp: 1_700_000_000,
        receiver: nowhere.clone(),
        sender: nowhere,
        nonce: 5,
        user_agent: "/x/".to_string(),
        start_height: 0,
        relay: true,
    }
}

/// The first bytes of a v2 dialer: a key and some garbage, none of which are a message.
fn v2_hello(nonce: u64) -> Vec<u8> {
    let block = |part: u64| sha256d::Hash::hash(&[nonce.to_le_bytes(), part.to_le_bytes()].concat()).to_byte_array();
    [block(1), block(2), block(3)].concat()
}

/// Dials with v2 first, as Core does. Returns what comes before the other end closes.
async fn dial_v2(node: SocketAddr, nonce: u64) -> Vec<u8> {
    let mut stream = TcpStream::connect(node).await.expect("it listens");
    let _ = stream.write_all(&v2_hello(nonce)).await;
    let mut heard = Vec::new();
    // Closing with unread bytes resets the connection; Core takes both for an end.
    let _ = soon("the end", stream.read_to_end(&mut heard)).await;
    heard
}

/// Dials as Core does until the handshake is done: v2, at once v1, and after half a second again.
async fn dial_as_core(node: SocketAddr, nonce: u64) -> TcpStream {
    loop {
        dial_v2(node, nonce).await;
        let mut stream = TcpStream::connect(node).await.expect("it listens");
        let hello = encode(Magic::REGTEST, NetworkMessage::Version(version(70016)));
        let mut answer = [0; 24];
        if stream.write_all(&hello).await.is_ok() && stream.read_exact(&mut answer).await.is_ok() {
            stream.write_all(&encode(Magic::REGTEST, NetworkMessage::Verack)).await.expect("open");
            return stream;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn seven_v2_nodes_behind_one_address_are_connected_within_30_s(runtime: Runtime) {
    let (mut program, node) = listening(runtime).await;
    let start = std::time::Instant::now();
    let dialers: Vec<_> = (1..=7).map(|nonce| tokio::spawn(dial_as_core(node, nonce))).collect();
    let all = async {
        let mut streams = Vec::new();
        for dialer in dialers {
            streams.push(dialer.await.expect("no panic"));
        }
        streams
    };
    let streams = timeout(Duration::from_secs(30), all).await.expect("all are connected within 30 s");
    println!("{runtime}: seven v2 nodes behind one address: connected after {:.1?}", start.elapsed());
    let heard = program.listen_for(Duration::from_secs(1)).await;
    assert_eq!(streams.len(), 7);
    let text = Value::from(heard).to_string();
    assert_eq!(text.matches("ready: ").count(), 7, "{text}");
    assert!(!text.contains("misbehaves") && !text.contains("banned"), "{text}");
}

async fn a_v2_dialer_is_let_go_without_a_word(runtime: Runtime) {
    let (mut program, node) = listening(runtime).await;
    // As many dropped handshakes as may be open at a time cost no token of the rate.
    for nonce in 0..8 {
        assert_eq!(dial_v2(node, nonce).await, b"", "not a byte, or Core would not try v1");
    }
    let _later = dialer(node, 99).await;
    let heard = Value::from(program.listen_for(Duration::from_secs(1)).await).to_string();
    assert!(heard.contains("ready: ") && !heard.contains("misbehaves") && !heard.contains("banned"), "{heard}");
}

/// A chain that leaves another one after `from` headers.
fn fork(of: &[Header], from: usize, length: usize) -> Vec<Header> {
    let mut tip = of[from - 1];
    let mine = |_| {
        tip = Header { prev_blockhash: tip.block_hash(), time: tip.time + 601, nonce: 0, ..tip };
        while tip.validate_pow(tip.target()).is_err() {
            tip.nonce += 1;
        }
        tip
    };
    (0..length).map(mine).collect()
}

async fn asked_for_headers(wire: &mut Wire) {
    while !matches!(wire.next().await, NetworkMessage::GetHeaders(_)) {}
}

async fn a_deep_reorganisation_is_no_offence(runtime: Runtime) {
    let (mut program, mut wire) = dialed(runtime).await;
    let old = mine_regtest(3000);
    let new = fork(&old, 500, 2600);
    asked_for_headers(&mut wire).await;
    wire.send(NetworkMessage::Headers(old[..2000].to_vec())).await;
    asked_for_headers(&mut wire).await;
    wire.send(NetworkMessage::Headers(old[2000..].to_vec())).await;
    program.hear_text("headers up to 3000").await;
    // Our answer takes a while, and blocks go on being announced.
    for announced in &new[2580..2590] {
        wire.send(NetworkMessage::Headers(vec![*announced])).await;
    }
    asked_for_headers(&mut wire).await;
    let heard = program.listen_for(Duration::from_millis(300)).await;
    assert_eq!(complaints(&heard), [""; 0]);
    let chain: Vec<Header> = [&old[..500], &new[..]].concat();
    wire.send(NetworkMessage::Headers(chain[..2000].to_vec())).await;
    asked_for_headers(&mut wire).await;
    wire.send(NetworkMessage::Headers(chain[2000..].to_vec())).await;
    program.hear_text("headers up to 3100").await;
}

/// Answers every request for headers with these, or never answers.
fn serve(mut wire: Wire, headers: Vec<Header>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match wire.next_unhurried().await {
                Some(NetworkMessage::Ping(nonce)) => wire.send(NetworkMessage::Pong(nonce)).await,
                Some(NetworkMessage::GetHeaders(_)) if !headers.is_empty() => {
                    wire.send(NetworkMessage::Headers(headers.clone())).await;
                }
                Some(_) => {}
                None => return,
            }
        }
    })
}

async fn an_outbound_peer_takes_the_place_of_a_silent_stranger(runtime: Runtime) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let good = listener.local_addr().expect("bound");
    let words = format!("--chain regtest --outbound 0 --listen 127.0.0.1:0 --add {good}");
    let mut program = Program::start(runtime, &words);
    let text = program.hear_text("listening on ").await;
    let node = text.trim_start_matches("listening on ").parse().expect("an address");
    let _strangers = [serve(dialer(node, 1).await, vec![]), serve(dialer(node, 2).await, vec![])];
    program.hear_text("ready: ").await;
    program.hear_text("ready: ").await;
    let _good = serve(accept(&listener, 3).await, mine_regtest(10));
    let told = timeout(Duration::from_secs(5), program.hear_text("headers up to 10")).await;
    assert!(told.is_ok(), "at once, not only when the strangers are late");
}

async fn a_silent_peer_is_replaced_as_the_one_followed(runtime: Runtime) {
    let (mut program, node) = listening(runtime).await;
    let _silent = [serve(dialer(node, 1).await, vec![]), serve(dialer(node, 2).await, vec![])];
    program.hear_text("ready: ").await;
    program.hear_text("ready: ").await;
    let _good = serve(dialer(node, 3).await, mine_regtest(10));
    program.hear_text("headers up to 10").await;
}

/// A message of the peer's own making.
fn message(command: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Magic::REGTEST.to_bytes().to_vec();
    bytes.extend_from_slice(command.as_bytes());
    bytes.resize(16, 0);
    bytes.extend_from_slice(&u32::try_from(payload.len()).expect("short").to_le_bytes());
    bytes.extend_from_slice(&sha256d::Hash::hash(payload).to_byte_array()[..4]);
    bytes.extend_from_slice(payload);
    bytes
}

/// Entries of an `addrv2` message: time, services, network, address, port.
fn addrv2(entries: &[(u8, &[u8])]) -> Vec<u8> {
    let mut payload = vec![u8::try_from(entries.len()).expect("few")];
    for (network, address) in entries {
        payload.extend_from_slice(&[0, 0, 0, 0x60, 1, *network, u8::try_from(address.len()).expect("short")]);
        payload.extend_from_slice(address);
        payload.extend_from_slice(&[0x20, 0x8d]);
    }
    payload
}

async fn what_core_bears_is_borne(runtime: Runtime) {
    let (mut program, mut wire) = dialed(runtime).await;
    let mapped: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4];
    let onioncat: &[u8] = &[0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let address = bitcoin::p2p::Address::new(&([1, 2, 3, 4], 5).into(), 0.into());
    let addr = serialize(&vec![(0u32, address)]);
    let cases: &[(&str, Vec<u8>)] = &[
        ("ping", vec![7; 9]),
        ("ping", vec![]),
        ("pong", vec![]),
        ("pong", vec![7; 12]),
        ("addr", [&addr[..], &[1, 2, 3]].concat()),
        ("addr", vec![9]),
        ("addrv2", addrv2(&[(2, mapped), (1, &[1, 2, 3, 4])])),
        ("addrv2", addrv2(&[(2, onioncat), (6, &[1; 16]), (9, &[1; 40]), (1, &[1; 7])])),
        ("addrv2", [addrv2(&[(1, &[1, 2, 3, 4])]), vec![1]].concat()),
        ("inv", vec![0, 1, 2, 3]),
        ("headers", vec![0, 1]),
        ("headers", vec![1]),
        ("getheaders", vec![1]),
        ("getaddr", vec![1, 2]),
        ("sendheaders", vec![1; 40]),
        ("verack", vec![]),
        ("version", vec![]),
        ("unknown", vec![1; 5000]),
    ];
    for (command, payload) in cases.iter().chain(cases) {
        wire.send_raw(&message(command, payload)).await;
    }
    let mut wrong_sum = message("ping", &[7; 8]);
    wrong_sum[20] ^= 1;
    wire.send_raw(&wrong_sum).await;
    wire.send(NetworkMessage::Ping(4711)).await;
    while wire.next().await != NetworkMessage::Pong(4711) {}
    let heard = program.listen_for(Duration::from_millis(300)).await;
    assert_eq!(complaints(&heard), [""; 0]);
}

async fn versions_that_core_reads_are_read(runtime: Runtime) {
    let (mut program, node) = listening(runtime).await;
    let whole = serialize(&version(70016));
    // The fixed fields are 80 bytes, then come 4 of the agent, 4 of the height and 1 that says whether to relay.
    let mut odd = whole.clone();
    odd[82] = 0xff;
    let cases = [
        ("no relay byte", whole[..whole.len() - 1].to_vec()),
        ("trailing bytes", [&whole[..], &[1, 2, 3]].concat()),
        ("an agent that is not UTF-8", odd),
    ];
    for (what, payload) in cases {
        let mut stream = TcpStream::connect(node).await.expect("it listens");
        let bytes = [message("version", &payload), message("verack", &[])].concat();
        stream.write_all(&bytes).await.expect("open");
        let heard = program.hear(what, |line| {
            let text = line.to_string();
            (text.contains("ready: ") || text.contains("misbehaves") || text.contains("disconnected")).then_some(text)
        });
        let heard = heard.await;
        assert!(heard.contains("ready: "), "{what}: {heard}");
        program.listen_for(Duration::from_millis(100)).await;
        drop(stream);
        program.hear_event("disconnected").await;
    }
}

/// Somebody else behind its address earned the ban.
async fn a_ban_of_a_wanted_peer_is_told_with_the_way_out(runtime: Runtime) {
    for host in ["127.0.0.1", "localhost"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let words = format!("--chain regtest --listen 127.0.0.1:0 --connect {host}:{port}");
        let mut program = Program::start(runtime, &words);
        let node = program.hear_text("listening on ").await;
        let node = node.trim_start_matches("listening on ").parse().expect("an address");
        let _wanted = accept(&listener, 9).await;
        let mut stranger = dialer(node, 10).await;
        let address = bitcoin::p2p::Address::new(&([1, 2, 3, 4], 5).into(), 0.into());
        stranger.send(NetworkMessage::Addr(vec![(0, address); 1001])).await;
        let text = program.hear_text(&format!("{host}:{port} is wanted but banned until ")).await;
        assert!(text.contains("start the node again"), "{text}");
    }
}
