//! Added peers: added, listed and removed in every state.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

const PEER: &str = "1.2.3.4:8333";

fn connect_only() -> Config {
    Config { mode: Mode::ConnectOnly, ..Config::default() }
}

fn ip(text: &str) -> std::net::IpAddr {
    text.parse().expect(text)
}

/// The peers of the events among the actions, each with its tag.
fn peers_told(actions: &[Action]) -> Vec<(PeerId, Option<u64>)> {
    let told = |event| match event {
        Event::Connected(Connected { peer, tag, .. })
        | Event::Disconnected { peer, tag, .. }
        | Event::DialFailed { peer, tag, .. } => Some((peer?, tag)),
        Event::Adopted { peer, tag, .. }
        | Event::LookupFailed { peer, tag, .. }
        | Event::PeerFinished { peer, tag } => Some((peer, tag)),
        _ => None,
    };
    events(actions).into_iter().filter_map(told).collect()
}

#[test]
fn every_event_and_view_of_a_peer_has_its_tag() {
    for (keep, is_removed) in [(Keep::Always, false), (Keep::Always, true), (Keep::Once, false)] {
        let mut bench = Bench::new(connect_only());
        let wanted = AddedPeer::new(addr(PEER)).or(addr("1.2.3.5:8333")).keep(keep).tag(7);
        let conn = dials(&bench.tell(Input::AddPeer { peer: wanted }))[0];
        let peer = bench.manager.added_peers()[0].peer;
        let mut actions = bench.fail(conn, DialError::Refused);
        let conn = dials(&actions)[0];
        actions.extend(bench.connect(conn));
        assert_eq!((bench.manager.connections()[0].tag, bench.manager.added_peers()[0].tag), (Some(7), Some(7)));
        assert_eq!(bench.manager.peer_tag(peer), Some(7));
        actions.extend(if is_removed { bench.tell(Input::RemovePeer { peer }) } else { bench.close(conn) });
        let told = peers_told(&actions);
        assert_eq!(told.len(), if keep == Keep::Once { 4 } else { 3 }, "{actions:?}");
        assert!(told.iter().all(|told| *told == (peer, Some(7))), "{told:?}");
    }
}

/// The lookups among the actions.
fn lookups(actions: &[Action]) -> Vec<LookupId> {
    let lookup = |action: &Action| match action {
        Action::ResolveHost { lookup, .. } => Some(*lookup),
        _ => None,
    };
    actions.iter().filter_map(lookup).collect()
}

/// An added peer in some state, and its connection, if any.
type Arranged = (Bench, PeerId, Option<ConnId>);

fn queued() -> Arranged {
    let mut bench = Bench::new(connect_only());
    bench.tell(Input::SetLimits { limits: Limits { total: 0, ..Limits::default() } });
    let (peer, _) = bench.add_peer(PEER, Keep::Always);
    (bench, peer, None)
}

fn resolving() -> Arranged {
    let mut bench = Bench::new(connect_only());
    let (peer, _) = bench.add_peer("node.example:8333", Keep::Always);
    (bench, peer, None)
}

fn dialing() -> Arranged {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = bench.add_peer(PEER, Keep::Always);
    (bench, peer, Some(dials(&actions)[0]))
}

fn handshaking() -> Arranged {
    let (mut bench, peer, conn) = dialing();
    bench.connect(conn.expect("it is being dialed"));
    (bench, peer, conn)
}

fn ready() -> Arranged {
    let (mut bench, peer, conn) = handshaking();
    bench.ready(conn.expect("it is open"));
    (bench, peer, conn)
}

fn waiting() -> Arranged {
    let (mut bench, peer, conn) = dialing();
    bench.fail(conn.expect("it is being dialed"), DialError::Refused);
    (bench, peer, None)
}

fn blocked_by_a_ban() -> Arranged {
    let (mut bench, peer, _) = ready();
    let target = BanTarget::Host(addr(PEER).host().clone());
    bench.tell(Input::Ban { target, duration: secs(3600) });
    bench.pass(secs(10));
    (bench, peer, None)
}

fn blocked_by_an_outage() -> Arranged {
    let mut bench = Bench::new(connect_only());
    for n in 1..=3 {
        let (_, actions) = bench.add_peer(&format!("1.{n}.1.1:8333"), Keep::Always);
        bench.fail(dials(&actions)[0], DialError::NetworkUnreachable);
    }
    let (peer, _) = bench.add_peer(PEER, Keep::Always);
    (bench, peer, None)
}

fn blocked_by_a_dial_to_the_same_address() -> Arranged {
    let mut config = Config::default();
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    bench.learn(&[addr(PEER)]);
    let (peer, _) = bench.add_peer(PEER, Keep::Always);
    (bench, peer, None)
}

fn every_state() -> Vec<(Arranged, PeerState)> {
    let conn = ConnId::from_u64(1);
    vec![
        (queued(), PeerState::Queued),
        (resolving(), PeerState::Resolving),
        (dialing(), PeerState::Dialing(conn)),
        (handshaking(), PeerState::Connected(conn)),
        (ready(), PeerState::Connected(conn)),
        (waiting(), PeerState::Waiting),
        (blocked_by_a_ban(), PeerState::Blocked(Obstacle::Banned)),
        (blocked_by_an_outage(), PeerState::Blocked(Obstacle::NetworkDown)),
        (blocked_by_a_dial_to_the_same_address(), PeerState::Blocked(Obstacle::AddressInUse)),
    ]
}

#[test]
fn a_peer_is_listed_in_every_state() {
    for ((bench, peer, _), state) in every_state() {
        assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(state));
    }
}

#[test]
fn a_removed_peer_never_comes_back_whatever_its_state_was() {
    for ((mut bench, peer, conn), state) in every_state() {
        let actions = bench.tell(Input::RemovePeer { peer });
        let closed: Vec<ConnId> = closes(&actions).into_iter().map(|(conn, _)| conn).collect();
        assert_eq!(closed, Vec::from_iter(conn), "its connection goes with it, from {state:?}");
        assert!(bench.manager.added_peer(peer).is_none());
        // Everything that could wake it: limits, bans, names, networks, activation, and time.
        bench.tell(Input::SetLimits { limits: Limits::default() });
        bench.tell(Input::Unban { target: BanTarget::Host(addr(PEER).host().clone()) });
        bench.tell(Input::LookupResult { lookup: LookupId::from_u64(1), result: Ok(vec![ip("1.2.3.4").into()]) });
        bench.tell(Input::NetworkChanged);
        bench.tell(Input::SetActive { active: true });
        bench.tell(Input::DialNow { peer });
        let mut later = bench.pass(secs(2 * 3600));
        later.retain(
            |action| !matches!(action, Action::Dial { target: Target::Direct(to), .. } if to.ip() != ip("1.2.3.4")),
        );
        let automatic =
            |conn: &ConnId| bench.manager.connections().iter().all(|view| view.conn != *conn || view.peer.is_none());
        let for_it = retries(&later).iter().filter(|(whose, ..)| *whose == peer).count();
        assert_eq!((for_it, dials(&later).iter().all(automatic)), (0, true), "it came back from {state:?}");
        if state != PeerState::Blocked(Obstacle::AddressInUse) {
            assert!(dials(&later).is_empty(), "it was dialed again from {state:?}");
        }
    }
}

#[test]
fn a_dial_that_succeeds_after_its_peer_was_removed_is_closed() {
    let (mut bench, peer, conn) = dialing();
    bench.tell(Input::RemovePeer { peer });
    let conn = conn.expect("it was being dialed");
    assert_eq!(bench.connect(conn), [Action::Close { conn, reason: CloseReason::Late }]);
}

#[test]
fn peers_removed_while_their_names_are_resolved_leave_nothing_behind() {
    let mut bench = Bench::new(connect_only());
    bench.pass(secs(0));
    for _ in 0..100 {
        let (peer, _) = bench.add_peer("node.example:8333", Keep::Always);
        bench.tell(Input::RemovePeer { peer });
    }
    assert_eq!(bench.manager.poll_timeout(), None);
}

#[test]
fn who_waits_for_a_slot_is_dialed_whoever_was_added_and_removed_meanwhile() {
    let (mut bench, peer, _) = queued();
    for _ in 0..100 {
        let (other, _) = bench.add_peer("1.2.3.5:8333", Keep::Always);
        bench.tell(Input::RemovePeer { peer: other });
    }
    let actions = bench.tell(Input::SetLimits { limits: Limits::default() });
    let conn = dials(&actions)[0];
    assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(PeerState::Dialing(conn)));
}

#[test]
fn peers_that_are_added_and_removed_while_no_slot_is_free_leave_no_memory_behind() {
    let birth = Birth { config: connect_only(), snapshot: None, rng_seed: [7; 32], unix: UNIX, now: Time::ZERO };
    let mut manager = ConnManager::new(birth).expect("a good configuration");
    manager.set_limits(Limits { total: 0, ..Limits::default() }, Time::ZERO).expect("good limits");
    manager.add_peer(AddedPeer::new(addr(PEER)), Time::ZERO).expect("there is room");
    let growth = allocation_counter::measure(|| {
        for _ in 0..10_000 {
            let peer = manager.add_peer(AddedPeer::new(addr("1.2.3.5:8333")), Time::ZERO).expect("there is room");
            manager.remove_peer(peer, Time::ZERO).expect("it was added");
            while manager.poll_action().is_some() {}
        }
    });
    assert!(growth.bytes_current < 4096, "{} bytes", growth.bytes_current);
}

#[test]
fn a_removed_peer_does_not_come_back_as_a_probe() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&addresses(20));
    let peer = world.add_peer(PEER);
    world.run(secs(60));
    world.tell(Input::RemovePeer { peer });
    world.goes_dark(Fate::Fails(DialError::NetworkUnreachable));
    let before = world.dials.len();
    world.run(secs(3600));
    assert!(world.dials[before..].iter().all(|(_, address)| *address != addr(PEER)));
}

#[test]
fn disconnecting_a_pending_peer_keeps_it_added() {
    for (mut bench, peer, conn) in [dialing(), handshaking(), ready()] {
        bench.tell(Input::Disconnect { conn: conn.expect("it has one") });
        assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(PeerState::Waiting));
    }
}

#[test]
fn a_disconnected_peer_is_dialed_again_after_its_back_off() {
    let (mut bench, _, conn) = ready();
    let actions = bench.tell(Input::Disconnect { conn: conn.expect("it is ready") });
    assert!(dials(&actions).is_empty());
    assert_eq!(dials(&bench.pass(secs(5))).len(), 1);
}

#[test]
fn the_same_address_is_added_once() {
    let (mut bench, _, _) = waiting();
    let again = bench.apply(&Input::AddPeer { peer: AddedPeer::new(addr(PEER)).keep(Keep::Once) });
    assert_eq!(again, Reply::Added(Err(AddPeerError::Duplicate)));
}

#[test]
fn names_are_compared_in_lower_case() {
    let (mut bench, _, _) = resolving();
    let again = bench.apply(&Input::AddPeer { peer: AddedPeer::new(addr("NODE.Example:8333")) });
    assert_eq!(again, Reply::Added(Err(AddPeerError::Duplicate)));
}

#[test]
fn no_more_peers_are_added_than_allowed() {
    let mut bench = Bench::new(connect_only());
    (1..=8).for_each(|n| {
        bench.add_peer(&format!("1.2.3.{n}:8333"), Keep::Always);
    });
    let ninth = bench.apply(&Input::AddPeer { peer: AddedPeer::new(addr("1.2.3.9:8333")) });
    assert_eq!(ninth, Reply::Added(Err(AddPeerError::Full)));
}

#[test]
fn a_one_shot_peer_is_finished_when_its_dial_fails() {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = bench.add_peer(PEER, Keep::Once);
    let actions = bench.fail(dials(&actions)[0], DialError::Refused);
    assert_eq!(events(&actions).last(), Some(&Event::PeerFinished { peer, tag: None }));
    assert!(bench.manager.added_peers().is_empty() && dials(&bench.pass(secs(3600))).is_empty());
}

#[test]
fn a_one_shot_peer_is_finished_when_its_connection_ends() {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = bench.add_peer(PEER, Keep::Once);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    bench.pass(secs(600));
    let disconnected =
        Event::Disconnected { conn, peer: Some(peer), reason: EndReason::Theirs(CloseCause::Eof), tag: None };
    assert_eq!(events(&bench.close(conn)), [disconnected, Event::PeerFinished { peer, tag: None }]);
}

#[test]
fn a_finished_one_shot_is_not_replaced_by_an_automatic_connection() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&addresses(100));
    world.tell(Input::AddPeer { peer: AddedPeer::new(addr(PEER)).keep(Keep::Once) });
    world.run(secs(10));
    let (before, one_shot) =
        (world.dials.len(), world.bench.manager.connections().into_iter().find(|c| c.peer.is_some()));
    let conn = one_shot.expect("it is connected").conn;
    world.tell(Input::Closed { conn, cause: CloseCause::Eof });
    world.run(secs(3600));
    assert_eq!((world.dials.len() - before, world.ready()), (0, 8));
}

#[test]
fn added_peers_never_eat_an_automatic_slot() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    addresses(8).iter().for_each(|address| {
        world.add_peer(&address.to_string());
    });
    world.learn(&addresses(100)[8..]);
    world.run(secs(10));
    assert_eq!(world.ready(), 16);
}

#[test]
fn connect_only_dials_what_it_is_told_and_nothing_else() {
    let seeds = SeedConfig {
        names: vec![Seed::new(HostName::new("seed.example").expect("a host name"))],
        fixed: vec![addr("9.9.9.9:8333")],
        ..SeedConfig::default()
    };
    let mut world =
        World::new(Config { seeds, default_port: 8333, ..connect_only() }, |_| Fate::Fails(DialError::Refused));
    world.add_peer(PEER);
    world.learn(&addresses(100));
    world.run(secs(3600));
    let others = world.dials.iter().filter(|(_, address)| *address != addr(PEER)).count();
    assert_eq!((others, world.lookups.len()), (0, 0));
}

#[test]
fn a_name_is_resolved_again_at_each_attempt() {
    let mut world = World::new(connect_only(), |_| Fate::Fails(DialError::Refused));
    world.resolves(|_| Ok(vec![ip("1.2.3.4")]));
    world.add_peer("node.example:8333");
    world.run(secs(40));
    world.resolves(|_| Ok(vec![ip("5.6.7.8")]));
    world.run(secs(60));
    assert_eq!(world.lookups.len(), world.dials.len());
    let last = world.dials.last().map(|(_, address)| address.clone());
    assert_eq!(last, Some(addr("5.6.7.8:8333")));
}

#[test]
fn the_answers_of_a_name_are_tried_in_order_within_one_attempt() {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = bench.add_peer("node.example:8333", Keep::Always);
    let answers = ["1.1.1.1", "2.2.2.2", "3.3.3.3"].map(ip).to_vec();
    let mut actions = bench.tell(Input::LookupResult {
        lookup: lookups(&actions)[0],
        result: Ok(answers.into_iter().map(Into::into).collect()),
    });
    let mut tried = Vec::new();
    while let Some(conn) = dials(&actions).first().copied() {
        tried.push(dialed_address(&actions, conn).to_string());
        actions = bench.fail(conn, DialError::Refused);
    }
    assert_eq!(tried, ["1.1.1.1:8333", "2.2.2.2:8333", "3.3.3.3:8333"]);
    assert_eq!(retries(&actions).first().map(|(whose, _, attempt)| (*whose, *attempt)), Some((peer, 1)));
}

#[test]
fn answers_that_may_not_be_dialed_are_passed_over() {
    let config = Config { own_addresses: vec![addr("1.1.1.1:8333")], ..connect_only() };
    let mut bench = Bench::new(config);
    bench.tell(Input::Ban { target: BanTarget::Host(addr("2.2.2.2:1").host().clone()), duration: secs(3600) });
    bench.add_peer("3.3.3.3:8333", Keep::Always);
    let (_, actions) = bench.add_peer("node.example:8333", Keep::Always);
    let answers = ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"].map(ip).to_vec();
    let actions = bench.tell(Input::LookupResult {
        lookup: lookups(&actions)[0],
        result: Ok(answers.into_iter().map(Into::into).collect()),
    });
    assert_eq!(dialed_address(&actions, dials(&actions)[0]), addr("4.4.4.4:8333"));
}

#[test]
fn a_name_holds_its_slot_while_it_is_resolved() {
    let mut config = connect_only();
    config.limits.total = 1;
    let mut bench = Bench::new(config);
    bench.add_peer("node.example:8333", Keep::Always);
    let (_, actions) = bench.add_peer(PEER, Keep::Always);
    assert!(dials(&actions).is_empty());
}

#[test]
fn a_lookup_that_hangs_is_given_up_and_its_late_answer_ignored() {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = bench.add_peer("node.example:8333", Keep::Always);
    let actions_at_30 = bench.pass(secs(30));
    assert_eq!(events(&actions_at_30), [Event::LookupFailed { peer, error: LookupError::TimedOut, tag: None }]);
    let late = Input::LookupResult { lookup: lookups(&actions)[0], result: Ok(vec![ip("1.1.1.1").into()]) };
    assert!(bench.tell(late).is_empty());
}

#[test]
fn a_peer_that_is_connected_already_keeps_that_connection() {
    let mut config = Config::default();
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    let actions = bench.learn(&[addr(PEER)]);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    let (peer, actions) = bench.add_peer(PEER, Keep::Always);
    assert_eq!(
        (dials(&actions).len(), events(&actions).first().cloned()),
        (0, Some(Event::Adopted { conn, peer, tag: None }))
    );
}

#[test]
fn a_peer_that_is_being_dialed_already_gets_that_connection() {
    let (mut bench, peer, _) = blocked_by_a_dial_to_the_same_address();
    let conn = bench.manager.connections()[0].conn;
    let actions = bench.connect(conn);
    assert!(events(&actions).contains(&Event::Adopted { conn, peer, tag: None }));
}

#[test]
fn a_peer_that_is_being_dialed_already_is_dialed_itself_when_that_fails() {
    let (mut bench, peer, _) = blocked_by_a_dial_to_the_same_address();
    let conn = bench.manager.connections()[0].conn;
    let actions = bench.fail(conn, DialError::Refused);
    let next = dials(&actions)[0];
    assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(PeerState::Dialing(next)));
}

#[test]
fn our_own_and_unreachable_addresses_are_not_added() {
    let config = Config { own_addresses: vec![addr(PEER)], ..connect_only() };
    let mut bench = Bench::new(config);
    let onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";
    let add = |bench: &mut Bench, address: &str| {
        bench.apply(&Input::AddPeer { peer: AddedPeer::new(addr(address)).keep(Keep::Once) })
    };
    assert_eq!(add(&mut bench, PEER), Reply::Added(Err(AddPeerError::OwnAddress)));
    assert_eq!(add(&mut bench, onion), Reply::Added(Err(AddPeerError::Unreachable)));
}

/// As when the peer is full: it accepts, says so, and closes.
#[test]
fn a_full_peer_is_not_stormed() {
    let mut world = World::new(connect_only(), |_| Fate::HangsUp);
    addresses(8).iter().for_each(|address| {
        world.add_peer(&address.to_string());
    });
    world.run(secs(3600));
    assert!(world.dials.len() <= 8 * 30, "{} dials", world.dials.len());
}

/// A block-relay connection does not carry what an added peer needs, so it makes room.
#[test]
fn a_block_relay_connection_makes_room_for_an_added_peer_of_its_address() {
    for stage in 0..3 {
        let mut config = Config::default();
        (config.limits.full, config.limits.block_relay) = (0, 1);
        let mut bench = Bench::new(config);
        let conn = dials(&bench.learn(&[addr("1.2.3.4:8333")]))[0];
        if stage > 0 {
            bench.connect(conn);
        }
        if stage > 1 {
            bench.ready(conn);
        }
        let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
        assert_eq!(closes(&actions), [(conn, CloseReason::MadeRoom)]);
        let dial = dials(&actions)[0];
        assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(PeerState::Dialing(dial)));
    }
}

/// To close ours would not free the address.
#[test]
fn a_block_relay_connection_stays_while_a_connection_came_in_from_the_same_address() {
    let mut config = with_listener(Config::default());
    (config.limits.full, config.limits.block_relay) = (0, 1);
    let mut bench = Bench::new(config);
    let conn = dials(&bench.learn(&[addr(PEER)]))[0];
    bench.connect(conn);
    bench.ready(conn);
    let inbound = bench.accept(PEER).expect("there is room");
    let (peer, actions) = bench.add_peer(PEER, Keep::Always);
    assert_eq!(closes(&actions), []);
    assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(PeerState::Blocked(Obstacle::AddressInUse)));
    let actions = bench.close(inbound);
    assert_eq!((closes(&actions), dials(&actions).len()), (vec![(conn, CloseReason::MadeRoom)], 1));
}
