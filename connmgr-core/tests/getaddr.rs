//! Samples of known addresses, as given to peers.

mod support;

use connmgr_core::*;
use support::*;

const HOUR: std::time::Duration = secs(3600);

/// A manager that knows a thousand addresses, 200 in each of 5 subnets from 11.0.0.0/8 on, and dials none.
fn bench() -> Bench {
    bench_that_knows(&addresses(1000))
}

fn bench_that_knows(addresses: &[PeerAddress]) -> Bench {
    let mut config = Config::default();
    config.limits.full = 0;
    let mut bench = Bench::new(config);
    bench.learn(addresses);
    bench
}

fn sample(bench: &mut Bench) -> Vec<AddressInfo> {
    match bench.apply(&Input::SampleAddresses { network: None, count: 1000 }) {
        Reply::Addresses(told) => told,
        other => panic!("not an answer to getaddr: {other:?}"),
    }
}

fn ban(bench: &mut Bench, subnet: &str) -> BanTarget {
    let target = BanTarget::Subnet(subnet.parse().expect("a subnet"));
    bench.tell(Input::Ban { target: target.clone(), duration: HOUR });
    target
}

/// How many of many samples are in 11.0.0.0/8, which has one in five of the known addresses.
fn told_of_the_eleventh(bench: &mut Bench) -> usize {
    let told = (0..20).flat_map(|_| sample(bench));
    told.filter(|info| info.address.to_string().starts_with("11.")).count()
}

#[test]
fn nobody_is_told_of_a_banned_host() {
    let mut bench = bench();
    assert!(told_of_the_eleventh(&mut bench) > 0);
    ban(&mut bench, "11.0.0.0/8");
    assert_eq!(told_of_the_eleventh(&mut bench), 0);
    assert_eq!(sample(&mut bench).len(), 230, "others take its place");
}

/// How many addresses a manager tells that knows so many.
fn told_of(known: u32) -> usize {
    sample(&mut bench_that_knows(&addresses(known))).len()
}

#[test]
fn a_network_of_a_few_nodes_gossips_too() {
    let told = [0, 1, 2, 4, 5, 8, 9, 100, 101].map(told_of);
    assert_eq!(told, [0, 1, 1, 1, 2, 2, 3, 23, 24]);
}

/// Of two known addresses one is banned: the answer is always the other.
#[test]
fn a_few_addresses_are_told_although_others_may_not_be() {
    let mut bench = bench_that_knows(&[addr("11.0.0.1:8333"), addr("12.0.0.1:8333")]);
    ban(&mut bench, "11.0.0.0/8");
    for _ in 0..20 {
        let told: Vec<_> = sample(&mut bench).into_iter().map(|info| info.address).collect();
        assert_eq!(told, [addr("12.0.0.1:8333")]);
    }
}

#[test]
fn when_a_ban_ends_others_are_told_of_the_host_again() {
    let mut bench = bench();
    ban(&mut bench, "11.0.0.0/8");
    bench.pass(HOUR);
    assert!(told_of_the_eleventh(&mut bench) > 0);
    let target = ban(&mut bench, "11.0.0.0/8");
    bench.tell(Input::Unban { target });
    assert!(told_of_the_eleventh(&mut bench) > 0);
}

#[test]
fn where_all_are_banned_the_answer_is_empty() {
    let mut bench = bench();
    ban(&mut bench, "0.0.0.0/0");
    assert!(sample(&mut bench).is_empty());
}

/// A thousand addresses are known, and inbound connections may come on two listeners, the second for onion peers.
fn asked() -> Bench {
    let mut config = with_listener(Config::default());
    config.listeners.push(Listener::new(ListenerId(1)).network(Some(NetworkKind::Onion)));
    config.limits.full = 0;
    let mut bench = Bench::new(config);
    bench.learn(&addresses(1000));
    bench
}

fn answer(bench: &mut Bench, conn: ConnId) -> Vec<AddressInfo> {
    match bench.apply(&Input::AnswerGetaddr { conn }) {
        Reply::Addresses(told) => told,
        other => panic!("not an answer to getaddr: {other:?}"),
    }
}

fn hosts(told: &[AddressInfo]) -> Vec<String> {
    let mut hosts: Vec<String> = told.iter().map(|info| info.address.to_string()).collect();
    hosts.sort();
    hosts
}

/// What an arrival is told.
fn told_at(bench: &mut Bench, listener: u32, number: u8) -> Vec<AddressInfo> {
    let remote = std::net::SocketAddr::from(([9, number, 1, 1], 9000));
    let Reply::Accepted(Ok(conn)) = bench.apply(&Input::Accept { remote, listener: ListenerId(listener) }) else {
        panic!("refused")
    };
    let told = answer(bench, conn);
    bench.close(conn);
    told
}

#[test]
fn whoever_asks_within_a_day_gets_the_same_answer() {
    let mut bench = asked();
    let first = told_at(&mut bench, 0, 1);
    assert_eq!(first.len(), 230);
    for number in 2..20 {
        bench.pass(HOUR);
        assert_eq!(told_at(&mut bench, 0, number), first, "after {} h", number - 1);
    }
    bench.pass(secs(9 * 3600));
    assert_ne!(hosts(&told_at(&mut bench, 0, 20)), hosts(&first), "27 h later");
}

#[test]
fn on_another_network_the_answer_and_its_date_are_others() {
    let mut bench = asked();
    let (here, onion) = (told_at(&mut bench, 0, 1), told_at(&mut bench, 1, 2));
    assert_ne!(hosts(&here), hosts(&onion));
    let date = |told: &[AddressInfo]| {
        let last_seen = told[0].last_seen;
        assert!(told.iter().all(|info| info.last_seen == last_seen), "one date for all");
        last_seen
    };
    let (here, onion) = (date(&here), date(&onion));
    assert_ne!(here, onion);
    for date in [here, onion] {
        let days = UNIX.since(date).as_secs() / 86_400;
        assert!((8..13).contains(&days), "{days} days ago");
    }
}

#[test]
fn a_peer_banned_since_is_left_out_of_a_kept_answer() {
    let mut bench = asked();
    let first = told_at(&mut bench, 0, 1);
    let is_eleventh = |info: &AddressInfo| info.address.to_string().starts_with("11.");
    assert!(first.iter().any(is_eleventh));
    ban(&mut bench, "11.0.0.0/8");
    let second = told_at(&mut bench, 0, 2);
    assert!(!second.iter().any(is_eleventh));
    assert!(!second.is_empty());
}

/// Otherwise a node that is asked as it starts would know nobody for a day.
#[test]
fn a_node_that_has_learnt_much_since_answers_anew() {
    let mut config = with_listener(Config::default());
    config.limits.full = 0;
    let mut bench = Bench::new(config);
    assert!(told_at(&mut bench, 0, 1).is_empty());
    bench.learn(&addresses(1));
    assert_eq!(told_at(&mut bench, 0, 2).len(), 1, "it knew nobody, and now one");
    bench.learn(&addresses(10));
    let few = told_at(&mut bench, 0, 3);
    assert_eq!(few.len(), 3);
    bench.learn(&addresses(19));
    assert_eq!(told_at(&mut bench, 0, 4), few);
    bench.learn(&addresses(20));
    assert_eq!(told_at(&mut bench, 0, 5).len(), 5);
}

#[test]
fn those_we_dialed_are_told_nothing() {
    let mut bench = Bench::new(Config::default());
    let actions = bench.learn(&addresses(100));
    let conn = dials(&actions)[0];
    bench.tell(Input::DialResult { conn, result: Ok(()) });
    assert!(answer(&mut bench, conn).is_empty());
    assert!(answer(&mut bench, ConnId::from_u64(1000)).is_empty());
}
