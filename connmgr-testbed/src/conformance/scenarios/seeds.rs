//! DNS seeds, looked up through a proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connmgr_core::{Config, Event, IsolationMode, LookupError, Mode, Proxy, Seed};

use crate::conformance::{Rig, Setup, TestWorld, config};
use crate::peers::{PATIENCE, TestPeer, socks};

/// A pool that knows only a seed, resolves it through this proxy, and counts lookups anywhere else.
pub(super) fn seeded(proxy: &TestPeer, lookup_timeout: Duration) -> (Setup, Arc<AtomicU32>) {
    let mut config = Config { mode: Mode::Automatic, default_port: 8333, ..config() };
    config.seeds.names = vec![Seed::new("seed.example".parse().expect("a name"))];
    config.dial.lookup_timeout = lookup_timeout;
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let proxy = Proxy::new(proxy.address().into()).isolation(IsolationMode::Off).resolves(true);
    let setup = Setup::new(config).by_proxy(proxy).resolving(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Err(LookupError::Failed)
    });
    (setup, asked)
}

/// The proxy answers byte by byte.
pub fn a_seed_is_looked_up_through_the_proxy_and_nowhere_else<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let (setup, asked) = seeded(&listener, PATIENCE);
    let mut world = TestWorld::start(rig, setup);
    let mut line = world.accept(&listener);
    let (user, request) = world.meanwhile("the proxy is asked", || {
        let request = socks::serve(&mut line, Duration::from_millis(1));
        line.drip(&[5, 0, 0, 1, 1, 2, 3, 4, 0, 0], Duration::from_millis(1));
        request
    });
    assert_eq!(user, None);
    assert_eq!(request, socks::SocksRequest { command: socks::RESOLVE, host: "seed.example".into(), port: 0 });
    let added = world.said("SeedAnswered", |event| match event {
        Event::SeedAnswered { added, .. } => Some(added),
        _ => None,
    });
    assert_eq!(added, 1);
    world.end();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// The connection to the proxy is closed, and the failure is reported.
pub fn a_lookup_that_is_never_answered_ends_at_its_deadline<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let (setup, _) = seeded(&listener, Duration::from_millis(50));
    let mut world = TestWorld::start(rig, setup);
    let mut line = world.accept(&listener);
    world.meanwhile("the proxy is hung up on", || line.hear_out());
    let failed = world.said("SeedFailed", |event| match event {
        Event::SeedFailed { error, .. } => Some(error),
        _ => None,
    });
    assert_eq!(failed, LookupError::TimedOut);
    world.end();
}
