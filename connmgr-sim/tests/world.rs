//! The world itself: that it goes on alike when forked, that hosts are independent of each other, and that managers
//! meet each other in it.

use connmgr_core::{ConnState, Kind, Limits};
use connmgr_sim::scenario::{
    Acquaintance, BanSpec, BannedSubnet, Churn, Gossip, HostBehavior, HostSpec, HostTurn, NodeSpec, PeerSpec, Scenario,
    Span, catalogue,
};
use connmgr_sim::types::Share;
use connmgr_sim::{Instant, Real, Scrutiny, World};

fn world(scenario: &Scenario, seed: u64) -> World<Real> {
    World::new(scenario.clone(), seed, Scrutiny::CLOSEST).expect("a good configuration")
}

fn knows(of: &str) -> Acquaintance {
    Acquaintance { of: of.into(), count: None, seen_within: Span::days(1), tried: false }
}

fn finished(mut world: World<Real>) -> World<Real> {
    world.run().unwrap_or_else(|broken| panic!("{broken:?}"));
    world
}

#[test]
fn a_world_that_is_forked_goes_on_alike() {
    let scenario = catalogue::find("swarm").expect("in the catalogue");
    let mut one = World::<Real>::new(scenario, 7, Scrutiny::None).expect("a good configuration");
    one.run_until(Instant::from_secs(3600)).expect("no promise is broken");
    let fork = one.clone();
    let (one, fork) = (finished(one), finished(fork));
    assert!(one.steps() > 5000);
    assert_eq!((one.digest(), one.steps()), (fork.digest(), fork.steps()));
}

#[test]
fn another_seed_is_another_world() {
    let scenario = catalogue::find("cold-start").expect("in the catalogue");
    let digest = |seed| finished(world(&scenario, seed)).digest();
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

#[test]
fn taking_a_population_out_leaves_the_others_as_they_were() {
    let mut both = Scenario::new("both", Span::hours(1));
    both.hosts = vec![HostSpec::new("honest", 50), HostSpec::new("others", 50)];
    let mut one = both.clone();
    one.hosts.pop();
    let (both, one) = (world(&both, 3), world(&one, 3));
    let homes = |world: &World<Real>| {
        let residents = world.plan().residents.iter().take(50);
        residents.map(|resident| (resident.address.clone(), resident.round_trip)).collect::<Vec<_>>()
    };
    assert_eq!(homes(&both), homes(&one));
}

#[test]
fn the_operator_bans_a_subnet_and_the_pool_keeps_to_those_that_are_let_in_until_the_ban_is_lifted() {
    let mut scenario = Scenario::new("banned", Span::minutes(30));
    scenario.hosts.push(HostSpec::new("hosts", 40));
    scenario.book.knows.push(knows("hosts"));
    let (at, lifted_at) = (Span::minutes(5), Some(Span::minutes(20)));
    scenario.bans.push(BanSpec { at, except: 14, lifted_at, ..BanSpec::new("hosts", Span::hours(9)) });
    let mut world = world(&scenario, 1);
    let ban = BannedSubnet::of(world.plan(), &scenario.bans[0]).expect("there are hosts");
    let seen = |world: &World<Real>| {
        let subject = world.nodes()[0].subject.as_ref().expect("the process runs");
        let ips =
            subject.manager().connections().into_iter().filter_map(|conn| Some(conn.address?.socket_addr()?.ip()));
        let (banned, let_in): (Vec<_>, Vec<_>) = ips.partition(|ip| ban.covers(*ip));
        (banned.len(), let_in.len(), world.nodes()[0].is_full(), subject.manager().bans().len())
    };
    world.run_until(Instant::from_secs(299)).expect("no promise is broken");
    let (banned, _, is_full, bans) = seen(&world);
    assert!(banned > 0 && is_full && bans == 0, "nobody is banned yet: {:?}", seen(&world));
    world.run_until(Instant::from_secs(420)).expect("no promise is broken");
    let (banned, let_in, is_full, bans) = seen(&world);
    assert_eq!((banned, is_full, bans), (0, true, 1), "{let_in} are connected");
    let world = finished(world);
    let (.., is_full, bans) = seen(&world);
    assert_eq!((is_full, bans), (true, 0), "the ban was lifted");
}

/// The connection for blocks makes room for the peer, and somebody else is found for blocks.
#[test]
fn a_pool_is_full_again_after_a_block_relay_connection_had_an_added_peers_address() {
    let mut scenario = Scenario::new("taken", Span::minutes(10));
    scenario.node.limits = Some(Limits { full: 0, block_relay: 1, ..Limits::default() });
    let at = Span::minutes(5);
    let turns = Some(HostTurn { at, into: HostBehavior::Accept, hang_up: false });
    scenario.hosts.push(HostSpec::new("friend", 1));
    scenario.hosts.push(HostSpec { behavior: HostBehavior::Refuse, turns, ..HostSpec::new("other", 1) });
    scenario.book.knows = vec![knows("friend"), knows("other")];
    scenario.peers.push(PeerSpec { at, ..PeerSpec::new("friend", 1) });
    let world = finished(world(&scenario, 1));
    let conns = world.nodes()[0].subject.as_ref().expect("it runs").manager().connections();
    assert_eq!(conns.iter().map(|conn| conn.kind).collect::<Vec<_>>(), [Kind::Added, Kind::BlockRelay]);
    assert!(world.nodes()[0].is_full());
}

#[test]
fn managers_connect_to_each_other_and_know_who_is_who() {
    let mut scenario = Scenario::new("pair", Span::minutes(10));
    scenario.node = NodeSpec { count: 2, listens: true, has_identity: true, connect_only: true, ..NodeSpec::default() };
    let once = Span::default();
    scenario.peers.push(PeerSpec { at: once, ..PeerSpec::new("nodes", 1) });
    let world = finished(world(&scenario, 1));
    for node in world.nodes() {
        let conns = node.subject.as_ref().expect("it runs").manager().connections();
        let ready = conns.iter().filter(|conn| conn.state == ConnState::Ready).count();
        assert_eq!(ready, 1, "one connection of the two that were dialed stays: {conns:?}");
    }
}

#[test]
fn a_manager_that_dials_itself_notices() {
    let mut scenario = Scenario::new("self", Span::minutes(10));
    scenario.node = NodeSpec { listens: true, is_known: true, ..NodeSpec::default() };
    scenario.hosts.push(HostSpec::new("few", 3));
    // Its own address is not in the book it starts from, but its peers tell it.
    scenario.book.knows = vec![knows("few")];
    let world = finished(world(&scenario, 1));
    let manager = world.nodes()[0].subject.as_ref().expect("it runs").manager();
    assert!(manager.connections().iter().all(|conn| conn.kind != Kind::Inbound));
}

#[test]
fn every_network_is_dialed() {
    let scenario = catalogue::find("overlays").expect("in the catalogue");
    let world = finished(World::<Real>::new(scenario, 1, Scrutiny::USUAL).expect("a good configuration"));
    let traffic = world.nodes()[0].tally.traffic;
    assert!(traffic.iter().all(|network| network.dials > 0), "{traffic:?}");
}

/// Slow networks beside fast ones: today they are dialed twice in five hours, and nobody there is ever connected.
#[test]
fn every_network_is_connected() {
    let scenario = catalogue::find("overlays").expect("in the catalogue");
    let world = finished(World::<Real>::new(scenario, 1, Scrutiny::USUAL).expect("a good configuration"));
    let traffic = world.nodes()[0].tally.traffic;
    assert!(traffic.iter().all(|network| network.ready > 0), "{traffic:?}");
}

#[test]
fn nobody_answers_where_nobody_is_reachable() {
    let mut scenario = Scenario::new("void", Span::hours(1));
    scenario.hosts.push(HostSpec { behavior: HostBehavior::BlackHole, ..HostSpec::new("void", 500) });
    scenario.book.knows = vec![knows("void")];
    let world = finished(world(&scenario, 1));
    let tally = &world.nodes()[0].tally;
    assert_eq!((tally.connected, tally.outages), (0, 1));
    // 256 silent dials before the outage is noticed, those under way by then, and at most 120 probes in the hour.
    assert!(tally.dials <= 256 + 30 + 120, "{}", tally.dials);
}

#[test]
fn a_pool_lives_on_newcomers_when_all_it_knew_are_gone() {
    /// Connections that are ready at the end, and how many were made on the last day.
    fn end(gossip: Gossip) -> (usize, u64) {
        let mut scenario = Scenario::new("leaving", Span::days(12));
        let (up, down) = (Span::days(30).into(), Span::minutes(10).into());
        let churn = Some(Churn { up, down, leaves: Share::percent(50) });
        scenario.hosts.push(HostSpec { churn, gossip, ..HostSpec::new("network", 300) });
        scenario.book.knows = vec![knows("network")];
        let mut world = World::<Real>::new(scenario, 1, Scrutiny::USUAL).expect("a good configuration");
        world.run_until(Instant::from_secs(11 * 86_400)).expect("no promise is broken");
        let before = world.nodes()[0].tally.connected;
        let world = finished(world);
        let conns = world.nodes()[0].subject.as_ref().expect("it runs").manager().connections();
        let ready = conns.iter().filter(|conn| conn.state == ConnState::Ready).count();
        (ready, world.nodes()[0].tally.connected - before)
    }
    assert!(end(Gossip::default()).0 >= 8);
    let tells_nothing = Gossip { answer: 0, unasked: 0, ..Gossip::default() };
    assert_eq!(end(tells_nothing), (0, 0), "nobody of the beginning is left, and of the others nothing is heard");
}

#[test]
fn newcomers_are_not_known_at_the_beginning_nor_added() {
    let mut scenario = Scenario::new("leaving", Span::days(3));
    let churn = Churn { up: Span::days(1).into(), down: Span::days(1).into(), leaves: Share::ALL };
    scenario.hosts.push(HostSpec { churn: Some(churn), ..HostSpec::new("network", 5) });
    let world = world(&scenario, 1);
    let plan = world.plan();
    assert_eq!(plan.population("network").len(), 5 + 3 * 5);
    assert_eq!(plan.addresses("network").len(), 5);
    assert_eq!((plan.address("network", 4).is_some(), plan.address("network", 5)), (true, None));
}
