//! How the kinds of connections share the total.

use super::Mode;
use crate::types::{Kind, Limits};

/// Each kind's share of the total, for a number of added peers.
///
/// Added peers come first, then full, block-relay and feeler. The rest is for inbound connections; a part of it only
/// while nothing is dialed. Nothing else computes shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Split {
    /// Added peers that may be connected or dialed at once.
    pub added: u32,
    /// Full connections to keep.
    pub full: u32,
    /// Block-relay connections to keep.
    pub block_relay: u32,
    /// Feelers at a time.
    pub feeler: u32,
    /// Addr-fetch connections at a time, in the room that the other kinds leave.
    pub addr_fetch: u32,
    /// Inbound connections.
    pub inbound: u32,
    /// The part of `inbound` that new inbound connections leave free while full or block-relay connections are dialed:
    /// room for dials that gave their slot away. It is as large as the slots of the two kinds, or `dial.max_hedged`
    /// each if that is less, and at most a quarter of `inbound`. More hedged dials use any other free room.
    pub hedged: u32,
}

/// One in this many of the inbound slots is kept for hedged dials. A larger part would refuse too many inbound
/// connections where the total is small.
const MOST_HEDGED: u32 = 4;

impl Split {
    /// The shares of `limits.total` with `added` added peers; `max_hedged` is [`DialConfig::max_hedged`].
    ///
    /// [`DialConfig::max_hedged`]: crate::DialConfig::max_hedged
    pub fn new(limits: &Limits, mode: Mode, max_hedged: Option<u32>, added: u32) -> Self {
        let mut left = limits.total;
        let mut take = |wanted: u32| {
            let taken = wanted.min(left);
            left -= taken;
            taken
        };
        let automatic = |wanted: u32| match mode {
            Mode::Automatic => wanted,
            Mode::ConnectOnly => 0,
        };
        let added = take(added.min(limits.added));
        let full = take(automatic(limits.full));
        let block_relay = take(automatic(limits.block_relay));
        let feeler = take(automatic(limits.feeler));
        let most_hedged = max_hedged.unwrap_or(u32::MAX);
        let hedged = (full.min(most_hedged) + block_relay.min(most_hedged)).min(left / MOST_HEDGED);
        let addr_fetch = automatic(limits.addr_fetch);
        Self { added, full, block_relay, feeler, addr_fetch, inbound: left, hedged }
    }

    /// The share of one kind.
    pub const fn of(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Full => self.full,
            Kind::BlockRelay => self.block_relay,
            Kind::Feeler => self.feeler,
            Kind::AddrFetch => self.addr_fetch,
            Kind::Added => self.added,
            Kind::Inbound => self.inbound,
        }
    }

    /// Slots reserved for outbound connections.
    pub const fn reserved(&self) -> u32 {
        self.added + self.full + self.block_relay + self.feeler
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(total: u32, added: u32, mode: Mode, expected: (u32, u32, u32)) {
        let limits = Limits { total, added: added.max(8), ..Limits::default() };
        let split = Split::new(&limits, mode, None, added);
        assert_eq!((split.full, split.reserved(), split.inbound), expected, "total {total}, added {added}");
    }

    #[test]
    fn the_total_is_shared_as_btcd_shares_it() {
        check(8, 1, Mode::ConnectOnly, (0, 1, 7));
        check(8, 10, Mode::ConnectOnly, (0, 8, 0));
        check(8, 0, Mode::ConnectOnly, (0, 0, 8));
        check(125, 0, Mode::Automatic, (8, 8, 117));
        check(125, 3, Mode::Automatic, (8, 11, 114));
        check(10, 9, Mode::Automatic, (1, 10, 0));
        check(10, 10, Mode::Automatic, (0, 10, 0));
        check(10, 12, Mode::Automatic, (0, 10, 0));
    }

    #[test]
    fn bitcoin_reserves_three_more() {
        let limits = super::super::Config::bitcoin(super::super::Chain::Mainnet).limits;
        let split = Split::new(&limits, Mode::Automatic, None, 0);
        assert_eq!((split.reserved(), split.hedged, split.inbound), (11, 10, 189));
    }

    #[test]
    fn room_for_silent_dials_is_at_most_a_quarter_and_no_more_than_may_be_silent() {
        let hedged = |total, max_hedged| {
            let split = Split::new(&Limits { total, ..Limits::default() }, Mode::Automatic, max_hedged, 0);
            split.hedged
        };
        assert_eq!([8, 12, 20, 125].map(|total| hedged(total, None)), [0, 1, 3, 8]);
        assert_eq!([Some(0), Some(3)].map(|most| hedged(125, most)), [0, 3]);
    }
}
