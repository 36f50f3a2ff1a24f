//! How dials are made, and how long they may take.

use core::time::Duration;

use super::rate::Rate;
use crate::types::More;

/// How dials are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct DialConfig {
    /// For dials without a proxy. Default: `timeout` 5 s (as Bitcoin Core), `hedge_after` 1 s.
    pub direct: Patience,
    /// For dials through a proxy. Default: `timeout` 30 s (as btcd), `hedge_after` 5 s.
    pub proxied: Patience,
    /// How many automatic dials and handshakes of one kind may go on without a slot, beside those with one. `None` (the
    /// default): twice the kind's slots. 0: a dial keeps its slot until it ends. They count towards
    /// [`Limits::total`](crate::Limits::total); [`Split::hedged`](crate::Split::hedged) is the room kept for them.
    pub max_hedged: Option<u32>,
    /// The rate of all automatic dials. Default: 64 at once, then one more every 100 ms. A network whose dials yield
    /// nothing slows down further, from its 640th dial on, to one dial in 10 s; a stable connection restores full
    /// speed. At least 1 at once.
    pub rate: Rate,
    /// An address is preferably not dialed again automatically within this time. Default: 10 min, as btcd and Bitcoin Core.
    /// Not below `min_spacing`.
    pub spacing: Duration,
    /// An address is not dialed again automatically within this time. Default: 30 s. At least 1 ms. It doubles with
    /// each failure, up to `spacing`; if no other address is left, up to a minute, and then one dial in 10 s. After a
    /// network recovers, it does not double.
    ///
    /// A failure is also a connection that the other end closes before it has been ready for
    /// [`stable_after`](crate::Config::stable_after). Three dials need no rest: one to an address that was connected when the
    /// last run ended, a probe of a network that is down to an address that answered before, and the second dial of a
    /// peer that did not understand v2.
    pub min_spacing: Duration,
    /// The longest time a lookup of a name may take, a seed's or a peer's. Default: 30 s. At least 1 ms.
    pub lookup_timeout: Duration,
    /// If an added peer has several addresses, the next is dialed beside one that has been silent for this time (RFC
    /// 8305), where inbound connections leave room. Through a proxy, not before `proxied.hedge_after`. Default: 250 ms.
    /// At least 1 ms.
    pub attempt_delay: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// How long a dial may take, and how long it keeps its slot without progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Patience {
    /// The longest time from the dial until it is open, what a proxy does included. At least 1 ms.
    pub timeout: Duration,
    /// After this time without progress, an automatic dial or handshake gives its slot to another, as soon as fewer
    /// than `max_hedged` go without. It takes a slot again when it makes progress. At least 1 ms. From `timeout`
    /// on, a dial keeps its slot until it ends, and only handshakes give theirs up.
    pub hedge_after: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Patience {
    /// Both times.
    #[must_use]
    pub const fn new(timeout: Duration, hedge_after: Duration) -> Self {
        Self { timeout, hedge_after, _more: More(()) }
    }
}
