//! Automatic connections go to different groups.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

/// `count` addresses of one /16.
fn neighbours(count: u32) -> Vec<PeerAddress> {
    (0..count).map(|n| addr(&format!("11.22.{}.{}:8333", n / 200, n % 200))).collect()
}

fn onions(count: u8) -> Vec<PeerAddress> {
    let onion = |n: u8| PeerAddress::new(Host::Onion(std::array::from_fn(|i| if i == 31 { n } else { 0 })), 8333);
    (0..count).map(onion).collect()
}

fn with_tor(config: Config) -> Config {
    let proxy = Proxy::new("127.0.0.1:9050".parse().expect("it parses")).isolation(IsolationMode::Off).resolves(false);
    Config { proxies: Proxies { onion: Some(proxy), ..Proxies::default() }, ..config }
}

fn groups(world: &World) -> Vec<Group> {
    let conns = world.bench.manager.connections();
    conns.iter().filter_map(|conn| Groups::default().of(conn.address.as_ref()?.host())).collect()
}

#[test]
fn one_group_gets_one_automatic_connection() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&neighbours(100));
    world.run(secs(600));
    assert_eq!(world.ready(), 1);
}

#[test]
fn pending_dials_count() {
    let mut bench = Bench::new(Config::default());
    assert_eq!(dials(&bench.learn(&neighbours(100))).len(), 1);
}

#[test]
fn silent_dials_keep_their_group() {
    let mut bench = Bench::new(Config::default());
    bench.learn(&neighbours(100));
    bench.pass(millis(1500));
    assert_eq!((bench.count(ConnState::Silent), bench.count(ConnState::Dialing)), (1, 0));
}

#[test]
fn a_flood_from_one_group_leaves_room_for_the_others() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&[neighbours(500), addresses(20)[..8].to_vec()].concat());
    world.run(secs(600));
    let mut groups = groups(&world);
    let count = groups.len();
    groups.sort_unstable();
    groups.dedup();
    assert_eq!((world.ready(), groups.len()), (8, count));
}

#[test]
fn a_lost_connection_gives_its_group_back() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&neighbours(100));
    world.run(secs(60));
    let conn = world.bench.manager.connections()[0].conn;
    world.tell(Input::Closed { conn, cause: CloseCause::Eof });
    world.run(secs(60));
    assert_eq!(world.ready(), 1);
}

#[test]
fn added_peers_may_be_neighbours_and_take_no_group() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    neighbours(3).iter().for_each(|address| {
        world.add_peer(&address.to_string());
    });
    world.learn(&neighbours(100)[3..]);
    world.run(secs(60));
    assert_eq!(world.ready(), 4);
}

#[test]
fn small_networks_may_relax_the_rule() {
    let mut config = Config::default();
    config.groups.max_per_group = None;
    let mut world = World::new(config, |_| Fate::Good);
    world.learn(&neighbours(100));
    world.run(secs(60));
    assert_eq!(world.ready(), 8);
}

#[test]
fn a_plain_pool_groups_onions_too() {
    let mut world = World::new(with_tor(Config::default()), |_| Fate::Good);
    world.learn(&onions(50));
    world.run(secs(60));
    assert_eq!(world.ready(), 1);
}

#[test]
fn for_bitcoin_onions_are_exempt() {
    let mut config = with_tor(Config::bitcoin(Chain::Mainnet));
    config.seeds.names.clear();
    let mut world = World::new(config, |_| Fate::Good);
    world.learn(&onions(50));
    world.run(secs(60));
    assert_eq!(world.ready(), 10);
}

#[test]
fn a_tunnel_is_a_neighbour_of_what_it_carries() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    // 11.22.3.4 by 6to4, and directly.
    world.learn(&[addr("[2002:b16:304::1]:8333"), addr("11.22.9.9:8333")]);
    world.run(secs(60));
    assert_eq!(world.ready(), 1);
}

#[test]
fn a_peer_that_is_adopted_gives_its_group_back() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&neighbours(1));
    world.run(secs(60));
    world.add_peer(&neighbours(1)[0].to_string());
    world.learn(&neighbours(2)[1..]);
    world.run(secs(60));
    assert_eq!(world.ready(), 2);
}
