//! The properties that are checked, by name.

crate::words! {
    /// A property of the manager: one that always holds (safety), comes true in time (liveness), or is measured. Each has
    /// a file of its own.
    Property, UnknownProperty, "property" {
        /// Contract 7: `Connected` comes before `Disconnected`, each once, and nothing after.
        ConnectionEndsOnce => "connection-ends-once",
        /// Contract 6: every dial ends once, by its result or our `Close`, whichever is first; a late success is closed.
        DialEndsOnce => "dial-ends-once",
        /// Ids count up and are never reused.
        IdsCountUp => "ids-count-up",
        /// Contract 3: a timeout before the deadline emits nothing and moves no deadline.
        EarlyIsFree => "early-is-free",
        /// Contract 4: after a due timeout the next deadline is at least 1 ms away.
        Progress => "progress",
        /// Contract 9: no input causes more than `max_actions_per_input` actions.
        ActionsBounded => "actions-bounded",
        /// Contract 4: due timeouts without any action stay few.
        NoSpin => "no-spin",
        /// Contract 8: no dial to an address that is connected or being dialed.
        AddressInUse => "address-in-use",
        /// Contract 8: no dial to an address known to be our own.
        OwnAddress => "own-address",
        /// Contract 8: no dial to a banned host.
        BannedDial => "banned-dial",
        /// A ban closes the connections to the hosts it covers, in the same step.
        BanCloses => "ban-closes",
        /// A ban ends at its end, by command, or to make room for another.
        BanEnds => "ban-ends",
        /// A saved ban survives a restart.
        BansSurvive => "bans-survive",
        /// Contract 8: no more automatic connections in one group than allowed.
        GroupTaken => "group-taken",
        /// No kind holds more slots than its share, nor has more without a slot than `max_hedged`.
        SlotLimits => "slot-limits",
        /// A connection is closed as surplus only if every slot of its kind is held by a ready one.
        SuccessKept => "success-kept",
        /// Connections and dials never exceed the total.
        TotalLimit => "total-limit",
        /// Contract 8: only enabled networks are dialed, each by its route; never directly where a proxy is configured.
        Route => "route",
        /// In connect-only mode only added peers are dialed.
        ConnectOnly => "connect-only",
        /// Every dial, handshake and visit ends by its deadline, and `poll_timeout` is no later.
        Deadlines => "deadlines",
        /// Retries of added peers stay within their back-off.
        RetryBounds => "retry-bounds",
        /// A retry comes when it is due.
        RetryComes => "retry-comes",
        /// A removed peer stays removed.
        RemovedPeer => "removed-peer",
        /// `add_peer` is refused only for a reason that applies.
        AddedPeers => "added-peers",
        /// Scores add up and decay as documented.
        ScoreArithmetic => "score-arithmetic",
        /// An arrival is accepted or refused exactly by the rules of inbound admission.
        InboundAdmission => "inbound-admission",
        /// Refused arrivals are told, at most once in a second, and all of them by the end.
        RefusalsTold => "refusals-told",
        /// Accepting pauses longer after each failure in a row, up to the longest pause.
        AcceptPause => "accept-pause",
        /// No two `Connected` carry the same nonce.
        NonceUnique => "nonce-unique",
        /// A connection to ourselves, shown by nonce or identity, is closed.
        SelfConnection => "self-connection",
        /// Of two connections to one identity the right one is kept.
        Duplicates => "duplicates",
        /// A ready connection offers the services its kind requires.
        RequiredServices => "required-services",
        /// A v2 connection that ends before the peer sends anything is repeated as v1; later dials are v1.
        Transport => "transport",
        /// Seeds are asked only when they may be, and no more of their addresses are kept than may be.
        Seeds => "seeds",
        /// While inactive nothing is dialed, asked or accepted, and every connection is closed.
        Resting => "resting",
        /// Contract 11: everything is closed, then `Stopped`, then nothing.
        ShutMeansShut => "shut-means-shut",
        /// A network that is down is probed by few dials.
        OutageBudget => "outage-budget",
        /// An address is not dialed again automatically before its rest is over.
        DialSpacing => "dial-spacing",
        /// Automatic dials stay within `dial.rate`.
        DialRate => "dial-rate",
        /// Fruitless automatic dials into one network slow down.
        Pace => "pace",
        /// Out of descriptors, ports or memory, dials go out one at a time, with growing pauses.
        Shortage => "shortage",
        /// The other address of a connected peer is not dialed automatically while that connection lives.
        AliasRests => "alias-rests",
        /// A ready connection that the application drops is no failure of its address.
        DropBlamesNobody => "drop-blames-nobody",
        /// All dials of one second are no more than the configuration explains.
        DialStorm => "dial-storm",
        /// The first addresses are saved within a minute, bans within a second, and the book no more often than
        /// `book.save_every` allows.
        SaveSpacing => "save-spacing",
        /// The public view agrees with the actions.
        ViewAgrees => "view-agrees",
        /// `ConnManager::check` finds no fault.
        Invariants => "invariants",
        /// The pool is full again in time after the last fault.
        Recovery => "recovery",
        /// The pool is first full within 1.5 times what the best of the plain policies takes, plus 5 s; a minute more
        /// where something changed before.
        FillTime => "fill-time",
        /// Filling takes at most three times the dials of the thriftiest plain policy, plus 50.
        FillDials => "fill-dials",
        /// After the last fault the pool is full again within 1.5 times what the best takes, plus 65 s.
        RecoveryTime => "recovery-time",
        /// While nothing about the world changes, dials into one network are at most 1500 in the first hour, 400 in each
        /// later one and 10 000 a day, plus what stable connections explain.
        DialBudget => "dial-budget",
        /// The same limit for handshakes that were done.
        HandshakeBudget => "handshake-budget",
        /// Always broken on purpose, to try the tools.
        Canary => "canary",
    }
}

/// The nature of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nature {
    /// Something bad never happens.
    Safety,
    /// Something good happens in time.
    Liveness,
    /// A figure stays within a limit, or within what other policies reach.
    Measure,
}

impl Property {
    /// Its nature.
    pub const fn nature(self) -> Nature {
        match self {
            Self::Recovery | Self::RetryComes => Nature::Liveness,
            Self::FillTime | Self::FillDials | Self::RecoveryTime | Self::DialBudget | Self::HandshakeBudget => {
                Nature::Measure
            }
            _ => Nature::Safety,
        }
    }

    /// Whether a violation means that something good did not happen in time.
    pub const fn is_liveness(self) -> bool {
        matches!(self.nature(), Nature::Liveness)
    }
}
