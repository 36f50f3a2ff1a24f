//! Notable states, and how often each was reached: a campaign that never reaches what it promises to reach proves
//! nothing.

use connmgr_core::Refusal;

crate::words! {
    /// A notable state that a manager can reach.
    Probe, UnknownProbe, "probe" {
        /// As many full connections are ready as are wanted.
        TargetReached => "target-reached",
        /// A network was suspected down.
        NetworkDown => "network-down",
        /// A network was found up again.
        NetworkUp => "network-up",
        /// A network that is down was dialed.
        OutageProbe => "outage-probe",
        /// A silent dial gave its slot to another.
        HedgedDial => "hedged-dial",
        /// A handshake without progress gave its slot to another.
        StalledHandshake => "stalled-handshake",
        /// A silent dial, or a stalled handshake, made progress and took a slot.
        SlotTakenBack => "slot-taken-back",
        /// Dials into a network led nowhere for so long that they slowed down.
        PaceSlowed => "pace-slowed",
        /// Dials that had slowed down may go at full speed again.
        PaceRestored => "pace-restored",
        /// A dial failed because the machine had no room for another, and all dials wait.
        Shortage => "shortage",
        /// A dial succeeded when its slot had been given away.
        SurplusClose => "surplus-close",
        /// A dial succeeded after we gave it up.
        LateSuccess => "late-success",
        /// A dial's result was told of a connection that is open.
        DoubledResult => "doubled-result",
        /// A dial was given up at its deadline.
        DialTimeout => "dial-timeout",
        /// A handshake was given up at its deadline.
        HandshakeTimeout => "handshake-timeout",
        /// Somebody was banned.
        Ban => "ban",
        /// A subnet was banned.
        SubnetBan => "subnet-ban",
        /// A connection was closed because its host was banned.
        BanClosed => "ban-closed",
        /// A ban ended by itself.
        BanExpired => "ban-expired",
        /// A ban ended early to make room for another.
        BanEvicted => "ban-evicted",
        /// A host was warned of.
        ScoreWarning => "score-warning",
        /// Who can't be banned misbehaved so much that the connection went.
        Misbehaved => "misbehaved",
        /// An added peer took over a connection.
        Adopted => "adopted",
        /// A block-relay connection made room for an added peer of its address.
        MadeRoom => "made-room",
        /// One of two connections to one peer was closed.
        Duplicate => "duplicate",
        /// We reached ourselves.
        OwnAddress => "own-address",
        /// A peer lacked required services.
        MissingServices => "missing-services",
        /// A visit had served its purpose.
        VisitDone => "visit-done",
        /// A retry was scheduled.
        Retry => "retry",
        /// A retry waits as long as any retry ever does.
        RetryCapped => "retry-capped",
        /// A back-off was forgotten after a stable connection.
        RetryReset => "retry-reset",
        /// A back-off stood still during an outage.
        RetryFrozen => "retry-frozen",
        /// A peer added for one connection has had it.
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
        /// Somebody was let in.
        Admitted => "admitted",
        /// A stranger was refused: not accepting.
        RefusedInactive => "refused-inactive",
        /// A stranger was refused: unknown listener.
        RefusedUnknownListener => "refused-unknown-listener",
        /// A stranger was refused: banned.
        RefusedBanned => "refused-banned",
        /// A stranger was refused: every slot is taken.
        RefusedFull => "refused-full",
        /// A stranger was refused: too many of one host.
        RefusedHostLimit => "refused-host-limit",
        /// A stranger was refused: too many unfinished handshakes.
        RefusedHalfOpenLimit => "refused-half-open-limit",
        /// A stranger was refused: connecting too often.
        RefusedRateLimit => "refused-rate-limit",
        /// Accepting paused.
        PauseAccept => "pause-accept",
        /// Accepting paused as long as it ever does.
        PauseCapped => "pause-capped",
        /// State was to be saved.
        Save => "save",
        /// Work was left for the next tick because of `max_actions_per_input`.
        MaxActionsBoundReached => "max-actions-bound-reached",
        /// A connection was dialed once more as v1.
        TransportDowngrade => "transport-downgrade",
        /// A connection went because a limit fell.
        LimitLoweredClose => "limit-lowered-close",
        /// A timeout came more than a minute late.
        LateTimeout => "late-timeout",
        /// The world's clocks were set.
        ClockSet => "clock-set",
        /// The manager was told to rest.
        Inactive => "inactive",
        /// The manager shut down.
        Stopped => "stopped",
        /// The manager was born again from what it had saved.
        Restarted => "restarted",
        /// The pool was full again after healing.
        Recovered => "recovered",
    }
}

impl Probe {
    pub(crate) const fn of_refusal(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Inactive => Self::RefusedInactive,
            Refusal::UnknownListener => Self::RefusedUnknownListener,
            Refusal::Banned => Self::RefusedBanned,
            Refusal::Full => Self::RefusedFull,
            Refusal::HostLimit => Self::RefusedHostLimit,
            Refusal::HalfOpenLimit => Self::RefusedHalfOpenLimit,
            Refusal::RateLimit => Self::RefusedRateLimit,
        }
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

    /// Those reached, with how often, in the order of their declaration.
    pub fn reached(&self) -> impl Iterator<Item = (Probe, u64)> + '_ {
        Probe::ALL.iter().map(|probe| (*probe, self.count(*probe))).filter(|(_, count)| *count > 0)
    }

    /// Those of the promised ones that were never reached.
    pub fn missed<'a>(&'a self, promised: &'a [Probe]) -> impl Iterator<Item = Probe> + 'a {
        promised.iter().copied().filter(|probe| self.count(*probe) == 0)
    }

    /// Adds what others reached.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count = count.saturating_add(*more));
    }

    /// It was reached once more.
    pub fn reach(&mut self, probe: Probe) {
        self.counts[probe as usize] += 1;
    }
}
