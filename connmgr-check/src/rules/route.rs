//! Contract 8: only enabled networks are dialed, by our own choice only in the configured ranges, each by its route: never
//! directly where a proxy is configured, no name to the local resolver behind a proxy, and on a circuit of its own where
//! isolation is configured.

use connmgr_core::{
    Action, ConnId, ConnManager, Isolation, IsolationMode, Kind, PeerAddress, Proxy, ProxyAddress, Route,
};
use rustc_hash::FxHashSet;

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::routable::is_routable;
use crate::step::ended;

#[derive(Clone, Debug, Default)]
pub(crate) struct RouteRule {
    /// The circuits of connections and dials that have not ended.
    circuits: FxHashSet<Isolation>,
}

impl RouteRule {
    fn dial(&mut self, seen: RuleContext<'_>, id: ConnId) -> RuleResult {
        let Some(conn) = seen.ledger.conn(id) else { return Ok(()) };
        let Some(address) = &conn.address else { return Err(format!("{id} was dialed to nobody")) };
        let proxies = &seen.ledger.config.proxies;
        hold(address.not_dialable().is_none(), || format!("{id} dials {address}, where no peer can be"))?;
        hold(seen.ledger.is_reachable(address), || format!("{id} dials {address}, to which no route leads"))?;
        let is_chosen = conn.kind.is_some_and(Kind::takes_group);
        let inside = is_routable(address.host(), &seen.ledger.config.ranges);
        hold(inside || !is_chosen, || format!("{id} dials {address} by itself, outside of all ranges"))?;
        let proxy = match address.network() {
            Some(network) => proxies.for_network(network),
            None => proxies.all.as_ref(),
        };
        self.check(id, address, proxy, conn.via.as_ref())
    }

    fn check(
        &mut self,
        id: ConnId,
        address: &PeerAddress,
        proxy: Option<&Proxy>,
        via: Option<&(ProxyAddress, Isolation)>,
    ) -> RuleResult {
        let (Some(proxy), Some((by, isolation))) = (proxy, via) else {
            let right = proxy.is_none() && via.is_none() && address.name().is_none();
            return hold(right, || format!("{id} dials {address} by {via:?} instead of {proxy:?}"));
        };
        hold(*by == proxy.address && fits(*isolation, proxy), || {
            format!("{id} dials {address} by {by}, {isolation:?}, instead of {proxy:?}")
        })?;
        let own = *isolation == Isolation::Shared || self.circuits.insert(*isolation);
        hold(own, || format!("{id} dials {address} on a circuit that another connection has"))
    }
}

fn fits(isolation: Isolation, proxy: &Proxy) -> bool {
    let mode = match isolation {
        Isolation::Shared => IsolationMode::Off,
        Isolation::Preferred(_) => IsolationMode::Preferred,
        Isolation::Token(_) => IsolationMode::Required,
    };
    mode == proxy.isolation
}

impl Rule for RouteRule {
    const PROPERTY: Property = Property::Route;
    const AFTER: Concern = Concern::Dials;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::ResolveHost { host, route, .. } => {
                let leaks = seen.ledger.config.proxies.all.is_some() || *route != Route::Direct;
                hold(!leaks, || format!("{host} is looked up {route}, not left to the proxy"))
            }
            Action::ResolveSeed { seed, route, .. } => {
                let right = match (&seen.ledger.config.proxies.all, route) {
                    (None, Route::Direct) => true,
                    (Some(expected), Route::Proxy { proxy, isolation }) => {
                        expected.resolves && expected.address == *proxy && fits(*isolation, expected)
                    }
                    (None, Route::Proxy { .. }) | (Some(_), Route::Direct) => false,
                };
                hold(right, || format!("the seed {seed} is looked up {route}"))
            }
            _ => {
                let via = ended(action).and_then(|conn| seen.ledger.conn(conn)).and_then(|conn| conn.via.as_ref());
                if let Some((_, isolation)) = via {
                    self.circuits.remove(isolation);
                }
                Ok(())
            }
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        seen.step.dials.iter().try_for_each(|id| self.dial(seen, *id))
    }
}
