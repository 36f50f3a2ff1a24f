//! The list of connections, and counts made by walking it.

use connmgr_core::{ConnId, ConnState, Host, Kind, ListenerId, PeerAddress, Time};

use super::clock::Due;
use super::{Account, Model};

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Dialing,
    /// Being dialed, without a slot.
    Silent,
    Handshaking,
    /// Open, not ready, without a slot.
    Stalled,
    Ready,
}

impl Stage {
    pub(super) const fn of(state: ConnState) -> Self {
        match state {
            ConnState::Dialing => Self::Dialing,
            ConnState::Silent => Self::Silent,
            ConnState::Handshaking => Self::Handshaking,
            ConnState::Stalled => Self::Stalled,
            ConnState::Ready => Self::Ready,
            _ => panic!("a state that the model does not know"),
        }
    }

    pub(super) const fn has_slot(self) -> bool {
        match self {
            Self::Silent | Self::Stalled => false,
            Self::Dialing | Self::Handshaking | Self::Ready => true,
        }
    }

    pub(super) const fn is_open(self) -> bool {
        match self {
            Self::Dialing | Self::Silent => false,
            Self::Handshaking | Self::Stalled | Self::Ready => true,
        }
    }
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct RConn {
    pub(super) id: ConnId,
    pub(super) kind: Kind,
    pub(super) stage: Stage,
    /// When it reached its stage.
    pub(super) since: Time,
    /// When the dial, or the handshake, is given up.
    pub(super) deadline: Time,
    /// When it is next checked: for progress, for its end, for stability.
    pub(super) look: Option<Due>,
    /// It was checked, had made no progress, and kept its slot.
    pub(super) is_overdue: bool,
    /// It keeps its slot until it is ready or ends.
    pub(super) is_trial: bool,
    pub(super) address: Option<PeerAddress>,
    pub(super) listener: Option<ListenerId>,
    /// Bans do not apply to it.
    pub(super) no_ban: bool,
    /// Its misbehavior bans no host.
    pub(super) is_spared: bool,
    /// The misbehavior of a connection whose host can't be seen.
    pub(super) account: Account,
}

impl RConn {
    pub(super) const fn is_open(&self) -> bool {
        self.stage.is_open()
    }

    pub(super) fn is_automatic(&self) -> bool {
        AUTOMATIC.contains(&self.kind)
    }

    pub(super) fn host(&self) -> Option<&Host> {
        self.address.as_ref().map(PeerAddress::host)
    }

    /// The address that we dialed.
    pub(super) fn dialed(&self) -> Option<&PeerAddress> {
        self.address.as_ref().filter(|_| self.kind != Kind::Inbound)
    }
}

pub(super) const AUTOMATIC: [Kind; 2] = [Kind::Full, Kind::BlockRelay];

impl Model {
    /// The slots of a kind that are held.
    pub(super) fn held(&self, kind: Kind) -> u32 {
        self.count(|conn| conn.kind == kind && conn.stage.has_slot())
    }

    /// Dials and handshakes of a kind without a slot.
    pub(super) fn without_slot(&self, kind: Kind) -> u32 {
        self.count(|conn| conn.kind == kind && !conn.stage.has_slot())
    }

    pub(super) fn count(&self, what: impl Fn(&RConn) -> bool) -> u32 {
        u32::try_from(self.conns.iter().filter(|conn| what(conn)).count()).expect("few")
    }

    pub(super) fn conn(&self, id: ConnId) -> Option<&RConn> {
        self.conns.iter().find(|conn| conn.id == id)
    }

    /// The same, mutable; it must exist.
    pub(super) fn conn_mut(&mut self, id: ConnId) -> &mut RConn {
        self.conns.iter_mut().find(|conn| conn.id == id).expect("it is live")
    }
}
