//! Added peers with a host name: which of its addresses are tried, and when.

mod support;

use std::collections::BTreeSet;
use std::net::IpAddr;

use connmgr_core::*;
use support::world::*;
use support::*;

const NAME: &str = "node.example:8333";

/// How many addresses one attempt tries.
const AN_ATTEMPT: usize = 16;

fn connect_only() -> Config {
    Config { mode: Mode::ConnectOnly, ..Config::default() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

fn ips(numbers: std::ops::Range<u8>) -> Vec<IpAddr> {
    numbers.map(|n| [11, n, 1, 1].into()).collect()
}

fn address(ip: IpAddr) -> PeerAddress {
    PeerAddress::new(ip.into(), 8333)
}

/// A peer with this name, and the fates of its addresses.
fn world(answer: Vec<IpAddr>, fate: impl Fn(&PeerAddress) -> Fate + 'static) -> World {
    let mut world = World::new(connect_only(), fate);
    world.resolves(move |_| Ok(answer.clone()));
    world.add_peer(NAME);
    world
}

fn refused(_: &PeerAddress) -> Fate {
    Fate::Fails(DialError::Refused)
}

fn dialed(world: &World) -> Vec<PeerAddress> {
    world.dials.iter().map(|(_, address)| address.clone()).collect()
}

/// The dials of the first attempt.
fn first_attempt(config: Config, answer: Vec<IpAddr>) -> Vec<PeerAddress> {
    let mut bench = Bench::new(config);
    attempt_of(&mut bench, answer)
}

/// Adds a peer with this name, which resolves to `answer`: its first dial.
fn begin(bench: &mut Bench, answer: Vec<IpAddr>) -> Vec<Action> {
    let (_, actions) = bench.add_peer(NAME, Keep::Always);
    let lookup = actions.iter().find_map(|action| match action {
        Action::ResolveHost { lookup, .. } => Some(*lookup),
        _ => None,
    });
    let lookup = lookup.expect("the name is looked up");
    bench.tell(Input::LookupResult { lookup, result: Ok(answer.into_iter().map(Into::into).collect()) })
}

fn attempt_of(bench: &mut Bench, answer: Vec<IpAddr>) -> Vec<PeerAddress> {
    let mut actions = begin(bench, answer);
    let mut tried = Vec::new();
    while let Some(conn) = dials(&actions).first().copied() {
        tried.push(dialed_address(&actions, conn));
        actions = bench.fail(conn, DialError::Refused);
    }
    tried
}

#[test]
fn an_address_that_an_answer_names_16_times_is_dialed_once() {
    let answer = [vec![ip("1.1.1.1"); 16], vec![ip("2.2.2.2")]].concat();
    assert_eq!(first_attempt(connect_only(), answer), [addr("1.1.1.1:8333"), addr("2.2.2.2:8333")]);
}

#[test]
fn an_ipv4_address_and_its_mapped_form_are_one() {
    for answer in [["::ffff:1.1.1.1", "1.1.1.1"], ["1.1.1.1", "::ffff:1.1.1.1"]] {
        assert_eq!(first_attempt(connect_only(), answer.map(ip).to_vec()), [addr("1.1.1.1:8333")]);
    }
}

#[test]
fn one_attempt_tries_16_addresses() {
    let expected: Vec<_> = ips(0..16).into_iter().map(address).collect();
    assert_eq!(first_attempt(connect_only(), ips(0..40)), expected);
}

#[test]
fn addresses_that_may_not_be_dialed_take_nobodys_place() {
    let mut bench = Bench::new(connect_only());
    let banned = BanTarget::Subnet("11.0.0.0/8".parse().expect("a subnet"));
    bench.tell(Input::Ban { target: banned, duration: secs(3600) });
    let answer = [ips(0..20), vec![ip("1.1.1.1")]].concat();
    assert_eq!(attempt_of(&mut bench, answer), [addr("1.1.1.1:8333")]);
}

#[test]
fn of_a_long_answer_no_more_is_looked_at_than_the_configuration_says() {
    let mut config = connect_only();
    config.book.max_per_call = 10;
    assert_eq!(first_attempt(config, ips(0..20)).len(), 10);
}

#[test]
fn more_than_16_addresses_are_all_tried_in_the_end() {
    let mut world = world(ips(0..40), refused);
    world.run(secs(120));
    assert_eq!(world.lookups.len(), dialed(&world).len() / AN_ATTEMPT);
    let first_three: BTreeSet<_> = dialed(&world).into_iter().take(3 * AN_ATTEMPT).collect();
    assert_eq!(first_three, ips(0..40).into_iter().map(address).collect());
}

/// As a name server that rotates its addresses.
#[test]
fn all_are_tried_in_the_end_though_each_answer_begins_with_another() {
    let mut world = world(Vec::new(), refused);
    let asked = std::cell::Cell::new(0);
    world.resolves(move |_| {
        let mut answer = ips(0..17);
        answer.rotate_left(asked.get() % 17);
        asked.set(asked.get() + 1);
        Ok(answer)
    });
    world.run(secs(120));
    let tried: BTreeSet<_> = dialed(&world).into_iter().collect();
    assert_eq!(tried.len(), 17);
}

#[test]
fn an_address_that_opens_and_is_of_no_use_keeps_no_other_waiting() {
    let good = address([11, 18, 1, 1].into());
    let is_good = good.clone();
    let mut world = world(ips(0..20), move |address| if *address == is_good { Fate::Good } else { Fate::HangsUp });
    world.run(secs(7200));
    assert_eq!(world.ready(), 1);
    let all: Vec<_> = ips(0..19).into_iter().map(address).collect();
    assert_eq!(dialed(&world), all, "each once, in their order");
}

#[test]
fn the_address_that_was_connected_for_long_is_dialed_first() {
    let good = address([11, 18, 1, 1].into());
    let is_good = good.clone();
    let mut world = world(ips(0..20), move |address| if *address == is_good { Fate::Good } else { refused(address) });
    world.run(secs(600));
    assert_eq!(world.ready(), 1);
    let before = world.dials.len();
    let conn = world.bench.manager.connections()[0].conn;
    world.tell(Input::Closed { conn, cause: CloseCause::Eof });
    world.run(secs(60));
    assert_eq!((world.ready(), dialed(&world)[before..].to_vec()), (1, vec![good]));
}

/// No other address of its name is dialed, and none of an answer that comes meanwhile.
#[test]
fn nobody_behind_a_name_is_dialed_while_the_machine_has_no_room_for_another_dial() {
    let mut world = world(ips(1..20), |_| Fate::FailsAfter(DialError::OutOfResources, secs(0)));
    world.run(secs(60));
    let waits: Vec<u64> = world.dials.windows(2).map(|pair| pair[1].0.since(pair[0].0).as_secs()).collect();
    assert_eq!(waits[..5], [1, 2, 4, 8, 16], "{waits:?}");
    world.becomes(|_| Fate::Good);
    world.run(secs(60));
    assert_eq!(world.ready(), 1);
}

/// A name with two addresses, of which the first is of no use.
fn bad_then_good(keep: Keep, bad: Fate) -> World {
    let answer = ips(1..3);
    let first = address(answer[0]);
    let mut world = World::new(connect_only(), move |to| if *to == first { bad } else { Fate::Good });
    world.resolves(move |_| Ok(answer.clone()));
    world.tell(Input::AddPeer { peer: AddedPeer::new(addr(NAME)).keep(keep) });
    world
}

#[test]
fn however_the_first_address_is_of_no_use_the_second_is_connected_in_the_same_attempt() {
    let silent = [Fate::Silent, Fate::Mute, Fate::Fails(DialError::Refused)];
    for bad in [Fate::HangsUp, Fate::Unheard].into_iter().chain(silent) {
        for keep in [Keep::Always, Keep::Once] {
            let mut world = bad_then_good(keep, bad);
            world.run(secs(120));
            assert_eq!((world.ready(), dialed(&world).len()), (1, 2), "{keep:?} {bad:?}");
            assert_eq!(world.bench.manager.stats().retries_scheduled, 0, "{keep:?} {bad:?}");
        }
    }
}

#[test]
fn after_a_peer_that_misbehaves_before_it_is_ready_the_next_address_is_dialed() {
    let mut bench = Bench::new(connect_only());
    let actions = begin(&mut bench, ips(1..3));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    let next = bench.tell(Input::Misbehavior { conn, penalty: Penalty { persistent: 1000, transient: 0 } });
    assert_eq!(dialed_address(&next, dials(&next)[0]), address(ips(2..3)[0]));
}

#[test]
fn a_connection_that_was_ready_ends_the_attempt() {
    let mut bench = Bench::new(connect_only());
    let actions = begin(&mut bench, ips(1..3));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    let after = bench.close(conn);
    assert_eq!((dials(&after).len(), retries(&after).len()), (0, 1));
}

#[test]
fn what_the_operator_disconnects_is_not_followed_by_the_next_address() {
    let mut bench = Bench::new(connect_only());
    let actions = begin(&mut bench, ips(1..3));
    let after = bench.tell(Input::Disconnect { conn: dials(&actions)[0] });
    assert_eq!((dials(&after).len(), retries(&after).len()), (0, 1));
}

#[test]
fn a_connection_that_ends_early_while_its_network_is_down_leaves_the_next_address_to_the_probes() {
    let mut bench = Bench::new(connect_only());
    let actions = begin(&mut bench, ips(1..3));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    for other in ["21.1.1.1:8333", "22.1.1.1:8333", "23.1.1.1:8333"] {
        let (_, actions) = bench.add_peer(other, Keep::Always);
        bench.fail(dials(&actions)[0], DialError::NetworkUnreachable);
    }
    bench.close(conn);
    let peer = &bench.manager.added_peers()[0];
    assert_eq!(peer.state, PeerState::Blocked(Obstacle::NetworkDown));
}

#[test]
fn a_name_without_an_address_is_told_as_not_found() {
    let mut bench = Bench::new(connect_only());
    let actions = begin(&mut bench, Vec::new());
    let error = LookupError::NotFound;
    let told = |event: &Event| matches!(event, Event::LookupFailed { error: told, .. } if *told == error);
    assert_eq!(events(&actions).iter().filter(|event| told(event)).count(), 1);
}

/// How often a name that has failed so for an hour is looked up in 15 s after a change of the network.
fn lookups_after_a_change(error: LookupError) -> usize {
    let mut world = World::new(connect_only(), |_| Fate::Good);
    world.resolves(move |_| Err(error));
    world.add_peer(NAME);
    world.run(secs(3600));
    let next = world.lookups.len();
    world.run_until(Time::MAX, |world| world.lookups.len() > next).expect("it is looked up again");
    world.run(secs(1));
    let before = world.lookups.len();
    world.tell(Input::NetworkChanged);
    world.run(secs(15));
    world.lookups.len() - before
}

#[test]
fn a_changed_network_has_a_name_that_got_no_answer_looked_up_soon_and_one_that_does_not_exist_when_it_is_due() {
    assert_eq!([LookupError::Failed, LookupError::NotFound].map(lookups_after_a_change), [1, 0]);
}
