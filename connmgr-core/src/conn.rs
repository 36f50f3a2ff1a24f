//! One connection: what it is for, how far it has come.
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
//! From every state a connection may end; it is then taken out of the table, and there is no state for it. This
//! file knows no counts and no rules: transitions are made by the [table](crate::table), which counts.

use core::net::SocketAddr;

use crate::config::{Permissions, Proxy};
use crate::mechanisms::groups::{Group, Neighbourhood};
use crate::mechanisms::limiter::Bucket;
use crate::mechanisms::score::BanScore;
use crate::mechanisms::timers::TimerId;
use crate::types::{
    Action, Activity, ConnId, ConnState, ConnView, Connected, Host, Identity, Isolation, Kind, ListenerId, NetworkKind,
    PeerAddress, PeerId, Services, Target, Time, Transport,
};

/// One connection, dial included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conn {
    id: ConnId,
    kind: Kind,
    state: ConnState,
    since: Time,
    /// Without progress for `hedge_after`: it gives its slot back as soon as there is room beside it.
    overdue: bool,
    end: End,
    peer: Option<PeerId>,
    transport: Transport,
    identity: Option<Identity>,
    /// The parts that no count depends on.
    pub(crate) notes: Notes,
}

/// Who is at the other end, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// We dialed.
    Outbound {
        /// Whom.
        address: PeerAddress,
        /// By which proxy, and on which circuit.
        via: Option<(SocketAddr, Isolation)>,
        /// The group the dial took, if its kind takes one.
        group: Option<Group>,
    },
    /// They came, from a host that can be seen.
    Visible {
        /// From where.
        remote: SocketAddr,
        /// By which listener.
        listener: ListenerId,
        /// What they are spared.
        permissions: Permissions,
    },
    /// They came through a proxy of an overlay network.
    Hidden {
        /// By which listener.
        listener: ListenerId,
        /// The overlay.
        network: NetworkKind,
        /// What they are spared.
        permissions: Permissions,
    },
}

/// Where unfinished handshakes and new connections are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    /// Hosts that are neighbours.
    Near(Neighbourhood),
    /// All who come by a listener where hosts can't be seen.
    By(ListenerId),
}

/// The parts of a connection that no count depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Its one timer.
    pub(crate) timer: Option<TimerId>,
    /// When the dial, and later the handshake, is given up.
    pub(crate) deadline: Time,
    /// No hedge has its slot, however long it takes to be ready; what comes further before it may.
    pub(crate) is_trial: bool,
    /// What our version message says, to recognise ourselves.
    pub(crate) nonce: u64,
    /// What the peer offers, once ready.
    pub(crate) services: Services,
    /// What it has lately been good for.
    pub(crate) activity: Activity,
    /// Misbehaviour, where there is no host to hold it against.
    pub(crate) score: BanScore,
    /// How many addresses it may still tell us.
    pub(crate) gossip: Bucket,
}

impl Notes {
    pub(crate) fn new(nonce: u64, deadline: Time) -> Self {
        Self {
            timer: None,
            deadline,
            is_trial: false,
            nonce,
            services: Services::NONE,
            activity: Activity::default(),
            score: BanScore::default(),
            gossip: Bucket::default(),
        }
    }
}

impl Conn {
    /// A dial that begins now.
    pub(crate) fn dial(
        id: ConnId,
        kind: Kind,
        end: End,
        peer: Option<PeerId>,
        transport: Transport,
        notes: Notes,
        now: Time,
    ) -> Self {
        let state = ConnState::Dialing;
        Self { id, kind, state, since: now, overdue: false, end, peer, transport, identity: None, notes }
    }

    /// A connection that came in now. How it is spoken on shows with its first bytes; until then, plainly.
    pub(crate) fn inbound(id: ConnId, end: End, notes: Notes, now: Time) -> Self {
        Self {
            id,
            kind: Kind::Inbound,
            state: ConnState::Handshaking,
            since: now,
            overdue: false,
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

    /// The dial or handshake gives its slot to another.
    pub(crate) fn give_slot(&mut self, now: Time) {
        match self.state {
            ConnState::Dialing => self.enter(ConnState::Silent, now),
            ConnState::Handshaking => self.enter(ConnState::Stalled, now),
            ConnState::Silent | ConnState::Stalled | ConnState::Ready => {
                debug_assert!(false, "it has no slot to give");
            }
        }
    }

    /// The dial has succeeded, with a slot or without one.
    pub(crate) fn open(&mut self, has_slot: bool, now: Time) {
        debug_assert!(!self.is_open());
        self.enter(if has_slot { ConnState::Handshaking } else { ConnState::Stalled }, now);
    }

    /// The handshake is done.
    pub(crate) fn make_ready(&mut self, identity: Option<Identity>, now: Time) {
        debug_assert!(self.is_handshaking());
        self.identity = identity;
        self.enter(ConnState::Ready, now);
    }

    /// It is open, and belongs to an added peer from now on. One that we chose ourselves gives its group back, and
    /// takes a slot of added peers, which are never without.
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

    /// When it came into its state.
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

    /// Whether the application was told of it.
    pub(crate) const fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// Whether it is open and not yet ready.
    pub(crate) const fn is_handshaking(&self) -> bool {
        matches!(self.state, ConnState::Handshaking | ConnState::Stalled)
    }

    /// When the dial, or the handshake once it is open, is given up.
    pub(crate) const fn deadline(&self) -> Time {
        self.notes.deadline
    }

    /// Whether it has made no progress for `hedge_after`, and holds its slot all the same.
    pub(crate) const fn is_overdue(&self) -> bool {
        self.overdue
    }

    /// Whether it takes one of its kind's slots.
    pub(crate) const fn holds_slot(&self) -> bool {
        self.state.holds_slot()
    }

    /// The other end, if it can be seen.
    pub(crate) fn address(&self) -> Option<PeerAddress> {
        match &self.end {
            End::Outbound { address, .. } => Some(address.clone()),
            End::Visible { remote, .. } => Some(PeerAddress::from(*remote)),
            End::Hidden { .. } => None,
        }
    }

    /// Whom we dialed.
    pub(crate) const fn dialed(&self) -> Option<&PeerAddress> {
        match &self.end {
            End::Outbound { address, .. } => Some(address),
            End::Visible { .. } | End::Hidden { .. } => None,
        }
    }

    /// The host that answers for what happens on it.
    pub(crate) fn host(&self) -> Option<Host> {
        match &self.end {
            End::Outbound { address, .. } => Some(address.host().clone()),
            End::Visible { remote, .. } => Some(Host::from(remote.ip())),
            End::Hidden { .. } => None,
        }
    }

    /// The network it runs in; none for a name that the proxy resolves.
    pub(crate) fn network(&self) -> Option<NetworkKind> {
        match &self.end {
            End::Outbound { address, .. } => address.network(),
            End::Visible { remote, .. } => Host::from(remote.ip()).network(),
            End::Hidden { network, .. } => Some(*network),
        }
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

    /// What it is spared; an outbound connection, nothing.
    pub(crate) const fn permissions(&self) -> Permissions {
        match &self.end {
            End::Outbound { .. } => Permissions { no_ban: false, no_limit: false },
            End::Visible { permissions, .. } | End::Hidden { permissions, .. } => *permissions,
        }
    }

    /// Where its handshake counts while it is unfinished.
    pub(crate) fn origin(&self) -> Option<Origin> {
        match &self.end {
            End::Outbound { .. } => None,
            End::Visible { remote, .. } => Some(Origin::Near(Neighbourhood::of(remote.ip()))),
            End::Hidden { listener, .. } => Some(Origin::By(*listener)),
        }
    }

    /// The action that dials it.
    pub(crate) fn dial_action(&self) -> Option<Action> {
        let End::Outbound { address, via, .. } = &self.end else { return None };
        let target = match via {
            Some((proxy, isolation)) => {
                Target::Proxied { proxy: *proxy, isolation: *isolation, address: address.clone() }
            }
            None => Target::Direct(address.socket_addr()?),
        };
        Some(Action::Dial { conn: self.id, target, transport: self.transport, deadline: self.notes.deadline })
    }

    /// What the application is told when it opens.
    pub(crate) fn connected(&self) -> Connected {
        Connected {
            conn: self.id,
            kind: self.kind,
            address: self.address(),
            peer: self.peer,
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
            listener: self.listener(),
            transport: self.transport,
            services: self.notes.services,
        }
    }
}

/// The route to a peer, once chosen.
pub(crate) fn via(proxy: Option<Proxy>, isolation: Isolation) -> Option<(SocketAddr, Isolation)> {
    proxy.map(|proxy| (proxy.address, isolation))
}
