//! The onlookers of the real manager: always a digest; checkers, a diary, a recorder and a canary if wanted.

pub mod canary;
pub mod diary;
mod digest;
pub mod record;

use std::time::Duration;

use connmgr_check::{Probes, Suite, Violation};
use connmgr_core::driver::Observer;
use connmgr_core::{Action, Birth, ConnManager, Input, PeerAddress, Reply, Time};
use rustc_hash::FxHashSet;

use crate::subject::Driven;
use crate::types::Instant;
use crate::world::subject::Onlooker;
use canary::Canary;
use diary::Diary;
use digest::Digest;
use record::{Recorder, RunRecord};

/// The real manager with its onlookers.
pub type Real = Driven<Watchers>;

/// The onlookers of one manager.
#[derive(Clone, Debug, Default)]
pub struct Watchers {
    digest: Digest,
    /// The checkers.
    pub suite: Option<Box<Suite>>,
    /// The diary, for a report.
    pub diary: Option<Box<Diary>>,
    /// The recorder of everything.
    pub recorder: Option<Recorder>,
    /// The canary, which fails though nothing is wrong.
    pub canary: Option<Canary>,
}

impl Watchers {
    fn observers(&mut self) -> [Option<&mut dyn Observer>; 3] {
        [
            self.suite.as_deref_mut().map(|suite| suite as &mut dyn Observer),
            self.diary.as_deref_mut().map(|diary| diary as &mut dyn Observer),
            self.recorder.as_mut().map(|recorder| recorder as &mut dyn Observer),
        ]
    }

    /// Takes the record of the current run.
    pub fn take_record(&mut self) -> Option<RunRecord> {
        self.recorder.as_mut()?.take()
    }

    /// Recounts everything, if there are checkers.
    pub(crate) fn audit(&mut self, now: Time, manager: &ConnManager) -> Result<(), Violation> {
        self.suite.as_mut().map_or(Ok(()), |suite| suite.audit(now, manager))
    }
}

/// The diary spans all runs of a process; the others start anew with each.
impl Onlooker for Watchers {
    fn born(&mut self, birth: &Birth, is_checked: bool) {
        let Birth { config, snapshot, unix, now, .. } = birth;
        self.suite = is_checked.then(|| Box::new(Suite::new(config, snapshot.as_ref(), *unix, *now)));
        if let Some(recorder) = &mut self.recorder {
            recorder.born(birth);
        }
    }

    fn judge(&mut self, now: Time, manager: &ConnManager, thoroughly: bool) -> Result<(), Violation> {
        if let Some(suite) = &mut self.suite {
            suite.after(now, manager)?;
            if thoroughly {
                suite.audit(now, manager)?;
            }
        }
        self.canary.as_ref().map_or(Ok(()), |canary| canary.judge(now))
    }

    fn digest(&self) -> u64 {
        self.digest.number()
    }

    fn probes(&self) -> Option<&Probes> {
        self.suite.as_ref().map(|suite| suite.probes())
    }

    fn next_run(&mut self, now: Instant) -> Self {
        let mut diary = self.diary.take();
        if let Some(diary) = &mut diary {
            diary.begin(now);
        }
        Self { diary, ..self.clone() }
    }

    fn run_ended(&mut self, now: Instant, over: Self) {
        self.diary = over.diary;
        if let Some(diary) = &mut self.diary {
            diary.end(now);
        }
    }

    fn stood_still(&mut self, lasted: Duration) {
        if let Some(diary) = &mut self.diary {
            diary.stood_still(lasted);
        }
    }

    fn beware(&mut self, adversaries: FxHashSet<PeerAddress>) {
        if let Some(diary) = &mut self.diary {
            diary.beware(adversaries);
        }
    }
}

impl Observer for Watchers {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.digest.input(now, input, reply);
        for observer in self.observers().into_iter().flatten() {
            observer.input(now, input, reply);
        }
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.digest.action(action);
        for observer in self.observers().into_iter().flatten() {
            observer.action(now, action);
        }
        if let Some(canary) = &mut self.canary {
            canary.action(action);
        }
    }

    fn settled(&mut self, now: Time, manager: &ConnManager) {
        if let Some(diary) = &mut self.diary {
            diary.settled(now, manager);
        }
    }
}
