//! `add_peer` succeeds, or is refused for the first reason that applies, in this order.

use connmgr_core::{AddPeerError, Input, PeerAddress, Reply};

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;

#[derive(Clone, Debug, Default)]
pub(crate) struct AddedPeersRule;

impl AddedPeersRule {
    fn expected(seen: RuleContext<'_>, address: &PeerAddress) -> Result<(), AddPeerError> {
        let ledger = seen.ledger;
        let address = &address.clone().settled(ledger.config.networks);
        if matches!(ledger.phase, RunPhase::Stopping | RunPhase::Stopped) {
            Err(AddPeerError::ShuttingDown)
        } else if ledger.peers.with_address(address).is_some() {
            Err(AddPeerError::Duplicate)
        } else if ledger.peers.len() >= ledger.limits.added {
            Err(AddPeerError::Full)
        } else if let Some(why) = address.not_dialable() {
            Err(AddPeerError::NotDialable(why))
        } else if !ledger.is_reachable(address) {
            Err(AddPeerError::Unreachable)
        } else if ledger.own.contains(address, seen.now()) {
            Err(AddPeerError::OwnAddress)
        } else if ledger.is_banned(address.host(), seen.now()) {
            Err(AddPeerError::Banned)
        } else {
            Ok(())
        }
    }
}

impl Rule for AddedPeersRule {
    const PROPERTY: Property = Property::AddedPeers;

    fn input(&mut self, seen: RuleContext<'_>, input: &Input, reply: &Reply) -> RuleResult {
        let Input::AddPeer { address, .. } = input else { return Ok(()) };
        let expected = Self::expected(seen, address);
        let settled = address.clone().settled(seen.ledger.config.networks);
        if seen.ledger.own.is_doubtful(&settled, seen.now()) && *reply == Reply::Added(Err(AddPeerError::OwnAddress)) {
            return Ok(());
        }
        let replied = if let Reply::Added(added) = reply { added.map(drop) } else { Ok(()) };
        hold(replied == expected, || format!("{address} was answered with {reply:?} instead of {expected:?}"))
    }
}
