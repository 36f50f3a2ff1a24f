//! Dials through a SOCKS5 proxy.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use connmgr_core::{Config, DialError, DialFailure, Event, HostName, LookupError, Mode, Proxy, Seed};
use connmgr_mio::Resolve;

use crate::support::{PATIENCE, World, builder, config, patient, peer};

fn through(address: SocketAddr) -> Proxy {
    Proxy { address, isolate: true, resolves: false }
}

/// A proxy that takes one connection, on a thread of its own, for the pool is turned by the test's.
fn proxy<T: Send + 'static>(
    listener: TcpListener,
    talk: impl FnOnce(&mut TcpStream) -> T + Send + 'static,
) -> JoinHandle<(T, TcpStream)> {
    thread::spawn(move || {
        let mut stream = patient(listener.accept().expect("a dial").0);
        (talk(&mut stream), stream)
    })
}

/// Answers byte by byte, each of which has a chance to arrive alone.
fn answer(stream: &mut TcpStream, bytes: &[u8]) {
    for byte in bytes {
        stream.write_all(&[*byte]).expect("the client goes on");
        thread::yield_now();
    }
}

fn read<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).expect("the client goes on");
    bytes
}

/// Reads a length and as many bytes.
fn read_field(stream: &mut TcpStream) -> Vec<u8> {
    let [length] = read(stream);
    let mut field = vec![0; usize::from(length)];
    stream.read_exact(&mut field).expect("the client goes on");
    field
}

/// One conversation with a client that isolates; the user, and the name and port it asks for.
fn negotiate(stream: &mut TcpStream) -> (Vec<u8>, String, u16) {
    assert_eq!(read(stream), [5, 1, 2]);
    answer(stream, &[5, 2]);
    assert_eq!(read(stream), [1]);
    let user = read_field(stream);
    let _password = read_field(stream);
    answer(stream, &[1, 0]);
    assert_eq!(read(stream), [5, 1, 0, 3]);
    let name = String::from_utf8(read_field(stream)).expect("text");
    let port = u16::from_be_bytes(read(stream));
    answer(stream, &[5, 0, 0, 1, 127, 0, 0, 1, 0]);
    // The last byte of the reply, and the peer's first words, at once.
    stream.write_all(b"\0hello").expect("the client goes on");
    (user, name, port)
}

fn dial_failure(world: &mut World) -> DialFailure {
    world.said("DialFailed", |event| match event {
        Event::DialFailed { error, .. } => Some(error),
        _ => None,
    })
}

#[test]
fn a_name_goes_to_the_proxy_and_what_follows_its_reply_is_the_peers() {
    let (listener, address) = peer();
    let proxy = proxy(listener, negotiate);
    let mut world = World::start(builder(config()).proxy(through(address)));
    let id = world.add("node.example:8333");
    let ours = world.connected();
    let ((_, name, port), _stream) = proxy.join().unwrap();
    assert_eq!((name.as_str(), port), ("node.example", 8333));
    assert_eq!((ours.peer, world.read(ours.conn, 5)), (Some(id), b"hello".to_vec()));
}

#[test]
fn each_connection_has_a_circuit_of_its_own() {
    let (listener, address) = peer();
    let mut world = World::start(builder(config()).proxy(through(address)));
    let mut users = Vec::new();
    for name in ["one.example:1", "two.example:1"] {
        let proxy = proxy(listener.try_clone().unwrap(), negotiate);
        world.add(name);
        world.connected();
        users.push(proxy.join().unwrap().0.0);
    }
    assert_ne!(users[0], users[1]);
}

#[test]
fn a_proxy_that_is_not_there_is_not_the_peers_fault() {
    let (listener, address) = peer();
    drop(listener);
    let nobody = Nobody::default();
    let mut world = World::start(builder(config()).proxy(through(address)).resolver(nobody.clone()));
    world.add("node.example:8333");
    assert_eq!(dial_failure(&mut world), DialFailure::Failed(DialError::ProxyUnreachable));
    nobody.was_not_asked();
}

#[test]
fn a_proxy_that_talks_nonsense_speaks_no_socks() {
    let (listener, address) = peer();
    let proxy = proxy(listener, |stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let mut world = World::start(builder(config()).proxy(through(address)));
    world.add("node.example:8333");
    assert_eq!(dial_failure(&mut world), DialFailure::Failed(DialError::ProxyProtocol));
    proxy.join().unwrap().0.unwrap();
}

#[test]
fn a_dial_that_is_given_up_ends_at_once() {
    let (listener, address) = peer();
    let mut world = World::start(builder(config()).proxy(through(address)));
    let id = world.add("node.example:8333");
    let mut stream = world.accept(&listener);
    let greeting = thread::spawn(move || (read(&mut stream), stream));
    world.until("a greeting", |pool| {
        assert!(pool.next_event().is_none());
        greeting.is_finished().then_some(())
    });
    let (greeting, mut stream) = greeting.join().unwrap();
    assert_eq!(greeting, [5, 1, 2]);
    world.pool.remove_peer(id).unwrap();
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
}

/// A pool that knows nobody but a seed, and asks for it here.
fn seeded(address: SocketAddr, resolver: impl Resolve, lookup_timeout: Duration) -> World {
    let mut config = Config { mode: Mode::Automatic, default_port: 8333, ..config() };
    config.seeds.names = vec![Seed { name: "seed.example".parse().expect("a name"), filters_services: false }];
    config.dial.lookup_timeout = lookup_timeout;
    let proxy = Proxy { address, isolate: false, resolves: true };
    World::start(builder(config).proxy(proxy).resolver(resolver))
}

#[test]
fn a_seed_is_looked_up_through_the_proxy_and_nowhere_else() {
    let (listener, address) = peer();
    let proxy = proxy(listener, |stream| {
        assert_eq!(read(stream), [5, 1, 0]);
        answer(stream, &[5, 0]);
        assert_eq!(read(stream), [5, 0xf0, 0, 3]);
        assert_eq!(read_field(stream), b"seed.example");
        let [_, _] = read(stream);
        answer(stream, &[5, 0, 0, 1, 1, 2, 3, 4, 0, 0]);
    });
    let nobody = Nobody::default();
    let mut world = seeded(address, nobody.clone(), PATIENCE);
    let added = world.said("SeedAnswered", |event| match event {
        Event::SeedAnswered { added, .. } => Some(added),
        _ => None,
    });
    assert_eq!(added, 1);
    nobody.was_not_asked();
    proxy.join().unwrap();
}

#[test]
fn a_lookup_that_is_never_answered_ends_at_its_deadline() {
    let (listener, address) = peer();
    let mut world = seeded(address, Nobody::default(), Duration::from_millis(50));
    let mut lookup = world.accept(&listener);
    let end = thread::spawn(move || lookup.read_to_end(&mut Vec::new()).map(drop));
    world.until("the proxy is hung up on", |pool| {
        while pool.next_event().is_some() {}
        end.is_finished().then_some(())
    });
    end.join().unwrap().unwrap();
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
