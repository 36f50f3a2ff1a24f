//! The events that the application took, compared with the trace.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use connmgr_core::{Action, ConnId, Event};
use connmgr_std::{Line, PoolEvent, TraceReader, replay};

use connmgr_core::Connected;

/// The events that the application has taken, in order, without retries and problems.
#[derive(Debug, Default)]
pub(super) struct EventLedger {
    told: Vec<Event>,
    /// Connections that were asked for, which are no events.
    asked: BTreeSet<ConnId>,
}

impl EventLedger {
    pub(super) fn note(&mut self, event: &PoolEvent<Connected>) {
        match event {
            PoolEvent::Connected(info) => self.told.push(Event::Connected(info.clone())),
            PoolEvent::Event(event) => self.told.push(event.clone()),
            PoolEvent::RetryScheduled { .. } | PoolEvent::Problem(_) => {}
            other => panic!("an event of a new kind: {other:?}"),
        }
    }

    pub(super) fn note_asked(&mut self, conn: ConnId) {
        self.asked.insert(conn);
    }

    /// The trace replays, action for action, and the application was told what the manager emitted, in that order,
    /// without the connections that ended before they were taken. `to_the_end`: the last event was taken.
    pub(super) fn agrees_with(&self, trace: &Path, to_the_end: bool) {
        Self::replays(trace);
        let taken: BTreeSet<_> = self.told.iter().filter(|event| is_connection(event)).map(Event::conn).collect();
        let mut emitted: Vec<Event> =
            open(trace).filter_map(|line| emitted(line.expect("it was read before"))).collect();
        emitted.retain(|event| !is_connection(event) || taken.contains(&event.conn()));
        emitted.retain(|event| !matches!(event, Event::Connected(info) if self.asked.contains(&info.conn)));
        if !to_the_end {
            emitted.truncate(self.told.len());
        }
        assert_eq!(self.told, emitted, "the application was not told what the manager emitted");
    }

    /// The trace is whole and replays, action for action.
    pub(super) fn replays(trace: &Path) {
        let (_, replayed) = replay(open(trace), None, &mut ()).expect("the run replays");
        assert!(replayed.inputs > 0 && replayed.waiting == 0 && !replayed.cut_off, "{replayed:?}");
    }
}

fn open(trace: &Path) -> TraceReader<BufReader<File>> {
    TraceReader::open(trace).expect("the trace can be read")
}

fn emitted(line: Line) -> Option<Event> {
    match line {
        Line::Action(Action::Emit(event)) => Some(event),
        Line::Action(_) | Line::Birth(_) | Line::Step { .. } => None,
    }
}

/// Whether it is the beginning or the end of a connection.
fn is_connection(event: &Event) -> bool {
    matches!(event, Event::Connected(_) | Event::Disconnected { .. })
}
