//! The pool behind a real Tor that has no network.
//!
//! Run by `.ci/interop-tor`, in a network namespace that has nothing but loopback: see [`tor`].

#[path = "../pool/support.rs"]
#[allow(dead_code, reason = "shared with the tests that need no Tor")]
mod support;
mod tor;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use connmgr_core::{
    Config, DialError, DialFailure, Event, Fault, Host, HostName, LookupError, Mode, NetworkKind, PeerAddress, Seed,
};
use connmgr_tokio::{Pool, PoolEvent, Resolve};

use support::{add, builder, config, event, start};
use tor::Tor;

/// The first event of the manager's that `pick` wants.
async fn said<T>(pool: &mut Pool, what: &str, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    event(pool, what, |event| match event {
        PoolEvent::Event(event) => pick(event),
        _ => None,
    })
    .await
}

/// A pool that has but this seed to begin with, and counts what is asked of the local resolver.
async fn seeded(tor: &Tor, seed: &str) -> (Pool, Local) {
    let mut config = Config { mode: Mode::Automatic, default_port: 8333, ..config() };
    config.seeds.names = vec![Seed { name: seed.parse().expect("a name"), filters_services: false }];
    let local = Local::default();
    (start(builder(config).proxy(tor.proxy()).resolver(local.clone())).await, local)
}

/// A pool of added peers only.
async fn plain(tor: &Tor) -> Pool {
    start(builder(config()).proxy(tor.proxy())).await
}

/// The machine's own resolver, of which nothing may be asked.
#[derive(Clone, Default)]
struct Local(Arc<AtomicU32>);

impl Local {
    fn asked(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Resolve for Local {
    fn resolve(&self, _: &HostName) -> Result<Vec<IpAddr>, LookupError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(LookupError::NotFound)
    }
}

/// How the seed did: how many addresses it brought, or why none.
async fn seed_result(pool: &mut Pool) -> Result<u32, LookupError> {
    said(pool, "the seed's result", |event| match event {
        Event::SeedAnswered { added, .. } => Some(Ok(added)),
        Event::SeedFailed { error, .. } => Some(Err(error)),
        _ => None,
    })
    .await
}

/// The next dial to fail.
async fn failure(pool: &mut Pool) -> (PeerAddress, DialFailure) {
    said(pool, "DialFailed", |event| match event {
        Event::DialFailed { address, error, .. } => Some((address, error)),
        _ => None,
    })
    .await
}

/// What the dial of a peer fails of.
async fn dial_error(tor: &Tor, address: PeerAddress) -> DialFailure {
    let mut pool = plain(tor).await;
    add(&pool, &address).await;
    let (failed, error) = failure(&mut pool).await;
    assert_eq!(failed, address);
    error
}

/// Of a key that is no point of the curve's main group, so that Tor sees without a network that nobody is there.
fn impossible_onion() -> PeerAddress {
    PeerAddress::new(Host::Onion([0; 32]), 8333)
}

#[tokio::test]
async fn a_seed_is_resolved_by_tor_and_its_answer_dialed_through_tor() {
    let tor = Tor::start().await;
    let (mut pool, local) = seeded(&tor, "seed.example").await;
    assert_eq!(seed_result(&mut pool).await, Ok(1));
    // Tor carries nothing to an address of loopback, and says so at once.
    let (address, error) = failure(&mut pool).await;
    assert_eq!(address.to_string(), "127.0.0.5:8333");
    assert_eq!(error, DialFailure::Failed(DialError::ProxyFailed));
    assert_eq!(local.asked(), 0);
}

#[tokio::test]
async fn a_seed_may_answer_with_an_ipv6_address() {
    let tor = Tor::start().await;
    let (mut pool, local) = seeded(&tor, "seed6.example").await;
    assert_eq!(seed_result(&mut pool).await, Ok(1));
    let (address, error) = failure(&mut pool).await;
    assert_eq!(address.to_string(), "[2a00:1450::5]:8333");
    assert_eq!(error, DialFailure::Failed(DialError::TimedOut));
    assert_eq!(local.asked(), 0);
}

#[tokio::test]
async fn a_seed_that_tor_cannot_resolve_has_failed() {
    let tor = Tor::start().await;
    let (mut pool, local) = seeded(&tor, "nowhere.example").await;
    assert_eq!(seed_result(&mut pool).await, Err(LookupError::Failed));
    assert_eq!(local.asked(), 0);
}

#[tokio::test]
async fn each_stream_has_a_user_of_its_own() {
    let tor = Tor::start().await;
    let mut streams = tor.streams().await;
    let (pool, _) = seeded(&tor, "nowhere.example").await;
    let mut users = vec![streams.user_of("nowhere.example:0").await];
    for peer in ["one.example:8333", "two.example:8333"] {
        add(&pool, peer).await;
        users.push(streams.user_of(peer).await);
    }
    users.sort();
    users.dedup();
    assert_eq!(users.len(), 3, "{users:?}");
}

#[tokio::test]
async fn a_name_that_tor_cannot_reach_has_timed_out() {
    let tor = Tor::start().await;
    let name = "nowhere.example:8333".parse().expect("an address");
    assert_eq!(dial_error(&tor, name).await, DialFailure::Failed(DialError::TimedOut));
}

#[tokio::test]
async fn an_onion_address_that_cannot_be_is_an_unreachable_service() {
    let tor = Tor::start().await;
    assert_eq!(dial_error(&tor, impossible_onion()).await, DialFailure::Failed(DialError::ServiceUnreachable));
}

#[tokio::test]
async fn a_dead_tor_is_a_dead_network_until_it_is_back() {
    let tor = Tor::start().await;
    let mut pool = plain(&tor).await;
    add(&pool, impossible_onion()).await;
    assert_eq!(failure(&mut pool).await.1, DialFailure::Failed(DialError::ServiceUnreachable));

    let killed = tor.kill().await;
    let mut failures = Vec::new();
    let network = said(&mut pool, "NetworkDown", |event| match event {
        Event::DialFailed { error: DialFailure::Failed(error), .. } => {
            failures.push(error);
            None
        }
        Event::NetworkDown { network } => Some(network),
        _ => None,
    })
    .await;
    assert_eq!(network, NetworkKind::Onion);
    // Those before were of when it lived; the first after may have been cut off in the middle.
    failures.retain(|error| error.fault() == Fault::Route);
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert_eq!(failures[2], DialError::ProxyUnreachable);

    let _tor = killed.restart().await;
    // No onion service answers where no network is, so the network stays suspected; but it is Tor again that says so.
    said(&mut pool, "a probe that reaches Tor", |event| match event {
        Event::DialFailed { error, .. } => (error == DialFailure::Failed(DialError::ServiceUnreachable)).then_some(()),
        _ => None,
    })
    .await;
    assert!(pool.handle().stats().await.probes > 0);
}
