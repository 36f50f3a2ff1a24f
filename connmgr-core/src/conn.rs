//! One connection or dial, and its states.
//!
//! ```text
//!   dial ───────► Dialing ───── gives its slot ───► Silent
//!                    │ opened                       │   │ opened,
//!                    ▼           opened, takes a slot   │ finds no slot
//!   accept ────► Handshaking ◄──────────────────────┘   ▼
//!                    │      └── gives its slot ───► Stalled
//!                    │ made ready                       │ made ready, takes a slot
//!                    ▼                                  │
//!                  Ready ◄──────────────────────────────┘
//! ```
//!
//! A connection may end in every state; it then leaves the table, and has no state. This file knows no counts and no
//! rules: the [table](crate::table) makes the transitions and counts.

mod end;
mod notes;

use crate::book::Numbered;
use crate::mechanisms::groups::Group;
use crate::types::{
    Action, ConnId, ConnState, ConnView, Connected, Host, Identity, Kind, ListenerId, NetworkKind, PeerAddress, PeerId,
    Permissions, Target, Time, Transport,
};

pub(crate) use end::{End, Origin};
pub(crate) use notes::Notes;

/// A connection, or a dial that may become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conn {
    id: ConnId,
    kind: Kind,
    state: ConnState,
    since: Time,
    /// No progress for `hedge_after`. It gives its slot up as soon as it may go on without.
    overdue: bool,
    end: End,
    /// That of the other end.
    network: Option<NetworkKind>,
    peer: Option<PeerId>,
    transport: Transport,
    identity: Option<Identity>,
    /// The parts that no count depends on.
    pub(crate) notes: Notes,
}

impl Conn {
    /// A dial that begins now.
    #[inline]
    pub(crate) fn dial(
        id: ConnId,
        kind: Kind,
        end: End,
        peer: Option<PeerId>,
        transport: Transport,
        notes: Notes,
        now: Time,
    ) -> Self {
        let (state, network) = (ConnState::Dialing, end.network());
        Self { id, kind, state, since: now, overdue: false, end, network, peer, transport, identity: None, notes }
    }

    /// A connection accepted now. Its transport is unknown until its first bytes; it counts as v1.
    #[inline]
    pub(crate) fn inbound(id: ConnId, end: End, notes: Notes, now: Time) -> Self {
        Self {
            id,
            kind: Kind::Inbound,
            state: ConnState::Handshaking,
            since: now,
            overdue: false,
            network: end.network(),
            end,
            peer: None,
            transport: Transport::V1,
            identity: None,
            notes,
        }
    }

    /// The dial or handshake has made no progress for `hedge_after`.
    pub(crate) fn make_overdue(&mut self) {
        debug_assert!(matches!(self.state, ConnState::Dialing | ConnState::Handshaking));
        self.overdue = true;
    }

    /// The dial or handshake gives its slot up.
    pub(crate) fn give_slot(&mut self, now: Time) {
        match self.state {
            ConnState::Dialing => self.enter(ConnState::Silent, now),
            ConnState::Handshaking => self.enter(ConnState::Stalled, now),
            ConnState::Silent | ConnState::Stalled | ConnState::Ready => {
                debug_assert!(false, "only a dial or handshake with a slot gives it up");
            }
        }
    }

    /// The dial has succeeded; it has a slot or not. The deadline is that of the handshake.
    pub(crate) fn open(&mut self, has_slot: bool, deadline: Time, now: Time) {
        debug_assert!(!self.is_open());
        self.notes.deadline = deadline;
        self.enter(if has_slot { ConnState::Handshaking } else { ConnState::Stalled }, now);
    }

    /// The handshake is completed.
    pub(crate) fn make_ready(&mut self, identity: Option<Identity>, now: Time) {
        debug_assert!(self.is_handshaking());
        self.identity = identity;
        self.enter(ConnState::Ready, now);
    }

    /// The open connection now belongs to an added peer. If we chose its address, it gives up its group and counts as
    /// [`Kind::Added`], with a slot of that kind.
    pub(crate) fn adopt(&mut self, peer: PeerId) {
        debug_assert!(self.is_open());
        self.peer = Some(peer);
        if let End::Outbound { group, .. } = &mut self.end {
            *group = None;
            self.kind = Kind::Added;
            self.overdue = false;
            if self.state == ConnState::Stalled {
                self.state = ConnState::Handshaking;
            }
        }
    }

    fn enter(&mut self, state: ConnState, now: Time) {
        self.state = state;
        self.since = now;
        self.overdue = false;
    }

    pub(crate) const fn id(&self) -> ConnId {
        self.id
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) const fn state(&self) -> ConnState {
        self.state
    }

    /// When it entered its state.
    pub(crate) const fn since(&self) -> Time {
        self.since
    }

    pub(crate) const fn peer(&self) -> Option<PeerId> {
        self.peer
    }

    pub(crate) const fn transport(&self) -> Transport {
        self.transport
    }

    pub(crate) const fn identity(&self) -> Option<Identity> {
        self.identity
    }

    pub(crate) const fn end(&self) -> &End {
        &self.end
    }

    /// Whether `Event::Connected` was emitted for it.
    pub(crate) const fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// Whether it is open and not yet ready.
    pub(crate) const fn is_handshaking(&self) -> bool {
        matches!(self.state, ConnState::Handshaking | ConnState::Stalled)
    }

    /// The deadline of the dial, or of the handshake once it is open.
    pub(crate) const fn deadline(&self) -> Time {
        self.notes.deadline
    }

    /// Whether it has made no progress for `hedge_after` but still holds its slot.
    pub(crate) const fn is_overdue(&self) -> bool {
        self.overdue
    }

    /// Whether it holds one of its kind's slots.
    pub(crate) const fn holds_slot(&self) -> bool {
        self.state.holds_slot()
    }

    /// The remote address, if it is visible.
    pub(crate) const fn remote(&self) -> Option<&PeerAddress> {
        match &self.end {
            End::Outbound { address, .. } => Some(address),
            End::Visible { remote, .. } => Some(remote),
            End::Hidden { .. } => None,
        }
    }

    /// The remote address, if it is visible.
    pub(crate) fn address(&self) -> Option<PeerAddress> {
        self.remote().cloned()
    }

    /// The address we dialed, if we did.
    pub(crate) const fn dialed(&self) -> Option<&PeerAddress> {
        match &self.end {
            End::Outbound { address, .. } => Some(address),
            End::Visible { .. } | End::Hidden { .. } => None,
        }
    }

    /// The same for the book, with its number if the book knew it.
    pub(crate) fn numbered(&self) -> Option<Numbered<'_>> {
        self.dialed().map(|address| Numbered::new(address, self.notes.address_id))
    }

    /// The host at the other end, if it is visible.
    pub(crate) fn host(&self) -> Option<Host> {
        match &self.end {
            End::Outbound { address, .. } => Some(address.host().clone()),
            End::Visible { remote, .. } => Some(remote.host().clone()),
            End::Hidden { .. } => None,
        }
    }

    /// Its network; `None` for a name that the proxy resolves.
    pub(crate) const fn network(&self) -> Option<NetworkKind> {
        self.network
    }

    pub(crate) const fn group(&self) -> Option<Group> {
        match &self.end {
            End::Outbound { group, .. } => *group,
            End::Visible { .. } | End::Hidden { .. } => None,
        }
    }

    pub(crate) const fn listener(&self) -> Option<ListenerId> {
        match &self.end {
            End::Outbound { .. } => None,
            End::Visible { listener, .. } | End::Hidden { listener, .. } => Some(*listener),
        }
    }

    /// Whether its misbehavior bans no host.
    pub(crate) const fn is_spared(&self) -> bool {
        self.notes.is_spared || self.permissions().no_ban
    }

    /// The exemptions that its listener gives; an outbound connection has none.
    pub(crate) const fn permissions(&self) -> Permissions {
        self.end.permissions()
    }

    /// Where its unfinished handshake counts.
    pub(crate) const fn origin(&self) -> Option<Origin> {
        self.end.origin()
    }

    /// The action that dials it.
    #[inline]
    pub(crate) fn dial_action(&self) -> Option<Action> {
        let End::Outbound { address, via, .. } = &self.end else { return None };
        let target = match via {
            Some((proxy, isolation)) => {
                Target::Proxied { proxy: proxy.clone(), isolation: *isolation, address: address.clone() }
            }
            None => Target::Direct(address.socket_addr()?),
        };
        Some(Action::Dial { conn: self.id, target, transport: self.transport, deadline: self.notes.deadline })
    }

    /// What the application is told when it opens; its added peer is wanted with this identity.
    #[inline]
    pub(crate) fn connected(&self, wanted: Option<Identity>) -> Connected {
        Connected {
            conn: self.id,
            kind: self.kind,
            address: self.address(),
            peer: self.peer,
            tag: self.notes.tag,
            wanted,
            listener: self.listener(),
            transport: self.transport,
            nonce: self.notes.nonce,
        }
    }

    pub(crate) fn view(&self) -> ConnView {
        ConnView {
            conn: self.id,
            kind: self.kind,
            state: self.state,
            since: self.since,
            address: self.address(),
            peer: self.peer,
            tag: self.notes.tag,
            identity: self.identity,
            listener: self.listener(),
            transport: self.transport,
            services: self.notes.services,
        }
    }
}
