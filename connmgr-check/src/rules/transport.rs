//! A v2 dial that dies unheard is repeated as v1, once, to the same address by the same route, if nothing forbids it;
//! and a peer known to speak v1 only is never spoken to as v2.

use std::net::SocketAddr;

use connmgr_core::{Action, ConnManager, Input, Isolation, PeerAddress, Reply, Transport as Speech};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;
use crate::ledger::conn::dialed_address;

/// What is dialed again.
#[derive(Clone, Debug)]
struct Again {
    address: PeerAddress,
    via: Option<(SocketAddr, Isolation)>,
    /// Nothing forbids it.
    must: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Transport {
    again: Option<Again>,
}

impl Transport {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { again: None }
    }

    fn is_free(seen: Seen<'_>, address: &PeerAddress) -> bool {
        let ledger = seen.ledger;
        let down = ledger.judged(address).is_some_and(|network| ledger.is_down(network));
        let users = ledger.conns.values().filter(|conn| conn.address.as_ref() == Some(address)).count();
        ledger.phase == Phase::Active
            && !down
            && !ledger.own.contains(address)
            && !ledger.is_banned(address.host(), seen.now())
            && users == 1
    }

    fn has_slot(seen: Seen<'_>, kind: connmgr_core::Kind) -> bool {
        let (ledger, count) = (seen.ledger, seen.ledger.count(kind));
        count.open + count.dialing <= ledger.split.of(kind) && ledger.live() + ledger.lookups <= ledger.limits.total
    }
}

impl Rule for Transport {
    const PROPERTY: Property = Property::Transport;

    /// The ledger does not have this input yet: the connection is there still.
    fn input(&mut self, seen: Seen<'_>, input: &Input, _: &Reply) -> Verdict {
        self.again = None;
        let Input::Closed { conn, cause: connmgr_core::CloseCause::Unheard } = input else { return Ok(()) };
        let Some(conn) = seen.ledger.conn(*conn).filter(|conn| conn.died_unheard()) else { return Ok(()) };
        if let (Some(address), Some(kind)) = (&conn.address, conn.kind) {
            let must = Self::is_free(seen, address) && Self::has_slot(seen, kind) && seen.step.is_calm();
            self.again = Some(Again { address: address.clone(), via: conn.via, must });
        }
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        if seen.step.actions < 2 {
            return Ok(());
        }
        let Some(Again { address, via, must }) = self.again.take() else { return Ok(()) };
        match action {
            Action::Dial { conn, target, transport, .. } if dialed_address(target) == address => {
                hold(*transport == Speech::V1, || format!("{conn} repeats {address} as {transport:?}"))?;
                let same = match target {
                    connmgr_core::Target::Direct(_) => via.is_none(),
                    connmgr_core::Target::Proxied { proxy, isolation, .. } => via == Some((*proxy, *isolation)),
                };
                hold(same, || format!("{conn} repeats {address} by {target} instead of {via:?}"))
            }
            _ => hold(!must, || format!("{address} died unheard, and is not dialed again, but: {action}")),
        }
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        if let Some(again) = self.again.take() {
            hold(!again.must, || format!("{} died unheard, and is not dialed again", again.address))?;
        }
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| conn.transport == Speech::V2) else { continue };
            hold(seen.ledger.config.transport == Speech::V2, || {
                format!("{id} is dialed as v2, which nobody asked for")
            })?;
            let v1_only = conn.peer.and_then(|peer| seen.ledger.peers.get(peer)).is_some_and(|peer| peer.v1_only);
            hold(!v1_only, || format!("{id} is dialed as v2, though {:?} speaks v1 only", conn.peer))?;
        }
        Ok(())
    }
}
