//! `add_peer` succeeds, or is refused for the first reason that applies, in this order.

use connmgr_core::{AddPeerError, AddedPeer, Input, PeerAddress, Reply};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::ledger::peer::settled;

#[derive(Clone, Debug, Default)]
pub(crate) struct AddedPeersRule;

impl AddedPeersRule {
    fn expected(seen: RuleContext<'_>, wanted: &AddedPeer) -> Result<(), AddPeerError> {
        let ledger = seen.ledger;
        if matches!(ledger.phase, RunPhase::Stopping | RunPhase::Stopped) {
            Err(AddPeerError::ShuttingDown)
        } else if wanted.addresses.len() > AddedPeer::MAX_ADDRESSES {
            Err(AddPeerError::TooManyAddresses)
        } else if wanted.retry.is_some_and(|retry| retry.check().is_err()) {
            Err(AddPeerError::BadBackoff)
        } else if ledger.peers.has(wanted) {
            Err(AddPeerError::Duplicate)
        } else if ledger.peers.len() >= ledger.limits.added {
            Err(AddPeerError::Full)
        } else {
            // The error of the last address, if each has one.
            let errors = wanted.addresses.iter().map(|address| Self::error_of(seen, address));
            errors.reduce(Option::and).unwrap_or(Some(AddPeerError::NoAddress)).map_or(Ok(()), Err)
        }
    }

    fn error_of(seen: RuleContext<'_>, address: &PeerAddress) -> Option<AddPeerError> {
        if let Some(why) = address.not_dialable() {
            Some(AddPeerError::NotDialable(why))
        } else if !seen.ledger.is_reachable(address) {
            Some(AddPeerError::Unreachable)
        } else if seen.ledger.own.contains(address, seen.now()) {
            Some(AddPeerError::OwnAddress)
        } else if seen.ledger.is_banned(address.host(), seen.now()) {
            Some(AddPeerError::Banned)
        } else {
            None
        }
    }
}

impl Rule for AddedPeersRule {
    const PROPERTY: Property = Property::AddedPeers;
    const INPUT: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, input: &Input, reply: &Reply) -> RuleResult {
        let Input::AddPeer { peer } = input else { return Ok(()) };
        let peer = &settled(peer, seen.ledger.config.networks);
        let expected = Self::expected(seen, peer);
        // The address where we met ourselves is forgotten at about this time.
        let is_doubtful = |address: &PeerAddress| seen.ledger.own.is_doubtful(address, seen.now());
        if peer.addresses.iter().any(is_doubtful) && *reply == Reply::Added(Err(AddPeerError::OwnAddress)) {
            return Ok(());
        }
        let replied = if let Reply::Added(added) = reply { added.map(drop) } else { Ok(()) };
        hold(replied == expected, || format!("{peer} was answered with {reply:?} instead of {expected:?}"))
    }
}
