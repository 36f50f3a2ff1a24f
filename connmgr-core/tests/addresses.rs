//! What an address is: where no peer can be, one host by several spellings, zones.

mod support;

use std::net::SocketAddr;

use connmgr_core::*;
use support::world::*;
use support::*;

const I2P: &str = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p";

fn connect_only() -> Config {
    Config { mode: Mode::ConnectOnly, ..Config::default() }
}

fn add(bench: &mut Bench, address: &str) -> Reply {
    bench.apply(&Input::AddPeer { peer: AddedPeer::new(addr(address)) })
}

fn without_cjdns(config: Config) -> Config {
    Config { networks: NetworkSet::ALL.without(NetworkKind::Cjdns), ..config }
}

fn lookup(actions: &[Action]) -> LookupId {
    let lookup = |action: &Action| if let Action::ResolveHost { lookup, .. } = action { Some(*lookup) } else { None };
    actions.iter().find_map(lookup).expect("a name is looked up")
}

fn target(actions: &[Action]) -> Target {
    let target = |action: &Action| if let Action::Dial { target, .. } = action { Some(target.clone()) } else { None };
    actions.iter().find_map(target).expect("somebody is dialed")
}

#[test]
fn an_added_address_where_no_peer_can_be_is_refused_with_the_reason() {
    for (address, why) in [
        ("1.2.3.4:0", NotDialable::PortZero),
        ("node.example:0", NotDialable::PortZero),
        ("cjdns:[fc00::1]:0", NotDialable::PortZero),
        ("0.0.0.0:8333", NotDialable::Unspecified),
        ("[::]:8333", NotDialable::Unspecified),
        ("0.0.0.1:8333", NotDialable::ThisNetwork),
        ("224.0.0.1:8333", NotDialable::Multicast),
        ("[ff02::1]:8333", NotDialable::Multicast),
        ("255.255.255.255:8333", NotDialable::Broadcast),
        ("[fe80::1]:8333", NotDialable::NoZone),
    ] {
        let mut bench = Bench::new(connect_only());
        assert_eq!(add(&mut bench, address), Reply::Added(Err(AddPeerError::NotDialable(why))), "{address}");
    }
}

#[test]
fn an_onion_service_has_a_port() {
    let mut bench = Bench::new(with_proxy(connect_only()));
    let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:0";
    assert_eq!(add(&mut bench, onion), Reply::Added(Err(AddPeerError::NotDialable(NotDialable::PortZero))));
}

#[test]
fn a_name_that_resolves_to_where_no_peer_can_be_is_dialed_at_its_other_address() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = bench.add_peer("node.example:8333", Keep::Always);
    let ips = ["0.0.0.0", "0.0.0.9", "::", "224.0.0.1", "255.255.255.255", "fe80::1", "1.2.3.4"];
    let ips = ips.map(|ip| ip.parse().expect(ip)).to_vec();
    let actions = bench.tell(Input::LookupResult { lookup: lookup(&actions), result: Ok(ips) });
    assert_eq!(target(&actions), Target::Direct("1.2.3.4:8333".parse().expect("it parses")));
}

#[test]
fn where_no_peer_can_be_nobody_is_learnt() {
    let mut config = with_proxy(Config::default());
    config.proxies.i2p = config.proxies.onion.clone();
    let mut bench = Bench::new(config);
    let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:0";
    bench.learn(&[onion, "1.2.3.4:0", "cjdns:[fc00::1]:0", "[fe80::1%2]:8333"].map(addr));
    assert!(bench.manager.book().is_empty());
}

#[test]
fn an_i2p_peer_is_one_whatever_ports_are_told() {
    let mut config = connect_only();
    config.proxies.i2p = with_proxy(Config::default()).proxies.onion;
    let mut bench = Bench::new(config.clone());
    assert!(matches!(add(&mut bench, &format!("{I2P}:8333")), Reply::Added(Ok(_))));
    assert_eq!(add(&mut bench, &format!("{I2P}:1")), Reply::Added(Err(AddPeerError::Duplicate)));

    let mut bench = Bench::new(Config { mode: Mode::Automatic, ..config });
    bench.learn(&[addr(&format!("{I2P}:8333")), addr(&format!("{I2P}:1")), addr(I2P)]);
    assert_eq!(bench.manager.book().len(), 1);
}

#[test]
fn an_address_of_the_cjdns_range_is_one_peer_by_either_spelling() {
    let mut bench = Bench::new(connect_only());
    assert!(matches!(add(&mut bench, "[fc00::1]:8333"), Reply::Added(Ok(_))));
    assert_eq!(add(&mut bench, "cjdns:[fc00::1]:8333"), Reply::Added(Err(AddPeerError::Duplicate)));
    let views = bench.manager.connections();
    assert_eq!(views[0].address, Some(addr("cjdns:[fc00::1]:8333")));
}

#[test]
fn where_cjdns_is_disabled_its_range_is_private_ipv6() {
    let mut bench = Bench::new(without_cjdns(connect_only()));
    assert_eq!(add(&mut bench, "cjdns:[fc00::1]:8333"), Reply::Added(Err(AddPeerError::Unreachable)));
    assert!(matches!(add(&mut bench, "[fc00::1]:8333"), Reply::Added(Ok(_))));
    assert_eq!(bench.manager.connections()[0].address, Some(addr("[fc00::1]:8333")));

    let mut bench = Bench::new(without_cjdns(Config::default()));
    bench.learn(&[addr("[fc00::1]:8333")]);
    assert!(bench.manager.book().is_empty());
}

#[test]
fn an_inbound_cjdns_peer_is_the_one_we_dial() {
    let mut bench = Bench::new(with_listener(connect_only()));
    let conn = bench.accept("[fc00::1]:40000").expect("it is let in");
    let view = bench.manager.connection(conn).expect("it is connected");
    assert_eq!(view.address, Some(addr("cjdns:[fc00::1]:40000")));
}

/// Bans by any spelling meet dials and arrivals alike.
#[test]
fn a_ban_meets_a_cjdns_host_by_either_spelling() {
    let by_host = |text: &str| BanTarget::Host(text.parse().expect(text));
    for target in [by_host("cjdns:fc00::1"), by_host("fc00::1"), BanTarget::Subnet("fc00::/8".parse().expect("a net"))]
    {
        let mut bench = Bench::new(with_listener(connect_only()));
        let ban = Input::Ban { target: target.clone(), duration: secs(100) };
        assert_eq!(bench.apply(&ban), Reply::Done(Ok(())));
        assert_eq!(bench.accept("[fc00::1]:40000"), Err(Refusal::Banned), "{target}");
        for address in ["cjdns:[fc00::1]:8333", "[fc00::1]:8333"] {
            assert_eq!(add(&mut bench, address), Reply::Added(Err(AddPeerError::Banned)), "{target} and {address}");
        }
    }
}

#[test]
fn a_ban_of_a_cjdns_host_is_listed_and_lifted_by_either_spelling() {
    for (imposed, lifted) in [("fc00::1", "cjdns:fc00::1"), ("cjdns:fc00::1", "fc00::1")] {
        let target = |text: &str| BanTarget::Host(text.parse().expect(text));
        let mut bench = Bench::new(connect_only());
        bench.apply(&Input::Ban { target: target(imposed), duration: secs(100) });
        assert_eq!(bench.manager.bans()[0].target, target("cjdns:fc00::1"));
        assert_eq!(bench.apply(&Input::Unban { target: target(lifted) }), Reply::Done(Ok(())));
    }
}

#[test]
fn a_link_local_answer_is_dialed_through_the_interface_that_the_resolver_names() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = bench.add_peer("printer.local:8333", Keep::Always);
    let ips = ["fe80::1%2", "fe80::1%2", "fe80::1%3"].map(|ip| ip.parse().expect(ip)).to_vec();
    let actions = bench.tell(Input::LookupResult { lookup: lookup(&actions), result: Ok(ips) });
    let on = |zone| Target::Direct(format!("[fe80::1%{zone}]:8333").parse().expect("it parses"));
    assert_eq!(target(&actions), on(2));
    // The same address at another interface is another machine's.
    let conn = bench.manager.connections()[0].conn;
    assert_eq!(target(&bench.fail(conn, DialError::Refused)), on(3));
}

#[test]
fn a_name_in_the_cjdns_range_is_dialed_as_cjdns() {
    for (config, found) in [(connect_only(), "cjdns:[fc00::1]:8333"), (without_cjdns(connect_only()), "[fc00::1]:8333")]
    {
        let mut bench = Bench::new(config);
        let (_, actions) = bench.add_peer("node.example:8333", Keep::Always);
        let ips = vec!["fc00::1".parse().expect("it parses")];
        bench.tell(Input::LookupResult { lookup: lookup(&actions), result: Ok(ips) });
        assert_eq!(bench.manager.connections()[0].address, Some(addr(found)));
    }
}

#[test]
fn our_own_cjdns_address_is_ours_by_either_spelling() {
    for ours in ["[fc00::1]:8333", "cjdns:[fc00::1]:8333"] {
        let mut bench = Bench::new(Config { own_addresses: vec![addr(ours)], ..connect_only() });
        assert_eq!(add(&mut bench, "[fc00::1]:8333"), Reply::Added(Err(AddPeerError::OwnAddress)));
        let mut bench = Bench::new(connect_only());
        bench.apply(&Input::OwnAddress { address: addr(ours) });
        assert_eq!(add(&mut bench, "cjdns:[fc00::1]:8333"), Reply::Added(Err(AddPeerError::OwnAddress)));
    }
}

#[test]
fn an_added_link_local_peer_is_dialed_by_its_interface() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = bench.add_peer("[fe80::1%2]:8333", Keep::Always);
    let addr: SocketAddr = "[fe80::1%2]:8333".parse().expect("it parses");
    assert_eq!(target(&actions), Target::Direct(addr));
    let SocketAddr::V6(addr) = addr else { panic!("it is IPv6") };
    assert_eq!(addr.scope_id(), 2);
}

#[test]
fn link_local_peers_of_two_interfaces_are_two() {
    let mut bench = Bench::new(connect_only());
    for address in ["[fe80::1%2]:8333", "[fe80::1%3]:8333"] {
        assert!(matches!(add(&mut bench, address), Reply::Added(Ok(_))), "{address}");
    }
    assert_eq!(add(&mut bench, "[fe80::1%2]:8333"), Reply::Added(Err(AddPeerError::Duplicate)));
}

#[test]
fn an_inbound_link_local_peer_is_told_with_its_interface() {
    let mut bench = Bench::new(with_listener(connect_only()));
    let conn = bench.accept("[fe80::1%2]:40000").expect("it is let in");
    let view = bench.manager.connection(conn).expect("it is connected");
    assert_eq!(view.address.and_then(|address| address.zone()), Some(2));
}

/// A proxy on another machine has other interfaces.
#[test]
fn no_link_local_peer_is_dialed_through_a_proxy() {
    let mut config = connect_only();
    config.proxies.all = with_proxy(Config::default()).proxies.onion;
    let mut bench = Bench::new(config);
    assert_eq!(add(&mut bench, "[fe80::1%2]:8333"), Reply::Added(Err(AddPeerError::Unreachable)));
}

/// The addresses of all ranges that an operator may open, and their configuration.
fn opened() -> (Config, Vec<PeerAddress>) {
    let ranges =
        Ranges { private: true, shared: true, own: vec!["200::/7".parse().expect("a net")], ..Ranges::default() };
    let hosts = ["10.1.2.3", "172.16.2.3", "192.168.2.3", "100.64.2.3", "[fd00:1::3]", "[201:1::3]"];
    (
        Config { ranges, default_port: 8333, ..Config::default() },
        hosts.map(|host| addr(&format!("{host}:8333"))).to_vec(),
    )
}

fn closed() -> Config {
    Config { ranges: Ranges::default(), ..opened().0 }
}

fn known(bench: &Bench) -> Vec<PeerAddress> {
    let mut known: Vec<_> = bench.manager.book().iter().map(|entry| entry.address).collect();
    known.sort_unstable();
    known
}

/// Checks that the opened ranges are known after `learn`, and by default none of them.
fn check_ranges(learn: impl Fn(&mut Bench, &[PeerAddress]), config: impl Fn(Config, &[PeerAddress]) -> Config) {
    let (open, mut addresses) = opened();
    addresses.sort_unstable();
    for (ranges, expected) in [(open, addresses.clone()), (closed(), Vec::new())] {
        let mut bench = Bench::new(config(ranges, &addresses));
        learn(&mut bench, &addresses);
        assert_eq!(known(&bench), expected);
    }
}

#[test]
fn opened_ranges_are_learnt_from_the_application() {
    check_ranges(|bench, addresses| drop(bench.learn(addresses)), |config, _| config);
}

#[test]
fn opened_ranges_are_learnt_from_gossip() {
    let gossip = |bench: &mut Bench, addresses: &[PeerAddress]| {
        let conn = bench.accept("9.8.7.6:40000").expect("it is let in");
        let info = |address: &PeerAddress| AddressInfo::new(address.clone()).last_seen(UNIX);
        let addresses = addresses.iter().map(info).collect();
        bench.tell(Input::Addresses { source: Source::Peer(conn), addresses });
    };
    check_ranges(gossip, |config, _| with_listener(config));
}

#[test]
fn opened_ranges_are_learnt_from_seeds() {
    let seed = |config: Config, _: &[PeerAddress]| {
        let seed = Seed::new("seed.example".parse().expect("a name"));
        Config { seeds: SeedConfig { names: vec![seed], ..config.seeds }, ..config }
    };
    let answer = |bench: &mut Bench, addresses: &[PeerAddress]| {
        let lookup = bench.pass(secs(1)).into_iter().find_map(|action| match action {
            Action::ResolveSeed { lookup, .. } => Some(lookup),
            _ => None,
        });
        let ips = addresses.iter().filter_map(|address| address.host().ip().map(Into::into)).collect();
        bench.tell(Input::LookupResult { lookup: lookup.expect("the seed is asked"), result: Ok(ips) });
    };
    check_ranges(answer, seed);
}

#[test]
fn opened_ranges_are_learnt_from_fixed_seeds() {
    let fixed = |config: Config, addresses: &[PeerAddress]| Config {
        seeds: SeedConfig { fixed: addresses.to_vec(), ..config.seeds },
        ..config
    };
    check_ranges(|bench, _| drop(bench.pass(secs(120))), fixed);
}

#[test]
fn opened_ranges_are_known_in_the_next_life() {
    let (config, addresses) = opened();
    let mut bench = Bench::new(config.clone());
    bench.learn(&addresses);
    let snapshot = bench.manager.snapshot();
    assert_eq!(Bench::with_snapshot(config, Some(snapshot.clone())).manager.book().len(), addresses.len());
    assert!(Bench::with_snapshot(closed(), Some(snapshot)).manager.book().is_empty());
}

#[test]
fn what_is_not_kept_is_counted_by_reason() {
    let config = Config { own_addresses: vec![addr("8.8.8.8:1")], ..without_cjdns(Config::default()) };
    let mut bench = Bench::new(config);
    let told = [
        "9.8.7.6:1",
        "9.8.7.6:1",
        "8.8.8.8:1",
        "10.0.0.1:1",
        "127.0.0.1:1",
        "1.2.3.4:0",
        "[fe80::1%2]:1",
        "a.example:1",
        "cjdns:[fc00::1]:1",
    ];
    let info = |text: &str| AddressInfo::new(addr(text)).last_seen(UNIX);
    let addresses: Vec<_> = told.into_iter().map(info).collect();
    let reply = bench.apply(&Input::Addresses { source: Source::Application, addresses: addresses.clone() });
    let Reply::Learnt(counts) = reply else { panic!("no counts: {reply:?}") };
    let expected = AddressCounts {
        new: 1,
        known: 1,
        own: 1,
        out_of_range: 2,
        not_dialable: 2,
        name: 1,
        no_route: 1,
        ..AddressCounts::default()
    };
    assert_eq!(counts, expected);
    let text = "1 new, 1 known, 1 by name, 2 not dialable, 2 out of range, 1 without a route, 1 our own";
    assert_eq!(counts.to_string(), text);

    let mut bench = Bench::new(connect_only());
    let reply = bench.apply(&Input::Addresses { source: Source::Application, addresses });
    assert_eq!(reply, Reply::Learnt(AddressCounts { unwanted: 9, ..AddressCounts::default() }));
}

#[test]
fn more_than_a_peer_may_tell_is_counted() {
    let config = Config {
        book: BookConfig { gossip: Rate { burst: 2, interval: secs(10) }, ..BookConfig::default() },
        ..Config::default()
    };
    let mut bench = Bench::new(with_listener(config));
    let conn = bench.accept("9.8.7.6:40000").expect("it is let in");
    let info = |address: PeerAddress| AddressInfo::new(address).last_seen(UNIX);
    let addresses = support::addresses(5).into_iter().map(info).collect();
    let reply = bench.apply(&Input::Addresses { source: Source::Peer(conn), addresses });
    assert_eq!(reply, Reply::Learnt(AddressCounts { new: 2, too_many: 3, ..AddressCounts::default() }));
}

/// A pool on a LAN alone: eight peers in networks of their own, and where all are in one.
#[test]
fn a_pool_on_a_lan_connects_to_each_network_once_or_to_all_if_told_so() {
    let lan = |per_group| {
        let ranges = Ranges { public: false, private: true, ..Ranges::default() };
        let groups = GroupRule { max_per_group: per_group, ..GroupRule::default() };
        Bench::new(Config { ranges, groups, ..Config::default() })
    };
    let apart: Vec<_> = (0..8).map(|n| addr(&format!("10.0.{n}.1:8333"))).collect();
    let together: Vec<_> = (1..9).map(|n| addr(&format!("10.0.0.{n}:8333"))).collect();
    assert_eq!(dials(&lan(Some(1)).learn(&apart)).len(), 8);
    assert_eq!(dials(&lan(Some(1)).learn(&together)).len(), 1);
    assert_eq!(dials(&lan(None).learn(&together)).len(), 8);
}

#[test]
fn too_many_subnets_and_mapped_ones_are_refused() {
    let check = |own: Vec<&str>| {
        let own = own.into_iter().map(|net| net.parse().expect(net)).collect();
        Config { ranges: Ranges { own, ..Ranges::default() }, ..Config::default() }.check().map_err(|error| error.field)
    };
    assert_eq!(check(vec!["200::/7", "10.0.0.0/8"]), Ok(()));
    assert_eq!(check(vec!["200::/7"; 65]), Err("ranges.own"));
    assert_eq!(check(vec!["::ffff:10.0.0.0/104"]), Err("ranges.own"));
}

/// The internet is away, and the peers of the LAN are not: in private, shared or own ranges.
#[test]
fn lan_peers_are_dialed_while_the_internet_is_away() {
    let net = || vec!["10.0.0.0/8".parse().expect("a net")];
    let lans = [
        (Ranges { private: true, ..Ranges::default() }, "10"),
        (Ranges { shared: true, ..Ranges::default() }, "100"),
        (Ranges { own: net(), ..Ranges::default() }, "10"),
    ];
    for (ranges, first) in lans {
        let here = |n: u8| format!("{first}.{}.1.1:8333", 64 + n);
        let lan: Vec<PeerAddress> = (0..8).map(|n| addr(&here(n))).collect();
        let good = lan.clone();
        let fate = move |to: &PeerAddress| if good.contains(to) { Fate::Good } else { Fate::Silent };
        let mut world = World::new(Config { ranges: ranges.clone(), ..Config::default() }, fate);
        world.learn(&support::addresses(60));
        world.run_until_down(NetworkKind::Ipv4, secs(600));
        world.learn(&lan);
        assert!(world.fills(8, secs(60)).is_some(), "{} are ready of {ranges:?}", world.ready());
    }
}
