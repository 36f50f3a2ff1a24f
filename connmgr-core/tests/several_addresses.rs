//! Added peers with several addresses, an identity, a tag, permissions.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

const A: &str = "10.0.0.1:8333";
const B: &str = "10.0.0.2:8333";
const C: &str = "10.0.0.3:8333";
const D: &str = "10.0.0.4:8333";

const ME: Identity = Identity([7; 32]);
const OTHER: Identity = Identity([8; 32]);

const DAY: u64 = 24 * 3600;

fn connect_only() -> Config {
    Config { mode: Mode::ConnectOnly, ..Config::default() }
}

fn peer_at(addresses: &[&str]) -> AddedPeer {
    let mut all = addresses.iter().map(|address| addr(address));
    let first = AddedPeer::new(all.next().expect("one at least"));
    all.fold(first, AddedPeer::or)
}

/// A world with this peer; each of its addresses has a fate.
fn world<const N: usize>(peer: AddedPeer, fates: [(&'static str, Fate); N]) -> World {
    let fate = move |to: &PeerAddress| {
        let fate = fates.iter().find(|(at, _)| addr(at) == *to);
        fate.map(|(_, fate)| *fate).expect("an address of the peer")
    };
    let mut world = World::new(connect_only(), fate);
    assert!(matches!(world.tell(Input::AddPeer { peer }), Reply::Added(Ok(_))));
    world
}

/// When each address was dialed first, in ms.
fn dialed(world: &World) -> Vec<(u64, String)> {
    world.dials.iter().map(|(at, address)| (at.as_nanos() / 1_000_000, address.to_string())).collect()
}

fn expected(dials: &[(u64, &str)]) -> Vec<(u64, String)> {
    dials.iter().map(|(at, address)| (*at, (*address).to_string())).collect()
}

fn add(bench: &mut Bench, peer: AddedPeer) -> (PeerId, Vec<Action>) {
    let Reply::Added(Ok(id)) = bench.apply(&Input::AddPeer { peer }) else { panic!("not added") };
    (id, bench.actions())
}

fn state(bench: &Bench, peer: PeerId) -> PeerState {
    bench.manager.added_peer(peer).expect("it is added").state
}

fn ready_as(bench: &mut Bench, conn: ConnId, identity: Option<Identity>) -> Vec<Action> {
    bench.tell(Input::Ready {
        conn,
        info: PeerInfo { services: Services::NETWORK, nonce: None, identity, ..PeerInfo::default() },
    })
}

#[test]
fn the_next_address_is_dialed_beside_one_that_is_silent() {
    let mut world = world(peer_at(&[A, B]), [(A, Fate::Silent), (B, Fate::Good)]);
    world.run(secs(60));
    assert_eq!(dialed(&world), expected(&[(0, A), (250, B)]));
    assert_eq!((world.ready(), world.bench.manager.connections().len()), (1, 1));
}

#[test]
fn the_first_to_open_goes_ahead_and_the_others_are_given_up() {
    const SLOW: Fate = Fate::Slow(millis(400), millis(50));
    let mut world = world(peer_at(&[A, B, C]), [(A, SLOW), (B, Fate::Silent), (C, Fate::Good)]);
    world.run(secs(60));
    assert_eq!(dialed(&world), expected(&[(0, A), (250, B)]), "A opened before it was C's turn");
    let superseded = |event: &Event| match event {
        Event::DialFailed { address, error: DialFailure::GivenUp(CloseReason::Superseded), .. } => {
            Some(address.clone())
        }
        _ => None,
    };
    let given_up: Vec<_> = world.events.iter().filter_map(|(_, event)| superseded(event)).collect();
    assert_eq!((given_up, world.ready()), (vec![addr(B)], 1));
}

#[test]
fn what_was_given_up_is_tried_again_if_the_first_to_open_is_of_no_use() {
    const SLOW: Fate = Fate::Slow(millis(600), millis(50));
    let mut world = world(peer_at(&[A, B]), [(A, SLOW), (B, Fate::HangsUp)]);
    world.run(secs(60));
    assert_eq!(dialed(&world), expected(&[(0, A), (250, B), (350, A)]));
    assert_eq!((world.ready(), world.bench.manager.stats().retries_scheduled), (1, 0));
}

#[test]
fn three_are_dialed_at_the_same_time_at_most() {
    const SILENT: Fate = Fate::Silent;
    let mut world = world(peer_at(&[A, B, C, D]), [(A, SILENT), (B, SILENT), (C, SILENT), (D, Fate::Good)]);
    world.run(secs(60));
    // The fourth when the first is given up, after 5 s.
    assert_eq!(dialed(&world), expected(&[(0, A), (250, B), (500, C), (5000, D)]));
    assert_eq!(world.ready(), 1);
}

#[test]
fn an_older_dial_that_fails_does_not_hurry_the_next_address() {
    const LATE: Fate = Fate::FailsAfter(DialError::Refused, millis(300));
    let mut world = world(peer_at(&[A, B, C]), [(A, LATE), (B, Fate::Silent), (C, Fate::Good)]);
    world.run(secs(60));
    assert_eq!(dialed(&world), expected(&[(0, A), (250, B), (500, C)]));
}

#[test]
fn all_dials_of_a_peer_end_when_the_pool_becomes_inactive_and_it_is_dialed_when_it_is_active_again() {
    for under_way in [1, 2] {
        let mut bench = Bench::new(connect_only());
        let (_, actions) = add(&mut bench, peer_at(&[A, B]));
        let first = dials(&actions);
        let conns = [first, dials(&bench.pass(millis(250 * (under_way - 1))))].concat();
        let closed = closes(&bench.tell(Input::SetActive { active: false }));
        let expected: Vec<_> = conns.into_iter().map(|conn| (conn, CloseReason::Inactive)).collect();
        assert_eq!(closed, expected, "{under_way} under way");
        assert_eq!(dials(&bench.tell(Input::SetActive { active: true })).len(), 1, "{under_way} under way");
    }
}

#[test]
fn where_there_is_no_room_beside_what_is_wanted_the_next_address_waits_for_the_first_to_end() {
    let fate = |to: &PeerAddress| if *to == addr(A) { Fate::Silent } else { Fate::Good };
    let full = Limits { total: 1, ..Limits::default() };
    let mut unhedged = connect_only();
    unhedged.dial.max_hedged = Some(0);
    for config in [Config { limits: full, ..connect_only() }, unhedged] {
        let mut world = World::new(config, fate);
        world.tell(Input::AddPeer { peer: peer_at(&[A, B]) });
        world.run(secs(60));
        assert_eq!((dialed(&world), world.ready()), (expected(&[(0, A), (5000, B)]), 1));
    }
}

#[test]
fn silent_dials_and_inbound_connections_fill_the_room_beside_what_is_wanted() {
    for inbound in [0, 1] {
        // Eight full connections are wanted, and one for the peer.
        let mut config = with_listener(Config::default());
        config.limits.total = 10 + inbound;
        let mut bench = Bench::new(config);
        (0..inbound).for_each(|_| _ = bench.accept("1.2.3.4:50000").expect("there is room"));
        let (_, actions) = add(&mut bench, peer_at(&[A, B, C]));
        assert_eq!(dials(&actions).len(), 1);
        assert_eq!(dials(&bench.pass(millis(4999))).len(), 1, "beside {inbound} inbound");
    }
}

#[test]
fn a_name_is_looked_up_beside_a_silent_dial_and_a_dial_that_opens_ends_the_lookup() {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = add(&mut bench, peer_at(&[A, "node.example:8333"]));
    let first = dials(&actions)[0];
    bench.pass(millis(300));
    assert_eq!(state(&bench, peer), PeerState::Resolving);
    bench.connect(first);
    assert_eq!(state(&bench, peer), PeerState::Connected(first));
    // The answer comes too late.
    let lookup = LookupId::from_u64(1);
    assert_eq!(bench.tell(Input::LookupResult { lookup, result: Ok(vec![[1, 1, 1, 1].into()]) }), []);
    // The connection is of no use: the name is looked up again in the same attempt.
    let actions = bench.close(first);
    assert!(actions.iter().any(|action| matches!(action, Action::ResolveHost { .. })), "{actions:?}");
}

#[test]
fn a_silent_dial_is_waited_for_when_nothing_else_is_left() {
    let mut world =
        world(peer_at(&[A, B]), [(A, Fate::Slow(secs(4), millis(50))), (B, Fate::Fails(DialError::Refused))]);
    world.run(secs(60));
    assert_eq!((dialed(&world), world.ready()), (expected(&[(0, A), (250, B)]), 1));
}

#[test]
fn a_peer_with_two_addresses_has_one_connection_and_is_not_dialed_while_it_lives() {
    let mut world = world(peer_at(&[A, B]), [(A, Fate::Good), (B, Fate::Good)]);
    world.run(secs(DAY));
    assert_eq!((dialed(&world).len(), world.ready()), (1, 1));
}

#[test]
fn the_address_that_was_ready_last_is_the_first_of_the_next_attempt() {
    let mut world = world(peer_at(&[A, B]), [(A, Fate::Fails(DialError::Refused)), (B, Fate::Leaves(secs(7200)))]);
    world.run(secs(7300));
    let order: Vec<_> = dialed(&world).into_iter().map(|(_, at)| at).collect();
    assert_eq!(order, [A, B, B]);
}

#[test]
fn of_three_addresses_the_one_that_served_is_the_first_of_the_next_attempt() {
    const REFUSES: Fate = Fate::Fails(DialError::Refused);
    let mut world = world(peer_at(&[A, B, C]), [(A, REFUSES), (B, REFUSES), (C, Fate::Leaves(secs(7200)))]);
    world.run(secs(7300));
    let order: Vec<_> = dialed(&world).into_iter().map(|(_, at)| at).collect();
    assert_eq!(order, [A, B, C, C]);
}

#[test]
fn an_attempt_tries_no_address_twice_though_the_next_is_banned_while_it_waits_for_its_turn() {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = add(&mut bench, peer_at(&[A, B]));
    // This machine is out of sockets: for some seconds nothing is dialed.
    assert_eq!(dials(&bench.fail(dials(&actions)[0], DialError::OutOfResources)), []);
    assert_eq!(state(&bench, peer), PeerState::Queued);
    bench.tell(Input::Ban { target: BanTarget::Host(addr(B).host().clone()), duration: secs(DAY) });
    let actions = bench.pass(secs(2));
    assert_eq!((dials(&actions), retries(&actions).len()), (vec![], 1), "{actions:?}");
}

#[test]
fn an_attempt_that_has_only_an_address_in_use_left_has_failed_though_nothing_may_be_dialed_now() {
    let mut config = Config::default();
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    bench.learn(&[addr("1.2.3.4:8333")]);
    let (peer, actions) = add(&mut bench, peer_at(&[A, "1.2.3.4:8333"]));
    let actions = bench.fail(dials(&actions)[0], DialError::OutOfResources);
    assert_eq!((state(&bench, peer), retries(&actions).len()), (PeerState::Waiting, 1), "{actions:?}");
}

#[test]
fn a_peer_whose_adopted_connection_ends_in_the_handshake_waits_for_its_retry() {
    let mut bench = Bench::new(Config::default());
    let conn = dials(&bench.learn(&[addr("1.2.3.4:8333")]))[0];
    bench.connect(conn);
    let (peer, _) = add(&mut bench, peer_at(&["1.2.3.4:8333", A]));
    assert_eq!(state(&bench, peer), PeerState::Connected(conn));
    let actions = bench.close(conn);
    assert_eq!((state(&bench, peer), retries(&actions).len()), (PeerState::Waiting, 1), "{actions:?}");
}

#[test]
fn two_added_peers_of_one_node_are_one_connection_and_nobody_is_dialed_while_it_lives() {
    let mut bench = Bench::new(connect_only());
    let (first, actions) = add(&mut bench, peer_at(&[A]));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    ready_as(&mut bench, conn, Some(ME));
    let (second, actions) = add(&mut bench, peer_at(&[B]));
    let other = dials(&actions)[0];
    bench.connect(other);
    let actions = ready_as(&mut bench, other, Some(ME));
    assert_eq!(closes(&actions), [(other, CloseReason::Duplicate)]);
    assert_eq!(state(&bench, second), PeerState::Blocked(Obstacle::AlreadyConnected));
    assert_eq!(dials(&bench.pass(secs(DAY))), []);
    // It ends: the other need not wait.
    let actions = bench.close(conn);
    assert_eq!(dials(&actions).len(), 1);
    assert_eq!(state(&bench, first), PeerState::Waiting);
}

#[test]
fn a_peer_for_one_connection_whose_node_another_peer_has_is_finished() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = add(&mut bench, peer_at(&[A]));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    ready_as(&mut bench, conn, Some(ME));
    let (peer, actions) = add(&mut bench, peer_at(&[B]).keep(Keep::Once));
    let other = dials(&actions)[0];
    bench.connect(other);
    let told = events(&ready_as(&mut bench, other, Some(ME)));
    assert!(told.contains(&Event::PeerFinished { peer, tag: None }), "{told:?}");
}

#[test]
fn another_identity_than_wanted_is_closed_and_the_next_address_is_tried() {
    for told in [Some(OTHER), None] {
        let mut bench = Bench::new(connect_only());
        let (peer, actions) = add(&mut bench, peer_at(&[A, B]).identity(ME));
        let conn = dials(&actions)[0];
        bench.connect(conn);
        let actions = ready_as(&mut bench, conn, told);
        assert_eq!(closes(&actions), [(conn, CloseReason::WrongIdentity)]);
        let next = dials(&actions)[0];
        assert_eq!(dialed_address(&actions, next), addr(B));
        bench.connect(next);
        assert_eq!(closes(&ready_as(&mut bench, next, Some(ME))), []);
        assert_eq!(state(&bench, peer), PeerState::Connected(next));
    }
}

/// The addresses that are dialed, in order, by a peer at A, where another node is, and B. At B it becomes ready and
/// leaves at once, `times` times.
fn dialed_by_turns(wanted: Option<Identity>, times: usize) -> Vec<PeerAddress> {
    let peer = peer_at(&[A, B]);
    let (mut bench, mut dialed) = (Bench::new(connect_only()), Vec::new());
    let (_, mut actions) = add(&mut bench, wanted.map_or(peer.clone(), |identity| peer.identity(identity)));
    let mut lives = 0;
    while lives < times {
        let Some(conn) = dials(&actions).first().copied() else {
            actions = bench.pass(secs(1));
            continue;
        };
        let address = dialed_address(&actions, conn);
        dialed.push(address.clone());
        bench.connect(conn);
        actions = match (address == addr(B), wanted) {
            (true, _) => {
                lives += 1;
                ready_as(&mut bench, conn, Some(ME));
                bench.close(conn)
            }
            (false, Some(_)) => ready_as(&mut bench, conn, Some(OTHER)),
            (false, None) => bench.close(conn),
        };
    }
    dialed
}

#[test]
fn the_next_attempt_begins_where_the_identity_was_proved() {
    assert_eq!(dialed_by_turns(Some(ME), 3), [A, B, B, B].map(addr));
}

/// Without an identity that is wanted, only a connection that was stable shows that an address is the right one.
#[test]
fn where_no_identity_is_wanted_a_short_connection_proves_no_address() {
    assert_eq!(dialed_by_turns(None, 3), [A, B, A, B, A, B].map(addr));
}

#[test]
fn a_peer_wanted_by_identity_takes_the_connection_that_comes_in() {
    let mut bench = Bench::new(with_listener(connect_only()));
    let wanted = peer_at(&[A]).identity(ME).tag(5);
    let (peer, actions) = add(&mut bench, wanted);
    bench.fail(dials(&actions)[0], DialError::Refused);
    let inbound = bench.accept("99.1.1.1:5000").expect("room");
    let actions = ready_as(&mut bench, inbound, Some(ME));
    let adopted = Event::Adopted { conn: inbound, peer, tag: Some(5) };
    assert!(events(&actions).contains(&adopted), "{actions:?}");
    assert_eq!(dials(&bench.pass(secs(DAY))), []);
}

#[test]
fn a_peer_whose_node_is_connected_already_takes_that_connection() {
    let mut bench = Bench::new(with_listener(connect_only()));
    let inbound = bench.accept("99.1.1.1:5000").expect("room");
    ready_as(&mut bench, inbound, Some(ME));
    let (peer, actions) = add(&mut bench, peer_at(&[A]).identity(ME));
    assert_eq!((dials(&actions), state(&bench, peer)), (vec![], PeerState::Connected(inbound)));
}

#[test]
fn of_two_connections_that_its_node_made_a_peer_takes_the_older() {
    let mut bench = Bench::new(with_listener(connect_only()));
    let older = bench.accept("99.1.1.1:5000").expect("room");
    let newer = bench.accept("99.1.1.1:5001").expect("room");
    // Neither is closed: the node might close the other.
    ready_as(&mut bench, older, Some(ME));
    ready_as(&mut bench, newer, Some(ME));
    let (peer, _) = add(&mut bench, peer_at(&[A]).identity(ME));
    assert_eq!(state(&bench, peer), PeerState::Connected(older));
}

#[test]
fn a_peer_takes_the_connection_that_has_its_address_unless_another_identity_was_proved_there() {
    for (wanted, proved, is_taken) in
        [(None, Some(OTHER), true), (Some(ME), None, true), (Some(ME), Some(OTHER), false), (None, None, true)]
    {
        let mut bench = Bench::new(Config::default());
        let conn = dials(&bench.learn(&[addr("1.2.3.4:8333")]))[0];
        bench.connect(conn);
        ready_as(&mut bench, conn, proved);
        let peer = peer_at(&["1.2.3.4:8333"]);
        let (id, _) = add(&mut bench, wanted.map_or(peer.clone(), |wanted| peer.identity(wanted)));
        let taken = PeerState::Connected(conn);
        let expected = if is_taken { taken } else { PeerState::Blocked(Obstacle::AddressInUse) };
        assert_eq!(state(&bench, id), expected, "wanted {wanted:?}, proved {proved:?}");
    }
}

#[test]
fn a_peer_takes_no_connection_of_another_peer_and_none_while_it_has_its_own() {
    let mut bench = Bench::new(with_listener(connect_only()));
    let (other, actions) = add(&mut bench, peer_at(&[A]));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    let (wanted, actions) = add(&mut bench, peer_at(&[B]).identity(ME));
    let own = dials(&actions)[0];
    ready_as(&mut bench, conn, Some(ME));
    assert_eq!(state(&bench, other), PeerState::Connected(conn));
    assert_eq!(state(&bench, wanted), PeerState::Dialing(own));
    bench.close(conn);
    bench.connect(own);
    let inbound = bench.accept("99.1.1.1:5000").expect("room");
    ready_as(&mut bench, inbound, Some(ME));
    assert_eq!(state(&bench, wanted), PeerState::Connected(own));
}

#[test]
fn a_peer_that_was_refused_waits_for_its_retry_though_the_network_of_its_other_address_is_down() {
    let mut bench = Bench::new(connect_only());
    for n in 1..=3 {
        let (_, actions) = add(&mut bench, peer_at(&[&format!("[2a00:{n}::1]:8333")]));
        bench.fail(dials(&actions)[0], DialError::NetworkUnreachable);
    }
    let (peer, actions) = add(&mut bench, peer_at(&[A, "[2a00:4::1]:8333"]));
    bench.fail(dials(&actions)[0], DialError::Refused);
    assert_eq!(state(&bench, peer), PeerState::Waiting);
    let (peer, _) = add(&mut bench, peer_at(&["[2a00:5::1]:8333"]));
    assert_eq!(state(&bench, peer), PeerState::Blocked(Obstacle::NetworkDown));
}

#[test]
fn a_connection_that_a_peer_takes_has_its_tag_and_its_permissions() {
    let mut bench = Bench::new(with_listener(connect_only()));
    let conn = bench.accept("99.1.1.1:5000").expect("room");
    ready_as(&mut bench, conn, Some(ME));
    let (peer, _) = add(&mut bench, peer_at(&[A]).identity(ME).tag(5));
    let actions = bench.tell(Input::Misbehavior { conn, penalty: Penalty { persistent: 101, transient: 0 } });
    let reason = EndReason::Ours(CloseReason::Misbehaved);
    assert_eq!(events(&actions), [Event::Disconnected { conn, peer: Some(peer), tag: Some(5), reason }]);
    assert!(bench.manager.bans().is_empty());
}

#[test]
fn the_next_address_leaves_the_room_of_the_connections_that_are_wanted() {
    let fate = |to: &PeerAddress| if *to == addr(A) { Fate::Silent } else { Fate::Good };
    let limits = Limits { total: 3, full: 2, block_relay: 0, ..Limits::default() };
    let mut world = World::new(Config { limits, ..Config::default() }, fate);
    world.tell(Input::AddPeer { peer: peer_at(&[A, B]) });
    world.run(secs(60));
    assert_eq!((dialed(&world), world.ready()), (expected(&[(0, A), (5000, B)]), 1));
}

/// A handshake may have to know whom it expects before it begins.
#[test]
fn a_connection_says_who_is_wanted_when_it_opens_and_who_is_there_when_it_is_ready() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = add(&mut bench, peer_at(&[A]).identity(ME).tag(5));
    let conn = dials(&actions)[0];
    let wanted = events(&bench.connect(conn)).into_iter().find_map(|event| match event {
        Event::Connected(connected) => Some(connected.wanted),
        _ => None,
    });
    assert_eq!(wanted, Some(Some(ME)));
    let shown = |bench: &Bench| bench.manager.connections().into_iter().map(|view| (view.tag, view.identity)).collect();
    let shaking: Vec<_> = shown(&bench);
    ready_as(&mut bench, conn, Some(ME));
    let ready: Vec<_> = shown(&bench);
    assert_eq!((shaking, ready), (vec![(Some(5), None)], vec![(Some(5), Some(ME))]));
}

#[test]
fn every_event_of_a_peer_has_its_tag() {
    let tagged = peer_at(&["node.example:8333"]).keep(Keep::Once).tag(42);
    let mut world = World::new(connect_only(), |_| Fate::Leaves(secs(5)));
    let asked = std::cell::Cell::new(false);
    world.resolves(
        move |_| if asked.replace(true) { Err(LookupError::NotFound) } else { Ok(vec![[1, 1, 1, 1].into()]) },
    );
    for _ in 0..2 {
        world.tell(Input::AddPeer { peer: tagged.clone() });
        world.run(secs(60));
    }
    let tags = world.events.iter().map(|(_, event)| match event {
        Event::Connected(connected) => ("connected", connected.tag),
        Event::Disconnected { tag, .. } => ("disconnected", *tag),
        Event::PeerFinished { tag, .. } => ("finished", *tag),
        Event::LookupFailed { tag, .. } => ("lookup failed", *tag),
        other => panic!("{other:?}"),
    });
    let names = ["connected", "disconnected", "finished", "lookup failed", "finished"];
    assert_eq!(tags.collect::<Vec<_>>(), names.map(|name| (name, Some(42))));
}

#[test]
fn a_removed_peer_gives_up_every_dial() {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = add(&mut bench, peer_at(&[A, B]).tag(1));
    let mut under_way = dials(&actions);
    under_way.extend(dials(&bench.pass(millis(300))));
    let actions = bench.tell(Input::RemovePeer { peer });
    let mut closed = closes(&actions);
    closed.sort_unstable();
    assert_eq!(closed, under_way.iter().map(|conn| (*conn, CloseReason::PeerRemoved)).collect::<Vec<_>>());
    let is_tagged = |event: &Event| matches!(event, Event::DialFailed { tag: Some(1), .. });
    assert!(events(&actions).iter().all(is_tagged), "{actions:?}");
}

#[test]
fn a_peer_is_added_with_16_addresses_and_not_with_17() {
    let mut bench = Bench::new(connect_only());
    let mut added = |count: usize| {
        let peer = addresses(20).into_iter().skip(1).take(count - 1).fold(AddedPeer::new(addr(A)), AddedPeer::or);
        bench.apply(&Input::AddPeer { peer })
    };
    assert_eq!(added(17), Reply::Added(Err(AddPeerError::TooManyAddresses)));
    assert!(matches!(added(16), Reply::Added(Ok(_))));
}

#[test]
fn what_can_not_be_added_is_refused_with_the_reason() {
    let mut bench = Bench::new(connect_only());
    add(&mut bench, peer_at(&[A]).identity(ME));
    let mut none = peer_at(&[B]);
    none.addresses.clear();
    let mut many = peer_at(&[B]);
    many.addresses.extend((0..16).map(|n| addr(&format!("11.0.0.{n}:8333"))));
    let bad = Backoff { base: secs(0), ..Backoff::default() };
    bench.tell(Input::Ban { target: BanTarget::Host(addr(C).host().clone()), duration: secs(60) });
    for (peer, error) in [
        (none, AddPeerError::NoAddress),
        (many, AddPeerError::TooManyAddresses),
        (peer_at(&[B]).retry(bad), AddPeerError::BadBackoff),
        (peer_at(&[B, A]), AddPeerError::Duplicate),
        (peer_at(&[B]).identity(ME), AddPeerError::Duplicate),
        (peer_at(&[C]), AddPeerError::Banned),
    ] {
        assert_eq!(bench.apply(&Input::AddPeer { peer }), Reply::Added(Err(error)));
    }
    // One address that may be dialed is enough; repetitions do not count.
    assert!(matches!(bench.apply(&Input::AddPeer { peer: peer_at(&[C, B, B]) }), Reply::Added(Ok(_))));
}

/// A connected added peer with these permissions, which then misbehaves.
fn misbehaves(permissions: Option<Permissions>) -> (Bench, Vec<Action>) {
    let mut bench = Bench::new(connect_only());
    let peer = peer_at(&[A]);
    let peer = if let Some(permissions) = permissions { peer.permissions(permissions) } else { peer };
    let (_, actions) = add(&mut bench, peer);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    let actions = bench.tell(Input::Misbehavior { conn, penalty: Penalty { persistent: 101, transient: 0 } });
    (bench, actions)
}

#[test]
fn an_added_peer_that_misbehaves_is_closed_and_not_banned_and_comes_back_after_its_back_off() {
    let (mut bench, actions) = misbehaves(None);
    assert_eq!(closes(&actions)[0].1, CloseReason::Misbehaved);
    assert!(bench.manager.bans().is_empty());
    assert_eq!(dials(&bench.pass(secs(10))).len(), 1);
}

#[test]
fn an_added_peer_without_that_permission_is_banned() {
    let (bench, actions) = misbehaves(Some(Permissions::default()));
    assert_eq!((closes(&actions)[0].1, bench.manager.bans().len()), (CloseReason::Banned, 1));
}

#[test]
fn a_spared_peer_is_not_spared_a_ban_that_is_asked_for() {
    let mut bench = Bench::new(connect_only());
    let (peer, actions) = add(&mut bench, peer_at(&[A]));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    let actions = bench.tell(Input::Ban { target: BanTarget::Host(addr(A).host().clone()), duration: secs(60) });
    assert_eq!(closes(&actions), [(conn, CloseReason::Banned)]);
    bench.pass(secs(30));
    assert_eq!(state(&bench, peer), PeerState::Blocked(Obstacle::Banned));
    assert_eq!(dials(&bench.pass(secs(40))).len(), 1);
}

#[test]
fn an_address_that_a_name_led_to_before_and_now_leads_to_again_is_tried_like_a_new_one() {
    let at = |host: u8| [10, 0, 0, host].into();
    let mut world = World::new(connect_only(), |_| Fate::Fails(DialError::Refused));
    world.resolves(move |_| Ok(vec![at(1), at(2)]));
    world.add_peer("node.example:8333");
    world.run(secs(1));
    world.resolves(move |_| Ok(vec![at(3)]));
    world.run(secs(6));
    world.resolves(move |_| Ok(vec![at(3), at(1)]));
    world.run(secs(20));
    let order: Vec<_> = dialed(&world).into_iter().map(|(_, at)| at).take(5).collect();
    assert_eq!(order, [A, B, C, A, C]);
}

#[test]
fn a_new_answer_for_a_name_leaves_the_turns_of_the_other_addresses_as_they_are() {
    let mut world = World::new(connect_only(), |_| Fate::Leaves(secs(1)));
    world.resolves(|_| Ok(vec![[10, 0, 0, 1].into()]));
    world.tell(Input::AddPeer { peer: peer_at(&["node.example:8333", B, C]) });
    let until = |world: &mut World, count| {
        world.run_until(Time::from_secs(3600), |world| world.dials.len() == count).expect("it is dialed again");
    };
    until(&mut world, 2);
    // Nobody but C has had no turn, and C is banned.
    let target = BanTarget::Host(addr(C).host().clone());
    world.tell(Input::Ban { target: target.clone(), duration: secs(DAY) });
    world.resolves(|_| Ok(vec![[10, 0, 0, 4].into()]));
    until(&mut world, 3);
    world.tell(Input::Unban { target });
    until(&mut world, 4);
    let order: Vec<_> = dialed(&world).into_iter().map(|(_, at)| at).collect();
    assert_eq!(order, [A, B, D, C]);
}
