//! How the total is split among kinds, and what happens when it changes.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

/// Inbound connections from `count` groups, ready, 1 ms apart.
fn arrive(world: &mut World, count: usize) -> usize {
    let mut admitted = 0;
    for n in 0..count {
        world.bench.now = world.bench.now.after(millis(1));
        if let Ok(conn) = world.bench.accept(&format!("{}.{}.1.1:5", 100 + n / 200, n % 200)) {
            world.bench.actions();
            world.bench.ready(conn);
            admitted += 1;
        }
    }
    admitted
}

fn of_kind(world: &World, kind: Kind) -> usize {
    world.bench.manager.connections().iter().filter(|conn| conn.kind == kind).count()
}

fn counts(world: &World) -> (usize, usize, usize) {
    (of_kind(world, Kind::Added), of_kind(world, Kind::Full), of_kind(world, Kind::Inbound))
}

/// A pool in which every slot is taken.
fn full_pool(total: u32) -> World {
    let mut config = with_listener(Config::default());
    config.limits.total = total;
    let mut world = World::new(config, |_| Fate::Good);
    world.learn(&addresses(200));
    world.run(secs(10));
    arrive(&mut world, total as usize);
    world
}

fn set_limits(world: &mut World, change: impl Fn(&mut Limits)) {
    let mut limits = *world.bench.manager.limits();
    change(&mut limits);
    let reply = world.tell(Input::SetLimits { limits });
    assert_eq!(reply, Reply::Done(Ok(())));
}

/// (total, added, automatic) → (full, added, inbound), once every slot is taken.
fn check_split(total: u32, added: u32, mode: Mode, expected: (usize, usize, usize)) {
    let mut config = with_listener(Config { mode, ..Config::default() });
    config.limits = Limits { total, added: added.max(8), ..Limits::default() };
    let mut world = World::new(config, |_| Fate::Good);
    for address in addresses(added) {
        world.add_peer(&address.to_string());
    }
    world.learn(&addresses(100)[50..]);
    world.run(secs(30));
    arrive(&mut world, 150);
    world.run(secs(30));
    let (added_open, full, inbound) = counts(&world);
    assert_eq!((full, added_open, inbound), expected, "total {total}, added {added}, {mode:?}");
}

#[test]
fn the_total_is_shared_as_btcd_shares_it() {
    check_split(8, 1, Mode::ConnectOnly, (0, 1, 7));
    check_split(8, 10, Mode::ConnectOnly, (0, 8, 0));
    check_split(8, 0, Mode::ConnectOnly, (0, 0, 8));
    check_split(125, 0, Mode::Automatic, (8, 0, 117));
    check_split(125, 3, Mode::Automatic, (8, 3, 114));
    check_split(10, 9, Mode::Automatic, (1, 9, 0));
    check_split(10, 10, Mode::Automatic, (0, 10, 0));
    check_split(10, 12, Mode::Automatic, (0, 10, 0));
}

#[test]
fn a_target_of_zero_is_zero() {
    let mut config = Config::default();
    config.limits.full = 0;
    let mut world = World::new(config, |_| Fate::Good);
    world.learn(&addresses(100));
    world.run(secs(3600));
    assert!(world.dials.is_empty());
}

#[test]
fn a_total_of_zero_is_zero() {
    let mut world = World::new(with_listener(Config::default()), |_| Fate::Good);
    set_limits(&mut world, |limits| limits.total = 0);
    world.learn(&addresses(100));
    world.add_peer("1.2.3.4:8333");
    world.run(secs(3600));
    assert_eq!((world.dials.len(), arrive(&mut world, 5)), (0, 0));
}

#[test]
fn block_relay_connections_have_a_budget_of_their_own() {
    let mut config = Config::bitcoin(Chain::Mainnet);
    config.seeds.names.clear();
    let mut world = World::new(config, |_| Fate::Good);
    world.learn(&addresses(100));
    world.run(secs(10));
    assert_eq!((of_kind(&world, Kind::Full), of_kind(&world, Kind::BlockRelay)), (8, 2));
}

/// The kinds of the dials of a pool of eight full and two block-relay connections that learns `known` addresses.
fn kinds_dialed(required: RequiredServices, known: u32) -> Vec<Kind> {
    let mut config = Config { required, ..Config::default() };
    (config.limits.full, config.limits.block_relay) = (8, 2);
    let mut bench = Bench::new(config);
    let info = |address| AddressInfo::new(address).services(Services::NETWORK).last_seen(UNIX);
    let addresses = addresses(known).into_iter().map(info).collect();
    bench.tell(Input::Addresses { source: Source::Application, addresses });
    bench.manager.connections().iter().map(|conn| conn.kind).collect()
}

#[test]
fn block_relay_waits_for_full_connections_where_fewer_than_eight_are_known_for_each_slot() {
    let kinds = kinds_dialed(Config::default().required, 80);
    assert_eq!(kinds, [[Kind::Full; 8].as_slice(), &[Kind::BlockRelay; 2]].concat());
    assert_eq!(kinds_dialed(Config::default().required, 79), [Kind::Full; 8]);
}

#[test]
fn block_relay_does_not_wait_where_the_known_addresses_are_none_for_full_connections() {
    let mut required = Config::default().required;
    (required.full, required.block_relay) = (Services::NETWORK | Services::WITNESS, Services::NETWORK);
    assert_eq!(kinds_dialed(required, 20), [Kind::BlockRelay; 2]);
}

#[test]
fn inbound_never_starves_outbound() {
    let mut config = with_listener(Config::default());
    config.limits.total = 20;
    let mut world = World::new(config, |_| Fate::Good);
    assert_eq!(arrive(&mut world, 100), 12);
    world.learn(&addresses(100));
    world.run(secs(10));
    assert_eq!(counts(&world), (0, 8, 12));
}

#[test]
fn a_peer_added_to_a_full_pool_takes_the_place_of_the_youngest_inbound() {
    let mut world = full_pool(20);
    let youngest = world.bench.manager.connections().into_iter().rfind(|conn| conn.kind == Kind::Inbound);
    world.add_peer("1.2.3.4:8333");
    world.run(secs(1));
    assert_eq!(counts(&world), (1, 8, 11));
    let youngest = youngest.expect("somebody came in").conn;
    assert!(world.bench.manager.connections().iter().all(|conn| conn.conn != youngest));
}

#[test]
fn peers_added_to_a_pool_without_inbound_take_the_place_of_automatic_ones() {
    let mut world = full_pool(8);
    assert_eq!(counts(&world), (0, 8, 0));
    world.add_peer("1.2.3.4:8333");
    world.add_peer("1.2.3.5:8333");
    world.run(secs(1));
    assert_eq!(counts(&world), (2, 6, 0));
}

#[test]
fn a_removed_peer_gives_its_place_back() {
    let mut world = full_pool(8);
    let peer = world.add_peer("1.2.3.4:8333");
    world.run(secs(1));
    world.tell(Input::RemovePeer { peer });
    world.run(secs(60));
    assert_eq!(counts(&world), (0, 8, 0));
}

#[test]
fn a_lower_total_sends_inbound_away() {
    let mut world = full_pool(20);
    set_limits(&mut world, |limits| limits.total = 10);
    assert_eq!(counts(&world), (0, 8, 2));
}

#[test]
fn a_lower_target_sends_the_youngest_automatic_away() {
    let mut world = full_pool(20);
    let mut ids: Vec<ConnId> =
        world.bench.manager.connections().iter().filter(|c| c.kind == Kind::Full).map(|c| c.conn).collect();
    ids.truncate(3);
    set_limits(&mut world, |limits| limits.full = 3);
    let left: Vec<ConnId> =
        world.bench.manager.connections().iter().filter(|c| c.kind == Kind::Full).map(|c| c.conn).collect();
    assert_eq!(left, ids);
}

#[test]
fn a_lower_limit_never_sends_added_peers_away() {
    let mut world = full_pool(20);
    for n in 1..=5 {
        world.add_peer(&format!("1.2.3.{n}:8333"));
    }
    world.run(secs(1));
    set_limits(&mut world, |limits| {
        limits.total = 2;
        limits.added = 1;
    });
    world.run(secs(60));
    assert_eq!(of_kind(&world, Kind::Added), 5);
}

/// An inbound connection may belong to an added peer, if both sides connected at once. It stays as well.
#[test]
fn an_inbound_connection_of_an_added_peer_is_the_last_to_go() {
    let mut config = with_listener(Config { mode: Mode::ConnectOnly, ..Config::default() });
    config.limits.total = 12;
    config.identity = Some(Identity([1; 32]));
    let mut bench = Bench::new(config);
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    for n in 0..4 {
        let conn = bench.accept(&format!("9.{n}.1.1:5")).expect("it is let in");
        bench.ready(conn);
    }
    let outbound = dials(&actions)[0];
    bench.connect(outbound);
    let inbound = bench.accept("1.2.3.4:5").expect("it is let in");
    let info = PeerInfo { identity: Some(Identity([2; 32])), ..PeerInfo::default() };
    bench.tell(Input::Ready { conn: inbound, info });
    bench.tell(Input::Ready { conn: outbound, info });
    assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(PeerState::Connected(inbound)));
    let limits = Limits { total: 3, ..Limits::default() };
    bench.tell(Input::SetLimits { limits });
    assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(PeerState::Connected(inbound)));
}

#[test]
fn higher_limits_are_used_at_once() {
    let mut world = full_pool(20);
    set_limits(&mut world, |limits| limits.full = 11);
    world.run(secs(1));
    assert_eq!(of_kind(&world, Kind::Full), 11);
}

#[test]
fn nonsense_limits_are_refused_and_change_nothing() {
    let mut world = full_pool(20);
    let before = *world.bench.manager.limits();
    let limits = Limits { total: u32::MAX, ..before };
    let reply = world.tell(Input::SetLimits { limits });
    assert_eq!((reply, *world.bench.manager.limits()), (Reply::Done(Err(CommandError::BadLimits)), before));
}

#[test]
fn a_lowered_limit_with_nothing_over_it_closes_nothing() {
    let mut world = full_pool(20);
    let before = world.bench.manager.connections();
    set_limits(&mut world, |limits| limits.added = 2);
    assert_eq!(world.bench.manager.connections(), before);
}

/// Full connections alone bring new addresses.
#[test]
fn an_address_whose_rest_ends_goes_to_a_full_slot_that_is_free_for_lack_of_addresses() {
    for raised_at in 1..12 {
        let [good, later] = addresses(2).try_into().expect("two");
        let mut config = Config::default();
        config.limits.full = 2;
        let is_good = good.clone();
        let refuses = Fate::Fails(DialError::Refused);
        let mut world = World::new(config, move |to| if *to == is_good { Fate::Good } else { refuses });
        world.learn(&[good, later]);
        world.run(secs(raised_at));
        assert_eq!(counts(&world), (0, 1, 0));
        set_limits(&mut world, |limits| (limits.full, limits.block_relay) = (2, 1));
        world.run(secs(30));
        world.becomes(|_| Fate::Good);
        world.run(secs(120));
        assert_eq!(of_kind(&world, Kind::Full), 2, "block-relay wanted from second {raised_at} on");
    }
}
