//! What fails on our own side, or at our proxy, beside connections that live on.

use std::collections::BTreeMap;
use std::time::Duration;

use connmgr_core::{Action, ConnId, DialError, Input, Kind, Limits, NetworkKind, Time};
use connmgr_sim::scenario::{
    Acquaintance, FaultKind, FaultSpec, HostBehavior, HostSpec, OwnError, OwnFailures, ProxyFault, ProxySpec, Scenario,
    ShareOf, Span,
};
use connmgr_sim::types::Share;
use connmgr_sim::watch::record::RecordEntry;
use connmgr_sim::{Instant, Terms};

/// When the fault begins; it lasts to the end.
const BEGINS: Span = Span::minutes(5);

/// Five peers that accept and a hundred that refuse, for a pool of eight, so that dials go on beside five connections.
fn world(network: NetworkKind, fault: FaultKind) -> Scenario {
    let mut scenario = Scenario::new("beside", Span::minutes(10));
    scenario.node.limits = Some(Limits { full: 8, block_relay: 0, feeler: 0, ..Limits::default() });
    if network == NetworkKind::Onion {
        scenario.proxy = Some(ProxySpec { for_all: false, resolves: true, adds: Span::default() });
    }
    for (name, count, behavior) in [("living", 5, HostBehavior::Accept), ("refusing", 100, HostBehavior::Refuse)] {
        let answers_in = Some(Span::millis(50).into());
        scenario.hosts.push(HostSpec { network, behavior, answers_in, ..HostSpec::new(name, count) });
        let of = name.to_owned();
        scenario.book.knows.push(Acquaintance { of, count: None, seen_within: Span::days(1), tried: false });
    }
    let (every, times, share, chance) = (None, None, Share::ALL, Share::ALL);
    scenario.faults.push(FaultSpec { fault, at: BEGINS, lasts: None, every, times, share, chance });
    scenario
}

/// What came of a dial that was begun while the fault was there.
struct Ended {
    to: String,
    after: Duration,
    error: Option<DialError>,
}

/// What came of the dials, and how many connections are ready at the end.
fn run(scenario: Scenario) -> (Vec<Ended>, u32) {
    let mut world = Terms::default().recorded(scenario, 1, 0).expect("a good configuration");
    world.run_until(Instant::from_secs(299)).expect("no promise is broken");
    assert_eq!(world.nodes()[0].tally.now_ready[Kind::Full.index()], 5, "before the fault");
    world.run().expect("no promise is broken");
    let ready = world.nodes()[0].tally.now_ready[Kind::Full.index()];
    let entries = world.watch_mut().take_record().expect("it was recorded").entries;
    (ended(&entries), ready)
}

fn ended(entries: &[RecordEntry]) -> Vec<Ended> {
    let begins = Time::from_nanos(u64::try_from(BEGINS.0.as_nanos()).expect("minutes"));
    let mut begun: BTreeMap<ConnId, (Time, String)> = BTreeMap::new();
    let mut ended = Vec::new();
    for entry in entries {
        match entry {
            RecordEntry::Did { now, action: Action::Dial { conn, target, .. } } if *now > begins => {
                begun.insert(*conn, (*now, target.to_string()));
            }
            RecordEntry::Told { now, input: Input::DialResult { conn, result }, .. } => {
                if let Some((from, to)) = begun.remove(conn) {
                    ended.push(Ended { to, after: now.since(from), error: result.err() });
                }
            }
            RecordEntry::Did { .. } | RecordEntry::Told { .. } => {}
        }
    }
    ended
}

fn own(error: OwnError, share: Share, of: ShareOf) -> FaultKind {
    FaultKind::OwnFailures(OwnFailures { networks: vec![NetworkKind::Ipv4], error, share, of })
}

/// Every dial fails with this after so long, and the five connections live on.
fn check(network: NetworkKind, fault: FaultKind, error: DialError, after: Duration) {
    let (ended, ready) = run(world(network, fault.clone()));
    assert_eq!(ready, 5, "{fault:?}: connections live on");
    assert!(ended.len() >= 5, "{fault:?}: {} dials", ended.len());
    assert!(ended.iter().all(|dial| dial.error == Some(error)), "{fault:?}");
    let late = after + Duration::from_millis(5);
    assert!(ended.iter().all(|dial| (after..late).contains(&dial.after)), "{fault:?}: {:?}", ended[0].after);
}

#[test]
fn every_own_failure_comes_at_once_and_costs_no_connection() {
    for (error, expected) in [
        (OwnError::NetworkUnreachable, DialError::NetworkUnreachable),
        (OwnError::AddressFamilyUnsupported, DialError::AddressFamilyUnsupported),
        (OwnError::OutOfResources, DialError::OutOfResources),
        (OwnError::HostUnreachable, DialError::HostUnreachable),
        (OwnError::Other, DialError::Other),
    ] {
        check(NetworkKind::Ipv4, own(error, Share::ALL, ShareOf::Dials), expected, Duration::ZERO);
    }
    check(NetworkKind::Ipv4, FaultKind::OutOfDescriptors, DialError::OutOfResources, Duration::ZERO);
}

#[test]
fn every_ill_of_a_proxy_has_its_error_and_its_time_and_costs_no_connection() {
    for (fault, error, millis) in [
        (ProxyFault::Refused, DialError::ProxyUnreachable, 0),
        (ProxyFault::Fails, DialError::ProxyFailed, 0),
        (ProxyFault::FailsLate, DialError::ProxyFailed, 5_000),
        (ProxyFault::HostUnreachable, DialError::HostUnreachable, 10_000),
        (ProxyFault::Unreachable, DialError::ServiceUnreachable, 2_000),
        (ProxyFault::Auth, DialError::ProxyAuth, 0),
        (ProxyFault::Garbage, DialError::ProxyProtocol, 0),
    ] {
        check(NetworkKind::Onion, FaultKind::Proxy(fault), error, Duration::from_millis(millis));
    }
}

#[test]
fn a_proxy_that_hangs_says_nothing_and_costs_no_connection() {
    let (ended, ready) = run(world(NetworkKind::Onion, FaultKind::Proxy(ProxyFault::Silent)));
    assert_eq!((ended.len(), ready), (0, 5));
}

#[test]
fn an_own_failure_of_other_networks_changes_nothing() {
    let fault = FaultKind::OwnFailures(OwnFailures {
        networks: vec![NetworkKind::Ipv6],
        error: OwnError::Other,
        share: Share::ALL,
        of: ShareOf::Dials,
    });
    check(NetworkKind::Ipv4, fault, DialError::Refused, Duration::from_millis(50));
}

#[test]
fn a_share_of_the_addresses_fails_for_ever_and_a_share_of_the_dials_now_and_then() {
    for (of, fails_for_ever) in [(ShareOf::Addresses, true), (ShareOf::Dials, false)] {
        let mut scenario = world(NetworkKind::Ipv4, own(OwnError::Other, Share::percent(50), of));
        (scenario.hosts[1].count, scenario.duration) = (20, Span::hours(6));
        let (ended, ready) = run(scenario);
        assert_eq!(ready, 5, "{of:?}");
        let mut by_address: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
        for dial in &ended {
            by_address.entry(&dial.to).or_default().push(dial.error == Some(DialError::Other));
        }
        assert_eq!(by_address.len(), 20, "{of:?}: each is dialed");
        let same = |failures: &Vec<bool>| failures.iter().all(|fails| *fails == failures[0]);
        assert_eq!(by_address.values().all(same), fails_for_ever, "{of:?}");
        let hit = by_address.values().filter(|failures| failures[0]).count();
        assert!((5..=15).contains(&hit), "{of:?}: {hit} of 20 addresses");
    }
}
