//! A v2 connection that ends before the peer sends anything is repeated as v1, once, to the same address by the same
//! route, if nothing forbids it; at once, unless it must wait for the dial rate or for resources. A peer known to speak
//! only v1, or whose known services are without v2, is never dialed as v2.

use connmgr_core::{
    Action, AddressView, ConnManager, Input, Isolation, PeerAddress, ProxyAddress, Reply, Services, Transport,
};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::ledger::conn::dialed_address;

/// A dial that repeats a v2 connection as v1.
#[derive(Clone, Debug)]
struct Repetition {
    address: PeerAddress,
    via: Option<(ProxyAddress, Isolation)>,
    /// Nothing forbids it or holds it up, so it must come in this step.
    must: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TransportRule {
    repetition: Option<Repetition>,
}

impl TransportRule {
    fn is_free(seen: RuleContext<'_>, address: &PeerAddress) -> bool {
        let ledger = seen.ledger;
        let down = ledger.health_network(address).is_some_and(|network| ledger.is_down(network));
        let users = ledger.conns.values().filter(|conn| conn.address.as_ref() == Some(address)).count();
        ledger.phase == RunPhase::Active
            && !down
            && !ledger.own.contains(address, seen.now())
            && !ledger.own.is_doubtful(address, seen.now())
            && !ledger.is_banned(address.host(), seen.now())
            && users == 1
    }

    fn has_slot(seen: RuleContext<'_>, kind: connmgr_core::Kind) -> bool {
        let (ledger, count) = (seen.ledger, seen.ledger.count(kind));
        let lookups = if kind == connmgr_core::Kind::Added { ledger.lookups } else { 0 };
        count.open + count.dialing + lookups <= ledger.split.of(kind)
            && ledger.live() + ledger.lookups <= ledger.limits.total
    }
}

impl Rule for TransportRule {
    const PROPERTY: Property = Property::Transport;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    // The ledger has not seen this input yet, so the connection is still there.
    fn input(&mut self, seen: RuleContext<'_>, input: &Input, _: &Reply) -> RuleResult {
        self.repetition = None;
        let Input::Closed { conn, cause: connmgr_core::CloseCause::Unheard } = input else { return Ok(()) };
        let Some(conn) = seen.ledger.conn(*conn).filter(|conn| conn.died_unheard()) else { return Ok(()) };
        if let (Some(address), Some(kind)) = (&conn.address, conn.kind) {
            let waits = seen.ledger.may_wait(kind, seen.now()) || !seen.step.is_calm();
            let must = Self::is_free(seen, address) && Self::has_slot(seen, kind) && !waits;
            self.repetition = Some(Repetition { address: address.clone(), via: conn.via.clone(), must });
        }
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        if seen.step.actions < 2 {
            return Ok(());
        }
        let Some(Repetition { address, via, must }) = self.repetition.take() else { return Ok(()) };
        match action {
            Action::Dial { conn, target, transport, .. } if dialed_address(target) == address => {
                hold(*transport == Transport::V1, || format!("{conn} repeats {address} as {transport:?}"))?;
                let same = match target {
                    connmgr_core::Target::Direct(_) => via.is_none(),
                    connmgr_core::Target::Proxied { proxy, isolation, .. } => via == Some((proxy.clone(), *isolation)),
                };
                hold(same, || format!("{conn} repeats {address} by {target} instead of {via:?}"))
            }
            _ => hold(!must, || format!("{address} died unheard, and is not dialed again, but: {action}")),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        if let Some(repetition) = self.repetition.take() {
            hold(!repetition.must, || format!("{} died unheard, and is not dialed again", repetition.address))?;
        }
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| conn.transport == Transport::V2) else { continue };
            hold(seen.ledger.config.transport == Transport::V2, || {
                format!("{id} is dialed as v2, which nobody asked for")
            })?;
            let book = manager.book();
            let known = conn.address.as_ref().filter(|_| conn.peer.is_none()).and_then(|address| book.get(address));
            let is_without = |known: &AddressView| {
                let told = known.last_success.is_some() || known.services != seen.ledger.config.required.full;
                told && known.services != Services::NONE && !known.services.has(Services::P2P_V2)
            };
            hold(!known.as_ref().is_some_and(is_without), || format!("{id} is dialed as v2, which it does not offer"))?;
            let v1_only = conn.peer.and_then(|peer| seen.ledger.peers.get(peer)).is_some_and(|peer| peer.v1_only);
            hold(!v1_only, || format!("{id} is dialed as v2, though {:?} speaks v1 only", conn.peer))?;
        }
        Ok(())
    }
}
