//! Measures a trace: when dials were made, and when networks were down.

use std::path::Path;
use std::time::Duration;

use connmgr_core::{Action, Event, Input, NetworkKind, Target, Time};
use connmgr_std::{Line, TraceReader};

/// All dials of a run, and its outages, in order.
#[derive(Debug, Default)]
pub struct Flow {
    dials: Vec<(Time, NetworkKind)>,
    changes: Vec<(Time, Event)>,
    /// When the machine's network was reported to have changed.
    network_changes: Vec<Time>,
}

impl Flow {
    /// Reads it from a trace.
    pub fn of(trace: &Path) -> Self {
        let (mut flow, mut now) = (Self::default(), Time::ZERO);
        for line in TraceReader::open(trace).expect("a trace") {
            match line.expect("a whole trace") {
                Line::Birth(birth) => now = birth.now,
                Line::Step { now: at, input, .. } => {
                    now = at;
                    if input == Input::NetworkChanged {
                        flow.network_changes.push(at);
                    }
                }
                Line::Action(action) => flow.note(action, now),
            }
        }
        flow
    }

    fn note(&mut self, action: Action, now: Time) {
        match action {
            Action::Dial { target, .. } => {
                let address = match target {
                    Target::Direct(address) => address.into(),
                    Target::Proxied { address, .. } => address,
                };
                self.dials.extend(address.network().map(|network| (now, network)));
            }
            Action::Emit(event @ (Event::NetworkDown { .. } | Event::NetworkUp { .. })) => {
                self.changes.push((now, event));
            }
            _ => {}
        }
    }

    /// How often the machine's network was reported to have changed.
    pub fn network_changes(&self) -> usize {
        self.network_changes.len()
    }

    /// Each outage of a network that ended: how long it lasted, and how many dials were made into it.
    fn outages(&self, of: NetworkKind) -> Vec<(Duration, usize)> {
        let mut outages = Vec::new();
        let mut began = None;
        for (at, event) in &self.changes {
            match event {
                Event::NetworkDown { network } if *network == of => began = Some(*at),
                Event::NetworkUp { network } if *network == of => {
                    let from: Time = began.take().expect("down before it is up");
                    outages.push((at.since(from), self.dials_in(of, from, *at)));
                }
                _ => {}
            }
        }
        outages
    }

    /// Asserts that each network had one outage, with no more dials than the probes allowed.
    pub fn check_outages(&self, name: &str, networks: &[NetworkKind]) {
        // One probe more may be brought forward, when another network is up again.
        let hurried = usize::from(networks.len() > 1);
        for network in networks {
            let outages = self.outages(*network);
            println!("{name}: {network}: outages (length, dials): {outages:.1?}");
            let [(length, dials)] = outages[..] else { panic!("{name}: {network}: one outage: {outages:?}") };
            assert!(dials <= probes_in(length) + hurried, "{name}: {network}: {dials} dials in {length:?}");
        }
    }

    /// The dials into a network after one time and before another.
    fn dials_in(&self, of: NetworkKind, from: Time, until: Time) -> usize {
        self.dials.iter().filter(|(at, network)| *network == of && *at > from && *at < until).count()
    }

    /// The most dials in any time of this length.
    pub fn busiest(&self, length: Duration) -> usize {
        let after = |start: &(Time, NetworkKind)| start.0.after(length);
        self.dials
            .iter()
            .enumerate()
            .map(|(first, start)| self.dials[first..].iter().take_while(|(at, _)| *at < after(start)).count())
            .max()
            .unwrap_or(0)
    }
}

/// The probes allowed in an outage of this length: after 1, 2, 4, 8, 16, then every 32 s.
fn probes_in(length: Duration) -> usize {
    let mut at = Duration::ZERO;
    let due = |made: &u32| {
        at += Duration::from_secs(1 << (*made).min(5));
        at <= length
    };
    (0..).take_while(due).count()
}
