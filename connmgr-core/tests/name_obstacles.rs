//! An added peer whose name leads only where a rule forbids dialing: it is blocked, never "not found", and looks again
//! when the obstacle goes.

mod support;

use std::net::IpAddr;

use connmgr_core::*;
use support::*;

const NAME: &str = "node.example:8333";
const THERE: &str = "11.0.7.9:8333";

fn automatic() -> Config {
    let mut config = Config::default();
    config.limits.full = 1;
    config
}

fn connect_only() -> Config {
    Config { mode: Mode::ConnectOnly, ..Config::default() }
}

/// Adds the peer by name, which resolves to [`THERE`]. Returns it, and what the answer led to.
fn add_by_name(bench: &mut Bench, name: &str) -> (PeerId, Vec<Action>) {
    let (peer, actions) = bench.add_peer(name, Keep::Always);
    (peer, answer(bench, &actions))
}

/// Answers the lookup among the actions.
fn answer(bench: &mut Bench, actions: &[Action]) -> Vec<Action> {
    let lookup = actions.iter().find_map(|action| match action {
        Action::ResolveHost { lookup, .. } => Some(*lookup),
        _ => None,
    });
    let lookup = lookup.unwrap_or_else(|| panic!("no lookup: {actions:?}"));
    let ip = addr(THERE).host().ip().expect("it is an IP address");
    bench.tell(Input::LookupResult { lookup, result: Ok(vec![ip.into()]) })
}

fn is_blocked(bench: &Bench, peer: PeerId, obstacle: Obstacle) {
    let view = bench.manager.added_peer(peer).expect("it is added");
    assert_eq!((view.state, view.attempt), (PeerState::Blocked(obstacle), 0));
}

/// Nothing is dialed for an hour, and no lookup fails; the name is looked up again at most every five minutes.
fn is_quiet_for_an_hour(bench: &mut Bench, peer: PeerId, obstacle: Obstacle) {
    for _ in 0..12 {
        let actions = bench.pass(secs(300));
        let looks: Vec<&Action> =
            actions.iter().filter(|action| matches!(action, Action::ResolveHost { .. })).collect();
        assert!(looks.len() <= 2 && dials(&actions).is_empty(), "{actions:?}");
        assert!(!events(&actions).iter().any(|event| matches!(event, Event::LookupFailed { .. })), "{actions:?}");
        if !looks.is_empty() {
            answer(bench, &actions);
        }
    }
    is_blocked(bench, peer, obstacle);
}

#[test]
fn in_use_by_another_added_peer() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = bench.add_peer(THERE, Keep::Always);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    let (peer, actions) = add_by_name(&mut bench, NAME);
    assert_eq!(dials(&actions), []);
    is_quiet_for_an_hour(&mut bench, peer, Obstacle::AddressInUse);
    // It goes: the name is looked up at once, and the address dialed.
    let actions = bench.close(conn);
    let actions = answer(&mut bench, &actions);
    assert_eq!(dialed_address(&actions, dials(&actions)[0]), addr(THERE));
}

#[test]
fn in_use_by_another_name() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = add_by_name(&mut bench, "first.example:8333");
    assert_eq!(dials(&actions).len(), 1);
    bench.connect(dials(&actions)[0]);
    bench.ready(dials(&actions)[0]);
    let (peer, _) = add_by_name(&mut bench, NAME);
    is_quiet_for_an_hour(&mut bench, peer, Obstacle::AddressInUse);
}

#[test]
fn in_use_by_an_automatic_connection_which_is_adopted() {
    for opens_first in [true, false] {
        let mut bench = Bench::new(automatic());
        let conn = dials(&bench.learn(&[addr(THERE)]))[0];
        if opens_first {
            bench.connect(conn);
        }
        let (peer, mut actions) = add_by_name(&mut bench, NAME);
        if !opens_first {
            is_blocked(&bench, peer, Obstacle::AddressInUse);
            actions = bench.connect(conn);
            actions = answer(&mut bench, &actions);
        }
        assert!(events(&actions).contains(&Event::Adopted { conn, peer, tag: None }), "{actions:?}");
    }
}

#[test]
fn in_use_by_a_block_relay_connection_which_makes_room() {
    let mut config = automatic();
    (config.limits.full, config.limits.block_relay) = (0, 1);
    let mut bench = Bench::new(config);
    let conn = dials(&bench.learn(&[addr(THERE)]))[0];
    bench.connect(conn);
    let (_, actions) = add_by_name(&mut bench, NAME);
    assert_eq!((closes(&actions), dials(&actions).len()), (vec![(conn, CloseReason::MadeRoom)], 1));
}

#[test]
fn banned() {
    let mut bench = Bench::new(connect_only());
    let target = BanTarget::Host(addr(THERE).host().clone());
    bench.tell(Input::Ban { target: target.clone(), duration: secs(100_000) });
    let (peer, _) = add_by_name(&mut bench, NAME);
    is_quiet_for_an_hour(&mut bench, peer, Obstacle::Banned);
    let actions = bench.tell(Input::Unban { target });
    let actions = answer(&mut bench, &actions);
    assert_eq!(dials(&actions).len(), 1);
}

#[test]
fn our_own() {
    let mut bench = Bench::new(connect_only());
    bench.tell(Input::OwnAddress { address: addr(THERE) });
    let (peer, _) = add_by_name(&mut bench, NAME);
    is_quiet_for_an_hour(&mut bench, peer, Obstacle::OwnAddress);
}

#[test]
fn in_a_network_that_is_disabled() {
    let networks = NetworkSet::EMPTY.with(NetworkKind::Ipv6);
    let mut bench = Bench::new(Config { networks, ..connect_only() });
    let (peer, _) = add_by_name(&mut bench, NAME);
    is_quiet_for_an_hour(&mut bench, peer, Obstacle::Unreachable);
}

#[test]
fn one_good_address_beside_one_in_use_is_dialed() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = bench.add_peer(THERE, Keep::Always);
    bench.connect(dials(&actions)[0]);
    let (_, actions) = bench.add_peer(NAME, Keep::Always);
    let Some(Action::ResolveHost { lookup, .. }) = actions.first() else { panic!("{actions:?}") };
    let ips: Vec<IpAddr> = vec![addr(THERE).host().ip().expect("an IP"), [12, 1, 1, 1].into()];
    let actions =
        bench.tell(Input::LookupResult { lookup: *lookup, result: Ok(ips.into_iter().map(Into::into).collect()) });
    assert_eq!(dialed_address(&actions, dials(&actions)[0]), addr("12.1.1.1:8333"));
}

#[test]
fn a_ban_of_the_name_closes_the_connection_made_for_it_and_no_other() {
    let mut bench = Bench::new(connect_only());
    let (_, actions) = bench.add_peer("12.1.1.1:8333", Keep::Always);
    bench.connect(dials(&actions)[0]);
    let (peer, actions) = add_by_name(&mut bench, NAME);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    let target = BanTarget::Host(addr(NAME).host().clone());
    let actions = bench.tell(Input::Ban { target: target.clone(), duration: secs(100_000) });
    assert_eq!(closes(&actions), [(conn, CloseReason::Banned)]);
    bench.pass(secs(600));
    let view = bench.manager.added_peer(peer).expect("it is added");
    assert_eq!(view.state, PeerState::Blocked(Obstacle::Banned));
    let actions = bench.tell(Input::Unban { target });
    assert_eq!(dials(&answer(&mut bench, &actions)).len(), 1);
}
