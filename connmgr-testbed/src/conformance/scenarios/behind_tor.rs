//! A pool behind a real Tor that has no network.
//!
//! Run by `.ci/interop-tor`, in a network namespace that has nothing but loopback: see [`Tor`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connmgr_core::{
    Config, DialError, DialFailure, Event, Fault, Host, LookupError, Mode, NetworkKind, PeerAddress, Seed,
};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::Tor;

/// A pool that knows nothing but this seed, and how often the machine's own resolver was asked, which must be
/// never.
fn seeded<R: Rig>(rig: &R, tor: &Tor, seed: &str) -> (TestWorld<R>, Arc<AtomicU32>) {
    let mut config = Config { mode: Mode::Automatic, default_port: 8333, ..config() };
    config.seeds.names = vec![Seed::new(seed.parse().expect("a name"))];
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let setup = Setup::new(config).by_proxy(tor.proxy()).resolving(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Err(LookupError::NotFound)
    });
    (TestWorld::start(rig, setup), asked)
}

/// A pool of added peers only.
fn plain<R: Rig>(rig: &R, tor: &Tor) -> TestWorld<R> {
    TestWorld::start(rig, Setup::new(config()).by_proxy(tor.proxy()))
}

/// The result of the seed: how many addresses, or why none.
fn seed_result<R: Rig>(world: &mut TestWorld<R>) -> Result<u32, LookupError> {
    world.said("the seed's result", |event| match event {
        Event::SeedAnswered { added, .. } => Some(Ok(added)),
        Event::SeedFailed { error, .. } => Some(Err(error)),
        _ => None,
    })
}

/// The next dial to fail.
fn failure<R: Rig>(world: &mut TestWorld<R>) -> (PeerAddress, DialFailure) {
    world.said("a dial fails", |event| match event {
        Event::DialFailed { address, error, .. } => Some((address, error)),
        _ => None,
    })
}

/// The dial of a peer fails with this error.
fn fails_of<R: Rig>(rig: &R, address: PeerAddress, expected: DialError) {
    let tor = Tor::start();
    let mut world = plain(rig, &tor);
    world.add(&address);
    assert_eq!(failure(&mut world), (address, DialFailure::Failed(expected)));
    world.end();
}

/// An address whose key is not in the curve's main group, which Tor detects without a network.
fn impossible_onion() -> PeerAddress {
    PeerAddress::new(Host::Onion([0; 32]), 8333)
}

/// A seed is resolved by Tor, and its answer dialed through Tor, which fails with this error.
fn seed_leads_to<R: Rig>(rig: &R, seed: &str, address: &str, expected: DialError) {
    let tor = Tor::start();
    let (mut world, asked) = seeded(rig, &tor, seed);
    assert_eq!(seed_result(&mut world), Ok(1));
    let (failed, error) = failure(&mut world);
    assert_eq!((failed.to_string().as_str(), error), (address, DialFailure::Failed(expected)));
    world.end();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// Tor refuses addresses of loopback at once.
pub fn a_seed_is_resolved_by_tor_and_its_answer_dialed_through_tor<R: Rig>(rig: &R) {
    seed_leads_to(rig, "seed.example", "127.0.0.5:8333", DialError::ProxyFailed);
}

/// Without a network, the address can't be reached.
pub fn a_seed_may_answer_with_an_ipv6_address<R: Rig>(rig: &R) {
    seed_leads_to(rig, "seed6.example", "[2a00:1450::5]:8333", DialError::TimedOut);
}

/// No other resolver is asked.
pub fn a_seed_that_tor_cannot_resolve_has_failed<R: Rig>(rig: &R) {
    let tor = Tor::start();
    let (mut world, asked) = seeded(rig, &tor, "nowhere.example");
    assert_eq!(seed_result(&mut world), Err(LookupError::Failed));
    world.end();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// The user names as Tor sees them: of a lookup, and of two dials.
pub fn each_stream_has_a_user_of_its_own<R: Rig>(rig: &R) {
    let tor = Tor::start();
    let mut streams = tor.streams();
    let (mut world, _) = seeded(rig, &tor, "nowhere.example");
    let mut users = vec![world.meanwhile("a lookup", || streams.user_of("nowhere.example:0"))];
    for peer in ["one.example:8333", "two.example:8333"] {
        world.add(peer);
        users.push(world.meanwhile("a stream", || streams.user_of(peer)));
    }
    users.sort();
    users.dedup();
    assert_eq!(users.len(), 3, "{users:?}");
    world.end();
}

/// Tor says so by an ordinary reply.
pub fn a_name_that_tor_cannot_reach_has_timed_out<R: Rig>(rig: &R) {
    fails_of(rig, "nowhere.example:8333".parse().expect("an address"), DialError::TimedOut);
}

/// Tor says so by an extended error.
pub fn an_onion_address_that_cannot_be_is_an_unreachable_service<R: Rig>(rig: &R) {
    fails_of(rig, impossible_onion(), DialError::ServiceUnreachable);
}

/// Failures of the proxy count against the network, and not against the peer.
pub fn a_dead_tor_is_a_dead_network_until_it_is_back<R: Rig>(rig: &R) {
    let mut tor = Tor::start();
    let mut world = plain(rig, &tor);
    world.add(impossible_onion());
    assert_eq!(failure(&mut world).1, DialFailure::Failed(DialError::ServiceUnreachable));

    tor.kill();
    let mut failures = Vec::new();
    let network = world.said("NetworkDown", |event| match event {
        Event::DialFailed { error: DialFailure::Failed(error), .. } => {
            failures.push(error);
            None
        }
        Event::NetworkDown { network } => Some(network),
        _ => None,
    });
    assert_eq!(network, NetworkKind::Onion);
    // Earlier failures are from before; the first one after may be of a dial that was cut off.
    failures.retain(|error| error.fault() == Fault::Route);
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert_eq!(failures[2], DialError::ProxyUnreachable);

    tor.restart();
    // Without a network no onion service answers, so the network stays suspected; but the errors are Tor's again.
    world.said("a probe that reaches Tor", |event| match event {
        Event::DialFailed { error, .. } => (error == DialFailure::Failed(DialError::ServiceUnreachable)).then_some(()),
        _ => None,
    });
    assert!(world.pool.stats().probes > 0);
    world.end();
}
