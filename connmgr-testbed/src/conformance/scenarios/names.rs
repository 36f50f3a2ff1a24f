//! Names resolved by this machine.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connmgr_core::{Event, HostName, LookupError};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{PATIENCE, TestPeer};

/// A resolver that knows one name.
fn one_name(name: &HostName) -> Result<Vec<IpAddr>, LookupError> {
    match name.as_str() {
        "peer.example" => Ok(vec![IpAddr::from(Ipv4Addr::LOCALHOST)]),
        _ => Err(LookupError::NotFound),
    }
}

/// The answer is dialed.
pub fn a_name_is_resolved_by_the_hook<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()).resolving(one_name));
    let id = world.add(format!("peer.example:{}", peer.address().port()));
    assert_eq!(world.connected().peer, Some(id));
    world.end();
}

/// The failure names the peer.
pub fn a_name_that_nobody_knows_fails_its_peer<R: Rig>(rig: &R) {
    let mut world = TestWorld::start(rig, Setup::new(config()).resolving(one_name));
    let id = world.add("nobody.example:1");
    let failed = world.said("LookupFailed", |event| match event {
        Event::LookupFailed { peer, error, .. } => Some((peer, error)),
        _ => None,
    });
    assert_eq!(failed, (id, LookupError::NotFound));
    world.end();
}

/// A resolver that answers only once it is released.
#[derive(Clone, Default)]
pub(super) struct Hanging(Arc<(Mutex<Held>, Condvar)>);

#[derive(Default)]
struct Held {
    asked: usize,
    let_go: bool,
}

impl Hanging {
    pub(super) fn resolve(&self, _: &HostName) -> Result<Vec<IpAddr>, LookupError> {
        let mut held = self.held();
        held.asked += 1;
        drop(self.0.1.wait_timeout_while(held, PATIENCE, |held| !held.let_go));
        Ok(vec![IpAddr::from(Ipv4Addr::LOCALHOST)])
    }

    /// How often it was asked.
    #[cfg(target_os = "linux")]
    fn asked(&self) -> usize {
        self.held().asked
    }

    pub(super) fn let_go(&self) {
        self.held().let_go = true;
        self.0.1.notify_all();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Peers with that name fail at their deadline, and no other dial waits.
pub fn a_resolver_that_hangs_delays_nobody_else<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let hanging = Hanging::default();
    let mut config = config();
    config.dial.lookup_timeout = Duration::from_millis(100);
    config.retry.base = Duration::from_secs(60);
    config.retry.cap = config.retry.base;
    let resolver = hanging.clone();
    let mut world = TestWorld::start(rig, Setup::new(config).resolving(move |name| resolver.resolve(name)));
    for number in 0..6 {
        world.add(format!("node{number}.example:1"));
    }
    world.add(peer.address());
    world.tells(&["connected added"]);
    for _ in 0..6 {
        world.tells(&["lookup failed: timed out"]);
    }
    hanging.let_go();
    assert_eq!(world.pool.connections().len(), 1, "an answer that is late is nobody's");
    world.end();
}

/// After the shutdown only the threads that hang are left, at most four.
#[cfg(target_os = "linux")]
pub fn a_shutdown_waits_for_no_resolver<R: Rig>(rig: &R) {
    use connmgr_std::MAX_RESOLVER_THREADS;

    use crate::conformance::census::{Left, ProcessCensus};

    let before = ProcessCensus::take();
    let hanging = Hanging::default();
    let resolver = hanging.clone();
    let mut world = TestWorld::start(rig, Setup::new(config()).resolving(move |name| resolver.resolve(name)));
    for number in 0..6 {
        world.add(format!("node{number}.example:1"));
    }
    world.until("four threads hang", |_| (hanging.asked() == MAX_RESOLVER_THREADS).then_some(()));
    world.end();
    before.is_again_but_for(rig, &Left { threads: ("connmgr-resolve", MAX_RESOLVER_THREADS), sockets: 0 });
    hanging.let_go();
}

/// A thread that hangs is not replaced, even if its lookup is long past its deadline.
#[cfg(target_os = "linux")]
pub fn a_resolver_that_never_answers_has_four_threads_at_most<R: Rig>(rig: &R) {
    use connmgr_std::MAX_RESOLVER_THREADS;

    use crate::conformance::census::{Left, ProcessCensus};

    let before = ProcessCensus::take();
    let hanging = Hanging::default();
    let resolver = hanging.clone();
    let mut config = config();
    config.limits.added = 500;
    config.dial.lookup_timeout = Duration::from_millis(30);
    config.retry.base = Duration::from_secs(60);
    config.retry.cap = config.retry.base;
    let mut world = TestWorld::start(rig, Setup::new(config).resolving(move |name| resolver.resolve(name)));
    for number in 0..3 * MAX_RESOLVER_THREADS {
        world.add(format!("node{number}.example:1"));
        world.tells(&["lookup failed: timed out"]);
    }
    assert_eq!(hanging.asked(), MAX_RESOLVER_THREADS);
    world.end();
    before.is_again_but_for(rig, &Left { threads: ("connmgr-resolve", MAX_RESOLVER_THREADS), sockets: 0 });
    hanging.let_go();
}

/// After a shutdown, only the threads that hang in `getaddrinfo` are left. Each keeps the socket of its question. Tried
/// where this machine allows a network namespace.
#[cfg(target_os = "linux")]
pub fn a_shutdown_waits_for_no_lookup_of_the_operating_system<R: Rig>(rig: &R) {
    use connmgr_std::MAX_RESOLVER_THREADS;

    use crate::conformance::census::{Left, ProcessCensus};
    use crate::conformance::namespace::Namespace;
    use crate::peers::NameServer;

    match Namespace::enter() {
        Namespace::Inside => {}
        Namespace::Done => return,
        Namespace::Unavailable => return eprintln!("not tried: no user namespaces, or no `unshare` and `ip`"),
    }
    let mut server = NameServer::listen().expect("we are root here");
    let before = ProcessCensus::take();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    for number in 0..6 {
        world.add(format!("node{number}.example:1"));
    }
    world.until("four threads hang", |_| (server.asked_by() == MAX_RESOLVER_THREADS).then_some(()));
    world.end();
    before.is_again_but_for(
        rig,
        &Left { threads: ("connmgr-resolve", MAX_RESOLVER_THREADS), sockets: MAX_RESOLVER_THREADS },
    );
    server.answer();
}
