//! Traces of a real manager, run again: to the end, up to a time, and where they go another way.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};

use connmgr_core::driver::Observer;
use connmgr_core::{Action, AddedPeer, Config, ConnManager, Input, Reply, Time, UnixTime};
use connmgr_sim::run::replay::{Replayed, replay};
use connmgr_std::{Birth, ReplayError, TraceReader, TraceWriter};

/// Records a manager that is told of three peers, a minute apart, and says what its dials came to.
fn record(dir: &Path) -> PathBuf {
    let path = dir.join("trace");
    let (config, unix) = (Config::default(), UnixTime::from_secs(1_767_225_600));
    let birth = Birth { config, snapshot: None, rng_seed: [3; 32], now: Time::ZERO, unix };
    let mut manager = ConnManager::new(birth.clone()).expect("a sound configuration");
    let mut writer = TraceWriter::create(&path, &birth, None).expect("a new file");
    let mut tell = |now: Time, input: Input| {
        let reply = manager.apply(&input, now);
        writer.step(now, &input, &reply).expect("room");
        while let Some(action) = manager.poll_action() {
            writer.action(&action).expect("room");
        }
    };
    for number in 1..=3 {
        let now = Time::from_nanos(number * 60_000_000_000);
        let address = format!("12.{number}.0.1:8333").parse().expect("an address");
        tell(now, Input::AddPeer { peer: AddedPeer::new(address) });
    }
    drop(writer);
    path
}

/// How many inputs and actions were seen.
#[derive(Default)]
struct Seen(u64);

impl Observer for Seen {
    fn input(&mut self, _: Time, _: &Input, _: &Reply) {
        self.0 += 1;
    }

    fn action(&mut self, _: Time, _: &Action) {
        self.0 += 1;
    }
}

fn rerun(path: &Path, until: Option<Time>) -> (Result<Replayed, ReplayError>, u64) {
    let mut seen = Seen::default();
    let trace = TraceReader::open(path).expect("a trace");
    (replay(trace, until, &mut seen), seen.0)
}

#[test]
fn a_trace_goes_as_it_was_recorded_and_breaks_nothing() {
    let dir = tempfile::tempdir().expect("there is room");
    let (replayed, seen) = rerun(&record(dir.path()), None);
    let replayed = replayed.expect("as recorded");
    let summary = replayed.summary;
    assert_eq!((summary.inputs, summary.waiting, replayed.broken.is_none()), (3, 0, true));
    assert_eq!(seen, summary.inputs + summary.actions);
    assert_eq!(replayed.manager.added_peers().len(), 3);
}

#[test]
fn up_to_a_time_it_stands_as_it_stood_then() {
    let dir = tempfile::tempdir().expect("there is room");
    let (replayed, _) = rerun(&record(dir.path()), Some(Time::from_nanos(120_000_000_000)));
    assert_eq!(replayed.expect("as recorded").manager.added_peers().len(), 2);
}

#[test]
fn another_way_is_an_error_that_names_the_line() {
    let dir = tempfile::tempdir().expect("there is room");
    let path = record(dir.path());
    let text = fs::read_to_string(&path).expect("just written");
    let at = text.lines().position(|line| line.contains("\"action\"")).expect("it dials");
    let lines: Vec<&str> =
        text.lines().enumerate().map(|(n, line)| if n == at { "{\"action\":\"save\"}" } else { line }).collect();
    fs::write(&path, lines.join("\n") + "\n").expect("it is ours");
    match rerun(&path, None).0 {
        Err(ReplayError::Action { line, .. }) => assert_eq!(line, at as u64 + 1),
        other => panic!("{other:?}"),
    }
}
