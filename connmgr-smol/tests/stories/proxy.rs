//! Dials through a SOCKS5 proxy.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connmgr_core::{Config, DialError, DialFailure, Event, HostName, LookupError, Mode, Proxy, Seed};
use connmgr_smol::Resolve;
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use super::support::{Stream, accept, add, builder, config, connected, peer, run, said, start, within, yield_now};

fn through(address: SocketAddr) -> Proxy {
    Proxy { address, isolate: true, resolves: false }
}

/// Answers byte by byte.
async fn answer(stream: &mut Stream, bytes: &[u8]) {
    stream.get_ref().set_nodelay(true).expect("the client goes on");
    for byte in bytes {
        stream.write_all(&[*byte]).await.expect("the client goes on");
        yield_now().await;
    }
}

async fn read<const N: usize>(stream: &mut Stream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.expect("the client goes on");
    bytes
}

/// Reads a length and as many bytes.
async fn read_field(stream: &mut Stream) -> Vec<u8> {
    let [length] = read(stream).await;
    let mut field = vec![0; usize::from(length)];
    stream.read_exact(&mut field).await.expect("the client goes on");
    field
}

/// One conversation with a client that isolates; the user, and the name and port it asks for.
async fn negotiate(stream: &mut Stream) -> (Vec<u8>, String, u16) {
    assert_eq!(read(stream).await, [5, 1, 2]);
    answer(stream, &[5, 2]).await;
    assert_eq!(read(stream).await, [1]);
    let user = read_field(stream).await;
    let _password = read_field(stream).await;
    answer(stream, &[1, 0]).await;
    assert_eq!(read(stream).await, [5, 1, 0, 3]);
    let name = String::from_utf8(read_field(stream).await).expect("text");
    let port = u16::from_be_bytes(read(stream).await);
    answer(stream, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await;
    (user, name, port)
}

#[test]
fn a_name_goes_to_the_proxy_and_what_follows_its_reply_is_the_peers() {
    run(async {
        let (listener, address) = peer().await;
        let mut pool = start(builder(config()).proxy(through(address))).await;
        let id = add(&pool, "node.example:8333").await;
        let mut stream = accept(&listener).await;
        let (_, name, port) = within("the proxy is asked", negotiate(&mut stream)).await;
        assert_eq!((name.as_str(), port), ("node.example", 8333));
        stream.write_all(b"hello").await.unwrap();
        let mut ours = connected(&mut pool).await;
        let mut heard = [0; 5];
        within("the peer is heard", ours.read_exact(&mut heard)).await.unwrap();
        assert_eq!((ours.peer(), &heard), (Some(id), b"hello"));
    });
}

#[test]
fn each_connection_has_a_circuit_of_its_own() {
    run(async {
        let (listener, address) = peer().await;
        let pool = start(builder(config()).proxy(through(address))).await;
        let mut users = Vec::new();
        for name in ["one.example:1", "two.example:1"] {
            add(&pool, name).await;
            let mut stream = accept(&listener).await;
            users.push(within("the proxy is asked", negotiate(&mut stream)).await.0);
        }
        assert_ne!(users[0], users[1]);
    });
}

#[test]
fn a_proxy_that_is_not_there_is_not_the_peers_fault() {
    run(async {
        let (listener, address) = peer().await;
        drop(listener);
        let nobody = Nobody::default();
        let mut pool = start(builder(config()).proxy(through(address)).resolver(nobody.clone())).await;
        add(&pool, "node.example:8333").await;
        let error = said(&mut pool, "DialFailed", |event| match event {
            Event::DialFailed { error, .. } => Some(error),
            _ => None,
        })
        .await;
        assert_eq!(error, DialFailure::Failed(DialError::ProxyUnreachable));
        nobody.was_not_asked();
    });
}

#[test]
fn a_proxy_that_answers_garbage_has_failed() {
    run(async {
        let (listener, address) = peer().await;
        let mut pool = start(builder(config()).proxy(through(address))).await;
        add(&pool, "node.example:8333").await;
        let mut stream = accept(&listener).await;
        assert_eq!(read(&mut stream).await, [5, 1, 2]);
        stream.write_all(b"HTTP/1.1 400 Bad Request").await.unwrap();
        let error = said(&mut pool, "DialFailed", |event| match event {
            Event::DialFailed { error, .. } => Some(error),
            _ => None,
        })
        .await;
        assert_eq!(error, DialFailure::Failed(DialError::ProxyProtocol));
    });
}

#[test]
fn a_dial_that_is_given_up_ends_at_once() {
    run(async {
        let (listener, address) = peer().await;
        let pool = start(builder(config()).proxy(through(address))).await;
        let id = add(&pool, "node.example:8333").await;
        let mut stream = accept(&listener).await;
        assert_eq!(read(&mut stream).await, [5, 1, 2]);
        pool.handle().remove_peer(id).await.unwrap();
        assert_eq!(within("the proxy is hung up on", stream.read(&mut [0; 8])).await.unwrap(), 0);
    });
}

#[test]
fn a_seed_is_looked_up_through_the_proxy_and_nowhere_else() {
    run(async {
        let (listener, address) = peer().await;
        let mut config = Config { mode: Mode::Automatic, default_port: 8333, ..config() };
        config.seeds.names = vec![Seed { name: "seed.example".parse().unwrap(), filters_services: false }];
        let proxy = Proxy { address, isolate: false, resolves: true };
        let nobody = Nobody::default();
        let mut pool = start(builder(config).proxy(proxy).resolver(nobody.clone())).await;
        let mut stream = accept(&listener).await;
        assert_eq!(within("a greeting", read(&mut stream)).await, [5, 1, 0]);
        answer(&mut stream, &[5, 0]).await;
        assert_eq!(read(&mut stream).await, [5, 0xf0, 0, 3]);
        assert_eq!(read_field(&mut stream).await, b"seed.example");
        let [_, _] = read(&mut stream).await;
        answer(&mut stream, &[5, 0, 0, 1, 1, 2, 3, 4, 0, 0]).await;
        let added = said(&mut pool, "SeedAnswered", |event| match event {
            Event::SeedAnswered { added, .. } => Some(added),
            _ => None,
        })
        .await;
        assert_eq!(added, 1);
        nobody.was_not_asked();
    });
}

/// A resolver that must not be asked behind the proxy's back. It counts: a panic on its thread would fail no test.
#[derive(Clone, Default)]
struct Nobody(Arc<AtomicU32>);

impl Nobody {
    fn was_not_asked(&self) {
        assert_eq!(self.0.load(Ordering::SeqCst), 0);
    }
}

impl Resolve for Nobody {
    fn resolve(&self, _: &HostName) -> Result<Vec<IpAddr>, LookupError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(LookupError::Failed)
    }
}
