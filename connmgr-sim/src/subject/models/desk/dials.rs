//! How every model dials: by the route of the network, within groups, rests and rate, and names after a lookup.
//!
//! The policy decides whom to dial, and when.

use std::time::Duration;

use connmgr_core::driver::PoolEvent;
use connmgr_core::{
    ConnId, Event, HostName, Isolation, Kind, LookupId, PeerAddress, PeerId, ResolvedIp, Route, Target, Time, Transport,
};

use super::{ModelConn, ModelDesk, ModelStage};
use crate::world::subject::NetCall;

impl ModelDesk {
    /// The route to an address; `None` if there is none, as for a name that no proxy resolves.
    pub(super) fn target(&self, address: &PeerAddress) -> Option<Target> {
        let proxy = match address.network() {
            Some(network) if !self.config.networks.contains(network) => return None,
            Some(network) => self.config.proxies.for_network(network),
            None => self.config.proxies.all.as_ref(),
        };
        match proxy {
            Some(proxy) => {
                let (proxy, isolation) = (proxy.address.clone(), Isolation::Shared);
                Some(Target::Proxied { proxy, isolation, address: address.clone() })
            }
            None => address.socket_addr().map(Target::Direct),
        }
    }

    /// Whether an address is being dialed or connected, is banned, rests, or lies in a group that is full.
    pub(in crate::subject::models) fn is_taken(&self, address: &PeerAddress, now: Time) -> bool {
        self.banned.get(address.host()).is_some_and(|until| *until > now)
            || self.rested_at(address) > now
            || self.is_in_use(address)
            || self.is_group_full(address)
    }

    fn is_in_use(&self, address: &PeerAddress) -> bool {
        self.conns.values().any(|conn| conn.address.as_ref() == Some(address))
    }

    fn is_group_full(&self, address: &PeerAddress) -> bool {
        let rule = &self.config.groups;
        let group = |address: &PeerAddress| {
            let is_exempt = rule.exempt_overlays && address.network().is_some_and(|network| network.is_overlay());
            self.groups.of(address.host()).filter(|_| !is_exempt)
        };
        let (Some(most), Some(own)) = (rule.max_per_group, group(address)) else { return false };
        let automatic = self.conns.values().filter(|conn| conn.kind.takes_group());
        automatic.filter(|conn| conn.address.as_ref().and_then(group) == Some(own)).count() >= most as usize
    }

    /// When a paced model may dial an address again; another, at any time.
    pub(in crate::subject::models) fn rested_at(&self, address: &PeerAddress) -> Time {
        let known = self.places.get(address).map(|place| &self.known[*place]).filter(|_| self.pace.is_some());
        known.map_or(Time::ZERO, |known| known.rested_at(&self.config.dial))
    }

    /// When an automatic dial may be made, from now on.
    pub(in crate::subject::models) fn may_dial_at(&self, now: Time) -> Time {
        self.pace.as_ref().map_or(now, |pace| pace.ready_at(&self.config.dial, now))
    }

    pub(in crate::subject::models) fn dial(&mut self, address: PeerAddress, kind: Kind, now: Time) -> ConnId {
        let conn = self.next_conn();
        if let Some(known) = self.known_mut(&address) {
            known.last_try = Some(now);
        }
        if let Some(pace) = self.pace.as_mut().filter(|_| kind.takes_group()) {
            pace.dialed(&self.config.dial, now);
        }
        self.conns.insert(
            conn,
            ModelConn { address: None, kind, stage: ModelStage::Dialing, peer: None, deadline: now, identity: None },
        );
        self.go_on(conn, address, now);
        conn
    }

    /// Dials the address of a connection, or resolves its name before.
    fn go_on(&mut self, conn: ConnId, address: PeerAddress, now: Time) {
        let dial = self.config.dial;
        let wait = match (self.target(&address), address.name()) {
            (Some(target), _) => {
                let wait = if matches!(target, Target::Direct(_)) { self.patience } else { dial.proxied.timeout };
                self.started.push(NetCall::Dial { conn, target, transport: Transport::V1 });
                wait
            }
            (None, Some(name)) => {
                self.resolve(name, Some(conn), now);
                dial.lookup_timeout
            }
            (None, None) => dial.lookup_timeout,
        };
        if let Some(own) = self.conns.get_mut(&conn) {
            (own.address, own.deadline) = (Some(address), now.after(wait));
        }
    }

    /// A lookup for a connection or a seed has ended. Returns the dial that failed with it, if one did.
    pub(in crate::subject::models) fn looked_up(
        &mut self,
        lookup: LookupId,
        ips: &[ResolvedIp],
        now: Time,
    ) -> Option<ConnId> {
        let (conn, _) = self.lookups.remove(&lookup).filter(|(_, deadline)| *deadline >= now)?;
        let Some(conn) = conn else {
            let port = self.config.default_port;
            ips.iter().for_each(|ip| self.learn(&PeerAddress::from(ip.socket_addr(port))));
            return None;
        };
        let port = self.conns.get(&conn)?.address.as_ref()?.port();
        let Some(ip) = ips.first() else { return Some(conn) };
        let address = PeerAddress::from(ip.socket_addr(port));
        if self.is_in_use(&address) {
            return Some(conn);
        }
        self.go_on(conn, address, now);
        None
    }

    /// Looks up a name, for a connection or as a seed.
    pub(in crate::subject::models) fn resolve(&mut self, name: &HostName, conn: Option<ConnId>, now: Time) {
        self.next_lookup += 1;
        let (lookup, deadline) = (LookupId::from_u64(self.next_lookup), now.after(self.config.dial.lookup_timeout));
        let proxy = self.config.proxies.all.as_ref().filter(|proxy| proxy.resolves).map(|proxy| proxy.address.clone());
        let route = proxy.map_or(Route::Direct, |proxy| Route::Proxy { proxy, isolation: Isolation::Shared });
        self.lookups.insert(lookup, (conn, deadline));
        self.started.push(NetCall::Resolve { lookup, name: name.clone(), route, deadline });
    }

    /// Dials an added peer. If its address is connected already, the connection becomes the peer's; while it is being
    /// dialed, or when all slots of added peers are taken, the peer waits for a second.
    pub(in crate::subject::models) fn dial_added(&mut self, peer: PeerId, now: Time) {
        let Some(added) = self.added.iter().find(|added| added.id == peer) else { return };
        let address = added.address.clone();
        let there = self.conns.iter().find(|(_, conn)| conn.address.as_ref() == Some(&address));
        let there = there.map(|(id, conn)| (*id, conn.stage));
        let conn = match there {
            None if self.count(Kind::Added) < self.split().added => Some(self.dial(address, Kind::Added, now)),
            Some((conn, ModelStage::Open | ModelStage::Ready)) => {
                self.events.push_back(PoolEvent::Event(Event::Adopted { conn, peer, tag: None }));
                Some(conn)
            }
            None | Some((_, ModelStage::Dialing)) => None,
        };
        if let Some(conn) = conn.and_then(|conn| self.conns.get_mut(&conn)) {
            (conn.kind, conn.peer) = (Kind::Added, Some(peer));
        }
        if let Some(added) = self.added_mut(peer) {
            (added.conn, added.retry_at) = (conn, now.after(Duration::from_secs(1)));
        }
    }

    /// Closes the youngest automatic connections that are more than the limits allow.
    pub(in crate::subject::models) fn shed(&mut self) -> Vec<ModelConn> {
        let split = self.split();
        let automatic = self.conns.iter().filter(|(_, conn)| conn.kind.takes_group());
        let automatic: Vec<ConnId> = automatic.map(|(id, _)| *id).collect();
        automatic.into_iter().skip((split.full + split.block_relay) as usize).filter_map(|id| self.end(id)).collect()
    }
}
