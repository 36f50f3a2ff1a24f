//! Notable states, and how often each was reached. A campaign that misses one it should reach proves little.

use connmgr_core::Refusal;

crate::words! {
    /// A notable state that a manager can reach.
    Probe, UnknownProbe, "probe" {
        /// Every slot for a full connection is held by a ready one.
        TargetReached => "target-reached",
        /// A network was suspected down.
        NetworkDown => "network-down",
        /// A network was found up again.
        NetworkUp => "network-up",
        /// A network that is down was dialed.
        OutageProbe => "outage-probe",
        /// A silent dial lost its slot to another.
        HedgedDial => "hedged-dial",
        /// A handshake without progress lost its slot to another.
        StalledHandshake => "stalled-handshake",
        /// A silent dial or a stalled handshake made progress and took a slot.
        SlotTakenBack => "slot-taken-back",
        /// Dials into a network were fruitless for so long that they slowed down.
        PaceSlowed => "pace-slowed",
        /// Dials that had slowed down may go at full speed again.
        PaceRestored => "pace-restored",
        /// A dial failed for lack of descriptors, ports or memory, and all dials wait.
        Shortage => "shortage",
        /// A dial succeeded when every slot was taken.
        SurplusClose => "surplus-close",
        /// A dial succeeded after we gave it up.
        LateSuccess => "late-success",
        /// A dial result came for a connection that is open.
        DoubledResult => "doubled-result",
        /// A dial was given up at its deadline.
        DialTimeout => "dial-timeout",
        /// A handshake was given up at its deadline.
        HandshakeTimeout => "handshake-timeout",
        /// A host or subnet was banned.
        Ban => "ban",
        /// A subnet was banned.
        SubnetBan => "subnet-ban",
        /// A connection was closed because its host was banned.
        BanClosed => "ban-closed",
        /// A ban ended by itself.
        BanExpired => "ban-expired",
        /// A ban ended early to make room for another.
        BanEvicted => "ban-evicted",
        /// A warning of a host's score.
        ScoreWarning => "score-warning",
        /// A peer whose host can't be banned misbehaved so much that its connection was closed.
        Misbehaved => "misbehaved",
        /// An added peer took over a connection.
        Adopted => "adopted",
        /// A block-relay connection was closed for an added peer of its address.
        MadeRoom => "made-room",
        /// One of two connections to one peer was closed.
        Duplicate => "duplicate",
        /// An added peer told another identity than wanted.
        WrongIdentity => "wrong-identity",
        /// A dial of an added peer was given up because another had opened first.
        Superseded => "superseded",
        /// We connected to ourselves.
        OwnAddress => "own-address",
        /// A peer lacked required services.
        MissingServices => "missing-services",
        /// A visit had served its purpose.
        VisitDone => "visit-done",
        /// A retry was scheduled.
        Retry => "retry",
        /// A retry waits for the cap of its back-off.
        RetryCapped => "retry-capped",
        /// A back-off started over after a stable connection.
        RetryReset => "retry-reset",
        /// A back-off did not grow, because of an outage.
        RetryFrozen => "retry-frozen",
        /// A peer added with `Keep::Once` is finished.
        PeerFinished => "peer-finished",
        /// A peer was removed that was connected or being dialed.
        RemovedWhileBusy => "removed-while-busy",
        /// A seed answered.
        SeedAnswered => "seed-answered",
        /// A seed failed.
        SeedFailed => "seed-failed",
        /// A peer's name could not be resolved.
        LookupFailed => "lookup-failed",
        /// Addresses were asked for.
        AddressesWanted => "addresses-wanted",
        /// An arrival was accepted.
        Admitted => "admitted",
        /// An arrival was refused: not accepting.
        RefusedInactive => "refused-inactive",
        /// An arrival was refused: unknown listener.
        RefusedUnknownListener => "refused-unknown-listener",
        /// An arrival was refused: banned.
        RefusedBanned => "refused-banned",
        /// An arrival was refused: every slot is taken.
        RefusedFull => "refused-full",
        /// An arrival was refused: too many of one host.
        RefusedHostLimit => "refused-host-limit",
        /// An arrival was refused: too many unfinished handshakes.
        RefusedHalfOpenLimit => "refused-half-open-limit",
        /// An arrival was refused: connecting too often.
        RefusedRateLimit => "refused-rate-limit",
        /// Refused arrivals were told.
        RefusalsTold => "refusals-told",
        /// Accepting paused.
        PauseAccept => "pause-accept",
        /// Accepting paused for the longest pause.
        PauseCapped => "pause-capped",
        /// State was to be saved.
        Save => "save",
        /// Work was left for the next tick because of `max_actions_per_input`.
        MaxActionsBoundReached => "max-actions-bound-reached",
        /// A v2 connection was repeated as v1.
        TransportDowngrade => "transport-downgrade",
        /// A connection was closed because a limit was lowered.
        LimitLoweredClose => "limit-lowered-close",
        /// A timeout came more than a minute late.
        LateTimeout => "late-timeout",
        /// The wall clock was set.
        ClockSet => "clock-set",
        /// The manager was set inactive.
        Inactive => "inactive",
        /// The manager shut down.
        Stopped => "stopped",
        /// The manager was restarted from what it had saved.
        Restarted => "restarted",
        /// The pool was full again after the last fault.
        Recovered => "recovered",
    }
}

impl Probe {
    /// `None`: a refusal of a later version, which has no probe here.
    pub(crate) const fn of_refusal(refusal: Refusal) -> Option<Self> {
        Some(match refusal {
            Refusal::Inactive => Self::RefusedInactive,
            Refusal::UnknownListener => Self::RefusedUnknownListener,
            Refusal::Banned => Self::RefusedBanned,
            Refusal::Full => Self::RefusedFull,
            Refusal::HostLimit => Self::RefusedHostLimit,
            Refusal::HalfOpenLimit => Self::RefusedHalfOpenLimit,
            Refusal::RateLimit => Self::RefusedRateLimit,
            _ => return None,
        })
    }
}

/// How often each notable state was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probes {
    counts: Vec<u64>,
}

impl Default for Probes {
    fn default() -> Self {
        Self { counts: vec![0; Probe::ALL.len()] }
    }
}

impl Probes {
    /// How often it was reached.
    pub fn count(&self, probe: Probe) -> u64 {
        self.counts[probe as usize]
    }

    /// Those reached, with their counts, in the order of declaration.
    pub fn reached(&self) -> impl Iterator<Item = (Probe, u64)> + '_ {
        Probe::ALL.iter().map(|probe| (*probe, self.count(*probe))).filter(|(_, count)| *count > 0)
    }

    /// Those of `promised` that were never reached.
    pub fn missed<'a>(&'a self, promised: &'a [Probe]) -> impl Iterator<Item = Probe> + 'a {
        promised.iter().copied().filter(|probe| self.count(*probe) == 0)
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
    }

    /// Counts one more.
    pub fn reach(&mut self, probe: Probe) {
        self.counts[probe as usize] += 1;
    }
}
