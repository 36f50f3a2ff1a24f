//! `explain`: what is known of an address, and why it is not dialed.

mod support;

use connmgr_core::*;
use support::*;

const PEER: &str = "11.1.7.9:8333";
/// The first connection.
const FIRST: ConnId = ConnId::from_u64(1);

fn explain(bench: &Bench, address: &str) -> Explanation {
    bench.manager.explain(&addr(address), bench.now)
}

fn rules(found: &[Hindrance]) -> Vec<DialRule> {
    found.iter().map(|found| found.rule).collect()
}

fn full(bench: &Bench, address: &str) -> Vec<DialRule> {
    rules(&explain(bench, address).full)
}

fn knowing(config: Config, address: &str) -> Bench {
    let mut bench = Bench::new(config);
    bench.learn(&[addr(address)]);
    bench
}

fn with(limits: Limits) -> Config {
    Config { limits, ..Config::default() }
}

#[test]
fn an_unknown_address_is_told_with_what_keeps_it_out_of_the_book() {
    let bench = Bench::new(Config { networks: NetworkSet::ALL.without(NetworkKind::Ipv6), ..Config::default() });
    let unreachable = DialRule::Obstacle(Obstacle::Unreachable);
    let port_zero = DialRule::Obstacle(Obstacle::NotDialable(NotDialable::PortZero));
    for (address, rules) in [
        (PEER, &[DialRule::NotKnown] as &[DialRule]),
        ("node.example:8333", &[DialRule::Name]),
        ("192.168.1.2:8333", &[DialRule::OutOfRange]),
        ("[2a00:1::1]:8333", &[unreachable, DialRule::NotKnown]),
        ("11.1.7.9:0", &[port_zero, DialRule::NotKnown]),
    ] {
        assert_eq!(full(&bench, address), rules, "{address}");
        assert_eq!(explain(&bench, address).added[0].rule, DialRule::NotAdded);
    }
    assert_eq!(explain(&bench, PEER).known, None);
}

/// In a moment the pool looks again, and then as little is possible.
#[test]
fn an_address_that_only_the_operator_can_help_is_not_told_to_wait() {
    let mut bench = knowing(Config::default(), PEER);
    bench.fail(FIRST, DialError::Refused);
    let told = explain(&bench, "192.168.1.2:8333");
    assert_eq!(rules(&told.full), [DialRule::OutOfRange, DialRule::LooksAgain]);
    assert!(told.to_string().ends_with("(`ranges`)."), "{told}");
    assert!(explain(&bench, PEER).to_string().contains("looks again"));
}

#[test]
fn a_failed_address_rests_and_the_pool_looks_again() {
    let mut bench = knowing(Config::default(), PEER);
    assert_eq!(full(&bench, PEER)[0], DialRule::Obstacle(Obstacle::AddressInUse));
    bench.fail(FIRST, DialError::Refused);
    let told = explain(&bench, PEER);
    assert_eq!(rules(&told.full), [DialRule::Resting, DialRule::LooksAgain]);
    assert_eq!(told.full[0].until, Some(Time::from_secs(60)));
    assert_eq!(told.known.expect("it is in the book").failures, 1);
    assert!(bench.pass(secs(59)).iter().all(|action| action.conn().is_none()));
    assert_eq!(dials(&bench.pass(secs(11))).len(), 1);
}

#[test]
fn a_ban_is_told_with_its_end() {
    let mut bench = knowing(with(Limits { full: 0, ..Limits::default() }), PEER);
    bench.tell(Input::Ban {
        target: "11.1.0.0/16".parse().map(BanTarget::Subnet).expect("a subnet"),
        duration: secs(60),
    });
    let told = explain(&bench, PEER);
    assert_eq!(told.banned_until, Some(UNIX.after(secs(60))));
    assert_eq!(told.full[0].until, Some(Time::from_secs(60)));
    assert_eq!(rules(&told.full), [DialRule::Obstacle(Obstacle::Banned), DialRule::NoSlots]);
    let text = told.to_string();
    assert!(
        text.contains("its host is banned, for 1 min more at least; no connection of this kind is wanted"),
        "{text}"
    );
}

#[test]
fn an_unknown_address_that_is_banned_or_in_a_full_group_is_told_as_unknown_too() {
    let mut bench = knowing(Config::default(), PEER);
    bench.tell(Input::Ban { target: BanTarget::Host("11.2.7.9".parse().expect("a host")), duration: secs(60) });
    let banned = DialRule::Obstacle(Obstacle::Banned);
    assert_eq!(full(&bench, "11.2.7.9:8333")[..2], [banned, DialRule::NotKnown]);
    assert_eq!(full(&bench, "11.1.7.8:8333")[..2], [DialRule::GroupFull, DialRule::NotKnown]);
    assert_eq!(explain(&bench, PEER).known.map(|known| known.failures), Some(0));
    assert!(!full(&bench, PEER).contains(&DialRule::NotKnown));
}

#[test]
fn a_machine_without_sockets_is_told_until_it_may_dial_again() {
    let mut bench = knowing(Config::default(), PEER);
    bench.fail(FIRST, DialError::OutOfResources);
    let told = explain(&bench, PEER);
    let shortage = told.full.iter().find(|found| found.rule == DialRule::Shortage).expect("it is told");
    let until = shortage.until.expect("it has an end");
    assert!(dials(&bench.pass(until.since(bench.now) - millis(1))).is_empty());
    assert!(!full(&bench, PEER).is_empty());
    bench.pass(secs(1));
    assert!(!full(&bench, PEER).contains(&DialRule::Shortage));
}

#[test]
fn what_is_dialed_in_a_moment_because_one_call_has_done_enough_is_held_up_by_nothing() {
    let config = Config { max_actions_per_input: 64, ..with(Limits { full: 500, total: 900, ..Limits::default() }) };
    let mut bench = Bench::new(config);
    bench.learn(&addresses(500));
    let free = |address: &PeerAddress| full(&bench, &address.to_string()).is_empty();
    let waiting = addresses(500).iter().filter(|address| free(address)).count();
    assert!((400..500).contains(&waiting), "{waiting} wait");
    assert_eq!(bench.manager.poll_timeout(), Some(bench.now));
}

#[test]
fn a_full_group_and_taken_slots_are_told() {
    let mut bench = knowing(with(Limits { full: 1, ..Limits::default() }), PEER);
    bench.learn(&[addr("11.1.7.8:8333"), addr("11.2.7.9:8333")]);
    assert_eq!(full(&bench, "11.1.7.8:8333"), [DialRule::GroupFull, DialRule::SlotsTaken]);
    assert_eq!(full(&bench, "11.2.7.9:8333"), [DialRule::SlotsTaken]);
}

#[test]
fn an_added_peer_is_told_with_its_back_off() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    let (peer, actions) = bench.add_peer(PEER, Keep::Always);
    bench.fail(dials(&actions)[0], DialError::Refused);
    let told = explain(&bench, PEER);
    assert_eq!(told.peer.as_ref().map(|view| view.peer), Some(peer));
    assert_eq!(rules(&told.added), [DialRule::BackOff]);
    assert_eq!(told.added[0].until, told.peer.as_ref().and_then(|view| view.next_retry));
    assert_eq!(told.full[0].rule, DialRule::ConnectOnly);
}

#[test]
fn an_address_where_we_met_ourselves_is_told_for_a_day() {
    let mut bench = knowing(Config::default(), PEER);
    let actions = bench.connect(FIRST);
    let nonce = events(&actions).into_iter().find_map(|event| match event {
        Event::Connected(connected) => Some(connected.nonce),
        _ => None,
    });
    let info = PeerInfo { nonce, ..PeerInfo::default() };
    bench.tell(Input::Ready { conn: FIRST, info });
    let told = explain(&bench, PEER);
    assert_eq!(told.full[0].rule, DialRule::Obstacle(Obstacle::OwnAddress));
    assert_eq!(told.full[0].until, Some(Time::from_secs(86_400)));
}

#[test]
fn a_network_that_is_down_is_told_until_its_next_probe() {
    let mut bench = knowing(Config::default(), PEER);
    let others = addresses(3);
    bench.learn(&others);
    while let Some(dial) = bench.manager.connections().iter().find(|conn| !conn.state.is_open()) {
        bench.fail(dial.conn, DialError::NetworkUnreachable);
    }
    let told = explain(&bench, PEER);
    let rules = rules(&told.full);
    assert_eq!(rules, [DialRule::Obstacle(Obstacle::NetworkDown), DialRule::Resting]);
    let until = told.full.iter().filter_map(|found| found.until).max().expect("it rests, and then is probed");
    assert!(dials(&bench.pass(until.since(bench.now) - millis(1))).is_empty());
    assert!(!dials(&bench.pass(secs(32))).is_empty(), "{told}");
}

#[test]
fn an_inactive_pool_and_one_that_shuts_down_say_so() {
    let mut bench = knowing(Config::default(), PEER);
    bench.tell(Input::SetActive { active: false });
    assert_eq!(full(&bench, PEER)[0], DialRule::Inactive);
    bench.tell(Input::Shutdown);
    assert_eq!(full(&bench, PEER)[0], DialRule::ShuttingDown);
}

#[test]
fn the_score_of_a_host_is_told() {
    let mut bench = knowing(Config::default(), PEER);
    bench.connect(FIRST);
    bench.tell(Input::Misbehavior { conn: FIRST, penalty: Penalty { persistent: 20, transient: 0 } });
    let told = explain(&bench, PEER);
    assert_eq!((told.score, told.connections.len()), (20, 1));
    assert!(told.to_string().contains("The score of its host is 20. It is connected (full c1)."), "{told}");
}

/// What the last `AddressesWanted` among these says.
fn held_back(actions: &[Action]) -> Option<HeldBack> {
    let wanted = |event| match event {
        Event::AddressesWanted { held_back, .. } => Some(held_back),
        _ => None,
    };
    events(actions).into_iter().filter_map(wanted).next_back()
}

#[test]
fn a_pool_that_asks_for_addresses_says_what_holds_those_back_that_it_knows() {
    let mut bench = Bench::new(Config { required: Config::bitcoin(Chain::Mainnet).required, ..Config::default() });
    let told = held_back(&bench.pass(secs(0))).expect("it asks");
    assert_eq!((told.known, told.to_string().as_str()), (0, "0 known"));
    bench.tell(Input::Ban { target: BanTarget::Host("11.0.7.9".parse().expect("a host")), duration: secs(9_999) });
    let useless = AddressInfo::new(addr("13.1.1.1:8333")).services(Services::NETWORK_LIMITED).last_seen(UNIX);
    bench.tell(Input::Addresses { source: Source::Application, addresses: vec![useless] });
    bench.learn(&addresses(3));
    bench.learn(&[addr("11.1.7.8:8333")]);
    let told = held_back(&bench.pass(secs(3))).expect("it asks again");
    let counted = (told.known, told.looked_at, told.banned, told.in_use, told.group_full, told.lacks_services);
    assert_eq!(counted, (5, 5, 1, 2, 1, 1), "{told}");
    let text = "5 known, 1 banned, 2 connected or being dialed, 1 in groups that have their connections, 1 without \
                required services";
    assert_eq!(told.to_string(), text);
}

#[test]
fn of_a_large_book_a_part_is_looked_at() {
    let mut bench = Bench::new(with(Limits { full: 100, total: 200, ..Limits::default() }));
    bench.tell(Input::Ban { target: BanTarget::Subnet("0.0.0.0/0".parse().expect("a subnet")), duration: secs(9_999) });
    bench.learn(&addresses(1000));
    let told = held_back(&bench.pass(secs(40))).expect("it asks");
    assert_eq!((told.known, told.looked_at, told.banned), (1000, 256, 256), "{told}");
}

#[test]
fn a_pool_that_knows_somebody_who_rests_looks_again_within_10_s() {
    let mut bench = knowing(Config::default(), PEER);
    bench.fail(FIRST, DialError::Refused);
    let mut longest = secs(0);
    for _ in 0..55 {
        bench.pass(secs(1));
        let told = explain(&bench, PEER).full.into_iter().find(|found| found.rule == DialRule::LooksAgain);
        longest = longest.max(told.and_then(|found| found.until).map_or(secs(0), |until| until.since(bench.now)));
    }
    assert!(longest > secs(5) && longest <= secs(10), "{longest:?}");
}
