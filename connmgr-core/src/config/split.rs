//! How the kinds of connections share the total.

use super::{Limits, Mode};
use crate::event::Kind;

/// The share of each kind of the total, once so many peers are added.
///
/// Added peers come first, then full, block-relay and feelers; what is left is for those who come to us. No other
/// place computes with limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Added peers that may be connected or being dialed at once.
    pub added: u32,
    /// Full connections to keep.
    pub full: u32,
    /// Block-relay connections to keep.
    pub block_relay: u32,
    /// Feelers at a time.
    pub feeler: u32,
    /// Addr-fetch connections at a time, in whatever room is left.
    pub addr_fetch: u32,
    /// The most that may come in.
    pub inbound: u32,
}

impl Split {
    /// Splits `limits.total` when `added` peers are added.
    pub fn new(limits: &Limits, mode: Mode, added: u32) -> Self {
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
        Self {
            added: take(added.min(limits.added)),
            full: take(automatic(limits.full)),
            block_relay: take(automatic(limits.block_relay)),
            feeler: take(automatic(limits.feeler)),
            addr_fetch: automatic(limits.addr_fetch),
            inbound: left,
        }
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

    /// Slots kept free for outbound connections.
    pub const fn reserved(&self) -> u32 {
        self.added + self.full + self.block_relay + self.feeler
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(total: u32, added: u32, mode: Mode, expected: (u32, u32, u32)) {
        let limits = Limits { total, added: added.max(8), ..Limits::default() };
        let split = Split::new(&limits, mode, added);
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
        let split = Split::new(&limits, Mode::Automatic, 0);
        assert_eq!((split.reserved(), split.inbound), (11, 189));
    }
}
