//! Whoever comes in is let in or refused by the rules, exactly: active, listener, ban, total, per host, half-open per
//! group, rate per group; those spared limits pass the last three.

use std::net::{IpAddr, SocketAddr};

use connmgr_core::{Action, ConnId, ConnManager, Event, Host, Input, Kind, Listener, ListenerId, Refusal, Reply};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::bucket::Bucket;
use crate::ledger::Phase;
use crate::ledger::conn::{Conn, Life};
use crate::recent::Recent;
use crate::step::Cause;

/// How many groups' rates are remembered.
const MAX_RATES: u32 = 4096;

/// Who is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    /// An IPv4 /24.
    V4(u32),
    /// An IPv6 /64.
    V6(u64),
    /// All who come by a listener where hosts can't be seen.
    By(ListenerId),
}

impl Origin {
    fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits() >> 8),
            IpAddr::V6(ip) => Self::V6(u64::try_from(ip.to_bits() >> 64).expect("64 bits")),
        }
    }

    fn of_conn(conn: &Conn) -> Option<Self> {
        match conn.host() {
            Some(host) => host.ip().map(Self::of),
            None => conn.listener.map(Self::By),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct InboundAdmission {
    of_host: FxHashMap<Host, u32>,
    half_open: FxHashMap<Origin, u32>,
    rates: Recent<Origin, Bucket>,
}

impl InboundAdmission {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { of_host: FxHashMap::default(), half_open: FxHashMap::default(), rates: Recent::new(MAX_RATES) }
    }

    fn expected(&mut self, seen: Seen<'_>, remote: SocketAddr, listener: ListenerId) -> Result<(), Refusal> {
        let config = &seen.ledger.config;
        if seen.ledger.phase != Phase::Active {
            return Err(Refusal::Inactive);
        }
        let known = config.listeners.iter().find(|known| known.id == listener);
        let Some(Listener { network, permissions, .. }) = known else { return Err(Refusal::UnknownListener) };
        let hidden = network.is_some_and(|network| network.is_overlay());
        let host = if hidden { None } else { Some(Host::from(remote.ip())) };
        if !permissions.no_ban && host.as_ref().is_some_and(|host| seen.ledger.is_banned(host, seen.now())) {
            return Err(Refusal::Banned);
        }
        if !has_slot(seen.ledger) {
            return Err(Refusal::Full);
        }
        if permissions.no_limit {
            return Ok(());
        }
        let origin = if hidden { Origin::By(listener) } else { Origin::of(remote.ip()) };
        self.limits(seen, host.as_ref(), origin)
    }

    fn limits(&mut self, seen: Seen<'_>, host: Option<&Host>, origin: Origin) -> Result<(), Refusal> {
        let limits = &seen.ledger.config.inbound;
        let of_host = host.and_then(|host| self.of_host.get(host)).copied().unwrap_or(0);
        if host.is_some() && of_host >= limits.per_host {
            return Err(Refusal::HostLimit);
        }
        if self.half_open.get(&origin).copied().unwrap_or(0) >= limits.half_open {
            return Err(Refusal::HalfOpenLimit);
        }
        if self.rates.touch(&origin).take(&limits.rate, seen.now()) { Ok(()) } else { Err(Refusal::RateLimit) }
    }

    fn came(&mut self, host: Option<Host>, origin: Option<Origin>) {
        host.into_iter().for_each(|host| *self.of_host.entry(host).or_insert(0) += 1);
        origin.into_iter().for_each(|origin| *self.half_open.entry(origin).or_insert(0) += 1);
    }

    fn went(&mut self, conn: &Conn) {
        if let Some(host) = conn.host() {
            down(&mut self.of_host, host);
        }
        if let (Life::Open, Some(origin)) = (conn.life, Origin::of_conn(conn)) {
            down(&mut self.half_open, &origin);
        }
    }
}

fn has_slot(ledger: &Ledger) -> bool {
    let inbound = ledger.count(Kind::Inbound);
    // Automatic dials under way keep room for those that are silent.
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

fn inbound(seen: Seen<'_>, id: ConnId) -> Option<&Conn> {
    seen.ledger.conn(id).filter(|conn| conn.is_inbound())
}

impl Rule for InboundAdmission {
    const PROPERTY: Property = Property::InboundAdmission;

    fn input(&mut self, seen: Seen<'_>, input: &Input, reply: &Reply) -> Verdict {
        let (Input::Accept { remote, listener }, Reply::Accepted(replied)) = (input, reply) else { return Ok(()) };
        let expected = self.expected(seen, *remote, *listener);
        hold(replied.map(drop) == expected, || {
            format!("{remote} on {listener} was answered with {replied:?} instead of {expected:?}")
        })
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Emit(Event::Connected(connected)) if connected.kind.is_inbound() => {
                let host = connected.address.as_ref().map(|address| address.host().clone());
                let hidden = || connected.listener.map(Origin::By);
                let origin = host.as_ref().and_then(Host::ip).map(Origin::of).or_else(hidden);
                self.came(host, origin);
            }
            Action::Emit(Event::Disconnected { conn, .. }) => {
                if let Some(conn) = inbound(seen, *conn) {
                    self.went(conn);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        // Ready in this very step: the handshake is finished.
        if let Cause::Ready(id, _) = seen.step.cause {
            let ready = inbound(seen, id).filter(|conn| conn.life == Life::Ready && seen.step.made_ready == Some(id));
            if let Some(origin) = ready.and_then(Origin::of_conn) {
                down(&mut self.half_open, &origin);
            }
        }
        Ok(())
    }
}
