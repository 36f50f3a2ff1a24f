//! How hosts answer, seen from one manager: how long each thing takes, and who is who.

use std::time::Duration;

use connmgr_core::{Action, CloseCause, CloseReason, ConnId, DialError, Event, Input, Limits, NetworkKind, Time};
use connmgr_sim::Terms;
use connmgr_sim::scenario::{Acquaintance, HostBehavior, HostSpec, NodeSpec, ProxySpec, Scenario, Span};
use connmgr_sim::watch::record::RecordEntry;

/// A pool of eight among hosts that are all known, for so long.
fn record(hosts: HostSpec, lasts: Span) -> Vec<RecordEntry> {
    record_with(hosts, lasts, |_| {})
}

fn record_with(hosts: HostSpec, lasts: Span, change: impl FnOnce(&mut NodeSpec)) -> Vec<RecordEntry> {
    let mut scenario = Scenario::new("hosts", lasts);
    scenario.node.limits = Some(Limits { full: 8, block_relay: 0, feeler: 0, ..Limits::default() });
    change(&mut scenario.node);
    scenario.proxy = Some(ProxySpec { for_all: false, resolves: true, adds: Span::default() });
    let of = hosts.name.clone();
    scenario.book.knows.push(Acquaintance { of, count: None, seen_within: Span::days(1), tried: false });
    scenario.hosts.push(hosts);
    let mut world = Terms::default().recorded(scenario, 1, 0).expect("a good configuration");
    world.run().expect("no promise is broken");
    world.watch_mut().take_record().expect("it was recorded").entries
}

/// Of each connection, how long one thing came after another.
fn waits(
    entries: &[RecordEntry],
    from: fn(&RecordEntry) -> Option<ConnId>,
    to: fn(&RecordEntry) -> Option<ConnId>,
) -> Vec<Duration> {
    let mut begun: Vec<(ConnId, Time)> = Vec::new();
    let mut waits = Vec::new();
    for entry in entries {
        begun.extend(from(entry).map(|conn| (conn, entry.now())));
        let begun_at = to(entry).and_then(|conn| begun.iter().find(|(other, _)| *other == conn));
        waits.extend(begun_at.map(|(_, at)| entry.now().since(*at)));
    }
    assert!(!waits.is_empty());
    waits
}

fn dialed(entry: &RecordEntry) -> Option<ConnId> {
    match entry {
        RecordEntry::Did { action: Action::Dial { conn, .. }, .. } => Some(*conn),
        RecordEntry::Did { .. } | RecordEntry::Told { .. } => None,
    }
}

fn answered(entry: &RecordEntry) -> Option<ConnId> {
    match entry {
        RecordEntry::Told { input: Input::DialResult { conn, .. }, .. } => Some(*conn),
        RecordEntry::Did { .. } | RecordEntry::Told { .. } => None,
    }
}

fn opened(entry: &RecordEntry) -> Option<ConnId> {
    match entry {
        RecordEntry::Did { action: Action::Emit(Event::Connected(connected)), .. } => Some(connected.conn),
        RecordEntry::Did { .. } | RecordEntry::Told { .. } => None,
    }
}

fn ready(entry: &RecordEntry) -> Option<ConnId> {
    match entry {
        RecordEntry::Told { input: Input::Ready { conn, .. }, .. } => Some(*conn),
        RecordEntry::Did { .. } | RecordEntry::Told { .. } => None,
    }
}

fn closed(entry: &RecordEntry) -> Option<ConnId> {
    match entry {
        RecordEntry::Told { input: Input::Closed { conn, .. }, .. } => Some(*conn),
        RecordEntry::Did { .. } | RecordEntry::Told { .. } => None,
    }
}

/// Closed before anything was understood.
fn unheard(entry: &RecordEntry) -> Option<ConnId> {
    match entry {
        RecordEntry::Told { input: Input::Closed { conn, cause: CloseCause::Unheard }, .. } => Some(*conn),
        RecordEntry::Did { .. } | RecordEntry::Told { .. } => None,
    }
}

fn all_within(waits: &[Duration], from: u64, to: u64) {
    let range = Duration::from_millis(from)..=Duration::from_millis(to);
    assert!(waits.iter().all(|wait| range.contains(wait)), "{waits:?} in {range:?}");
}

#[test]
fn dials_handshakes_and_closes_take_as_long_as_they_are_said_to() {
    let hosts = HostSpec {
        answers_in: Some(Span::millis(300).into()),
        shakes_in: Some(Span::millis(700).into()),
        ..HostSpec::new("hosts", 50)
    };
    let entries = record(hosts.clone(), Span::minutes(1));
    all_within(&waits(&entries, dialed, answered), 300, 300);
    all_within(&waits(&entries, opened, ready), 705, 705);
    let full = HostSpec { full: connmgr_sim::types::Share::ALL, closes_in: Some(Span::millis(900).into()), ..hosts };
    let entries = record(full, Span::minutes(1));
    all_within(&waits(&entries, opened, closed), 900, 900);
}

#[test]
fn who_understands_nothing_hangs_up_within_a_second() {
    let old = |closes_in| {
        let hosts = HostSpec { v1_only: true, closes_in: Some(closes_in), ..HostSpec::new("old", 50) };
        let entries = record_with(hosts, Span::minutes(1), |node| node.prefers_v2 = true);
        waits(&entries, opened, unheard)
    };
    all_within(&old(Span::millis(200).into()), 200, 200);
    all_within(&old(Span::secs(20).into()), 1_000, 1_000);
}

#[test]
fn where_nothing_is_said_onions_are_slow_and_each_dial_has_its_own_time() {
    for (network, least, most) in [(NetworkKind::Ipv4, 50, 130), (NetworkKind::Onion, 1_500, 4_500)] {
        let refuse = HostSpec { network, behavior: HostBehavior::Refuse, ..HostSpec::new("hosts", 100) };
        let entries = record(refuse, Span::minutes(20));
        let mut waits = waits(&entries, dialed, answered);
        waits.sort_unstable();
        all_within(&waits[waits.len() / 2..=waits.len() / 2], least, most);
        waits.dedup();
        assert!(waits.len() > 50, "{network}: {} different times", waits.len());
    }
}

#[test]
fn who_is_ready_and_gone_is_gone_so_long_after_the_handshake() {
    let behavior = HostBehavior::ReadyThenClose(Span::secs(2).into());
    let entries = record(HostSpec { behavior, ..HostSpec::new("brief", 20) }, Span::minutes(1));
    all_within(&waits(&entries, ready, closed), 2_000, 2_000);
}

#[test]
fn a_router_says_that_a_host_is_out_of_reach() {
    let entries =
        record(HostSpec { behavior: HostBehavior::Unreachable, ..HostSpec::new("far", 20) }, Span::minutes(1));
    let results = entries.iter().filter_map(|entry| match entry {
        RecordEntry::Told { input: Input::DialResult { result, .. }, .. } => Some(*result),
        RecordEntry::Told { .. } | RecordEntry::Did { .. } => None,
    });
    let results: Vec<_> = results.collect();
    assert!(results.len() >= 10 && results.iter().all(|result| *result == Err(DialError::HostUnreachable)));
}

fn closed_for(entries: &[RecordEntry], why: CloseReason) -> usize {
    let is_it = |entry: &&RecordEntry| match entry {
        RecordEntry::Did { action: Action::Close { reason, .. }, .. } => *reason == why,
        RecordEntry::Did { .. } | RecordEntry::Told { .. } => false,
    };
    entries.iter().filter(is_it).count()
}

#[test]
fn addresses_of_one_peer_lead_to_one_identity() {
    let hosts = |addresses| HostSpec { addresses, ..HostSpec::new("hosts", 6) };
    assert!(closed_for(&record(hosts(Some(3)), Span::minutes(1)), CloseReason::Duplicate) >= 4);
    assert_eq!(closed_for(&record(hosts(Some(1)), Span::minutes(1)), CloseReason::Duplicate), 0);
    assert_eq!(closed_for(&record(hosts(None), Span::minutes(1)), CloseReason::Duplicate), 0);
}

#[test]
fn a_mirror_is_ourselves() {
    let entries = record(HostSpec { behavior: HostBehavior::Mirror, ..HostSpec::new("mirrors", 5) }, Span::minutes(1));
    assert_eq!(closed_for(&entries, CloseReason::OwnAddress), 5);
}
