//! Clause 8: no dial to a banned, connected, dialed or own address, into a disabled network, or into a taken group.

use connmgr_core::*;

use crate::chaos::Mood;
use crate::support::*;

#[test]
fn no_dial_breaks_a_rule() {
    for mood in [Mood::Living, Mood::Eternal] {
        crate::live(8, 2, mood, |_, _, _, _, _| {});
    }
}

fn ban(bench: &mut Bench, subnet: &str) -> Vec<Action> {
    let target = BanTarget::Subnet(subnet.parse().expect("a subnet"));
    bench.tell(Input::Ban { target, duration: secs(3600) })
}

#[test]
fn with_everyone_banned_nobody_is_dialed_until_the_ban_ends() {
    let mut bench = Bench::new(Config::default());
    ban(&mut bench, "0.0.0.0/0");
    let mut actions = bench.learn(&addresses(100));
    actions.extend(bench.pass(secs(3599)));
    assert_eq!(dials(&actions), []);
    assert!(dials(&bench.pass(secs(60))).len() >= 8, "the ban has ended");
}

#[test]
fn one_group_gets_one_automatic_dial() {
    let mut bench = Bench::new(Config::default());
    let neighbours: Vec<PeerAddress> = (1..100).map(|n| addr(&format!("11.1.2.{n}:8333"))).collect();
    let mut actions = bench.learn(&neighbours);
    assert_eq!(dials(&actions).len(), 1);
    actions = bench.pass(millis(4999));
    assert_eq!(dials(&actions), [], "the group is taken until the dial ends");
}

#[test]
fn an_address_is_dialed_once_at_a_time() {
    let mut bench = Bench::new(Config::default());
    let known = addr("11.1.1.1:8333");
    assert_eq!(dials(&bench.learn(std::slice::from_ref(&known))).len(), 1);
    let (peer, actions) = bench.add_peer("11.1.1.1:8333", Keep::Always);
    assert_eq!(dials(&actions), []);
    let blocked = PeerState::Blocked(Obstacle::AddressInUse);
    assert_eq!(bench.manager.added_peer(peer).map(|peer| peer.state), Some(blocked));
}

/// The automatic dial to an added peer's address succeeds: the connection becomes the peer's.
#[test]
fn a_dial_under_way_is_adopted_once_it_is_open() {
    let mut bench = Bench::new(Config::default());
    let conn = dials(&bench.learn(&[addr("11.1.1.1:8333")]))[0];
    let (peer, _) = bench.add_peer("11.1.1.1:8333", Keep::Always);
    assert!(events(&bench.connect(conn)).contains(&Event::Adopted { conn, peer, tag: None }));
}

/// Connections to added peers stay when the limit is lowered; automatic ones are closed instead, even beyond their own
/// surplus.
#[test]
fn the_total_holds_when_added_peers_are_more_than_their_share() {
    let mut bench = Bench::new(Config::default());
    let mut actions = bench.learn(&addresses(100));
    for n in 0..8 {
        actions.extend(bench.add_peer(&format!("20{n}.1.1.1:8333"), Keep::Always).1);
    }
    dials(&actions).into_iter().for_each(|conn| drop(bench.connect(conn)));
    assert_eq!(bench.manager.connections().len(), 16);
    bench.tell(Input::SetLimits { limits: Limits { total: 10, added: 2, ..Limits::default() } });
    assert_eq!(bench.manager.connections().len(), 10);
    assert_eq!(bench.manager.connections().iter().filter(|conn| conn.kind == Kind::Added).count(), 8);
}

/// With fewer slots of a kind there are fewer silent dials.
#[test]
fn silent_dials_go_when_the_limit_of_their_kind_falls() {
    let mut bench = Bench::new(Config::default());
    bench.learn(&addresses(100));
    bench.pass(secs(2));
    assert_eq!(bench.count(ConnState::Silent), 16);
    bench.tell(Input::SetLimits { limits: Limits { full: 1, ..Limits::default() } });
    assert_eq!((bench.count(ConnState::Silent), bench.manager.connections().len()), (2, 3));
}
