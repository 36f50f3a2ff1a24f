//! Inbound admission: every rule is checked, in no order.

use std::net::{IpAddr, SocketAddr};

use connmgr_core::{ConnId, Kind, Listener, ListenerId, PeerAddress, Rate, Refusal};

use super::{Credit, Model, Stage};

/// Where half-open connections and rates are counted: an IPv4 /24, an IPv6 /64, or a listener that sees no hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Near {
    V4([u8; 3]),
    V6([u8; 8]),
    By(ListenerId),
}

impl Near {
    fn of(remote: IpAddr) -> Self {
        match remote {
            IpAddr::V4(ip) => Self::V4(*ip.octets().first_chunk().expect("four bytes")),
            IpAddr::V6(ip) => Self::V6(*ip.octets().first_chunk().expect("sixteen bytes")),
        }
    }
}

impl Model {
    /// All reasons to refuse. If there are none it must be accepted, and its token is taken.
    pub(super) fn refusals(&mut self, remote: SocketAddr, id: ListenerId) -> Vec<Refusal> {
        let Some(listener) = self.config.listeners.iter().find(|listener| listener.id == id).copied() else {
            return vec![Refusal::Inactive, Refusal::UnknownListener];
        };
        let hidden = listener.network.is_some();
        let mut refusals = Vec::new();
        let address = PeerAddress::from(remote);
        let mut refuse = |holds: bool, refusal| {
            if holds {
                refusals.push(refusal);
            }
        };
        refuse(!self.active, Refusal::Inactive);
        refuse(!hidden && !listener.permissions.no_ban && self.is_banned(address.host()), Refusal::Banned);
        let open = self.share(Kind::Inbound) - self.kept_for_hedging();
        refuse(!self.has_room(Kind::Inbound) || self.held(Kind::Inbound) >= open, Refusal::Full);
        if !listener.permissions.no_limit {
            let rules = self.config.inbound;
            let of_host = self.count(|conn| conn.kind == Kind::Inbound && conn.host() == Some(address.host()));
            refuse(!hidden && of_host >= rules.per_host, Refusal::HostLimit);
            let near = near(remote, &listener);
            let half_open = self.count(|conn| {
                conn.kind == Kind::Inbound
                    && conn.stage == Stage::Handshaking
                    && self.near_of(conn).as_ref() == Some(&near)
            });
            refuse(half_open >= rules.half_open, Refusal::HalfOpenLimit);
            // The token is taken only if there is no other reason to refuse.
            if refusals.is_empty() && !self.take_token(near) {
                refusals.push(Refusal::RateLimit);
            }
        }
        refusals
    }

    /// A handshake that the application drops costs no token, if a return is left.
    pub(super) fn give_token_back(&mut self, id: ConnId) {
        let Some(near) = self.limited(id, Stage::Handshaking) else { return };
        let (rate, returns, now) = (self.config.inbound.rate, self.returns(), self.now);
        if of(&mut self.inbound_returns, &near, &returns).take(&returns, now) {
            of(&mut self.inbound_credit, &near, &rate).give_back(&rate, 1, now);
        }
    }

    /// A finished handshake is worth a burst of returns.
    pub(super) fn earn_returns(&mut self, id: ConnId) {
        let Some(near) = self.limited(id, Stage::Ready) else { return };
        let (burst, returns, now) = (self.config.inbound.rate.burst, self.returns(), self.now);
        of(&mut self.inbound_returns, &near, &returns).give_back(&returns, burst, now);
    }

    /// One in a minute, where one may come in 5 s; as many at once as may be unfinished.
    fn returns(&self) -> Rate {
        let rules = self.config.inbound;
        Rate { burst: rules.half_open, interval: rules.rate.interval * 12 }
    }

    /// Where an inbound connection of this stage is counted, if its listener is limited.
    fn limited(&self, id: ConnId, stage: Stage) -> Option<Near> {
        let conn = self.conn(id).filter(|conn| conn.kind == Kind::Inbound && conn.stage == stage)?;
        let listener = self.config.listeners.iter().find(|listener| Some(listener.id) == conn.listener);
        listener.filter(|listener| !listener.permissions.no_limit)?;
        self.near_of(conn)
    }

    fn near_of(&self, conn: &super::RConn) -> Option<Near> {
        match (&conn.address, conn.listener) {
            (Some(address), _) => address.host().ip().map(Near::of),
            (None, listener) => listener.map(Near::By),
        }
    }

    fn take_token(&mut self, near: Near) -> bool {
        let (rate, now) = (self.config.inbound.rate, self.now);
        of(&mut self.inbound_credit, &near, &rate).take(&rate, now)
    }
}

/// The credit of those near, full if it is new.
fn of<'a>(credits: &'a mut Vec<(Near, Credit)>, near: &Near, rate: &Rate) -> &'a mut Credit {
    let at = credits.iter().position(|(known, _)| known == near).unwrap_or_else(|| {
        credits.push((near.clone(), Credit::full(rate)));
        credits.len() - 1
    });
    &mut credits[at].1
}

fn near(remote: SocketAddr, listener: &Listener) -> Near {
    if listener.network.is_some() { Near::By(listener.id) } else { Near::of(remote.ip()) }
}
