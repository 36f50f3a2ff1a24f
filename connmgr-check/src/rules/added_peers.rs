//! Adding peers is refused for the reasons there are, in their order, and for no other.

use connmgr_core::{AddPeerError, Input, PeerAddress, Reply};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;

#[derive(Clone, Debug)]
pub(crate) struct AddedPeers;

impl AddedPeers {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }

    fn expected(seen: Seen<'_>, address: &PeerAddress) -> Result<(), AddPeerError> {
        let ledger = seen.ledger;
        if matches!(ledger.phase, Phase::Stopping | Phase::Stopped) {
            Err(AddPeerError::ShuttingDown)
        } else if ledger.peers.with_address(address).is_some() {
            Err(AddPeerError::Duplicate)
        } else if ledger.peers.len() >= ledger.limits.added {
            Err(AddPeerError::Full)
        } else if !ledger.is_reachable(address) {
            Err(AddPeerError::Unreachable)
        } else if ledger.own.contains(address) {
            Err(AddPeerError::OwnAddress)
        } else if ledger.is_banned(address.host(), seen.now()) {
            Err(AddPeerError::Banned)
        } else {
            Ok(())
        }
    }
}

impl Rule for AddedPeers {
    const PROPERTY: Property = Property::AddedPeers;

    fn input(&mut self, seen: Seen<'_>, input: &Input, reply: &Reply) -> Verdict {
        let Input::AddPeer { address, .. } = input else { return Ok(()) };
        let expected = Self::expected(seen, address);
        let replied = if let Reply::Added(added) = reply { added.map(drop) } else { Ok(()) };
        hold(replied == expected, || format!("{address} was answered with {reply:?} instead of {expected:?}"))
    }
}
