//! The diary, told by hand and by a world.

use std::time::Duration;

use connmgr_core::{CloseCause, DialError, EndReason, Kind, NetworkKind, Transport};

use super::*;
use crate::run::finish;
use crate::scenario::{FaultKind, FaultSpec, HostSpec, PeerSpec, Scenario, Span};
use crate::watch::{Real, Watchers};
use crate::world::{Scrutiny, World};

fn address(number: u8) -> PeerAddress {
    PeerAddress::from(std::net::SocketAddr::from(([11, 0, 0, number], 8333)))
}

fn dial(diary: &mut Diary, number: u8, now: Time) -> ConnId {
    let conn = ConnId::from_u64(number.into());
    let socket = std::net::SocketAddr::from(([11, 0, 0, number], 8333));
    let (target, transport) = (Target::Direct(socket), Transport::V1);
    diary.action(now, &Action::Dial { conn, target, transport, deadline: Time::MAX });
    conn
}

fn connect(diary: &mut Diary, number: u8, now: Time) -> ConnId {
    let conn = dial(diary, number, now);
    let mut connected = Connected::new(conn, Kind::Full);
    connected.address = Some(address(number));
    diary.action(now, &Action::Emit(Event::Connected(connected)));
    diary.input(now, &Input::Ready { conn, info: Default::default() }, &Reply::Noted);
    conn
}

#[test]
fn a_lane_goes_from_its_dial_to_its_end() {
    let mut diary = Diary::default();
    diary.begin(Instant::from_secs(100));
    let conn = connect(&mut diary, 1, Time::from_secs(1));
    assert_eq!(diary.levels.changes().last().map(|(_, level)| level.of(Kind::Full)), Some(1));
    let reason = EndReason::Theirs(CloseCause::Eof);
    diary.action(Time::from_secs(61), &Action::Emit(Event::Disconnected { conn, peer: None, reason, tag: None }));
    let lane = diary.lanes.iter().next().expect("one lane");
    assert_eq!(lane.begun, Instant::from_secs(101));
    assert_eq!(lane.ended, Some((Instant::from_secs(161), LaneEnding::Ended(reason))));
    assert_eq!(diary.levels.changes().last(), Some(&(Instant::from_secs(161), Level::default())));
}

#[test]
fn adversaries_are_counted_while_they_hold_a_connection() {
    let mut diary = Diary::default();
    diary.beware([address(2)].into_iter().collect());
    diary.begin(Instant::ZERO);
    connect(&mut diary, 1, Time::from_secs(1));
    let conn = connect(&mut diary, 2, Time::from_secs(2));
    let shares = |diary: &Diary| diary.levels.changes().last().map(|(_, level)| (level.adversaries, level.outbound()));
    assert_eq!(shares(&diary), Some((1, 2)));
    let reason = EndReason::Theirs(CloseCause::Eof);
    diary.action(Time::from_secs(3), &Action::Emit(Event::Disconnected { conn, peer: None, reason, tag: None }));
    assert_eq!(shares(&diary), Some((0, 1)));
}

#[test]
fn a_process_that_dies_takes_its_connections_along_and_goes_on_with_new_ones() {
    let mut diary = Diary::default();
    diary.begin(Instant::ZERO);
    connect(&mut diary, 1, Time::from_secs(1));
    diary.end(Instant::from_secs(10));
    diary.begin(Instant::from_secs(20));
    connect(&mut diary, 1, Time::from_secs(1));
    let lanes: Vec<&Lane> = diary.lanes.iter().collect();
    assert_eq!(lanes[0].ended, Some((Instant::from_secs(10), LaneEnding::Died)));
    assert_eq!((lanes[1].begun, lanes[1].start, lanes[1].ended), (Instant::from_secs(21), 2, None));
    assert_eq!(diary.levels.changes().last().map(|(_, level)| level.outbound()), Some(1));
}

#[test]
fn a_clock_that_stood_still_is_behind_the_world() {
    let mut diary = Diary::default();
    diary.begin(Instant::ZERO);
    diary.stood_still(Duration::from_secs(600));
    dial(&mut diary, 1, Time::from_secs(1));
    assert_eq!(diary.now(), Instant::from_secs(601));
}

#[test]
fn however_long_it_goes_on_its_memory_is_bounded_and_what_tells_most_is_kept() {
    let mut diary = Diary::default();
    diary.begin(Instant::ZERO);
    let kept = connect(&mut diary, 1, Time::ZERO);
    let reason = EndReason::Theirs(CloseCause::Eof);
    diary.action(Time::from_secs(1), &Action::Emit(Event::Disconnected { conn: kept, peer: None, reason, tag: None }));
    for second in 2..20_000 {
        let conn = dial(&mut diary, 2, Time::from_secs(second));
        let error = DialFailure::Failed(DialError::Refused);
        let failed = Event::DialFailed { conn, peer: None, address: address(2), error, tag: None };
        diary.action(Time::from_secs(second), &Action::Emit(failed));
        diary.action(Time::from_secs(second), &Action::Emit(Event::NetworkDown { network: NetworkKind::Ipv4 }));
        let retry = Action::ScheduleRetry { peer: PeerId::from_u64(1), at: Time::from_secs(second + 5), attempt: 1 };
        diary.action(Time::from_secs(second), &retry);
        diary.level.by_kind[0] = u32::try_from(second % 7).expect("small");
        diary.levels.push(diary.now, diary.level);
    }
    assert!(diary.lanes.iter().count() <= 4096);
    assert!(diary.lanes.iter().any(|lane| lane.conn == kept));
    assert!(diary.levels.changes().len() <= 4096);
    assert!(diary.bars.iter().count() <= 2048);
    assert_eq!(diary.bars.iter().map(|(_, bar)| bar.failed).sum::<u64>(), 19_998);
    assert!(diary.notes.iter().count() <= 4096);
    assert!(diary.retries.iter().count() <= 1500);
    assert_eq!((diary.lanes.total(), diary.retries.total(), diary.last().count()), (19_999, 19_998, LAST));
}

#[test]
fn however_long_it_goes_on_the_beginning_stays_exact() {
    let mut history = LevelHistory::default();
    let at = |number: u64| Instant::from_nanos(number * 1_000_000);
    for number in 0..100_000 {
        let full = u32::try_from(number % 9).expect("small");
        history.push(at(number), Level { by_kind: [full, 0, 0, 0, 0, 0], adversaries: 0 });
    }
    let first: Vec<Instant> = history.changes().iter().map(|(at, _)| *at).take(100).collect();
    assert_eq!(first, (0..100).map(at).collect::<Vec<_>>());
    assert!(history.changes().len() <= 4096);
}

#[test]
fn thinning_loses_no_dip() {
    let level = |full: u32| Level { by_kind: [full, 0, 0, 0, 0, 0], adversaries: 0 };
    let changes: Vec<(Instant, Level)> =
        (0..1000).map(|at| (Instant::from_nanos(at), level(if at == 517 { 0 } else { 8 }))).collect();
    let thinned = thin(&changes, 100);
    assert!(thinned.len() <= 20);
    assert!(thinned.contains(&(Instant::from_nanos(517), level(0))));
}

#[test]
fn sizes_are_counted_by_powers_of_two() {
    let mut powers = PowerCounts::default();
    [0, 1, 2, 3, 4, u64::MAX].into_iter().for_each(|size| powers.add(size));
    assert_eq!(&powers.counts()[..4], [1, 1, 2, 1]);
    assert_eq!((powers.total(), powers.counts().last()), (6, Some(&1)));
}

/// A world with two peers whose process crashes in the middle.
fn crash() -> Scenario {
    let mut scenario = Scenario::new("small", Span::minutes(10));
    scenario.hosts.push(HostSpec::new("honest", 5));
    let (of, at) = ("honest".to_owned(), Span::default());
    scenario.peers.push(PeerSpec { at, ..PeerSpec::new(of, 2) });
    let all = crate::types::Share::ALL;
    let (at, lasts) = (Span::minutes(5), Some(Span::minutes(1)));
    let fault = FaultKind::Crash;
    scenario.faults.push(FaultSpec { fault, at, lasts, every: None, times: None, share: all, chance: all });
    scenario
}

#[test]
fn a_world_keeps_one_diary_through_all_runs_of_a_process() {
    let watch = Watchers { diary: Some(Box::default()), ..Watchers::default() };
    let mut world = World::<Real>::watched(crash(), 1, Scrutiny::None, watch).expect("a sound configuration");
    let outcome = finish(&mut world);
    let diary = world.watch_mut().diary.take().expect("there was one");
    assert_eq!(outcome.failures, []);
    assert_eq!(diary.starts, 2);
    let ended_by_death =
        |lane: &&Lane| matches!(lane.ended, Some((at, LaneEnding::Died)) if at == Instant::from_secs(300));
    assert!(diary.lanes.iter().filter(ended_by_death).count() >= 2);
    let added = diary.levels.changes().last().map(|(at, level)| (*at > Instant::from_secs(360), level.of(Kind::Added)));
    assert_eq!(added, Some((true, 2)));
    assert!(diary.lanes.iter().all(|lane| lane.kind.is_some()), "a dial whose kind was never said");
    let unwatched = World::<Real>::new(crash(), 1, Scrutiny::None).map(|mut world| finish(&mut world).digest);
    assert_eq!(unwatched, Ok(outcome.digest));
}
