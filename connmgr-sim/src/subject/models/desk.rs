//! The state that every model keeps: known addresses, dials and connections, added peers.
//!
//! Decisions are made by the model's policy.

mod dials;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use connmgr_check::is_routable;
use connmgr_core::driver::PoolEvent;
use connmgr_core::{
    AddPeerError, Birth, Config, ConnId, Connected, DialConfig, Groups, Host, Identity, Kind, LookupId, PeerAddress,
    PeerId, PeerInfo, Split, Time,
};
use rustc_hash::FxHashMap;

use super::pace::ModelPace;
use crate::types::{Dice, DrawPurpose};
use crate::world::links::LinkId;
use crate::world::subject::{NetCall, Outbox};

/// Addresses a model remembers.
const MOST_KNOWN: usize = 81_920;

/// An address and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) address: PeerAddress,
    pub(super) last_try: Option<Time>,
    pub(super) failures: u32,
    /// Attempts in a row that led to no ready connection.
    pub(super) strikes: u32,
}

impl Known {
    /// When a paced model may dial it again automatically: after `min_spacing`, doubled for each failure in a row.
    fn rested_at(&self, config: &DialConfig) -> Time {
        let longest = config.spacing.max(config.min_spacing);
        let rest = config.min_spacing.saturating_mul(1 << self.strikes.min(16)).min(longest);
        self.last_try.map_or(Time::ZERO, |tried| tried.after(rest))
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelStage {
    /// The name of its address is being resolved, or it is being dialed.
    Dialing,
    Open,
    Ready,
}

/// A dial or connection.
#[derive(Clone, Debug)]
pub(super) struct ModelConn {
    pub(super) address: Option<PeerAddress>,
    pub(super) kind: Kind,
    pub(super) stage: ModelStage,
    /// The peer it is for, by its place among those added.
    pub(super) peer: Option<PeerId>,
    /// When the dial or the handshake is given up.
    pub(super) deadline: Time,
    /// Who it is, once it is ready.
    identity: Option<Identity>,
}

/// A peer that the operator added.
#[derive(Clone, Debug)]
pub(super) struct ModelPeer {
    pub(super) id: PeerId,
    pub(super) address: PeerAddress,
    pub(super) failures: u32,
    /// Not dialed before.
    pub(super) retry_at: Time,
    pub(super) conn: Option<ConnId>,
}

/// What every model keeps.
#[derive(Clone, Debug)]
pub(super) struct ModelDesk {
    pub(super) config: Config,
    groups: Groups,
    pub(super) known: Vec<Known>,
    places: FxHashMap<PeerAddress, usize>,
    pub(super) conns: BTreeMap<ConnId, ModelConn>,
    pub(super) added: Vec<ModelPeer>,
    pub(super) dice: Dice,
    pub(super) started: Outbox,
    pub(super) events: VecDeque<PoolEvent<LinkId>>,
    pub(super) is_active: bool,
    /// How long a direct dial may take.
    patience: Duration,
    /// The limits of a paced model.
    pace: Option<ModelPace>,
    /// Lookups under way: for which connection, or none for a seed's; and until when.
    lookups: BTreeMap<LookupId, (Option<ConnId>, Time)>,
    banned: BTreeMap<Host, Time>,
    next_conn: u64,
    next_peer: u64,
    next_lookup: u64,
}

impl ModelDesk {
    /// `patience` is that of its direct dials, unless it is paced.
    pub(super) fn new(birth: &Birth, patience: Duration, is_paced: bool) -> Self {
        let mut seed = [0; 8];
        seed.copy_from_slice(&birth.rng_seed[..8]);
        let mut desk = Self {
            config: birth.config.clone(),
            groups: Groups::new(&birth.config),
            known: Vec::new(),
            places: FxHashMap::default(),
            conns: BTreeMap::new(),
            added: Vec::new(),
            dice: Dice::new(u64::from_le_bytes(seed), DrawPurpose::Birth, 0),
            started: Outbox::new(),
            events: VecDeque::new(),
            is_active: true,
            patience: if is_paced { birth.config.dial.direct.timeout } else { patience },
            pace: is_paced.then(ModelPace::default),
            lookups: BTreeMap::new(),
            banned: BTreeMap::new(),
            next_conn: 0,
            next_peer: 0,
            next_lookup: 0,
        };
        for saved in birth.snapshot.iter().flat_map(|snapshot| &snapshot.addresses) {
            desk.learn(&saved.address);
        }
        desk
    }

    pub(super) fn split(&self) -> Split {
        let added = u32::try_from(self.added.len()).unwrap_or(u32::MAX);
        Split::new(&self.config.limits, self.config.mode, self.config.dial.max_hedged, added)
    }

    /// Takes note of an address, if it can be dialed at all.
    pub(super) fn learn(&mut self, address: &PeerAddress) {
        let is_new = self.known.len() < MOST_KNOWN && !self.places.contains_key(address);
        let is_peers = is_routable(address.host(), &self.config.ranges) && !self.config.own_addresses.contains(address);
        if is_new && is_peers && self.target(address).is_some() {
            self.places.insert(address.clone(), self.known.len());
            self.known.push(Known { address: address.clone(), last_try: None, failures: 0, strikes: 0 });
        }
    }

    pub(super) fn known_mut(&mut self, address: &PeerAddress) -> Option<&mut Known> {
        self.places.get(address).and_then(|place| self.known.get_mut(*place))
    }

    /// Dials and connections of a kind.
    pub(super) fn count(&self, kind: Kind) -> u32 {
        u32::try_from(self.conns.values().filter(|conn| conn.kind == kind).count()).unwrap_or(u32::MAX)
    }

    /// Open connections of a kind.
    pub(super) fn open(&self, kind: Kind) -> u32 {
        let open = |conn: &&ModelConn| conn.kind == kind && conn.stage != ModelStage::Dialing;
        u32::try_from(self.conns.values().filter(open).count()).unwrap_or(u32::MAX)
    }

    /// A dial or an inbound connection is open.
    pub(super) fn opened(&mut self, conn: ConnId, stream: LinkId, now: Time) {
        let deadline = now.after(self.config.handshake_timeout);
        let Some(open) = self.conns.get_mut(&conn) else { return };
        (open.stage, open.deadline) = (ModelStage::Open, deadline);
        let mut info = Connected::new(conn, open.kind);
        info.address.clone_from(&open.address);
        (info.peer, info.nonce) = (open.peer, conn.as_u64());
        self.events.push_back(PoolEvent::Connected { info, stream });
    }

    pub(super) fn came_in(&mut self, stream: LinkId, now: Time) -> ConnId {
        let conn = self.next_conn();
        let inbound = ModelConn {
            address: None,
            kind: Kind::Inbound,
            stage: ModelStage::Open,
            peer: None,
            deadline: now,
            identity: None,
        };
        self.conns.insert(conn, inbound);
        self.opened(conn, stream, now);
        conn
    }

    /// Marks a connection as ready, and returns whether it is useful: it offers the required services, and leads
    /// neither to ourselves nor to a peer that is connected already.
    pub(super) fn made_ready(&mut self, id: ConnId, info: &PeerInfo) -> bool {
        let is_ours = info.nonce.is_some_and(|nonce| self.conns.contains_key(&ConnId::from_u64(nonce)))
            || (info.identity.is_some() && info.identity == self.config.identity);
        let is_there = info.identity.is_some() && self.conns.values().any(|conn| conn.identity == info.identity);
        let Some(conn) = self.conns.get_mut(&id) else { return true };
        if is_ours || is_there || !info.services.has(self.config.required.of(conn.kind)) {
            return false;
        }
        (conn.stage, conn.identity) = (ModelStage::Ready, info.identity);
        if let Some(known) = conn.address.clone().and_then(|address| self.known_mut(&address)) {
            known.strikes = 0;
        }
        true
    }

    /// A dial or connection has ended.
    pub(super) fn ended(&mut self, conn: &ModelConn) {
        let is_strike = conn.stage != ModelStage::Ready;
        if let Some(known) = conn.address.as_ref().filter(|_| is_strike).and_then(|address| self.known_mut(address)) {
            known.strikes = known.strikes.saturating_add(1);
        }
    }

    /// Ends a dial or connection from our side.
    pub(super) fn end(&mut self, conn: ConnId) -> Option<ModelConn> {
        let ended = self.conns.remove(&conn)?;
        self.started.push(match ended.stage {
            ModelStage::Dialing => NetCall::Abort { conn },
            ModelStage::Open | ModelStage::Ready => NetCall::Close { conn },
        });
        Some(ended)
    }

    pub(super) fn ban(&mut self, host: &Host, now: Time) {
        self.banned.insert(host.clone(), now.after(self.config.score.ban_for));
    }

    pub(super) fn add(&mut self, address: &PeerAddress, now: Time) -> Result<PeerId, AddPeerError> {
        if self.added.iter().any(|added| added.address == *address) {
            return Err(AddPeerError::Duplicate);
        }
        if self.added.len() >= self.config.limits.added as usize {
            return Err(AddPeerError::Full);
        }
        if address.name().is_none() && self.target(address).is_none() {
            return Err(AddPeerError::Unreachable);
        }
        self.next_peer += 1;
        let id = PeerId::from_u64(self.next_peer);
        self.added.push(ModelPeer { id, address: address.clone(), failures: 0, retry_at: now, conn: None });
        Ok(id)
    }

    pub(super) fn added_mut(&mut self, peer: PeerId) -> Option<&mut ModelPeer> {
        self.added.iter_mut().find(|added| added.id == peer)
    }

    /// The nearest deadline of a dial or handshake.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.conns.values().filter(|conn| conn.stage != ModelStage::Ready).map(|conn| conn.deadline).min()
    }

    fn next_conn(&mut self) -> ConnId {
        self.next_conn += 1;
        ConnId::from_u64(self.next_conn)
    }
}
