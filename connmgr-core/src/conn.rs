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

use core::hash::{Hash, Hasher};

use crate::book::{AddressId, Numbered};
use crate::mechanisms::groups::{Group, Neighbourhood};
use crate::mechanisms::limiter::Bucket;
use crate::mechanisms::score::BanScore;
use crate::mechanisms::timers::TimerId;
use crate::types::{
    Action, Activity, ConnId, ConnState, ConnView, Connected, Host, Identity, Isolation, Kind, ListenerId, NetworkKind,
    PeerAddress, PeerId, Permissions, ProxyAddress, Services, Target, Time, Transport,
};

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

/// The other end of a connection, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// We dialed.
    Outbound {
        /// The address.
        address: PeerAddress,
        /// The proxy and the circuit; `None` if dialed directly.
        via: Option<(ProxyAddress, Isolation)>,
        /// The group that the dial takes, if its kind takes one.
        group: Option<Group>,
    },
    /// Accepted; the remote host is visible.
    Visible {
        /// The remote address.
        remote: PeerAddress,
        /// That of the remote address.
        neighbourhood: Neighbourhood,
        /// The listener.
        listener: ListenerId,
        /// Its exemptions.
        permissions: Permissions,
    },
    /// Accepted from the proxy of an overlay network; the remote host is hidden.
    Hidden {
        /// The listener.
        listener: ListenerId,
        /// The overlay.
        network: NetworkKind,
        /// Its exemptions.
        permissions: Permissions,
    },
}

impl End {
    /// The exemptions that the listener gives; an outbound connection has none.
    pub(crate) const fn permissions(&self) -> Permissions {
        match self {
            Self::Outbound { .. } => Permissions::NONE,
            Self::Visible { permissions, .. } | Self::Hidden { permissions, .. } => *permissions,
        }
    }

    /// The network of the remote address or listener; `None` for a name that the proxy resolves.
    const fn network(&self) -> Option<NetworkKind> {
        match self {
            Self::Outbound { address: remote, .. } | Self::Visible { remote, .. } => remote.network(),
            Self::Hidden { network, .. } => Some(*network),
        }
    }

    /// Where an unfinished handshake counts.
    pub(crate) const fn origin(&self) -> Option<Origin> {
        match self {
            Self::Outbound { .. } => None,
            Self::Visible { neighbourhood, .. } => Some(Origin::Near(*neighbourhood)),
            Self::Hidden { listener, .. } => Some(Origin::By(*listener)),
        }
    }
}

/// Inbound connections whose unfinished handshakes and rate count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Those from neighbouring hosts.
    Near(Neighbourhood),
    /// All on a listener whose remote hosts are hidden.
    By(ListenerId),
}

/// One write, because an arrival is looked up by it several times.
impl Hash for Origin {
    fn hash<H: Hasher>(&self, to: &mut H) {
        match self {
            Self::Near(neighbourhood) => neighbourhood.hash(to),
            Self::By(listener) => to.write_u64(!u64::from(listener.0)),
        }
    }
}

/// The parts of a connection that no count depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notes {
    /// The connection's timer.
    pub(crate) timer: Option<TimerId>,
    /// The deadline of the dial, and then of the handshake.
    pub(crate) deadline: Time,
    /// A trial: hedging does not take its slot before it ends.
    pub(crate) is_trial: bool,
    /// Which address of its added peer it was dialed for.
    pub(crate) of: usize,
    /// The tag of its added peer.
    pub(crate) tag: Option<u64>,
    /// Its added peer's misbehaviour bans no host.
    pub(crate) is_spared: bool,
    /// The number of the dialed address, if the book knew it.
    pub(crate) address_id: Option<AddressId>,
    /// The network whose health it tells of, if its address tells of one.
    pub(crate) tells_of: Option<NetworkKind>,
    /// The nonce of our version message, by which we recognise ourselves.
    pub(crate) nonce: u64,
    /// The services of the peer, once ready.
    pub(crate) services: Services,
    /// What it was recently useful for.
    pub(crate) activity: Activity,
    /// When it last showed life; [`Time::ZERO`] if it has not.
    pub(crate) heard: Time,
    /// The score of misbehaviour that no host can be held to.
    pub(crate) score: BanScore,
    /// How many addresses the peer may still tell us.
    pub(crate) gossip: Bucket,
}

impl Notes {
    pub(crate) fn new(nonce: u64, deadline: Time) -> Self {
        Self {
            timer: None,
            deadline,
            is_trial: false,
            of: 0,
            tag: None,
            is_spared: false,
            address_id: None,
            tells_of: None,
            nonce,
            services: Services::NONE,
            activity: Activity::default(),
            heard: Time::ZERO,
            score: BanScore::default(),
            gossip: Bucket::default(),
        }
    }
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

    /// Whether its misbehaviour bans no host.
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
