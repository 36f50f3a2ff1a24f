//! Fallback from the encrypted v2 transport to v1.

mod support;

use connmgr_core::*;
use support::*;

fn config() -> Config {
    Config { mode: Mode::ConnectOnly, transport: Transport::V2, ..Config::default() }
}

fn transports(actions: &[Action]) -> Vec<Transport> {
    let transport = |action: &Action| match action {
        Action::Dial { transport, .. } => Some(*transport),
        _ => None,
    };
    actions.iter().filter_map(transport).collect()
}

fn targets(actions: &[Action]) -> Vec<Target> {
    let target = |action: &Action| match action {
        Action::Dial { target, .. } => Some(target.clone()),
        _ => None,
    };
    actions.iter().filter_map(target).collect()
}

fn dies_unheard(bench: &mut Bench, conn: ConnId) -> Vec<Action> {
    bench.connect(conn);
    bench.tell(Input::Closed { conn, cause: CloseCause::Unheard })
}

#[test]
fn a_v2_dial_that_dies_unheard_is_made_again_as_v1_at_once() {
    let mut bench = Bench::new(config());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let again = dies_unheard(&mut bench, dials(&actions)[0]);
    assert_eq!((transports(&actions), transports(&again)), (vec![Transport::V2], vec![Transport::V1]));
}

#[test]
fn the_first_dial_was_no_failed_attempt() {
    let mut bench = Bench::new(config());
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let again = dies_unheard(&mut bench, dials(&actions)[0]);
    assert_eq!((retries(&again).len(), bench.manager.added_peer(peer).map(|view| view.attempt)), (0, Some(0)));
}

#[test]
fn a_v1_dial_that_dies_unheard_is_not_made_again() {
    let mut bench = Bench::new(config());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let again = dies_unheard(&mut bench, dials(&actions)[0]);
    let third = dies_unheard(&mut bench, dials(&again)[0]);
    assert_eq!((dials(&third).len(), retries(&third).len()), (0, 1));
}

#[test]
fn a_v2_dial_that_dies_after_a_byte_is_not_made_again() {
    let mut bench = Bench::new(config());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.connect(dials(&actions)[0]);
    assert!(dials(&bench.close(dials(&actions)[0])).is_empty());
}

#[test]
fn the_preference_sticks_to_an_added_peer() {
    let mut bench = Bench::new(config());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let again = dies_unheard(&mut bench, dials(&actions)[0]);
    bench.fail(dials(&again)[0], DialError::Refused);
    assert_eq!(transports(&bench.pass(secs(5))), [Transport::V1]);
}

#[test]
fn the_preference_sticks_to_an_address_and_is_saved() {
    let mut config = config();
    config.mode = Mode::Automatic;
    let mut bench = Bench::new(config);
    let actions = bench.learn(&[addr("1.2.3.4:8333")]);
    dies_unheard(&mut bench, dials(&actions)[0]);
    assert!(bench.manager.snapshot().addresses[0].v1_only);
}

#[test]
fn the_second_dial_takes_the_same_slot_and_group() {
    let mut config = config();
    config.mode = Mode::Automatic;
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    let actions = bench.learn(&addresses(50));
    let first = dials(&actions)[0];
    let again = dies_unheard(&mut bench, first);
    assert_eq!(dials(&again).len(), 1);
    assert_eq!(dialed_address(&again, dials(&again)[0]), dialed_address(&actions, first));
}

/// Another circuit would show the peer's network a second client. In Core #35319 the route was lost.
#[test]
fn the_second_dial_takes_the_same_route() {
    let mut config = config();
    let proxy =
        Proxy::new("127.0.0.1:9050".parse().expect("it parses")).isolation(IsolationMode::Required).resolves(true);
    config.proxies.all = Some(proxy);
    let mut bench = Bench::new(config);
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let again = dies_unheard(&mut bench, dials(&actions)[0]);
    assert_eq!(targets(&actions), targets(&again));
}

#[test]
fn an_added_peers_second_dial_is_cancelled_with_it() {
    let mut bench = Bench::new(config());
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let again = dies_unheard(&mut bench, dials(&actions)[0]);
    let actions = bench.tell(Input::RemovePeer { peer });
    assert_eq!(closes(&actions), [(dials(&again)[0], CloseReason::PeerRemoved)]);
}

#[test]
fn a_peer_banned_meanwhile_is_not_dialed_again() {
    let mut bench = Bench::new(config());
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.tell(Input::Ban { target: BanTarget::Host("1.2.3.4".parse().expect("it parses")), duration: secs(60) });
    assert!(dials(&bench.tell(Input::Closed { conn, cause: CloseCause::Unheard })).is_empty());
}

/// The rate holds for it as for any automatic dial, and it comes before all others.
#[test]
fn the_second_dial_waits_for_the_rate() {
    let rate = Rate { burst: 1, interval: secs(5) };
    let base = config();
    let config = Config { mode: Mode::Automatic, dial: DialConfig { rate, ..base.dial }, ..base };
    let mut bench = Bench::new(config);
    let actions = bench.learn(&addresses(50));
    let first = dials(&actions)[0];
    assert!(dials(&dies_unheard(&mut bench, first)).is_empty());
    let again = bench.pass(secs(5));
    assert_eq!(transports(&again), [Transport::V1]);
    assert_eq!(dialed_address(&again, dials(&again)[0]), dialed_address(&actions, first));
}

/// An added peer's second dial keeps its route also while an automatic one before it waits for the rate.
#[test]
fn an_added_peers_second_dial_waits_for_no_automatic_one() {
    let proxy =
        Proxy::new("127.0.0.1:9050".parse().expect("it parses")).isolation(IsolationMode::Required).resolves(true);
    let base = config();
    let rate = Rate { burst: 1, interval: secs(5) };
    let mut config = Config { mode: Mode::Automatic, dial: DialConfig { rate, ..base.dial }, ..base };
    config.proxies.all = Some(proxy);
    let mut bench = Bench::new(config);
    let automatic = bench.learn(&addresses(50));
    let (_, added) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    assert!(dials(&dies_unheard(&mut bench, dials(&automatic)[0])).is_empty());
    let again = dies_unheard(&mut bench, dials(&added)[0]);
    assert_eq!((transports(&again), targets(&again)), (vec![Transport::V1], targets(&added)));
}

/// Without room for another dial an added peer waits in its queue, and is dialed by its address as before.
#[test]
fn the_second_dial_waits_until_the_machine_has_room() {
    let mut bench = Bench::new(config());
    let (first, second) =
        (bench.add_peer("1.2.3.4:8333", Keep::Always).1, bench.add_peer("5.6.7.8:8333", Keep::Always).1);
    bench.connect(dials(&first)[0]);
    bench.fail(dials(&second)[0], DialError::OutOfResources);
    let conn = dials(&first)[0];
    assert!(dials(&bench.tell(Input::Closed { conn, cause: CloseCause::Unheard })).is_empty());
    let again = bench.pass(secs(2));
    assert_eq!(
        (transports(&again), dialed_address(&again, dials(&again)[0])),
        (vec![Transport::V1], addr("1.2.3.4:8333"))
    );
}

#[test]
fn a_second_dial_that_waits_is_dropped_with_its_peer() {
    let mut bench = Bench::new(config());
    let (peer, first) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let (_, second) = bench.add_peer("5.6.7.8:8333", Keep::Always);
    bench.connect(dials(&first)[0]);
    bench.fail(dials(&second)[0], DialError::OutOfResources);
    bench.tell(Input::Closed { conn: dials(&first)[0], cause: CloseCause::Unheard });
    bench.tell(Input::RemovePeer { peer });
    let later = bench.pass(secs(60));
    let to_it = dials(&later).iter().filter(|id| dialed_address(&later, **id) == addr("1.2.3.4:8333")).count();
    assert_eq!((to_it, bench.manager.check()), (0, Ok(())));
}

fn automatic() -> Config {
    Config { mode: Mode::Automatic, ..config() }
}

/// The application tells of an address with these services.
fn learn(bench: &mut Bench, services: Services) -> Vec<Action> {
    let info = AddressInfo::new(addr("1.2.3.4:8333")).services(services).last_seen(UNIX);
    bench.tell(Input::Addresses { source: Source::Application, addresses: vec![info] })
}

#[test]
fn the_first_transport_is_v2_unless_the_services_are_known_and_without() {
    for (services, first) in [
        (Services::NONE, Transport::V2),
        (Services::P2P_V2, Transport::V2),
        (Services::NETWORK | Services::P2P_V2, Transport::V2),
        (Services::NETWORK, Transport::V1),
        (Services::NETWORK | Services::WITNESS, Transport::V1),
    ] {
        let mut bench = Bench::new(automatic());
        assert_eq!(transports(&learn(&mut bench, services)), [first], "{services:?}");
    }
}

#[test]
fn where_v1_is_configured_no_service_makes_it_v2() {
    let mut bench = Bench::new(Config { transport: Transport::V1, ..automatic() });
    assert_eq!(transports(&learn(&mut bench, Services::P2P_V2)), [Transport::V1]);
}

/// A seed that filters answers with peers that have what it was asked for, and perhaps more.
#[test]
fn an_address_from_a_seed_that_filters_is_dialed_as_v2() {
    let seed = Seed::new("seed.example".parse().expect("a name")).filters_services(true);
    let seeds = SeedConfig { names: vec![seed], ..SeedConfig::default() };
    let useful = Services::NETWORK | Services::WITNESS;
    let required = RequiredServices { full: useful, block_relay: useful, ..RequiredServices::default() };
    let mut bench = Bench::new(Config { seeds, required, default_port: 8333, ..automatic() });
    let lookup = bench.pass(secs(1)).into_iter().find_map(|action| match action {
        Action::ResolveSeed { lookup, .. } => Some(lookup),
        _ => None,
    });
    let (lookup, ips) = (lookup.expect("the seed is asked"), vec!["1.2.3.4".parse().expect("an address")]);
    let actions = bench.tell(Input::LookupResult { lookup, result: Ok(ips) });
    assert_eq!(transports(&actions), [Transport::V2]);
}

/// A full peer hangs up before it says anything, and is dialed as v1 again. Later it has room, and says that it has v2.
#[test]
fn a_peer_that_says_it_has_v2_is_dialed_as_v2_again() {
    for (services, next) in [(Services::P2P_V2, Transport::V2), (Services::NETWORK, Transport::V1)] {
        let mut bench = Bench::new(automatic());
        let first = learn(&mut bench, Services::P2P_V2);
        let again = dies_unheard(&mut bench, dials(&first)[0]);
        let conn = dials(&again)[0];
        bench.connect(conn);
        bench.tell(Input::Ready { conn, info: PeerInfo { services, ..PeerInfo::default() } });
        bench.pass(secs(100));
        bench.close(conn);
        assert_eq!(transports(&bench.pass(secs(1200)))[..1], [next], "{services:?}");
    }
}

#[test]
fn an_address_that_did_not_understand_v2_is_dialed_as_v1_for_an_added_peer_too() {
    let mut config = Config { mode: Mode::Automatic, ..config() };
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    let actions = bench.learn(&[addr("1.2.3.4:8333")]);
    let again = dies_unheard(&mut bench, dials(&actions)[0]);
    bench.fail(dials(&again)[0], DialError::Refused);
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    assert_eq!(transports(&actions), [Transport::V1]);
}

/// One dial a minute: a redial waits for its turn.
fn waiting_redial() -> Bench {
    let mut config = Config { mode: Mode::Automatic, ..config() };
    config.limits.full = 1;
    config.dial.rate = Rate { burst: 1, interval: secs(60) };
    let mut bench = Bench::new(config);
    let actions = bench.learn(&[addr("1.2.3.4:8333")]);
    assert_eq!(dials(&dies_unheard(&mut bench, dials(&actions)[0])), []);
    bench
}

fn hindrances(bench: &Bench) -> Vec<DialRule> {
    let told = bench.manager.explain(&addr("1.2.3.4:8333"), bench.now).full;
    told.into_iter().map(|found| found.rule).collect()
}

#[test]
fn a_second_dial_that_waits_when_the_pool_becomes_inactive_is_not_made_later() {
    let mut bench = waiting_redial();
    assert_eq!(hindrances(&bench), [DialRule::Rate]);
    bench.tell(Input::SetActive { active: false });
    bench.tell(Input::SetActive { active: true });
    assert_eq!(hindrances(&bench)[0], DialRule::Resting, "like any other that has failed");
}
