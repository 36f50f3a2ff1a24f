//! `explain`: what is known of an address, and why it is not dialed.

mod support;

use connmgr_core::*;
use support::world::*;
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
fn what_follows_because_one_call_has_done_enough_is_told_with_its_time() {
    let config = Config { max_actions_per_input: 64, ..with(Limits { full: 500, total: 900, ..Limits::default() }) };
    let mut bench = Bench::new(config);
    bench.pass(secs(0));
    bench.learn(&addresses(500));
    let busy = Hindrance { rule: DialRule::Busy, until: Some(bench.now.after(millis(1))) };
    let waits = |address: &PeerAddress| explain(&bench, &address.to_string()).full == [busy];
    assert!(addresses(500).iter().any(waits));
    assert_eq!(bench.manager.poll_timeout(), busy.until);
}

#[test]
fn a_dial_that_is_repeated_needs_no_rest_and_another_kind_does() {
    let limits = Limits { full: 1, block_relay: 1, ..Limits::default() };
    let mut config = Config { transport: Transport::V2, ..with(limits) };
    config.dial.rate = Rate { burst: 1, interval: secs(10) };
    let mut bench = knowing(config, PEER);
    bench.connect(FIRST);
    bench.tell(Input::Closed { conn: FIRST, cause: CloseCause::Unheard });
    let told = explain(&bench, PEER);
    assert_eq!(rules(&told.full), [DialRule::Rate]);
    assert!(rules(&told.block_relay).contains(&DialRule::Resting));
}

#[test]
fn a_block_relay_dial_that_waits_for_the_rate_waits_for_nothing_else() {
    let mut bench = Bench::new(with(Limits { full: 70, block_relay: 2, total: 100, ..Limits::default() }));
    bench.pass(secs(0));
    bench.learn(&addresses(600));
    let free = |address: &PeerAddress| rules(&explain(&bench, &address.to_string()).block_relay) == [DialRule::Rate];
    assert!(addresses(600).iter().any(free));
}

#[test]
fn the_slots_of_doubtful_dials_are_taken_for_their_own_network_only() {
    let mut config = with(Limits { full: 4, total: 5, ..Limits::default() });
    config.dial.direct.hedge_after = secs(4);
    // The first four dials use it up.
    config.dial.rate = Rate { burst: 4, interval: secs(3600) };
    let mut bench = knowing(config, PEER);
    bench.connect(FIRST);
    bench.ready(FIRST);
    bench.learn(&v6_addresses(3));
    bench.pass(secs(2));
    assert_eq!(full(&bench, "12.1.7.9:8333"), [DialRule::NotKnown, DialRule::Rate]);
    assert_eq!(full(&bench, "[2a00:77::1]:8333"), [DialRule::NotKnown, DialRule::SlotsTaken, DialRule::Rate]);
}

/// Of a peer with two addresses, what holds each of them back.
fn of_a_pair(bench: &Bench) -> [Vec<DialRule>; 2] {
    [PEER, "12.1.7.9:8333"].map(|address| rules(&explain(bench, address).added))
}

#[test]
fn an_added_peer_of_two_addresses_is_told_with_the_one_that_has_its_turn() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    bench.tell(Input::AddPeer { peer: AddedPeer::new(addr(PEER)).or(addr("12.1.7.9:8333")) });
    let in_use = DialRule::Obstacle(Obstacle::AddressInUse);
    assert_eq!(of_a_pair(&bench), [vec![in_use], vec![DialRule::OtherAddressFirst]]);
    bench.connect(FIRST);
    bench.ready(FIRST);
    assert_eq!(of_a_pair(&bench), [vec![in_use], vec![DialRule::ConnectedElsewhere]]);
}

#[test]
fn an_added_peer_whose_host_is_banned_is_told_once_and_still_waits_when_the_ban_is_over() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    bench.tell(Input::SetActive { active: false });
    bench.add_peer(PEER, Keep::Always);
    bench.tell(Input::Ban { target: BanTarget::Host("11.1.7.9".parse().expect("a host")), duration: secs(60) });
    bench.tell(Input::SetActive { active: true });
    let banned = DialRule::Obstacle(Obstacle::Banned);
    let at = |bench: &Bench, at: u64| bench.manager.explain(&addr(PEER), Time::from_secs(at)).added;
    assert_eq!(at(&bench, 0), [Hindrance { rule: banned, until: Some(Time::from_secs(60)) }]);
    assert_eq!(rules(&at(&bench, 61)), [banned]);
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
    let probe = told.full[0].until.expect("a network that is down is probed");
    assert!(probe > bench.now && probe <= bench.now.after(secs(32)), "{probe}");
    let until = told.full.iter().filter_map(|found| found.until).max().expect("it rests, and then is probed");
    assert!(dials(&bench.pass(until.since(bench.now) - millis(1))).is_empty());
    assert!(!dials(&bench.pass(secs(32))).is_empty(), "{told}");
}

/// A probe may go to an address that answered before, however lately it was dialed.
#[test]
fn in_a_network_that_is_down_an_address_that_answered_before_needs_no_rest() {
    let good = addr(PEER);
    let mut world = World::new(Config::default(), move |to| if *to == good { Fate::Good } else { Fate::Silent });
    world.learn(&[addr(PEER)]);
    world.learn(&addresses(4));
    world.run(secs(1));
    world.goes_dark(Fate::Fails(DialError::NetworkUnreachable));
    world.run_until_down(NetworkKind::Ipv4, secs(3600));
    let rests = |address: &str| full(&world.bench, address).contains(&DialRule::Resting);
    assert_eq!([PEER, "11.2.7.9:8333"].map(rests), [false, true]);
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

#[test]
fn the_text_tells_of_block_relay_connections_where_some_are_wanted() {
    let known = "11.1.7.9:8333 is in the book. It was last dialed 0 ms ago, and was never ready.";
    for (block_relay, is_told) in [(0, false), (1, true)] {
        let bench = knowing(with(Limits { block_relay, ..Limits::default() }), PEER);
        let text = explain(&bench, PEER).to_string();
        assert!(text.starts_with(known), "{text}");
        assert_eq!(text.contains("As a block-relay connection"), is_told, "{text}");
    }
}

#[test]
fn the_text_gives_times_in_their_two_largest_units() {
    for (time, text) in [
        (millis(900), "900 ms"),
        (secs(59), "59 s"),
        (secs(61), "1 min 1 s"),
        (secs(120), "2 min"),
        (secs(3_600 + 120 + 3), "1 h 2 min"),
        (secs(2 * 86_400 + 3 * 3_600), "2 d 3 h"),
    ] {
        let mut bench = Bench::new(Config::default());
        bench.tell(Input::Ban { target: BanTarget::Host("11.1.7.9".parse().expect("a host")), duration: time });
        let told = explain(&bench, PEER).to_string();
        assert!(told.contains(&format!("its host is banned, for {text} more at least")), "{told}");
    }
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
