//! What the checkers check, by name.

crate::words! {
    /// One thing that must always hold (safety) or must come about in time (liveness). Each has a file of its own.
    Property, UnknownProperty, "property" {
        /// Contract 7: `Connected` comes before `Disconnected`, each once; nothing after.
        ConnectionEndsOnce => "connection-ends-once",
        /// Contract 6: every dial ends once, by the first of its result and our `Close`; a late success is closed.
        DialEndsOnce => "dial-ends-once",
        /// Ids count up and are never used again.
        IdsCountUp => "ids-count-up",
        /// Contract 3: a timeout before the deadline emits nothing and moves no deadline.
        EarlyIsFree => "early-is-free",
        /// Contract 4: after a due timeout, the next deadline is at least 1 ms away; nothing is set nearer.
        Progress => "progress",
        /// Contract 9: no input causes more than `max_actions_per_input` actions.
        ActionsBounded => "actions-bounded",
        /// Contract 4: wake-ups that lead to nothing stay few.
        NoSpin => "no-spin",
        /// Contract 8: no dial to an address that is connected or being dialed.
        AddressInUse => "address-in-use",
        /// Contract 8: no dial to ourselves.
        OwnAddress => "own-address",
        /// Contract 8: no dial to the banned.
        BannedDial => "banned-dial",
        /// A ban closes the connections of whom it covers, in the same step.
        BanCloses => "ban-closes",
        /// A ban ends when it was to end, and no other way but by command or for want of room.
        BanEnds => "ban-ends",
        /// A ban outlives the process.
        BansSurvive => "bans-survive",
        /// Contract 8: no more automatic connections in one group than allowed.
        GroupTaken => "group-taken",
        /// No kind holds more slots than it has, nor more silent dials than may be.
        SlotLimits => "slot-limits",
        /// A dial that succeeded is closed as surplus only if every slot of its kind is held by an open connection.
        SuccessKept => "success-kept",
        /// Connections and dials never exceed the total.
        TotalLimit => "total-limit",
        /// Contract 8: only enabled networks, each by its own route; never directly where a proxy is configured.
        Route => "route",
        /// Connect-only: the added peers and nobody else.
        ConnectOnly => "connect-only",
        /// Every dial, handshake and visit ends by its deadline, and `poll_timeout` covers it.
        Deadlines => "deadlines",
        /// Retries of added peers keep the bounds of their back-off.
        RetryBounds => "retry-bounds",
        /// A retry comes when it is due.
        RetryComes => "retry-comes",
        /// A removed peer stays removed.
        RemovedPeer => "removed-peer",
        /// Adding peers is refused for the reasons there are, and for no other.
        AddedPeers => "added-peers",
        /// Scores add up and fade as published.
        ScoreArithmetic => "score-arithmetic",
        /// Whoever comes in is let in or refused by the rules, exactly.
        InboundAdmission => "inbound-admission",
        /// Accepting pauses longer after each failure in a row, up to the longest pause.
        AcceptPause => "accept-pause",
        /// Every `Connected` carries a nonce of its own.
        NonceUnique => "nonce-unique",
        /// A nonce or identity of ours that comes back closes the connection.
        SelfConnection => "self-connection",
        /// Of two connections to one identity the right one is kept.
        Duplicates => "duplicates",
        /// A connection that is ready offers what its kind requires.
        RequiredServices => "required-services",
        /// A v2 dial that dies unheard is repeated as v1, and the preference sticks.
        Transport => "transport",
        /// Seeds are asked when and how they may be, and give no more than may be kept.
        Seeds => "seeds",
        /// While inactive nobody is dialed, asked or let in, and every connection goes.
        Resting => "resting",
        /// Contract 11: everything is closed, then `Stopped`, then nothing.
        ShutMeansShut => "shut-means-shut",
        /// A network that is down is probed by few dials.
        OutageBudget => "outage-budget",
        /// An address is not dialed again automatically before its rest is over.
        DialSpacing => "dial-spacing",
        /// Automatic dials keep to their rate.
        DialRate => "dial-rate",
        /// Automatic dials into one network that lead nowhere slow down.
        Pace => "pace",
        /// Out of descriptors, ports or memory: no dial at all, then one at a time, more and more rarely.
        Shortage => "shortage",
        /// An address at which a connected peer was met is not dialed automatically while that connection lives.
        AliasRests => "alias-rests",
        /// Dials of all sorts in a second are no more than the configuration explains.
        DialStorm => "dial-storm",
        /// State is not saved more often than it may.
        SaveSpacing => "save-spacing",
        /// What the actions told is what the view shows.
        ViewAgrees => "view-agrees",
        /// `ConnManager::check` finds nothing.
        Invariants => "invariants",
        /// The pool is full again in time once the world is well.
        Recovery => "recovery",
        /// Never worse than the naive: the pool is first full no later than half as long again as the best of the plain
        /// policies takes, and 5 s; a minute more where something changed before.
        FillTime => "fill-time",
        /// It takes no more dials than three times those of the thriftiest, and 50.
        FillDials => "fill-dials",
        /// After the last fault the pool is full again no later than half as long again as the best takes, and 65 s.
        RecoveryTime => "recovery-time",
        /// Whatever fails: while nothing about the world changes, no more dials into a network than 1500 in the first
        /// hour, 400 in each later one, 10 000 a day, and what stable connections explain.
        DialBudget => "dial-budget",
        /// The same of handshakes that were done.
        HandshakeBudget => "handshake-budget",
        /// Nothing: the checker that is broken on purpose, with which the tools are tried.
        Canary => "canary",
    }
}

/// What sort of promise a property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nature {
    /// Something bad never happens.
    Safety,
    /// Something good happens in time.
    Liveness,
    /// It does as well as others, or as it should by figures.
    Measure,
}

impl Property {
    /// What sort of promise it is.
    pub const fn nature(self) -> Nature {
        match self {
            Self::Recovery | Self::RetryComes => Nature::Liveness,
            Self::FillTime | Self::FillDials | Self::RecoveryTime | Self::DialBudget | Self::HandshakeBudget => {
                Nature::Measure
            }
            _ => Nature::Safety,
        }
    }

    /// Whether something good did not come, rather than something bad did.
    pub const fn is_liveness(self) -> bool {
        matches!(self.nature(), Nature::Liveness)
    }
}
