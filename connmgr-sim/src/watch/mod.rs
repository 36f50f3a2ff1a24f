//! Who looks on at one manager: the digest always; checkers and a diary where they are wanted.

pub mod canary;
pub mod diary;
pub mod record;

use std::time::Duration;

use connmgr_check::{Probes, Suite, Violation};
use connmgr_core::driver::Observer;
use connmgr_core::{Action, Birth, ConnManager, Event, Input, PeerAddress, Reply, Time};
use rustc_hash::FxHashSet;

use crate::subject::Driven;
use crate::types::Instant;
use crate::world::subject::Onlooker;
use canary::Canary;
use diary::Diary;
use record::{Record, Recorder};

/// The real manager, and all who can look on at it.
pub type Real = Driven<Watchers>;

/// Who looks on at one manager.
#[derive(Clone, Debug, Default)]
pub struct Watchers {
    digest: Digest,
    /// The checkers, if any.
    pub suite: Option<Box<Suite>>,
    /// The diary, where a report is wanted.
    pub diary: Option<Box<Diary>>,
    /// Who writes everything down, if anybody does.
    pub recorder: Option<Recorder>,
    /// What falls though nothing is wrong, where that is wanted.
    pub canary: Option<Canary>,
}

impl Watchers {
    /// The record of the run that goes on, to keep.
    pub fn take_record(&mut self) -> Option<Record> {
        self.recorder.as_mut()?.take()
    }

    /// Recounts everything, if there are checkers.
    pub(crate) fn audit(&mut self, now: Time, manager: &ConnManager) -> Result<(), Violation> {
        self.suite.as_mut().map_or(Ok(()), |suite| suite.audit(now, manager))
    }
}

/// The diary goes on through all runs of a process; all others begin anew with each.
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
        self.digest.0
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
        if let Some(suite) = &mut self.suite {
            suite.input(now, input, reply);
        }
        if let Some(diary) = &mut self.diary {
            diary.input(now, input, reply);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.input(now, input, reply);
        }
    }

    fn action(&mut self, now: Time, action: &Action) {
        self.digest.action(action);
        if let Some(suite) = &mut self.suite {
            suite.action(now, action);
        }
        if let Some(diary) = &mut self.diary {
            diary.action(now, action);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.action(now, action);
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

/// A number that differs when what happened differs: when, what, and to which id. It says nothing of addresses, which
/// ids stand for.
#[derive(Clone, Copy, Debug, Default)]
struct Digest(u64);

impl Digest {
    fn fold(&mut self, tag: u64, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value ^ (tag << 56)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        let (tag, id) = match input {
            Input::Timeout => (1, 0),
            Input::Clock { unix } => (2, unix.as_secs()),
            Input::DialResult { conn, result } => (3 + u64::from(result.is_err()), conn.as_u64()),
            Input::Ready { conn, .. } => (5, conn.as_u64()),
            Input::Closed { conn, .. } => (6, conn.as_u64()),
            Input::Addresses { addresses, .. } => (7, addresses.len() as u64),
            Input::LookupResult { lookup, result } => (8 + u64::from(result.is_err()), lookup.as_u64()),
            Input::Misbehavior { conn, .. } => (10, conn.as_u64()),
            Input::Activity { conn, .. } => (11, conn.as_u64()),
            Input::AcceptError { .. } => (12, 0),
            Input::NetworkChanged => (13, 0),
            Input::OwnAddress { .. } => (14, 0),
            Input::Accept { .. } => (15, u64::from(matches!(reply, Reply::Accepted(Ok(_))))),
            Input::AddPeer { .. } => (16, 0),
            Input::RemovePeer { peer } => (17, peer.as_u64()),
            Input::Disconnect { conn } => (18, conn.as_u64()),
            Input::Reconnect { conn } => (19, conn.as_u64()),
            Input::DialNow { peer } => (20, peer.as_u64()),
            Input::SetRetry { peer, .. } => (21, peer.as_u64()),
            Input::Ban { .. } => (22, 0),
            Input::Unban { .. } => (23, 0),
            Input::ResetScore { .. } => (24, 0),
            Input::SampleAddresses { .. } => (25, 0),
            Input::SetActive { active } => (26, u64::from(*active)),
            Input::SetLimits { .. } => (27, 0),
            Input::Shutdown => (28, 0),
        };
        self.fold(tag, now.as_nanos());
        self.fold(tag, id);
    }

    fn action(&mut self, action: &Action) {
        let (tag, id) = match action {
            Action::Dial { conn, deadline, .. } => (40, conn.as_u64() ^ deadline.as_nanos()),
            Action::Close { conn, reason } => (41, conn.as_u64() << 8 | *reason as u64),
            Action::ResolveSeed { lookup, .. } => (42, lookup.as_u64()),
            Action::ResolveHost { lookup, .. } => (43, lookup.as_u64()),
            Action::ScheduleRetry { peer, at, .. } => (44, peer.as_u64() ^ at.as_nanos()),
            Action::PauseAccept { until, .. } => (45, until.as_nanos()),
            Action::Save => (46, 0),
            Action::Emit(Event::Connected(connected)) => (47, connected.nonce),
            Action::Emit(Event::Disconnected { conn, .. }) => (48, conn.as_u64()),
            Action::Emit(Event::DialFailed { conn, .. }) => (49, conn.as_u64()),
            Action::Emit(_) => (50, 0),
        };
        self.fold(tag, id);
    }
}
