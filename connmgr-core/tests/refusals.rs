//! Refused arrivals are told, merged.

mod support;

use connmgr_core::*;
use support::*;

/// Three arrivals of one host at once, then one every 5 s; two of one host.
fn bench() -> Bench {
    let inbound = InboundConfig { per_host: 2, ..InboundConfig::default() };
    Bench::new(with_listener(Config { mode: Mode::ConnectOnly, inbound, ..Config::default() }))
}

fn told(actions: &[Action]) -> Vec<String> {
    let refused = |event| match event {
        Event::Refused { counts } => Some(counts.to_string()),
        _ => None,
    };
    events(actions).into_iter().filter_map(refused).collect()
}

fn knock(bench: &mut Bench, times: u32) {
    for _ in 0..times {
        let _ = bench.accept("11.1.7.9:5000");
    }
}

#[test]
fn many_refusals_are_one_event_a_second_later() {
    let mut bench = bench();
    knock(&mut bench, 9);
    assert!(told(&bench.actions()).is_empty());
    assert!(told(&bench.pass(millis(999))).is_empty());
    assert_eq!(told(&bench.pass(millis(1))), ["7 too many connections from one host"]);
    assert!(told(&bench.pass(secs(100))).is_empty());
}

#[test]
fn reasons_are_counted_each_for_itself() {
    let mut bench = bench();
    knock(&mut bench, 4);
    bench.tell(Input::Ban { target: BanTarget::Host("11.1.7.8".parse().expect("a host")), duration: secs(60) });
    assert_eq!(bench.accept("11.1.7.8:5000"), Err(Refusal::Banned));
    let remote = "11.1.7.9:5000".parse().expect("an address");
    bench.tell(Input::Accept { remote, listener: ListenerId(7) });
    assert_eq!(told(&bench.pass(secs(1))), ["1 unknown listener, 1 banned, 2 too many connections from one host"]);
}

#[test]
fn a_flood_is_told_once_a_second() {
    let mut bench = bench();
    let mut all = Vec::new();
    for _ in 0..1000 {
        knock(&mut bench, 1);
        all.extend(told(&bench.actions()));
        all.extend(told(&bench.pass(millis(10))));
    }
    assert!((9..=10).contains(&all.len()), "{all:?}");
}

#[test]
fn what_is_not_told_yet_is_told_before_the_end() {
    let mut bench = bench();
    knock(&mut bench, 3);
    let actions = bench.tell(Input::Shutdown);
    assert_eq!(told(&actions), ["1 too many connections from one host"]);
    assert_eq!(events(&actions).last(), Some(&Event::Stopped));
}

#[test]
fn an_inactive_pool_tells_whom_it_turned_away() {
    let mut bench = bench();
    bench.tell(Input::SetActive { active: false });
    knock(&mut bench, 2);
    assert_eq!(told(&bench.pass(secs(1))), ["2 not accepting"]);
}
