//! Connections to ourselves, and two connections to one peer.

mod support;

use connmgr_core::*;
use support::*;

const SMALL: Identity = Identity([1; 32]);
const GREAT: Identity = Identity([2; 32]);

fn config(identity: Option<Identity>) -> Config {
    let mut config = with_listener(Config { identity, ..Config::default() });
    config.limits.full = 1;
    config
}

fn nonce_of(actions: &[Action]) -> u64 {
    let nonce = |event: Event| match event {
        Event::Connected(info) => Some(info.nonce),
        _ => None,
    };
    events(actions).into_iter().find_map(nonce).expect("a connection was announced")
}

fn ready_with(bench: &mut Bench, conn: ConnId, nonce: Option<u64>, identity: Option<Identity>) -> Vec<Action> {
    bench.tell(Input::Ready {
        conn,
        info: PeerInfo { services: Services::NETWORK, nonce, identity, ..PeerInfo::default() },
    })
}

/// We dial ourselves: the outbound and the inbound end, and their nonces.
fn dialed_ourselves() -> (Bench, [ConnId; 2], [u64; 2]) {
    let mut bench = Bench::new(config(None));
    let actions = bench.learn(&addresses(2)[..1]);
    let outbound = dials(&actions)[0];
    let outbound_nonce = nonce_of(&bench.connect(outbound));
    let inbound = bench.accept("11.0.7.9:40000").expect("it is let in");
    let inbound_nonce = nonce_of(&bench.actions());
    (bench, [outbound, inbound], [outbound_nonce, inbound_nonce])
}

#[test]
fn our_own_nonce_closes_both_ends_whichever_hears_it_first() {
    for first in [0, 1] {
        let (mut bench, conns, nonces) = dialed_ourselves();
        let actions = ready_with(&mut bench, conns[first], Some(nonces[1 - first]), None);
        let mut closed = closes(&actions);
        closed.sort_unstable();
        assert_eq!(closed, conns.map(|conn| (conn, CloseReason::OwnAddress)));
    }
}

#[test]
fn our_own_address_is_dropped_and_not_dialed_again() {
    let (mut bench, conns, nonces) = dialed_ourselves();
    ready_with(&mut bench, conns[1], Some(nonces[0]), None);
    bench.learn(&addresses(1));
    assert!(bench.manager.book().is_empty() && dials(&bench.pass(secs(24 * 3600))).is_empty());
}

#[test]
fn an_added_peer_that_is_ourselves_is_not_dialed_again() {
    let mut bench = Bench::new(config(None));
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    let nonce = nonce_of(&bench.connect(conn));
    ready_with(&mut bench, conn, Some(nonce), None);
    assert!(dials(&bench.pass(secs(23 * 3600))).is_empty());
    let state = bench.manager.added_peer(peer).map(|view| view.state);
    assert_eq!(state, Some(PeerState::Blocked(Obstacle::OwnAddress)));
}

/// It was woken a thousand times a second, for nothing.
#[test]
fn an_added_peer_that_is_ourselves_wakes_nobody_often_however_short_the_back_off() {
    let retry = Backoff { base: millis(1), cap: millis(1), ..Backoff::default() };
    let mut bench = Bench::new(Config { retry, ..config(None) });
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    let nonce = nonce_of(&bench.connect(conn));
    ready_with(&mut bench, conn, Some(nonce), None);
    let end = bench.now.after(secs(60));
    let mut wake_ups = 0;
    while let Some(due) = bench.manager.poll_timeout().filter(|due| *due < end) {
        bench.manager.handle_timeout(due);
        wake_ups += 1;
    }
    assert!(wake_ups <= 70, "{wake_ups} in a minute");
}

#[test]
fn our_own_identity_is_ourselves_too() {
    let mut bench = Bench::new(config(Some(SMALL)));
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    assert_eq!(closes(&ready_with(&mut bench, conn, None, Some(SMALL))), [(conn, CloseReason::OwnAddress)]);
}

#[test]
fn a_strangers_nonce_is_nothing() {
    let mut bench = Bench::new(config(None));
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    let nonce = nonce_of(&bench.connect(conn));
    assert_eq!(closes(&ready_with(&mut bench, conn, Some(nonce ^ 1), None)), []);
}

#[test]
fn an_address_we_learn_is_ours_is_dropped_at_once() {
    let mut bench = Bench::new(config(None));
    let actions = bench.learn(&addresses(1));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    let actions = bench.tell(Input::OwnAddress { address: addresses(1)[0].clone() });
    assert_eq!(closes(&actions), [(conn, CloseReason::OwnAddress)]);
}

/// A connection that we dialed or that came in, ready with this identity.
fn connected(bench: &mut Bench, dialed: bool, theirs: Identity) -> (ConnId, Vec<Action>) {
    let conn = if dialed {
        let address = &addresses(9)[bench.manager.book().len()];
        let conn = dials(&bench.learn(std::slice::from_ref(address)))[0];
        bench.connect(conn);
        conn
    } else {
        bench.accept("81.0.7.9:40000").expect("it is let in")
    };
    bench.actions();
    let actions = ready_with(bench, conn, None, Some(theirs));
    (conn, actions)
}

/// Every way in which there are two connections to one peer.
fn pairs() -> Vec<(Option<Identity>, Identity, bool, bool)> {
    let identities = [(None, GREAT), (Some(SMALL), GREAT), (Some(GREAT), SMALL)];
    let ways = [(true, true), (true, false), (false, true), (false, false)];
    identities.into_iter().flat_map(|(ours, theirs)| ways.map(|(older, newer)| (ours, theirs, older, newer))).collect()
}

#[test]
fn a_connection_that_has_been_silent_for_long_makes_way_for_a_new_one_to_the_same_peer() {
    for (ours, theirs, older_dialed, newer_dialed) in pairs() {
        let mut bench = Bench::new(with_listener(Config { identity: ours, ..Config::default() }));
        let (older, _) = connected(&mut bench, older_dialed, theirs);
        bench.pass(secs(24 * 3600));
        let (newer, actions) = connected(&mut bench, newer_dialed, theirs);
        assert_eq!(closes(&actions), [(older, CloseReason::Duplicate)], "{ours:?} {older_dialed} {newer_dialed}");
        assert_eq!(bench.manager.connection(newer).map(|view| view.state), Some(ConnState::Ready));
    }
}

#[test]
fn a_connection_that_lives_is_kept_as_ever() {
    for (ours, theirs, older_dialed, newer_dialed) in pairs() {
        let mut bench = Bench::new(with_listener(Config { identity: ours, ..Config::default() }));
        let (older, _) = connected(&mut bench, older_dialed, theirs);
        bench.pass(secs(24 * 3600));
        bench.tell(Input::Activity { conn: older, activity: Activity::default() });
        bench.pass(millis(149_999));
        let (newer, actions) = connected(&mut bench, newer_dialed, theirs);
        let by_greater = older_dialed != newer_dialed && (ours > Some(theirs)) == newer_dialed;
        let expected = match (older_dialed, newer_dialed, ours) {
            (false, false, _) => None,
            (true, true, _) | (_, _, None) => Some(newer),
            (_, _, Some(_)) => Some(if by_greater { older } else { newer }),
        };
        let expected: Vec<_> = expected.into_iter().map(|loser| (loser, CloseReason::Duplicate)).collect();
        assert_eq!(closes(&actions), expected, "{ours:?} {older_dialed} {newer_dialed}");
    }
}

/// The added peer's connection has died without a word, and its peer dials in.
#[test]
fn an_added_peer_goes_on_by_the_connection_that_lives() {
    for (ours, theirs) in [(SMALL, GREAT), (GREAT, SMALL)] {
        let mut bench = Bench::new(with_listener(Config { identity: Some(ours), ..Config::default() }));
        let (peer, actions) = bench.add_peer("81.0.7.9:8333", Keep::Always);
        let older = dials(&actions)[0];
        bench.connect(older);
        ready_with(&mut bench, older, None, Some(theirs));
        bench.pass(secs(24 * 3600));
        let (newer, actions) = connected(&mut bench, false, theirs);
        assert_eq!(closes(&actions), [(older, CloseReason::Duplicate)]);
        assert_eq!(bench.manager.added_peer(peer).map(|view| view.state), Some(PeerState::Connected(newer)));
        assert!(dials(&bench.pass(secs(3600))).is_empty());
    }
}

/// The old connection was stable: what failed before it no longer counts when the new one ends.
#[test]
fn an_added_peer_that_goes_on_by_another_connection_forgets_earlier_failures() {
    let mut bench = Bench::new(with_listener(Config { identity: Some(SMALL), ..Config::default() }));
    let (_, actions) = bench.add_peer("81.0.7.9:8333", Keep::Always);
    bench.fail(dials(&actions)[0], DialError::Refused);
    let older = dials(&bench.pass(secs(5)))[0];
    bench.connect(older);
    ready_with(&mut bench, older, None, Some(GREAT));
    bench.pass(secs(24 * 3600));
    let (newer, _) = connected(&mut bench, false, GREAT);
    let [(_, _, attempt)] = retries(&bench.close(newer))[..] else { panic!("it is not dialed again") };
    assert_eq!(attempt, 1);
}

#[test]
fn a_second_connection_to_the_same_peer_is_closed() {
    let mut bench = Bench::new(Config { identity: Some(SMALL), ..Config::default() });
    let actions = bench.learn(&addresses(2));
    let conns = dials(&actions);
    for conn in &conns {
        bench.connect(*conn);
    }
    ready_with(&mut bench, conns[0], None, Some(GREAT));
    let actions = ready_with(&mut bench, conns[1], None, Some(GREAT));
    assert_eq!(closes(&actions), [(conns[1], CloseReason::Duplicate)]);
}

#[test]
fn no_address_is_dialed_twice_at_once() {
    let mut bench = Bench::new(Config::default());
    let mut all = bench.learn(&addresses(3));
    all.extend(bench.learn(&addresses(3)));
    all.extend(bench.add_peer(&addresses(1)[0].to_string(), Keep::Always).1);
    let mut whom: Vec<PeerAddress> = dials(&all).into_iter().map(|conn| dialed_address(&all, conn)).collect();
    whom.sort();
    assert_eq!(whom, addresses(3));
}

/// Two managers connected to each other: what one closes, the other sees closed a step later.
struct Pair {
    ends: [Bench; 2],
    /// For each end: its connection, and the other end's for the same wire.
    wires: [(ConnId, ConnId); 2],
    peers: [PeerId; 2],
}

const IDENTITIES: [Identity; 2] = [SMALL, GREAT];

impl Pair {
    /// Both dial each other at once, as added peers.
    fn connecting() -> Self {
        let mut ends = IDENTITIES.map(|identity| {
            Bench::new(with_listener(Config { identity: Some(identity), mode: Mode::ConnectOnly, ..Config::default() }))
        });
        let hosts = ["1.1.1.1", "2.2.2.2"];
        let dialed = [0, 1].map(|end| {
            let (peer, actions) = ends[end].add_peer(&format!("{}:8333", hosts[1 - end]), Keep::Always);
            (peer, dials(&actions)[0])
        });
        let accepted = [0, 1].map(|end| ends[end].accept(&format!("{}:4000", hosts[1 - end])).expect("let in"));
        for end in [0, 1] {
            ends[end].connect(dialed[end].1);
        }
        let wires = [(dialed[0].1, accepted[1]), (accepted[0], dialed[1].1)];
        Self { ends, wires, peers: dialed.map(|(peer, _)| peer) }
    }

    fn conn(&self, end: usize, wire: usize) -> ConnId {
        let (small, great) = self.wires[wire];
        [small, great][end]
    }

    fn is_open(&self, end: usize, wire: usize) -> bool {
        self.ends[end].manager.connections().iter().any(|view| view.conn == self.conn(end, wire))
    }

    /// One end of a wire finishes its handshake.
    fn ready(&mut self, end: usize, wire: usize) {
        let conn = self.conn(end, wire);
        ready_with(&mut self.ends[end], conn, None, Some(IDENTITIES[1 - end]));
    }

    /// What one end has closed, the other sees closed.
    fn hear_closes(&mut self) {
        for (end, wire) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            if !self.is_open(end, wire) && self.is_open(1 - end, wire) {
                let conn = self.conn(1 - end, wire);
                self.ends[1 - end].close(conn);
            }
        }
    }

    /// The wires that are open at both ends.
    fn open(&self) -> Vec<usize> {
        [0, 1].into_iter().filter(|wire| self.is_open(0, *wire) && self.is_open(1, *wire)).collect()
    }
}

/// Every order in which four handshakes can be done.
fn orders() -> Vec<Vec<(usize, usize)>> {
    let all = [(0, 0), (0, 1), (1, 0), (1, 1)];
    let mut orders = vec![vec![]];
    for _ in 0..4 {
        let longer = |order: &Vec<(usize, usize)>| {
            let rest: Vec<_> = all.into_iter().filter(|step| !order.contains(step)).collect();
            rest.into_iter().map(|step| [order.clone(), vec![step]].concat()).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

#[test]
fn of_two_simultaneous_connections_exactly_the_one_that_the_greater_dialed_is_kept() {
    for order in orders() {
        let mut pair = Pair::connecting();
        for (end, wire) in &order {
            pair.ready(*end, *wire);
        }
        pair.hear_closes();
        assert_eq!(pair.open(), [1], "{order:?}");
    }
}

#[test]
fn so_it_is_when_the_news_of_a_close_overtakes_the_handshake() {
    for order in orders() {
        let mut pair = Pair::connecting();
        for (end, wire) in &order {
            pair.ready(*end, *wire);
            pair.hear_closes();
        }
        assert_eq!(pair.open(), [1], "{order:?}");
    }
}

#[test]
fn the_added_peer_keeps_the_connection_that_is_left() {
    for order in orders() {
        let mut pair = Pair::connecting();
        for (end, wire) in &order {
            pair.ready(*end, *wire);
        }
        pair.hear_closes();
        for end in [0, 1] {
            let state = pair.ends[end].manager.added_peer(pair.peers[end]).map(|view| view.state);
            assert_eq!(state, Some(PeerState::Connected(pair.conn(end, 1))), "end {end}, {order:?}");
        }
    }
}

#[test]
fn no_end_dials_the_other_again_while_one_connection_stands() {
    let mut pair = Pair::connecting();
    for (end, wire) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        pair.ready(end, wire);
    }
    pair.hear_closes();
    let later = pair.ends.each_mut().map(|end| dials(&end.pass(secs(3600))).len());
    assert_eq!(later, [0, 0]);
}

/// Each peer sends our nonce back, and so looks like ourselves.
#[test]
fn strangers_cannot_crowd_out_the_addresses_that_are_really_ours() {
    let mut bench = Bench::new(config(None));
    for echo in addresses(1100) {
        // Fruitless dials follow more and more slowly.
        let mut actions = bench.learn(&[echo]);
        while dials(&actions).is_empty() {
            actions = bench.pass(millis(100));
        }
        let conn = dials(&actions)[0];
        let nonce = nonce_of(&bench.connect(conn));
        ready_with(&mut bench, conn, Some(nonce), None);
    }
    bench.tell(Input::OwnAddress { address: addr("9.9.9.9:8333") });
    let actions = bench.learn(&[addr("9.9.9.9:8333")]);
    assert!(dials(&actions).is_empty() && bench.manager.book().is_empty());
}

/// The dials of a day where all known addresses are of one peer, with this identity.
fn a_day_with_one_peer(bench: &mut Bench, mut actions: Vec<Action>) -> usize {
    let (end, mut count) = (bench.now.after(secs(24 * 3600)), 0);
    while bench.now < end {
        let made = dials(&actions);
        count += made.len();
        actions = Vec::new();
        for conn in made {
            actions.extend(bench.connect(conn));
            actions.extend(ready_with(bench, conn, None, Some(GREAT)));
        }
        if dials(&actions).is_empty() {
            actions.extend(bench.pass(secs(1)));
        }
    }
    count
}

#[test]
fn a_peer_with_three_addresses_is_dialed_at_each_once_while_it_is_connected() {
    let mut bench = Bench::new(Config { identity: Some(SMALL), ..Config::default() });
    let actions = bench.learn(&addresses(3));
    assert_eq!(a_day_with_one_peer(&mut bench, actions), 3);
    // Its connection ends: then each of its addresses may be dialed again.
    let conn = bench.manager.connections()[0].conn;
    let actions = bench.close(conn);
    assert_eq!(a_day_with_one_peer(&mut bench, actions), 3);
}

#[test]
fn a_peer_that_came_in_is_dialed_once_while_it_is_connected() {
    // Both keep the dial of the greater identity, so ours is closed.
    let mut bench = Bench::new(with_listener(Config { identity: Some(SMALL), ..Config::default() }));
    let inbound = bench.accept("77.1.2.3:40000").expect("it is let in");
    ready_with(&mut bench, inbound, None, Some(GREAT));
    let actions = bench.learn(&addresses(1));
    assert_eq!(a_day_with_one_peer(&mut bench, actions), 1);
    assert_eq!(bench.manager.connections().len(), 1);
}

/// In one network every dial reaches ourselves; in another, every second dial succeeds. The first is not dialed as if
/// nothing were known of it.
#[test]
fn a_network_of_mirrors_yields_nothing() {
    let limits = Limits { full: 8, ..Limits::default() };
    let mut bench = Bench::new(Config { limits, ..Config::default() });
    let v6 = |number: u32| addr(&format!("[2a00:{number:x}::1]:8333"));
    bench.learn(&addresses(1000));
    let mut begun = bench.learn(&(1..1000).map(v6).collect::<Vec<_>>());
    begun.extend(bench.pass(secs(0)));
    let (mut dialed, mut mirrors) = (0, 0);
    let mut open: Vec<ConnView> = bench.manager.connections();
    while dialed < 400 {
        for view in open {
            dialed += 1;
            let is_v6 = view.address.is_some_and(|address| address.network() == Some(NetworkKind::Ipv6));
            if is_v6 {
                mirrors += 1;
                let nonce = nonce_of(&bench.connect(view.conn));
                ready_with(&mut bench, view.conn, Some(nonce), None);
            } else if dialed % 2 == 0 {
                bench.fail(view.conn, DialError::Refused);
            } else {
                bench.connect(view.conn);
                bench.ready(view.conn);
                bench.close(view.conn);
            }
        }
        bench.pass(millis(500));
        open = bench.manager.connections();
        open.retain(|view| !view.state.is_open());
    }
    println!("{mirrors} of {dialed} dials led to ourselves");
    assert!(mirrors <= dialed / 20, "{mirrors} of {dialed}");
}

/// We met ourselves at the address of an added peer, which is blocked.
fn added_peer_that_is_ourselves() -> (Bench, PeerId) {
    let mut bench = Bench::new(config(None));
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    let nonce = nonce_of(&bench.connect(conn));
    ready_with(&mut bench, conn, Some(nonce), None);
    // Its back-off ends, and the obstacle is found.
    bench.pass(secs(60));
    (bench, peer)
}

fn learns(bench: &mut Bench, address: &str) -> bool {
    bench.learn(&[addr(address)]);
    bench.manager.book().get(&addr(address)).is_some()
}

/// The machine may have moved, or the address now belongs to somebody else (substrate #5015, Core #10262).
#[test]
fn an_address_where_we_met_ourselves_is_forgotten_after_a_day() {
    let (mut bench, conns, nonces) = dialed_ourselves();
    ready_with(&mut bench, conns[1], Some(nonces[0]), None);
    bench.pass(secs(24 * 3600 - 1));
    assert!(!learns(&mut bench, "11.0.7.9:8333"));
    bench.pass(secs(1));
    assert!(learns(&mut bench, "11.0.7.9:8333"));
}

#[test]
fn an_added_peer_that_was_ourselves_is_dialed_again_after_a_day() {
    let (mut bench, _) = added_peer_that_is_ourselves();
    assert!(dials(&bench.pass(secs(24 * 3600 - 61))).is_empty());
    assert_eq!(dials(&bench.pass(secs(1))).len(), 1);
}

#[test]
fn a_change_of_the_network_forgets_where_we_met_ourselves() {
    let (mut bench, _) = added_peer_that_is_ourselves();
    assert_eq!(dials(&bench.tell(Input::NetworkChanged)).len(), 1);
    let (mut bench, conns, nonces) = dialed_ourselves();
    ready_with(&mut bench, conns[1], Some(nonces[0]), None);
    bench.tell(Input::NetworkChanged);
    assert!(learns(&mut bench, "11.0.7.9:8333"));
}

#[test]
fn our_own_address_is_forgotten_by_command() {
    let forget = |address: &str| Input::ForgetOwnAddress { address: addr(address) };
    let (mut bench, _) = added_peer_that_is_ourselves();
    assert_eq!(dials(&bench.tell(forget("1.2.3.4:8333"))).len(), 1);

    let mut bench = Bench::new(Config { own_addresses: vec![addr("1.1.1.1:1")], ..Config::default() });
    bench.tell(Input::OwnAddress { address: addr("2.2.2.2:2") });
    for address in ["1.1.1.1:1", "2.2.2.2:2"] {
        assert!(!learns(&mut bench, address), "{address}");
        assert_eq!(bench.apply(&forget(address)), Reply::Done(Ok(())));
        assert!(learns(&mut bench, address), "{address}");
        assert_eq!(bench.apply(&forget(address)), Reply::Done(Err(CommandError::NotOurs)));
    }
}

#[test]
fn what_is_told_to_be_ours_stays_so_without_a_command() {
    let mut bench = Bench::new(Config { own_addresses: vec![addr("1.1.1.1:1")], ..Config::default() });
    bench.tell(Input::OwnAddress { address: addr("2.2.2.2:2") });
    bench.pass(secs(48 * 3600));
    bench.tell(Input::NetworkChanged);
    assert!(!learns(&mut bench, "1.1.1.1:1") && !learns(&mut bench, "2.2.2.2:2"));
}

/// We dial an address, and reach ourselves.
fn meet_ourselves(bench: &mut Bench, address: &str) {
    let (peer, actions) = bench.add_peer(address, Keep::Always);
    let conn = dials(&actions)[0];
    let nonce = nonce_of(&bench.connect(conn));
    ready_with(bench, conn, Some(nonce), None);
    bench.tell(Input::RemovePeer { peer });
}

fn is_ours(bench: &Bench, address: &str) -> bool {
    let told = bench.manager.explain(&addr(address), bench.now).full;
    told.iter().any(|found| found.rule == DialRule::Obstacle(Obstacle::OwnAddress))
}

#[test]
fn each_address_where_we_met_ourselves_is_ours_for_its_own_day() {
    const HOUR: u64 = 3600;
    let mut bench = Bench::new(config(None));
    meet_ourselves(&mut bench, "1.2.3.4:8333");
    bench.pass(secs(HOUR));
    meet_ourselves(&mut bench, "1.2.3.5:8333");
    let ours = |bench: &Bench| ["1.2.3.4:8333", "1.2.3.5:8333"].map(|address| is_ours(bench, address));
    bench.pass(secs(23 * HOUR));
    assert_eq!(ours(&bench), [false, true]);
    bench.pass(secs(HOUR));
    assert_eq!(ours(&bench), [false, false]);
}

#[test]
fn an_address_that_is_told_to_be_ours_leaves_those_where_we_met_ourselves_ours_for_their_day() {
    let mut bench = Bench::new(config(None));
    meet_ourselves(&mut bench, "1.2.3.4:8333");
    meet_ourselves(&mut bench, "1.2.3.5:8333");
    bench.tell(Input::OwnAddress { address: addr("1.2.3.4:8333") });
    assert!(is_ours(&bench, "1.2.3.5:8333"));
    // What is told has no end.
    bench.pass(secs(25 * 3600));
    assert_eq!(["1.2.3.4:8333", "1.2.3.5:8333"].map(|address| is_ours(&bench, address)), [true, false]);
}
