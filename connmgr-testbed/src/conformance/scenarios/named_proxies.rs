//! A SOCKS5 proxy that is given by name, as in a network of containers.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connmgr_core::{Event, HostName, Input, IsolationMode, LookupError, Proxy, ProxyAddress};

use super::names::Hanging;
use super::seeds::seeded;
use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{PATIENCE, TestPeer, socks};

/// Nobody listens here.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn named(listener: &TestPeer) -> ProxyAddress {
    format!("proxy.example:{}", listener.address().port()).parse().expect("a name and a port")
}

/// The proxy's name has the first of these addresses when it is first asked for, and so on; in the end, the last. Also
/// how often it was asked for.
fn by_name(listener: &TestPeer, answers: &'static [&'static [Ipv4Addr]]) -> (Setup, Arc<AtomicUsize>) {
    let proxy = Proxy::new(named(listener)).isolation(IsolationMode::Off).resolves(true);
    let asked = Arc::new(AtomicUsize::new(0));
    (Setup::new(config()).by_proxy(proxy).resolving(resolver(Arc::clone(&asked), answers)), asked)
}

fn resolver(
    asked: Arc<AtomicUsize>,
    answers: &'static [&'static [Ipv4Addr]],
) -> impl Fn(&HostName) -> Result<Vec<IpAddr>, LookupError> + Send + Sync + 'static {
    move |name| {
        assert_eq!(name.as_str(), "proxy.example", "no other name is looked up here");
        let count = asked.fetch_add(1, Ordering::SeqCst);
        let answer = answers[count.min(answers.len() - 1)];
        if answer.is_empty() {
            Err(LookupError::NotFound)
        } else {
            Ok(answer.iter().copied().map(IpAddr::V4).collect())
        }
    }
}

/// A peer is connected through the proxy, without a failure before.
fn connects<R: Rig>(world: &mut TestWorld<R>, listener: &TestPeer, name: &str) {
    world.add(format!("{name}:8333"));
    let mut line = world.accept(listener);
    let asked = world.meanwhile("the proxy is asked", || socks::serve_plainly(&mut line));
    assert_eq!(asked.host, name);
    line.say(&socks::DONE);
    world.tells(&["connected added"]);
    let conn = world.pool.connections().iter().map(|view| view.conn).max().expect("it is there");
    drop(line);
    assert_eq!(world.read(conn, 1), b"");
    let peer = world.pool.added_peers()[0].peer;
    world.bid(Input::RemovePeer { peer });
    world.pool.release(conn);
    world.tells(&["disconnected: peer removed"]);
}

/// Its name is looked up once.
pub fn a_proxy_is_found_by_its_name<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let (setup, asked) = by_name(&listener, &[&[HERE]]);
    let mut world = TestWorld::start(rig, setup);
    connects(&mut world, &listener, "one.example");
    connects(&mut world, &listener, "two.example");
    world.end();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// Within the same dial, which does not fail.
pub fn an_address_of_the_proxy_that_refuses_is_followed_by_the_next<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let (setup, asked) = by_name(&listener, &[&[ELSEWHERE, HERE]]);
    let mut world = TestWorld::start(rig, setup);
    connects(&mut world, &listener, "one.example");
    world.end();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// A container that was started anew has another address. Within the same dial, too.
pub fn a_proxy_that_has_moved_is_found_again<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let port = listener.address().port();
    let (setup, asked) = by_name(&listener, &[&[HERE], &[ELSEWHERE]]);
    let mut world = TestWorld::start(rig, setup);
    connects(&mut world, &listener, "one.example");
    drop(listener);
    let moved = TestPeer::listen_at((ELSEWHERE, port).into());
    connects(&mut world, &moved, "two.example");
    world.end();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

/// It is looked up again by the next dial.
pub fn a_proxy_whose_name_is_unknown_fails_the_dial_until_it_is_known<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let (setup, _) = by_name(&listener, &[&[], &[HERE]]);
    let mut world = TestWorld::start(rig, setup);
    world.add("one.example:8333");
    world.tells(&["dial failed: the proxy's name could not be resolved"]);
    let mut line = world.accept(&listener);
    world.meanwhile("the proxy is asked", || socks::serve_plainly(&mut line));
    line.say(&socks::DONE);
    world.tells(&["connected added"]);
    world.end();
}

/// And the seed's failure names the proxy's name, where that is at fault.
pub fn a_seed_is_looked_up_through_a_proxy_by_name<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let (mut setup, _) = seeded(&listener, PATIENCE);
    setup = setup.by_proxy(Proxy::new(named(&listener)).isolation(IsolationMode::Off).resolves(true));
    let unknown: &[&[Ipv4Addr]] = &[&[]];
    let mut world = TestWorld::start(rig, setup.clone().resolving(resolver(Arc::default(), unknown)));
    assert_eq!(super::plain_proxies::seed_failure(&mut world), LookupError::ProxyNotFound);
    world.end();

    let known: &[&[Ipv4Addr]] = &[&[ELSEWHERE, HERE]];
    let mut world = TestWorld::start(rig, setup.resolving(resolver(Arc::default(), known)));
    let mut line = world.accept(&listener);
    let asked = world.meanwhile("the proxy is asked", || socks::serve_plainly(&mut line));
    assert_eq!((asked.command, asked.host.as_str()), (socks::RESOLVE, "seed.example"));
    line.say(&[5, 0, 0, 1, 1, 2, 3, 4, 0, 0]);
    let added = world.said("SeedAnswered", |event| match event {
        Event::SeedAnswered { added, .. } => Some(added),
        _ => None,
    });
    assert_eq!(added, 1);
    world.end();
}

/// The resolver hangs. Nothing waits for it.
pub fn a_dial_that_waits_for_its_proxys_name_can_be_given_up<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let proxy = Proxy::new(named(&listener)).isolation(IsolationMode::Off).resolves(true);
    let hanging = Hanging::default();
    let asked = hanging.clone();
    let setup = Setup::new(config()).by_proxy(proxy).resolving(move |name| asked.resolve(name));
    let mut world = TestWorld::start(rig, setup);
    let peer = world.add("one.example:8333");
    world.is_quiet(Duration::from_millis(20));
    world.bid(Input::RemovePeer { peer });
    world.tells(&["dial failed: peer removed"]);
    world.add("two.example:8333");
    world.end();
    hanging.let_go();
}
