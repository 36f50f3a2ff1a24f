//! An arrival is accepted, or refused for the first rule that forbids it: active, listener, ban, total, per host,
//! half-open per group, rate per group. A listener with `no_limit` skips the last three. A handshake that the application
//! drops costs nothing of the rate, as often as [`rate_of_returns`] and the group's finished handshakes allow.

use std::net::{IpAddr, SocketAddr};

use connmgr_core::{
    Action, Config, ConnId, ConnManager, EndReason, Event, Host, Input, Kind, Listener, ListenerId, Rate, Refusal,
    Reply,
};
use rustc_hash::FxHashMap;

use super::{Concern, Ledger, Property, Rule, RuleContext, RuleResult, hold};
use crate::bucket::TokenBucket;
use crate::ledger::RunPhase;
use crate::ledger::conn::{ConnLife, KnownConn};
use crate::recent::Recent;
use crate::step::StepCause;

/// How many groups have their rate remembered.
const MAX_RATES: u32 = 4096;

/// Arrivals that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ArrivalGroup {
    /// An IPv4 /24.
    V4(u32),
    /// An IPv6 /64.
    V6(u64),
    /// All that come by a listener where hosts can't be seen.
    Listener(ListenerId),
}

impl ArrivalGroup {
    fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits() >> 8),
            IpAddr::V6(ip) => Self::V6(u64::try_from(ip.to_bits() >> 64).expect("64 bits")),
        }
    }

    fn of_conn(conn: &KnownConn) -> Option<Self> {
        match conn.host() {
            Some(host) => host.ip().map(Self::of),
            None => conn.listener.map(Self::Listener),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct InboundAdmissionRule {
    of_host: FxHashMap<Host, u32>,
    half_open: FxHashMap<ArrivalGroup, u32>,
    rates: Recent<ArrivalGroup, TokenBucket>,
    returns: Recent<ArrivalGroup, TokenBucket>,
}

impl Default for InboundAdmissionRule {
    fn default() -> Self {
        let (of_host, half_open) = (FxHashMap::default(), FxHashMap::default());
        Self { of_host, half_open, rates: Recent::new(MAX_RATES), returns: Recent::new(MAX_RATES) }
    }
}

impl InboundAdmissionRule {
    fn expected(&mut self, seen: RuleContext<'_>, remote: SocketAddr, listener: ListenerId) -> Result<(), Refusal> {
        let config = &seen.ledger.config;
        if seen.ledger.phase != RunPhase::Active {
            return Err(Refusal::Inactive);
        }
        let known = config.listeners.iter().find(|known| known.id == listener);
        let Some(Listener { network, permissions, .. }) = known else { return Err(Refusal::UnknownListener) };
        let hidden = network.is_some_and(|network| network.is_overlay());
        let host = if hidden { None } else { Some(Host::from(remote.ip()).settled(config.networks)) };
        if !permissions.no_ban && host.as_ref().is_some_and(|host| seen.ledger.is_banned(host, seen.now())) {
            return Err(Refusal::Banned);
        }
        if !has_slot(seen.ledger) {
            return Err(Refusal::Full);
        }
        if permissions.no_limit {
            return Ok(());
        }
        let group = if hidden { ArrivalGroup::Listener(listener) } else { ArrivalGroup::of(remote.ip()) };
        self.limits(seen, host.as_ref(), group)
    }

    fn limits(&mut self, seen: RuleContext<'_>, host: Option<&Host>, group: ArrivalGroup) -> Result<(), Refusal> {
        let limits = &seen.ledger.config.inbound;
        let of_host = host.and_then(|host| self.of_host.get(host)).copied().unwrap_or(0);
        if host.is_some() && of_host >= limits.per_host {
            return Err(Refusal::HostLimit);
        }
        if self.half_open.get(&group).copied().unwrap_or(0) >= limits.half_open {
            return Err(Refusal::HalfOpenLimit);
        }
        if self.rates.touch(&group).take(&limits.rate, seen.now()) { Ok(()) } else { Err(Refusal::RateLimit) }
    }

    /// A handshake that the application dropped gives its token back, if that is still allowed.
    fn give_back(&mut self, seen: RuleContext<'_>, conn: &KnownConn) {
        let config = &seen.ledger.config;
        let group = ArrivalGroup::of_conn(conn).filter(|_| conn.life == ConnLife::Open && is_limited(config, conn));
        let Some(group) = group else { return };
        let may_return = self.returns.touch(&group).take(&rate_of_returns(config), seen.now());
        if let Some(bucket) = self.rates.get_mut(&group).filter(|_| may_return) {
            bucket.give_back(&config.inbound.rate, 1);
        }
    }

    /// A finished handshake allows as many returns as its group's rate has tokens at once.
    fn earn(&mut self, config: &Config, conn: &KnownConn, group: &ArrivalGroup) {
        if let Some(bucket) = self.returns.get_mut(group).filter(|_| is_limited(config, conn)) {
            bucket.give_back(&rate_of_returns(config), config.inbound.rate.burst);
        }
    }

    fn came(&mut self, host: Option<Host>, group: Option<ArrivalGroup>) {
        if let Some(host) = host {
            *self.of_host.entry(host).or_insert(0) += 1;
        }
        if let Some(group) = group {
            *self.half_open.entry(group).or_insert(0) += 1;
        }
    }

    fn went(&mut self, conn: &KnownConn) {
        if let Some(host) = conn.host() {
            down(&mut self.of_host, host);
        }
        if let (ConnLife::Open, Some(group)) = (conn.life, ArrivalGroup::of_conn(conn)) {
            down(&mut self.half_open, &group);
        }
    }
}

/// Whether the limits of groups apply to an inbound connection.
fn is_limited(config: &Config, conn: &KnownConn) -> bool {
    config.listeners.iter().any(|known| Some(known.id) == conn.listener && !known.permissions.no_limit)
}

/// How often the token of a dropped handshake is given back: as many at once as may be unfinished, then one in the time in
/// which twelve may arrive.
fn rate_of_returns(config: &Config) -> Rate {
    let limits = &config.inbound;
    Rate { burst: limits.half_open, interval: limits.rate.interval.saturating_mul(12) }
}

fn has_slot(ledger: &Ledger) -> bool {
    let inbound = ledger.count(Kind::Inbound);
    // While automatic dials are under way, room is kept for those that will lose their slot.
    let is_dialing = [Kind::Full, Kind::BlockRelay].into_iter().any(|kind| {
        let count = ledger.count(kind);
        count.dialing + count.open > count.ready
    });
    let kept = if is_dialing { ledger.split.hedged } else { 0 };
    inbound.open < ledger.split.inbound - kept && ledger.live() + ledger.lookups < ledger.limits.total
}

fn down<K: Eq + std::hash::Hash>(counts: &mut FxHashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn inbound(seen: RuleContext<'_>, id: ConnId) -> Option<&KnownConn> {
    seen.ledger.conn(id).filter(|conn| conn.is_inbound())
}

impl Rule for InboundAdmissionRule {
    const PROPERTY: Property = Property::InboundAdmission;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, input: &Input, reply: &Reply) -> RuleResult {
        let (Input::Accept { remote, listener }, Reply::Accepted(replied)) = (input, reply) else { return Ok(()) };
        let expected = self.expected(seen, *remote, *listener);
        hold(replied.map(drop) == expected, || {
            format!("{remote} on {listener} was answered with {replied:?} instead of {expected:?}")
        })
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Emit(Event::Connected(connected)) if connected.kind.is_inbound() => {
                let host = connected.address.as_ref().map(|address| address.host().clone());
                let hidden = || connected.listener.map(ArrivalGroup::Listener);
                let group = host.as_ref().and_then(Host::ip).map(ArrivalGroup::of).or_else(hidden);
                self.came(host, group);
            }
            Action::Emit(Event::Disconnected { conn, reason, .. }) => {
                if let Some(conn) = inbound(seen, *conn) {
                    if *reason == EndReason::Dropped {
                        self.give_back(seen, conn);
                    }
                    self.went(conn);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        if let StepCause::Ready(id, _) = seen.step.cause {
            let ready =
                inbound(seen, id).filter(|conn| conn.life == ConnLife::Ready && seen.step.made_ready == Some(id));
            if let Some((conn, group)) = ready.and_then(|conn| Some((conn, ArrivalGroup::of_conn(conn)?))) {
                down(&mut self.half_open, &group);
                self.earn(&seen.ledger.config, conn, &group);
            }
        }
        Ok(())
    }
}
