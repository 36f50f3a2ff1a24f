//! Proxies and overlay networks: who can see what.

mod support;

use connmgr_core::*;
use support::*;

const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";

fn proxy(isolate: bool, resolves: bool) -> Proxy {
    let isolation = if isolate { IsolationMode::Required } else { IsolationMode::Off };
    Proxy::new("127.0.0.1:9050".parse().expect("it parses")).isolation(isolation).resolves(resolves)
}

/// Everything goes through one proxy.
fn proxied(isolate: bool, resolves: bool) -> Config {
    let seeds = SeedConfig {
        names: vec![Seed::new(HostName::new("seed.example").expect("a host name"))],
        ..SeedConfig::default()
    };
    let proxies = Proxies { all: Some(proxy(isolate, resolves)), ..Proxies::default() };
    Config { proxies, seeds, default_port: 8333, ..Config::default() }
}

fn targets(actions: &[Action]) -> Vec<Target> {
    let target = |action: &Action| match action {
        Action::Dial { target, .. } => Some(target.clone()),
        _ => None,
    };
    actions.iter().filter_map(target).collect()
}

/// The circuits of the dials among the actions.
fn circuits(actions: &[Action]) -> Vec<Isolation> {
    let isolation = |target: Target| match target {
        Target::Proxied { isolation, .. } => isolation,
        Target::Direct(to) => panic!("{to} is dialed directly"),
    };
    targets(actions).into_iter().map(isolation).collect()
}

fn is_lookup(action: &Action) -> bool {
    matches!(action, Action::ResolveHost { .. } | Action::ResolveSeed { .. })
}

#[test]
fn an_onion_service_is_dialed_through_its_proxy() {
    let proxies = Proxies { onion: Some(proxy(false, false)), ..Proxies::default() };
    let mut bench = Bench::new(Config { proxies, ..Config::default() });
    let (_, actions) = bench.add_peer(ONION, Keep::Always);
    let expected =
        Target::Proxied { proxy: proxy(false, false).address, isolation: Isolation::Shared, address: addr(ONION) };
    assert_eq!(targets(&actions), [expected]);
}

#[test]
fn with_an_onion_proxy_only_the_rest_goes_direct() {
    let proxies = Proxies { onion: Some(proxy(false, false)), ..Proxies::default() };
    let mut bench = Bench::new(Config { proxies, ..Config::default() });
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    assert_eq!(targets(&actions), [Target::Direct("1.2.3.4:8333".parse().expect("it parses"))]);
}

#[test]
fn without_a_proxy_onions_are_not_even_remembered() {
    let mut bench = Bench::new(Config::default());
    bench.learn(&[addr(ONION)]);
    assert!(bench.manager.book().is_empty());
}

#[test]
fn isolation_gives_every_dial_a_circuit_of_its_own() {
    let mut bench = Bench::new(proxied(true, true));
    let actions = bench.learn(&addresses(20));
    let circuits = circuits(&actions);
    let different: std::collections::BTreeSet<_> = circuits.iter().collect();
    assert!(circuits.len() == 8 && different.len() == 8 && !circuits.contains(&Isolation::Shared));
}

#[test]
fn every_attempt_has_a_circuit_of_its_own() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..proxied(true, true) });
    let (_, first) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.fail(dials(&first)[0], DialError::Refused);
    let second = bench.pass(secs(5));
    assert_ne!(circuits(&first), circuits(&second));
}

#[test]
fn a_name_goes_to_the_proxy_and_to_no_resolver() {
    let mut bench = Bench::new(proxied(true, true));
    let (_, actions) = bench.add_peer("node.example:8333", Keep::Always);
    assert_eq!(dialed_address(&actions, dials(&actions)[0]), addr("node.example:8333"));
    assert!(!actions.iter().any(is_lookup));
}

#[test]
fn seeds_are_looked_up_through_a_proxy_that_can() {
    let mut bench = Bench::new(proxied(true, true));
    let actions = bench.pass(secs(0));
    let route = actions.iter().find_map(|action| match action {
        Action::ResolveSeed { route, .. } => Some(route.clone()),
        _ => None,
    });
    assert!(matches!(route, Some(Route::Proxy { isolation: Isolation::Token(_), .. })), "{route:?}");
}

#[test]
fn seeds_are_dialed_by_name_where_the_proxy_cannot_look_them_up() {
    let mut bench = Bench::new(proxied(true, false));
    let actions = bench.pass(secs(0));
    assert_eq!(dialed_address(&actions, dials(&actions)[0]), addr("seed.example.:8333"));
    assert_eq!(bench.manager.connections()[0].kind, Kind::AddrFetch);
}

#[test]
fn with_a_proxy_nothing_is_ever_looked_up_directly() {
    for resolves in [true, false] {
        let mut bench = Bench::new(proxied(true, resolves));
        let (_, mut actions) = bench.add_peer("node.example:8333", Keep::Always);
        actions.extend(bench.pass(secs(24 * 3600)));
        let direct = actions.iter().any(|action| {
            matches!(action, Action::ResolveSeed { route: Route::Direct, .. } | Action::ResolveHost { .. })
        });
        assert!(!direct && targets(&actions).iter().all(|target| matches!(target, Target::Proxied { .. })));
    }
}

/// All lookups of a node that may reach overlay networks only.
#[test]
fn a_node_of_overlay_networks_only_asks_no_local_resolver() {
    let mut config = proxied(true, false);
    config.proxies = Proxies { onion: config.proxies.all, ..Proxies::default() };
    config.networks = NetworkSet::EMPTY.with(NetworkKind::Onion);
    let mut bench = Bench::new(config);
    let name = bench.apply(&Input::AddPeer { peer: AddedPeer::new(addr("node.example:8333")) });
    assert_eq!(name, Reply::Added(Err(AddPeerError::Unreachable)));
    assert!(!bench.pass(secs(3600)).iter().any(is_lookup));
}

/// Two seeds, which a proxy that says it can looks up. It refuses the first.
fn refused() -> (Bench, Vec<Action>, LookupId) {
    let mut config = proxied(true, true);
    config.seeds.names.push(Seed::new(HostName::new("other.example").expect("a name")).filters_services(true));
    let mut bench = Bench::new(config);
    let [first, second] = lookups(&bench.pass(secs(0)))[..] else { panic!("two seeds are asked") };
    let result = Err(LookupError::ProxyUnsupported);
    let actions = bench.tell(Input::LookupResult { lookup: first, result });
    (bench, actions, second)
}

fn lookups(actions: &[Action]) -> Vec<LookupId> {
    let lookup = |action: &Action| match action {
        Action::ResolveSeed { lookup, .. } => Some(*lookup),
        _ => None,
    };
    actions.iter().filter_map(lookup).collect()
}

fn has_failed(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Emit(Event::SeedFailed { .. })))
}

#[test]
fn a_seed_whose_lookup_the_proxy_does_not_support_is_dialed_by_name_at_once() {
    let (mut bench, actions, second) = refused();
    assert_eq!(dialed_address(&actions, dials(&actions)[0]), addr("seed.example.:8333"));
    assert_eq!(bench.manager.connections()[0].kind, Kind::AddrFetch);
    assert!(!has_failed(&actions), "it was not asked");
    let result = Err(LookupError::ProxyUnsupported);
    let actions = bench.tell(Input::LookupResult { lookup: second, result });
    let visits = |bench: &Bench| bench.manager.connections().iter().filter(|it| it.kind == Kind::AddrFetch).count();
    assert_eq!(dials(&actions).len() + 1, visits(&bench));
}

/// The seeds fail for a day, and are asked again and again.
#[test]
fn that_a_proxy_does_not_support_lookups_is_remembered() {
    let (mut bench, actions, _) = refused();
    bench.fail(dials(&actions)[0], DialError::Refused);
    let mut later = Vec::new();
    for _ in 0..24 {
        later.extend(bench.pass(secs(3600)));
        for conn in bench.manager.connections() {
            bench.fail(conn.conn, DialError::Refused);
        }
    }
    assert_eq!(lookups(&later), []);
    assert!(dials(&later).len() > 10, "{}", dials(&later).len());
}

#[test]
fn in_another_network_the_proxy_may_support_lookups() {
    let (mut bench, actions, second) = refused();
    bench.fail(dials(&actions)[0], DialError::Refused);
    let result = Err(LookupError::Failed);
    bench.tell(Input::LookupResult { lookup: second, result });
    bench.tell(Input::NetworkChanged);
    assert!(!lookups(&bench.pass(secs(60))).is_empty());
}

/// A name is dialed only through a proxy.
#[test]
fn without_a_proxy_a_lookup_that_is_not_supported_has_failed() {
    let mut bench = Bench::new(Config { proxies: Proxies::default(), ..proxied(true, true) });
    let lookup = lookups(&bench.pass(secs(0)))[0];
    let actions = bench.tell(Input::LookupResult { lookup, result: Err(LookupError::ProxyUnsupported) });
    assert!(has_failed(&actions) && bench.manager.connections().is_empty());
}

/// Otherwise the seed would wait for a visit for ever, and nobody be told why.
#[test]
fn where_no_visits_are_allowed_a_lookup_that_is_not_supported_has_failed() {
    let limits = Limits { addr_fetch: 0, ..Limits::default() };
    let mut bench = Bench::new(Config { limits, ..proxied(true, true) });
    let lookup = lookups(&bench.pass(secs(0)))[0];
    let actions = bench.tell(Input::LookupResult { lookup, result: Err(LookupError::ProxyUnsupported) });
    assert!(has_failed(&actions));
    assert!(!lookups(&bench.pass(secs(3600))).is_empty(), "it may be another proxy by then");
}

#[test]
fn a_preferred_circuit_is_each_dials_own() {
    let mut config = proxied(true, true);
    config.proxies.all = Some(Proxy { isolation: IsolationMode::Preferred, ..proxy(true, true) });
    let mut bench = Bench::new(config);
    let circuits = circuits(&bench.learn(&addresses(20)));
    let different: std::collections::BTreeSet<_> = circuits.iter().collect();
    assert!(different.len() == 8 && circuits.iter().all(|circuit| matches!(circuit, Isolation::Preferred(_))));
}

#[test]
fn a_proxy_on_port_0_is_refused() {
    let mut config = proxied(true, true);
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into();
    config.proxies.all = Some(Proxy { address, ..proxy(true, true) });
    assert_eq!(config.check().map_err(|error| error.field), Err("proxies.address"));
}

#[test]
fn a_proxy_by_name_is_left_to_the_driver() {
    let mut config = proxied(true, true);
    let address: ProxyAddress = "tor:9050".parse().expect("a name");
    config.proxies.all = Some(Proxy { address: address.clone(), ..proxy(true, true) });
    let mut bench = Bench::new(config);
    let actions = bench.learn(&addresses(20));
    assert_eq!(targets(&actions).len(), 8);
    for target in targets(&actions) {
        assert!(matches!(target, Target::Proxied { proxy, .. } if proxy == address));
    }
    assert!(!actions.iter().any(|action| matches!(action, Action::ResolveHost { .. })));
}

fn fetching() -> (Bench, ConnId) {
    let mut bench = Bench::new(proxied(false, false));
    let conn = dials(&bench.pass(secs(0)))[0];
    bench.connect(conn);
    bench.ready(conn);
    (bench, conn)
}

fn tell_addresses(bench: &mut Bench, conn: ConnId, count: u32) -> Vec<Action> {
    let info = |address| AddressInfo::new(address).services(Services::NETWORK).last_seen(UNIX);
    let addresses = addresses(count).into_iter().map(info).collect();
    bench.tell(Input::Addresses { source: Source::Peer(conn), addresses })
}

#[test]
fn an_addr_fetch_is_done_with_an_answer_of_more_than_one_address() {
    let (mut bench, conn) = fetching();
    let one = closes(&tell_addresses(&mut bench, conn, 1)).len();
    let two = closes(&tell_addresses(&mut bench, conn, 2));
    assert_eq!((one, two), (0, vec![(conn, CloseReason::Done)]));
}

#[test]
fn what_an_addr_fetch_brings_is_dialed() {
    let (mut bench, conn) = fetching();
    let actions = tell_addresses(&mut bench, conn, 10);
    assert_eq!(dials(&actions).len(), 8);
}

#[test]
fn an_addr_fetch_is_done_after_5_minutes_in_any_case() {
    let (mut bench, conn) = fetching();
    assert!(closes(&bench.pass(millis(299_999))).is_empty());
    assert!(closes(&bench.pass(millis(1))).contains(&(conn, CloseReason::Done)));
}

#[test]
fn a_visit_takes_the_room_in_which_an_added_peer_would_be_dialed_twice_at_once() {
    for (total, dialed) in [(10, 0), (11, 1)] {
        let mut bench = Bench::new(Config { limits: Limits { total, ..Limits::default() }, ..proxied(false, false) });
        let visit = dials(&bench.pass(secs(0)))[0];
        bench.connect(visit);
        bench.ready(visit);
        let peer = AddedPeer::new(addr("1.2.3.4:8333")).or(addr("1.2.3.5:8333"));
        bench.tell(Input::AddPeer { peer });
        assert_eq!(dials(&bench.pass(secs(10))).len(), dialed, "of {total} connections");
    }
}

#[test]
fn a_dial_through_a_proxy_may_take_30_s() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..proxied(true, true) });
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    assert!(closes(&bench.pass(millis(29_999))).is_empty());
    assert_eq!(closes(&bench.pass(millis(1))), [(conn, CloseReason::DialTimeout)]);
}

#[test]
fn a_dead_tor_never_slows_ipv4() {
    let proxies = Proxies { onion: Some(proxy(false, false)), ..Proxies::default() };
    let mut bench = Bench::new(Config { proxies, mode: Mode::ConnectOnly, ..Config::default() });
    let (_, mut actions) = bench.add_peer(ONION, Keep::Always);
    for _ in 0..3 {
        bench.fail(dials(&actions)[0], DialError::ProxyUnreachable);
        actions = bench.pass(secs(20));
        if dials(&actions).is_empty() {
            break;
        }
    }
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    assert_eq!(dials(&actions).len(), 1);
}

#[test]
fn a_dead_proxy_counts_against_no_address() {
    let mut bench = Bench::new(proxied(true, true));
    let actions = bench.learn(&addresses(20));
    for conn in dials(&actions) {
        bench.fail(conn, DialError::ProxyUnreachable);
    }
    assert!(bench.manager.book().iter().all(|entry| entry.failures == 0));
}

#[test]
fn a_proxy_for_everything_takes_cjdns_too() {
    let mut bench = Bench::new(proxied(true, true));
    let (_, actions) = bench.add_peer("cjdns:[fc00::1]:8333", Keep::Always);
    assert_eq!(circuits(&actions).len(), 1);
}

/// Else it would count as being visited for ever.
#[test]
fn a_seed_whose_second_dial_is_dropped_when_the_pool_becomes_inactive_is_visited_again() {
    let mut bench = Bench::new(Config { transport: Transport::V2, ..proxied(false, false) });
    let visit = dials(&bench.pass(secs(0)))[0];
    bench.connect(visit);
    // Nothing is dialed for some seconds, so the dial by the old transport waits.
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.fail(dials(&actions)[0], DialError::OutOfResources);
    assert_eq!(dials(&bench.tell(Input::Closed { conn: visit, cause: CloseCause::Unheard })), []);
    bench.tell(Input::SetActive { active: false });
    bench.tell(Input::SetActive { active: true });
    let kinds = |bench: &Bench| -> Vec<Kind> { bench.manager.connections().iter().map(|conn| conn.kind).collect() };
    let mut visited = false;
    for _ in 0..60 {
        bench.pass(secs(60));
        visited |= kinds(&bench).contains(&Kind::AddrFetch);
    }
    assert!(visited);
}
