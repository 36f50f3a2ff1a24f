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
