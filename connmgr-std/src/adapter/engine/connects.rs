//! Peers that are dialed once, now, for a caller that waits for the outcome.
//!
//! Each is an added peer with [`Keep::Once`], removed at once where it would wait: for a slot, or for a rule that
//! forbids the dial. [`ConnectWatch`] follows them among the manager's actions; at the end of a turn each is settled:
//!
//! ```text
//! connect ─► watched ─┬─► open: the caller gets the connection; the peer goes when it ends
//!                     ├─► failed, forbidden or without a slot: the caller gets the error
//!                     └─► the caller has gone: the peer is removed
//! ```

use std::collections::{BTreeMap, VecDeque};

use connmgr_core::{
    Action, AddPeerError, AddedPeer, CloseReason, ConnId, Connected, DialFailure, Event, Input, Keep, Kind, PeerId,
    PeerState, Reply, Time,
};
use futures_channel::oneshot;

use super::{Engine, Sockets};
use crate::connect_error::ConnectError;

/// What a caller gets.
pub(crate) type ConnectOutcome<S> = Result<(Connected, S), ConnectError>;

/// A peer that is not connected, its tag, and why.
type FailedConnect = (PeerId, Option<u64>, ConnectError);

/// Where an outcome goes.
enum Caller<S> {
    /// To a future.
    Waits(oneshot::Sender<ConnectOutcome<S>>),
    /// Among the events of the pool, with the peer's tag: by then the peer may not be added any more.
    TakesEvents(Option<u64>),
}

/// The callers of the peers that are watched, until they were told.
pub(super) struct Connects<S> {
    callers: BTreeMap<PeerId, Caller<S>>,
    /// For those that take events.
    failed: VecDeque<FailedConnect>,
}

impl<S> Default for Connects<S> {
    fn default() -> Self {
        Self { callers: BTreeMap::new(), failed: VecDeque::new() }
    }
}

/// Follows peers through the manager's actions.
#[derive(Debug, Default)]
pub(crate) struct ConnectWatch {
    peers: BTreeMap<PeerId, Progress>,
    /// The next peer that is added is one to follow.
    adding: bool,
}

/// How far a peer is.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    open: Option<ConnId>,
    /// The open connection was there before, as an automatic one.
    is_adopted: bool,
    /// The latest.
    failure: Option<ConnectError>,
    /// The peer is not added any more.
    is_finished: bool,
    /// The connection that the caller has.
    told: Option<ConnId>,
}

impl ConnectWatch {
    /// Notes an answer of the manager, which comes before the actions of the same input.
    pub(crate) fn note_reply(&mut self, reply: &Reply) {
        if self.adding {
            if let Reply::Added(Ok(peer)) = reply {
                self.peers.insert(*peer, Progress::default());
            }
        }
    }

    /// Notes what an action tells of the peers.
    pub(crate) fn note(&mut self, action: &Action) {
        if self.peers.is_empty() {
            return;
        }
        if let Action::Emit(event) = action {
            self.note_event(event);
        }
    }

    fn note_event(&mut self, event: &Event) {
        match event {
            Event::Connected(Connected { conn, peer: Some(peer), .. }) => {
                self.change(*peer, |progress| progress.open = Some(*conn));
            }
            Event::Adopted { conn, peer, .. } => {
                self.change(*peer, |progress| (progress.open, progress.is_adopted) = (Some(*conn), true));
            }
            Event::Disconnected { conn, peer: Some(peer), reason, .. } => self.change(*peer, |progress| {
                if progress.open.take_if(|open| open == conn).is_some() {
                    progress.failure = Some(ConnectError::ended(*reason));
                }
            }),
            Event::DialFailed { peer: Some(peer), error, .. } => self.change(*peer, |progress| {
                // One that another dial of the same attempt has overtaken says nothing about the attempt.
                if *error != DialFailure::GivenUp(CloseReason::Superseded) {
                    progress.failure = Some(ConnectError::dial_failed(*error));
                }
            }),
            Event::LookupFailed { peer, error, .. } => {
                self.change(*peer, |progress| progress.failure = Some(ConnectError::LookupFailed(*error)));
            }
            Event::PeerFinished { peer, .. } => self.change(*peer, |progress| progress.is_finished = true),
            Event::Stopped => self.peers.values_mut().for_each(|progress| {
                (progress.failure, progress.is_finished) = (Some(ConnectError::ShuttingDown), true);
            }),
            _ => {}
        }
    }

    fn change(&mut self, peer: PeerId, change: impl FnOnce(&mut Progress)) {
        if let Some(progress) = self.peers.get_mut(&peer) {
            change(progress);
        }
    }
}

impl<S> Engine<S> {
    /// Dials a peer once, now. It is an added peer with [`Keep::Once`], whatever its description says. What comes of it
    /// later is an event: its `Connected`, its `Adopted`, or what [`Engine::poll_connect_failure`] returns.
    ///
    /// # Errors
    /// [`ConnectError`], if it can't be dialed. Then no event follows.
    pub fn connect(&mut self, peer: AddedPeer, now: Time, net: &mut impl Sockets) -> Result<PeerId, ConnectError> {
        let tag = peer.tag;
        let id = self.add_once(peer, now, net)?;
        self.connects.callers.insert(id, Caller::TakesEvents(tag));
        match self.settle_connect(id, now, net) {
            Some((_, error)) => Err(error),
            None => Ok(id),
        }
    }

    /// A peer of [`Engine::connect`] that is not connected, its tag, and why. It is not added any more.
    pub fn poll_connect_failure(&mut self) -> Option<(PeerId, Option<u64>, ConnectError)> {
        self.connects.failed.pop_front()
    }

    /// Dials a peer once, now, for a caller that waits. Once it is connected, that is no event of the pool.
    pub(crate) fn connect_for(
        &mut self,
        caller: oneshot::Sender<ConnectOutcome<S>>,
        peer: AddedPeer,
        now: Time,
        net: &mut impl Sockets,
    ) {
        if caller.is_canceled() {
            return;
        }
        match self.add_once(peer, now, net) {
            Ok(id) => drop(self.connects.callers.insert(id, Caller::Waits(caller))),
            // The caller may have gone meanwhile.
            Err(error) => drop(caller.send(Err(error))),
        }
    }

    fn add_once(&mut self, peer: AddedPeer, now: Time, net: &mut impl Sockets) -> Result<PeerId, ConnectError> {
        let input = Input::AddPeer { peer: peer.keep(Keep::Once) };
        self.driver.observer_mut().connects.adding = true;
        let reply = self.apply(&input, now, net);
        self.driver.observer_mut().connects.adding = false;
        let added: Result<PeerId, AddPeerError> = crate::adapter::FromReply::from_reply(reply);
        added.map_err(|error| match (error, &input) {
            (AddPeerError::Duplicate, Input::AddPeer { peer }) => {
                let open = self.driver.manager().connection_of(peer);
                open.map_or(ConnectError::NotAdded(error), ConnectError::AlreadyConnected)
            }
            _ => ConnectError::from(error),
        })
    }

    /// Whether a failure waits to be taken.
    pub(super) fn has_connect_failures(&self) -> bool {
        !self.connects.failed.is_empty()
    }

    /// Tells the callers what came of their peers.
    pub(super) fn settle_connects(&mut self, now: Time, net: &mut impl Sockets) {
        let watched: Vec<PeerId> = self.driver.observer().connects.peers.keys().copied().collect();
        for id in watched {
            match self.settle_connect(id, now, net) {
                Some((Caller::Waits(caller), error)) => drop(caller.send(Err(error))),
                Some((Caller::TakesEvents(tag), error)) => self.connects.failed.push_back((id, tag, error)),
                None => {}
            }
        }
    }

    /// Returns a failure that is to be told.
    fn settle_connect(&mut self, id: PeerId, now: Time, net: &mut impl Sockets) -> Option<(Caller<S>, ConnectError)> {
        let progress = *self.driver.observer().connects.peers.get(&id)?;
        let has_gone = matches!(self.connects.callers.get(&id), Some(Caller::Waits(caller)) if caller.is_canceled());
        // A connection that was handed over is the only one: the other addresses of its peer are not tried.
        if has_gone || (progress.told.is_some() && (progress.is_finished || progress.open != progress.told)) {
            self.end_connect(id, now, net);
            return None;
        }
        if progress.told.is_some() {
            return None;
        }
        if let Some(conn) = progress.open {
            return self.hand_over(id, conn, progress.is_adopted);
        }
        let error = self.why_not(id, progress)?;
        let caller = self.connects.callers.remove(&id);
        self.end_connect(id, now, net);
        Some((caller?, error))
    }

    /// Why a peer that has no connection gets none, unless one may still come.
    fn why_not(&self, id: PeerId, progress: Progress) -> Option<ConnectError> {
        let manager = self.driver.manager();
        let removed = ConnectError::DialFailed(DialFailure::GivenUp(CloseReason::PeerRemoved));
        let Some(peer) = manager.added_peer(id).filter(|_| !progress.is_finished) else {
            return Some(progress.failure.unwrap_or(removed));
        };
        match peer.state {
            PeerState::Blocked(obstacle) => Some(progress.failure.unwrap_or(ConnectError::Forbidden(obstacle))),
            PeerState::Queued | PeerState::Waiting if !manager.is_active() => Some(ConnectError::Inactive),
            PeerState::Queued if !manager.has_room_for(Kind::Added) => Some(ConnectError::NoSlot),
            // Its dial is under way, or its events tell the rest.
            _ => None,
        }
    }

    /// Gives the caller the connection, or tells who has it.
    fn hand_over(&mut self, id: PeerId, conn: ConnId, is_adopted: bool) -> Option<(Caller<S>, ConnectError)> {
        let watched = &mut self.driver.observer_mut().connects;
        if is_adopted {
            // The connection was the pool's before, and stays until it ends by itself.
            watched.peers.remove(&id);
        } else {
            watched.change(id, |progress| progress.told = Some(conn));
        }
        match self.connects.callers.remove(&id)? {
            Caller::TakesEvents(_) => None,
            Caller::Waits(caller) => match self.driver.take_connected(conn) {
                Some((mut info, stream)) => {
                    // One that was automatic until now knows nothing of the peer.
                    let peer = self.driver.manager().added_peer(id);
                    (info.tag, info.wanted) = peer.map_or((None, None), |peer| (peer.tag, peer.identity));
                    info.peer = Some(id);
                    // A caller that has gone meanwhile drops the stream, which ends the connection.
                    drop(caller.send(Ok((info, stream))));
                    None
                }
                None => Some((Caller::Waits(caller), ConnectError::AlreadyConnected(conn))),
            },
        }
    }

    /// Removes the peer, if it is still added, and follows it no longer.
    fn end_connect(&mut self, id: PeerId, now: Time, net: &mut impl Sockets) {
        if self.driver.manager().added_peer(id).is_some() {
            self.apply(&Input::RemovePeer { peer: id }, now, net);
        }
        self.connects.callers.remove(&id);
        self.driver.observer_mut().connects.peers.remove(&id);
    }
}
