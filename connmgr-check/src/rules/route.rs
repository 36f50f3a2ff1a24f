//! Contract 8: only enabled networks, each by its own route: never directly where a proxy is configured, never a name
//! to the local resolver behind a proxy, and a circuit of its own where that is asked for.

use std::net::SocketAddr;

use connmgr_core::{Action, ConnId, ConnManager, Event, Isolation, PeerAddress, Proxy, Route as Lookup};
use rustc_hash::FxHashSet;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// The circuits of live connections.
    circuits: FxHashSet<Isolation>,
}

impl Route {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { circuits: FxHashSet::default() }
    }

    fn dial(&mut self, seen: Seen<'_>, id: ConnId) -> Verdict {
        let Some(conn) = seen.ledger.conn(id) else { return Ok(()) };
        let Some(address) = &conn.address else { return Err(format!("{id} was dialed to nobody")) };
        let proxies = &seen.ledger.config.proxies;
        hold(seen.ledger.is_reachable(address), || format!("{id} dials {address}, to which no route leads"))?;
        let proxy = match address.network() {
            Some(network) => proxies.for_network(network),
            None => proxies.all,
        };
        self.judge(id, address, proxy, conn.via)
    }

    fn judge(
        &mut self,
        id: ConnId,
        address: &PeerAddress,
        proxy: Option<Proxy>,
        via: Option<(SocketAddr, Isolation)>,
    ) -> Verdict {
        let (Some(proxy), Some((by, isolation))) = (proxy, via) else {
            let right = proxy.is_none() && via.is_none() && address.name().is_none();
            return hold(right, || format!("{id} dials {address} by {via:?} instead of {proxy:?}"));
        };
        hold(by == proxy.address && fits(isolation, proxy), || {
            format!("{id} dials {address} by {by}, {isolation:?}, instead of {proxy:?}")
        })?;
        let own = isolation == Isolation::Shared || self.circuits.insert(isolation);
        hold(own, || format!("{id} dials {address} on a circuit that another connection has"))
    }
}

fn fits(isolation: Isolation, proxy: Proxy) -> bool {
    match isolation {
        Isolation::Shared => !proxy.isolate,
        Isolation::Token(_) => proxy.isolate,
    }
}

impl Rule for Route {
    const PROPERTY: Property = Property::Route;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Emit(Event::Disconnected { conn, .. } | Event::DialFailed { conn, .. }) => {
                if let Some((_, isolation)) = seen.ledger.conn(*conn).and_then(|conn| conn.via) {
                    self.circuits.remove(&isolation);
                }
                Ok(())
            }
            Action::ResolveHost { host, route, .. } => {
                let leaks = seen.ledger.config.proxies.all.is_some() || *route != Lookup::Direct;
                hold(!leaks, || format!("{host} is looked up {route}, not left to the proxy"))
            }
            Action::ResolveSeed { seed, route, .. } => {
                let right = match (seen.ledger.config.proxies.all, route) {
                    (None, Lookup::Direct) => true,
                    (Some(expected), Lookup::Proxy { proxy, isolation }) => {
                        expected.resolves && expected.address == *proxy && fits(*isolation, expected)
                    }
                    (None, Lookup::Proxy { .. }) | (Some(_), Lookup::Direct) => false,
                };
                hold(right, || format!("the seed {seed} is looked up {route}"))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        seen.step.dials.iter().try_for_each(|id| self.dial(seen, *id))
    }
}
