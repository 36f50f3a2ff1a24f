//! One manager's process: whether it runs, its clocks, and the faults at its machine.

use std::sync::Arc;
use std::time::Duration;

use connmgr_check::{Probe, Probes};
use connmgr_core::{ConnId, Limits, NetworkKind, PeerId, Snapshot, Split, Time, UnixTime};
use rustc_hash::FxHashMap;

use super::happening::ProcessRun;
use crate::scenario::map::{BEGINNING, Who};
use crate::scenario::{OwnFailures, ProxyFault};
use crate::types::{Instant, Share};
use crate::world::links::{LinkId, Links};
use crate::world::subject::{Onlooker, Subject};
use crate::world::tally::{NodeTally, Traffic};

/// A peer that the scenario added.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScriptedPeer {
    /// Which entry of the scenario's `peers`.
    pub(super) spec: u16,
    pub(super) peer: PeerId,
    /// Who it is, if it can be reached while the world is healthy.
    pub(super) good: Option<Who>,
}

/// What is on the disk of a machine.
#[derive(Clone, Debug)]
pub(super) enum Saved {
    /// What was there when the world began. It is made when it is read: ten thousand of them take much memory.
    BeforeTheWorld,
    /// What a process of this world saved.
    Here(Arc<Snapshot>),
}

/// One manager and its machine.
#[derive(Clone, Debug)]
pub struct WorldNode<S> {
    /// Its number.
    pub number: u32,
    /// The manager, while its process runs.
    pub subject: Option<S>,
    /// Its counters.
    pub tally: NodeTally,
    pub(super) start: u32,
    pub(super) now_full: bool,
    /// The digests of the runs that are over.
    pub(super) past: u64,
    /// The probes reached in them.
    pub(super) past_probes: Option<Box<Probes>>,
    pub(super) clock: MachineClock,
    /// The nearest wake-up that is planned.
    pub(super) armed: Instant,
    pub(super) links: FxHashMap<ConnId, LinkId>,
    pub(super) ails: Ails,
    limits: Limits,
    mode: connmgr_core::Mode,
    /// How many automatic connections fill the pool.
    target: u32,
    /// The peers that were added.
    peers: Vec<ScriptedPeer>,
    /// How many of them can be reached while the world is healthy.
    good_peers: u32,
    /// Entries of `peers` that are due now and not added yet.
    pub(super) adding: u32,
    pub(super) accepts_after: Instant,
    pub(super) arrivals: u64,
    pub(super) saved: Saved,
    /// What was saved before the first crash.
    pub(super) first_saved: Option<Saved>,
}

impl<S> WorldNode<S> {
    pub(super) fn new(number: u32, limits: Limits, mode: connmgr_core::Mode) -> Self {
        let mut node = Self {
            number,
            subject: None,
            tally: NodeTally::default(),
            start: 0,
            now_full: false,
            past: 0,
            past_probes: None,
            clock: MachineClock::default(),
            armed: Instant::MAX,
            links: FxHashMap::default(),
            ails: Ails::default(),
            limits,
            mode,
            target: 0,
            peers: Vec::new(),
            good_peers: 0,
            adding: 0,
            accepts_after: Instant::ZERO,
            arrivals: 0,
            saved: Saved::BeforeTheWorld,
            first_saved: None,
        };
        node.aim();
        node
    }

    /// The limits of its connections have changed.
    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.aim();
    }

    /// A peer was added.
    pub(super) fn add_peer(&mut self, added: ScriptedPeer) {
        self.good_peers += u32::from(added.good.is_some());
        self.peers.push(added);
        self.aim();
    }

    /// Takes the peers of an entry of the scenario's `peers`, in their order.
    pub(super) fn take_peers(&mut self, spec: u16) -> Vec<ScriptedPeer> {
        let (gone, rest): (Vec<_>, Vec<_>) = self.peers.drain(..).partition(|added| added.spec == spec);
        self.good_peers -= gone.iter().map(|added| u32::from(added.good.is_some())).sum::<u32>();
        self.peers = rest;
        self.aim();
        gone
    }

    /// The process is gone, and with it the peers that were added.
    pub(super) fn forget_peers(&mut self) {
        self.peers.clear();
        (self.good_peers, self.adding) = (0, 0);
        self.aim();
    }

    /// Added peers take slots from the automatic connections.
    fn aim(&mut self) {
        let peers = u32::try_from(self.peers.len()).unwrap_or(u32::MAX);
        let split = Split::new(&self.limits, self.mode, None, peers);
        self.target = split.full + split.block_relay;
    }

    /// This run of the process.
    pub(super) const fn run(&self) -> ProcessRun {
        ProcessRun { node: self.number, start: self.start }
    }

    /// Whether the pool is full, and every good added peer connected.
    pub const fn is_full(&self) -> bool {
        self.now_full
    }

    /// Whether the pool is full with this many ready automatic and added connections.
    pub(super) fn look_whether_full(&self, automatic: u32, added: u32) -> bool {
        let is_running = self.subject.is_some() && !self.ails.inactive && self.adding == 0;
        is_running && automatic >= self.target && added >= self.good_peers
    }

    /// The counters by network, stable connections that still live included.
    pub(super) fn traffic(
        &self,
        links: &Links,
        stable_after: Duration,
        now: Instant,
    ) -> [Traffic; NetworkKind::ALL.len()] {
        let mut traffic = self.tally.traffic;
        let live = self.links.values().filter_map(|id| links.get(*id));
        for link in live.filter(|link| link.is_stable(stable_after, now)) {
            traffic[link.network.index()].stable += 1;
        }
        traffic
    }

    /// The manager's own monotonic clock.
    pub fn now(&self, world: Instant) -> Time {
        self.clock.time(world)
    }
}

impl<S: Subject> WorldNode<S> {
    /// The probes it reached, in all runs of its process.
    pub fn probes(&self) -> Probes {
        let mut probes = self.past_probes.as_deref().cloned().unwrap_or_default();
        if let Some(reached) = self.subject.as_ref().and_then(|subject| subject.watch().probes()) {
            probes.merge(reached);
        }
        if self.tally.starts > 1 {
            probes.reach(Probe::Restarted);
        }
        probes
    }

    /// Keeps the probes of this run of the process, which ends.
    pub(super) fn keep_probes(&mut self) {
        let Some(reached) = self.subject.as_ref().and_then(|subject| subject.watch().probes()) else { return };
        self.past_probes.get_or_insert_default().merge(reached);
    }
}

/// The two clocks of a machine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MachineClock {
    /// When the process started.
    zero: Instant,
    /// For how many nanoseconds the monotonic clock has stood still since then.
    stood: u64,
    /// How far the wall clock is off, in seconds.
    off: i64,
    /// The wall clock has jumped against the monotonic one, and the manager does not know yet.
    pub(super) is_news: bool,
}

impl MachineClock {
    /// A process starts: its monotonic clock starts at zero; the wall clock is the machine's.
    pub(super) fn restart(&mut self, world: Instant) {
        *self = Self { zero: world, stood: 0, off: self.off, is_news: false };
    }

    pub(super) fn time(&self, world: Instant) -> Time {
        let ran = world.as_nanos().saturating_sub(self.zero.as_nanos());
        Time::from_nanos(ran.saturating_sub(self.stood))
    }

    /// A manager's time as the world's time.
    pub(super) fn instant(&self, time: Time) -> Instant {
        if time == Time::MAX {
            return Instant::MAX;
        }
        Instant::from_nanos(self.zero.as_nanos().saturating_add(self.stood).saturating_add(time.as_nanos()))
    }

    pub(super) fn unix(&self, world: Instant) -> UnixTime {
        UnixTime::from_secs(BEGINNING.as_secs().saturating_add(world.as_secs()).saturating_add_signed(self.off))
    }

    /// The monotonic clock stood still for so long.
    pub(super) fn stand_still(&mut self, lasted: Duration) {
        self.stood = self.stood.saturating_add(nanos(lasted));
        self.is_news = true;
    }

    /// The wall clock steps.
    pub(super) fn step(&mut self, seconds: i64) {
        self.off = self.off.saturating_add(seconds);
        self.is_news = true;
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The faults at a machine. Those of one kind may overlap, so they are counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Ails {
    pub(super) interface: u32,
    pub(super) silent: [u32; NetworkKind::ALL.len()],
    pub(super) no_route: [u32; NetworkKind::ALL.len()],
    pub(super) reset: [u32; NetworkKind::ALL.len()],
    pub(super) partition: Share,
    pub(super) own_failures: Vec<OwnFailures>,
    pub(super) proxy: Option<ProxyFault>,
    pub(super) names_hang: u32,
    pub(super) names_fail: u32,
    pub(super) out_of_descriptors: u32,
    pub(super) late: u32,
    pub(super) doubled: u32,
    pub(super) missing: Share,
    pub(super) inactive: bool,
    pub(super) asleep_until: Option<Instant>,
}

impl Ails {
    /// Whether nothing comes back from a network at all.
    pub(super) fn is_cut_off(&self, network: NetworkKind) -> bool {
        let at = network.index();
        self.interface > 0 || self.silent[at] > 0 || self.no_route[at] > 0 || self.asleep_until.is_some()
    }

    /// Whether any of them makes dials fail.
    pub(super) fn hampers(&self) -> bool {
        let any = |counts: &[u32]| counts.iter().any(|count| *count > 0);
        let far = self.interface > 0 || any(&self.silent) || any(&self.no_route) || any(&self.reset);
        far || self.proxy.is_some() || !self.own_failures.is_empty()
    }
}
