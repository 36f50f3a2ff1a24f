//! Traces: written, read and run again.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod common;

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use common::snapshot;
use connmgr_core::driver::Observer;
use connmgr_core::{
    Action, AddedPeer, AddressInfo, AsnTable, Config, ConnManager, Input, Mode, Reply, Source, Time, UnixTime,
};
use connmgr_std::{
    Birth, Line, Problem, ReplayError, ReplaySummary, TRACE_VERSION, TraceError, TraceReader, TraceWriter,
    parse_asn_table, replay, with_causes,
};

fn birth() -> Birth {
    let mut rng_seed = [0; 32];
    rng_seed[..2].copy_from_slice(&[0xab, 0x01]);
    Birth {
        config: Config::default(),
        snapshot: Some(snapshot()),
        rng_seed,
        now: Time::ZERO,
        unix: UnixTime::from_secs(1_700_000_000),
    }
}

/// Where a trace goes in memory.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A manager of added peers, which dials nobody else.
fn manager() -> (Birth, ConnManager) {
    let config = Config { mode: Mode::ConnectOnly, ..Config::default() };
    let birth = Birth { config, snapshot: None, ..birth() };
    let manager = ConnManager::new(birth.clone()).unwrap();
    (birth, manager)
}

/// Two peers are added, each of which is dialed; of the two actions one is taken, after both calls.
fn recorded() -> Vec<u8> {
    let paper = Paper::default();
    let (birth, mut manager) = manager();
    let mut writer = TraceWriter::to(Box::new(paper.clone()), &birth, None).unwrap();
    for secs in [1, 2] {
        let address = format!("192.0.2.{secs}:8333").parse().unwrap();
        let (now, input) = (Time::from_secs(secs), Input::AddPeer { peer: AddedPeer::new(address) });
        writer.step(now, &input, &manager.apply(&input, now)).unwrap();
    }
    writer.action(&manager.poll_action().unwrap()).unwrap();
    drop(writer);
    paper.bytes()
}

/// Counts what it sees: inputs, actions, and how often the manager had settled.
#[derive(Default)]
struct Counts([u32; 3]);

impl Observer for Counts {
    fn input(&mut self, _: Time, _: &Input, _: &Reply) {
        self.0[0] += 1;
    }

    fn action(&mut self, _: Time, _: &Action) {
        self.0[1] += 1;
    }

    fn settled(&mut self, _: Time, _: &ConnManager) {
        self.0[2] += 1;
    }
}

fn step(writer: &mut TraceWriter, secs: u64) {
    writer.step(Time::from_secs(secs), &Input::Timeout, &Reply::Noted).unwrap();
}

/// Two calls, the action of the first taken after both.
fn written() -> Vec<u8> {
    let paper = Paper::default();
    let mut writer = TraceWriter::to(Box::new(paper.clone()), &birth(), None).unwrap();
    step(&mut writer, 1);
    step(&mut writer, 2);
    writer.action(&Action::Save).unwrap();
    drop(writer);
    paper.bytes()
}

fn read(bytes: &[u8]) -> TraceReader<&[u8]> {
    TraceReader::new(bytes).expect("a birth")
}

/// Bytes with line `number` (from 1) replaced.
fn with_line_of(bytes: Vec<u8>, number: usize, line: &str) -> Vec<u8> {
    let text = String::from_utf8(bytes).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[number - 1] = line;
    (lines.join("\n") + "\n").into_bytes()
}

fn with_line(number: usize, line: &str) -> Vec<u8> {
    with_line_of(written(), number, line)
}

fn replay_error(bytes: &[u8]) -> ReplayError {
    replay(read(bytes), None, &mut ()).expect_err("another way")
}

#[test]
fn what_is_written_is_read() {
    let bytes = written();
    let trace = read(&bytes);
    assert_eq!(trace.birth(), &birth());
    let step = |secs| Line::Step { now: Time::from_secs(secs), input: Input::Timeout, reply: Reply::Noted };
    let lines: Vec<Line> = trace.map(Result::unwrap).collect();
    assert_eq!(lines, [step(1), step(2), Line::Action(Action::Save)]);
}

#[test]
fn lines_look_as_documented() {
    let text = String::from_utf8(written()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with(r#"{"birth":{"trace_version":2,"config":{"#), "{}", lines[0]);
    assert!(lines[0].contains(&format!(r#""rng_seed":"ab01{}""#, "0".repeat(60))), "{}", lines[0]);
    assert_eq!(lines[1], r#"{"now":"1000000000","input":"timeout","reply":"noted"}"#);
    assert_eq!(lines[3], r#"{"action":"save"}"#);
}

#[test]
fn a_replay_that_goes_the_same_way_says_so_and_shows_everything() {
    let mut counts = Counts::default();
    let (manager, summary) = replay(read(&recorded()), None, &mut counts).unwrap();
    let ReplaySummary { inputs, actions, waiting, cut_off, last, .. } = summary;
    assert_eq!((inputs, actions, waiting, cut_off, last), (2, 1, 1, false, Time::from_secs(2)));
    assert_eq!(manager.added_peers().len(), 2);
    assert_eq!(counts.0, [2, 1, 1], "the last input has not settled: an action of it waits");
}

#[test]
fn a_replay_up_to_a_time_stops_there() {
    let (manager, summary) = replay(read(&recorded()), Some(Time::from_secs(1)), &mut ()).unwrap();
    assert_eq!((summary.inputs, summary.waiting, manager.added_peers().len()), (1, 1, 1));
}

#[test]
fn another_reply_is_found_by_line() {
    let text = String::from_utf8(recorded()).unwrap();
    let line = text.lines().nth(2).unwrap().replace("\"Ok\":\"2\"", "\"Ok\":\"7\"");
    let error = replay_error(&with_line_of(recorded(), 3, &line));
    assert!(matches!(error, ReplayError::Reply { line: 3, .. }), "{error}");
}

#[test]
fn another_action_is_found_by_line() {
    let error = replay_error(&with_line_of(recorded(), 4, r#"{"action":"save"}"#));
    let ReplayError::Action { line: 4, expected, found: Some(found) } = error else { panic!("{error}") };
    assert!(matches!(*found, Action::Dial { .. }));
    assert_eq!(*expected, Action::Save);
}

#[test]
fn a_missing_action_is_found_by_line() {
    let error = replay_error(&with_line_of(recorded(), 2, r#"{"action":"save"}"#));
    assert!(matches!(error, ReplayError::Action { line: 2, found: None, .. }), "{error}");
}

#[test]
fn another_version_is_refused_by_name() {
    // What comes with it may look quite different.
    let bytes = with_line(1, r#"{"birth":{"trace_version":7,"sun":true}}"#);
    let error = TraceReader::new(&bytes[..]).expect_err("of another version");
    assert!(matches!(error, TraceError::Version { found: 7, known: TRACE_VERSION }));
    assert!(error.to_string().contains("version 7"), "{error}");
}

#[test]
fn what_is_no_trace_is_refused() {
    for text in ["", "\n", "hello\n", "{\"action\":\"save\"}\n", "{\"birth\":null}\n"] {
        assert!(matches!(TraceReader::new(text.as_bytes()), Err(TraceError::NoBirth)), "{text:?}");
    }
}

#[test]
fn a_bad_line_is_named_and_ends_the_reading() {
    for (line, says) in [
        ("nonsense", "expected"),
        ("{}", "expected a birth"),
        (r#"{"now":"1","input":"timeout"}"#, "expected a birth"),
        (r#"{"action":"dance"}"#, "dance"),
        (r#"{"action":"save","mood":1}"#, "mood"),
        (r#"{"birth":null,"now":"1","input":"timeout","reply":"noted","action":"save"}"#, "expected a birth"),
    ] {
        let bytes = with_line(3, line);
        let mut trace = read(&bytes);
        assert!(trace.next().unwrap().is_ok());
        let error = trace.next().unwrap().expect_err(line);
        assert!(matches!(error, TraceError::Line { line: 3, .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(trace.next().is_none());
    }
}

#[test]
fn a_second_birth_is_refused() {
    let whole = String::from_utf8(written()).unwrap();
    let bytes = with_line(2, whole.lines().next().unwrap());
    assert!(matches!(read(&bytes).next(), Some(Err(TraceError::Line { line: 2, .. }))));
}

#[test]
fn a_trace_cut_off_is_good_up_to_there() {
    let bytes = recorded();
    let (_, summary) = replay(read(&bytes[..bytes.len() - 5]), None, &mut ()).unwrap();
    assert_eq!((summary.inputs, summary.actions, summary.cut_off), (2, 0, true));
}

#[test]
fn a_full_trace_ends_with_a_whole_line() {
    let paper = Paper::default();
    let whole = written().len() as u64;
    let mut writer = TraceWriter::to(Box::new(paper.clone()), &birth(), Some(whole - 1)).unwrap();
    step(&mut writer, 1);
    step(&mut writer, 2);
    assert!(matches!(writer.action(&Action::Save), Err(TraceError::Full(max)) if max == whole - 1));
    assert!(!writer.is_on());
    // Reported once.
    writer.action(&Action::Save).unwrap();
    assert_eq!(read(&paper.bytes()).map(Result::unwrap).count(), 2);
}

/// A disk with room for so many bytes.
struct SmallDisk(usize);

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_reported_once_and_turns_it_off() {
    let room = written().len() + 100;
    let mut writer = TraceWriter::to(Box::new(SmallDisk(room)), &birth(), None).unwrap();
    let failures = (0..10_000).filter(|_| writer.action(&Action::Save).is_err()).count();
    assert_eq!((failures, writer.is_on()), (1, false));
    writer.flush().unwrap();
}

#[test]
fn a_birth_without_room_is_an_error() {
    assert!(matches!(TraceWriter::to(Box::new(io::sink()), &birth(), Some(10)), Err(TraceError::Full(10))));
}

#[test]
fn a_file_is_private_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.jsonl");
    drop(TraceWriter::create(&path, &birth(), None).unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = fs::read(&path).unwrap();
    assert!(matches!(TraceWriter::create(&path, &birth(), None), Err(TraceError::Io(_))));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(TraceReader::open(&path).unwrap().birth(), &birth());
}

#[test]
fn an_error_of_the_system_is_said_once() {
    let error = TraceError::from(io::Error::other("the disk is full"));
    assert_eq!(error.to_string(), "the disk is full");
    assert!(std::error::Error::source(&error).is_none(), "it would be said again");
    let told = with_causes(&Problem::Trace(error)).to_string();
    assert_eq!(told, "the trace is not written any more: the disk is full");
}

#[test]
fn a_file_that_can_hold_no_birth_is_not_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace");
    TraceWriter::create(&path, &birth(), Some(10)).unwrap_err();
    assert!(!path.exists());
}

/// A table in which the addresses that `with_table` knows are of one system; `number` is that of the system.
fn table(number: u32) -> AsnTable {
    parse_asn_table(format!("40.1.0.0/16 AS{number}\n41.1.0.0/16 AS{number}").as_bytes()).unwrap()
}

/// A manager with a table hears of two addresses of one system, and dials one.
fn recorded_with_table() -> Vec<u8> {
    let paper = Paper::default();
    let mut config = Config::default();
    config.groups.asn = Some(table(64500));
    let birth = Birth { config, snapshot: None, ..birth() };
    let mut manager = ConnManager::new(birth.clone()).unwrap();
    let mut writer = TraceWriter::to(Box::new(paper.clone()), &birth, None).unwrap();
    let addresses = ["40.1.2.3:8333", "41.1.2.3:8333"].map(|text| AddressInfo::new(text.parse().unwrap())).to_vec();
    let (now, input) = (Time::from_secs(1), Input::Addresses { source: Source::Application, addresses });
    writer.step(now, &input, &manager.apply(&input, now)).unwrap();
    let actions: Vec<Action> = std::iter::from_fn(|| manager.poll_action()).collect();
    assert_eq!(actions.iter().filter(|action| matches!(action, Action::Dial { .. })).count(), 1, "{actions:?}");
    actions.iter().for_each(|action| writer.action(action).unwrap());
    drop(writer);
    paper.bytes()
}

#[test]
fn a_trace_names_its_table_by_digest() {
    let bytes = recorded_with_table();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(&format!("{:032x}", table(64500).digest())));
    let named = read(&bytes).birth().config.groups.asn.clone().unwrap();
    assert_eq!((&named, named.ranges(), named.systems()), (&table(64500), 2, 1));
    assert!(!named.is_loaded() && named.number_of("40.1.2.3".parse().unwrap()).is_none());
}

#[test]
fn a_trace_with_a_table_is_replayed_with_it_and_not_without() {
    let bytes = recorded_with_table();
    let said = replay_error(&bytes).to_string();
    assert!(said.contains("was not supplied") && said.contains(&table(64500).to_string()), "{said}");
    let mut trace = read(&bytes);
    trace.supply_asn_table(table(64500)).unwrap();
    let (_, summary) = replay(trace, None, &mut ()).unwrap();
    assert_eq!((summary.inputs, summary.waiting), (1, 0));
}

#[test]
fn another_table_than_that_of_the_trace_is_refused() {
    for (bytes, named) in [(recorded_with_table(), table(64500).to_string()), (recorded(), "made with no table".into())]
    {
        let mut trace = read(&bytes);
        let error = trace.supply_asn_table(table(64501)).expect_err("another table");
        assert!(matches!(error, TraceError::OtherAsnTable { .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains(&named) && said.contains(&table(64501).to_string()), "{said}");
    }
}

#[test]
fn a_manager_is_not_born_with_the_name_of_a_table_alone() {
    let bytes = recorded_with_table();
    let error = ConnManager::new(read(&bytes).birth().clone()).expect_err("the table is missing");
    assert_eq!(error.field, "groups.asn");
}
